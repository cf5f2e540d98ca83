"""A whole small Keng in a temporary folder: provisioned as deploy/provision does it, its processes started and killed at will.

Not a test file: test_*.py use it. Every wait is bounded; every child is stopped by pid.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import datetime

SOURCE = pathlib.Path(os.environ.get("KENG_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("KENG_BIN_DIR", SOURCE / "build-dev/bin"))
VIETNAM = datetime.timezone(datetime.timedelta(hours=7))
SINKS = ("sms", "broadcast", "loudspeaker")


def when(**delta):
    """A CAP time, now plus delta, in Vietnamese time."""
    return (datetime.datetime.now(VIETNAM) + datetime.timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%S+07:00")


def wait_until(condition, seconds=20, every=0.05, what="it"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def short_form(**fields):
    """The YAML short form of a plausible warning; fields replace or, with None, remove lines."""
    form = {
        "id": f"t-{time.time_ns()}",
        "sent": when(),
        "status": "Actual",
        "class": "urgent",
        "sector": "water",
        "event": "Xâm nhập mặn",
        "headline": "Mặn 4 g/l xâm nhập sâu 55 km",
        "description": "Lúc 15h00 độ mặn 4 g/l, vào sâu 55 km. Dự báo 3 ngày tới mặn tiếp tục tăng.",
        "instruction": "Đóng cống, trữ nước ngọt. Cần giúp đỡ gọi 112.",
        "category": "[Env]",
        "response": "[Prepare]",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "onset": when(),
        "expires": when(hours=6),
        "risk_level": 3,
        "areas": '["29050"]',
    }
    form.update(fields)
    plain = ("category", "response", "areas", "worst_hit", "risk_level", "translations", "audio", "first_warning")
    lines = []
    for key, value in form.items():
        if value is None:
            continue
        lines.append(f"{key}: {value}" if key in plain else f'{key}: "{value}"')
    return "\n".join(lines) + "\n"


class System:
    def __init__(self, province="vinh-long", **options):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-test-"))
        self.home = self.dir / "home"
        self.processes = {}
        self.programs = {}  # name: command, for what is not keng-NAME
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        command = [SOURCE / "deploy/provision", "--province", province, "--bin", BIN]
        for name, value in options.items():
            command += [f"--{name}", value]
        done = subprocess.run(command + [self.home], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"provision: {done.stderr}")

    def sign_manifest(self):
        """Of keys.yaml as it now stands, as the root's holder does it."""
        done = self.run("keng", "key", "manifest", "--config", self.home / "keng.yaml", "--root", self.home / "keys/root",
                        "--out", self.home / "keys.manifest", self.home / "keys.yaml")
        if done.returncode != 0:
            raise AssertionError(f"manifest: {done.stderr}")

    # -- processes --

    def start(self, *names, **environment):
        for name in names:
            program = self.programs.get(name) or [BIN / f"keng-{name}"] + (["run"] if name == "publisher" else [])
            with open(self.dir / f"{name}.log", "ab") as log:
                self.processes[name] = subprocess.Popen(
                    program + ["--config", self.home / f"{name}.yaml"], stdout=log, stderr=log,
                    env={**self.environment, **environment}, stdin=subprocess.DEVNULL)
        return self

    def start_all(self):
        self.start("router", *SINKS)
        self.wait_connected()
        return self

    def kill(self, name, sig=signal.SIGKILL):
        process = self.processes.pop(name, None)
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(sig)
        return process.wait(timeout=20)

    def alive(self, name):
        return name in self.processes and self.processes[name].poll() is None

    def log(self, name):
        path = self.dir / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self, keep=False):
        for name in list(self.processes):
            try:
                self.kill(name, signal.SIGTERM)
            except subprocess.TimeoutExpired:
                self.kill(name)
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            for name in sorted(path.stem for path in self.dir.glob("*.log")):
                tail = self.log(name).splitlines()[-12:]
                if tail:
                    print(f"--- {name}", *tail, sep="\n")
        self.close()

    # -- commands --

    def run(self, program, *arguments, timeout=60, stdin=None):
        return subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              env=self.environment, input=stdin, check=False)

    def keng(self, *words, timeout=30):
        """keng WORDS... --config ..., e.g. keng("held", "release", id, "why")."""
        return self.run("keng", *words, "--config", self.home / "keng.yaml", timeout=timeout)

    def publisher(self, *words, timeout=90, stdin=None):
        return self.run("keng-publisher", *words, "--config", self.home / "publisher.yaml", timeout=timeout, stdin=stdin)

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def send(self, text, *options, name=None, timeout=90):
        path = self.write(name or f"doc-{time.time_ns()}", text)
        return self.publisher("send", *options, path, timeout=timeout)

    # -- looking --

    def status(self):
        done = self.keng("status")
        pairs = (line.split("\t") for line in done.stdout.splitlines())
        return {p[0]: p[1] for p in pairs if len(p) == 2}

    def stations(self, sink):
        """The ids that the sink's file gives it."""
        path = self.home / f"{sink}.yaml"
        return re.findall(r'^  - \{id: "([^"]+)"', path.read_text(), re.M) if path.exists() else []

    def wait_connected(self, seconds=30):
        wanted = sum(len(self.stations(name)) for name in self.processes)
        wait_until(lambda: int(self.status().get("stations-connected", -1)) >= wanted, seconds,
                   what=f"{wanted} stations connecting")

    def province(self):
        return re.search(r"^name: (.*)$", (self.home / "router.yaml").read_text(), re.M).group(1)

    def ledger(self, alert):
        """{station: row}, the router's record of every target of the alert."""
        done = self.keng("ledger", alert)
        lines = done.stdout.splitlines()
        if done.returncode != 0 or not lines:
            return {}
        columns = lines[0].split("\t")
        rows = {}
        for line in lines[1:]:
            cells = line.split("\t")
            if len(cells) == len(columns):
                row = dict(zip(columns, cells))
                if cells[0] in rows:
                    raise AssertionError(f"{cells[0]} stands twice in the ledger of {alert}")
                rows[cells[0]] = row
        return rows


def alert_id(output):
    m = re.search(r"\b[0-9a-f]{32}\b", output)
    return m.group(0) if m else None
