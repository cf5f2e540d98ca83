"""A real SMTP server as a child on loopback. Not a test file."""
import email
import email.policy
import socket
import subprocess
import time

from kannel_bench import free_ports

# Debian's Python has aiosmtpd; the one that runs this file may be another.
PYTHON = "/usr/bin/python3"


class Server:
    """aiosmtpd with its Mailbox handler: one file a message, as it came over the wire."""

    def __init__(self, folder):
        self.box = folder / "box"
        (self.port,) = free_ports(1)
        self.process = subprocess.Popen(
            [PYTHON, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}", "-c", "aiosmtpd.handlers.Mailbox", str(self.box)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def mails(self):
        files = sorted((self.box / "new").glob("*")) if self.box.exists() else []
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]

    def close(self):
        self.process.kill()
        self.process.wait(timeout=10)
