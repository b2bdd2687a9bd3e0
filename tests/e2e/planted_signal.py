"""Plants signal faults from a seed into synthetic and real sound, judges them with `qc`, and prints what was found.

    REELMILL_BIN=BUILD/bin REELMILL_SHARED=../shared python3 tests/e2e/planted_signal.py [--seconds 60] [--seed 1]

Hosts without any planted fault give the false alarms per hour. The table of docs/qc-checks.md was made with it.
"""
import argparse
import functools
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from farm_kit import RATE, SHARED, abreast, noise, real_bed, real_files, reelmill, write_wav

PLACES = 12  # per file, for kinds that have places


def db(value):
    return 10.0 ** (value / 20.0)


# ---- hosts: stereo sound without faults ----

def synthetic(seed, frames):
    swell = 0.1 + np.abs(np.sin(np.arange(frames) / RATE * 0.7))
    middle = noise((seed, 1), frames, 1, 0.05)
    return (noise((seed, 2), frames, 2, 0.05) + middle) * swell[:, None]


@functools.cache
def real_hosts(frames):
    """Music, speech in a room of ambience, rain with thunder: everything that is 48 kHz by now came from lower rates."""
    music = real_bed(real_files("music/openclonk/**/*.ogg"), frames, 2, 20)
    speech = real_bed(real_files("speech/ljspeech/**/*.wav", "speech/ljspeech/**/*.flac"), frames, 1, 5)
    room = real_bed(real_files("effects/blanket/**/birds.ogg"), frames, 2, 3)
    weather = real_bed(real_files("effects/blanket/**/rain.ogg", "effects/alarmclock-cc0/**/thunder.mp3"), frames, 2, 0)
    return {"music": music * 0.5, "speech": speech * 0.5 + room * 0.2, "rain": weather * 0.5}


# ---- faults: (changed sound, places in samples, None for the whole) ----

def spread(random, frames):
    """Places over the file, not in its first or last second."""
    step = (frames - 2 * RATE) // PLACES
    return [RATE + i * step + int(random.integers(step // 2)) for i in range(PLACES)]


def clicks(host, random, level):
    places = spread(random, len(host))
    for place in places:
        host[place, random.integers(2)] += db(level) * random.choice([-1, 1])
    return places


def clipped(host, random, length):
    """Runs of so many samples at full scale, one channel each."""
    places = spread(random, len(host))
    for place in places:
        host[place:place + length, random.integers(2)] = random.choice([-1, 1])
    return places


def flat(host, random, length):
    """The same of a mix that was turned down by 3 dB afterwards."""
    places = clipped(host, random, length)
    host *= db(-3)
    return places


def drop_outs(host, random, milliseconds):
    """Where sound is on both sides: silence in silence is no fault."""
    length = int(milliseconds * RATE / 1000)
    places = []
    for place in spread(random, len(host)):
        for _ in range(2000):
            edges = [np.abs(host[a:a + 48, 0]).max() for a in (place - 48, place + length)]
            if min(edges) > 0.004:
                host[place:place + length, 0] = 0
                places.append(place)
                break
            place += 37
    return places


def cut_off(host, random, milliseconds):
    """One channel for longer than a mute, the other going on."""
    place = 2 * RATE + int(random.integers(RATE // 10))
    host[place:place + milliseconds * RATE // 1000, 0] = 0
    return [place]


def direct(host, random, level):
    host += db(level)


def direct_for_a_while(host, random, level):
    host[4 * RATE:12 * RATE, 0] += db(level)
    return [8 * RATE]


def turned(host, random, seconds):
    """One channel upside down for a while."""
    place = len(host) // 4
    host[place:place + seconds * RATE, 1] *= -1
    return [place + RATE]


def same_later(host, random, samples):
    host[samples:, 1] = host[:-samples, 0]
    host[:samples, 1] = 0


def polarity(host, random, _):
    host[:, 1] *= -1


def same_twice(host, random, _):
    host[:, 1] = host[:, 0]


def same_inverted(host, random, seconds):
    place = len(host) // 3
    host[place:place + seconds * RATE, 1] = -host[place:place + seconds * RATE, 0]
    return [place]


def against(host, random, seconds):
    """The right channel three parts the left upside down, and some of its own."""
    place = len(host) // 3
    part = host[place:place + seconds * RATE]
    own = random.standard_normal(len(part))
    part[:, 1] = -0.75 * part[:, 0] + 0.66 * own * np.sqrt(np.mean(part[:, 0] ** 2))
    return [place + RATE]


def hum_at_times(host, random, level):
    """50 Hz for 4 s of each 7."""
    at = np.arange(len(host)) / RATE
    host[:, 0] += db(level) * np.sin(2 * np.pi * 50 * at) * (at % 7 < 4)


def hum(frequency):
    def add(host, random, level):
        host[:, 0] += db(level) * np.sin(2 * np.pi * frequency * np.arange(len(host)) / RATE + random.uniform(0, 6))
    return add


def tone(host, random, level):
    """1 s of 1 kHz alone, as left from a line-up."""
    place = len(host) // 2
    host[place:place + RATE] = (db(level) * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE))[:, None]
    return [place]


def resampled(source_rate):
    def change(host, random, _):
        raw = subprocess.run(["ffmpeg", "-v", "error", "-f", "f64le", "-ar", str(RATE), "-ac", "2", "-i", "-", "-af",
                              f"aresample={source_rate},aresample={RATE}", "-f", "f64le", "-"],
                             input=host.astype("<f8").tobytes(), capture_output=True, check=True).stdout
        back = np.frombuffer(raw, "<f8").reshape(-1, 2)[:len(host)]
        host[:len(back)] = back
    return change


def coded(codec, container, rate):
    """Through a lossy codec and back, as a file that somebody had only as that."""
    def change(host, random, _):
        raw = ["-f", "f64le", "-ar", str(RATE), "-ac", "2"]
        there = subprocess.run(["ffmpeg", "-v", "error", *raw, "-i", "-", "-c:a", codec, "-b:a", rate, "-f", container, "-"],
                               input=host.astype("<f8").tobytes(), capture_output=True, check=True).stdout
        back = subprocess.run(["ffmpeg", "-v", "error", "-f", container.replace("adts", "aac"), "-i", "-", *raw, "-"],
                              input=there, capture_output=True, check=True).stdout
        sound = np.frombuffer(back, "<f8").reshape(-1, 2)[:len(host)]
        host[:len(sound)] = sound
    return change


def shortened(bits):
    def change(host, random, _):
        host[:] = np.rint(host * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)
    return change


# check, what, strengths with unit, fault, the figure that was planted (None: not compared)
STEREO = [
    ("signal.click", "single sample", [-20, -30, -40, -46], "dBFS", clicks, lambda s: s),
    ("peak.clipping", "run at full scale", [3, 10, 40], "samples", clipped, lambda s: s),
    ("peak.clipping", "run at full scale, then 3 dB down", [3, 10, 40], "samples", flat, lambda s: s),
    ("signal.dropout", "digital silence", [1, 3, 10, 60, 400], "ms", drop_outs, lambda s: s),
    ("signal.dropout", "one channel cut off", [4000, 10000], "ms", cut_off, lambda s: s),
    ("signal.dc", "direct current", [-20, -30, -38, -40], "dBFS", direct, lambda s: s),
    ("signal.dc", "direct current in one channel for 8 s", [-40], "dBFS", direct_for_a_while, lambda s: s),
    ("signal.polarity", "one channel inverted", ["all"], "", polarity, None),
    ("signal.polarity", "the other channel, inverted", [4, 10], "s", same_inverted, None),
    ("signal.polarity", "one channel inverted for a while", [4, 8], "s", turned, None),
    ("signal.phase", "right three quarters of left, inverted", [5, 10], "s", against, None),
    ("signal.dual_mono", "left copied to right", ["all"], "", same_twice, None),
    ("signal.dual_mono", "left copied to right, late", [1, 40], "samples", same_later, None),
    ("signal.hum", "50 Hz", [-40, -50, -60], "dBFS", hum(50), lambda s: s),
    ("signal.hum", "60 Hz", [-40, -50, -60], "dBFS", hum(60), lambda s: s),
    ("signal.hum", "50 Hz for 4 s of each 7", [-40], "dBFS", hum_at_times, lambda s: s),
    ("signal.tone", "1 kHz for 1 s", [-20, -30, -40], "dBFS", tone, lambda s: s),
    ("format.effective_bit_depth", "16 bits in 24", [16], "bit", shortened(16), lambda s: s),
    ("format.effective_bit_depth", "20 bits in 24", [20], "bit", shortened(20), lambda s: s),
    ("format.upsampled", "from 44.1 kHz", ["all"], "", resampled(44100), None),
    ("format.upsampled", "from 32 kHz", ["all"], "", resampled(32000), None),
    ("format.upsampled", "from 22.05 kHz", ["all"], "", resampled(22050), None),
    ("format.lossy", "MP3 of 128 kbit/s", ["all"], "", coded("libmp3lame", "mp3", "128k"), None),
    ("format.lossy", "AAC of 128 kbit/s", ["all"], "", coded("aac", "adts", "128k"), None),
    ("format.lossy", "AAC of 320 kbit/s", ["all"], "", coded("aac", "adts", "320k"), None),
    ("format.lossy", "Vorbis of 256 kbit/s", ["all"], "", coded("libvorbis", "ogg", "256k"), None),
    ("format.lossy", "MP3 of 320 kbit/s", ["all"], "", coded("libmp3lame", "mp3", "320k"), None),
    ("format.lossy", "Opus of 256 kbit/s", ["all"], "", coded("libopus", "ogg", "256k"), None),
]


def surround(host, lfe_gain=None, order=None, low_pass=120):
    """5.1 of a stereo host: its middle in C, its lows in the LFE."""
    lines = np.fft.rfft(host[:, 0])
    hertz = np.fft.rfftfreq(len(host), 1 / RATE)
    low = np.fft.irfft(lines / (1 + (hertz / low_pass) ** 8), len(host))[:, None]
    bed = np.concatenate([host, host.mean(1, keepdims=True), low, host[:, ::-1] * 0.5], axis=1)
    if lfe_gain is not None:
        bed[:, 3] += host[:, 0] * db(lfe_gain)
    return bed if order is None else np.ascontiguousarray(bed[:, order])


FILM = [0, 2, 1, 4, 5, 3]  # L C R Ls Rs LFE
SURROUND = [
    ("signal.lfe", "full range in the LFE", [0, -10], "dB", lambda host, s: surround(host, lfe_gain=s)),
    ("signal.lfe", "low-pass at 200 Hz", ["all"], "", lambda host, _: surround(host, low_pass=200)),
    ("signal.channel_swap", "film order as SMPTE", ["all"], "", lambda host, _: surround(host, order=FILM)),
]


# ---- scoring ----

class Row:
    def __init__(self, check, what, strength):
        self.check, self.what, self.strength = check, what, strength
        self.planted, self.found = {}, {}  # by host
        self.errors = []

    def count(self, host, found):
        self.planted[host] = self.planted.get(host, 0) + 1
        self.found[host] = self.found.get(host, 0) + bool(found)

    def add(self, other):
        for host in other.planted:
            self.planted[host] += other.planted[host]
            self.found[host] += other.found[host]
        self.errors += other.errors

    def share(self, *hosts):
        return sum(self.found[host] for host in hosts) / sum(self.planted[host] for host in hosts)


def findings(entry, check):
    """Sides that turn against each other and back are told as polarity, of one recording or of two."""
    names = ("signal.phase", "signal.polarity") if check == "signal.phase" else (check,)
    return [item for item in entry["findings"] if item["check"] in names and
            (item["start_s"] is not None or item["measured"] is not None)]


def score(entry, row, host, places, figure):
    told = findings(entry, row.check)
    if places is None:
        row.count(host, told)
        if told and figure is not None:
            row.errors.append(min(abs(item["measured"] - figure) for item in told))
        return
    for place in places:
        near = [item for item in told if item["start_s"] is not None and
                item["start_s"] - 0.002 <= place / RATE <= item["end_s"] + 0.002 or
                item["start_s"] is not None and abs(item["start_s"] - place / RATE) < 1.1 and row.check in
                ("signal.tone", "signal.polarity", "signal.phase")]
        row.count(host, near)
        if near and figure is not None:
            row.errors.append(min(abs(item["measured"] - figure) for item in near))


def plant(folder, hosts, seed):
    """Writes every file; returns what stands in each: name -> (row, places, figure), and the clean ones."""
    rows, planted, clean = [], {}, []
    for name, host in hosts.items():
        write_wav(folder / f"clean_{name}.wav", host)
        write_wav(folder / f"clean51_{name}.wav", surround(host))
        clean += [f"clean_{name}", f"clean51_{name}"]
    for index, (check, what, strengths, unit, fault, figure) in enumerate(STEREO):
        for strength in strengths:
            row = Row(check, what, f"{strength} {unit}".strip())
            rows.append(row)
            for name, host in hosts.items():
                sound = host.copy()
                random = np.random.default_rng([seed, index, len(rows)])
                places = fault(sound, random, strength)
                file = f"f{len(rows)}_{name}"
                write_wav(folder / f"{file}.wav", sound)
                planted[file] = (row, name, places, figure(strength) if figure else None)
    for check, what, strengths, unit, change in SURROUND:
        for strength in strengths:
            row = Row(check, what, f"{strength} {unit}".strip())
            rows.append(row)
            for name, host in hosts.items():
                file = f"f{len(rows)}_{name}"
                write_wav(folder / f"{file}.wav", change(host, strength))
                planted[file] = (row, name, None, None)
    return rows, planted, clean


def run(seconds, seed):
    """(rows, false warnings per check on the clean hosts, hours of clean sound)"""
    frames = seconds * RATE
    hosts = {"noise": synthetic(seed, frames)}
    if (SHARED / "audio").is_dir():
        hosts.update(real_hosts(frames))
    with tempfile.TemporaryDirectory(prefix="reelmill-planted-") as name:
        folder = Path(name)
        rows, planted, clean = plant(folder, hosts, seed)
        outcome = reelmill("qc", "--json", *sorted(folder.glob("*.wav")))
        report = outcome.json()
    alarms = {}
    for entry in report["programmes"]:
        if entry["reel"] is not None:
            continue
        if entry["deliverable"] in clean:
            for item in entry["findings"]:
                if item["severity"] in ("warn", "fail"):
                    alarms.setdefault(item["check"], []).append((entry["deliverable"], item["message"]))
        elif entry["deliverable"] in planted:
            score(entry, *planted[entry["deliverable"]])
    return rows, alarms, len(clean) * seconds / 3600.0


def run_seeds(seconds, count):
    """The sum of run() for the seeds 1 to count."""
    (rows, alarms, hours), *others = abreast(run, [(seconds, seed) for seed in range(1, count + 1)])
    for more, other_alarms, other_hours in others:
        for row, other in zip(rows, more):
            row.add(other)
        for check, items in other_alarms.items():
            alarms.setdefault(check, []).extend(items)
        hours += other_hours
    return rows, alarms, hours


def table(rows, alarms, hours):
    hosts = list(rows[0].planted)
    lines = [f"| check | planted | strength | {' | '.join(hosts)} | figure off by at most |",
             "| --- " * (len(hosts) + 4) + "|"]
    for row in rows:
        counts = " | ".join(f"{row.found[host]} of {row.planted[host]}" if row.planted.get(host) else "-" for host in hosts)
        error = f"{max(row.errors):.2f}" if row.errors else "-"
        lines.append(f"| `{row.check}` | {row.what} | {row.strength} | {counts} | {error} |")
    total = sum(len(items) for items in alarms.values())
    counts = ", ".join(f"{check} {len(items)}" for check, items in sorted(alarms.items())) or "none"
    lines += ["", f"False warnings on {hours:.2f} h of the same hosts without a fault, in stereo and 5.1: {total} ({counts})."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="also the false warnings, one by one")
    options = parser.parse_args()
    rows, alarms, hours = run(options.seconds, options.seed)
    print(table(rows, alarms, hours))
    if options.verbose:
        for check, items in alarms.items():
            for place, message in items:
                print(f"{check} in {place}: {message}")


if __name__ == "__main__":
    main()
