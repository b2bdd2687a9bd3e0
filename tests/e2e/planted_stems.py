"""Plants programmes that are not the sum of their stems, of real sound. Prints what became of each fault."""
import argparse
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import RATE, Show, moving_mean, need_shared, real_bed, real_files, real_show, reelmill, write_wav
from planted_leaks import db

LAST = 6 * RATE, 14 * RATE  # most faults lie there
CHANNELS = ["L", "R", "C", "LFE", "Ls", "Rs"]


class Fault:
    """A received programme with one fault. `figure(finding)`: None where the finding is not of this fault, else the error."""

    def __init__(self, kind, strength, sound, figure=None, layout="5.1"):
        self.kind, self.strength, self.sound, self.figure, self.layout = kind, strength, sound, figure, layout


def of_stem(fault, stem, key=None, planted=None):
    """A finding with that fault and stem; the error of a figure of its details (nan: it has none)."""
    def figure(item):
        details = item["details"]
        if item["check"] not in ("stems.null", "signal.dropout") or details.get("fault") != fault or details.get("source") != stem:
            return None
        if key == "delay_samples" and details[key] != planted:
            return None
        return abs(details[key] - planted) if key else float("nan")
    return figure


def of_matrix(gains):
    """The matrix that was solved, in dB against the one that was used; what was not used must be below -60 dB."""
    def figure(item):
        if item["check"] != "folddown.matrix":
            return None
        error = 0.0
        for row, side in enumerate("LR"):
            for column, label in enumerate(CHANNELS):
                planted, found = gains[row, column], item["details"]["matrix"][side][label]
                if planted == 0:
                    error = max(error, 0.0 if abs(found or 0.0) < 1e-3 else float("inf"))
                else:
                    error = max(error, abs(20 * np.log10(found / planted)) if found and found * planted > 0 else float("inf"))
        return error
    return figure


def of_phase():
    """Surrounds at -3 dB, ahead by a quarter of a turn in L and behind by it in R; the error of the gain."""
    def figure(item):
        if item["check"] != "folddown.matrix" or "phase_degrees" not in item["details"]:
            return None
        gains, turns = item["details"]["matrix_db"], item["details"]["phase_degrees"]
        places = [(side, label) for side in "LR" for label in ("Ls", "Rs")]
        if max(abs(turns[side][label] - (90 if side == "L" else -90)) for side, label in places) > 1.0:
            return None
        return max(abs(gains[side][label] + 3.0103) for side, label in [*places, ("L", "C"), ("R", "C")])
    return figure


def of_order(holds):
    return lambda item: float("nan") if item["check"] == "signal.channel_swap" and item["details"]["holds"] == holds else None


def of_check(check, planted):
    def figure(item):
        return abs(item["measured"] - planted) if item["check"] == check else None
    return figure


def during(sound):
    out = np.zeros_like(sound)
    out[LAST[0]:LAST[1]] = sound[LAST[0]:LAST[1]]
    return out


def stem_faults(parts, mix):
    yield Fault("none", "print master", mix)
    yield Fault("none", "M&E", parts["MX"] + parts["FX"])
    for stem, sound in parts.items():
        for late in (1, -1, -37, 37, -2000, 2000, -4000, 4000, 20000, -20000):
            yield Fault("stem shifted", f"{abs(late)} samples", mix - sound + np.roll(sound, late, axis=0),
                        of_stem("shifted", stem, "delay_samples", late))
        yield Fault("stem shifted for 8 s", "2000 samples", mix + during(np.roll(sound, -2000, axis=0) - sound),
                    of_stem("shifted", stem, "delay_samples", -2000))
        yield Fault("stem missing", "8 s", mix - during(sound), of_stem("missing", stem))
        yield Fault("stem missing", "all", mix - sound, of_stem("missing", stem))
        for gain in (0.1, -0.5, 3.0):
            yield Fault("stem's gain", f"{gain} dB", mix + (db(gain) - 1) * during(sound), of_stem("gain", stem, "gain_db", gain))
        yield Fault("stem upside down", "8 s", mix - 2 * during(sound), of_stem("polarity", stem))
    for late in (1, -2000):
        yield Fault("programme shifted", f"{abs(late)} samples", np.roll(mix, late, axis=0), of_stem("shifted", "", "delay_samples", late))
    for ms in (2, 20, 200, 1500):
        lost = mix.copy()
        lost[10 * RATE:10 * RATE + ms * RATE // 1000] = 0
        yield Fault("drop-out in the print", f"{ms} ms", lost, of_stem("dropout", "", "length_ms", ms))
    for gain in (-20, -40, -60, -70):
        yield Fault("dialogue left in the M&E", f"{gain} dB", mix - parts["DX"] + db(gain) * during(parts["DX"]),
                    of_check("me.dialogue", gain))


def matrix_faults(mix):
    """Of a mix whose channels have nothing in common."""
    half = db(-3.0103)
    nominal = np.zeros((2, 6))
    nominal[0, 0] = nominal[1, 1] = 1.0
    nominal[:, 2] = nominal[0, 4] = nominal[1, 5] = half
    yield Fault("none", "Lo/Ro", mix @ nominal.T, layout="stereo")
    for what, change in (("C at -4.5 dB", {(0, 2): db(-4.5), (1, 2): db(-4.5)}), ("C at -3.3 dB", {(0, 2): db(-3.3), (1, 2): db(-3.3)}),
                         ("C missing", {(0, 2): 0, (1, 2): 0}), ("surrounds at -6 dB", {(0, 4): db(-6), (1, 5): db(-6)}),
                         ("surrounds missing", {(0, 4): 0, (1, 5): 0}), ("Rs upside down", {(1, 5): -half}),
                         ("LFE at -10 dB in both", {(0, 3): db(-10), (1, 3): db(-10)}),
                         ("surrounds exchanged", {(0, 4): 0, (0, 5): half, (1, 5): 0, (1, 4): half})):
        gains = nominal.copy()
        for place, gain in change.items():
            gains[place] = gain
        yield Fault("wrong matrix", what, mix @ gains.T, of_matrix(gains), "stereo")
    surround = half * (mix[:, 4] + mix[:, 5])
    turned = np.fft.irfft(-1j * np.fft.rfft(surround), len(surround))
    yield Fault("Lt/Rt in place of Lo/Ro (information)", "surrounds at 90 degrees",
                np.stack([mix[:, 0] + half * mix[:, 2] - turned, mix[:, 1] + half * mix[:, 2] + turned], axis=1),
                of_phase(), "stereo")


def order_faults(mix):
    for what, order in (("L and R", [1, 0, 2, 3, 4, 5]), ("Ls and Rs", [0, 1, 2, 3, 5, 4]), ("film order", [0, 2, 1, 4, 5, 3]),
                        ("C and LFE", [0, 1, 3, 2, 4, 5])):
        holds = {CHANNELS[i]: CHANNELS[place] for i, place in enumerate(order) if i != place}
        yield Fault("channels swapped", what, mix[:, order], of_order(holds))


def apart(stem, reel, frames):
    """Every channel with a sound of its own."""
    speech = real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac")
    music = real_files("music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg")
    effects = real_files("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.ogg")
    files, used = {"DX": (speech, [2]), "MX": (music, [0, 1, 4, 5]), "FX": (effects, [0, 1, 2, 3, 4, 5])}[stem]
    bed = np.zeros((frames, 6))
    bed[:, used] = real_bed(files, len(used) * frames, 1, 10).reshape(len(used), frames).T * 0.25
    bed[:, 3] = moving_mean(bed[:, 3], 400)
    return bed


def ducked(mix, narration, depth):
    """The narration in C, all else lowered under it with slopes of 0.2 s."""
    speaks = moving_mean((moving_mean(np.abs(narration), RATE) > 1e-4).astype(float), RATE // 5)
    out = mix * db(depth * np.clip(speaks, 0, 1))[:, None]
    out[:, 2] += narration
    return out


def ducking_faults(show, mix):
    lead = show.LEADER_S * RATE
    narration = np.zeros(len(mix) + lead + RATE)
    voice = real_bed(real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac"), 4 * RATE, 1, 60)[:, 0] * 0.5
    for place in (4, 11):
        narration[lead + place * RATE:lead + (place + 4) * RATE] = voice
    narration = write_wav(show.folder / "stems" / "R1_AD.wav", narration)[lead:lead + len(mix), 0]
    show.text["stems"]["AD"] = {"role": "narration", "layout": "mono", "file": "{reel}_AD.wav", "language": "en"}
    for depth in (-12, -9, -6, -3, 0):
        yield Fault("description ducked by", f"{-depth} dB", ducked(mix, narration, depth), of_check("ad.depth", depth))


def received(folder, show, faults):
    """Judges all programmes in one go; [(fault, its findings)]."""
    named = [(f"P{index}", fault) for index, fault in enumerate(faults)]
    for name, fault in named:
        write_wav(folder / "stems" / "received" / f"{name}.wav", np.ascontiguousarray(fault.sound))
    show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": fault.layout, "spec": "none"}
                                 for name, fault in named]
    show.write()
    report = reelmill("qc", "--show", show.path, "--json").json()
    entries = {entry["deliverable"]: entry["findings"] for entry in report["programmes"] if entry["reel"] is None}
    return [(fault, entries[name]) for name, fault in named]


TOLD = ("stems.null", "signal.dropout", "folddown.matrix", "me.dialogue", "signal.channel_swap", "ad.depth")


def received_table():
    """(kind, strength) -> [planted, named, errors, others told beside it]"""
    rows = {}
    judged = []
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        show = real_show(Path(name), [16 * 24])
        parts = {stem: show.joined(stem) for stem in ("DX", "MX", "FX")}
        judged += received(Path(name), show, stem_faults(parts, sum(parts.values())))
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        show = Show(name, [16 * 24], apart)
        mix = sum(show.joined(stem) for stem in ("DX", "MX", "FX"))
        judged += received(Path(name), show, [*matrix_faults(mix), *order_faults(mix), *ducking_faults(show, mix)])
    for fault, findings in judged:
        told = [item for item in findings if item["check"] in TOLD and
                (item["severity"] in ("warn", "fail") or item["check"] == "ad.depth" or "phase_degrees" in item["details"])]
        errors = [fault.figure(item) if fault.figure else None for item in told]
        right = [error for error in errors if error is not None]
        row = rows.setdefault((fault.kind, fault.strength), [0, 0, [], 0])
        row[0] += 1
        row[1] += bool(right) if fault.figure else not told
        row[2] += [min(right)] if right and not np.isnan(right[0]) else []
        row[3] += len(told) - len(right)
    return rows


def print_received(rows):
    print("| fault in a received programme | strength | named, with its stem and figure | figure off by at most | other findings |")
    print("| --- | --- | --- | --- | --- |")
    for (kind, strength), (planted, named, errors, others) in rows.items():
        print(f"| {kind} | {strength} | {named} of {planted} | {f'{max(errors):.2f}' if errors else '-'} | {others} |")
    print()


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    need_shared()
    print_received(received_table())


if __name__ == "__main__":
    main()
