"""A show of two reels from real speech, music and effects: bytes, samples and figures."""
import judged_show
from farm_kit import FarmTest, main, need_shared, real_show
from same_bytes import SameBytes


class RealAudio(FarmTest):
    def test_real_audio(self):
        show = real_show(self.folder, [17 * 24 + 5, 14 * 24 + 19])
        same = SameBytes(self, show.path, 5)
        judged_show.judge_samples(self, show, "first")
        judged_show.judge_by_ffmpeg(self, show, "first")
        judged_show.judge_figures(self, show, same.report, "first")
        same.vary((2, 1, None), (5, 0, None))
        same.kill([2, 3, 3])


if __name__ == "__main__":
    need_shared()
    main()
