"""The same with real gateways: an operator's interface, a mail server, Kannel, Liquidsoap, RTP. Not a test file.

They are neighbours: never killed, shared by all the days, and asked afterwards what they were told.
"""
import pathlib
import re
import shutil
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration"), str(HERE.parent / "peers")]
from campaign import FILE, CrashSystem  # noqa: E402
from kannel_bench import Kannel, free_ports  # noqa: E402
from mail_bench import Server  # noqa: E402
from operator_sim import OperatorSim  # noqa: E402
from radio import Radio  # noqa: E402
from scenario import Day  # noqa: E402
from system import wait_until  # noqa: E402
from test_loudspeaker import Ear  # noqa: E402

OPERATOR, MAIL, KANNEL, RADIO = "86.sms.viettel", "86.sms.vinaphone", "86.sms.mobifone", "86.radio"


class Neighbours:
    """Started when first asked for."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-neighbours-"))
        self.dir.chmod(0o755)
        self.open = {}
        self.numbers = 0
        self.lock = threading.Lock()

    def get(self, name):
        with self.lock:
            return self.started(name)

    def started(self, name):
        if name not in self.open:
            folder = self.dir / name
            folder.mkdir(exist_ok=True)
            self.open[name] = {"operator": OperatorSim, "mail": lambda: Server(folder), "kannel": lambda: Kannel(folder).up(),
                               "radio": lambda: Radio(folder)}[name]()
        return self.open[name]

    def number(self):
        """A telephone of its own for every day; those that end in 0 have no quirks (tests/peers/smsc.pl)."""
        with self.lock:
            self.numbers += 1
            return f"+84912{self.numbers:05}0"

    def close(self):
        for name, one in self.open.items():
            one.down() if name == "kannel" else one.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class PhoneSystem(CrashSystem):
    """Three operators' ways."""

    def __init__(self, neighbours):
        super().__init__()
        self.sim, self.post, self.kannel = (neighbours.get(n) for n in ("operator", "mail", "kannel"))
        self.number = neighbours.number()
        drivers = self.home / "drivers"
        for name, text in (("token", "s3cret"), ("password", "foobar"), ("list.tsv", f"{self.number}\t29062")):
            (drivers / name).write_text(text + "\n")
            (drivers / name).chmod(0o600)
        message = "message: {sender: CANHBAO}\n"
        (drivers / "sms-viettel.yaml").write_text(
            f"operator: viettel\nurl: {self.sim.url}\ntoken: token\npoll_s: 1\nanswer_s: 2\n{message}")
        (drivers / "sms-vinaphone.yaml").write_text(
            f"operator: vinaphone\nserver: smtp://127.0.0.1:{self.post.port}\nfrom: bch@vinhlong.example.vn\n"
            f"to: [truc-ban@vinaphone.example.vn]\nphone: 0270 3822 222\n{message}")
        (drivers / "sms-mobifone.yaml").write_text(
            f"url: {self.kannel.url}\nuser: keng\npassword: password\nlist: list.tsv\nprovince: '86'\n"
            f"reports:\n  listen: 127.0.0.1:{free_ports(1)[0]}\nreceipt_wait_s: 4\n{message}")
        path = self.home / "sms.yaml"
        text = path.read_text()
        for name, kind in (("viettel", "operator"), ("vinaphone", "mail"), ("mobifone", "kannel")):
            text = text.replace(f"name: {name}, kind: spool", f"name: {name}, kind: {kind}")
        path.write_text(text)

    def clerk(self):
        super().clerk()
        self.confirm_all("sms", MAIL)

    def told(self, alert):
        """What left no file, as (station, alert)."""
        there = set()
        if f"{alert}.0.viettel.vi" in self.sim.requests:
            there.add(OPERATOR)
        if any(f"{alert}.0.vinaphone.vi" in letter.as_string() for letter in self.post.mails()):
            there.add(MAIL)
        if any(row["to"] == self.number.lstrip("+") for row in self.kannel.submits()):
            there.add(KANNEL)
        return there

    def outside(self, station, identity, files, started):
        if station in (OPERATOR, MAIL, KANNEL):
            return station in self.told(identity)
        return super().outside(station, identity, files, started)

    def played_twice(self):
        wrong = super().played_twice()
        with self.sim.lock:
            posts = [(key, body) for _, key, body in self.sim.posts]
        bodies = {}
        wrong += [f"two contents under the operator's id {key}" for key, body in posts if bodies.setdefault(key, body) != body]
        letters = {}
        for letter in self.post.mails():
            text = letter.get_body().get_content()
            if letters.setdefault(letter["message-id"], text) != text:
                wrong.append(f"two contents under the letter {letter['message-id']}")
        texts = [row["text"] for row in self.kannel.submits() if row["to"] == self.number.lstrip("+")]
        wrong += [f"the same message twice to {self.number}" for text in set(texts) if texts.count(text) > 1]
        return wrong


class PhoneDay(Day):
    def run(self):
        s = self.system
        first = self.publish("first", "29062")
        wait_until(lambda: s.ledger(first).get(MAIL, {}).get("state") in ("started", "done", "uncertain"), 40, 0.1,
                   what="the letter going out")
        self.publish("second", "29062", headline="Lũ rút chậm", verb=("update", first))
        s.quiet(60)


class AirSystem(CrashSystem):
    """A playout that is asked what became of it, and a loudspeaker over RTP."""

    def __init__(self, neighbours):
        super().__init__()
        self.radio, self.ear = neighbours.get("radio"), Ear("239.10.0.9")
        secret = self.home / "liquidsoap.token"
        secret.write_text(self.radio.token + "\n")
        secret.chmod(0o600)
        self.drivers("broadcast", {"air": ("liquidsoap", f"url: http://127.0.0.1:{self.radio.port}\n"
                                           f"token_file: ../liquidsoap.token\nfolder: {neighbours.dir}/sounds\npoll_ms: 100\n"
                                           "speech: {rate: 250}\n")}, {RADIO: ("air", "", "")})
        self.drivers("loudspeaker", {"net": ("rtp", "interface: lo\nspeech: {rate: 250}\n")},
                     {FILE: ("net", self.ear.settings, "")})

    def close(self, keep=False):
        self.ear.close()
        super().close(keep)

    def aired(self, identity, label=""):
        """How often the playout's own log says that it took the sound up."""
        log = (self.radio.dir / "liquidsoap.log").read_text(errors="replace")
        return len(re.findall(rf'Prepared "[^"]*/{RADIO}\.{identity}-0{label}\.wav"', log))


    def outside(self, station, identity, files, started):
        if station == RADIO:
            return self.aired(identity) + self.aired(identity, "-r") > 0
        if station == FILE:
            return len(self.ear.streams()) > 0
        return super().outside(station, identity, files, started)

    def played_twice(self):
        wrong = super().played_twice()
        wrong += [f"{identity} was on the air twice without a label" for identity in self.promises if self.aired(identity) > 1]
        return wrong

    def held_is_in_the_sinks(self):
        wrong = super().held_is_in_the_sinks()
        labelled = self.database("loudspeaker/ledger", "SELECT count(*) FROM playings WHERE labelled = 1")[0][0]
        if len(self.ear.streams()) > len(self.promises) + labelled:
            wrong.append(f"{len(self.ear.streams())} sounds over RTP for {len(self.promises)} warning and {labelled} repeats")
        return wrong


class AirDay(Day):
    def run(self):
        self.publish("first", "29050")
        self.system.quiet(90)
