"""Levels that a scan finds: gain to the spec, and what shares it."""
import json
from pathlib import Path

import numpy as np

import oracle

from farm_kit import RATE, SHARED, FarmTest, digests, hash_seed, main, noise, read_wav, reelmill, small_show, write_wav
from test_every_recipe import Recordings
from wide_show import WideShow

STEP = 2.0 ** -23


def true_peaks(samples):
    """Largest of the four phases of Annex 2 and the sample itself, by frame; the filter's newest sample counts."""
    best = np.abs(samples).max(axis=1)
    for channel in samples.T:
        for phase in oracle.PHASES:
            for taps in (phase, phase[::-1]):
                best = np.maximum(best, np.abs(np.convolve(channel, taps)[:len(channel)]))
    return best


def limiter_gain(samples, ceiling_db, look_ahead, release, flat=2):
    """By definition: every slot of 1 ms over the ceiling asks for a dip, the curve is the deepest of them, linear between."""
    aim = 10 ** ((ceiling_db - 0.3) / 20)
    peaks = true_peaks(samples).reshape(-1, RATE // 1000).max(axis=1)
    edges = np.arange(len(peaks) + 1)
    gains = np.ones(len(edges))
    for slot in np.flatnonzero(peaks > aim):
        t = np.interp(edges, [slot - flat - look_ahead, slot - flat, slot + 1 + flat, slot + 1 + flat + release], [0, 1, 1, 0])
        gains = np.minimum(gains, 1 - (1 - aim / peaks[slot]) * t * t * (3 - 2 * t))
    return np.interp(np.arange(len(samples)) / (RATE // 1000), edges, gains)


def loud_and_quiet(stem, reel, frames, channels):
    """A reel that is far below the others; no LFE."""
    samples = noise(hash_seed(stem, reel), frames, channels, 0.03 if reel != 1 else 0.01)
    samples[:, 3:4] = 0.0
    return samples


def master(name, recipe, **more):
    return {"name": name, "recipe": recipe, "spec": "none", **more}


class Levels(FarmTest):
    def deliverables(self):
        """Gains by the recipe, which the show's own stand over."""
        (self.folder / "recipes").mkdir()
        for name, base in (("to-spec", "printmaster-5.1"), ("to-spec-20", "stereo-loro")):
            (self.folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\nextends: {base}\ngain: {{to: spec}}\n")
        return [master("PM_51", "to-spec", spec="ebu-r128"), master("ME_51", "me-5.1"),
                master("DX", "stem", stem="DX"), master("PM_20", "to-spec-20", gain=-3)]

    def figures(self, report, name):
        return next(item for item in report["programmes"] if item["deliverable"] == name and item["reel"] is None)

    def test_gain_to_the_spec(self):
        show = WideShow(self.folder, [7, 3, 3], self.deliverables(), loud_and_quiet)
        report = self.passes(reelmill("run", show.path, "--json", "--workers", 1)).json()
        made = self.figures(report, "PM_51")
        gain = made["gain"]["db"]
        self.assertEqual(made["gain"], {"db": gain, "of": "PM_51", "to_spec": True})
        self.assertEqual(self.figures(report, "ME_51")["gain"], made["gain"])
        self.assertEqual(self.figures(report, "PM_20")["gain"], {"db": -3.0, "of": "PM_20", "to_spec": False})
        # To half the hundredth that the gain is rounded to.
        self.assertLessEqual(abs(made["loudness"]["integrated_lufs"] + 23.0), 0.006)
        self.assertEqual([item for item in made["findings"] if item["check"] == "loudness.integrated"], [])
        # Every sample of what shares the gain, and that they still sum.
        factor = 10 ** (gain / 20)
        for name, exact in {"PM_51": show.bed("5.1"), "ME_51": show.bed("5.1", ("MX", "FX")), "DX": show.joined("DX")}.items():
            actual = read_wav(show.file(name))[0]
            self.assertLessEqual(np.abs(actual - factor * exact).max(), STEP / 2 + 2.0 ** -45, name)
        expected = digests(self.folder / "out")
        for number, options in enumerate((["--workers", 3, "--cells-per-task", 1], ["--cells-per-task", 2, "--cpu", "avx2"])):
            out = self.folder / f"other{number}"
            self.passes(reelmill("run", show.path, "--out", out, *options))
            self.assertEqual(digests(out), expected)
        # The same gain written by hand gives the same bytes; the M&E alone is scanned for all the same.
        alone = self.folder / "alone"
        self.passes(reelmill("run", show.path, "--out", alone, "--only", "ME_51"))
        self.assertLessEqual(digests(alone).items(), expected.items())
        show.text["deliverables"][0]["gain"] = gain
        show.path.write_text(json.dumps(show.text))
        self.passes(reelmill("run", show.path, "--out", self.folder / "byhand"))
        self.assertEqual(digests(self.folder / "byhand"), expected)

    def test_limiter(self):
        """Only where a recipe asks for it; its gain by definition, its peaks by libebur128, bytes whatever the cut."""
        (self.folder / "recipes").mkdir()
        for name, base in (("limited", "printmaster-5.1"), ("limited-ad", "ad-5.1"), ("limited-ltrt", "stereo-ltrt")):
            (self.folder / "recipes" / f"{name}.yaml").write_text(
                f"reelmill_recipe: 1\nextends: {base}\noverload: limit\nlimiter: {{ceiling: -12 dB, look_ahead: 5 ms, release: 120 ms}}\n")

        def content(stem, reel, frames, channels):
            samples, level = noise(hash_seed(stem, reel), frames, channels, 0.009), np.ones((frames, 1))
            for place in np.random.default_rng(hash_seed(stem, reel, "loud")).integers(0, frames - 4800, 6):
                level[place:place + 4800] = 6
            level[-300:] = 7  # over the reels' edge
            return samples * level
        show = WideShow(self.folder, [7, 2], [master("PM", "limited"), master("AD_51", "limited-ad"), master("LTRT", "limited-ltrt"),
                                              master("PLAIN", "printmaster-5.1")], content)
        report = self.passes(reelmill("run", show.path, "--json", "--workers", 1)).json()
        bed = show.bed("5.1")
        gain = limiter_gain(bed, -12.0, 5, 120)
        self.assertLess(gain.min(), 0.7)
        actual = read_wav(show.file("PM"))[0]
        self.assertLessEqual(np.abs(actual - bed * gain[:, None]).max(), STEP / 2 + 2.0 ** -45)
        plain = read_wav(show.file("PLAIN"))[0]
        self.assertLessEqual(np.abs(plain - bed).max(), STEP / 2 + 2.0 ** -45)
        self.assertNotIn("render.limited", [item["check"] for item in self.figures(report, "PLAIN")["findings"]])
        for name in ("PM", "AD_51", "LTRT"):
            samples = read_wav(show.file(name))[0]
            peak = oracle.witness(samples, RATE)[-1]
            print(f"{name}: true peak {peak:.3f} dB by libebur128, {20 * np.log10(true_peaks(samples).max()):.3f} dB by Annex 2")
            self.assertLessEqual(peak, -12.0)
        told, = [item for item in self.figures(report, "PM")["findings"] if item["check"] == "render.limited"]
        self.assertEqual((told["severity"], told["details"]["all"]), ("info", True))
        self.assertAlmostEqual(told["measured"], -20 * np.log10(gain.min()), delta=0.01)
        listed = np.zeros(len(gain), bool)
        for item in told["details"]["reductions"]:
            part = gain[item["start_sample"]:item["end_sample"]]
            listed[item["start_sample"]:item["end_sample"]] = True
            self.assertAlmostEqual(item["reduction_db"], -20 * np.log10(part.min()), delta=0.01)
            self.assertEqual(item["reel"], "R1" if item["start_sample"] < 7 * RATE else "R2")
        self.assertTrue(listed[gain < 0.9999].all())  # every reduction of 0.001 dB and more
        expected = digests(self.folder / "out")
        for number, options in enumerate((["--workers", 3, "--cells-per-task", 1, "--cpu", "avx2", "--only", "PM,AD_51"],
                                          ["--cells-per-task", 2, "--cpu", "scalar", "--only", "PM"])):
            out = self.folder / f"other{number}"
            self.passes(reelmill("run", show.path, "--out", out, *options))
            self.assertLessEqual(digests(out).items(), expected.items())

    def test_recordings_by_scan_and_limiter(self):
        """The gain by libebur128's loudness, then the limiter by its definition."""
        if not (SHARED / "audio").is_dir():  # noise has no peaks to limit
            self.skipTest(f"no recordings at {SHARED / 'audio'} (REELMILL_SHARED)")
        (self.folder / "recipes").mkdir()
        (self.folder / "recipes" / "limited.yaml").write_text(
            "reelmill_recipe: 1\nextends: printmaster-5.1\noverload: limit\n"
            "limiter: {ceiling: -16 dB, look_ahead: 5 ms, release: 120 ms}\n")
        show = WideShow(self.folder, [7, 4], [master("PM", "limited", spec="ebu-r128", gain={"to": "spec"})], Recordings())
        report = reelmill("run", show.path, "--json").json()  # peaks of recordings are a matter of the spec
        gain = self.figures(report, "PM")["gain"]["db"]
        bed = show.bed("5.1")
        loudness = oracle.witness(bed, RATE)[0]
        louder = bed * 10 ** (gain / 20)
        limited = limiter_gain(louder, -16.0, 5, 120)
        error = np.abs(read_wav(show.file("PM"))[0] - louder * limited[:, None]).max() / STEP
        print(f"gain {gain:.2f} dB, by libebur128 {-23 - loudness:.3f} dB; limited by {-20 * np.log10(limited.min()):.1f} dB at most; "
              f"{error:.6f} of a step")
        self.assertLessEqual(abs(gain + 23 + loudness), 0.02)
        self.assertLess(limited.min(), 0.95)
        self.assertLessEqual(error, 0.5 + 2.0 ** -22)

    def test_what_a_fix_moves_is_told(self):
        """One reel trimmed: the gain to the spec and all that follow it move, and the run says so."""
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "ebu-r128", "gain": {"to": "spec"}},
                                     {"name": "ME_51", "recipe": "me-5.1"},
                                     {"name": "PM_20", "recipe": "stereo-loro", "spec": "none"}]
        show.write()
        first = reelmill("run", show.path, "--json")
        self.assertNotIn("Since the run before", first.err)
        stem = show.folder / "stems" / "R1_DX_51.wav"
        write_wav(stem, read_wav(stem)[0] * 0.8)
        again = reelmill("run", show.path, "--replace", "--json")
        was, now = (self.figures(outcome.json(), "PM_51")["gain"]["db"] for outcome in (first, again))
        self.assertGreater(now, was)
        lines = again.err[again.err.index("Since the run before:"):].splitlines()[1:4]
        self.assertEqual([line.split(maxsplit=1)[0] for line in lines], ["PM_51", "ME_51", "PM_20"])
        self.assertIn(f"gain {now:+.2f} dB, was {was:+.2f} dB; other sound in 1 of 1 file", lines[0])
        self.assertIn(f"gain {now:+.2f} dB (that of PM_51), was {was:+.2f} dB; other sound in 1 of 1 file", lines[1])
        self.assertTrue(lines[2].endswith(" other sound in 1 of 1 file") and "gain" not in lines[2], lines[2])
        self.assertIn("the same sound", reelmill("run", show.path, "--replace").err)
        stem.write_bytes(stem.read_bytes()[:1000])
        self.assertNotIn("Since the run before", reelmill("run", show.path, "--replace").err)  # it wrote no report

    def test_leqm(self):
        """Against a table (2 kHz: 0 dB, 100 Hz: -25.4 dB, 6.3 kHz: 6.6 dB, surrounds 3 dB less) and an FFT over the whole file."""
        at = np.arange(4 * RATE) / RATE
        tones = {"C": (2, 2000, 85.0), "L": (0, 6300, 91.6), "R": (1, 100, 59.6), "LS": (4, 2000, 82.0)}
        beds = {}
        for name, (channel, frequency, _) in tones.items():
            beds[name] = np.zeros((len(at), 6))
            beds[name][:, channel] = 0.1 * np.sin(2 * np.pi * frequency * at)
        beds["NOISE"] = noise(hash_seed("leqm"), len(at), 6, 0.05)
        beds["PAUSED"] = np.concatenate([beds["NOISE"], np.zeros((RATE, 6)), beds["NOISE"]])  # silence does not count
        for name, bed in beds.items():
            write_wav(self.folder / f"{name}.wav", bed)
        files = [self.folder / f"{name}.wav" for name in beds]
        report = reelmill("qc", *files, "--spec", "trailer-tasa", "--json").json()
        found = {Path(entry["files"][0]).stem: entry for entry in report["programmes"]}
        figures = {name: entry["loudness"]["leqm_db"] for name, entry in found.items()}
        for name, (_, _, wanted) in tones.items():
            self.assertAlmostEqual(figures[name], wanted, delta=0.15, msg=name)  # the curve is 0.1 dB beside the table's figures
        for name, bed in beds.items():
            whole = bed if name != "PAUSED" else beds["NOISE"]
            self.assertAlmostEqual(figures[name], oracle.leqm(whole, [0, 0, 0, 0, -3, -3]), delta=0.05, msg=name)
        told = [f for f in found["L"]["findings"] if f["check"] == "loudness.leqm"]
        self.assertEqual([f["severity"] for f in told], ["fail"])
        self.assertEqual([f for f in found["R"]["findings"] if f["check"] == "loudness.leqm"], [])
        (self.folder / "told.json").write_text(json.dumps(report))  # and what `explain` advises passes
        trim = told[0]["details"]["trim_db"]
        self.assertIn(f"{trim:+.1f} dB", reelmill("explain", self.folder / "told.json", told[0]["id"]).out)
        write_wav(self.folder / "L.wav", beds["L"] * 10 ** (trim / 20))
        again = reelmill("qc", self.folder / "L.wav", "--spec", "trailer-tasa", "--json").json()["programmes"][0]["findings"]
        self.assertNotIn("loudness.leqm", [f["check"] for f in again])

    def test_what_has_no_loudness_is_refused(self):
        show = WideShow(self.folder, [2, 2], self.deliverables()[:2], lambda stem, reel, frames, channels: np.zeros((frames, channels)))
        outcome = reelmill("run", show.path)
        self.assertNotEqual(outcome.code, 0)
        self.assertIn("deliverable PM_51: gain is {to: spec}, but its programme is silent or too short", outcome.err)
        self.assertEqual(digests(self.folder / "out"), {})
        show.text["deliverables"][0]["spec"] = "none"
        show.path.write_text(json.dumps(show.text))
        self.assertIn("spec none has no loudness target", self.passes(reelmill("check", show.path), 2).err)


if __name__ == "__main__":
    main()
