"""One short day on which everything happens once: what the crash tests do while they kill. Not a test file."""
import time

from campaign import AIR, COMMUNE, DEVICE, FILE, FINAL, PERSON, PHONES, CrashSystem, Promise
from listening import tone, write_wav
from system import short_form, wait_until, when

REPEAT_OFFSET_MS = (2 * 60 + 5) * 60 * 1000  # urgent ones are repeated every 2 hours
TIDIED_S = 11
BIG_BYTES = 1200000  # larger than a frame, and enough to fill a log that is then checkpointed

CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{id}</identifier><sender>so-nnmt.vinh-long.example</sender><sent>{sent}</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>{scope}</scope>
  <info>
    <language>vi</language><category>Env</category><event>Xâm nhập mặn</event><responseType>Prepare</responseType>
    <urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
    <onset>{sent}</onset><expires>{expires}</expires>
    <headline>Mặn lên cao</headline><description>{description}</description><instruction>Đóng cống.</instruction>
    <parameter><valueName>CAP-VN:class</valueName><value>{bulletin_class}</value></parameter>
    <parameter><valueName>CAP-VN:sector</valueName><value>water</value></parameter>
    <parameter><valueName>CAP-VN:speech</valueName><value>Mặn lên cao. Đóng cống.</value></parameter>
    <parameter><valueName>CAP-VN:sms</valueName><value>Man len cao. Dong cong.</value></parameter>
    <parameter><valueName>CAP-VN:crawl</valueName><value>Mặn lên cao. Đóng cống.</value></parameter>
    <area><areaDesc>Ven sông</areaDesc>{area}</area>
  </info>
</alert>
"""
GEOCODE = "<geocode><valueName>CAP-VN:commune</valueName><value>{}</value></geocode>"


def warning(number, *communes, **fields):
    codes = ", ".join(f'"{code}"' for code in communes)
    return short_form(**{"id": f"{number}-{time.time_ns()}", "headline": f"Lũ quét số {number}", "areas": f"[{codes}]",
                         "area_name": "Ven sông", "description": "Nước lên nhanh, sắp tràn đê.", "speech": "Lũ quét. Sơ tán ngay.",
                         "instruction": "Sơ tán ngay.", **fields})


def targets(*communes, phones=True):
    return (*AIR, *(PHONES if phones else ()), *(COMMUNE[code] for code in communes))


class Day:
    def __init__(self, system: CrashSystem):
        self.system = system

    def publish(self, number, *communes, stations=None, verb="send", **fields):
        s = self.system
        path = s.write(f"{number}.yaml", warning(number, *communes, **fields))
        words = (verb, path) if isinstance(verb, str) else (*verb, path)
        return s.promise(targets(*communes) if stations is None else stations, *words)

    def recording(self):
        """More than one frame long: it travels in pieces."""
        path = self.system.dir / "tieng-noi.wav"
        write_wav(path, 48000, tone(48000, 700, 1.0, 8000))
        return path

    def big(self):
        s = self.system
        text = "Mực nước tại các trạm đo. " * (BIG_BYTES // 34)
        path = s.write("big.xml", CAP.format(id=f"big-{time.time_ns()}", sent=when(), expires=when(hours=6), description=text,
                                             bulletin_class="priority", scope="Public",
                                             area=GEOCODE.format("29062")))
        return s.promise(targets("29062"), "send", path)

    def held(self, name):
        s = self.system
        path = s.write(f"{name}.xml", CAP.format(id=f"{name}-{time.time_ns()}", sent=when(), expires=when(hours=6),
                                                 description="Nước lên.", bulletin_class="urgent", scope="Restricted",
                                                 area=GEOCODE.format("29062")))
        identity = s.promise((), "send", path, state="refused")
        wait_until(lambda: identity in s.keng("held", "list").stdout, 30, what=f"{name} waiting for a person")
        return identity

    def drill(self):
        """By the drill key, through a publisher of its own."""
        s = self.system
        text = (s.home / "publisher.yaml").read_text()
        (s.home / "drill.yaml").write_text(text.replace("sign_key: keys/so-nnmt", "sign_key: keys/so-nnmt-drill")
                                           .replace("state/publisher", "state/drill"))
        path = s.write("drill.yaml", warning("drill", "29062", status="Exercise"))

        def by_drill_desk(*words, timeout):
            return s.run("keng-publisher", *words, "--config", s.home / "drill.yaml", timeout=timeout)
        # phones never ring for an exercise
        return s.promise(targets("29062", phones=False), "send", path, program=by_drill_desk)

    def wait_final(self, identity, *stations):
        wait_until(lambda: all(self.system.ledger(identity).get(x, {}).get("state") in FINAL for x in stations), 40, 0.1,
                   what=f"outcomes of {identity} at {stations}")

    def run(self, patient=False):
        """patient: until the publisher has tidied its file, too."""
        s = self.system
        first = self.publish("first", "29050", "29062", "29077",
                             audio=f'[{{language: vi, file: "{self.recording()}", description: "Tiếng nói"}}]')
        self.big()
        self.drill()
        old = self.publish("old", "29062")
        self.publish("new", "29062", verb=("update", old))
        wrong = self.publish("wrong", "29050", "29062")
        s.promise(targets("29050", "29062"), "retract", wrong, corrects=wrong)
        release, refuse = self.held("release"), self.held("refuse")
        s.operate("held", "refuse", refuse, "không đúng thẩm quyền",
                  enough=lambda d: d.returncode == 0 or refuse not in s.keng("held", "list").stdout)
        s.operate("held", "release", release, "đã xem bản đồ",
                  enough=lambda d: d.returncode == 0 or release not in s.keng("held", "list").stdout)
        s.promises[release] = Promise(release, targets("29062"), "accepted")
        offered = self.publish("offered", "29062", stations=targets("29062", phones=False), **{"class": "routine"})
        # an answer may be lost with the process; then the bulletin is played, or over, all the same
        s.operate("station", "accept", "--to", "device", DEVICE, offered,
                  enough=lambda d: d.returncode == 0 or s.ledger(offered).get(DEVICE, {}).get("state") in FINAL)
        self.wait_final(first, FILE, DEVICE, *AIR)
        self.repeats(first)
        s.promise(targets("29050", "29062", "29077"), "all-clear", first, corrects=first)
        s.quiet()
        if patient:
            time.sleep(TIDIED_S)

    def repeats(self, first):
        """Two hours later, as far as the stations' clocks go."""
        s = self.system
        for name in ("loudspeaker", "broadcast", "device"):
            s.renew(name, KENG_CLOCK_OFFSET_MS=str(REPEAT_OFFSET_MS))
        wait_until(lambda: any(row[0] == "end" and row[2:4] == (first, 1) for row in s.device_log()), 40, 0.1,
                   what="the repeat after two hours")
