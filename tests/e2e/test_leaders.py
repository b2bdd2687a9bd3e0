"""Leaders that recipes make: every byte around the programme computed here, the clock by hand, and the pops found by sync.pop."""
import json

import numpy as np

from farm_kit import FarmTest, digests, main, read_wav, reelmill, small_show, timecode, write_wav
from same_bytes import SameBytes
from wide_show import WideShow

HOUR = 3600


def recipe(folder, name, text):
    (folder / "recipes").mkdir(exist_ok=True)
    base = "" if "extends" in text else "extends: printmaster-5.1\n"
    roles = "" if "roles" in text or not base else "roles: [dialogue]\n"
    (folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\n{base}{roles}{text}\n")


def reference(path):
    blob = path.read_bytes()
    at = blob.index(b"bext") + 8
    return int.from_bytes(blob[at + 338:at + 346], "little")


def sample(pictures, rate):
    return int(pictures * rate / 24 + 0.5)


def made_file(programme, rate, is_float=False, lfe=3):
    """Silence of 192 pictures with a pop at 144, the programme, 96 pictures of silence with a pop 48 after the last of action."""
    pictures = round(len(programme) * 24 / rate)
    head, length = sample(192, rate), sample(1, rate)
    pop = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(length) / rate)
    pop = pop.astype(np.float32).astype(float) if is_float else np.rint(pop * 2 ** 23) / 2 ** 23
    out = np.zeros((head + len(programme) + sample(96, rate), programme.shape[1]))
    out[head:head + len(programme)] = programme
    for at in (sample(144, rate), sample(192 + pictures - 1 + 48, rate)):
        out[at:at + length] = pop[:, None]
    for at in (slice(0, head), slice(head + len(programme), None)):
        out[at, lfe] = 0
    return out


class MadeLeaders(FarmTest):
    def test_every_byte_around_the_programme(self):
        recipe(self.folder, "plain", "assembly: both")
        recipe(self.folder, "made", "assembly: both\nleader: make")
        recipe(self.folder, "odd", "sample_rate: 44100\nencoding: FLOAT_32\nleader: make\nfiles: multi-mono")
        recipe(self.folder, "odd-plain", "sample_rate: 44100\nencoding: FLOAT_32\nleader: strip")
        deliverables = [{"name": name.upper(), "recipe": name, "spec": "none"} for name in ("plain", "made", "odd", "odd-plain")]
        show = WideShow(self.folder, [7, 2], deliverables)
        report = self.passes(reelmill("run", show.path, "--json", "--workers", 1, "--meter", "libebur128")).json()
        for suffix, begins in (("", HOUR), ("_R1", HOUR), ("_R2", 2 * HOUR)):
            plain, made = show.file("PLAIN", suffix=suffix), show.file("MADE", suffix=suffix)
            wanted = made_file(read_wav(plain)[0], 48000)
            self.assertTrue(np.array_equal(read_wav(made)[0], wanted), suffix)
            self.assertEqual(reference(plain), begins * 48000)
            self.assertEqual(reference(made), (begins - 8) * 48000)
            self.assertIn(b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>%d<" % ((begins - 8) * 48000), made.read_bytes()[:8192])
            entry = next(item for item in report["files"] if item["path"].endswith(made.name))
            self.assertEqual((entry["frames"], entry["start_timecode"]), (len(wanted), timecode((begins - 8) * 24)))
        # 1837.5 samples in a picture: every place is counted from the file's first.
        odd = made_file(read_wav(show.file("ODD-PLAIN"))[0], 44100, is_float=True)
        for index, label in enumerate(("L", "R", "C", "LFE", "Ls", "Rs")):
            actual = read_wav(show.file("ODD", suffix=f".{label}"))[0][:, 0]
            self.assertEqual(len(actual), len(odd))
            off = np.abs(actual - odd[:, index])  # numpy's sine of n turns is not 0, so floats differ where they are near it
            self.assertLessEqual(off.max(), 2.0 ** -45, label)
        self.assertEqual(reference(show.file("ODD", suffix=".LFE")), HOUR * 44100 - 352800)
        for figures in ("loudness", "peaks", "second_meter"):  # the programme alone counts, for libebur128 too
            of = {item["deliverable"]: item[figures] for item in report["programmes"] if item["reel"] is None}
            self.assertEqual(of["PLAIN"], of["MADE"], figures)
            self.assertEqual(of["ODD-PLAIN"], of["ODD"], figures)

        # Other cuts of the work make the same bytes.
        self.passes(reelmill("run", show.path, "--workers", 2, "--cells-per-task", 1, "--out", self.folder / "again"))
        self.assertEqual(digests(self.folder / "again"), digests(self.folder / "out"))
        self.pops_are_found(show)

    def pops_are_found(self, show):
        """What was delivered, received: the pops are where a receiver looks for them; where they are not, it says so."""
        reels = [dict(reel, start=timecode(((index + 1) * HOUR - 8) * 24)) for index, reel in enumerate(show.text["reels"])]
        received = self.folder / "received"
        received.mkdir()
        text = {**show.text, "media": str(show.file("MADE").parent), "reels": reels, "stems": {}, "output": "qc",
                "pops": {"head": "2s", "tail": "2s"},
                "deliverables": [{"name": "IN", "file": "NIGHT_TRAIN_MADE_{reel}.wav", "layout": "5.1", "spec": "none"}]}
        for head, wanted in (("2s", 0), ("3s", 2)):
            text["pops"]["head"] = head
            (received / "show.yaml").write_text(json.dumps(text, indent=1))
            outcome = reelmill("run", received / "show.yaml", "--json", "--workers", 1)
            found = [item for programme in outcome.json()["programmes"] for item in programme["findings"]
                     if item["check"] == "sync.pop"]
            self.assertEqual(len(found), wanted, found)

    def start_told(self, report, name):
        return next(item["start_timecode"] for item in report["files"] if item["path"].endswith(f"_{name}.wav"))

    def test_kept_leaders_and_slates(self):
        """The stems' own leaders, reel by reel and joined: sums of what lies before FFOA and behind LFOA, as long as it lasts."""
        recipe(self.folder, "kept", "roles: [dialogue, music, effects]\nassembly: both\nleader: keep")
        recipe(self.folder, "kept-lt", "extends: stereo-ltrt\nassembly: reels\nleader: keep\nfiles: multi-mono")
        recipe(self.folder, "slated", "roles: [dialogue, music, effects]\nleader: make\nslate: 20s")
        recipe(self.folder, "plain", "roles: [dialogue, music, effects]\nassembly: both")
        show = small_show(self.folder, deliverables=[
            {"name": "KEPT", "recipe": "kept", "gain": -1.5}, {"name": "MONOS", "recipe": "kept-lt"}, {"name": "SLATED", "recipe": "slated"},
            {"name": "PLAIN", "recipe": "plain", "gain": -1.5}])
        # One stem goes on longer than the others; where they have ended they are silent.
        path = self.folder / "stems" / "R2_FX_51.wav"
        longer = np.concatenate([read_wav(path)[0], np.full((1234, 6), 0.01)])
        write_wav(path, longer)
        # A long-play stem has no leader: before a reel lies the sound of another one.
        long_play = np.full(((9 * 24 + 7 + 7 * 24 + 11) * 2000 + 9, 1), 0.05)
        write_wav(self.folder / "stems" / "LONG.wav", long_play, time_reference=HOUR * 48000)
        show.text["stems"]["LONG"] = {"role": "effects", "layout": "mono", "file": "LONG.wav", "align": "bext"}
        show.write()
        runs = SameBytes(self, show.path, 3 + 4 + 1 + 3)
        runs.vary((2, 1, None))
        out = self.folder / "first" / "NIGHT_TRAIN" / "v01"
        gain, lead, pictures = 10 ** (-1.5 / 20), 2 * 48000, [9 * 24 + 7, 7 * 24 + 11]

        def files(reel):
            folder = self.folder / "stems"
            parts = [read_wav(folder / f"R{reel}_DX_51.wav")[0], read_wav(folder / f"R{reel}_FX_51.wav")[0], np.concatenate(
                [read_wav(folder / f"R{reel}_MX.{ch}.wav")[0] for ch in ("L", "R", "C", "LFE", "Ls", "Rs")], axis=1)]
            length = max(map(len, parts))
            return sum(np.pad(part, ((0, length - len(part)), (0, 0))) for part in parts)
        whole = [files(1), files(2)]
        made = {suffix: read_wav(out / "KEPT" / f"NIGHT_TRAIN_KEPT{suffix}.wav")[0] for suffix in ("", "_R1", "_R2")}
        plain = {suffix: read_wav(out / "PLAIN" / f"NIGHT_TRAIN_PLAIN{suffix}.wav")[0] for suffix in ("", "_R1", "_R2")}
        for suffix, first, last in (("", 0, 1), ("_R1", 0, 0), ("_R2", 1, 1)):
            end = lead + pictures[last] * 2000
            wanted = np.concatenate([gain * whole[first][:lead], plain[suffix], gain * whole[last][end:]])
            self.assertEqual(made[suffix].shape, wanted.shape, suffix)
            self.assertLessEqual(np.abs(made[suffix] - wanted).max(), 2.0 ** -24 + 2.0 ** -45, suffix)
            self.assertTrue(np.array_equal(made[suffix][lead:lead + len(plain[suffix])], plain[suffix]))
            begins = (2 if suffix == "_R2" else 1) * HOUR - (2 if suffix == "" else 0)
            self.assertEqual(reference(out / "KEPT" / f"NIGHT_TRAIN_KEPT{suffix}.wav"), begins * 48000)
            self.assertEqual(self.start_told(runs.report, f"KEPT{suffix}"), timecode(begins * 24))
        self.assertEqual(len(made["_R2"]), len(longer))
        of = {item["deliverable"]: item for item in runs.report["programmes"] if item["reel"] is None}
        for figures in ("loudness", "peaks"):  # the programme alone counts
            self.assertEqual(of["KEPT"][figures], of["PLAIN"][figures])
        # 20 s for a slate, then the leader of 8 s.
        slated, _, _, _ = read_wav(out / "SLATED" / "NIGHT_TRAIN_SLATED.wav")
        self.assertEqual(reference(out / "SLATED" / "NIGHT_TRAIN_SLATED.wav"), (HOUR - 28) * 48000)
        self.assertEqual(self.start_told(runs.report, "SLATED"), timecode((HOUR - 28) * 24))
        self.assertFalse(slated[:26 * 48000].any())
        bare = np.concatenate([whole[0][lead:lead + pictures[0] * 2000], whole[1][lead:lead + pictures[1] * 2000]])
        self.assertEqual(len(slated), 28 * 48000 + len(bare) + 4 * 48000)  # the programme begins 20 s + 8 s in, to the sample
        programme = slated[28 * 48000:28 * 48000 + len(bare)]
        bare[:, 2] += 0.05  # the long-play stem, mono
        self.assertLessEqual(np.abs(programme - bare).max(), 2.0 ** -24 + 2.0 ** -45)
        self.assertTrue(slated[26 * 48000 + 1:26 * 48000 + 1990, 2].any() and not slated[26 * 48000 + 2000:28 * 48000].any())

    def test_what_cannot_be_made_is_refused(self):
        show = WideShow(self.folder, [1], [{"name": "A", "recipe": "kept", "spec": "none"}])
        recipe(self.folder, "kept", "leader: strip\nslate: 20s")
        self.assertIn("slate is silence before a leader that is made", reelmill("check", show.path).err)
        recipe(self.folder, "kept", "leader: make\nffoa: '00:00:05:00'")
        self.assertIn("begins earlier than 8 s after midnight", reelmill("run", show.path).err)


if __name__ == "__main__":
    main()
