"""The kannel driver against a real Kannel and an SMPP centre with another codec than Kannel's."""
import pathlib
import stat
import sys
import tempfile
import shutil
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kannel_bench import Kannel, free_ports, from_gsm  # noqa: E402
from sms_bench import Drive, Folder  # noqa: E402

ACCENTED = ("KHẨN CẤP: Lũ quét tại xã Đắk Tô. Nước sông Đăk Bla vượt báo động 3. Người dân vùng trũng, ven suối sơ tán ngay "
            "lên nhà văn hóa thôn trước 18 giờ.")


class ThroughKannel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-kannel-"))
        cls.kannel = Kannel(cls.dir)
        try:
            cls.kannel.up()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.kannel.down()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.close)
        self.folder.write("password", "foobar\n", 0o600)
        self.before = len(self.kannel.submits())
        self.mine = set()
        (self.port,) = free_ports(1)

    def config(self, numbers, more="", message="  sender: VINHLONG\n", url=None, wait=8):
        self.mine = {number.lstrip("+") if number.startswith("+") else "84" + number[1:] for number, _ in numbers}
        self.folder.write("list.tsv", "# test\n" + "".join(f"{n}\t{areas}\n" for n, areas in numbers), 0o600)
        return self.folder.write("kannel.yaml", f"url: {url or self.kannel.url}\nuser: keng\npassword: password\n"
                                                f"list: list.tsv\nprovince: '86'\nreports:\n  listen: 127.0.0.1:{self.port}\n"
                                                f"receipt_wait_s: {wait}\n{more}message:\n{message}")

    def drive(self, config, environment=None, **options):
        drive = Drive("kannel", config, self.folder.state, environment, **options)
        self.addCleanup(drive.kill)
        return drive

    def submits(self):
        """What the centre got for the numbers of this test's list (another test's may still be on their way)."""
        return [row for row in self.kannel.submits()[self.before:] if row["to"] in self.mine]

    def test_plain_text_arrives_exactly(self):
        text = "KHAN CAP: @ _ $ [a] {b} 4 < 5 ~ | \\ ^ & % # het."
        out = self.drive(self.config([("+84912000010", "29254")]), sms=text).end()
        self.assertEqual((out["state"], out["certainty"], out["sent"], out["reached"]), ("done", "finished", 1, 1))
        (one,) = self.submits()
        self.assertEqual((one["dc"], one["from"], one["to"], one["rd"]), ("0", "VINHLONG", "84912000010", "17"))
        self.assertEqual(from_gsm(one["octets"]), text)

    def test_accents_arrive_exactly_in_parts(self):
        out = self.drive(self.config([("0912000010", "*")], message="  sender: VINHLONG\n  ucs2: yes\n  accented: yes\n"),
                         accented=ACCENTED).end()
        self.assertEqual(out["state"], "done")
        self.assertIn("phần đầu", out["detail"])
        parts = self.submits()
        self.assertEqual([row["dc"] for row in parts], ["8"] * 3)
        self.assertEqual([row["rd"] for row in parts], ["17", "0", "0"])
        self.assertEqual("".join(row["octets"][6:].decode("utf-16-be") for row in parts), ACCENTED)
        self.assertEqual([len(row["octets"][6:]) // 2 for row in parts], [67, 67, len(ACCENTED) - 134])

    def test_every_kind_of_end_is_counted(self):
        numbers = [(f"+8491200002{digit}", "29254") for digit in (0, 1, 2, 3, 4, 6)]
        drive = self.drive(self.config(numbers, wait=4))
        out = drive.end(40)
        self.assertEqual((out["state"], out["code"], out["reached"]), ("partial", "no-report", 1))
        # delivered 1; undelivered and expired 2; refused 1; no receipt and unknown 2
        self.assertIn("Danh sách 6 số: đến máy 1, không đến 2, bị từ chối 1, không rõ 2.", out["detail"])
        self.assertEqual(out["sent"], 5)

    def test_throttled_is_sent_again_by_kannel(self):
        out = self.drive(self.config([("+84912000035", "29254"), ("+84912000045", "29254")])).end(40)
        self.assertEqual((out["state"], out["reached"]), ("done", 2))
        self.assertEqual(len(self.submits()), 4)

    def test_all_refused_or_silent(self):
        out = self.drive(self.config([("+84912000054", "29254")])).end()
        self.assertEqual((out["state"], out["code"]), ("refused", "refused"))
        out = self.drive(self.config([("+84912000053", "29254")], wait=2), id="b").end()
        self.assertEqual((out["state"], out["certainty"], out["code"]), ("uncertain", "accepted", "no-report"))
        out = self.drive(self.config([("+84912000051", "29254")]), id="c").end()
        self.assertEqual((out["state"], out["code"]), ("failed", "not-delivered"))

    def test_only_the_areas_of_the_alert(self):
        numbers = [("+84912000060", "29254"), ("+84912000061", "29999"), ("+84912000062", "66"),
                   ("+84912000068", "86"), ("+84912000069", "29999,29257")]
        out = self.drive(self.config(numbers)).end()
        self.assertEqual(out["state"], "done")
        self.assertEqual(sorted(row["to"] for row in self.submits()), ["84912000060", "84912000068", "84912000069"])
        out = self.drive(self.config([("+84912000061", "29999")])).end()
        self.assertEqual((out["state"], out["code"]), ("refused", "no-numbers"))

    def test_wrong_password_or_no_gateway_is_tried_again_later(self):
        self.folder.write("password", "wrong\n", 0o600)
        out = self.drive(self.config([("+84912000070", "*")])).end()
        self.assertEqual((out["state"], out["code"]), ("pending", "login"))
        self.folder.write("password", "foobar\n", 0o600)
        (port,) = free_ports(1)
        out = self.drive(self.config([("+84912000070", "*")], url=f"http://127.0.0.1:{port}/cgi-bin/sendsms")).end()
        self.assertEqual((out["state"], out["code"]), ("pending", "gateway-down"))
        # and then, unlabelled: nobody had got it
        out = self.drive(self.config([("+84912000070", "*")])).end()
        self.assertEqual(out["state"], "done")
        (one,) = self.submits()
        self.assertTrue(from_gsm(one["octets"]).startswith("Man 4 g/l"))

    def test_killed_after_the_announcement_urgent_goes_once_more_and_says_so(self):
        config = self.config([("+84912000080", "*"), ("+84912000090", "*")])
        drive = self.drive(config, environment={"KENG_FAULT": "sms.kannel.announced"})
        ref = drive.wait_line("ref ")[4:]
        drive.process.wait(timeout=10)
        self.assertEqual(self.submits(), [])
        out = self.drive(config, ask=ref).end()
        self.assertEqual((out["state"], out["reached"]), ("done", 2))
        self.assertEqual([from_gsm(row["octets"])[:20] for row in self.submits()], ["NHAC LAI. Man 4 g/l "] * 2)

    def test_killed_after_the_announcement_routine_is_in_doubt(self):
        config = self.config([("+84912000080", "*")], wait=2)
        drive = self.drive(config, environment={"KENG_FAULT": "sms.kannel.announced"}, **{"class": "routine"})
        ref = drive.wait_line("ref ")[4:]
        drive.process.wait(timeout=10)
        out = self.drive(config, ask=ref, **{"class": "routine"}).end()
        self.assertEqual((out["state"], out["code"]), ("uncertain", "no-report"))
        self.assertEqual(self.submits(), [])

    def test_killed_after_the_answer_a_late_report_still_counts(self):
        config = self.config([("+84912000081", "*"), ("+84912000100", "*")])
        drive = self.drive(config, environment={"KENG_FAULT": "sms.kannel.answered:2"})
        ref = drive.wait_line("ref ")[4:]
        drive.process.wait(timeout=10)
        # Kannel repeats its callbacks until somebody answers.
        out = self.drive(config, ask=ref, **{"class": "routine"}).end(30)
        self.assertEqual(out["state"], "partial")
        self.assertEqual(len(self.submits()), 2)

    def test_stop_in_the_middle(self):
        numbers = [(f"+84912001{n:03d}", "*") for n in range(3, 403, 10)]  # no receipts
        drive = self.drive(self.config(numbers, "urgent_window: 2\n", wait=60))
        drive.wait_line("progress")
        drive.say("stop")
        out = drive.end()
        self.assertIn(out["state"], ("partial", "uncertain"))
        self.assertEqual(out["code"], "stopped")

    def test_numbers_stand_nowhere_but_in_the_list(self):
        drive = self.drive(self.config([("+84912000110", "*"), ("+84912000114", "*")]))
        out = drive.end()
        self.assertEqual(out["state"], "partial")
        seen = drive.errors() + "".join(drive.lines)
        kept = [path for path in self.folder.state.rglob("*") if path.is_file()]
        self.assertEqual(len(kept), 2)
        for path in kept:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            seen += path.read_text()
        for tail in ("912000110", "912000114", "12000110"):
            self.assertNotIn(tail, seen)
        self.assertNotIn("foobar", seen)

    def test_bad_lists_are_found_when_it_opens(self):
        for text, mode, want in (("+84912000110\t*\n", 0o644, "list.tsv"), ("84912000110\t*\n", 0o600, "list.tsv:1"),
                                 ("+84912000110\t2925\n", 0o600, "list.tsv:1"), ("# x\n+84912000110\n", 0o600, "list.tsv:2"),
                                 ("+84912000110\t*\n0912000110\t*\n", 0o600, "twice")):
            config = self.config([])
            self.folder.write("list.tsv", text, mode)
            line = self.drive(config).wait_line("error ")
            self.assertIn(want, line)
            self.assertNotIn("912000110", line)


if __name__ == "__main__":
    unittest.main()
