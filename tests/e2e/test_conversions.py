"""Stems at other rates: every sample against the filter's definition, and the filter against libsoxr at its best."""
import subprocess

import numpy as np

from farm_kit import RATE, FarmTest, digests, hash_seed, main, noise, read_wav, reelmill
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


def tone_levels(samples, tones):
    """dB of each tone, and of the loudest of all else, by a window whose skirts fall below -180 dB."""
    window = np.kaiser(len(samples), 28)
    spectrum = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    levels, rest = [], spectrum.copy()
    for tone in tones:
        near = np.abs(hertz - tone) < 60
        levels.append(20 * np.log10(spectrum[near].max()))
        rest[near] = 0
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

    def test_rates_without_a_conversion_are_refused(self):
        show = WideShow(self.folder, [1], self.stems(), rates={"DX": 32000})
        outcome = self.passes(reelmill("run", show.path), 2)
        self.assertIn("deliver it at the show's sample rate", outcome.err)


if __name__ == "__main__":
    main()
