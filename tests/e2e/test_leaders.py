"""Leaders that recipes make: every byte around the programme computed here, the clock by hand, and the pops found by sync.pop."""
import json

import numpy as np

from farm_kit import FarmTest, digests, main, read_wav, reelmill, timecode
from wide_show import WideShow

HOUR = 3600


def recipe(folder, name, text):
    (folder / "recipes").mkdir(exist_ok=True)
    (folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\nextends: printmaster-5.1\nroles: [dialogue]\n{text}\n")


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

    def test_what_cannot_be_made_is_refused(self):
        recipe(self.folder, "kept", "leader: keep")
        show = WideShow(self.folder, [1], [{"name": "A", "recipe": "kept", "spec": "none"}])
        self.assertIn("leader is keep, which this version cannot do", reelmill("check", show.path).err)
        recipe(self.folder, "kept", "leader: make\nffoa: '00:00:05:00'")
        self.assertIn("begins earlier than 8 s after midnight", reelmill("run", show.path).err)
        recipe(self.folder, "kept", "leader: make\nlayout: 7.1.2\nadm: ebu")
        self.assertIn("remove `leader: make`", reelmill("check", show.path).err)


if __name__ == "__main__":
    main()
