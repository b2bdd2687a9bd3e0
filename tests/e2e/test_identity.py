"""The same bytes for any number of workers, size of tasks, instruction set, and whatever is killed meanwhile."""
from farm_kit import FarmTest, main, reelmill, small_show
from same_bytes import SameBytes
from wide_show import WideShow


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

    def test_recipes_that_look_around(self):
        """Limiter, gain by a scan, ducking, phase shifter, conversions of rate and speed: what is cut or killed shows nowhere."""
        (self.folder / "recipes").mkdir()
        for name, text in {"limited": "extends: printmaster-5.1\noverload: limit\n"
                                      "limiter: {ceiling: -12 dB, look_ahead: 5 ms, release: 200 ms}",
                           "faster": "extends: stereo-loro\npicture_rate: 25", "slower": "extends: mono\npicture_rate: 23.976",
                           "cd": "extends: ad-stereo\nsample_rate: 44100\nencoding: PCM_16"}.items():
            (self.folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\n{text}\n")
        wanted = [{"name": name.upper(), "recipe": recipe, "spec": "none"}
                  for name, recipe in (("faster", "faster"), ("slower", "slower"), ("cd", "cd"), ("lt", "stereo-ltrt"), ("ad", "ad-5.1"))]
        wanted.append({"name": "LIMITED", "recipe": "limited", "spec": "ebu-r128", "gain": {"to": "spec"}})
        show = WideShow(self.folder, [7, 3], wanted, rates={"FX": 44100})
        same = SameBytes(self, show.path, len(wanted))
        same.vary((3, 1, "avx2"))
        same.kill([2, 2])

    def test_demo_show(self):
        self.passes(reelmill("demo", self.folder / "demo"))
        same = SameBytes(self, self.folder / "demo" / "show.yaml", 5)
        same.vary((5, 3, None))
        same.kill([3, 4])


if __name__ == "__main__":
    main()
