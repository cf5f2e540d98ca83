"""Bad input and bad days, end to end by real programs; and what the main path promises on good ones.

Each refusal: a code, a sentence that a duty officer understands, a line in the audit chain.
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
from airing_system import AiringSystem  # noqa: E402
from kannel_bench import free_ports  # noqa: E402
from system import BIN, SINKS, SOURCE, alert_id, short_form, wait_until, when  # noqa: E402

LOUD, OTHER_LOUD = "86.29050.loa", "86.29062.loa"
AIR = {"86.radio", "86.tv"}
PHONES = {f"86.sms.{name}" for name in ("viettel", "vinaphone", "mobifone", "vietnamobile", "gtel", "itel")}
SHORT = {"description": "Nước lên nhanh.", "headline": "Lũ quét", "instruction": "Sơ tán ngay.", "speech": "Lũ quét. Sơ tán ngay."}
VIETNAMESE = re.compile("[ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.I)


def warning(*communes, **fields):
    codes = ", ".join(f'"{code}"' for code in communes or ("29050",))
    return short_form(**{"areas": f"[{codes}]", "area_name": "xã Bình Đại", **SHORT, **fields})


class BadDays(AiringSystem):
    """A province whose keys and rules the test changes while it runs."""

    def __init__(self, **options):
        super().__init__(**options)
        self.version = 1
        self.never_quiet("loudspeaker", "broadcast")

    def audit(self, to="router"):
        """Rows as (actor, action, object, detail), from an unbroken chain."""
        done = self.keng("audit", "list", "--to", to)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return [tuple(line.split("\t")[2:6]) for line in done.stdout.splitlines()[1:]]

    def keys(self, change, install=True):
        """The next version of the manifest, with keys.yaml changed; True when the router took it."""
        path = self.home / "keys.yaml"
        self.version += 1
        text = re.sub(r"^version: \d+", f"version: {self.version}", path.read_text(), flags=re.M)
        path.write_text(change(text))
        self.sign_manifest()
        if install:
            self.hang_up("router", f"manifest.loaded version={self.version}")

    def hang_up(self, name, expected):
        before = self.log(name).count(expected)
        self.processes[name].send_signal(signal.SIGHUP)
        wait_until(lambda: self.log(name).count(expected) > before, what=f"{name}: {expected}")

    def own_manifest(self):
        """The publisher keeps the manifest of now, whatever the router gets: its own check then lets through what the
        router's must not."""
        shutil.copy(self.home / "keys.manifest", self.home / "publisher.manifest")
        path = self.home / "publisher.yaml"
        path.write_text(path.read_text().replace("manifest: keys.manifest", "manifest: publisher.manifest"))

    def signed(self, identity):
        """The packed Signed of an alert, as the outbox has it."""
        with tempfile.TemporaryDirectory() as folder:
            for path in (self.home / "state/publisher").glob("outbox.db*"):
                if not path.name.endswith("-reserve"):
                    shutil.copy(path, folder)
            with sqlite3.connect(pathlib.Path(folder) / "outbox.db") as db:
                return db.execute("SELECT s.bytes FROM signed s JOIN alerts a ON a.n = s.n WHERE a.id = ?",
                                  (bytes.fromhex(identity),)).fetchone()[0]

    def public(self, name):
        return self.run("keng", "key", "show", self.home / f"keys/{name}").stdout.split()[-1]

    def intake(self):
        return re.search(r"intake: (tcp:\S+)", (self.home / "router.yaml").read_text()).group(1)

    def finals(self, identity, stations, seconds=40):
        final = ("done", "partial", "refused", "failed", "uncertain", "expired", "cancelled")

        def there():
            rows = self.ledger(identity)
            return rows if set(stations) <= set(rows) and all(rows[s]["state"] in final for s in stations) else None
        return wait_until(there, seconds, 0.1, what=f"outcomes of {identity}: {self.ledger(identity)}")


class Case(unittest.TestCase):
    maxDiff = None

    def system(self, **options):
        s = BadDays(**options)
        self.addCleanup(s.close)
        return s

    def understood(self, text, code):
        """A code, and a sentence in the duty officer's language."""
        self.assertIn(code, text)
        self.assertRegex(text, VIETNAMESE)

    def recorded(self, s, code, identity=None):
        rows = [row for row in s.audit() if "refused" in row[1] and f"code={code} " in row[3] + " "]
        self.assertTrue(rows, f"no audit row with code={code} in {s.audit()}")
        if identity:
            self.assertIn(identity, [row[2] for row in rows])

    def sent(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return alert_id(done.stdout)


# ---- who may say what ----


class Rights(Case):
    """The router's own check: the publisher holds an older manifest by which everything was allowed."""

    def setUp(self):
        self.s = self.system()
        self.s.own_manifest()
        self.s.start("router")
        wait_until(self.s.status, what="the router")
        self.entry = next(line for line in (self.s.home / "keys.yaml").read_text().splitlines()
                          if 'agency: so-nnmt}' in line and "use: actual" in line)

    def entry_with(self, more):
        return lambda text: re.sub(rf"^{re.escape(self.entry.split(', agency')[0])}.*$",
                                   self.entry[:-1] + f", {more}}}", text, flags=re.M)

    def test_each_right_is_checked_by_the_router(self):
        s = self.s
        spoiled = self.entry.split(", agency")[0]
        rows = [
            ("wrong-sector", self.entry_with("sectors: [health]"), {}),
            ("wrong-area", self.entry_with('areas: ["28756"]'), {}),
            ("wrong-class", self.entry_with("class: routine"), {}),
            ("key-not-in-date", self.entry_with('until: "2026-01-01T00:00:00+07:00"'), {}),
            ("revoked-key", self.entry_with(f'revoked: "{when(minutes=-1)}"'), {}),
            ("wrong-agency", lambda text: re.sub(rf"^{re.escape(spoiled)}.*$", f"{spoiled}, agency: so-y-te}}", text, flags=re.M), {}),
            ("wrong-status", lambda text: re.sub(rf"^{re.escape(spoiled)}.*$", self.entry.replace("actual", "drill"), text,
                                                 flags=re.M), {}),
            ("unknown-key", lambda text: "".join(line for line in text.splitlines(True)
                                                 if s.public("so-nnmt") not in line), {}),
        ]
        for code, change, fields in rows:
            with self.subTest(code):
                kept = (s.home / "keys.yaml").read_text()
                s.keys(change)
                done = s.send(warning(**fields))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                answer = next(line for line in done.stdout.splitlines() if ": refused by " in line)
                self.understood(answer, f": {code}: ")
                self.recorded(s, code)
                self.assertEqual(s.ledger(alert_id(done.stdout)), {})
                (s.home / "keys.yaml").write_text(kept)
        # and by the right key again
        s.keys(lambda text: text)
        self.sent(s.send(warning()))

    def test_revoked_while_connected(self):
        s = self.s
        s.start("publisher")
        wait_until(lambda: "submit.connected" in s.log("publisher"), what="the publisher's connection")
        self.sent(s.send(warning()))
        s.keys(self.entry_with(f'revoked: "{when(seconds=-1)}"'))
        done = s.send(warning())
        self.assertEqual(done.returncode, 1, done.stdout)
        self.understood(done.stdout, "revoked-key")
        self.recorded(s, "revoked-key", alert_id(done.stdout))

    def test_a_connection_whose_key_is_revoked_is_dropped(self):
        s = self.s
        s.start("publisher")
        wait_until(lambda: "submit.connected" in s.log("publisher"), what="the publisher's connection")
        self.sent(s.send(warning()))
        line = next(row for row in (s.home / "keys.yaml").read_text().splitlines() if "role: publisher" in row)
        s.keys(lambda text: text.replace(line, line[:-1] + f', revoked: "{when(seconds=-1)}"}}'))
        wait_until(lambda: "publisher.dropped" in s.log("router"), what="the router dropping it")
        self.assertIn("manifest.loaded", [row[1] for row in s.audit()])
        done = s.send(warning(), "--wait", "3")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(s.ledger(alert_id(done.stdout)), {})
        # listed again, and what waited goes out
        s.keys(lambda text: re.sub(r', revoked: "[^"]*"', "", text))
        wait_until(lambda: s.ledger(alert_id(done.stdout)), 40, what="the waiting alert being taken")

    def test_an_older_manifest_is_not_taken(self):
        s = self.s
        kept = (s.home / "keys.manifest").read_bytes()
        s.keys(lambda text: text)
        (s.home / "keys.manifest").write_bytes(kept)
        s.hang_up("router", "manifest.refused")
        self.assertIn(("keng-router", "manifest.refused"), [row[:2] for row in s.audit()])
        (s.home / "keys.manifest").write_bytes(kept[:40] + bytes([kept[40] ^ 1]) + kept[41:])
        s.hang_up("router", "manifest.refused")
        self.sent(s.send(warning()))

    def test_expired_on_the_way(self):
        s = self.s
        s.kill("router", signal.SIGTERM)
        done = s.send(warning(expires=when(seconds=2)), "--wait", "1")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        identity = alert_id(done.stdout)
        time.sleep(2)
        s.start("router")
        wait_until(s.status, what="the router")
        s.start("publisher")
        listed = wait_until(lambda: [line for line in s.publisher("list").stdout.splitlines() if identity in line and
                                     "expired" in line], 30, what="the answer")
        self.assertEqual(len(listed), 1)
        self.assertEqual(s.ledger(identity), {})

    def test_a_commune_that_is_gone_names_its_successor(self):
        s = self.s
        table = (SOURCE / "deploy/provinces/vinh-long/communes.tsv").read_text()
        row = next(line for line in table.splitlines() if line.startswith("29050\t"))
        cells = row.split("\t")
        cells[5:7] = ["2026-01-01", "29062"]
        changed = s.write("communes.tsv", table.replace(row, "\t".join(cells)))
        # the agency's own publisher says so first
        mine = s.home / "publisher.yaml"
        kept = mine.read_text()
        mine.write_text(re.sub(r"communes: .*", f"communes: [{changed}]", kept))
        done = s.send(warning())
        self.assertEqual(done.returncode, 1)
        self.assertIn("29062", done.stdout + done.stderr)
        # and the router, when the publisher's table is old
        mine.write_text(kept)
        s.kill("router", signal.SIGTERM)
        theirs = s.home / "router.yaml"
        theirs.write_text(re.sub(r"communes: .*", f"communes: [{changed}]", theirs.read_text()))
        s.start("router")
        wait_until(s.status, what="the router")
        done = s.send(warning())
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.understood(done.stdout, "unknown-commune")
        self.assertIn("29062", done.stdout)
        self.recorded(s, "unknown-commune")
        done = s.send(warning("99999"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("99999", done.stdout + done.stderr)

    def test_the_last_hop_checks_too(self):
        """A router that lets it pass (or is taken over) does not make a sink say it."""
        s = self.s
        old = (s.home / "keys.manifest").read_bytes()
        s.keys(self.entry_with('areas: ["28756"]'), install=False)
        new = (s.home / "keys.manifest").read_bytes()
        s.start("sms", "broadcast")
        for name in SINKS:
            path = s.home / f"{name}.yaml"
            path.write_text(path.read_text().replace("manifest: keys.manifest", "manifest: sinks.manifest"))
        (s.home / "sinks.manifest").write_bytes(new)
        (s.home / "keys.manifest").write_bytes(old)
        for name in ("sms", "broadcast"):
            s.kill(name, signal.SIGTERM)
        s.start(*SINKS)
        s.wait_connected()
        identity = alert_id(s.send(warning()).stdout)
        rows = s.finals(identity, PHONES | AIR | {LOUD})
        self.assertEqual({(row["state"], row["code"]) for row in rows.values()}, {("refused", "wrong-area")})
        self.assertTrue(all(VIETNAMESE.search(row["detail"]) for row in rows.values()), rows)
        for name in SINKS:
            self.assertIn("order.refused", [row[1] for row in s.audit(name)], name)
        self.assertEqual(list((s.home / "spool").rglob(f"*{identity}*")), [])

    def test_what_waits_at_a_sink_is_not_played_when_its_key_is_revoked(self):
        s = self.s
        s.start("loudspeaker")
        s.wait_connected()
        identity = self.sent(s.send(warning(**{"class": "routine"})))
        wait_until(lambda: s.ledger(identity).get(LOUD, {}).get("state") == "held", what="the offer at the commune")
        s.keys(self.entry_with(f'revoked: "{when(seconds=-1)}"'))
        s.hang_up("loudspeaker", "alert.revoked")
        s.keng("station", "accept", "--to", "loudspeaker", LOUD, identity)
        row = s.finals(identity, [LOUD])[LOUD]
        self.assertIn(row["state"], ("cancelled", "refused"), row)
        self.assertEqual(list((s.home / "spool").rglob(f"*{identity}*")), [])


# ---- bytes ----


class RawPeer:
    def __init__(self, s, key="publisher"):
        self.process = subprocess.Popen([BIN / "intakepeer", s.home / f"keys/{key}", s.intake(), s.public("router")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def hear(self, count=1, seconds=15):
        """The next lines."""
        wait_until(lambda: len(self.lines) >= count, seconds, 0.01, what=f"{count} lines of {self.lines}")
        heard, self.lines = self.lines[:count], self.lines[count:]
        return heard

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait(10)


class Bytes(Case):
    def setUp(self):
        self.s = self.system()
        self.s.start("router")
        wait_until(self.s.status, what="the router")

    def peer(self, key="publisher"):
        peer = RawPeer(self.s, key)
        self.addCleanup(peer.close)
        return peer

    def test_altered_replayed_oversize_and_foreign(self):
        s = self.s
        identity = self.sent(s.send(warning()))
        signed = s.signed(identity)
        peer = self.peer()
        self.assertEqual(peer.hear(), ["up"])
        good = s.dir / "good.signed"
        good.write_bytes(signed)

        with self.subTest("replayed: the first answer again, nothing more"):
            targets = set(s.ledger(identity))
            for _ in range(3):
                peer.tell("submit", good)
            for line in peer.hear(3):
                self.assertTrue(line.startswith("answer duplicate "), line)
            self.assertEqual(set(s.ledger(identity)), targets)
            self.assertEqual(s.status()["accepted"], "1")

        with self.subTest("altered: any byte"):
            altered = s.dir / "altered.signed"
            positions = sorted({*range(0, len(signed), max(1, len(signed) // 150)), 0, 1, 2, len(signed) - 1})
            for at in positions:
                altered.write_bytes(signed[:at] + bytes([signed[at] ^ 0x20]) + signed[at + 1:])
                peer.tell("submit", altered)
                (line,) = peer.hear()
                self.assertTrue(line.startswith("answer refused "), f"byte {at}: {line}")
                self.assertIn(line.split(" ")[2], ("bad-signature", "bad-form", "unknown-key", "bad-version"), f"byte {at}")
                self.assertRegex(line, VIETNAMESE)
            self.assertEqual(s.status()["accepted"], "1")
            self.recorded(s, "bad-signature")

        with self.subTest("cut short"):
            for size in (0, 1, 10, len(signed) // 2, len(signed) - 1):
                altered.write_bytes(signed[:size])
                if size:
                    peer.tell("submit", altered)
                    self.assertTrue(peer.hear()[0].startswith("answer refused "), size)

        with self.subTest("larger than an alert may be"):
            peer.tell("claim", good, 3 * 1024 * 1024)
            (line,) = peer.hear()
            self.assertTrue(line.startswith("answer refused too-large "), line)
            self.understood(line, "too-large")
            self.recorded(s, "too-large")

        with self.subTest("pieces that do not make up what was announced"):
            peer.tell("claim", good, 100 * 1024)
            (line,) = peer.hear()
            self.assertTrue(line.startswith(("answer refused bad-form ", "answer later ")), line)

        with self.subTest("another version of the wire"):
            frame = s.dir / "frame"
            peer.tell("pack", good, frame)
            self.assertEqual(peer.hear(), ["packed"])
            packed = frame.read_bytes()
            self.assertEqual(packed[:2], b"\x08\x01")  # field 1, version 1
            frame.write_bytes(b"\x08\x02" + packed[2:])
            peer.tell("frame", frame)
            (line,) = peer.hear()
            self.assertTrue(line.startswith("refused bad-version "), line)
            self.understood(line, "bad-version")
            self.recorded(s, "bad-version")

        with self.subTest("rubbish"):
            for rubbish in (b"\xff" * 40, b"\x08", b"\x08\x01", packed[:len(packed) // 2]):
                frame.write_bytes(rubbish)
                peer.tell("frame", frame)
                (line,) = peer.hear()
                self.assertTrue(line.startswith("refused bad-"), line)
                self.assertRegex(line, VIETNAMESE)

        peer.tell("submit", good)
        wait_until(lambda: any(line.startswith("answer duplicate") for line in peer.lines), what="business as usual")
        self.assertEqual(s.status()["accepted"], "1")
        self.assertEqual(s.keng("audit", "verify").returncode, 0)

    def test_who_is_not_listed_does_not_get_in(self):
        s = self.s
        s.run("keng", "key", "new", "--use", "connect", s.home / "keys/stranger")
        for key in ("stranger", "sms", "operator"):
            with self.subTest(key):
                peer = self.peer(key)
                self.assertEqual(peer.hear(seconds=20), ["turned-away"])
                peer.close()
        self.assertEqual(s.status()["submitted"], "0")


# ---- rules that cannot be read ----


class Rules(Case):
    def spoil(self, s):
        pack = SOURCE / "deploy/provinces/vinh-long"
        shutil.copytree(pack, s.home / "pack")
        policy = s.home / "pack/policy.yaml"
        for name in ("router.yaml", "keng.yaml"):
            path = s.home / name
            path.write_text(path.read_text().replace(str(pack / "policy.yaml"), "pack/policy.yaml"))
        return policy

    def test_an_unreadable_policy(self):
        s = self.system()
        policy = self.spoil(s)
        s.start("router")
        wait_until(s.status, what="the router")
        good = policy.read_text()
        rows = [
            ("a key nobody knows", good.replace("    sectors: [health]", "    sektors: [health]", 1), "sektors: [health]"),
            ("a word that is none", good.replace("mode: interrupt", "mode: shout", 1), "mode: shout"),
            ("not YAML", good.replace("classes:\n", "classes: [\n", 1), None),
        ]
        for label, text, where in rows:
            with self.subTest(label):
                self.assertNotEqual(text, good)
                policy.write_text(text)
                checked = s.keng("policy", "check")
                self.assertEqual(checked.returncode, 1, checked.stdout)
                said = checked.stdout + checked.stderr
                place = re.search(r"policy\.yaml:(\d+):(\d+)", said)
                self.assertIsNotNone(place, said)
                if where:
                    line = next(n for n, row in enumerate(text.splitlines(), 1) if where in row)
                    self.assertEqual(int(place.group(1)), line, said)
                # the running router goes on by the rules it has
                s.hang_up("router", "manifest.loaded")
                self.sent(s.send(warning()))
                # a start by the new ones is refused, with the same words
                started = s.run("keng-router", "--config", s.home / "router.yaml", timeout=20)
                self.assertNotEqual(started.returncode, 0)
                self.assertRegex(started.stdout + started.stderr, r"policy\.yaml:\d+:\d+")
        policy.write_text(good)
        s.kill("router", signal.SIGTERM)
        s.start("router")
        wait_until(s.status, what="the router")


# ---- disks and folders ----


class Disks(Case):
    def test_a_full_disk(self):
        s = self.system()
        state = s.home / "state/router"
        state.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=False)
        s.start("router", *SINKS)
        s.wait_connected()
        s.start("publisher")
        wait_until(lambda: "submit.connected" in s.log("publisher"), what="the publisher's connection")
        first = self.sent(s.send(warning()))
        room = os.statvfs(state)
        (state / "somebody-elses-file").write_bytes(b"x" * (room.f_bavail * room.f_bsize - 65536))
        # until there is no room for a routine one
        waiting = []
        for n in range(60):
            done = s.send(warning(**{"class": "routine", "description": "Nước lên. " * 500}), "--wait", "2")
            if done.returncode == 3:
                waiting.append(alert_id(done.stdout))
                break
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(waiting, "the disk did not fill up")
        self.assertEqual(s.ledger(waiting[0]), {}, "not accepted: nothing of it is there")
        self.assertIn("disk.full", s.log("router"))
        self.assertTrue(s.alive("router"), "no crash")
        # an urgent one is taken all the same, from the reserve, and goes out
        urgent = self.sent(s.send(warning()))
        rows = s.finals(urgent, PHONES | AIR | {LOUD})
        self.assertEqual({row["state"] for row in rows.values()}, {"done"})
        self.assertEqual({row["state"] for row in s.finals(first, PHONES).values()}, {"done"})
        # room is made: the other goes by itself
        (state / "somebody-elses-file").unlink()
        wait_until(lambda: s.ledger(waiting[0]), 40, what="the waiting alert being taken")
        self.assertEqual(s.keng("audit", "verify").returncode, 0)
        # and all of it is there after a restart
        s.kill("router", signal.SIGKILL)
        s.start("router")
        s.wait_connected()
        for identity in (first, urgent, waiting[0]):
            self.assertTrue(s.ledger(identity), identity)
        s.kill("router", signal.SIGTERM)

    def test_a_gateways_folder_that_cannot_be_written(self):
        s = self.system()
        s.start_all()
        blocked = [s.home / "spool/sms", s.home / f"spool/loudspeaker/{LOUD}", s.home / "spool/broadcast/86.radio"]
        for folder in blocked:  # even root cannot write into a file
            folder.rename(f"{folder}.away")
            folder.write_text("")
        identity = self.sent(s.send(warning()))
        self.assertEqual(s.finals(identity, ["86.tv"])["86.tv"]["state"], "done")
        wait_until(lambda: all(s.log(name).count("playing.deferred") for name in SINKS), what="the sinks saying that they wait")
        rows = s.ledger(identity)
        for station in PHONES | {LOUD, "86.radio"}:
            self.assertIn(rows[station]["state"], ("held", "started"), station)
        shown = s.keng("station", "show", "--to", "loudspeaker", LOUD).stdout
        self.assertRegex(shown, VIETNAMESE)
        for folder in blocked:
            folder.unlink()
            pathlib.Path(f"{folder}.away").rename(folder)
        rows = s.finals(identity, PHONES | AIR | {LOUD}, 60)
        self.assertEqual({row["state"] for row in rows.values()}, {"done"})
        self.assertEqual(len(list((s.home / f"spool/loudspeaker/{LOUD}").glob("*.json"))), 1)
        self.assertEqual(len(list((s.home / "spool/sms").glob("*.json"))), len(PHONES))


# ---- what the main path promises ----


class Promises(Case):
    def ready(self, *names, publisher=True):
        s = self.system()
        s.start("router", *(names or SINKS))
        s.wait_connected()
        if publisher:
            self.publisher_up(s)
        return s

    @staticmethod
    def publisher_up(s):
        s.start("publisher")
        wait_until(lambda: s.log("publisher").count("publisher.ready"), what="the publisher starting")

    def spooled(self, s, identity, folder="loudspeaker"):
        """{station: [order of each playing]}"""
        found = {}
        for path in sorted((s.home / "spool" / folder).rglob(f"{identity}-*.json")):
            found.setdefault(path.parent.name, []).append(json.loads(path.read_text()))
        return found

    def test_the_same_file_twice_and_the_same_id_with_other_content(self):
        s = self.ready()
        text = warning(id="once")
        first = s.send(text, name="once.yaml")
        identity = self.sent(first)
        s.finals(identity, {LOUD})
        again = s.send(text, name="once.yaml")
        self.assertEqual(self.sent(again), identity)
        self.assertIn("answered before", again.stdout)
        sent = re.search(r'^sent: "(.*)"$', text, re.M).group(1)
        other = warning(id="once", sent=sent, headline="Chuyện khác")
        done = s.send(other, name="once.yaml")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(identity, done.stdout)
        # an outbox that knows nothing of the first: the router says it
        mine = s.home / "publisher.yaml"
        (s.home / "other.yaml").write_text(mine.read_text().replace("state/publisher", "state/other"))
        path = s.write("other-once.yaml", other)
        done = s.run("keng-publisher", "send", path, "--config", s.home / "other.yaml")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.understood(done.stdout, ": conflict: ")
        self.recorded(s, "conflict", identity)
        path.write_text(text)
        (s.home / "third.yaml").write_text(mine.read_text().replace("state/publisher", "state/third"))
        done = s.run("keng-publisher", "send", path, "--config", s.home / "third.yaml")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("accepted before", done.stdout)
        self.assertEqual(len(self.spooled(s, identity)[LOUD]), 1)

    def test_an_update_goes_where_it_must_and_a_cancel_where_the_wrong_one_was_heard(self):
        s = self.ready("sms", "loudspeaker")  # the broadcaster is away
        old = self.sent(s.send(warning("29050", "29062")))
        s.finals(old, PHONES | {LOUD, OTHER_LOUD})
        new = self.sent(s.publisher("update", old, s.write("new.yaml", warning("29050", headline="Lũ lớn hơn"))))
        rows = s.finals(new, PHONES | {LOUD, OTHER_LOUD})
        # the narrower Update reaches, beside its own area, those that still go by the old one; radio and television
        # never had the old one and get the new one only
        self.assertEqual(set(rows), PHONES | AIR | {LOUD, OTHER_LOUD})
        self.assertEqual(s.ledger(old)["86.radio"]["state"], "cancelled")
        self.assertEqual(self.spooled(s, new)[OTHER_LOUD][0]["type"], "Update")
        wrong = self.sent(s.send(warning("29050")))
        s.finals(wrong, PHONES | {LOUD})
        sorry = self.sent(s.publisher("retract", wrong))
        rows = s.finals(sorry, PHONES | {LOUD})
        self.assertEqual(set(rows), PHONES | {LOUD}, "radio and television had not said the wrong one")
        s.start("broadcast")
        s.wait_connected()
        s.finals(new, AIR)
        self.assertEqual({s.ledger(wrong)[station]["state"] for station in AIR}, {"cancelled"})
        for identity in (old, wrong, sorry):
            self.assertEqual(self.spooled(s, identity, "broadcast"), {})
        self.assertEqual(set(self.spooled(s, new, "broadcast")), AIR)
        letters = [json.loads(path.read_text()) for path in (s.home / "spool/sms").glob(f"{sorry}*.json")]
        self.assertEqual({(form["kind"], tuple(form["replaces"])) for form in letters}, {("cancel", (wrong,))})

    def test_what_is_over_is_not_repeated(self):
        s = self.ready("loudspeaker")
        going, cleared = (self.sent(s.send(warning(expires=when(hours=9)))) for _ in range(2))
        s.finals(going, {LOUD})
        s.finals(cleared, {LOUD})
        ended = self.sent(s.publisher("all-clear", cleared))
        s.finals(ended, {LOUD})
        self.assertEqual(self.spooled(s, ended)[LOUD][0]["type"], "Update")
        s.kill("loudspeaker", signal.SIGTERM)
        s.start("loudspeaker", KENG_CLOCK_OFFSET_MS=str(125 * 60 * 1000))  # urgent ones are repeated every two hours
        wait_until(lambda: len(self.spooled(s, going)[LOUD]) == 2, 30, what="the repeat of what goes on")
        self.assertEqual([order["playing"] for order in self.spooled(s, going)[LOUD]], [0, 1])
        self.assertFalse(self.spooled(s, going)[LOUD][1]["repeat_labelled"], "a planned repeat is no accident")
        s.kill("loudspeaker", signal.SIGTERM)
        s.start("loudspeaker", KENG_CLOCK_OFFSET_MS=str(10 * 3600 * 1000))  # past the end of both
        s.wait_connected()
        time.sleep(1)
        self.assertEqual(len(self.spooled(s, going)[LOUD]), 2)
        self.assertEqual(len(self.spooled(s, cleared)[LOUD]), 1)

    def test_expired_before_anybody_played_it(self):
        s = self.ready("loudspeaker")
        identity = self.sent(s.send(warning(expires=when(seconds=4), **{"class": "routine"})))
        wait_until(lambda: s.ledger(identity)[LOUD]["state"] == "held", what="the offer")
        rows = s.finals(identity, {LOUD} | AIR, 30)
        self.assertEqual({row["state"] for row in rows.values()}, {"expired"})
        self.assertEqual(self.spooled(s, identity), {})
        s.keng("station", "accept", "--to", "loudspeaker", LOUD, identity)
        time.sleep(0.5)
        self.assertEqual(self.spooled(s, identity), {})

    def test_held_for_a_person(self):
        s = self.ready("loudspeaker")
        text = (SOURCE / "deploy/examples/vinh-long.cap.xml").read_text()
        for key, value in {"SENDER": "so-nnmt.vinh-long.example", "SENT": when(), "ONSET": when(), "EXPIRES": when(hours=5),
                           "NEXT": when(hours=3)}.items():
            text = text.replace(f"@{key}@", value)
        text = re.sub(r"<valueName>CAP-VN:province</valueName>\s*<value>86</value>",
                      "<valueName>CAP-VN:commune</valueName><value>29050</value>", text)
        text = text.replace("<scope>Public</scope>", "<scope>Restricted</scope><restriction>cán bộ</restriction>")

        def held(identifier):
            done = s.send(text.replace("@ID@", identifier), name=f"{identifier}.xml")
            self.assertIn(": held for a person by ", done.stdout, done.stdout + done.stderr)
            self.assertRegex(done.stdout, VIETNAMESE)
            return alert_id(done.stdout)
        go, stay = held("go"), held("stay")
        listed = s.keng("held", "list").stdout
        self.assertIn(go, listed)
        self.assertIn("restricted-scope", listed)
        shown = s.keng("held", "show", go).stdout
        self.assertIn("xâm nhập", shown)
        self.assertEqual((s.ledger(go), s.ledger(stay)), ({}, {}), "nothing goes out by itself")
        for words in (("held", "release", go, ""), ("held", "release", "ffffffff", "không có")):
            self.assertNotEqual(s.keng(*words).returncode, 0, words)
        self.assertEqual(s.keng("held", "release", go, "đã hỏi Sở", "--who", "Nguyễn Văn A").returncode, 0)
        self.assertEqual(s.keng("held", "refuse", stay, "sai đối tượng", "--who", "Trần Thị B").returncode, 0)
        self.assertEqual(s.finals(go, {LOUD})[LOUD]["state"], "done")
        self.assertNotEqual(s.keng("held", "release", stay, "lỡ tay").returncode, 0, "refused is refused")
        self.assertEqual(s.ledger(stay), {})
        rows = {row[1]: row for row in s.audit() if row[1].startswith("held.")}
        self.assertIn("Nguyễn Văn A", rows["held.released"][0])
        self.assertIn("đã hỏi Sở", rows["held.released"][3])
        self.assertIn("Trần Thị B", rows["held.refused"][0])
        self.assertIn("sai đối tượng", rows["held.refused"][3])
        self.assertNotIn(go, s.keng("held", "list").stdout)

    def test_a_drill_never_rings_a_telephone_and_never_sounds_real(self):
        s = self.ready()
        mine = (s.home / "publisher.yaml").read_text()
        (s.home / "drill.yaml").write_text(mine.replace("sign_key: keys/so-nnmt", "sign_key: keys/so-nnmt-drill")
                                           .replace("state/publisher", "state/drill"))

        def by_drill(text):
            return s.run("keng-publisher", "send", s.write("drill-form.yaml", text), "--config", s.home / "drill.yaml")
        identity = self.sent(by_drill(warning(status="Exercise")))
        rows = s.finals(identity, AIR | {LOUD})
        self.assertEqual(set(rows), AIR | {LOUD})
        order = self.spooled(s, identity)[LOUD][0]
        self.assertTrue(order["drill"])
        self.assertTrue(order["read_out"].lower().startswith(("diễn tập", "đây là", "bản tin diễn tập")), order["read_out"])
        self.assertIn("diễn tập", order["read_out"].lower())
        self.assertEqual(list((s.home / "spool/sms").glob("*.json")), [])
        done = by_drill(warning(status="Actual"))
        self.assertEqual(done.returncode, 1)
        self.understood(done.stdout, "wrong-status")
        done = s.send(warning(status="Exercise"))
        self.assertEqual(done.returncode, 1)
        self.understood(done.stdout, "wrong-status")

    def test_urgent_before_a_thousand_routine_ones(self):
        s = self.system()
        s.device("86.radio", "radio", delay_ms=1)
        s.never_quiet("device")
        s.start("router")
        wait_until(s.status, what="the router")
        self.publisher_up(s)
        count = 1000
        for n in range(count):
            part = s.home / f"drop/{n}.part"
            part.write_text(warning(id=f"r{n}", **{"class": "routine"}))
            part.rename(s.home / f"drop/r{n}.yaml")
        # by the drop folder, each with its answer beside it
        wait_until(lambda: int(s.status()["accepted"]) == count, 120, 0.2, what="a thousand being accepted")
        urgent = self.sent(s.send(warning()))
        s.start("device")
        wait_until(lambda: sum(row[0] == "end" for row in s.device_log()) == count + 1, 60, 0.2, what="all of them being played")
        order = [row[2] for row in s.device_log() if row[0] == "start"]
        self.assertEqual(len(set(order)), count + 1)
        self.assertLess(order.index(urgent), 3, "what was in hand, and no more")
        wait_until(lambda: len(list((s.home / "drop/accepted").glob("*.yaml"))) == count, 60, 0.2, what="the folder being empty")
        self.assertEqual(len(list((s.home / "drop/accepted").glob("*.yaml.txt"))), count)

    def test_the_first_router_is_down(self):
        s = self.system()
        ports = free_ports(5)
        text = (s.home / "router.yaml").read_text()
        second = text.replace("state/router", "state/second")
        for name, port in zip(("intake", "urgent", "other", "control", "status"), ports):
            second = re.sub(rf"(  {name}: tcp://127.0.0.1):\d+", rf"\1:{port}", second)
        (s.home / "second.yaml").write_text(second)
        s.programs["second"] = [BIN / "keng-router"]
        for name in SINKS:
            path = s.home / f"{name}.yaml"
            path.write_text(re.sub(r"(  - \{name: vinh-long, urgent: .*\}\n)", lambda m: m.group(1) + re.sub(
                r'urgent: "[^"]*", other: "[^"]*"',
                f'urgent: "tcp://127.0.0.1:{ports[1]}", other: "tcp://127.0.0.1:{ports[2]}"',
                m.group(1).replace("name: vinh-long", "name: second")), path.read_text()))
        path = s.home / "publisher.yaml"
        path.write_text(re.sub(r'(  - \{name: vinh-long, intake: .*\}\n)', lambda m: m.group(1) + re.sub(
            r'intake: "[^"]*"', f'intake: "tcp://127.0.0.1:{ports[0]}"', m.group(1).replace("vinh-long", "second")),
            path.read_text()))
        s.start("router", "second", *SINKS)
        s.wait_connected()
        wait_until(lambda: all(s.log(name).count("router.up") >= 4 for name in SINKS), what="both routers at every sink")
        self.publisher_up(s)
        first = self.sent(s.send(warning()))
        s.finals(first, {LOUD})
        s.kill("router")
        done = s.send(warning(id="two"), "--follow", name="two.yaml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("accepted by", done.stdout)
        self.assertIn("submit.next_router", s.log("publisher"))
        identity = alert_id(done.stdout)
        self.assertEqual(len(self.spooled(s, identity)[LOUD]), 1)
        # the first one comes back and hears of the same alert from another outbox: nobody hears it twice
        s.start("router")
        s.wait_connected()
        (s.home / "other.yaml").write_text(re.sub(r"  - \{name: second, .*\n", "", path.read_text()).replace(
            "state/publisher", "state/other"))
        done = s.run("keng-publisher", "send", "--follow", s.dir / "two.yaml", "--config", s.home / "other.yaml")
        self.assertEqual(alert_id(done.stdout), identity, done.stdout + done.stderr)
        rows = s.finals(identity, PHONES | AIR | {LOUD})
        self.assertEqual(len(rows), 9)
        self.assertEqual(len(self.spooled(s, identity)[LOUD]), 1)
        self.assertFalse(self.spooled(s, identity)[LOUD][0]["repeat_labelled"])

    def test_the_drop_folder(self):
        s = self.system()
        s.start("router", "loudspeaker")
        s.wait_connected()
        self.publisher_up(s)
        drop = s.home / "drop"
        (drop / "half.yaml.part").write_text(warning())
        (drop / "good.yaml").write_text(warning())
        (drop / "bad.yaml").write_text(warning(severity="Rất nặng"))
        (drop / "nowhere.yaml").write_text(warning("99999"))
        (drop / "rubbish.xml").write_text("<alert")
        wait_until(lambda: len(list(drop.glob("*.yaml")) + list(drop.glob("*.xml"))) == 0, what="the folder being read")
        self.assertEqual({p.name for p in (drop / "accepted").iterdir()}, {"good.yaml", "good.yaml.txt"})
        self.assertEqual({p.name for p in (drop / "refused").iterdir()},
                         {f"{n}{x}" for n in ("bad.yaml", "nowhere.yaml", "rubbish.xml") for x in ("", ".txt")})
        self.assertIn("accepted by", (drop / "accepted/good.yaml.txt").read_text())
        self.assertIn("severity", (drop / "refused/bad.yaml.txt").read_text())
        self.assertIn("99999", (drop / "refused/nowhere.yaml.txt").read_text())
        self.assertTrue((drop / "half.yaml.part").exists())
        # no router: the folder takes what it is given, and an urgent file does not wait behind routine ones
        s.kill("router", signal.SIGTERM)
        for n in range(40):
            (drop / f"r{n}.yaml").write_text(warning(id=f"r{n}", **{"class": "routine"}))
        time.sleep(1)
        (drop / "urgent.yaml").write_text(warning(id="the-urgent-one"))
        wait_until(lambda: "\turgent\twaiting" in s.publisher("list").stdout, 20, what="the urgent file being in the outbox")
        s.start("router")
        wait_until(lambda: len(list((drop / "accepted").glob("*.yaml"))) == 42, 60, 0.2, what="all of them accepted")

    def test_the_place_has_a_name(self):
        """Codes are for machines: nobody hears "twenty-nine thousand and fifty"."""
        s = self.ready("sms", "loudspeaker", publisher=False)
        identity = self.sent(s.send(warning("29050", "29062", area_name=None, speech=None)))
        s.finals(identity, PHONES | {LOUD})
        read = self.spooled(s, identity)[LOUD][0]["read_out"]
        self.assertIn("Bình Đại", read)
        self.assertNotIn("hai mươi chín nghìn", read)
        text = json.loads(next((s.home / "spool/sms").glob("*.json")).read_text())["text"]
        self.assertIn("Binh Dai", text)
        self.assertNotIn("29050", text)


class FeedServer:
    """A feed that a test steers; it notes what it was asked."""

    def __init__(self):
        outer = self
        self.answer = (404, b"", {})
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body, headers = outer.answer
                outer.asked.append(dict(self.headers))
                if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/feed"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


CAP = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{id}</identifier><sender>kttv@vinhlong.example.vn</sender><sent>{sent}</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info><language>vi</language><category>Met</category><event>Xâm nhập mặn</event><responseType>Prepare</responseType>
    <urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty><onset>{sent}</onset>
    <expires>{expires}</expires><headline>Mặn lên cao</headline><description>Độ mặn 4 g/l.</description>
    <instruction>Đóng cống.</instruction>
    <parameter><valueName>CAP-VN:class</valueName><value>priority</value></parameter>
    <parameter><valueName>CAP-VN:sector</valueName><value>water</value></parameter>
    <area><areaDesc>xã Bình Đại</areaDesc><geocode><valueName>CAP-VN:commune</valueName><value>29050</value></geocode></area>
  </info>
</alert>"""


def feed(*alerts):
    entries = "".join(f"<entry><id>urn:x:{n}</id><title>t</title><updated>{when()}</updated>"
                      f'<content type="text/xml">{alert}</content></entry>' for n, alert in enumerate(alerts))
    return (f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x</id><title>t</title>'
            f"<updated>{when()}</updated>{entries}</feed>").encode()


class Feeds(Case):
    def test_what_a_feed_says_and_what_its_silence_does_not(self):
        s = self.system()
        s.start("router")
        wait_until(s.status, what="the router")
        source = FeedServer()
        self.addCleanup(source.close)
        first, second = (CAP.format(id=f"kttv-{n}", sent=when(), expires=when(hours=5)) for n in (1, 2))
        source.answer = (200, feed(first), {"ETag": '"one"', "Content-Type": "application/atom+xml"})
        s.programs["poll"] = [BIN / "keng-publisher", "poll", source.url, "--every", "1"]
        (s.home / "poll.yaml").write_text((s.home / "publisher.yaml").read_text())
        s.start("poll")

        def accepted():
            return int(s.status()["accepted"])

        def alarm(what):
            wait_until(lambda: re.search(rf"poll\.alarm .*{what}", s.log("poll")), 15, what=f"the alarm: {what}")

        def over(times):
            wait_until(lambda: s.log("poll").count("poll.alarm_over") == times, 15, what="the alarm being over")
        wait_until(lambda: accepted() == 1, what="the entry going out")
        identity = wait_until(lambda: alert_id(s.log("poll")), what="its id")
        asked = len(source.asked)
        wait_until(lambda: len(source.asked) >= asked + 2, what="two more looks")
        self.assertEqual(source.asked[-1].get("If-None-Match"), '"one"', "it asks for changes only")
        self.assertEqual(accepted(), 1)
        self.assertNotIn("poll.alarm", s.log("poll"), "304 is an answer")
        source.answer = (200, feed(), {"ETag": '"two"'})
        alarm("empty")
        source.answer = (500, b"", {})
        alarm("cannot be fetched")
        source.answer = (200, b"<html><body>Under construction</body></html>", {})
        wait_until(lambda: s.log("poll").count("poll.alarm ") >= 3, 15, what="a third alarm")
        source.answer = (200, ('<?xml version="1.0" encoding="UTF-8"?>' + first).encode(), {"ETag": '"three"'})
        alarm("changed its kind")
        self.assertEqual(accepted(), 1, "the same alert in another cover is the same alert")
        source.answer = (200, feed(first, second), {"ETag": '"four"'})
        wait_until(lambda: accepted() == 2, what="the second entry going out")
        wait_until(lambda: "poll.alarm_over" in s.log("poll"), 15, what="the alarm being over")
        ended = [row for row in s.audit() if row[1].startswith("alert.") and row[1] not in ("alert.accepted", "alert.held")]
        self.assertEqual(ended, [], "what disappears from a feed is not cancelled")
        self.assertTrue(s.ledger(identity))


if __name__ == "__main__":
    unittest.main()
