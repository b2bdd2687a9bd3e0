"""
The open speech detector where no stem says where speech is: utterances and music that it has not learnt from (tests/speech), so the
figures are those of sources held out, though not of a speaker held out.
"""
import json

import numpy as np
from farm_kit import RATE, SHARED, FarmTest, decode, main, need_shared, reelmill, write_wav


def dialogue_of(out):
    report = json.loads((out / "report.json").read_text())
    return next(item for item in report["programmes"] if item["reel"] is None)


class Speech(FarmTest):
    def qc(self, path, out, *more):
        result = reelmill("qc", str(path), *more, "--out", str(self.folder / out))
        self.assertIn(result.code, (0, 1, 2, 3), result.err)
        return dialogue_of(self.folder / out)

    def test_dialogue_without_a_stem(self):
        frames = 24 * RATE
        said = np.concatenate([decode(SHARED / "audio/speech/ljspeech/tests/data/ljspeech/wavs" / f"LJ001-00{i}.flac", 1)[:, 0]
                               for i in (26, 28)])[:10 * RATE] * 0.3
        music = decode(SHARED / "audio/layouts/flac-testbench/subset/01 - blocksize 4096.flac", 2)
        stem = np.zeros((frames, 6))
        stem[4 * RATE:4 * RATE + len(said), 2] = said
        mix = stem.copy()
        mix[:, :2] += np.resize(music, (frames, 2)) * 0.05
        write_wav(self.folder / "mix.wav", mix)
        write_wav(self.folder / "R1_DX.wav", stem)
        heard = self.qc(self.folder / "mix.wav", "alone", "--spec", "netflix-5.1")
        dialogue = heard["loudness"]["dialogue"]
        self.assertEqual(dialogue["gate"], "detector")
        self.assertIn("reelmill speech detector", dialogue["detector"])
        # The blocks in which the stem speaks, by a second hand: 100 ms of the mix's C against its level.
        steps = (stem[:, 2].reshape(-1, RATE // 10) ** 2).mean(axis=1)
        on = steps > 0.01 * steps[steps > 0].mean()
        self.assertLess(abs(dialogue["speech_share"] - on.mean()), 0.12)
        # What it states: 20 % of share at least, and 0.5 LU by the square of the share.
        self.assertGreaterEqual(dialogue["share_error"], 0.2)
        self.assertGreaterEqual(dialogue["lufs_error"], 0.5 / dialogue["speech_share"] ** 2 - 1e-6)
        told = [item for item in heard["findings"] if item["check"] == "loudness.dialogue"]
        for item in told:
            self.assertIn("not Dolby", item["message"])
        # Whatever it hears, nothing passes by its word alone.
        self.assertIn("not_checked", [item["severity"] for item in told])
        # The same bits on every level of processor.
        plain = self.qc(self.folder / "mix.wav", "scalar", "--spec", "netflix-5.1", "--cpu", "scalar")
        self.assertEqual(plain["loudness"], heard["loudness"])
        # Another spec needs no audio.
        judged = reelmill("judge", str(self.folder / "alone/report.json"), "--spec", "netflix-5.1")
        self.assertIn("detector", judged.out + judged.err)

    def test_a_spec_that_asks_for_no_dialogue_pays_for_none(self):
        write_wav(self.folder / "tone.wav", np.sin(np.arange(RATE)[:, None] * np.array([0.1, 0.1])) * 0.1)
        self.assertIsNone(self.qc(self.folder / "tone.wav", "plain", "--spec", "ebu-r128")["loudness"]["dialogue"])


if __name__ == "__main__":
    need_shared()
    main()
