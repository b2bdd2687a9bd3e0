"""Every deliverable of a show against independent computations: samples, and figures of the report."""
import subprocess

import numpy as np

import oracle
from farm_kit import read_wav

STEP = 2.0 ** -23


def judge_samples(test, show, out="out"):
    for name, exact in oracle.mixes(show).items():
        with test.subTest(deliverable=name):
            actual, tag, bits, rate = read_wav(show.output(out) / name / f"NIGHT_TRAIN_{name}.wav")
            test.assertEqual((tag, bits, rate, actual.shape), (1, 24, 48000, exact.shape))
            wanted = np.clip(exact, -1.0, 1.0 - STEP)
            # Half a step, and the roundings of the oracle's own sums in double.
            test.assertLessEqual(np.abs(actual - wanted).max(), STEP / 2 + 2.0 ** -48)


def judge_by_ffmpeg(test, show, out="out"):
    """A second witness: ffmpeg's pan over the sum of the stems that ffmpeg reads, for the stereo print master."""
    inputs, filters = [], []
    for index, reel in enumerate(show.text["reels"]):
        programme = len(show.programme["DX"][index])
        lead = show.LEADER_S * 48000
        for stem in ("DX", "FX"):
            inputs += ["-i", str(show.folder / "stems" / f"{reel['name']}_{stem}_51.wav")]
        for channel in ("L", "R", "C", "LFE", "Ls", "Rs"):
            inputs += ["-i", str(show.folder / "stems" / f"{reel['name']}_MX.{channel}.wav")]
        base = index * 8
        cut = f"atrim=start_sample={lead}:end_sample={lead + programme},asetpts=N"
        filters.append("".join(f"[{base + 2 + i}:a]" for i in range(6)) +
                       f"amerge=inputs=6[m{index}];[{base}:a]pan=6c|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5[d{index}];"
                       f"[{base + 1}:a]pan=6c|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5[f{index}];"
                       f"[m{index}]pan=6c|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5[mm{index}];"
                       f"[d{index}][f{index}][mm{index}]amerge=inputs=3,"
                       "pan=stereo|c0=c0+c6+c12+0.70710678118654752*c2+0.70710678118654752*c8+0.70710678118654752*c14"
                       "+0.70710678118654752*c4+0.70710678118654752*c10+0.70710678118654752*c16"
                       "|c1=c1+c7+c13+0.70710678118654752*c2+0.70710678118654752*c8+0.70710678118654752*c14"
                       f"+0.70710678118654752*c5+0.70710678118654752*c11+0.70710678118654752*c17,{cut}[r{index}]")
    graph = ";".join(filters) + ";" + "".join(f"[r{i}]" for i in range(len(filters))) + f"concat=n={len(filters)}:v=0:a=1[o]"
    raw = subprocess.run(["ffmpeg", "-v", "error", *inputs, "-filter_complex", graph, "-map", "[o]", "-f", "f64le", "-"],
                         capture_output=True, check=True).stdout
    theirs = np.frombuffer(raw, "<f8").reshape(-1, 2)
    ours = read_wav(show.output(out) / "PM_20" / "NIGHT_TRAIN_PM_20.wav")[0]
    test.assertEqual(theirs.shape, ours.shape)
    # ffmpeg's graph may run in 32-bit integers: two steps of 24 bit are far from any wrong gain or place.
    test.assertLess(np.abs(np.clip(theirs, -1.0, 1.0 - STEP) - ours).max(), 2 * STEP)


def judge_figures(test, show, report, out="out"):
    programmes = {entry["deliverable"]: entry for entry in report["programmes"] if entry["reel"] is None}
    for name in oracle.mixes(show):
        with test.subTest(deliverable=name):
            samples = read_wav(show.output(out) / name / f"NIGHT_TRAIN_{name}.wav")[0]
            true_peaks = oracle.true_peaks(samples)
            integrated, momentary, short_term, peak = oracle.witness(samples)
            loudness, peaks = programmes[name]["loudness"], programmes[name]["peaks"]
            test.assertAlmostEqual(loudness["integrated_lufs"], integrated, delta=0.01)
            test.assertAlmostEqual(loudness["max_momentary_lufs"], momentary, delta=0.01)
            test.assertAlmostEqual(loudness["max_short_term_lufs"], short_term, delta=0.01)
            test.assertAlmostEqual(loudness["range_lu"], oracle.loudness_range(samples), delta=0.01)
            if name.startswith("PM"):  # music and effects take no dialogue; the stem is itself
                spoken, share = oracle.dialogue(samples, show.joined("DX"))
                test.assertAlmostEqual(loudness["dialogue"]["lufs"], spoken, delta=0.001)
                test.assertAlmostEqual(loudness["dialogue"]["speech_share"], share, delta=1e-9)
                test.assertEqual(loudness["dialogue"]["gate"], "stem")
            else:
                test.assertIsNone(loudness["dialogue"])
            test.assertAlmostEqual(peaks["true_peak_dbtp"], true_peaks.max(), delta=1e-6)
            test.assertAlmostEqual(peaks["true_peak_dbtp"], peak, delta=0.3)
            test.assertAlmostEqual(peaks["sample_peak_dbfs"], 20 * np.log10(np.abs(samples).max()), delta=1e-6)
            for c, channel in enumerate(peaks["per_channel"]):
                if true_peaks[c] == -np.inf:
                    test.assertIsNone(channel["true_peak_dbtp"])  # a silent channel has no level
                else:
                    test.assertAlmostEqual(channel["true_peak_dbtp"], true_peaks[c], delta=1e-6)
