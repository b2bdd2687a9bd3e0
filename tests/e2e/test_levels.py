"""Levels that a scan finds: gain to the spec, and what shares it."""
import json

import numpy as np

from farm_kit import FarmTest, digests, hash_seed, main, noise, read_wav, reelmill
from wide_show import WideShow

STEP = 2.0 ** -23


def loud_and_quiet(stem, reel, frames, channels):
    """A reel that is far below the others; no LFE."""
    samples = noise(hash_seed(stem, reel), frames, channels, 0.03 if reel != 1 else 0.01)
    samples[:, 3:4] = 0.0
    return samples


def master(name, recipe, **more):
    return {"name": name, "recipe": recipe, "spec": "none", **more}


class Levels(FarmTest):
    @staticmethod
    def deliverables():
        return [master("PM_51", "printmaster-5.1", spec="ebu-r128", gain={"to": "spec"}), master("ME_51", "me-5.1"),
                master("DX", "stem", stem="DX"), master("PM_20", "stereo-loro", gain=-3)]

    def figures(self, report, name):
        return next(item for item in report["programmes"] if item["deliverable"] == name and item["reel"] is None)

    def test_gain_to_the_spec(self):
        show = WideShow(self.folder, [8, 7, 6], self.deliverables(), loud_and_quiet)
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
