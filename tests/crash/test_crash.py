"""Killed (-9) at every named fault point, and at random times: no accepted alert is lost, nothing is played twice without
a label, every target ends in one state, and what is not known is said.

KENG_CRASH_CYCLES   kills at random times (200)
KENG_CRASH_SEED     their seed, as printed by an earlier run
KENG_CRASH_ONLY     only fault points whose "program name" holds this
"""
import concurrent.futures
import os
import pathlib
import random
import re
import signal
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
from campaign import DEVICE, FILE, PROGRAMS, CrashSystem  # noqa: E402
from gateways import AirDay, AirSystem, Neighbours, PhoneDay, PhoneSystem  # noqa: E402
from scenario import Day, targets  # noqa: E402
from system import SOURCE, wait_until, when  # noqa: E402

LANES = 2
CYCLES = int(os.environ.get("KENG_CRASH_CYCLES", "200"))
SEED = int(os.environ.get("KENG_CRASH_SEED", str(time.time_ns() % 1000000)))
ONLY = os.environ.get("KENG_CRASH_ONLY", "")
# A program that has started a playing and dies: what it finds then.
MIDWAY = {"KENG_FAULT": "sink.after_start:2"}
SINK_PROGRAMS = ("sms", "broadcast", "loudspeaker", "device")


def say(text):
    print(text, file=sys.stderr, flush=True)


def points_in_the_source(macro="KG_FAULT"):
    """The names in common/ and services/."""
    found = set()
    for folder in ("common", "services"):
        for path in (SOURCE / folder).rglob("*.c"):
            found |= set(re.findall(rf'{macro}\("([^"]+)"\)', path.read_text()))
    return found


KILLING = points_in_the_source()
FAILING = points_in_the_source("KG_FAULT_FAILS")  # a call that fails there, instead of an end


def reached(system, name):
    """{point: times}, to a factor of two."""
    path = system.dir / f"{name}.points"
    times = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        point, count = line.split(" ")
        times[point] = max(times.get(point, 0), int(count))
    return times


def collect(make, day):
    """One day without and one with kills in mid-playing: {(program, point): times}."""
    found = {}
    for lives in ({}, {name: [MIDWAY] for name in SINK_PROGRAMS}):
        with make() as s:
            for name in PROGRAMS:
                noting = {"KENG_FAULT_LIST": str(s.dir / f"{name}.points")}
                s.always[name] = noting
            s.lives = {name: [dict(life) for life in list_of] for name, list_of in lives.items()}
            s.up()
            day(s, patient=not lives)
            for name in PROGRAMS:
                for point, count in reached(s, name).items():
                    found[(name, point)] = max(count, found.get((name, point), 0))
            wrong = s.wrongs()
            if wrong:
                raise AssertionError("without any fault:\n  " + "\n  ".join(wrong))
    return found


def lives_for(point, times, choice):
    """Environments of the program's first starts, so that it dies at the point."""
    if point == "sink.recover":
        return [MIDWAY, {"KENG_FAULT": "sink.recover:1"}]
    # half of what was counted: commits are grouped, and no two days group alike
    return [{"KENG_FAULT": f"{point}:{choice.randint(1, max(1, times // 2))}"}]


class FaultPoints(unittest.TestCase):
    """Every (program, point): one day on which the program dies there."""

    maxDiff = None
    met = set()  # (program, point), over the tests of this class

    @classmethod
    def setUpClass(cls):
        cls.neighbours = Neighbours()
        cls.addClassCleanup(cls.neighbours.close)

    def one_day(self, make, day, name, point, times):
        choice = random.Random(f"{SEED} {name} {point}")
        with make() as s:
            s.lives = {name: lives_for(point, times, choice)}
            what = f"{name} {s.lives[name][-1]['KENG_FAULT']}"
            deaths = len(s.lives[name])
            if point in FAILING and point not in KILLING:
                s.lives[name][0]["KENG_FAULT"] += ":fail"
                deaths = 0
                s.may_stop = {name}  # a file that cannot be synced any more is a reason to
            s.up()
            try:
                day(s, patient=name == "publisher" and point.startswith("db."))
                wrong = s.wrongs()
            except AssertionError as problem:
                wrong = [str(problem)] + [f"{n} ended by itself with {c}: {t}" for n, c, t in s.strange]
            died = sum(1 for who, code in s.deaths if who == name and code == -signal.SIGKILL)
            if died < deaths:
                wrong.append(f"it died {died} times instead of {deaths}")
            if wrong:
                s.keep_evidence()
                wrong.append(f"state and logs: {s.dir}")
            return [f"{what}: {sentence}" for sentence in wrong]

    def every_point(self, make, day, already=(), lanes=LANES):
        points = {key: times for key, times in collect(make, day).items() if key not in already}
        if ONLY:
            points = {key: times for key, times in points.items() if ONLY in " ".join(key)}
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            runs = [pool.submit(self.one_day, make, day, *key, times) for key, times in sorted(points.items())]
            wrong = [sentence for run in runs for sentence in run.result()]
        say(f"{len(points)} fault points: " + ", ".join(f"{n} {p}" for n, p in sorted(points)))
        type(self).met |= set(points)
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_1_every_point_of_the_plain_system(self):
        self.every_point(CrashSystem, lambda s, patient: Day(s).run(patient))

    def test_2_every_point_of_the_telephones(self):
        self.every_point(lambda: PhoneSystem(self.neighbours), lambda s, patient: PhoneDay(s).run(),
                         already=self.met)

    def test_3_every_point_of_the_playout_and_the_network_speakers(self):
        # one lane: there is one radio, and it plays one thing at a time
        self.every_point(lambda: AirSystem(self.neighbours), lambda s, patient: AirDay(s).run(),
                         already=self.met, lanes=1)

    def test_4_no_point_is_never_reached(self):
        if not ONLY:
            never = points_in_the_source() - {point for _, point in self.met}
            self.assertEqual(never, set(), "fault points that no program reaches")


class RandomKills(unittest.TestCase):
    """A program chosen at random is killed at a random moment, again and again, while alerts go out."""

    EVERY = 10  # kills between two looks at everything

    def publish_until(self, day, choice, ended, trouble):
        number = 0
        try:
            while not ended.is_set():
                number += 1
                communes = choice.sample(["29050", "29062"], choice.randint(1, 2))
                kind = choice.choice(["urgent", "urgent", "priority", "routine"])
                if kind == "routine":
                    # nobody accepts it: it ends where it waits, when its time is over
                    day.publish(f"r{number}", *communes, stations=targets(*communes, phones=False),
                                expires=when(seconds=8), **{"class": "routine"})
                else:
                    day.publish(f"{kind[0]}{number}", *communes, **{"class": kind})
                time.sleep(choice.uniform(0, 0.4))
        except BaseException as problem:  # reported by the lane
            trouble.append(problem)

    def lane(self, number, cycles):
        choice, publishing = random.Random(f"{SEED} {number}"), random.Random(f"{SEED} {number} p")
        with CrashSystem() as s:
            day = Day(s)
            s.rest = lambda: choice.uniform(0, 0.15)
            s.up()
            done = 0
            while done < cycles:
                ended, trouble = threading.Event(), []
                writer = threading.Thread(target=self.publish_until, args=(day, publishing, ended, trouble), daemon=True)
                writer.start()
                for _ in range(min(self.EVERY, cycles - done)):
                    time.sleep(choice.uniform(0, 0.5))
                    s.slay(choice.choice(PROGRAMS))
                    done += 1
                ended.set()
                writer.join(90)
                if trouble or writer.is_alive():
                    s.keep_evidence()
                    return [f"lane {number}: publishing: {trouble or 'does not end'}; state and logs: {s.dir}"]
                try:
                    s.quiet(45)
                    wrong = s.played_twice() + s.sounded_everywhere() + s.doubt_is_said()
                except AssertionError as problem:
                    wrong = [str(problem)]
                if wrong:
                    s.keep_evidence()
                    return [f"lane {number}, {done} kills: {w}" for w in wrong] + [f"state and logs: {s.dir}"]
                if done < cycles:
                    s.settled()
            count = len(s.promises) + s.settled_count
            wrong = s.wrongs()
            say(f"lane {number}: {done} kills, {count} alerts, {len([r for r in s.device_log() if r[4]])} labelled at the device")
            if wrong:
                s.keep_evidence()
                wrong.append(f"state and logs: {s.dir}")
            return [f"lane {number}: {w}" for w in wrong]

    def test_random_kills(self):
        say(f"KENG_CRASH_SEED={SEED} KENG_CRASH_CYCLES={CYCLES}")
        share = [CYCLES // LANES + (i < CYCLES % LANES) for i in range(LANES)]
        with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
            wrong = [w for run in [lanes.submit(self.lane, i, n) for i, n in enumerate(share)] for w in run.result()]
        self.assertEqual(wrong, [], f"seed {SEED}:\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
