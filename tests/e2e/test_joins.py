"""Joins of reels: cross-fades over the overlap that reels supply, computed once more here from real audio, sample by sample."""
import itertools
import json

import numpy as np

import oracle
from farm_kit import RATE, FarmTest, main, need_shared, read_wav, real_bed, real_files, real_show, reelmill, write_wav
from same_bytes import SameBytes

PICTURE = RATE // 24
REELS = [5 * 24 + 5, 3 * 24 + 1, 3 * 24 + 11]
OVERLAPS = [{"tail": "12f"}, {"head": "7f", "tail": "1s"}, {}]
TAIL, HEAD = [12, 24, 0], [0, 7, 0]
STEP = 2.0 ** -23


def gains(law, length):
    """(outgoing, incoming) by docs/deliverables.md."""
    t = (np.arange(length) + 0.5) / length
    if law == "equal-gain":
        return 1 - t, t
    share = t * t * (3 - 2 * t)
    return np.sqrt(1 - share), np.sqrt(share)


def faded(files, law):
    """The joined programme of one stem; files: each reel's whole file, which begins 2 s before its first frame of action."""
    starts = np.cumsum([0] + REELS) * PICTURE
    out = np.concatenate([file[2 * RATE:2 * RATE + pictures * PICTURE] for file, pictures in zip(files, REELS)])
    for reel in range(1, len(REELS)):
        before, after = HEAD[reel] * PICTURE, TAIL[reel - 1] * PICTURE
        if law == "butt" or before + after == 0:
            continue
        end = 2 * RATE + REELS[reel - 1] * PICTURE
        outgoing = files[reel - 1][end - before:end + after]
        incoming = files[reel][2 * RATE - before:2 * RATE + after]
        down, up = gains(law, before + after)
        out[starts[reel] - before:starts[reel] + after] = down[:, None] * outgoing + up[:, None] * incoming
    return out


class Joins(FarmTest):
    def recipe(self, name, base, text):
        (self.folder / "recipes").mkdir(exist_ok=True)
        (self.folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\nextends: {base}\n{text}\n")

    def show(self, deliverables):
        show = real_show(self.folder, REELS, deliverables=deliverables, join="equal-power")
        for reel, overlap in zip(show.text["reels"], OVERLAPS):
            if overlap:
                reel["overlap"] = overlap
        # Narration that runs the whole programme as one file, beside reel files: it begins 0.5 s early on the programme's clock.
        speech = real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac")
        bed = real_bed(speech, sum(REELS) * PICTURE + RATE, 1, 40) * 0.5
        bed[:2 * RATE] = 0
        self.narration = write_wav(self.folder / "stems" / "AD.wav", bed, time_reference=3600 * RATE - RATE // 2)[RATE // 2:]
        show.text["stems"]["AD"] = {"role": "narration", "layout": "mono", "file": "AD.wav", "align": "bext", "language": "en"}
        show.write()
        return show

    def stem_files(self, show):
        folder = show.folder / "stems"
        return {"DX": [read_wav(folder / f"R{i}_DX_51.wav")[0] for i in (1, 2, 3)],
                "FX": [read_wav(folder / f"R{i}_FX_51.wav")[0] for i in (1, 2, 3)],
                "MX": [np.concatenate([read_wav(folder / f"R{i}_MX.{ch}.wav")[0] for ch in ("L", "R", "C", "LFE", "Ls", "Rs")],
                                      axis=1) for i in (1, 2, 3)]}

    def near(self, path, expected):
        actual, _, bits, _ = read_wav(path)
        self.assertEqual(bits, 24)
        self.assertEqual(actual.shape, expected.shape, path)
        off = np.abs(actual - np.clip(expected, -1, 1 - STEP)).max() / STEP
        print(path.name, f"{off:.6f} of a step")
        self.assertLess(off, 0.5 + 1e-6, path)

    def test_every_sample_of_every_law_on_real_audio(self):
        self.recipe("gain", "printmaster-5.1", "join: equal-gain\nassembly: both")
        self.recipe("butt", "printmaster-5.1", "join: butt")
        self.recipe("lt", "stereo-ltrt", "join: equal-gain")
        show = self.show([{"name": "POWER", "recipe": "printmaster-5.1"}, {"name": "GAIN", "recipe": "gain"},
                          {"name": "BUTT", "recipe": "butt"}, {"name": "LORO", "recipe": "stereo-loro"},
                          {"name": "LTRT", "recipe": "lt"}, {"name": "AD_51", "recipe": "ad-5.1"},
                          {"name": "VOICE", "recipe": "stem", "stem": "AD"}])
        runs = SameBytes(self, show.path, 10)
        # The fades cross cells, tasks and reels.
        runs.vary((2, 1, None), (1, 2, "scalar"))
        out = self.folder / "first" / "NIGHT_TRAIN" / "v01"
        files = self.stem_files(show)

        def path(name, suffix=""):
            return out / name / f"NIGHT_TRAIN_{name}{suffix}.wav"

        full = {law: sum(faded(files[stem], law) for stem in files) for law in ("equal-power", "equal-gain", "butt")}
        self.near(path("POWER"), full["equal-power"])
        self.near(path("GAIN"), full["equal-gain"])
        self.near(path("BUTT"), full["butt"])
        self.near(path("LORO"), oracle.stereo(full["equal-power"]))
        # Reel files are cut from the same programme: one after the other they are the joined file.
        reels = [read_wav(path("GAIN", f"_R{i}"))[0] for i in (1, 2, 3)]
        self.assertEqual([len(part) for part in reels], [pictures * PICTURE for pictures in REELS])
        self.assertTrue(np.array_equal(np.concatenate(reels), read_wav(path("GAIN"))[0]))
        # One file that runs on over the joins is not faded with itself.
        self.assertTrue(np.array_equal(read_wav(path("VOICE"))[0], self.narration[:sum(REELS) * PICTURE]))
        # Positions and timecodes are those of a butt join, and the report says where the fades lie.
        for name in ("GAIN", "BUTT"):
            item = next(f for f in runs.report["files"] if f["path"].endswith(f"NIGHT_TRAIN_{name}.wav"))
            self.assertEqual((item["frames"], item["start_timecode"]), (sum(REELS) * PICTURE, "01:00:00:00"))
        starts = list(itertools.accumulate(REELS))
        wanted = [{"reel": f"R{i + 1}", "law": "equal-gain", "start_sample": (starts[i - 1] - HEAD[i]) * PICTURE,
                   "end_sample": (starts[i - 1] + TAIL[i - 1]) * PICTURE} for i in (1, 2)]
        of = {item["deliverable"]: item for item in runs.report["programmes"] if item["reel"] is None}
        self.assertEqual(of["GAIN"]["joins"], wanted)
        self.assertEqual(of["BUTT"]["joins"], [dict(item, law="butt", start_sample=PICTURE * starts[i], end_sample=PICTURE * starts[i])
                                               for i, item in enumerate(wanted)])
        self.received(show, path)

    def received(self, show, path):
        """What was delivered, received: null with the stems as this show joins them, and not as another one does."""
        for name in ("POWER", "BUTT"):
            write_wav(show.folder / "stems" / f"{name}.wav", read_wav(path(name))[0])
        show.text["deliverables"] = [{"name": name, "file": f"{name}.wav", "layout": "5.1"} for name in ("POWER", "BUTT")]
        show.write()
        report = reelmill("qc", "--show", show.path, "--json").json()
        null = {item["deliverable"]: [f for f in item["findings"] if f["check"] == "stems.null"] for item in report["programmes"]
                if item["reel"] is None}
        self.assertEqual([f["severity"] for f in null["POWER"]], ["info"], null["POWER"])
        self.assertLess(null["POWER"][0]["measured"] or -999, -138.0)
        self.assertGreater(null["BUTT"][0]["measured"], -80.0)

    def test_what_is_not_supplied_is_said(self):
        show = self.show([{"name": "POWER", "recipe": "printmaster-5.1"}])
        good = show.path.read_text()
        for change, said in ((("12f", "2s"), 'R1_DX_51.wav" holds 48000 frames after the last frame of action and the reel\'s tail '
                              "overlap of 48 pictures needs 96000"),
                             (("7f", "3s"), "its files begin only 48 frames before its ffoa"),
                             (("12f", "20ms"), "no whole number of picture frames"),
                             (('"1s"', '"4s"'), "reel R3 is shorter than the overlaps of its neighbours"),
                             (("equal-power", "equal"), "allowed is one of butt, equal-gain, equal-power")):
            with self.subTest(said=said):
                show.path.write_text(good.replace(*change, 1))
                outcome = self.passes(reelmill("check", show.path), 2)
                self.assertIn(said, outcome.err + outcome.out)


if __name__ == "__main__":
    need_shared()
    main()
