"""Clean shows of real sound, different ones by seed, hard cases among them: whatever fails on them is a false alarm."""
import argparse
import collections
import functools
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import RATE, Show, abreast, decode, hash_seed, moving_mean, need_shared, real_files, reelmill, write_wav

HARD = ("plain", "production effects in FX", "reverb of the dialogue in FX", "source music in FX", "gunshots in FX", "empty LFE")
RATES = ("24", "23.976", "25")  # six shows of each, in turn
HALF = 10 ** (-3.0103 / 20)
RENDERED = [{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "netflix-5.1", "gain": {"to": "spec"}},
            {"name": "PM_20", "recipe": "stereo-loro", "spec": "ebu-r128", "gain": {"to": "spec"}},
            {"name": "ME_51", "recipe": "me-5.1", "spec": "none"}]
# What hangs on the level that a sum happens to have is no false alarm of a check; the rendered ones are brought to their specs.
LEVELS = ("loudness.", "peak.true", "peak.sample", "render.")


@functools.lru_cache(maxsize=None)
def sound_files(kind):
    return [path for path in real_files(f"{kind}/**/*") if path.suffix in (".wav", ".flac", ".ogg", ".mp3")]


@functools.cache
def beginning(path, channels):
    """20 s at most, as small as ffmpeg gives them: the few hundred files are drawn again and again."""
    return decode(path, channels, 21)[:20 * RATE].astype(np.float32)


def bed(kind, channels, frames, random):
    """Files of a kind in an order of chance, each brought to the same level and faded in and out, pauses between them."""
    out = np.zeros((frames, channels))
    at = 0
    while at < frames:
        files = sound_files(kind)
        try:
            part = beginning(files[int(random.integers(len(files)))], channels).astype(np.float64)
        except subprocess.CalledProcessError:
            continue
        loud = np.sqrt(np.mean(part ** 2)) if len(part) else 0.0
        if loud < 1e-4 or len(part) < RATE:
            continue
        part = part * min(0.06 / loud, 0.7 / np.max(np.abs(part)))
        fade = np.minimum(1.0, np.arange(len(part)) / (RATE // 20))
        part = part * (fade * fade[::-1])[:, None]
        out[at:at + len(part)] += part[:frames - at]
        at += len(part) + int(random.uniform(0.0, 2.0) * RATE)
    return out


def echoing(sound, random):
    """Reverb of 0.8 s without the direct sound."""
    count = int(0.8 * RATE)
    response = random.standard_normal(count) * np.exp(-np.arange(count) / (0.25 * RATE))
    response[:RATE // 50] = 0
    response /= np.sqrt(np.sum(response ** 2))
    size = len(sound) + count
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[:len(sound)]


def gunshots(frames, random):
    out = np.zeros(frames)
    for _ in range(8):
        at, count = int(random.integers(RATE, frames - RATE)), int(0.4 * RATE)
        out[at:at + count] += random.standard_normal(count) * np.exp(-np.arange(count) / (0.05 * RATE)) * 0.3
    return np.clip(out, -0.7, 0.7)


def clean_content(seed, hard, lead):
    """content(stem, reel, frames) of a clean show. What is made of another stem's sound uses that stem's own."""
    @functools.lru_cache(maxsize=1)  # the dialogue, for its reverb
    def made(stem, reel, frames):
        random = np.random.default_rng(hash_seed("clean", seed, stem, reel))
        out = np.zeros((frames, 6))
        if stem == "DX":
            out[:, 2] = bed("speech", 1, frames, random)[:, 0]
        elif stem == "MX":
            stereo = bed("music", 2, frames, random)
            out[:, :2] = stereo * 0.8
            out[:, 4:] = stereo[:, ::-1] * 0.3
        else:
            out[:, :2] = bed("effects", 2, frames, random)
            out[:, 4:] = bed("effects", 2, frames, random) * 0.5
            out[:, 3] = moving_mean(moving_mean(out[:, 0], 600), 600) * (hard != "empty LFE")
            if hard == "production effects in FX":
                out[:, 2] += bed("effects", 1, frames, random)[:, 0] * 0.5
            elif hard == "reverb of the dialogue in FX":
                out[:, 0] += echoing(made("DX", reel, frames)[:, 2], random) * 0.2
                out[:, 1] += echoing(made("DX", reel, frames)[:, 2], random) * 0.2
            elif hard == "source music in FX":
                out[:, 2] += moving_mean(bed("music", 1, frames, random)[:, 0], 8) * 0.4
            elif hard == "gunshots in FX":
                out[:, 2] += gunshots(frames, random)
        inside = np.arange(frames)
        tail = RATE
        edge = np.clip(np.minimum(inside - lead, frames - tail - inside) / (RATE // 20), 0.0, 1.0)
        return out * edge[:, None] * 0.5
    return made


def received(show):
    """Programmes made elsewhere of the same stems, without a fault."""
    parts = {stem: show.joined(stem) for stem in ("DX", "MX", "FX")}
    music_and_effects = parts["MX"] + parts["FX"]
    mix = parts["DX"] + music_and_effects
    fold = np.zeros((2, 6))
    fold[0, 0] = fold[1, 1] = 1.0
    fold[:, 2] = fold[0, 4] = fold[1, 5] = HALF
    sounds = {"R_PM": (mix, "5.1"), "R_ME": (music_and_effects, "5.1"), "R_20": (mix @ fold.T, "stereo"), "R_DX": (parts["DX"], "5.1")}
    entries = []
    for name, (sound, layout) in sounds.items():
        write_wav(show.folder / "stems" / "received" / f"{name}.wav", np.ascontiguousarray(sound))
        entries.append({"name": name, "file": f"received/{name}.wav", "layout": layout, "spec": "none"})
    return entries


def told(report):
    """(seconds of programmes, [(severity, check, deliverable, timecode, message)])"""
    entries = [entry for entry in report["programmes"] if entry["reel"] is None]
    found = [(item["severity"], item["check"], entry["deliverable"], item["timecode"], item["message"])
             for entry in entries for item in entry["findings"]
             if item["severity"] in ("warn", "fail") and not item["check"].startswith(LEVELS)]
    return len(entries) * report["files"][0]["duration_s"] if report["files"] else 0.0, found


def clean_show(seed, seconds):
    """What is told of the show of a seed when it is rendered, and what when it is received."""
    hard, rate = HARD[seed % len(HARD)], RATES[seed // len(HARD) % len(RATES)]
    with tempfile.TemporaryDirectory(prefix="reelmill-clean-") as name:
        base = round(float(rate))
        first = seconds * base // 2 + 7
        show = Show(name, [first, seconds * base - first], clean_content(seed, hard, Show.LEADER_S * base * Show.PICTURE[rate]),
                    deliverables=RENDERED, rate=rate)
        rendered = told(reelmill("run", show.path, "--json").json())
        show.text["deliverables"] = received(show)
        show.text["slug"] = "RECEIVED"
        show.write()
        return rendered, told(reelmill("qc", "--show", show.path, "--json").json())


def clean_table(first_seed, shows, seconds):
    out = {"seconds": 0.0, "warn": collections.defaultdict(list), "fail": collections.defaultdict(list)}
    seeds = range(first_seed, first_seed + shows)
    for seed, reports in zip(seeds, abreast(clean_show, [(seed, seconds) for seed in seeds])):
        for length, found in reports:
            out["seconds"] += length
            for severity, check, *rest in found:
                out[severity][check].append((seed, HARD[seed % len(HARD)], *rest))
    return out


def print_clean(out, shows, seconds):
    print(f"{shows} clean shows, {shows * seconds / 3600:.2f} h of different sound, {out['seconds'] / 3600:.2f} h of programmes "
          f"(each as 5.1, Lo/Ro and M&E; rendered, and received with its dialogue stem).\n")
    print("| severity | check | findings | in shows | in |")
    print("| --- | --- | --- | --- | --- |")
    for severity in ("fail", "warn"):
        for check, items in sorted(out[severity].items()):
            programmes = ", ".join(sorted({item[2] for item in items}))
            print(f"| {severity} | `{check}` | {len(items)} | {len({item[0] for item in items})} | {programmes} |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first show")
    parser.add_argument("--shows", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--list", help="a file for every finding, as JSON")
    options = parser.parse_args()
    need_shared()
    out = clean_table(options.first, options.shows, options.seconds)
    print_clean(out, options.shows, options.seconds)
    if options.list:
        Path(options.list).write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
