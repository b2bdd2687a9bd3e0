"""Plants faults at the joins of reels into real sound, and wrong pops into leaders, and prints what became of each."""
import functools
import tempfile
from pathlib import Path

import numpy as np

import test_sync
from farm_kit import RATE, Show, abreast, moving_mean, need_shared, real_bed, real_files, reelmill

REELS = 9
SECONDS = 6
FRAMES = SECONDS * RATE
# Findings at a join; a click there is how a jump of the sound is told.
AT_JOINS = ("join.gap", "join.peak", "join.tail", "join.overlap", "signal.dropout", "signal.click")


@functools.cache
def whole(stem):
    """Sound that runs on over all joins, so that a clean join is heard as none."""
    files = {"DX": real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac"),
             "MX": real_files("music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg"),
             "FX": real_files("effects/blanket/**/city.ogg", "effects/blanket/**/train.ogg")}[stem]
    mono = real_bed(files, (REELS + 1) * FRAMES, 1, 20)[:, 0]
    bed = np.zeros((len(mono), 6))
    if stem == "DX":
        bed[:, 2] = mono * 0.4
    else:
        bed[:, [0, 1, 4, 5]] = mono[:, None] * np.array([0.3, 0.25, 0.15, 0.2])
        bed[:, 3] = moving_mean(mono, 400) * 0.1
    return bed


def cut(sound, reel, kind, strength):
    """What a reel holds between FFOA and LFOA. Every join has the fault."""
    samples = round(strength * RATE / 1000)
    start = reel * (FRAMES - samples) if kind == "overlap" else reel * FRAMES
    out = sound[start:start + FRAMES].copy()
    if kind == "gap" and reel + 1 < REELS:
        out[FRAMES - samples:] = 0
    if kind == "tail left behind LFOA" and reel > 0:
        out[:samples] = 0
    if kind == "jump" and reel % 2:
        out *= -1
    return out


def join_case(kind, strength):
    """(joins with a finding, joins, findings elsewhere, errors of the figure in ms)"""
    lead = Show.LEADER_S * RATE

    def content(stem, reel, frames):
        bed = np.zeros((frames, 6))
        bed[lead:lead + FRAMES] = cut(whole(stem), reel, kind, strength)
        return bed
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        show = Show(name, [SECONDS * 24] * REELS, content, deliverables=[{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "none"}])
        report = reelmill("run", show.path, "--json").json()
    told = [item for entry in report["programmes"] if entry["reel"] is None for item in entry["findings"]
            if item["check"] in AT_JOINS and item["start_s"] is not None and item["end_s"] < SECONDS * REELS]
    wanted = {"gap": ("join.gap",), "tail left behind LFOA": ("join.tail",), "overlap": ("join.overlap",),
              "jump": ("signal.click", "join.peak")}.get(kind, ())
    found, errors = set(), []
    for item in told:
        place = item["start_s"] if kind == "overlap" else item["end_s"]  # it begins at the join
        join = round(place / SECONDS)
        if item["check"] in wanted and 0 < join < REELS and abs(place - join * SECONDS) < 0.01 and item["severity"] in AS_FAULT[kind]:
            found.add(join)
            if kind == "gap":
                errors.append(abs(item["measured"] - strength))
            if kind == "overlap":
                errors.append(abs(item["measured"] * 1000 / RATE - strength))
    return len(found), REELS - 1, sum(item["check"] not in wanted for item in told), errors


# As information an overlap says that it may be a loop.
AS_FAULT = {"gap": ("warn",), "tail left behind LFOA": ("info",), "overlap": ("warn",), "jump": ("warn",), "none": ()}

JOINS = [("none", 0), ("gap", 1), ("gap", 5), ("gap", 20), ("gap", 100), ("jump", 0), ("tail left behind LFOA", 300),
         ("overlap", 100), ("overlap", 500), ("overlap", 2000)]


def print_joins():
    print("| fault at each join | strength | told | figure off by at most | other findings |\n| --- | --- | --- | --- | --- |")
    for (kind, strength), (found, joins, others, errors) in zip(JOINS, abreast(join_case, JOINS)):
        print(f"| {kind} | {f'{strength} ms' if strength else '-'} | {'-' if kind == 'none' else f'{found} of {joins}'} | "
              f"{f'{max(errors):.2f} ms' if errors else '-'} | {others} |")
    print()


# ---- pops: two reels of three stems each, so six tracks; sound of noise ----

TRACKS = [(reel, stem) for reel in ("R1", "R2") for stem in test_sync.Leaders.STEMS]


def misplaced(show, track, offset):
    show.clear(*track, show.head)
    show.put(show.audio[track][:, -1], test_sync.sample(show.head, "24") + offset)


def too_long(show, track, frames):
    show.clear(*track, show.head)
    show.put(show.audio[track][:, -1], test_sync.sample(show.head, "24"), frames=frames)


def left_in(show, track, _):
    first = test_sync.sample(show.first, "24")
    show.audio[track][first:first + 20000] = 0.0
    show.put(show.audio[track][:, 0], first + 6000)


# what, strengths in samples, fault, the figure is the strength
POPS = [("in place", [0], lambda show, track, _: None, False), ("head pop misplaced by", [1, -1, 37, -480, 2000, -20000], misplaced, True),
        ("head pop missing", [0], lambda show, track, _: show.clear(*track, show.head), False),
        ("tail pop missing", [0], lambda show, track, _: show.clear(*track, show.tail), False),
        ("pop as long as", [1900, 1997, 2003, 2400, 4000], too_long, True), ("pop left in the programme", [0], left_in, False)]


def pop_case(fault, strength, exact):
    """Every track has the fault, in shows of which half are right: (found, planted, others, errors)"""
    found, others, errors = 0, 0, []
    for reels in (TRACKS[::2], TRACKS[1::2]) if fault is not left_in else [[track] for track in TRACKS]:
        with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
            show = test_sync.Leaders(Path(name))
            for track in reels:
                fault(show, track, strength)
            report = reelmill("run", show.write(), "--json").json()
        told = {}
        for owner, reel, item in test_sync.findings(report, "sync.pop"):
            told.setdefault((reel, owner), []).append(item)
        for reel, stem in reels:
            mine = told.pop((reel, stem), []) if fault is not left_in else told.get((reel, "PM_51"), [])
            found += bool(mine)
            errors += [abs(item["measured"] - strength) for item in mine if exact and item["measured"] is not None]
        others += sum(map(len, told.values())) if fault is not left_in else 0
    return found, len(TRACKS), others, errors


def print_pops():
    print("| pop of a stem | strength | told | figure off by at most | other findings |\n| --- | --- | --- | --- | --- |")
    rows = [(what, strength) for what, strengths, _, _ in POPS for strength in strengths]
    cases = [(fault, strength, exact) for _, strengths, fault, exact in POPS for strength in strengths]
    for (what, strength), (found, planted, others, errors) in zip(rows, abreast(pop_case, cases)):
        right = what == "in place"
        print(f"| {what} | {f'{strength} samples' if strength else '-'} | {'-' if right else f'{found} of {planted}'} | "
              f"{f'{max(errors):.0f} samples' if errors else '-'} | {others + (found if right else 0)} |")
    print()


def main():
    need_shared()
    print_joins()
    print_pops()


if __name__ == "__main__":
    main()
