"""EBU Tech 3341 and 3342 through `reelmill qc`: the synthesisable signals, and the official files where they are."""
import csv
import subprocess
import sys

import numpy as np

from farm_kit import RATE, SHARED, FarmTest, main, read_wav, reelmill, write_wav

FIGURES = {"I_LUFS": ("loudness", "integrated_lufs"), "I_LKFS": ("loudness", "integrated_lufs"),
           "max_S_LUFS": ("loudness", "max_short_term_lufs"), "max_M_LUFS": ("loudness", "max_momentary_lufs"),
           "LRA": ("loudness", "range_lu"), "TP": ("peaks", "true_peak_dbtp"), "max_TP_dBTP": ("peaks", "true_peak_dbtp")}


def tone(parts, channels=(1.0, 1.0), frequency=1000.0):
    """Steps of (seconds, dBFS or None) of a sine, in phase in every channel with a gain."""
    levels = np.concatenate([np.full(round(seconds * RATE), 0.0 if level is None else 10 ** (level / 20))
                             for seconds, level in parts])
    return (levels * np.sin(2 * np.pi * frequency * np.arange(len(levels)) / RATE))[:, None] * np.array(channels)


def peak_tone(divisor, amplitude, degrees):
    """Tech 3341 cases 15 to 19: a sine of fs / divisor with 10 ms fades."""
    n = np.arange(RATE)
    fade = np.minimum(1.0, np.minimum(n, RATE - 1 - n) / 480)
    sine = amplitude * np.sin(2 * np.pi * n / divisor + np.radians(degrees)) * fade
    return np.repeat(sine[:, None], 2, axis=1)


def inserted_period(offset):
    """Cases 20 to 23: at 4 fs a sine of fs/6 with one period of fs/4 at full scale in it, low-passed, decimated."""
    slow, fast = 24, 16  # samples of a period at 4 fs
    before = 0.5 * np.sin(2 * np.pi * np.arange(slow * 500) / slow)
    wave = np.concatenate([before, np.sin(2 * np.pi * np.arange(fast) / fast), before])
    n = np.arange(len(wave))
    wave *= np.minimum(1.0, np.minimum(n, len(wave) - 1 - n) / 960)
    spectrum = np.fft.rfft(wave)
    spectrum[len(wave) // 8:] = 0.0  # below fs/2
    return np.repeat(np.fft.irfft(spectrum, len(wave))[offset::4][:, None], 2, axis=1)


def synthetic():
    """(name, samples, figure, expected, below, above)"""
    loud = lambda parts: tone(parts)
    yield "3341-1", loud([(20, -23)]), "I_LUFS", -23.0, 0.1, 0.1
    yield "3341-2", loud([(20, -33)]), "I_LUFS", -33.0, 0.1, 0.1
    yield "3341-3", loud([(10, -36), (60, -23), (10, -36)]), "I_LUFS", -23.0, 0.1, 0.1
    yield "3341-4", loud([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)]), "I_LUFS", -23.0, 0.1, 0.1
    yield "3341-5", loud([(20, -26), (20.1, -20), (20, -26)]), "I_LUFS", -23.0, 0.1, 0.1
    surround = [10 ** (level / 20) for level in (-28, -28, -24, -30, -30)]
    yield "3341-6", tone([(20, 0)], surround), "I_LUFS", -23.0, 0.1, 0.1
    yield "3341-9", loud([(1.34, -20), (1.66, -30)] * 5), "max_S_LUFS", -23.0, 0.1, 0.1
    yield "3341-12", loud([(0.18, -20), (0.22, -30)] * 25), "max_M_LUFS", -23.0, 0.1, 0.1
    for i in range(20):
        yield f"3341-10-{i}", loud([(i * 0.15, None), (3, -23), (1, None)]), "max_S_LUFS", -23.0, 0.1, 0.1
        yield f"3341-13-{i}", loud([(i * 0.02, None), (0.4, -23), (1, None)]), "max_M_LUFS", -23.0, 0.1, 0.1
    for case, (divisor, amplitude, degrees, expected) in {15: (4, 0.5, 0, -6), 16: (4, 0.5, 45, -6), 17: (6, 0.5, 60, -6),
                                                          18: (8, 0.5, 67.5, -6), 19: (4, 1.41, 45, 3)}.items():
        yield f"3341-{case}", peak_tone(divisor, amplitude, degrees), "TP", expected, 0.4, 0.2
    for offset in range(4):
        yield f"3341-{20 + offset}", inserted_period(offset), "TP", 0.0, 0.4, 0.2
    for case, levels, expected in ((1, (-20, -30), 10), (2, (-20, -15), 5), (3, (-40, -20), 20),
                                   (4, (-50, -35, -20, -35, -50), 15)):
        yield f"3342-{case}", loud([(20, level) for level in levels]), "LRA", expected, 1.0, 1.0


class Vectors(FarmTest):
    def judge(self, cases, *options):
        """cases: path -> (figure, expected, below, above); one qc run for all of them."""
        report = reelmill("qc", *cases, *options, "--json").json()
        seen = {}
        for entry in report["programmes"]:
            seen[entry["files"][0]] = entry
        self.assertEqual(len(seen), len(cases))
        for path, (figure, expected, below, above) in cases.items():
            with self.subTest(file=path.name):
                group, key = FIGURES[figure]
                value = seen[str(path)][group][key]
                self.assertIsNotNone(value)
                self.assertGreaterEqual(value, expected - below)
                self.assertLessEqual(value, expected + above)

    def test_synthesised_signals(self):
        cases, five = {}, {}
        for name, samples, figure, expected, below, above in synthetic():
            path = self.folder / f"{name}.wav"
            write_wav(path, samples, "float" if name == "3341-19" else 24)
            (five if samples.shape[1] == 5 else cases)[path] = (figure, expected, below, above)
        self.judge(cases)
        self.judge(five, "--layout", "5.0")

    def test_official_files(self):
        vectors = SHARED / "audio" / "vectors"
        if not vectors.is_dir():
            print(f"skipped: no official vectors at {vectors} (REELMILL_SHARED)")
            self.skipTest("no official vectors")
        subprocess.run([sys.executable, vectors / "ebu-v05" / "restore.py", self.folder], check=True,
                       capture_output=True)
        cases = {}
        for source, folder in (("ebu-v05", self.folder), ("itu-pyloudnorm", vectors / "itu-pyloudnorm")):
            for row in csv.DictReader((vectors / source / "expected.tsv").read_text().splitlines(), delimiter="\t"):
                figure = row["measure"].split(" ")[0]
                tolerance = row["tolerance"].replace("+-", "")
                path = folder / row["file"]
                if "successive" in row["measure"]:  # for live meters: every block as a file of its own
                    figure = row["measure"].split(" ")[0]
                    samples = read_wav(path)[0]
                    length = len(samples) // 20
                    for i in range(20):
                        part = self.folder / f"{path.name}-{i}.wav"
                        write_wav(part, samples[i * length:(i + 1) * length])
                        cases[part] = (figure, -38.0 + i, 0.1, 0.1)
                    continue
                if figure in ("S_LUFS", "M_LUFS"):
                    figure = "max_" + figure
                if "/" in tolerance:
                    above, below = (abs(float(part)) for part in tolerance.split("/"))
                elif tolerance[0].isdigit():
                    above = below = float(tolerance)
                else:
                    continue  # another program's reading, not a standard's
                cases[path] = (figure, float(row["expected"]), below, above)
        self.assertGreater(len(cases), 90)
        self.judge(cases)


if __name__ == "__main__":
    main()
