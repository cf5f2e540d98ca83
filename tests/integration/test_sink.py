"""The sink engine as a process: a real one (nullsink) and a scripted router over CURVE.

What people would have heard is counted in the null device's own log, not in what the sink says of it.
"""
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ.get("KENG_BIN_DIR", pathlib.Path(__file__).resolve().parents[2] / "build-dev/bin"))
OFFER, SCHEDULE, NEXT, CRAWL, INTERRUPT = range(5)
FINAL = {"done", "partial", "refused", "failed", "uncertain", "expired", "cancelled"}


class Router:
    """routerpeer: commands go in, events come out."""

    def __init__(self, folder):
        self.events = []
        self.unasked = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [BIN / "routerpeer", folder, f"ipc://{folder}/u.sock", f"ipc://{folder}/o.sock"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()
        _, self.root, self.key, self.sink_key = self.wait("ready")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def say(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()

    def next_event(self, left):
        """The next event as words, or None; it is also remembered in events."""
        try:
            line = self.lines.get(timeout=max(left, 0.001))
        except queue.Empty:
            return None
        if line is None:
            raise AssertionError("the scripted router ended")
        words = line.split(" ")
        self.events.append(words)
        return words

    def wait(self, *start, seconds=15):
        """The first event not yet asked for that begins with these words, heard already or to come."""
        end = time.monotonic() + seconds
        for i, words in enumerate(self.unasked):
            if tuple(words[: len(start)]) == start:
                return self.unasked.pop(i)
        while time.monotonic() < end:
            words = self.next_event(end - time.monotonic())
            if words is not None and tuple(words[: len(start)]) == start:
                return words
            if words is not None:
                self.unasked.append(words)
        raise AssertionError(f"no '{' '.join(start)}' within {seconds} s; heard {self.events[-20:]}")

    def outcome(self, station, alert, playing=0, seconds=15):
        """Waits for the final receipt of a playing; its state, whether labelled, its code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            words = self.wait("receipt", station, alert, str(playing), seconds=end - time.monotonic())
            if words[4] in FINAL:
                return words[4], words[5] == "1", words[6]
        raise AssertionError(f"{station} {alert}#{playing} has no end")

    def ask(self, endpoint, *words):
        self.say("ask", endpoint, *words)
        rows = []
        while True:
            words = self.next_event(10)
            if words is None:
                raise AssertionError("the control door does not answer")
            if words[0] == "row":
                rows.append(" ".join(words[1:]).split("|"))
            elif words[0] == "answer":
                return words[1], " ".join(words[2:]), rows
            else:
                self.unasked.append(words)

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


class Scene(unittest.TestCase):
    devices = {"horn": ("null", "delay_ms: 1\n"), "sms": ("null-parallel", "delay_ms: 1\n")}
    stations = {"h1": "horn", "h2": "horn", "s1": "sms"}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keng-sink-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.router = Router(self.folder)
        self.addCleanup(self.router.stop)
        self.sink = None
        self.log = open(self.folder / "sink.err", "ab")
        self.addCleanup(self.log.close)
        self.addCleanup(self.stop_sink)
        self.write_config()

    def write_config(self):
        drivers, stations = [], []
        for name, (kind, config) in self.devices.items():
            (self.folder / f"{name}.yaml").write_text(f"log: {name}.log\n" + config)
            drivers.append(f"- {{name: {name}, kind: {kind}, config: {name}.yaml}}")
        for station, driver in self.stations.items():
            stations.append(f"- {{id: {station}, name: {station}, medium: loudspeaker, driver: {driver}, languages: [vi]}}")
        (self.folder / "sink.yaml").write_text("\n".join([
            "name: test", "key: sink.key", f"root: {self.router.root}", "manifest: manifest",
            "communes: [communes.tsv]", "state: state", "control: ipc://c.sock", "routers:",
            f"- {{name: vl, urgent: 'ipc://u.sock', other: 'ipc://o.sock', key: {self.router.key}}}",
            "drivers:", *drivers, "stations:", *stations, "hours: {quiet: '00:00-00:00'}", ""]))

    @property
    def control(self):
        return f"ipc://{self.folder}/c.sock"

    def start_sink(self, fault=None, greet=True):
        env = dict(os.environ)
        env.pop("KENG_FAULT", None)
        if fault:
            env["KENG_FAULT"] = fault
        self.sink = subprocess.Popen([BIN / "nullsink", "--config", self.folder / "sink.yaml"], env=env,
                                     stderr=self.log)
        if greet:
            self.router.wait("hello", "urgent")
            self.router.wait("hello", "other")

    def stop_sink(self, sign=signal.SIGTERM):
        if self.sink is None:
            return None
        if self.sink.poll() is None:
            self.sink.send_signal(sign)
        code = self.sink.wait(10)
        self.sink = None
        return code

    def played(self, driver="horn"):
        """The device's own log as (what, station, playing, labelled)."""
        file = self.folder / "state" / f"{driver}.log"
        if not file.exists():
            return []
        return [(w[1], w[2], int(w[4]), len(w) > 5) for w in (line.split() for line in file.read_text().splitlines())]

    def times(self, driver="horn"):
        file = self.folder / "state" / f"{driver}.log"
        return [(int(w[0]), w[1], w[2], w[3]) for w in (line.split() for line in file.read_text().splitlines())]

    def errors(self):
        self.log.flush()
        return (self.folder / "sink.err").read_text()


class Flow(Scene):
    def test_order_is_held_played_reported_and_repeated_orders_answered(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT)
        self.router.wait("receipt", "h1", "A", "0", "held")
        self.router.wait("receipt", "h1", "A", "0", "started")
        self.assertEqual(self.router.outcome("h1", "A"), ("done", False, "-"))
        self.router.say("order", "A", "h1", INTERRUPT)
        self.router.wait("receipt", "h1", "A", "0", "held")
        self.assertEqual(self.router.outcome("h1", "A"), ("done", False, "-"))
        self.assertEqual(self.stop_sink(), 0)
        self.start_sink()
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A"), ("done", False, "-"))
        self.assertEqual([p[0] for p in self.played()], ["start", "end"])

    def test_large_alert_in_pieces(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600, "pad", 200000)
        self.router.say("order", "A", "h1", INTERRUPT)
        self.router.say("order", "A", "s1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A")[0], "done")

    def test_refusals_have_codes_and_audit_lines(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "nowhere", INTERRUPT)
        self.assertEqual(self.router.outcome("nowhere", "A"), ("refused", False, "unknown-station"))
        self.router.say("alert", "B", 2, -5)
        self.router.say("order", "B", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "B"), ("expired", False, "expired"))
        self.assertEqual(self.played(), [])

    def test_cancel_before_its_alert(self):
        self.start_sink()
        self.router.say("alert", "C", 2, 3600, "cancel", "A")
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "C", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "C")[0], "done")
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A"), ("cancelled", False, "cancelled"))
        self.router.say("recall", "A", "h2", 2)
        self.router.wait("receipt", "h2", "A", "0", "cancelled")
        self.router.say("order", "A", "h2", INTERRUPT)
        self.assertEqual(self.router.outcome("h2", "A")[0], "cancelled")
        self.assertEqual(len([p for p in self.played() if p[0] == "start"]), 1)

    def test_repeats_go_on_while_the_router_is_away(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT, 1)
        self.assertEqual(self.router.outcome("h1", "A")[0], "done")
        self.router.say("away")
        before = len(self.played())
        time.sleep(3.2)
        during = [p for p in self.played()[before:] if p[0] == "start"]
        self.assertGreaterEqual(len(during), 2, "repeats stopped with the router")
        self.assertLessEqual(len(during), 4, "repeats in a burst")
        self.router.say("back")
        last = max(p[2] for p in during)
        for playing in range(1, last + 1):
            self.assertEqual(self.router.outcome("h1", "A", playing)[0], "done")

    def test_after_a_pause_one_missed_repeat_and_no_burst(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT, 2)
        self.assertEqual(self.router.outcome("h1", "A")[0], "done")
        self.stop_sink(signal.SIGKILL)
        time.sleep(5)
        before = len(self.times())
        self.start_sink()
        time.sleep(2.5)
        starts = [t[0] for t in self.times()[before:] if t[1] == "start"]
        gaps = [b - a for a, b in zip(starts[1:], starts[2:])]
        self.assertGreaterEqual(len(starts), 2, "the missed one, then the regular ones")
        self.assertTrue(all(1900 < gap < 2300 for gap in gaps), f"a burst: {starts}")


class Slow(Scene):
    devices = {"horn": ("null", "delay_ms: 60000\n"), "sms": ("null-parallel", "delay_ms: 60000\n")}

    def test_recall_stops_within_a_second(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT, 1)
        self.router.wait("receipt", "h1", "A", "0", "started")
        asked = time.time()
        self.router.say("recall", "A", "h1", 2)
        self.assertEqual(self.router.outcome("h1", "A")[0], "partial")
        stop = [t for t in self.times() if t[1] == "stop"][0]
        self.assertLess(stop[0] / 1000 - asked, 1.0)
        time.sleep(1.5)
        self.assertEqual(len([p for p in self.played() if p[0] == "start"]), 1, "a repeat after the recall")

    def test_urgent_interrupts_routine_within_a_second(self):
        self.start_sink()
        self.router.say("alert", "R", 0, 3600)
        self.router.say("order", "R", "h1", NEXT)
        self.router.wait("receipt", "h1", "R", "0", "started")
        asked = time.time()
        self.router.say("alert", "U", 2, 3600)
        self.router.say("order", "U", "h1", INTERRUPT)
        self.router.wait("receipt", "h1", "U", "0", "started")
        starts = [t for t in self.times() if t[1] == "start"]
        self.assertEqual(len(starts), 2)
        self.assertLess(starts[1][0] / 1000 - asked, 1.0)
        self.router.say("recall", "U", "h1", 2)
        self.router.wait("receipt", "h1", "R", "0", "started", "1")
        self.assertEqual(self.played()[-1], ("start", "h1", 0, True), "what was cut comes back, labelled")

    def test_clerk_sees_and_steers(self):
        self.start_sink()
        self.router.say("alert", "R", 0, 3600)
        self.router.say("alert", "P", 1, 3600)
        self.router.say("alert", "U", 2, 3600)
        error, sentence, _ = self.router.ask(self.control, "mute", "h1", "maintenance")
        self.assertEqual(error, "ok", sentence)
        self.router.say("order", "R", "h1", OFFER)
        self.router.say("order", "P", "h1", NEXT)
        self.router.wait("receipt", "h1", "R", "0", "held")
        _, _, rows = self.router.ask(self.control, "show", "h1")
        ids = {row[9]: row[0] for row in rows}
        self.assertEqual({row[3] for row in rows}, {"offered", "waiting"})
        self.stop_sink(signal.SIGKILL)
        self.start_sink()
        _, _, rows = self.router.ask(self.control, "list")
        self.assertEqual([row[7] for row in rows if row[0] == "h1"], ["maintenance"], "a mute survives a crash")
        self.router.say("order", "U", "h1", INTERRUPT)
        self.router.wait("receipt", "h1", "U", "0", "started")
        error, sentence, _ = self.router.ask(self.control, "stop", "h1", ids_of(self.router, self.control, "U"), "wrong")
        self.assertEqual(error, "ok", sentence)
        self.assertEqual(self.router.outcome("h1", "U")[0], "partial")
        self.assertEqual(self.router.ask(self.control, "mute", "h1")[0], "invalid")
        self.assertEqual(self.router.ask(self.control, "unmute", "h1")[0], "ok")
        self.router.wait("receipt", "h1", "P", "0", "started")
        self.assertEqual(self.router.ask(self.control, "accept", "h1", ids["R"])[0], "ok")
        self.assertEqual(self.router.ask(self.control, "confirm", "h1", ids["P"], "heard")[0], "ok")
        self.assertEqual(self.router.outcome("h1", "P")[0], "done")
        self.router.wait("receipt", "h1", "R", "0", "started")
        self.assertEqual(self.router.ask(self.control, "self-test", "h1")[0], "ok")
        _, _, rows = self.router.ask(self.control, "list")
        self.assertEqual([row[8] for row in rows if row[0] == "h1"], ["on"])
        self.assertEqual(self.router.ask(self.control, "show", "nowhere")[0], "notfound")


def ids_of(router, control, name):
    """The id of the alert with this headline at h1."""
    return next(row[0] for row in router.ask(control, "show", "h1")[2] if row[9] == name)


class Later(Scene):
    devices = {"horn": ("null", "outcome: later\nfirst: 2\n"), "sms": ("null-parallel", "outcome: later\n")}

    def test_tried_again_until_it_works(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A"), ("done", False, "-"))
        self.assertEqual([p[0] for p in self.played()], ["start", "broken", "start", "broken", "start", "end"])

    def test_failed_at_the_end_with_the_last_reason(self):
        self.start_sink()
        self.router.say("alert", "A", 2, 4)
        self.router.say("order", "A", "s1", INTERRUPT)
        self.assertEqual(self.router.outcome("s1", "A"), ("failed", False, "null-later"))


class BadDisk(Scene):
    def test_a_full_disk_holds_back_and_recovers(self):
        self.start_sink(fault="db.commit_full:2:fail")
        self.router.say("alert", "A", 2, 3600)
        self.router.say("alert", "R", 1, 3600)
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A")[0], "done")
        self.router.say("order", "R", "h1", NEXT)
        self.assertEqual(self.router.outcome("h1", "R")[0], "done")
        self.assertIn("ledger.full", self.errors())
        self.assertEqual(len([p for p in self.played() if p[0] == "start"]), 2)
        self.assertEqual(self.stop_sink(), 0)

    def test_after_a_failed_write_nothing_more_is_said_or_played(self):
        self.start_sink(fault="db.commit_io:1:fail")
        self.router.say("alert", "A", 2, 3600)
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertNotEqual(self.sink.wait(10), 0)
        self.assertEqual(self.played(), [])
        self.start_sink()
        self.assertEqual([e for e in self.router.events if e[0] == "receipt"], [])
        self.router.say("order", "A", "h1", INTERRUPT)
        self.assertEqual(self.router.outcome("h1", "A"), ("done", False, "-"))


class Crash(Scene):
    """Killed at every fault point, several times over; then everything ends, and nothing is heard twice unlabelled."""

    points = ["sink.before_commit", "sink.after_commit", "ledger.before_commit", "ledger.after_commit",
              "sink.before_start", "sink.after_start", "sink.before_outcome", "sink.before_receipts",
              "sink.after_receipts", "sink.before_stop", "sink.finish"]

    runs = 0

    def scene(self, fault):
        self.start_sink(fault=fault, greet=False)
        Crash.runs += 1
        run = f"{Crash.runs}-"  # what is still said of an earlier run is about other alerts
        names = [(run + "A", 2, "h1", INTERRUPT), (run + "B", 1, "h1", NEXT), (run + "C", 2, "s1", INTERRUPT),
                 (run + "D", 0, "h2", NEXT), (run + "E", 2, "h2", INTERRUPT)]
        for name, grade, _, _ in names:
            self.router.say("alert", name, grade, 3600)
        open_ones = {(station, name): grade for name, grade, station, _ in names}
        modes = {name: mode for name, _, _, mode in names}
        outcomes = {}
        ordered_at = 0.0
        end = time.monotonic() + 40
        killed = False
        while open_ones and time.monotonic() < end:
            if self.sink.poll() is not None:
                self.assertEqual(self.sink.returncode, -signal.SIGKILL, self.errors()[-2000:])
                killed = True
                self.start_sink(greet=False)
                ordered_at = 0.0
            words = self.router.next_event(0.1)
            if words and words[0] == "receipt" and words[4] in FINAL and (words[1], words[2]) in open_ones:
                outcomes[(words[1], words[2])] = (words[4], words[5] == "1")
                del open_ones[(words[1], words[2])]
            if time.monotonic() - ordered_at > 1.0:  # a router offers again what it has not heard to be held
                ordered_at = time.monotonic()
                for station, name in open_ones:
                    self.router.say("order", name, station, modes[name])
        self.assertEqual(open_ones, {}, f"{fault}: no end; {self.errors()[-3000:]}")
        self.stop_sink()
        return killed, outcomes

    def check(self, fault, can_ask):
        killed, outcomes = self.scene(fault)
        for driver in ("horn", "sms"):
            unlabelled = {}
            for t in (self.folder / "state" / f"{driver}.log").read_text().splitlines():
                words = t.split()
                if words[1] == "start" and len(words) == 5:
                    key = tuple(words[2:5])
                    unlabelled[key] = unlabelled.get(key, 0) + 1
            self.assertFalse({k: n for k, n in unlabelled.items() if n > 1}, f"{fault}: heard twice, unlabelled")
        for key, (state, _) in outcomes.items():
            self.assertIn(state, {"done", "uncertain", "partial"}, f"{fault}: {key}")
            if state == "uncertain":
                self.assertIn(key[1][-1], "BD" if not can_ask else "", f"{fault}: an urgent one was given up")
        return killed

    def campaign(self, extra):
        reached = 0
        for point in self.points:
            for nth in (1, 2, 3):
                with self.subTest(point=point, nth=nth):
                    shutil.rmtree(self.folder / "state", ignore_errors=True)
                    self.devices = {"horn": ("null", "delay_ms: 20\n" + extra),
                                    "sms": ("null-parallel", "delay_ms: 20\n" + extra)}
                    self.write_config()
                    reached += self.check(f"{point}:{nth}", extra != "")
        return reached

    def test_devices_that_cannot_be_asked(self):
        self.assertGreaterEqual(self.campaign(""), 25, "fault points were not reached")

    def test_devices_that_can(self):
        self.assertGreaterEqual(self.campaign("can_ask: true\n"), 25, "fault points were not reached")


if __name__ == "__main__":
    unittest.main()
