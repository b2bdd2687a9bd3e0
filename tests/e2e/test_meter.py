"""--meter: libebur128's figures stand beside ours in every form of the report, and in no media file."""
from farm_kit import FarmTest, digests, main, need_shared, real_show, reelmill


class SecondMeter(FarmTest):
    def agree(self, programme):
        second, loudness = programme["second_meter"], programme["loudness"]
        self.assertEqual(second["name"], "libebur128")
        for key in ("integrated_lufs", "max_momentary_lufs", "max_short_term_lufs"):
            self.assertAlmostEqual(second[key], loudness[key], delta=0.01, msg=key)  # one filter, both every 10 ms
        self.assertGreater(second["range_lu"], 0.0)  # shown, not judged: the two sample short-term loudness differently
        # Another 4x filter of 49 taps, with another ripple.
        self.assertAlmostEqual(second["true_peak_dbtp"], programme["peaks"]["true_peak_dbtp"], delta=0.3)
        self.assertAlmostEqual(second["sample_peak_dbfs"], programme["peaks"]["sample_peak_dbfs"], delta=1e-6)

    def test_second_meter(self):
        show = real_show(self.folder, [9 * 24 + 5, 8 * 24 + 19])
        run = self.passes(reelmill("run", show.path, "--meter", "libebur128", "--json"))
        wholes = [programme for programme in run.json()["programmes"] if programme["reel"] is None]
        self.assertGreaterEqual(len(wholes), 4)
        for programme in wholes:
            with self.subTest(deliverable=programme["deliverable"]):
                self.agree(programme)
        self.assertEqual(run.err.count("libebur128"), len(wholes))
        page = next(show.output("out").rglob("report.html")).read_text()
        self.assertEqual(page.count("<td>libebur128</td>"), len(wholes))
        self.passes(reelmill("run", show.path, "--out", show.folder / "alone"))
        self.assertEqual(digests(show.folder / "alone"), digests(show.folder / "out"))

        joined = show.output("out") / "PM_51" / "NIGHT_TRAIN_PM_51.wav"
        received = self.passes(reelmill("qc", joined, "--meter", "libebur128", "--json")).json()
        self.agree(received["programmes"][0])
        self.assertIn("by libebur128", self.passes(reelmill("qc", joined, "--meter", "libebur128")).out)
        mono = sorted((show.folder / "stems").glob("R1_MX.*.wav"))
        self.assertEqual(len(mono), 6)
        received = self.passes(reelmill("qc", *mono, "--meter", "libebur128", "--json")).json()
        self.agree(received["programmes"][0])
        self.assertIsNone(self.passes(reelmill("qc", joined, "--json")).json()["programmes"][0]["second_meter"])
        self.assertIn("no meter", self.passes(reelmill("qc", joined, "--meter", "vu"), 2).err)


if __name__ == "__main__":
    need_shared()
    main()
