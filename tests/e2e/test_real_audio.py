"""A show of two reels from real speech, music and effects: bytes, samples and figures."""
import judged_show
from farm_kit import FarmTest, digests, main, need_shared, real_show, reelmill


class RealAudio(FarmTest):
    def test_real_audio(self):
        show = real_show(self.folder, [17 * 24 + 5, 14 * 24 + 19])
        report = self.passes(reelmill("run", show.path, "--workers", 1, "--json")).json()
        judged_show.judge_samples(self, show)
        judged_show.judge_by_ffmpeg(self, show)
        judged_show.judge_figures(self, show, report)
        for number, (workers, cells) in enumerate([(2, 1), (5, 0)]):
            self.passes(reelmill("run", show.path, "--workers", workers, "--cells-per-task", cells, "--out",
                                 show.folder / f"other{number}"))
            self.assertEqual(digests(show.folder / f"other{number}"), digests(show.folder / "out"))


if __name__ == "__main__":
    need_shared()
    main()
