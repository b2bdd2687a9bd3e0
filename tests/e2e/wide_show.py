"""A show whose stems have different layouts, and the matrices of the shipped recipes written down once more, from the sources
that docs/deliverables.md names."""
import json

import numpy as np

from farm_kit import RATE, hash_seed, noise, timecode, write_wav

HALF = np.sqrt(0.5)
LAYOUTS = {"mono": ["M"], "stereo": ["L", "R"], "5.1": ["L", "R", "C", "LFE", "Ls", "Rs"],
           "7.1": ["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs"],
           "7.1.2": ["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs", "Lts", "Rts"]}
STEMS = {"DX": ("dialogue", "5.1"), "MX": ("music", "7.1.2"), "FX": ("effects", "7.1"), "AD": ("narration", "mono")}
TO_51 = {"Lss": {"Ls": 1.0}, "Rss": {"Rs": 1.0}, "Lrs": {"Ls": 1.0}, "Rrs": {"Rs": 1.0},
         "Lts": {"L": HALF, "Ls": HALF}, "Rts": {"R": HALF, "Rs": HALF}, "M": {"C": 1.0}}
TO_71 = {"Ls": {"Lss": 1.0}, "Rs": {"Rss": 1.0}, "Lts": {"L": HALF, "Lss": HALF}, "Rts": {"R": HALF, "Rss": HALF},
         "M": {"C": 1.0}}
TO_712 = {"Ls": {"Lss": 1.0}, "Rs": {"Rss": 1.0}, "M": {"C": 1.0}}


def folded(samples, layout, target, rule):
    """Channels that the target has stay; the others go where the rule says."""
    out = np.zeros((len(samples), len(LAYOUTS[target])))
    for index, label in enumerate(LAYOUTS[layout]):
        ways = {label: 1.0} if label in LAYOUTS[target] else rule[label]
        for to, gain in ways.items():
            out[:, LAYOUTS[target].index(to)] += gain * samples[:, index]
    return out


class WideShow:
    """Reels of the given lengths in seconds, without leaders; `content(stem, reel, frames, channels)`."""

    def __init__(self, folder, reel_seconds, deliverables, content=None, rates=None, **more):
        """rates: of the stems that have another than 48 kHz."""
        self.folder = folder
        rates = {**dict.fromkeys(STEMS, RATE), **(rates or {})}
        self.programme = {name: [] for name in STEMS}
        content = content or (lambda stem, reel, frames, channels: noise(hash_seed(stem, reel), frames, channels, 0.02))
        reels = []
        for index, seconds in enumerate(reel_seconds):
            first = (index + 1) * 3600 * 24
            reels.append({"name": f"R{index + 1}", "start": timecode(first), "ffoa": timecode(first),
                          "lfoa": timecode(first + seconds * 24 - 1)})
            for stem, (_, layout) in STEMS.items():
                samples = content(stem, index, seconds * rates[stem], len(LAYOUTS[layout]))
                exact = write_wav(folder / "stems" / f"R{index + 1}_{stem}.wav", samples, rate=rates[stem])
                self.programme[stem].append(exact)
        stems = {name: {"role": role, "layout": layout, "file": f"{{reel}}_{name}.wav"}
                 for name, (role, layout) in STEMS.items()}
        self.text = {"reelmill": 1, "title": "Night Train", "slug": "NIGHT_TRAIN", "version": "v01", "date": "2026-11-20",
                     "frame_rate": 24, "sample_rate": RATE, "media": "stems", "stems": stems, "reels": reels,
                     "pops": "none", "deliverables": deliverables, "output": "out", **more}
        self.path = folder / "show.yaml"
        self.path.write_text(json.dumps(self.text, indent=1))

    def joined(self, stem):
        return np.concatenate(self.programme[stem])

    def bed(self, target, stems=("DX", "MX", "FX")):
        rule = {"5.1": TO_51, "7.1": TO_71, "7.1.2": TO_712}[target]
        return sum(folded(self.joined(stem), STEMS[stem][1], target, rule) for stem in stems)

    def file(self, name, out="out", suffix=""):
        return self.folder / out / "NIGHT_TRAIN" / "v01" / name / f"NIGHT_TRAIN_{name}{suffix}.wav"
