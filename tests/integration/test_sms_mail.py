"""The mail driver against a real SMTP server (Debian's aiosmtpd, as a child on loopback)."""
import json
import os
import pathlib
import socket
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kannel_bench import free_ports  # noqa: E402
from mail_bench import Server  # noqa: E402
from sms_bench import Drive, Folder  # noqa: E402

class Script:
    """A server that speaks just enough SMTP to fail in a chosen way, for what aiosmtpd does not do on order."""

    def __init__(self, how):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.child = os.fork()
        if self.child == 0:
            try:
                self.serve(how)
            finally:
                os._exit(0)

    def serve(self, how):
        while True:
            peer, _ = self.listener.accept()
            with peer, peer.makefile("rb") as lines:
                peer.sendall(b"220 test\r\n")
                for line in lines:
                    word = line[:4].upper()
                    if word == b"RCPT" and how in ("550", "450"):
                        peer.sendall(f"{how} no\r\n".encode())
                    elif word == b"DATA":
                        peer.sendall(b"354 go\r\n")
                        while lines.readline() != b".\r\n":
                            pass
                        break  # taken, and the line goes dead before the answer
                    else:
                        peer.sendall(b"250 ok\r\n")

    def close(self):
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)
        self.listener.close()


class Mail(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.close)
        self.server = Server(self.folder.path)
        self.addCleanup(self.server.close)

    def config(self, more="", port=None):
        return self.folder.write("mail.yaml", f"""operator: mobifone
server: smtp://127.0.0.1:{port or self.server.port}
from: bch-pctt@vinhlong.example.vn
to: [truc-ban@mobifone.example.vn, so-khcn@vinhlong.example.vn]
phone: 0270 3822 222
{more}message:
  sender: VINHLONG
""")

    def drive(self, config=None, **options):
        environment = options.pop("environment", None)
        drive = Drive("mail", config or self.config(), self.folder.state, environment, **options)
        self.addCleanup(drive.kill)
        return drive

    def wait_mails(self, count):
        end = time.monotonic() + 15
        while len(self.server.mails()) < count and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(len(self.server.mails()), count)
        return self.server.mails()

    def test_the_letter_and_the_telephone(self):
        drive = self.drive()
        drive.wait_line("ref taken")
        (mail,) = self.wait_mails(1)
        self.assertEqual(mail["to"], "truc-ban@mobifone.example.vn, so-khcn@vinhlong.example.vn")
        self.assertRegex(mail["subject"], r"^Yêu cầu nhắn tin cảnh báo \(khẩn cấp\) - phiếu [0-9a-f]{8}$")
        self.assertEqual(mail["importance"], "high")
        number = drive.wait_line("ref sending ")[len("ref sending "):]
        self.assertEqual(mail["message-id"], f"<{number}@vinhlong.example.vn>")
        self.assertEqual(mail["date"], "Sun, 22 Nov 2026 21:06:00 +0700")
        text = mail.get_body().get_content().replace("\r\n", "\n")
        for want in ("PHIẾU YÊU CẦU NHẮN TIN CẢNH BÁO", f"Số phiếu (không gửi hai lần cùng một số): {number}",
                     "Cơ quan ban hành: Sở NN&MT Vĩnh Long", "Mức tin: khẩn cấp",
                     "Gửi xong trước: 2026-11-22T22:05:00+07:00", "Tên người gửi (brandname): VINHLONG",
                     "----------\nMan 4 g/l song Co Chien. Dong cong, tru nuoc ngot. 21h05 22/11, So NN&MT Vinh Long. Goi "
                     "112.\n----------", "29257 29254", "0270 3822 222"):
            self.assertIn(want, text)
        (form,) = [json.loads(part.get_content()) for part in mail.iter_attachments()]
        self.assertEqual((form["id"], form["communes"]), (number, ["29257", "29254"]))
        # taken by the mail server is not done: only a named person ends it
        drive.read(0.5)
        self.assertIsNone(drive.outcome)
        drive.say("confirm yes Nguyễn-Văn-A trực ban MobiFone nhận lúc 21h10")
        out = drive.end()
        self.assertEqual((out["state"], out["certainty"]), ("done", "accepted"))
        self.assertIn("Nguyễn-Văn-A, trực ban MobiFone nhận lúc 21h10", out["detail"])

    def test_refused_by_telephone(self):
        drive = self.drive()
        drive.wait_line("ref taken")
        drive.say("confirm no Trần-B sai địa bàn")
        out = drive.end()
        self.assertEqual((out["state"], out["code"]), ("refused", "refused-by-telephone"))

    def test_not_confirmed_in_the_end(self):
        drive = self.drive()
        drive.wait_line("ref taken")
        drive.say("stop")
        out = drive.end()
        self.assertEqual((out["state"], out["certainty"], out["code"]), ("uncertain", "accepted", "not-confirmed"))

    def test_server_down_or_busy_is_tried_again(self):
        (port,) = free_ports(1)
        out = self.drive(self.config(port=port)).end()
        self.assertEqual((out["state"], out["code"]), ("pending", "mail-down"))
        busy = Script("450")
        self.addCleanup(busy.close)
        out = self.drive(self.config(port=busy.port)).end()
        self.assertEqual((out["state"], out["code"]), ("pending", "mail-down"))

    def test_refused_by_the_server_is_told_at_once(self):
        server = Script("550")
        self.addCleanup(server.close)
        out = self.drive(self.config(port=server.port)).end()
        self.assertEqual((out["state"], out["code"]), ("failed", "mail-refused"))

    def test_line_lost_after_the_letter_is_doubt_not_failure(self):
        server = Script("lose")
        self.addCleanup(server.close)
        drive = self.drive(self.config(port=server.port))
        drive.wait_line("ref sending")
        end = time.monotonic() + 5
        while "mail.failed" not in drive.errors() and time.monotonic() < end:
            drive.read(0.1)
        self.assertIsNone(drive.outcome)
        drive.say("stop")
        self.assertEqual(drive.end()["state"], "uncertain")

    def test_killed_before_and_after_the_letter(self):
        drive = self.drive(environment={"KENG_FAULT": "sms.mail.before_send"})
        ref = drive.wait_line("ref ")[4:]
        drive.process.wait(timeout=10)
        self.assertTrue(ref.startswith("sending "))
        self.assertEqual(self.server.mails(), [])
        again = self.drive(ask=ref)
        again.wait_line("ref taken")
        self.wait_mails(1)
        again.process.kill()
        # known to be taken: asked again, nothing is sent, and the telephone still ends it
        third = self.drive(ask="taken x")
        third.wait_line("open")
        third.read(0.5)
        third.say("confirm yes A")
        self.assertEqual(third.end()["state"], "done")
        self.wait_mails(1)

    def test_drill_needs_the_switch_and_is_marked(self):
        out = self.drive(status="Exercise").end()
        self.assertEqual((out["state"], out["code"]), ("refused", "drill-switch-off"))
        drive = self.drive(self.config("drills: yes\n"), status="Exercise")
        drive.wait_line("ref taken")
        (mail,) = self.wait_mails(1)
        self.assertTrue(mail["subject"].startswith("[DIỄN TẬP] "))
        self.assertTrue(mail.get_body().get_content().startswith("DIỄN TẬP - PHIẾU"))
        drive.say("stop")
        drive.end()


class Spool(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.close)
        self.config = self.folder.write("spool.yaml", "folder: out\noperator: vnpt\nmessage:\n  sender: VINHLONG\n")

    def drive(self, **options):
        environment = options.pop("environment", None)
        drive = Drive("spool", self.config, self.folder.state, environment, **options)
        self.addCleanup(drive.kill)
        return drive

    def files(self):
        return sorted((self.folder.path / "out").iterdir())

    def test_one_file_that_says_all(self):
        out = self.drive().end()
        self.assertEqual((out["state"], out["certainty"]), ("done", "accepted"))
        (path,) = self.files()
        self.assertTrue(out["detail"].startswith(str(path)))
        form = json.loads(path.read_text())
        self.assertEqual(path.name, form["id"] + ".json")
        self.assertEqual((form["operator"], form["sender"], form["parts"]), ("vnpt", "VINHLONG", 1))
        self.assertIn("PHIẾU YÊU CẦU NHẮN TIN CẢNH BÁO", form["letter"])

    def test_killed_around_the_write_leaves_one_whole_file(self):
        for point in ("sms.spool.before_write", "sms.spool.after_write"):
            drive = self.drive(environment={"KENG_FAULT": point}, id=point)
            ref = drive.wait_line("ref ")[4:]
            drive.process.wait(timeout=10)
            self.assertEqual(self.drive(id=point, ask=ref).end()["state"], "done")
        self.assertEqual(len(self.files()), 2)
        for path in self.files():
            json.loads(path.read_text())

    def test_a_full_folder_is_tried_again(self):
        drive = self.drive(id="first")
        drive.end()
        (self.folder.path / "out").rename(self.folder.path / "gone")
        self.folder.write("out", "a file stands where the folder was")
        self.assertIn("out", self.drive(id="second").wait_line("error "))

    def test_a_text_too_long_is_refused_with_its_length(self):
        out = self.drive(sms="a" * 161).end()
        self.assertEqual((out["state"], out["code"]), ("refused", "text"))
        self.assertIn("161", out["detail"])
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
