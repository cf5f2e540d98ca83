"""The proof program must know a playing from everything that only looks like one: its verdict decides other tests."""
import array
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from listening import RATE, noise, proof, read_wav, silence, to_8k, tone, write_wav

WARNING = "Khẩn cấp. Có lũ quét tại xã Cái Nhum. Bà con sơ tán ngay lên nhà văn hóa ấp, mang theo giấy tờ và nước uống."
OTHER = "Thông báo. Ngày mai phát lịch thu gom rác tại chợ. Bà con phân loại rác tại nhà, để gọn trước cửa, cảm ơn bà con."


class Proof(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-proof-"))
        cls.ordered = cls.speak("ordered", WARNING)
        cls.samples = read_wav(cls.ordered)[1]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def speak(cls, name, text, voice="vi"):
        subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", cls.dir / f"{name}-voice.wav", text], check=True,
                       timeout=30)
        return to_8k(cls.dir / f"{name}-voice.wav", cls.dir / f"{name}.wav")

    def judge(self, samples):
        return proof(self.ordered, write_wav(self.dir / "recorded.wav", RATE, samples))

    def around(self, samples):
        """As a receiver hears it: something before, something after."""
        return tone(RATE, 300, 2.5) + array.array("h", samples) + silence(RATE, 1.7)

    def test_played(self):
        mixed = [x + y for x, y in zip(self.samples, noise(RATE, len(self.samples) / RATE, level=300))]
        for label, samples in (("alone", self.samples), ("in the middle of a programme", self.around(self.samples)),
                               ("20 dB quieter", self.around([x // 10 for x in self.samples])),
                               ("with some noise", self.around(mixed)),
                               ("wires crossed", self.around([max(-32768, min(32767, -x)) for x in self.samples]))):
            with self.subTest(label):
                played, line = self.judge(samples)
                self.assertTrue(played, line)
        played, line = self.judge(self.around(self.samples))
        self.assertIn("start=2.5", line)

    def test_not_played(self):
        half = len(self.samples) // 2
        second = RATE
        other = read_wav(self.speak("other", OTHER))[1]
        voice = read_wav(self.speak("voice", WARNING, "vi-vn-x-central"))[1]
        gap = self.samples[:2 * second] + silence(RATE, 3) + self.samples[5 * second:]
        swapped = self.samples[half:] + self.samples[:half]
        for label, samples in (("silence", silence(RATE, 20)), ("noise", noise(RATE, 20)), ("a tone", tone(RATE, 440, 20)),
                               ("another text", self.around(other)), ("the same text in another voice", self.around(voice)),
                               ("its first half", self.around(self.samples[:half])),
                               ("its second half", self.around(self.samples[half:])),
                               ("three seconds missing in the middle", self.around(gap)),
                               ("its halves in the wrong order", self.around(swapped)),
                               ("played backwards", self.around(self.samples[::-1])),
                               ("every second sample lost", self.around(self.samples[::2])),
                               ("too short", self.samples[:second])):
            with self.subTest(label):
                played, line = self.judge(samples)
                self.assertFalse(played, line)

    def test_files_that_cannot_be_compared(self):
        with self.assertRaises(AssertionError):
            proof(self.ordered, self.dir / "none.wav")
        with self.assertRaises(AssertionError):
            proof(self.ordered, write_wav(self.dir / "fast.wav", 48000, self.samples))


if __name__ == "__main__":
    unittest.main()
