"""Stems at other rates: every sample against the filter's definition, and the filter against libsoxr at its best."""
import json
import subprocess

import numpy as np

from farm_kit import RATE, FarmTest, digests, hash_seed, main, noise, read_wav, reelmill, timecode, write_wav
from wide_show import WideShow

STEP = 2.0 ** -23


def filter_taps(rate_in, rate_out):
    """sinc to 0.9565 of the lower Nyquist frequency, Kaiser window with beta 18.5, 140 frames of the lower rate to each side."""
    divisor = np.gcd(rate_in, rate_out)
    up, down = rate_out // divisor, rate_in // divisor
    half = 140 if down <= up else -(-140 * down // up)
    half += half % 2
    cutoff = 0.9565 * min(1.0, up / down)
    phase, k = np.arange(up)[:, None] / up, np.arange(2 * half)[None, :]
    distance = k - (half - 1) - phase
    inside = np.abs(distance) < half
    window = np.i0(18.5 * np.sqrt(np.where(inside, 1 - (distance / half) ** 2, 0.0))) / np.i0(18.5)
    return up, down, half, np.where(inside, cutoff * np.sinc(cutoff * distance) * window, 0.0)


def converted(samples, rate_in, rate_out):
    up, down, half, taps = filter_taps(rate_in, rate_out)
    count = -(-len(samples) * up // down)
    padded = np.pad(samples, (half, 2 * half + 2))
    place = np.arange(count) * down
    first = place // up + 1  # of the padded samples: frame place // up - half + 1
    out = np.empty(count)
    for begin in range(0, count, 4096):
        part = slice(begin, begin + 4096)
        out[part] = (padded[first[part, None] + np.arange(2 * half)] * taps[place[part] % up]).sum(axis=1)
    return out


def tone_levels(samples, tones, rate=RATE):
    """dB of each tone, and of the loudest of all else, by a window whose skirts fall below -180 dB."""
    window = np.kaiser(len(samples), 28)
    rest = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    levels = []
    for tone in tones:
        there = np.exp(-2j * np.pi * tone / rate * np.arange(len(samples)))  # tones may lie between the spectrum's lines
        levels.append(20 * np.log10(np.abs((samples * window * there).sum()) * 2 / window.sum()))
        rest[np.abs(hertz - tone) < 60] = 0
    return levels, 20 * np.log10(rest.max())


class Conversions(FarmTest):
    RATES = {"DX": 44100, "MX": 96000, "FX": 192000, "AD": 48000}

    def stems(self, *names):
        return [{"name": name, "recipe": "stem", "stem": name, "spec": "none"} for name in names or ("DX", "MX", "FX")]

    def test_every_sample_is_the_filters(self):
        def content(stem, reel, frames, channels):
            samples = noise(hash_seed(stem, reel), frames, channels, 0.02)
            samples[:200] *= 10    # something at the very edges
            return samples
        show = WideShow(self.folder, [7, 1], self.stems("DX", "FX"), content, self.RATES)
        outcome = self.passes(reelmill("run", show.path))
        self.assertIn("is converted to the show's 48000 Hz", reelmill("check", show.path).err)
        for stem in ("DX", "FX"):
            actual = read_wav(show.file(stem))[0]
            self.assertEqual(len(actual), 8 * RATE)
            for channel in (4,):  # the oracle takes its time
                exact = np.concatenate([converted(reel[:, channel], self.RATES[stem], RATE) for reel in show.programme[stem]])
                self.assertLessEqual(np.abs(actual[:, channel] - exact).max(), STEP / 2 + 2.0 ** -45, (stem, channel))
        self.assertEqual(outcome.code, 0)

    def test_bytes_do_not_depend_on_the_cut(self):
        show = WideShow(self.folder, [7, 1], self.stems("DX", "AD"), rates={"DX": 44100, "AD": 96000})
        seen = {}
        # The reference computes one multiply-add at a time, so it gets one stem.
        for cells, cpu, only in ((64, "scalar", "DX"), (1, "avx2", "DX,AD"), (2, "avx512", "DX,AD")):
            out = self.folder / f"out-{cells}"
            self.passes(reelmill("run", show.path, "--workers", 2, "--cells-per-task", cells, "--cpu", cpu, "--only", only,
                                 "--out", out))
            seen[cells] = digests(out)
        self.assertEqual((len(seen[64]), len(seen[1])), (1, 2))
        self.assertEqual(seen[1], seen[2])
        self.assertLessEqual(seen[64].items(), seen[1].items())

    def test_no_worse_than_libsoxr_at_its_best(self):
        """Tones through the pass band and above it: gain of the first, and all that the others leave behind."""
        recipes = self.folder / "recipes"
        recipes.mkdir()
        (recipes / "float.yaml").write_text("reelmill_recipe: 1\nextends: stem\nencoding: FLOAT_32\n")
        cases = {"DX": (44100, [997, 12345, 19900], []), "MX": (96000, [997, 12345, 21800], [24500, 31000, 47000]),
                 "FX": (192000, [997, 21800], [25000, 70000, 95000])}

        def content(stem, reel, frames, channels):
            samples = np.zeros((frames, channels))
            if stem in cases:
                rate, kept, gone = cases[stem]
                time = np.arange(frames) / rate
                samples[:, 0] = sum(0.15 * np.sin(2 * np.pi * tone * time + tone) for tone in kept + gone)
            return samples
        show = WideShow(self.folder, [2], [{**item, "recipe": "float"} for item in self.stems()], content, self.RATES)
        self.passes(reelmill("run", show.path))
        for stem, (rate, kept, _) in cases.items():
            ours = read_wav(show.file(stem))[0][RATE // 2:RATE // 2 + RATE, 0]
            raw = subprocess.run(["ffmpeg", "-v", "error", "-i", self.folder / "stems" / f"R1_{stem}.wav", "-af",
                                  "pan=mono|c0=c0,aresample=48000:resampler=soxr:precision=28:osf=dbl", "-f", "f64le", "-"],
                                 capture_output=True, check=True).stdout
            theirs = np.frombuffer(raw, "<f8")[RATE // 2:RATE // 2 + RATE]
            wanted = 20 * np.log10(0.15)
            (our_levels, our_rest), (their_levels, their_rest) = tone_levels(ours, kept), tone_levels(theirs, kept)
            print(f"{rate} Hz: pass band {max(abs(level - wanted) for level in our_levels):.1e} dB (libsoxr "
                  f"{max(abs(level - wanted) for level in their_levels):.1e}), all else {our_rest:.1f} dB ({their_rest:.1f})")
            for ours_at, theirs_at in zip(our_levels, their_levels):
                self.assertLessEqual(abs(ours_at - wanted), abs(theirs_at - wanted) + 1e-5)
            # 24-bit stems and 32-bit floats leave their own rounding: below -150 dB nothing else is seen.
            self.assertLessEqual(our_rest, max(their_rest + 0.5, -150.0))

    def test_every_output_rate_no_worse_than_libsoxr(self):
        """To every rate and by every speed from 48 kHz: pass band, and what images and aliases leave, beside libsoxr's best."""
        cases = {"A": ("sample_rate: 44100", 44100, 48000), "B": ("sample_rate: 88200", 88200, 48000),
                 "C": ("sample_rate: 96000", 96000, 48000), "D": ("sample_rate: 176400", 176400, 48000),
                 "E": ("sample_rate: 192000", 192000, 48000), "F": ("picture_rate: 25", 48000, 50000),
                 "G": ("picture_rate: 23.976", 48000, None)}  # 48000 x 1000 / 1001 is no rate that libsoxr can be told
        tones = [997, 12345, 19500, 23500]

        def content(stem, reel, frames, channels):
            samples = np.zeros((frames, channels))
            if stem == "AD":
                time = np.arange(frames) / RATE
                samples[:, 0] = sum(0.15 * np.sin(2 * np.pi * tone * time + tone) for tone in tones)
            return samples
        (self.folder / "recipes").mkdir()
        for name, (text, _, _) in cases.items():
            (self.folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\nextends: stem\nencoding: FLOAT_32\n{text}\n")
        show = WideShow(self.folder, [4], [{"name": name, "recipe": name, "stem": "AD", "spec": "none"} for name in cases], content)
        self.passes(reelmill("run", show.path))
        for name, (text, rate, taken_as) in cases.items():
            speed = taken_as / RATE if taken_as else 1000 / 1001
            kept = [tone * speed for tone in tones if tone * speed < rate / 2]  # the last lies beyond the pass band
            within = [tone < 0.9 * min(rate, RATE * speed) / 2 for tone in kept]
            ours = read_wav(show.file(name))[0][rate:2 * rate, 0]
            our_levels, our_rest = tone_levels(ours, kept, rate)
            their_levels, their_rest = [20 * np.log10(0.15)] * len(kept), -170.0
            if taken_as:
                raw = subprocess.run(["ffmpeg", "-v", "error", "-i", self.folder / "stems" / "R1_AD.wav", "-af",
                                      f"asetrate={taken_as},aresample={rate}:resampler=soxr:precision=28:osf=dbl", "-f", "f64le", "-"],
                                     capture_output=True, check=True).stdout
                their_levels, their_rest = tone_levels(np.frombuffer(raw, "<f8")[rate:2 * rate], kept, rate)
            our_levels = [level for level, inside in zip(our_levels, within) if inside]
            their_levels = [level for level, inside in zip(their_levels, within) if inside]
            wanted = 20 * np.log10(0.15)
            print(f"{text}: pass band {max(abs(level - wanted) for level in our_levels):.1e} dB (libsoxr "
                  f"{max(abs(level - wanted) for level in their_levels):.1e}), all else {our_rest:.1f} dB ({their_rest:.1f})")
            with self.subTest(text):
                for ours_at, theirs_at in zip(our_levels, their_levels):
                    self.assertLessEqual(abs(ours_at - wanted), abs(theirs_at - wanted) + 1e-5)
                self.assertLessEqual(our_rest, max(their_rest + 0.5, -150.0))  # as above: the stem's own rounding

    def recipes(self, **texts):
        (self.folder / "recipes").mkdir(exist_ok=True)
        for name, text in texts.items():
            (self.folder / "recipes" / f"{name}.yaml").write_text(
                f"reelmill_recipe: 1\nextends: printmaster-5.1\nroles: [dialogue]\n{text}\n")
        return [{"name": name.upper(), "recipe": name, "spec": "none"} for name in texts]

    @staticmethod
    def reference(path):
        blob = path.read_bytes()
        at = blob.index(b"bext") + 8
        return int.from_bytes(blob[at + 338:at + 346], "little")

    def test_files_at_other_rates(self):
        """Delivered at 44.1, 96 and 192 kHz, reels joined and apart: every sample by the filter, lengths and starts by hand."""
        wanted = {"a": (44100, "sample_rate: 44100\nassembly: both\nffoa: '10:00:00:00'"), "b": (96000, "sample_rate: 96000"),
                  "c": (192000, "sample_rate: 192000\nencoding: FLOAT_32"), "d": (48000, "encoding: PCM_24")}
        show = WideShow(self.folder, [4, 1], self.recipes(**{name: text for name, (_, text) in wanted.items()}))
        report = self.passes(reelmill("run", show.path, "--json", "--workers", 1)).json()
        for name, (rate, _) in wanted.items():
            actual, _, _, stated = read_wav(show.file(name.upper()))
            self.assertEqual((stated, len(actual)), (rate, 5 * rate))
            start = 10 if name == "a" else 1
            self.assertEqual(self.reference(show.file(name.upper())), start * 3600 * rate)
            made = next(item for item in report["programmes"] if item["deliverable"] == name.upper() and item["reel"] is None)
            self.assertEqual(made["start_timecode"], f"{start:02}:00:00:00")
            self.assertEqual(made["range"], {"start_sample": 0, "end_sample": 5 * rate})
            bed, at = show.joined("DX")[:, 4], 0  # Ls
            for reel, seconds in enumerate((4, 1)):
                part = bed[at * RATE:(at + seconds) * RATE]
                exact = part if rate == RATE else converted(part, RATE, rate)
                error = np.abs(actual[at * rate:(at + seconds) * rate, 4] - exact).max()
                self.assertLessEqual(error, STEP / 2 + 2.0 ** -45, (rate, reel))
                at += seconds
        for reel, seconds in (("R1", 4), ("R2", 1)):
            path = show.file("A", suffix=f"_{reel}")
            self.assertEqual(len(read_wav(path)[0]), seconds * 44100)
            self.assertEqual(self.reference(path), (3600 if reel == "R1" else 7200) * 44100)
        out = self.folder / "other"
        self.passes(reelmill("run", show.path, "--out", out, "--workers", 3, "--cells-per-task", 1, "--cpu", "avx2"))
        self.assertEqual(digests(out), digests(self.folder / "out"))

    def test_changes_of_the_picture_rate(self):
        """24 to 25 and to 23.976: the programme runs 25/24 and 1000/1001 as fast. Pictures: 168 and 24 of them."""
        wanted = {"pal": (25, 24, 1920, "picture_rate: 25"), "ntsc": (1000, 1001, 2002, "picture_rate: 23.976\nassembly: both")}
        show = WideShow(self.folder, [7, 1], self.recipes(**{name: item[-1] for name, item in wanted.items()}))
        report = self.passes(reelmill("run", show.path, "--json")).json()
        for name, (num, den, picture, _) in wanted.items():
            actual, _, _, stated = read_wav(show.file(name.upper()))
            self.assertEqual((stated, len(actual)), (RATE, 192 * picture))
            made = next(item for item in report["programmes"] if item["deliverable"] == name.upper() and item["reel"] is None)
            self.assertEqual((made["frame_rate"], made["start_timecode"]), ("25" if name == "pal" else "23.976", "01:00:00:00"))
            # 01:00:00:00 is picture 90,000 at 25 and 86,400 at 23.976 frames per second.
            self.assertEqual(self.reference(show.file(name.upper())), (90000 if name == "pal" else 86400) * picture)
            bed = show.joined("DX")[:, 4]
            for first, end in ((0, 168), (168, 192)):
                exact = converted(bed[first * 2000:end * 2000], RATE * num, RATE * den)
                self.assertEqual(len(exact), (end - first) * picture)
                error = np.abs(actual[first * picture:end * picture, 4] - exact).max()
                self.assertLessEqual(error, STEP / 2 + 2.0 ** -45, (name, first))
        self.assertEqual(self.reference(show.file("NTSC", suffix="_R2")), 2 * 86400 * 2002)
        self.assertEqual(len(read_wav(show.file("NTSC", suffix="_R2"))[0]), 24 * 2002)
        out = self.folder / "other"
        self.passes(reelmill("run", show.path, "--out", out, "--workers", 3, "--cells-per-task", 1))
        self.assertEqual(digests(out), digests(self.folder / "out"))

    def test_lengths_and_timecodes_of_every_speed(self):
        """Two reels of 50 and 25 pictures, joined, between all rates that speed alone brings together; the figures by hand."""
        # show's rate, its samples at 50 pictures; delivered rate, samples at 75 pictures, sample of picture 60, of 01:00:00:00
        cases = [("23.976", 100100, "24", 150000, 120000, 172800000), ("23.976", 100100, "25", 144000, 115200, 172800000),
                 ("24", 100000, "23.976", 150150, 120120, 172972800), ("24", 100000, "25", 144000, 115200, 172800000),
                 ("25", 96000, "24", 150000, 120000, 172800000), ("25", 96000, "23.976", 150150, 120120, 172972800),
                 ("29.97", 80080, "30", 120000, 96000, 172800000), ("30", 80000, "29.97", 120120, 96096, 172972800),
                 ("59.94", 40040, "60", 60000, 48000, 172800000), ("60", 40000, "59.94", 60060, 48048, 172972800)]
        for given, fifty, wanted, length, sixty, start in cases:
            with self.subTest(given=given, wanted=wanted):
                folder = self.folder / f"{given}-{wanted}"
                (folder / "recipes").mkdir(parents=True)
                (folder / "recipes" / "r.yaml").write_text(f"reelmill_recipe: 1\nextends: stem\npicture_rate: {wanted}\n")
                nominal = round(float(given))
                first, second = np.zeros((fifty, 1)), np.zeros((fifty // 2, 1))
                second[fifty // 5] = 0.5  # picture 10 of it, which is number 60
                write_wav(folder / "R1.wav", first)
                write_wav(folder / "R2.wav", second)
                reels = []
                for hour, pictures in ((1, 50), (2, 25)):
                    begin = hour * 3600 * nominal
                    reels.append({"name": f"R{hour}", "start": timecode(begin, nominal), "ffoa": timecode(begin, nominal),
                                  "lfoa": timecode(begin + pictures - 1, nominal)})
                (folder / "show.yaml").write_text(json.dumps(
                    {"reelmill": 1, "title": "T", "slug": "T", "version": "v01", "frame_rate": given, "sample_rate": RATE, "pops": "none",
                     "stems": {"MX": {"role": "music", "layout": "mono", "file": "{reel}.wav"}}, "reels": reels, "output": "out",
                     "deliverables": [{"name": "MX", "recipe": "r", "stem": "MX", "spec": "none"}]}))
                report = self.passes(reelmill("run", folder / "show.yaml", "--json")).json()
                made = next(item for item in report["programmes"] if item["reel"] is None)
                self.assertEqual((made["frame_rate"], made["start_timecode"]), (wanted, "01:00:00:00"))
                path = folder / "out/T/v01/MX/T_MX.wav"
                samples = read_wav(path)[0][:, 0]
                self.assertEqual((len(samples), int(np.abs(samples).argmax()), self.reference(path)), (length, sixty, start))

    def test_what_speed_cannot_do_is_refused(self):
        cases = {"up": ("picture_rate: 30", "picture_rate 30 cannot be had from 24 by the programme's speed alone"),
                 "kept": ("picture_rate: 25\npitch: kept", "needs a correction of pitch"),
                 "reels": ("picture_rate: 25\nassembly: both", "give it `assembly: joined`"),
                 "both": ("picture_rate: 23.976\nsample_rate: 44100", "a ratio that this version does not convert"),
                 "start": ("ffoa: '10:00:00:24'", "is no timecode at 24 frames per second")}
        for name, (text, sentence) in cases.items():
            with self.subTest(name):
                show = WideShow(self.folder / name, [1], [{"name": "PM", "recipe": name, "spec": "none"}])
                (self.folder / name / "recipes").mkdir()
                (self.folder / name / "recipes" / f"{name}.yaml").write_text(
                    f"reelmill_recipe: 1\nextends: printmaster-5.1\n{text}\n")
                self.assertIn(sentence, self.passes(reelmill("plan", show.path), 2).err)

    def test_rates_without_a_conversion_are_refused(self):
        show = WideShow(self.folder, [1], self.stems(), rates={"DX": 32000})
        outcome = self.passes(reelmill("run", show.path), 2)
        self.assertIn("deliver it at the show's sample rate", outcome.err)


if __name__ == "__main__":
    main()
