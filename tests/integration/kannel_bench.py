"""A real Kannel in front of a short-message centre (tests/peers/smsc.pl), on free ports. Not a test file."""
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def from_gsm(data):
    """GSM 03.38 octets (one a character, as SMPP carries data_coding 0) as text."""
    basic = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
             "¿abcdefghijklmnopqrstuvwxyzäöñüà")
    extra = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
    text, escape = "", False
    for octet in data:
        text += extra[octet] if escape else "" if octet == 0x1B else basic[octet]
        escape = octet == 0x1B and not escape
    return text


class Kannel:
    def __init__(self, folder, throughput=0):
        self.folder = folder
        self.smpp, self.admin, self.boxes, self.sendsms = free_ports(4)
        self.url = f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms"
        self.processes = {}
        (folder / "spool").mkdir(exist_ok=True)
        (folder / "kannel.conf").write_text(f"""
group = core
admin-port = {self.admin}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {self.boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 1
store-type = spool
store-location = {folder}/spool
sms-resend-freq = 1
sms-resend-retry = 5
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = TEST
host = 127.0.0.1
port = {self.smpp}
transceiver-mode = true
smsc-username = keng
smsc-password = secret
system-type = ""
enquire-link-interval = 5
reconnect-delay = 1
max-pending-submits = 10
wait-ack = 5
throughput = {throughput}
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {self.boxes}
sendsms-port = {self.sendsms}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 1
http-request-retry = 5
http-queue-delay = 1

group = sendsms-user
username = keng
password = foobar
max-messages = 10
concatenation = true
user-allow-ip = 127.0.0.1

group = sms-service
keyword = default
text = ""
max-messages = 0
""")

    def start_smsc(self):
        self.start("smsc", "perl", PEERS / "smsc.pl", self.smpp)

    def start(self, name, *command):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen([str(word) for word in command], cwd=self.folder, stdout=out, stderr=out,
                                                    stdin=subprocess.DEVNULL)

    def up(self):
        self.start_smsc()
        self.wait(lambda: "listening" in self.smsc_log(), "the centre")
        self.start("bearerbox", "/usr/sbin/bearerbox", "kannel.conf")
        self.wait(lambda: self.answers(f"http://127.0.0.1:{self.admin}/status.txt"), "bearerbox")
        self.start("smsbox", "/usr/sbin/smsbox", "kannel.conf")
        self.wait(lambda: self.answers(f"http://127.0.0.1:{self.sendsms}/"), "smsbox")
        self.wait(lambda: "bound" in self.smsc_log(), "the SMPP link")
        return self

    @staticmethod
    def wait(condition, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come up within {seconds} s")
            time.sleep(0.05)

    @staticmethod
    def answers(url):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def smsc_log(self):
        path = self.folder / "smsc.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def submits(self):
        """What went to the centre: dicts with to, from, dc, esm, rd, status and the text's octets."""
        rows = []
        for line in self.smsc_log().splitlines():
            if line.startswith("submit "):
                row = dict(re.findall(r"(\w+)=(\S*)", line))
                rows.append({**row, "octets": bytes.fromhex(row["text"])})
        return rows

    def stop(self, name, sig=signal.SIGKILL):
        process = self.processes.pop(name, None)
        if process is not None:
            if process.poll() is None:
                process.send_signal(sig)
            process.wait(timeout=20)

    def down(self):
        for name in ("smsbox", "bearerbox", "smsc"):
            self.stop(name)
