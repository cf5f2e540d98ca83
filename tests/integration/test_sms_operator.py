"""The operator driver over HTTP(S) against a simulator of the contract (tests/peers/operator_sim.py)."""
import json
import pathlib
import socket
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]
from operator_sim import OperatorSim  # noqa: E402
from sms_bench import Drive, Folder  # noqa: E402

PLAIN = ("Man 4 g/l song Co Chien. Dong cong, tru nuoc ngot. 21h05 22/11, So NN&MT Vinh Long. Goi 112.")


class Operator(unittest.TestCase):
    def setUp(self):
        self.sim = OperatorSim()
        self.folder = Folder()
        self.folder.write("token", "s3cret\n", 0o600)
        self.addCleanup(self.folder.close)
        self.addCleanup(self.sim.close)

    def config(self, more="", message="  sender: VINHLONG\n", url=None):
        return self.folder.write("operator.yaml", f"operator: viettel\nurl: {url or self.sim.url}\ntoken: token\n"
                                                  f"poll_s: 1\nanswer_s: 2\n{more}message:\n{message}")

    def drive(self, config=None, environment=None, **options):
        drive = Drive("operator", config or self.config(), self.folder.state, environment, **options)
        self.addCleanup(drive.kill)
        return drive

    def test_accepted_followed_finished(self):
        drive = self.drive()
        out = drive.end()
        self.assertEqual((out["state"], out["certainty"], out["code"]), ("done", "finished", ""))
        self.assertEqual((out["sent"], out["reached"]), (30000, 28700))
        self.assertIn("progress 12000 9000", drive.lines)
        (_, key, body), = self.sim.posts
        request = json.loads(body)
        self.assertEqual(key, request["id"])
        alert = request["alert"]
        self.assertRegex(alert, "^[0-9a-f]{32}$")
        want = {
            "form": "keng-sms-request/1", "id": f"{alert}.0.viettel.vi", "alert": alert, "playing": 0, "repeat": False,
            "operator": "viettel", "sender": "VINHLONG", "language": "vi", "text": PLAIN, "coding": "gsm7",
            "units": len(PLAIN), "parts": 1, "class": "urgent", "status": "actual", "kind": "alert",
            "communes": ["29257", "29254"], "replaces": [], "issued": "2026-11-22T21:05:00+07:00",
            "deadline": "2026-11-22T22:05:00+07:00", "expires": "2026-11-23T01:00:00+07:00",
            "issuer": "Sở NN&MT Vĩnh Long", "agency": "so-nnmt-vinh-long", "rule": "media.sms.urgent",
            "basis": "QĐ 18/2021/QĐ-TTg"}
        self.assertEqual(request, want)
        self.assertEqual(drive.lines[:3], ["open", "prepared", f"ref {alert}.0.viettel.vi"])

    def test_not_taken_is_for_the_engine_to_try_again(self):
        for how, code in (("503", "busy"), ):
            self.sim.script = [how]
            out = self.drive().end()
            self.assertEqual((out["state"], out["code"]), ("pending", code), how)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            out = self.drive(self.config(url=f"http://127.0.0.1:{free.getsockname()[1]}/requests")).end()
        self.assertEqual((out["state"], out["code"]), ("pending", "gateway-down"))
        self.sim.token = "other"
        out = self.drive().end()
        self.assertEqual((out["state"], out["code"]), ("pending", "login"))
        self.assertEqual(self.sim.requests, {})

    def test_doubt_sends_the_same_id_again_and_only_that(self):
        for how in ("take-and-drop", "take-and-rubbish", "html", "500", "drop"):
            with self.subTest(how):
                self.sim.posts.clear()
                self.sim.requests.clear()
                self.sim.script = [how]
                out = self.drive(id=f"doubt-{how}").end(30)
                self.assertEqual(out["state"], "done")
                self.assertEqual(len(self.sim.posts), 2)
                self.assertEqual(self.sim.posts[0][1:], self.sim.posts[1][1:])
                self.assertEqual(len(self.sim.requests), 1)

    def test_no_answer_in_time_is_doubt(self):
        self.sim.slow_s = 4
        self.sim.script = ["slow"]
        out = self.drive().end(30)
        self.assertEqual(out["state"], "done")
        self.assertEqual(len(self.sim.posts), 2)
        self.assertEqual(len(self.sim.requests), 1)

    def test_refusals_are_final_and_say_why(self):
        for how, code, words in (("refuse", "sender-unknown", "brandname not registered"),
                                 ("quota", "quota-exceeded", "quota of today is used up")):
            self.sim.script = [how]
            out = self.drive().end()
            self.assertEqual((out["state"], out["certainty"], out["code"]), ("refused", "none", code))
            self.assertIn(words, out["detail"])
        self.assertEqual(self.sim.requests, {})

    def test_same_id_other_content_is_a_conflict(self):
        self.assertEqual(self.drive().end()["state"], "done")
        out = self.drive(headline="Mặn 5 g/l sông Cổ Chiên").end()
        self.assertEqual((out["state"], out["code"]), ("refused", "conflict"))

    def test_same_request_twice_gets_the_first_status(self):
        self.assertEqual(self.drive().end()["state"], "done")
        out = self.drive().end()
        self.assertEqual((out["state"], out["sent"]), ("done", 30000))
        self.assertEqual(len(self.sim.requests), 1)

    def test_quota_in_the_middle_is_partial(self):
        self.sim.steps = ["sending", "stopped"]
        self.sim.counts = {"targeted": 30000, "sent": 5000, "delivered": 4000}
        out = self.drive().end()
        self.assertEqual((out["state"], out["code"], out["sent"], out["reached"]), ("partial", "quota-exceeded", 5000, 4000))

    def test_status_questions_survive_a_bad_gateway(self):
        self.sim.gets_fail = 2
        self.assertEqual(self.drive().end(30)["state"], "done")
        self.assertEqual(len(self.sim.posts), 1)

    def test_callback_instead_of_questions(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder.write("back", "b4ck\n", 0o600)
        self.sim.callbacks = ["sending", "finished"]
        self.sim.callback_token = "wrong"
        config = self.config(f"callback:\n  listen: 127.0.0.1:{port}\n  url: http://127.0.0.1:{port}/x\n  secret: back\n")
        config.write_text(config.read_text().replace("poll_s: 1", "poll_s: 600"))
        drive = self.drive(config)
        drive.wait_line("progress")
        end = time.monotonic() + 5
        while len(self.sim.callback_answers) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.sim.callback_answers, [401, 401])
        self.sim.callback_token = "b4ck"
        self.sim.call_back({"id": self.sim.posts[0][1], "callback": f"http://127.0.0.1:{port}/x"}, ["sending", "finished"])
        out = drive.end()
        self.assertEqual((out["state"], out["sent"]), ("done", 30000))
        self.assertEqual(self.sim.callback_answers[2:], [200, 200])
        self.assertEqual(self.sim.gets, [])
        self.assertEqual(json.loads(self.sim.posts[0][2])["callback"], f"http://127.0.0.1:{port}/x")

    def test_killed_at_each_point_then_asked(self):
        for point, posts in (("sms.operator.before_send", 1), ("sms.operator.answered", 1)):
            with self.subTest(point):
                self.sim.posts.clear()
                self.sim.requests.clear()
                drive = self.drive(environment={"KENG_FAULT": point}, id=point)
                ref = drive.wait_line("ref ")[4:]
                drive.process.wait(timeout=10)
                self.assertEqual(drive.process.returncode, -9)
                again = self.drive(id=point, ask=ref)
                out = again.end()
                if point.endswith("before_send"):
                    # The operator never got it: asked, it says so, and the request goes out with the same id.
                    self.assertEqual(self.sim.gets[-3:][0], ref)
                self.assertEqual((out["state"], len(self.sim.posts), list(self.sim.requests)), ("done", posts, [ref]))

    def test_stopped_tells_the_operator(self):
        self.sim.steps = ["sending"] * 1000
        drive = self.drive(linger=1500)
        drive.wait_line("progress 12000")
        start = time.monotonic()
        drive.say("stop")
        drive.wait_line("finished ")
        self.assertLess(time.monotonic() - start, 1)
        out = drive.end()
        self.assertEqual(self.sim.stops, [drive.wait_line("ref ")[4:]])
        self.assertEqual((out["state"], out["code"], out["sent"]), ("partial", "stopped", 12000))

    def test_every_language_is_a_request_of_its_own_and_vietnamese_first(self):
        drive = self.drive(self.config(message="  sender: VINHLONG\n  ucs2: yes\n"), km="ទឹកប្រៃ រក្សាទឹក")
        self.assertEqual(drive.end()["state"], "done")
        first, second = (json.loads(body) for _, _, body in sorted(self.sim.posts))
        self.assertEqual({first["language"], second["language"]}, {"vi", "km"})
        khmer = first if first["language"] == "km" else second
        self.assertEqual((khmer["text"], khmer["coding"]), ("ទឹកប្រៃ រក្សាទឹក", "ucs2"))

    def test_an_operator_without_ucs2_leaves_a_named_gap(self):
        out = self.drive(km="ទឹកប្រៃ").end()
        self.assertEqual(out["state"], "done")
        self.assertIn("km: ", out["detail"])
        self.assertEqual(len(self.sim.posts), 1)

    def test_accents_where_the_operator_takes_them(self):
        self.drive(self.config(message="  sender: VINHLONG\n  ucs2: yes\n  accented: yes\n")).end()
        request = json.loads(self.sim.posts[0][2])
        self.assertEqual((request["coding"], request["parts"]), ("ucs2", 2))
        self.assertTrue(request["text"].startswith("Mặn 4 g/l sông Cổ Chiên. Đóng cống, trữ nước ngọt."))

    def test_forbidden_characters(self):
        forbidden = "  sender: VINHLONG\n  forbidden: '%#&[]{}\\<@'\n"
        self.drive(self.config(message=forbidden), id="replace").end()
        self.assertEqual(json.loads(self.sim.posts[0][2])["text"], PLAIN.replace("NN&MT", "NN va MT"))
        out = self.drive(self.config(message=forbidden + "  on_forbidden: refuse\n"), id="refuse").end()
        self.assertEqual((out["state"], out["code"]), ("refused", "text"))
        self.assertIn('"&"', out["detail"])
        self.assertEqual(len(self.sim.posts), 1)

    def test_drills_need_the_second_switch(self):
        out = self.drive(status="Exercise").end()
        self.assertEqual((out["state"], out["code"]), ("refused", "drill-switch-off"))
        self.assertEqual(self.sim.posts, [])
        self.assertEqual(self.drive(self.config("drills: yes\n"), status="Exercise").end()["state"], "done")
        request = json.loads(self.sim.posts[0][2])
        self.assertEqual(request["status"], "exercise")
        self.assertRegex(request["text"], r"^DIEN TAP\. .* DIEN TAP\.$")

    def test_a_bad_config_is_refused_in_words(self):
        self.folder.write("open", "s3cret\n", 0o644)
        for text, want in (
                ("token: open\n", "open"), ("token: missing\n", "missing"),
                ("token: token\nsender: x\n", "sender"), ("token: token\nurl2: x\n", "url2")):
            config = self.folder.write("bad.yaml", f"operator: viettel\nurl: {self.sim.url}\n{text}message:\n  sender: A\n")
            drive = self.drive(config)
            self.assertIn(want, drive.wait_line("error "))
        config = self.config(url="http://192.0.2.1/requests")
        self.assertIn("https", self.drive(config).wait_line("error "))
        config = self.config(message="  sender: MOTCAITENDAI\n")
        self.assertIn("sender", self.drive(config).wait_line("error "))


class OverTls(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.close)
        self.folder.write("token", "s3cret\n", 0o600)
        key, certificate = self.folder.path / "key.pem", self.folder.path / "ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=operator simulator", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=60)
        both = self.folder.write("both.pem", key.read_text() + certificate.read_text(), 0o600)
        self.sim = OperatorSim(certificate=str(both))
        self.addCleanup(self.sim.close)

    def drive(self, more):
        config = self.folder.write("operator.yaml", f"operator: viettel\nurl: {self.sim.url}\ntoken: token\npoll_s: 1\n"
                                                    f"{more}message:\n  sender: VINHLONG\n")
        drive = Drive("operator", config, self.folder.state)
        self.addCleanup(drive.kill)
        return drive.end()

    def test_known_certificate(self):
        self.assertEqual(self.drive("ca: ca.pem\n")["state"], "done")

    def test_unknown_certificate_gets_nothing(self):
        out = self.drive("")
        self.assertEqual((out["state"], out["code"]), ("pending", "gateway-down"))
        self.assertEqual(self.sim.posts, [])


if __name__ == "__main__":
    unittest.main()
