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
        for name in ("loudspeaker", "broadcast"):
            with open(self.home / f"{name}.yaml", "a", encoding="utf-8") as config:
                config.write('hours: {quiet: "00:00-00:00"}\n')

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


if __name__ == "__main__":
    unittest.main()
