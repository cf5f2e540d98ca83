"""A made-up province with as many loudspeaker stations as a bench wants, and the router that serves it.

deploy/provision lays out the real provinces; this one makes a larger one, with a key for every publisher and every process
that holds stations.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PUBLISHERS, HOLDERS = 8, 4
PROVINCE = "99"

POLICY = """province: "99"
name: Tỉnh thử nghiệm
stations: stations.tsv
sectors:
  - {id: water, name: Nguồn nước, lead: agency, basis: "bench"}
agencies:
  - {id: agency, name: Cơ quan thử nghiệm, areas: ["99"], sectors: ["*"], class_max: urgent, first_warning: true, basis: "bench"}
classes:
  - {class: routine, default_ttl_minutes: 1440, basis: "bench"}
  - {class: priority, default_ttl_minutes: 720, basis: "bench"}
  - {class: urgent, default_ttl_minutes: 360, basis: "bench"}
media:
  - {medium: loudspeaker, class: routine, mode: offer, basis: "bench"}
  - {medium: loudspeaker, class: priority, mode: next, basis: "bench"}
  - {medium: loudspeaker, class: urgent, mode: interrupt, basis: "bench"}
news: {hours: [], basis: "bench"}
repeats:
  - {id: urgent, media: [loudspeaker], classes: [urgent], every_minutes: 120, basis: "bench"}
languages: []
drills: []
signatures: {enforced: false, first_warning: 1, basis: "bench", rules: [{id: extreme, severity_min: extreme, needed: 2, basis: "bench"}]}
"""


def free_block(count=10):
    """The first of count free loopback ports, below the ephemeral range."""
    for first in range(21000 + os.getpid() % 700 * 10, 32000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise SystemExit("bench: no free block of loopback ports")


class World:
    """Keys, manifest, policy and configuration in a folder of their own; the router started and stopped at will."""

    def __init__(self, binaries, stations, data):
        self.bin = pathlib.Path(binaries)
        self.stations = stations
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-bench-", dir=data))
        self.port = free_block()
        self.router = None
        self.sinks = []
        (self.dir / "keys").mkdir(mode=0o700)
        (self.dir / "state").mkdir()
        self.public = {}
        for name in ("root", "agency", "router-sign"):
            self.new_key(name, "actual")
        self.publishers = [f"publisher-{i}" for i in range(PUBLISHERS)]
        self.holders = [f"holder-{i}" for i in range(HOLDERS)]
        for name in ["router", "operator"] + self.publishers + self.holders:
            self.new_key(name, "connect")
        self.write_province()
        self.write_operator()
        self.write_manifest()
        self.write_router()
        (self.dir / "world").write_text(f"{self.port} {stations} {self.public['router']} {self.public['root']}\n")

    # -- layout --

    def keng(self, *words, config=True):
        command = [self.bin / "keng", *words] + (["--config", self.dir / "keng.yaml"] if config else [])
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SystemExit(f"keng {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def new_key(self, name, use):
        self.public[name] = self.keng("key", "new", "--use", use, self.dir / "keys" / name, config=False).strip()

    def write_province(self):
        codes = [f"{i:05d}" for i in range(1, self.stations + 1)]
        communes = ["code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor"]
        communes += [f"{c}\tXã {c}\txã\t{PROVINCE}\t2025-07-01\t\t" for c in codes]
        stations = ["id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience"]
        stations += [f"{PROVINCE}.{c}.loa\tLoa xã {c}\tloudspeaker\t{c}\tip\tvi\t\t" for c in codes]
        (self.dir / "communes.tsv").write_text("\n".join(communes) + "\n")
        (self.dir / "stations.tsv").write_text("\n".join(stations) + "\n")
        (self.dir / "policy.yaml").write_text(POLICY)

    def write_operator(self):
        (self.dir / "keng.yaml").write_text(
            f"who: bench\nkey: keys/operator\npolicy: policy.yaml\ncommunes: [communes.tsv]\nagency: agency\n"
            f"sender: agency.bench.example\nprocesses:\n  - {{name: router, control: \"tcp://127.0.0.1:{self.port + 3}\", "
            f"status: \"tcp://127.0.0.1:{self.port + 4}\", key: {self.public['router']}}}\n")

    def write_manifest(self):
        year = time.gmtime().tm_year
        lines = [f'version: 1\nfrom: "{year}-01-01T00:00:00+07:00"\nuntil: "{year + 2}-01-01T00:00:00+07:00"\nkeys:']

        def entry(use, name, **more):
            rest = "".join(f", {k}: {v}" for k, v in more.items())
            lines.append(f"  - {{use: {use}, key: {self.public[name]}, holder: {name}{rest}}}")

        entry("actual", "agency", agency="agency")
        entry("actual", "router-sign", role="router")
        entry("connect", "router", role="router")
        entry("connect", "operator", role="operator")
        for name in self.publishers:
            entry("connect", name, role="publisher")
        for name in self.holders:
            entry("connect", name, role="sink", stations='["*"]')
        (self.dir / "keys.yaml").write_text("\n".join(lines) + "\n")
        self.keng("key", "manifest", "--root", self.dir / "keys/root", "--out", self.dir / "keys.manifest", self.dir / "keys.yaml")

    def write_router(self):
        """The rate limit is far above what is measured: it protects a router from one publisher, not from all."""
        listen = "".join(f"  {name}: tcp://127.0.0.1:{self.port + i}\n"
                         for i, name in enumerate(("intake", "urgent", "other", "control", "status")))
        (self.dir / "router.yaml").write_text(
            f"name: bench\nkey: keys/router\nsign_key: keys/router-sign\nroot: {self.public['root']}\nmanifest: keys.manifest\n"
            f"policy: policy.yaml\ncommunes: [communes.tsv]\nstate: state/router\nlisten:\n{listen}"
            f"rate: {{per_minute: 100000000, burst: 10000000}}\n")

    # -- the router --

    @property
    def journal(self):
        return self.dir / "state/router/journal.db"

    def start(self):
        """When it was started, on the clock of bench_now; it listens when this returns."""
        began = self.launch()
        end = time.monotonic() + 300
        while time.monotonic() < end:
            if self.router.poll() is not None:
                raise SystemExit("bench: the router ended:\n" + (self.dir / "router.log").read_text()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return began
            except OSError:
                time.sleep(0.02)
        raise SystemExit("bench: the router does not listen")

    def launch(self):
        with open(self.dir / "router.log", "ab") as log:
            began = time.monotonic()
            self.router = subprocess.Popen([self.bin / "keng-router", "--config", self.dir / "router.yaml"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return began

    def start_sinks(self):
        """The sink engine as it is shipped, with devices that are done at once: a quarter of the stations each."""
        for i, name in enumerate(self.holders):
            share = range(1 + self.stations * i // HOLDERS, 1 + self.stations * (i + 1) // HOLDERS)
            stations = "".join(f"  - {{id: {PROVINCE}.{n:05d}.loa, name: \"Loa {n}\", medium: loudspeaker, driver: none, "
                               f"languages: [vi], settings: \"\"}}\n" for n in share)
            (self.dir / f"{name}.yaml").write_text(
                f"name: {name}\nkey: keys/{name}\nroot: {self.public['root']}\nmanifest: keys.manifest\n"
                f"communes: [communes.tsv]\nstate: state/{name}\ncontrol: tcp://127.0.0.1:{self.port + 5 + i}\n"
                f"routers:\n  - {{name: bench, urgent: \"tcp://127.0.0.1:{self.port + 1}\", "
                f"other: \"tcp://127.0.0.1:{self.port + 2}\", key: {self.public['router']}}}\n"
                f"drivers: [{{name: none, kind: \"null\"}}]\nstations:\n{stations}")
            with open(self.dir / f"{name}.log", "ab") as log:
                self.sinks.append(subprocess.Popen([self.bin / "nullsink", "--config", self.dir / f"{name}.yaml"],
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        self.await_status("stations-connected", self.stations, 60)

    def await_status(self, what, wanted, seconds):
        end = time.monotonic() + seconds
        while self.status()[what] < wanted:
            if time.monotonic() > end:
                raise SystemExit(f"bench: {what} did not reach {wanted} within {seconds} s: {self.status()}")
            time.sleep(0.02)

    def stop(self, sig=signal.SIGTERM):
        if self.router is not None:
            self.router.send_signal(sig)
            self.router.wait(timeout=120)
            self.router = None

    def status(self):
        lines = (line.split() for line in self.keng("status").splitlines())
        return {words[-2]: int(words[-1]) for words in lines if len(words) >= 2 and words[-1].isdigit()}

    def memory(self):
        """Resident bytes of the router."""
        for line in pathlib.Path(f"/proc/{self.router.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise SystemExit("bench: the router has gone")

    def forget_cache(self):
        """The journal out of the page cache, so that a restart reads the disk."""
        for path in sorted(self.journal.parent.iterdir()):
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in self.sinks + [self.router]:
            if process is not None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
