"""Radio for real: publisher, router and keng-broadcast, a real Liquidsoap with our keng.liq, a real Icecast, and somebody
who listens to its public stream.

What was ordered is the sound that the television's spool was given: the same text through another driver.
"""
import json
import os
import pathlib
import shutil
import signal
import tempfile
import time
import unittest

from airing_system import AiringSystem
from listening import RATE, proof, read_wav, runs, to_8k, tones, write_wav
from radio import PROGRAMME_HZ, Radio, beep
from system import short_form, wait_until

RADIO, TV = "86.radio", "86.tv"
URGENT, PRIORITY = (1000, 750), (620, 820)
SHORT = {"areas": '["29050"]', "description": "Nước lên nhanh.", "headline": "Lũ quét tại xã Bình Đại",
         "instruction": "Bà con sơ tán ngay lên chỗ cao."}


class Broadcast(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-radio-"))
        cls.radio = Radio(cls.dir / "station")

    @classmethod
    def tearDownClass(cls):
        cls.radio.close()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def setUp(self):
        if "liquidsoap" not in self.radio.processes:
            self.radio.start()  # a test that failed left it dead

    def system(self, token=None, more=""):
        s = AiringSystem()
        self.addCleanup(s.close)
        secret = s.home / "liquidsoap.token"
        secret.write_text((token or self.radio.token) + "\n")
        os.chmod(secret, 0o600)
        s.drivers("broadcast", {"air": ("liquidsoap", f"url: http://127.0.0.1:{self.radio.port}\n"
                                        f"token_file: ../liquidsoap.token\nfolder: {self.dir}/sounds\npoll_ms: 200\n"
                                        f"speech: {{rate: 220}}\n{more}"),
                                "screen": ("spool", "folder: ../spool/broadcast\nspeech: {rate: 220}\n")},
                  {RADIO: ("air", "", ""), TV: ("screen", "", "")})
        return s.up("broadcast")

    def order_of(self, s, alert, playing=0):
        path = s.home / f"spool/broadcast/{TV}/{alert}-{playing}.json"
        wait_until(path.exists, what="the television's order")
        return path

    def on_air(self, s, alert):
        """The ids of the alert's orders that are on the air now, as the playout says."""
        name = f"{RADIO}.{alert}-0"
        return [i for i in (name, name + "-r") if self.radio.state(i) == "on_air"]

    def kinds(self, wav, window=0.125):
        rate, samples = read_wav(wav)
        return rate, samples, tones(samples, rate, (PROGRAMME_HZ,) + URGENT + PRIORITY, window)

    def test_an_urgent_warning_cuts_in_is_heard_and_the_programme_goes_on(self):
        s = self.system()
        listener = self.radio.listen("urgent")
        time.sleep(2)
        before = time.time()
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: self.on_air(s, alert), 20, what="the warning on the air")
        row = s.outcome(alert, RADIO, 90)
        self.assertEqual(("done", "finished"), (row["state"], row["certainty"]), row)
        time.sleep(3)
        recording = listener.stop()
        ordered = to_8k(self.order_of(s, alert).with_suffix(".wav"), self.dir / "ordered.wav")
        played, line = proof(ordered, recording)
        self.assertTrue(played, line)
        rate, samples, found = self.kinds(recording)
        first = next(i for i, hz in enumerate(found) if hz in URGENT)
        self.assertIn(PROGRAMME_HZ, found[:first], "the programme before")
        self.assertEqual(set(URGENT), {hz for hz in found[first:first + 30] if hz}, "the attention signal")
        self.assertEqual({PROGRAMME_HZ}, {hz for hz in found[-16:] if hz}, "the programme afterwards")
        # the check itself: an altered recording, another text
        altered = list(samples)
        start = first * len(samples) // len(found) + 5 * RATE
        altered[start:start + 4 * RATE] = [0] * (4 * RATE)
        self.assertFalse(proof(ordered, write_wav(self.dir / "altered.wav", RATE, altered))[0])
        second = s.publish(short_form(**{**SHORT, "headline": "Nước sạch có trở lại", "class": "priority"}), follow=False)
        other = to_8k(self.order_of(s, second).with_suffix(".wav"), self.dir / "other.wav")
        self.assertFalse(proof(other, recording)[0])
        s.outcome(second, RADIO, 90)
        self.assertGreater(time.time(), before)

    def test_priority_waits_for_the_programmes_item_and_urgent_goes_before_it(self):
        s = self.system()
        listener = self.radio.listen("priority")
        time.sleep(1)
        alert = s.publish(short_form(**{**SHORT, "class": "priority"}), follow=False)
        row = s.outcome(alert, RADIO, 90)
        self.assertEqual(("done", "finished"), (row["state"], row["certainty"]), row)
        time.sleep(2)
        _, _, found = self.kinds(listener.stop())
        first = next(i for i, hz in enumerate(found) if hz in PRIORITY)
        # the programme's items last four seconds, and the station starts with one: the bulletin begins at their end
        whole = [n for hz, n in runs(found[:first]) if hz == PROGRAMME_HZ]
        self.assertGreaterEqual(sum(whole), 8)
        self.assertEqual({PROGRAMME_HZ}, {hz for hz in found[-8:] if hz})

    def test_what_the_station_is_told(self):
        s = self.system()
        alert = s.publish(short_form(**SHORT), follow=False)
        order = json.loads(self.order_of(s, alert).read_text())
        self.assertEqual(("play", "interrupt", True, "urgent", TV, False),
                         tuple(order[k] for k in ("state", "mode", "full_text_must_carry", "class", "station", "drill")))
        self.assertIn("Quyết định", order["legal_basis"])
        crawl = (self.order_of(s, alert).parent / order["crawl_file"]).read_text()
        self.assertIn("Lũ quét tại xã Bình Đại", crawl)
        self.assertIn("112", crawl)
        self.assertEqual("done", s.outcome(alert, RADIO, 90)["state"])

    def test_a_retraction_takes_it_off_the_air(self):
        s = self.system()
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: self.on_air(s, alert), 20, what="the warning on the air")
        asked = time.monotonic()
        done = s.keng("station", "stop", "--to", "broadcast", RADIO, alert, "thử dừng")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        wait_until(lambda: not self.on_air(s, alert), 5, what="silence")
        self.assertLess(time.monotonic() - asked, 1.5)
        row = s.outcome(alert, RADIO)
        self.assertEqual("partial", row["state"], row)

    def test_a_playout_that_dies_in_the_middle_repeats_it_labelled(self):
        s = self.system()
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: self.on_air(s, alert), 20, what="the warning on the air")
        time.sleep(1)
        self.radio.stop("liquidsoap", signal.SIGKILL)
        time.sleep(1)
        self.radio.start()
        listener = self.radio.listen("again")
        row = s.outcome(alert, RADIO, 90)
        self.assertEqual(("done", "finished"), (row["state"], row["certainty"]), row)
        self.assertEqual("done", self.radio.state(f"{RADIO}.{alert}-0-r"), "played again under the label of a repeat")
        self.assertEqual("", self.radio.state(f"{RADIO}.{alert}-0"), "never again without it")
        _, _, found = self.kinds(listener.stop())
        self.assertEqual(set(URGENT), {hz for hz in found if hz in URGENT})

    def test_a_sink_that_dies_in_the_middle_asks_instead_of_playing_twice(self):
        s = self.system()
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: self.on_air(s, alert), 20, what="the warning on the air")
        listener = self.radio.listen("once")
        s.kill("broadcast")
        time.sleep(1)
        s.start("broadcast")
        row = s.outcome(alert, RADIO, 90)
        self.assertEqual(("done", "finished"), (row["state"], row["certainty"]), row)
        time.sleep(3)
        _, _, found = self.kinds(listener.stop())
        self.assertEqual(PROGRAMME_HZ, [hz for hz in found if hz][-1])
        self.assertEqual("", self.radio.state(f"{RADIO}.{alert}-0-r"))

    def test_a_sound_that_the_playout_cannot_read_is_a_failure(self):
        s = self.system(more="seen_as: /somewhere/else\n")
        alert = s.publish(short_form(**SHORT), follow=False)
        row = s.outcome(alert, RADIO, 60)
        self.assertEqual(("failed", "sound-unreadable"), (row["state"], row["code"]), row)

    def test_a_wrong_token_is_told_and_mended(self):
        s = self.system(token="not-this-one")
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: "từ chối mã truy cập" in s.keng("station", "show", "--to", "broadcast", RADIO).stdout, 20,
                   what="the refusal shown to the operator")
        (s.home / "liquidsoap.token").write_text(self.radio.token + "\n")
        s.kill("broadcast", signal.SIGTERM)
        s.start("broadcast")
        self.assertEqual("done", s.outcome(alert, RADIO, 90)["state"])

    def test_a_playout_that_is_down_is_tried_until_it_is_back(self):
        s = self.system()
        self.radio.stop("liquidsoap")
        alert = s.publish(short_form(**SHORT), follow=False)
        wait_until(lambda: "Không kết nối được với máy phát" in s.keng("station", "show", "--to", "broadcast", RADIO).stdout, 20,
                   what="the failure shown to the operator")
        self.radio.start()
        row = s.outcome(alert, RADIO, 120)
        self.assertEqual("done", row["state"], row)

    def test_the_door_refuses_what_it_should(self):
        r = self.radio
        self.assertEqual(401, r.ask("status", token="wrong", id="x")[0])
        self.assertEqual(404, r.ask("status", id="x")[0])
        self.assertEqual(404, r.ask("stop", id="x")[0])
        for body in (b"", b"not json", b"[]", b'{"id": 3}', b'{"id": "a"}'):
            self.assertEqual(400, r.ask("play", raw=body)[0], body)
        self.assertEqual(422, r.ask("play", id="n", uri="/none.wav", mode="interrupt", title="x")[0])
        wav = beep(self.dir / "beep.wav", 1000, 1)
        title = 'KHẨN "CẤP" \\ :#{'
        self.assertEqual(202, r.ask("play", id="b", uri=str(wav), mode="interrupt", title=title)[0])
        self.assertEqual(200, r.ask("play", id="b", uri=str(wav), mode="interrupt", title=title)[0], "told twice")
        wait_until(lambda: r.title() == title, 15, what="the title on Icecast")
        wait_until(lambda: r.state("b") == "done", 15, what="the end")
        answer = r.ask("status", id="b")[1]
        self.assertAlmostEqual(1.1, answer["ended"] - answer["started"], delta=0.3)
        wait_until(lambda: r.title() != title, 15, what="the programme's title again")


if __name__ == "__main__":
    unittest.main()
