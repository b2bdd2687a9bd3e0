"""Samples and figures of every deliverable of a made-up show, some of it over full scale."""
import judged_show
from farm_kit import DELIVERABLES, FarmTest, main, reelmill, small_show


class Samples(FarmTest):
    def test_samples_and_figures(self):
        show = small_show(self.folder)
        report = self.passes(reelmill("run", show.path, "--json")).json()
        judged_show.judge_samples(self, show)
        judged_show.judge_by_ffmpeg(self, show)
        judged_show.judge_figures(self, show, report)

    def test_a_sum_over_full_scale_fails_and_is_located(self):
        show = small_show(self.folder)
        lead = show.LEADER_S * 48000
        for stem in ("DX", "FX"):  # 0.6 + 0.6 in C of reel 2, at 3 s
            path = show.folder / "stems" / f"R2_{stem}_51.wav"
            blob = bytearray(path.read_bytes())
            at = blob.index(b"data") + 8 + ((lead + 3 * 48000) * 6 + 2) * 3
            blob[at:at + 3] = int(0.6 * 2 ** 23).to_bytes(3, "little")
            path.write_bytes(blob)
            show.programme[stem][1][3 * 48000, 2] = int(0.6 * 2 ** 23) / 2 ** 23
        show.text["deliverables"] = [dict(item) for item in DELIVERABLES]
        show.write()
        outcome = self.passes(reelmill("run", show.path, "--json"), 1)
        judged_show.judge_samples(self, show)
        entry = next(item for item in outcome.json()["programmes"] if item["deliverable"] == "PM_51" and not item["reel"])
        finding = next(item for item in entry["findings"] if item["check"] == "render.overload")
        self.assertEqual(finding["severity"], "fail")
        self.assertEqual(finding["channels"], ["C"])
        self.assertEqual(finding["reel"], "R2")
        self.assertEqual(finding["start_sample"], len(show.programme["DX"][0]) + 3 * 48000)
        self.assertEqual(finding["timecode"], "01:00:12:07")  # R1 has 9 s 7 frames, then 3 s
        trim = finding["details"]["trim_db"]
        self.assertTrue(-0.1 <= trim + finding["measured"] <= 0.0, (trim, finding["measured"]))
        why = reelmill("explain", show.path, finding["id"]).out
        self.assertIn(f"trim this place by {trim:+.1f} dB", why)
        self.assertRegex(why, rf"Where: from .*sample {finding['start_sample']}.*, reel R2, C\n")


if __name__ == "__main__":
    main()
