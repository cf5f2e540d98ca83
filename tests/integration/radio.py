"""A radio station for tests: a real Icecast, a real Liquidsoap with our keng.liq, a programme, and a listener.

Not a test file: test_broadcast.py uses it. Everything on free loopback ports, every child stopped by pid.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from listening import silence, to_8k, tone, write_wav
from system import SOURCE, wait_until

PROGRAMME_HZ = 300
ICECAST = """<icecast>
  <location>test</location><admin>test@localhost</admin>
  <limits><clients>20</clients><sources>4</sources><burst-on-connect>0</burst-on-connect></limits>
  <authentication><source-password>source</source-password><relay-password>relay</relay-password>
    <admin-user>admin</admin-user><admin-password>admin</admin-password></authentication>
  <hostname>127.0.0.1</hostname>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><basedir>/usr/share/icecast2</basedir><logdir>{logs}</logdir><webroot>/usr/share/icecast2/web</webroot>
    <adminroot>/usr/share/icecast2/admin</adminroot></paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
</icecast>
"""
# Icecast does not run as root.
OWNER = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Radio:
    def __init__(self, folder, track_seconds=4):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.parent.chmod(0o755)  # Icecast reads and logs as nobody
        self.dir.chmod(0o777)
        self.ice_port, self.port, self.token = free_port(), free_port(), "a-test-token"
        self.processes = {}
        programme = self.dir / "programme"
        programme.mkdir(exist_ok=True)
        # a steady tone: whatever else is heard was not the programme
        write_wav(programme / "a.wav", 44100, tone(44100, PROGRAMME_HZ, track_seconds, 6000))
        owner = OWNER if os.getuid() == 0 else ""
        (self.dir / "icecast.xml").write_text(ICECAST.format(port=self.ice_port, logs=self.dir, owner=owner))
        try:
            self.spawn("icecast", ["icecast2", "-c", self.dir / "icecast.xml"])
            wait_until(lambda: self.answers(self.ice_port), what="Icecast listening")
            self.start()
        except BaseException:
            self.close()
            raise

    def spawn(self, name, command, **environment):
        with open(self.dir / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                    env={**os.environ, **environment})

    @staticmethod
    def answers(port):
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex(("127.0.0.1", port)) == 0

    def start(self):
        """Liquidsoap; on air when this returns."""
        self.spawn("liquidsoap", ["liquidsoap", SOURCE / "deploy/gateways/liquidsoap/keng.liq"],
                   KENG_LIQ_ALLOW_ROOT="1", KENG_LIQ_TOKEN=self.token, KENG_LIQ_PORT=str(self.port),
                   KENG_PROGRAMME=str(self.dir / "programme"), KENG_ICECAST_PORT=str(self.ice_port),
                   KENG_ICECAST_PASSWORD="source", KENG_ICECAST_MOUNT="air.ogg", LC_ALL="C.UTF-8")
        wait_until(lambda: self.on_air() and self.decodable(), 60, 0.3, what="Liquidsoap on air")

    def decodable(self):
        """Icecast lists a mount a moment before it has the stream's headers; who joins then cannot decode it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ice_port}/air.ogg", timeout=5) as stream:
                start = stream.read(64)
        except OSError:
            return False
        return start[:4] == b"OggS" and start[5] & 2 and b"\x01vorbis" in start

    def on_air(self):
        if self.processes["liquidsoap"].poll() is not None:
            raise AssertionError((self.dir / "liquidsoap.log").read_text()[-2000:])
        return self.answers(self.port) and any("air.ogg" in s.get("listenurl", "") for s in self.sources())

    def sources(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ice_port}/status-json.xsl", timeout=5) as answer:
                found = json.load(answer)["icestats"].get("source", [])
        except (OSError, ValueError):
            return []
        return found if isinstance(found, list) else [found]

    def title(self):
        return next((s.get("title", "") for s in self.sources()), "")

    def ask(self, verb, token=None, raw=None, **fields):
        """(HTTP status, answer) of our script's door."""
        body = raw if raw is not None else json.dumps(fields).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/keng/{verb}", body, {
            "Content-Type": "application/json", "Authorization": f"Bearer {token or self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    def state(self, order):
        return self.ask("status", id=order)[1].get("state", "")

    def listen(self, name="heard"):
        return Listener(self, self.dir / f"{name}.ogg")

    def stop(self, name, sig=signal.SIGTERM):
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(sig)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def close(self):
        for name in reversed(list(self.processes)):
            self.stop(name)


class Listener:
    """Somebody with a radio: records the public stream until told to stop."""

    def __init__(self, radio, path):
        self.path = path
        self.stream = urllib.request.urlopen(f"http://127.0.0.1:{radio.ice_port}/air.ogg", timeout=30)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.record, daemon=True)
        self.thread.start()

    def record(self):
        with open(self.path, "wb") as out:
            while not self.ended.is_set():
                try:
                    part = self.stream.read1(4096)
                except OSError:
                    break
                if not part:
                    break
                out.write(part)

    def stop(self):
        """The recording as 8 kHz WAV."""
        time.sleep(1.5)  # what is in the encoder and in Icecast's buffer
        self.ended.set()
        self.thread.join(15)
        self.stream.close()
        return to_8k(self.path, self.path.with_suffix(".wav"))


def beep(path, hz, seconds, rate=48000):
    """A sound file that is easy to know again."""
    return write_wav(path, rate, silence(rate, 0.05) + tone(rate, hz, seconds, 12000) + silence(rate, 0.05))
