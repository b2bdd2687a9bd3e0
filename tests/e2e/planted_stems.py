"""Plants faults of stems into real sound: leaks between them, and programmes that are not their sum. Prints what became of each."""
import argparse
import functools
import json
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import (RATE, SHARED, Show, decode, hash_seed, moving_mean, need_shared, noise, real_bed, real_files, real_show, reelmill,
                      timecode, write_wav)

REEL = 3600 * 24  # the first frame


def db(value):
    return 10.0 ** (value / 20.0)


def level(sound):
    """RMS of what is not silence, in dBFS."""
    return 20 * np.log10(np.sqrt(np.mean(sound[np.abs(sound) > 1e-5] ** 2)) + 1e-12)


def at_level(sound, wanted):
    return sound * db(wanted - level(sound))


def filtered(sound, kind):
    """Butterworth of the second order, with its phase."""
    if kind is None:
        return sound
    hertz = np.fft.rfftfreq(2 * len(sound), 1 / RATE)
    s = 1j * hertz / kind[1]
    gain = 1 / (1 + np.sqrt(2) * s + s * s)
    gain = gain if kind[0] == "low" else gain * s * s
    return np.fft.irfft(np.fft.rfft(sound, 2 * len(sound)) * gain)[:len(sound)]


def delayed(sound, samples):
    out = np.roll(sound, samples)
    if samples >= 0:
        out[:samples] = 0
    else:
        out[samples:] = 0
    return out


@functools.lru_cache(maxsize=None)  # every show takes all of them
def decoded(path):
    return decode(path, 1)[:, 0]


def materials(frames, random):
    """[(kind, mono sound)] in random order. No two hold the same recording: a piece of music repeats its loops to the sample, and
    what one stem has of another's sound would be found as a leak. The kinds differ in how they pause."""
    if not (SHARED / "audio").is_dir():
        return [("noise", noise((int(random.integers(1 << 30)), i), frames, 1, 0.1)[:, 0]) for i in range(15)]
    made = [("music", real_bed([path], frames, 1, int(random.integers(0, 5)))[:, 0])
            for path in real_files("music/librosa/**/K*.ogg", "music/librosa/**/H*.ogg", "music/openclonk/**/*.ogg")]
    for kind, files in (("speech", real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac")),
                        ("room", real_files("effects/blanket/**/city.ogg", "effects/blanket/**/train.ogg")),
                        ("effects", real_files("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.wav"))):
        bed = np.concatenate([decoded(files[i]) for i in random.permutation(len(files))])
        count = max(len(bed) // frames, 1)
        made += [(kind, sound) for sound in np.resize(bed, (count, frames))]
    return [made[i] for i in random.permutation(len(made))]


DELAYS = [0, 0, 1, 7, 48, 240, 480, 1000]
FILTERS = [None, None, ("low", 2000), ("high", 800)]
STRENGTHS = [-20, -30, -40, -50, -60]


WINDOW = 4096


class Leak:
    def __init__(self, random, index, strength, frames):
        self.source, self.host, self.strength = f"S{index}", f"H{index}", strength
        self.delay = DELAYS[int(random.integers(len(DELAYS)))]
        self.kind = FILTERS[int(random.integers(len(FILTERS)))]
        self.start, self.end = 0, frames
        if random.random() < 0.6:
            self.start = int(random.uniform(3, frames / RATE - 12) * RATE)
            self.end = self.start + int(random.uniform(2.5, 8.0) * RATE)

    def send(self, source, host):
        """The host with the leak in it. self.sure: (first, last) second in which, in the leak's band, the source plays and the
        host lies 40 dB below it."""
        heard = delayed(filtered(source, self.kind), self.delay)
        own = filtered(host, self.kind)
        sure = [place for place in range(self.start, self.end - WINDOW + 1, WINDOW // 4)
                if np.mean(heard[place:place + WINDOW] ** 2) > max(1e-6, 1e4 * np.mean(own[place:place + WINDOW] ** 2))]
        self.sure = (sure[0] / RATE, (sure[-1] + WINDOW) / RATE) if len(sure) > 40 else None
        out = host.copy()
        out[self.start:self.end] += heard[self.start:self.end] * db(self.strength)
        return out

    def time_error(self, finding):
        """Seconds by which a finding begins before the leak or after it is sure, or ends so."""
        first, last = self.sure if self.sure else (self.end / RATE, self.start / RATE)
        return max(self.start / RATE - finding["start_s"], finding["start_s"] - first, last - finding["end_s"],
                   finding["end_s"] - self.end / RATE, 0.0)


def bleed_show(folder, seed, seconds, below, strengths=STRENGTHS):
    """Sources, each leaking into a host of its own; `below`: dB that a host's own sound lies under its source. 24 fps."""
    random = np.random.default_rng(hash_seed("bleed", seed, below))
    frames = seconds * RATE
    sounds = materials(frames, random)
    stems, leaks = {}, []
    (folder / "stems").mkdir(parents=True, exist_ok=True)
    for index, strength in enumerate(strengths):
        leak = Leak(random, index, strength, frames)
        kinds = [kind for kind, _ in sounds[2 * index:2 * index + 2]]
        source, host = (at_level(sound, -24 - i * below) for i, (_, sound) in enumerate(sounds[2 * index:2 * index + 2]))
        write_wav(folder / "stems" / f"{leak.source}.wav", source)
        write_wav(folder / "stems" / f"{leak.host}.wav", leak.send(source, host))
        for name, role in ((leak.source, "music"), (leak.host, "effects")):
            stems[name] = {"role": role, "layout": "mono", "file": f"{name}.wav"}
        leak.what = f"{kinds[0]} in {kinds[1]}"
        leaks.append(leak)
    text = {"reelmill": 1, "title": "Bleed", "slug": "BLEED", "frame_rate": 24, "sample_rate": RATE, "media": "stems", "stems": stems,
            "reels": [{"name": "R1", "start": timecode(REEL), "ffoa": timecode(REEL), "lfoa": timecode(REEL + seconds * 24 - 1)}],
            "pops": "none", "deliverables": [{"name": "MIX", "recipe": "mono", "spec": "none"}], "output": "out"}
    (folder / "show.yaml").write_text(json.dumps(text))
    return leaks


def judge_bleed(folder, leaks):
    """[(leak, findings)], and the findings that no leak explains."""
    report = reelmill("run", folder / "show.yaml", "--json").json()
    told = [item for entry in report["programmes"] if entry["reel"] is None for item in entry["findings"]
            if item["check"] == "stems.bleed" and "source" in item["details"]]
    results = [(leak, [item for item in told if item["details"]["source"].startswith(leak.source) and
                       f" is heard in {leak.host} " in item["message"]]) for leak in leaks]
    return results, [item for item in told if not any(item in mine for _, mine in results)]


def bleed_table(seeds, seconds=40):
    """(rows by host level and strength, false findings, seconds of sound times pairs)"""
    rows, false = {}, 0
    for seed in range(seeds):
        for below in (45, 20):
            with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
                leaks = bleed_show(Path(name), seed, seconds, below)
                results, other = judge_bleed(Path(name), leaks)
            false += len(other)
            for leak, mine in results:
                row = rows.setdefault((below, leak.strength), {"planted": 0, "found": 0, "gain": [], "time": []})
                row["planted"] += 1
                row["found"] += bool(mine)
                row["gain"] += [abs(item["measured"] - leak.strength) for item in mine]
                row["time"] += [leak.time_error(item) for item in mine]
    return rows, false, seeds * 2 * seconds


def print_bleed(rows, false, seconds):
    print("| host below source | leak | found | gain error, median and most | time error, median and most |")
    print("| --- | --- | --- | --- | --- |")
    for (below, strength), row in sorted(rows.items(), reverse=True):
        figures = [f"{np.median(row[key]):.2f}, {max(row[key]):.2f} {unit}" if row[key] else "-"
                   for key, unit in (("gain", "dB"), ("time", "s"))]
        print(f"| {below} dB | {strength} dB | {row['found']} of {row['planted']} | {' | '.join(figures)} |")
    print(f"\n{false} findings between stems without a leak, in {seconds / 3600:.2f} h of ten stems.\n")


def least_table(shows, seconds=40):
    """The least that is asked: leaks of -50 dB with the host 45 dB below. [(gain error, time error)] of those that were found, how
    many were planted, and the shows' findings without a leak; leaks of which nothing is sure are not counted."""
    errors, planted, false = [], 0, 0
    for seed in range(100, 100 + shows):
        with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
            leaks = bleed_show(Path(name), seed, seconds, 45, [-50] * 5)
            results, other = judge_bleed(Path(name), leaks)
        false += len(other)
        for leak, mine in results:
            planted += leak.sure is not None
            if leak.sure and mine:
                errors.append((max(abs(item["measured"] + 50) for item in mine), leak.time_error(
                    {"start_s": min(item["start_s"] for item in mine), "end_s": max(item["end_s"] for item in mine)})))
    return errors, planted, false


def print_least(errors, planted, false):
    gains, times = zip(*errors)
    both = sum(gain <= 0.5 and time <= 0.5 for gain, time in errors)
    print(f"Leaks of -50 dB, the host's own sound 45 dB below the source: {len(errors)} of {planted} found; gain within 0.5 dB and time "
          f"within 0.5 s in {both}; gain off by {np.median(gains):.2f} dB (median), {max(gains):.2f} dB (most), time by "
          f"{np.median(times):.2f} s, {max(times):.2f} s; {false} findings without a leak.\n")


# ---- received programmes ----

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
        if item["check"] != "stems.null" or details.get("fault") != fault or details.get("source") != stem:
            return None
        if key == "delay_samples" and details[key] != planted:
            return None
        return abs(details[key] - planted) if key else float("nan")
    return figure


def of_matrix(gains):
    """The matrix that was solved, in dB against the one that was used; what was not used must be below -60 dB."""
    def figure(item):
        if item["check"] != "folddown.matrix" or "matrix" not in (item["details"] or {}):  # which was used is not known
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
    yield Fault("Lt/Rt in place of Lo/Ro", "surrounds at 90 degrees",
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


TOLD = ("stems.null", "folddown.matrix", "me.dialogue", "signal.channel_swap", "ad.depth")


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    need_shared()
    print_received(received_table())
    print_bleed(*bleed_table(parser.parse_args().seeds))
    print_least(*least_table(10))


if __name__ == "__main__":
    main()
