"""The same bytes for any number of workers, size of tasks, instruction set, and whatever is killed meanwhile."""
from farm_kit import FarmTest, main, reelmill, small_show
from same_bytes import SameBytes


class Identity(FarmTest):
    def test_small_show(self):
        show = small_show(self.folder)
        same = SameBytes(self, show.path, 5)
        same.vary((2, 1, None), (5, 0, None), (3, 2, "scalar"), (2, 64, "avx2"))
        same.kill([1, 2, 3, 4])
        # A second run over the same output changes nothing and passes.
        before = {path: path.stat().st_ino for path in (show.folder / "first").rglob("*.wav")}
        same.judge(reelmill("run", show.path, "--out", show.folder / "first", "--json"), show.folder / "first")
        self.assertEqual({path: path.stat().st_ino for path in before}, before)

    def test_demo_show(self):
        self.passes(reelmill("demo", self.folder / "demo"))
        same = SameBytes(self, self.folder / "demo" / "show.yaml", 5)
        same.vary((2, 0, None), (5, 3, None))
        same.kill([3, 3, 4])


if __name__ == "__main__":
    main()
