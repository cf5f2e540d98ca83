"""Ears for the tests: sounds as lists of samples, the share of a tone, the proof that a sound was played.

Not a test file: test_loudspeaker.py and test_broadcast.py use it.
"""
import array
import math
import pathlib
import random
import subprocess
import wave

from system import BIN

PROOF = BIN.parent / "tests/proof/proof"
RATE = 8000  # what proof compares at


def read_wav(path):
    with wave.open(str(path)) as w:
        assert w.getnchannels() == 1 and w.getsampwidth() == 2, path
        return w.getframerate(), array.array("h", w.readframes(w.getnframes()))


def write_wav(path, rate, samples):
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(array.array("h", samples).tobytes())
    return pathlib.Path(path)


def tone(rate, hz, seconds, level=8000):
    return array.array("h", (int(level * math.sin(2 * math.pi * hz * i / rate)) for i in range(int(rate * seconds))))


def silence(rate, seconds):
    return array.array("h", bytes(2 * int(rate * seconds)))


def noise(rate, seconds, level=3000, seed=1):
    dice = random.Random(seed)
    return array.array("h", (int(dice.uniform(-level, level)) for _ in range(int(rate * seconds))))


def share(samples, rate, hz):
    """The part (0 to 1) of the power that lies at hz (Goertzel)."""
    c = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = power = 0.0
    for x in samples:
        a, b = x + c * a - b, a
        power += float(x) * x
    return (a * a + b * b - c * a * b) * 2 / len(samples) / power if power else 0.0


def tones(samples, rate, frequencies, window=0.1, least=0.5):
    """For each window the frequency that rules it, or None."""
    n = int(rate * window)
    found = []
    for at in range(0, len(samples) - n, n):
        part = samples[at:at + n]
        loud = math.sqrt(sum(float(x) * x for x in part) / n)
        best = max(frequencies, key=lambda hz: share(part, rate, hz)) if loud > 100 else None
        found.append(best if best and share(part, rate, best) >= least else None)
    return found


def runs(values):
    """[value, how many in a row] pairs."""
    out = []
    for v in values:
        if out and out[-1][0] == v:
            out[-1][1] += 1
        else:
            out.append([v, 1])
    return out


def to_8k(source, target):
    """Any sound file or Ogg recording to 8 kHz mono 16 bit. (sox: unlike GStreamer's, its Ogg reader follows a stream
    whose title changes. Through a pipe: it must not look for the end of a recording that was cut off anywhere.)"""
    source = pathlib.Path(source)
    done = subprocess.run(["sox", "-G", "-t", source.suffix[1:], "-", "-r", str(RATE), "-c", "1", "-b", "16", target],
                          input=source.read_bytes(), timeout=120, check=False, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{source}: {done.stderr.decode(errors='replace')}")
    return pathlib.Path(target)


def proof(ordered, recorded):
    """(was it played, the program's line); both files at 8 kHz."""
    done = subprocess.run([PROOF, ordered, recorded], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode not in (0, 1):
        raise AssertionError(done.stderr)
    return done.returncode == 0, done.stdout.strip()
