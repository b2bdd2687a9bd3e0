"""Plants faults of stems into real sound: leaks between them, and programmes that are not their sum. Prints what became of each."""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import (RATE, SHARED, hash_seed, need_shared, noise, real_bed, real_files, real_show, reelmill, timecode,
                      write_wav)

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


def materials(frames, random):
    """name -> mono sound: they differ in how they pause."""
    if not (SHARED / "audio").is_dir():
        return {f"noise {i}": noise((int(random.integers(1 << 30)), i), frames, 1, 0.1)[:, 0] for i in range(4)}
    kinds = {"music": real_files("music/librosa/**/K*.ogg", "music/librosa/**/H*.ogg", "music/openclonk/**/*.ogg"), "speech": real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac"),
             "room": real_files("effects/blanket/**/city.ogg", "effects/blanket/**/train.ogg"),
             "effects": real_files("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.wav")}
    made = {}
    for name, files in kinds.items():
        turn = int(random.integers(len(files)))
        made[name] = real_bed(files[turn:] + files[:turn], frames, 1, int(random.integers(1, 20)))[:, 0]
    return made


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


def bleed_show(folder, seed, seconds, below):
    """Five sources, each leaking into a host of its own; `below`: dB that a host's own sound lies under its source. 24 fps."""
    random = np.random.default_rng(hash_seed("bleed", seed, below))
    frames = seconds * RATE
    sounds = materials(2 * len(STRENGTHS) * frames, random)
    names = list(sounds)
    stems, leaks = {}, []
    (folder / "stems").mkdir(parents=True, exist_ok=True)
    for index, strength in enumerate(STRENGTHS):
        leak = Leak(random, index, strength, frames)
        kinds = [names[int(random.integers(len(names)))] for _ in range(2)]
        source, host = (at_level(sounds[kind][(2 * index + i) * frames:(2 * index + i + 1) * frames], -24 - i * below)
                        for i, kind in enumerate(kinds))
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


# ---- received programmes ----

LAST = 6 * RATE, 14 * RATE  # most faults lie there


def received(folder):
    """A show of real sound with a programme for each fault: [(name, fault, stem, what else is expected in `details`)]."""
    show = real_show(folder, [16 * 24])
    parts = {name: show.joined(name) for name in ("DX", "MX", "FX")}
    mix = sum(parts.values())
    planted, files = [("CLEAN", None, None, {})], {"CLEAN": mix}
    for stem, sound in parts.items():
        there = np.zeros_like(sound)
        there[LAST[0]:LAST[1]] = sound[LAST[0]:LAST[1]]
        for late in (-4000, -2000, -37, 37, 2000, 4000):
            planted.append((f"{stem}_AT_{late}".replace("-", "M"), "shifted", stem, {"delay_samples": late}))
            files[planted[-1][0]] = mix - sound + np.roll(sound, late, axis=0)
        for name, fault, sent, details in (("OUT", "missing", -1.0, {}), ("DOWN", "gain", 10 ** (-0.5 / 20) - 1, {}),
                                           ("TURNED", "polarity", -2.0, {})):
            planted.append((f"{stem}_{name}", fault, stem, details))
            files[planted[-1][0]] = mix + sent * there
    for ms in (2, 20, 200):
        lost = mix.copy()
        lost[10 * RATE:10 * RATE + ms * RATE // 1000] = 0
        planted.append((f"LOST_{ms}", "dropout", "", {}))
        files[f"LOST_{ms}"] = lost
    for name, sound in files.items():
        write_wav(folder / "stems" / "received" / f"{name}.wav", np.ascontiguousarray(sound))
    show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "none"} for name in files]
    show.write()
    return show.path, planted


def received_table():
    """fault -> [planted, named, others told beside it]"""
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        path, planted = received(Path(name))
        report = reelmill("qc", "--show", path, "--json").json()
    rows = {}
    for name, fault, stem, details in planted:
        entry = next(item for item in report["programmes"] if item["deliverable"] == name and item["reel"] is None)
        told = [item for item in entry["findings"] if item["check"] in ("stems.null", "folddown.matrix", "me.dialogue") and
                item["severity"] in ("warn", "fail")]
        right = [item for item in told if item["details"].get("fault") == fault and item["details"].get("source") == stem and
                 all(item["details"].get(key) == value for key, value in details.items())]
        row = rows.setdefault(fault or "none", [0, 0, 0])
        row[0] += 1
        row[1] += bool(right) if fault else not told
        row[2] += len(told) - len(right)
    return rows


def print_received(rows):
    print("| fault in a received programme | named, with its stem and figure | other findings beside it |\n| --- | --- | --- |")
    for fault, (planted, named, others) in rows.items():
        print(f"| {fault} | {named} of {planted} | {others} |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    need_shared()
    print_received(received_table())
    print_bleed(*bleed_table(parser.parse_args().seeds))


if __name__ == "__main__":
    main()
