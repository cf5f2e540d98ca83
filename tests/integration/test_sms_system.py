"""From the agency's send to the operators and back: publisher, router and keng-sms with three kinds of driver at once."""
import json
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]
from mail_bench import Server  # noqa: E402
from operator_sim import OperatorSim  # noqa: E402
from system import System, alert_id, short_form, wait_until  # noqa: E402

SPOOLED = ("86.sms.mobifone", "86.sms.vietnamobile", "86.sms.gtel", "86.sms.itel")
VIETTEL, VINAPHONE = "86.sms.viettel", "86.sms.vinaphone"


class Operators(unittest.TestCase):
    def setUp(self):
        self.sim = OperatorSim()
        self.addCleanup(self.sim.close)
        self.system = System()
        self.addCleanup(self.system.close)
        self.post = Server(self.system.dir)
        self.addCleanup(self.post.close)
        drivers = self.system.home / "drivers"
        token = drivers / "token"
        token.write_text("s3cret\n")
        token.chmod(0o600)
        (drivers / "sms-viettel.yaml").write_text(f"operator: viettel\nurl: {self.sim.url}\ntoken: token\npoll_s: 1\n"
                                                  "message: {sender: CANHBAO, ucs2: true}\n")
        (drivers / "sms-vinaphone.yaml").write_text(
            f"operator: vinaphone\nserver: smtp://127.0.0.1:{self.post.port}\nfrom: bch@vinhlong.example.vn\n"
            "to: [truc-ban@vinaphone.example.vn]\nphone: 0270 3822 222\nmessage: {sender: CANHBAO}\n")
        config = self.system.home / "sms.yaml"
        text = config.read_text()
        for name, kind in (("viettel", "operator"), ("vinaphone", "mail")):
            changed = text.replace(f"name: {name}, kind: spool", f"name: {name}, kind: {kind}")
            self.assertNotEqual(changed, text)
            text = changed
        config.write_text(text)

    def start(self):
        self.system.start("router", "sms")
        self.system.wait_connected()

    def wait_state(self, alert, station, *states, seconds=30):
        def there():
            row = self.system.ledger(alert).get(station)
            return row if row and row["state"] in states else None
        return wait_until(there, seconds, what=f"{station} reaching {states}: {self.system.ledger(alert)}")

    def test_one_alert_three_ways(self):
        self.start()
        done = self.system.send(short_form(instruction="Đóng cống, trữ nước ngọt."))
        alert = alert_id(done.stdout)
        self.assertIsNotNone(alert, done.stdout + done.stderr)
        self.wait_state(alert, VIETTEL, "done")
        for station in SPOOLED:
            self.wait_state(alert, station, "done")
        # one request at the operator, with the commune of the alert
        (_, key, body), = self.sim.posts
        request = json.loads(body)
        self.assertEqual((request["id"], key), (f"{alert}.0.viettel.vi",) * 2)
        self.assertEqual((request["communes"], request["sender"], request["class"]), (["29050"], "CANHBAO", "urgent"))
        self.assertLessEqual(len(request["text"]), 160)
        self.assertTrue(request["text"].isascii())
        # a file each, the same text in all
        files = sorted((self.system.home / "spool/sms").glob("*.json"))
        forms = [json.loads(path.read_text()) for path in files]
        self.assertEqual({form["operator"] for form in forms}, {s.split(".")[2] for s in SPOOLED})
        self.assertEqual({form["text"] for form in forms}, {request["text"]})
        # the letter is out, and waits for the telephone
        (mail,) = wait_until(self.post.mails, what="the letter")
        self.assertIn(request["text"], mail.get_body().get_content())
        self.assertEqual(self.system.ledger(alert)[VINAPHONE]["state"], "started")
        said = self.system.keng("station", "confirm", "--to", "sms", VINAPHONE, alert, "trực ban nhận lúc 21h10")
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        self.wait_state(alert, VINAPHONE, "done")

    def test_killed_while_the_operator_sends(self):
        self.sim.steps = ["sending"] * 1000
        self.start()
        alert = alert_id(self.system.send(short_form()).stdout)
        wait_until(lambda: len(self.sim.gets) >= 1, what="a status question")
        self.system.kill("sms", signal.SIGKILL)
        self.assertEqual(len(self.sim.posts), 1)
        with self.sim.lock:
            for known in self.sim.requests.values():
                known["steps"] = ["finished"]
        self.system.start("sms")
        self.wait_state(alert, VIETTEL, "done", seconds=60)
        self.assertEqual(len(self.sim.posts), 1)
        self.assertEqual(list(self.sim.requests), [f"{alert}.0.viettel.vi"])

    def test_operator_down_then_up(self):
        self.sim.how = "503"
        self.start()
        alert = alert_id(self.system.send(short_form()).stdout)
        wait_until(lambda: len(self.sim.posts) >= 2, what="a second try")
        self.assertNotEqual(self.system.ledger(alert)[VIETTEL]["state"], "done")
        self.sim.how = "accept"
        self.wait_state(alert, VIETTEL, "done", seconds=60)
        self.assertEqual(len({key for _, key, _ in self.sim.posts}), 1)

    def test_an_update_stops_the_old_request(self):
        self.sim.steps = ["sending"] * 1000
        self.start()
        first = self.system.send(short_form(id="first"), name="first.yaml")
        alert = alert_id(first.stdout)
        wait_until(lambda: len(self.sim.gets) >= 1, what="a status question")
        update = self.system.publisher("update", alert, self.system.write("second.yaml", short_form(id="second",
                                       headline="Mặn 5 g/l xâm nhập sâu 60 km")))
        if update.returncode != 0:
            self.fail(update.stdout + update.stderr)
        wait_until(lambda: self.sim.stops, what="the stop")
        self.assertEqual(self.sim.stops, [f"{alert}.0.viettel.vi"])
        wait_until(lambda: len(self.sim.posts) >= 2, what="the update's request")
        request = json.loads(self.sim.posts[1][2])
        self.assertEqual((request["kind"], request["replaces"]), ("update", [alert]))
        self.assertTrue(request["text"].startswith("CAP NHAT: "))

    def test_urgent_does_not_wait_for_a_slow_answer_to_another(self):
        config = self.system.home / "drivers/sms-viettel.yaml"
        config.write_text(config.read_text() + "connections: 1\nurgent_connections: 1\n")
        self.sim.slow_s = 8
        self.sim.script = ["slow"]
        self.start()
        slow = alert_id(self.system.send(short_form(**{"class": "priority"})).stdout)
        wait_until(lambda: len(self.sim.posts) == 1, what="the first request")
        start = time.monotonic()
        urgent = alert_id(self.system.send(short_form()).stdout)
        wait_until(lambda: len(self.sim.posts) == 2, what="the urgent request")
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(list(self.sim.requests), [f"{urgent}.0.viettel.vi"])  # the other is not answered yet
        self.wait_state(urgent, VIETTEL, "done")
        self.wait_state(slow, VIETTEL, "done")


if __name__ == "__main__":
    unittest.main()
