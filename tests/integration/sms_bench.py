"""sms_drive (one SMS driver under a stand-in engine) for test_sms_*.py. Not a test file."""
import os
import pathlib
import selectors
import shutil
import signal
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("KENG_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("KENG_BIN_DIR", SOURCE / "build-dev/bin"))
DRIVE = BIN.parent / "tests/sms_drive"


class Drive:
    """A running sms_drive. Lines it printed are in .lines; the outcome, when it has one, in .outcome."""

    def __init__(self, kind, config, state, environment=None, **options):
        arguments = [f"{key}={value}" for key, value in options.items()]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([DRIVE, kind, config, state, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(environment or {})})
        os.set_blocking(self.process.stdout.fileno(), False)
        self.lines, self.rest = [], b""
        self.outcome = None

    def read(self, seconds):
        """Waits for further output; False when nothing came or the process has ended."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return False
        data = self.process.stdout.read()
        if not data:
            return False
        *whole, self.rest = (self.rest + data).split(b"\n")
        for line in whole:
            text = line.decode()
            self.lines.append(text)
            if text.startswith("finished "):
                head, detail = text.split("\t", 1)
                _, state, certainty, code, sent, reached = head.split(" ")
                self.outcome = {"state": state, "certainty": certainty, "code": "" if code == "-" else code,
                                "sent": int(sent), "reached": int(reached), "detail": detail}
        return True

    def wait_line(self, start, seconds=15):
        end = time.monotonic() + seconds
        while not any(line.startswith(start) for line in self.lines):
            if time.monotonic() > end or (not self.read(0.2) and self.process.poll() is not None):
                raise AssertionError(f"no line '{start}' in {self.lines}; {self.errors()}")
        return next(line for line in self.lines if line.startswith(start))

    def end(self, seconds=20):
        """The outcome."""
        end = time.monotonic() + seconds
        while self.outcome is None:
            if time.monotonic() > end or (not self.read(0.2) and self.process.poll() is not None):
                self.kill()
                raise AssertionError(f"no outcome; {self.lines}; {self.errors()}")
        if self.process.wait(timeout=10) != 0:
            raise AssertionError(f"exit status {self.process.returncode}; {self.errors()}")
        return self.outcome

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def errors(self):
        if self.log.closed:
            return ""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)
        for stream in (self.process.stdin, self.process.stdout, self.log):
            stream.close()


class Folder:
    """A temporary folder with config files; secrets are 0600."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="keng-sms-"))
        self.state = self.path / "state"
        self.state.mkdir()

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)
