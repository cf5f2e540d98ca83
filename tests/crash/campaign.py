"""A whole Keng whose programs may be killed at any time, and a witness outside of it. Not a test file.

The witness knows what the publisher printed (receipts), what was written into the gateways' folders, file by file as it
happened (inotify), and what a device of ours was told (its log, appended and never rewritten). Keng's own ledgers are
compared with that, never believed alone.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration")]
from airing_system import AiringSystem  # noqa: E402
from system import SINKS, alert_id, wait_until  # noqa: E402

FILE, DEVICE, PERSON = "86.29050.loa", "86.29062.loa", "86.29077.loa"
COMMUNE = {"29050": FILE, "29062": DEVICE, "29077": PERSON}
AIR = ("86.radio", "86.tv")
PHONES = tuple(f"86.sms.{name}" for name in ("viettel", "vinaphone", "mobifone", "vietnamobile", "gtel", "itel"))
PROGRAMS = ("router", "publisher", *SINKS, "device")
FINAL = ("done", "partial", "refused", "failed", "uncertain", "expired", "cancelled")
OPEN = ("now-pending", "now-offered", "now-held", "now-started", "queued", "waiting-for-a-person")
DEVICE_MS = 150  # how long the device sounds: long enough to be killed within

IN_MOVED_TO = 0x80


class FolderWatch:
    """Every file that appears under a final name, read at once: (folder's name, file's name, content)."""

    def __init__(self, folders):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC)
        self.folders, self.seen, self.ended = {}, [], False
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            self.folders[self.libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_MOVED_TO)] = folder
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.ended:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            while data:
                watch, _, _, n = struct.unpack_from("iIII", data)
                name = data[16:16 + n].rstrip(b"\0").decode()
                data = data[16 + n:]
                folder = self.folders.get(watch)
                if folder is None:
                    continue
                try:
                    content = (folder / name).read_text() if name.endswith((".json", ".txt")) else ""
                except OSError:
                    content = ""
                self.seen.append((folder.name, name, content))

    def settle(self):
        """What was moved before this call is in `seen` when it returns."""
        marks = {}
        for watch, folder in self.folders.items():
            mark = folder / ".witness-new"
            mark.write_text("")
            mark.rename(folder / f".witness-{time.monotonic_ns()}")
            marks[folder.name] = watch
        end = time.monotonic() + 5
        count = len(self.folders)
        while sum(1 for _, name, _ in self.seen if name.startswith(".witness")) < count and time.monotonic() < end:
            time.sleep(0.01)
        self.seen = [row for row in self.seen if not row[1].startswith(".witness")]
        for folder in self.folders.values():
            for mark in folder.glob(".witness-*"):
                mark.unlink()

    def close(self):
        self.ended = True
        os.close(self.fd)


class Promise:
    """What the publisher said of one alert, and which stations it is for by our own reckoning. One that ends another
    (`corrects`) is for those of them that may have told people something."""

    def __init__(self, identity, stations, state, corrects=None):
        self.id, self.stations, self.state, self.corrects = identity, frozenset(stations), state, corrects
        self.receipt = None


class CrashSystem(AiringSystem):
    """Programs that end are started again, as systemd does; with the environments in `lives` first, then plainly."""

    def __init__(self):
        super().__init__(manual=PERSON)
        self.device(DEVICE, "loudspeaker", delay_ms=DEVICE_MS)
        self.keep_only(FILE, PERSON)
        self.never_quiet("loudspeaker", "broadcast", "device")
        self.watch = FolderWatch([self.home / "spool/sms", self.home / f"spool/loudspeaker/{FILE}",
                                  self.home / f"spool/calls/{PERSON}", *(self.home / f"spool/broadcast/{a}" for a in AIR)])
        # environments by program: of every start, of the next starts, of the life that it is living
        self.always, self.lives, self.now = {}, {}, {}
        self.deaths, self.strange, self.may_stop, self.evidence = [], [], set(), False
        self.promises, self.past, self.settled_count = {}, set(), 0
        self.rest = lambda: 0.0
        self.lock = threading.Lock()
        self.keeping = threading.Event()
        self.keeper = threading.Thread(target=self.keep, daemon=True)

    # -- laying out --

    def keep_only(self, *stations):
        """The other communes' stations are not in this world: their place is a quiet one."""
        path = self.home / "loudspeaker.yaml"
        lines = [line for line in path.read_text().splitlines()
                 if not line.startswith("  - {id:") or any(f'"{s}"' in line for s in stations)]
        path.write_text("\n".join(lines) + "\n")

    # -- living --

    def start(self, *names, **environment):
        for name in names:
            armed = self.lives.get(name)
            self.now[name] = armed.pop(0) if armed else {}
            super().start(name, **{**environment, **self.always.get(name, {}), **self.now[name]})
        return self

    def keep(self):
        while not self.keeping.is_set():
            for name in list(self.processes):
                with self.lock:
                    process = self.processes.get(name)
                    code = None if process is None else process.poll()
                    if code is None:
                        continue
                    # 3: a one-shot command has the outbox open for a moment
                    if code != -signal.SIGKILL and not (name == "publisher" and code == 3) and name not in self.may_stop:
                        self.strange.append((name, code, self.log(name).splitlines()[-5:]))
                    self.deaths.append((name, code))
                    time.sleep(self.rest())
                    self.start(name)
            time.sleep(0.02)

    def up(self, *names):
        self.start(*(names or PROGRAMS))
        self.keeper.start()
        # else a one-shot command has the outbox, and it waits for that
        wait_until(lambda: "publisher.ready" in self.log("publisher"), 30, what="the publisher starting")
        return self

    def slay(self, name, sig=signal.SIGKILL):
        """The keeper brings it back."""
        with self.lock:
            process = self.processes.get(name)
            if process is not None and process.poll() is None:
                process.send_signal(sig)
                process.wait(20)

    def renew(self, name, **environment):
        """An ordinary restart with a wider environment; a fault that has not struck yet stays armed."""
        with self.lock:
            self.kill(name, signal.SIGTERM)
            super().start(name, **{**environment, **self.always.get(name, {}), **self.now.get(name, {})})

    def stop_all(self):
        self.keeping.set()
        if self.keeper.is_alive():
            self.keeper.join(30)
        for name in list(self.processes):
            try:
                code = self.kill(name, signal.SIGTERM)
            except subprocess.TimeoutExpired:
                self.kill(name)
                code = "no end within 20 s of SIGTERM"
            if code not in (0, -signal.SIGKILL):
                self.strange.append((name, code, self.log(name).splitlines()[-5:]))

    def close(self, keep=False):
        self.keeping.set()
        if self.keeper.is_alive():
            self.keeper.join(30)
        self.watch.close()
        super().close(keep or self.evidence)

    def keep_evidence(self):
        self.evidence = True

    # -- acting, as a person does: again until it is done --

    def insist(self, *words, program=None, seconds=40, enough=lambda done: done.returncode == 0):
        end = time.monotonic() + seconds
        while True:
            try:
                done = (program or self.publisher)(*words, timeout=20)
                if enough(done):
                    return done
            except subprocess.TimeoutExpired:
                done = None
            if time.monotonic() > end:
                raise AssertionError(f"{words}: {done and done.stdout + done.stderr}")
            time.sleep(0.1)

    def promise(self, stations, *words, state="accepted", corrects=None, program=None):
        """Publishes; the promise stands from the moment the publisher has said that it is in the outbox."""
        done = self.insist(*words, "--wait", "4", program=program,
                           enough=lambda d: "in the outbox" in d.stdout)
        identity = alert_id(done.stdout)
        made = Promise(identity, stations, state, corrects)
        self.promises[identity] = made
        receipt = re.search(r"^.*: (accepted|accepted before|held for a person) by .*$", done.stdout, re.M)
        made.receipt = receipt and receipt.group(0)
        return identity

    def operate(self, *words, **how):
        return self.insist(*words, program=self.keng, **how)

    # -- looking --

    def open_targets(self):
        """What is not final yet, as sentences."""
        left = []
        for made in self.promises.values():
            rows = self.ledger(made.id)
            if made.state == "refused":
                if rows:
                    left.append(f"{made.id}: refused by a person, but has targets {sorted(rows)}")
                continue
            needed = made.stations if made.corrects is None else self.reached_by(made.corrects)
            if not needed <= set(rows) <= made.stations:
                left.append(f"{made.id}: targets {sorted(rows)} instead of {sorted(needed)} to {sorted(made.stations)}")
            left += [f"{made.id} at {name}: {row['state']}" for name, row in rows.items() if row["state"] not in FINAL]
        return left

    def quiet(self, seconds=30):
        """Waits until every promised target is final; the clerk confirms his tasks meanwhile."""
        end = time.monotonic() + seconds
        while True:
            left = self.open_targets()
            if not left:
                return
            if time.monotonic() > end:
                raise AssertionError("not final in time:\n  " + "\n  ".join(left))
            self.clerk()
            time.sleep(0.1)

    def clerk(self):
        self.confirm_all("loudspeaker", PERSON)

    def confirm_all(self, sink, station):
        shown = self.keng("station", "show", "--to", sink, station)
        for line in shown.stdout.splitlines():
            cells = line.split("\t")
            if len(cells) > 3 and cells[3] == "playing":
                self.keng("station", "confirm", "--to", sink, station, cells[0], "đã gọi")

    # -- the invariants; each returns what is wrong, as sentences --

    def played_twice(self):
        wrong, plays = [], {}
        self.watch.settle()
        for folder, name, content in self.watch.seen:
            if folder not in (FILE, *AIR) or not name.endswith(".json"):
                continue
            order = json.loads(content) if content else {}
            if order.get("state") == "play" and not order.get("repeat_labelled"):
                key = (folder, order["alert"], order["playing"])
                plays[key] = plays.get(key, 0) + 1
        for what, station, identity, playing, labelled in self.device_log():
            if what == "start" and not labelled:
                key = (station, identity, playing)
                plays[key] = plays.get(key, 0) + 1
        wrong += [f"played {n} times without a label: {key}" for key, n in plays.items() if n > 1]
        texts = {}
        for folder, name, content in self.watch.seen:
            if folder == "sms" and content:
                # the file's name is the request's id: told twice is told once, when it says the same
                if texts.setdefault(name, content) != content:
                    wrong.append(f"the SMS request {name} changed its content")
        return wrong

    def traces(self):
        """What the witness has seen: files as (folder, name), and the device's first playings as (station, alert)."""
        files = {(folder, name) for folder, name, _ in self.watch.seen}
        return files, {(s, i) for what, s, i, playing, _ in self.device_log() if what == "start" and playing == 0}

    def reached_by(self, identity):
        """The stations at which the witness has seen the alert."""
        made = self.promises[identity]
        return {station for station in made.stations if self.outside(station, identity, *self.traces())}

    def outside(self, station, identity, files, started):
        """Has the first playing left its trace?"""
        if station == DEVICE:
            return (station, identity) in started
        if station in PHONES:
            return ("sms", f"{identity}.0.{station.rsplit('.', 1)[1]}.vi.json") in files
        return (station, f"{identity}-0.txt" if station == PERSON else f"{identity}-0.json") in files

    def sounded_everywhere(self):
        """What the ledger calls done has left its trace outside."""
        wrong = []
        files, started = self.traces()
        for made in self.promises.values():
            for station, row in self.ledger(made.id).items():
                if row["state"] == "done" and not self.outside(station, made.id, files, started):
                    wrong.append(f"{made.id} is done at {station}, and nothing of it is outside")
        return wrong

    def doubt_is_said(self):
        """A device that was killed at work leaves a labelled repeat or UNCERTAIN, never a plain DONE."""
        wrong, last, cut = [], {}, {}
        for what, station, identity, playing, labelled in self.device_log():
            key = (station, identity, playing)
            if what == "start":
                if last.get(key) == "start" and not labelled:
                    wrong.append(f"{key}: began again without a label")
                if labelled and key not in last:
                    cut[key] = True  # it was STARTED before the device had been told
            last[key] = what
        for (station, identity, playing), what in last.items():
            if what != "start" or playing != 0 or identity not in self.promises:
                continue
            state = self.ledger(identity).get(station, {}).get("state")
            if state != "uncertain":
                wrong.append(f"{identity} at {station}: broken off in the middle, and the ledger says {state}")
        return wrong

    def chains(self):
        wrong = []
        for name in ("router", *SINKS, "device"):
            done = self.keng("audit", "verify", "--to", name)
            if done.returncode != 0 or "the chain holds" not in done.stdout:
                wrong.append(f"audit of {name}: {done.stdout}{done.stderr}")
        return wrong

    def balance(self):
        status = self.status()
        wrong = [f"status {key} is {status[key]}" for key in status
                 if key in OPEN and status[key] != "0"]
        return wrong if status else ["the router gives no status"]

    def database(self, name, question):
        """Rows of a copy of a stopped program's file."""
        with tempfile.TemporaryDirectory() as folder:
            for path in (self.home / "state").glob(f"{name}.db*"):
                if not path.name.endswith("-reserve"):
                    shutil.copy(path, folder)
            with sqlite3.connect(pathlib.Path(folder) / f"{pathlib.Path(name).name}.db") as db:
                return db.execute(question).fetchall()

    def unconfirmed(self, sink):
        """Receipts that the router has not confirmed; what the stop cut off is said again at the next start."""
        def left():
            return self.database(f"{sink}/ledger", "SELECT count(*) FROM receipts")[0][0]
        end = time.monotonic() + 15
        while left() and time.monotonic() < end:
            for name in ("router", sink):
                super().start(name)
            time.sleep(1)
            for name in (sink, "router"):
                self.kill(name, signal.SIGTERM)
        return left()

    def held_is_in_the_sinks(self):
        """After stop_all: what the router counts as held has a row in a sink's ledger."""
        wrong, held = [], set()
        for sink in (*SINKS, "device"):
            held |= set(self.database(f"{sink}/ledger", "SELECT hex(a.id), s.name FROM holdings h "
                                      "JOIN alerts a ON a.n = h.key >> 20 JOIN stations s ON s.n = h.key & 1048575"))
            left = self.unconfirmed(sink)
            if left:
                wrong.append(f"{sink} keeps {left} receipts that the router does not confirm")
        for identity, station in self.database(
                "router/journal", "SELECT hex(a.id), s.name FROM deliveries d JOIN alerts a ON a.position = d.number >> 20 "
                "JOIN stations s ON s.n = d.station WHERE d.held_ms > 0"):
            if (identity, station) not in held:
                wrong.append(f"the router has {identity.lower()} held at {station}; that sink's ledger does not know it")
        waiting = self.database("publisher/outbox", "SELECT count(*) FROM alerts WHERE state = 0")[0][0]
        if waiting:
            wrong.append(f"{waiting} alerts wait in the outbox")
        lost = {i.upper() for i in self.past | set(self.promises)} - {r[0] for r in self.database("router/journal", "SELECT hex(id) FROM alerts")}
        wrong += [f"{identity.lower()} was promised, and the journal does not have it" for identity in lost]
        return wrong

    def settled(self):
        """What was looked at and found good is not looked at again."""
        self.settled_count += len(self.promises)
        self.past |= set(self.promises)
        self.promises = {}
        self.watch.seen = []

    def wrongs(self):
        """All of them, with the programs running and then stopped."""
        wrong = self.played_twice() + self.sounded_everywhere() + self.doubt_is_said() + self.chains() + self.balance()
        self.stop_all()
        wrong += self.held_is_in_the_sinks()
        wrong += [f"{name} ended by itself with {code}: {tail}" for name, code, tail in self.strange]
        return wrong
