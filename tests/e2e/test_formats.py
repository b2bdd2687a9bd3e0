"""What comes in (containers, sample formats, layouts, sizes) and what goes out, as other people's programs see it."""
import json
import re
import struct
import subprocess
import unittest

import numpy as np

from farm_kit import RATE, FarmTest, main, noise, read_wav, reelmill, write_wav

STEP = 2.0 ** -23
LAYOUTS = {"mono": ["C"], "stereo": ["L", "R"], "5.1": ["L", "R", "C", "LFE", "Ls", "Rs"],
           "7.1": ["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs"],
           "7.1.2": ["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs", "Lts", "Rts"]}
# What ffmpeg is told for each container; None: written here, byte by byte.
CONTAINERS = {"WAV": None, "BWF": None, "BW64": None, "RF64": ["-f", "wav", "-rf64", "always"], "W64": ["-f", "w64"],
              "AIFF": ["-f", "aiff"], "CAF": ["-f", "caf"], "FLAC": ["-f", "flac"]}
FORMATS = {16: "s16", 24: "s24", 32: "s32", "float": "f32"}


def as_bw64(path):
    """Turns a WAV file into BW64: sizes in a ds64 chunk, which stands first (ITU-R BS.2088)."""
    blob = bytearray(path.read_bytes())
    data = blob.index(b"data")
    size = struct.unpack("<I", blob[data + 4:data + 8])[0]
    frames = size // struct.unpack("<H", blob[32:34])[0]
    blob[data + 4:data + 8] = b"\xff\xff\xff\xff"
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, len(blob) - 8 + 36, size, frames, 0)
    path.write_bytes(b"BW64\xff\xff\xff\xffWAVE" + ds64 + bytes(blob[12:]))


def encoder(container, bits):
    """ffmpeg's options."""
    if container != "FLAC":
        return ["-c:a", f"pcm_{FORMATS[bits]}{'be' if container == 'AIFF' else 'le'}", *CONTAINERS[container]]
    return [*(["-sample_fmt", "s32", "-bits_per_raw_sample", "24"] if bits == 24 else []), *CONTAINERS[container]]


def possible(container, bits, channels):
    """What the containers themselves cannot hold, or ffmpeg does not write."""
    if container == "FLAC":
        return bits in (16, 24) and channels <= 8
    return container != "AIFF" or bits != "float"


def write_inputs(folder, wanted):
    """wanted: (name, container, bits, samples) each. Returns their paths, and exactly what each file holds. What ffmpeg writes it
    writes in one run: it takes longer to start than to convert."""
    paths, exact, sources, made = [], [], [], []
    for name, container, bits, samples in wanted:
        path = folder / f"{name}.{container.lower()}"
        written = path if CONTAINERS[container] is None else folder / f"{name}.as.wav"
        exact.append(write_wav(written, samples, bits, time_reference=3600 * RATE if container == "BWF" else None))
        if container == "BW64":
            as_bw64(path)
        if written != path:
            made += ["-map", str(len(sources)), *encoder(container, bits), path]
            sources.append(written)
        paths.append(path)
    if sources:
        inputs = [word for source in sources for word in ("-i", source)]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *inputs, *made], check=True)
    for source in sources:
        source.unlink()
    return paths, exact


def write_input(folder, *wanted):
    (path,), (exact,) = write_inputs(folder, [wanted])
    return path, exact


def sox_facts(path):
    """(channels, rate, bits, frames) as sox sees them."""
    return tuple(int(subprocess.run(["soxi", option, path], capture_output=True, text=True, check=True).stdout)
                 for option in ("-c", "-r", "-b", "-s"))


def ffprobe_facts(path):
    text = subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", path],
                          capture_output=True, text=True, check=True).stdout
    stream = json.loads(text)["streams"][0]
    return (stream["channels"], int(stream["sample_rate"]), int(stream["bits_per_sample"]), stream["duration_ts"])


def mediainfo_facts(path):
    text = subprocess.run(["mediainfo", "--Output=JSON", path], capture_output=True, text=True, check=True).stdout
    track = next(item for item in json.loads(text)["media"]["track"] if item["@type"] == "Audio")
    return (int(track["Channels"]), int(track["SamplingRate"]), int(track["BitDepth"]), int(track["SamplingCount"]))


def sndfile_facts(path):
    text = subprocess.run(["sndfile-info", path], capture_output=True, text=True, check=True).stdout
    channels, rate, frames = (int(re.search(rf"^{key}\s*: (\d+)$", text, re.M).group(1))
                              for key in ("Channels", "Sample Rate", "Frames"))
    return (channels, rate, int(re.search(r"Bit Width\s*: (\d+)$", text, re.M).group(1)), frames)


def decoded(command):
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i4") / 2.0 ** 31


class Formats(FarmTest):
    def make(self, stems, **more):
        """A show of one reel that makes a stem of each entry: name to (layout, file pattern, wanted order of channels)."""
        show = {"reelmill": 1, "title": "Formats", "slug": "FORMATS", "version": "v01", "date": "2026-11-20",
                "frame_rate": 24, "sample_rate": RATE, "media": ".", "pops": "none", "output": "out",
                "stems": {name: {"role": "effects", "layout": layout, "file": pattern} for name, (layout, pattern) in stems.items()},
                "reels": [{"name": "R1", "start": "01:00:00:00"}],
                "deliverables": [{"name": name, "recipe": "stem", "stem": name, "spec": "none"} for name in stems], **more}
        (self.folder / "show.yaml").write_text(json.dumps(show))
        return self.passes(reelmill("run", self.folder / "show.yaml", "--json")).json()

    def made(self, name):
        return self.folder / "out" / "FORMATS" / "v01" / name / f"FORMATS_{name}.wav"

    def hold(self, name, exact):
        """The deliverable is the input to within half a step of 24 bit."""
        actual = read_wav(self.made(name))[0]
        self.assertEqual(actual.shape, exact.shape)
        self.assertLessEqual(np.abs(actual - np.clip(exact, -1.0, 1.0 - STEP)).max(), STEP / 2, name)

    def test_every_container_sample_format_and_layout(self):
        for layout, channels in LAYOUTS.items():
            kinds = [(container, bits) for container in CONTAINERS for bits in FORMATS if possible(container, bits, len(channels))]
            self.assertEqual(len(kinds), 29 if len(channels) <= 8 else 27)
            names = [f"{container}_{str(bits).upper()}" for container, bits in kinds]
            paths, wanted = write_inputs(self.folder, [(name, *kind, noise(number + 1, RATE + 8, len(channels), 0.1))
                                                       for number, (name, kind) in enumerate(zip(names, kinds))])
            report = self.make({name: (layout, path.name) for name, path in zip(names, paths)})
            for name, exact in zip(names, wanted):
                with self.subTest(layout=layout, file=name):
                    self.hold(name, exact)
            self.assertEqual({len(entry["order"]) for entry in report["programmes"]}, {len(channels)})
            for path in self.folder.iterdir():
                subprocess.run(["rm", "-r", path], check=True)

    def test_one_mono_file_per_channel(self):
        """Each container by turns, in sets of mono files; a set of 7.1.2 too."""
        stems, wanted = {}, {}
        for number, container in enumerate(CONTAINERS):
            layout = "7.1.2" if number % 2 else "5.1"
            _, columns = write_inputs(self.folder, [(f"{container}.{channel}", container, 24, noise(at + 50 * number, RATE, 1, 0.1))
                                                    for at, channel in enumerate(LAYOUTS[layout])])
            stems[container] = (layout, f"{container}.{{ch}}.{container.lower()}")
            wanted[container] = np.concatenate(columns, axis=1)
        self.make(stems)
        for name, exact in wanted.items():
            with self.subTest(files=name):
                self.hold(name, exact)

    def test_received_programmes_name_their_container(self):
        """qc says what each file is, in the words of the contract, and its digests, however often it is read for them."""
        for container in CONTAINERS:
            with self.subTest(container=container):
                path, _ = write_input(self.folder, "PROGRAMME", container, 24, noise(5, RATE * 4, 6, 0.05))
                one_read = self.passes(reelmill("qc", path, "--spec", "none", "--json", "--workers", "1")).json()
                file = one_read["files"][0]
                two_reads = self.passes(reelmill("qc", path, "--spec", "none", "--json", "--cells-per-task", "1")).json()
                self.assertEqual(file, two_reads["files"][0])
                self.assertEqual((file["container"], file["encoding"], file["sample_rate"], file["channels"], file["frames"]),
                                 ("WAV" if container == "BWF" else container, "PCM_24", RATE, 6, RATE * 4))

    def test_padding_that_counts_as_audio(self):
        """ffmpeg's RF64 of an odd number of bytes says one byte too many; its number of frames says the truth."""
        path, exact = write_input(self.folder, "ODD", "RF64", 24, noise(6, RATE + 7, 1, 0.1))
        self.assertEqual(struct.unpack("<QQ", path.read_bytes()[28:44]), ((RATE + 7) * 3 + 1, RATE + 7))
        self.make({"ODD": ("mono", path.name)})
        self.hold("ODD", exact)

    def test_beyond_four_gibibytes(self):
        """The programme lies behind the first 4 GiB of a sparse RF64 file; its bytes come out."""
        frames = (1 << 32) // 18 + RATE * 10
        frames -= frames % 2000  # whole picture frames
        tail = noise(9, RATE * 6, 6, 0.1)
        exact = write_wav(self.folder / "tail.wav", tail)
        body = (self.folder / "tail.wav").read_bytes()[44:]
        form = struct.pack("<HHIIHH", 1, 6, RATE, RATE * 18, 18, 24)
        head = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 72 + frames * 18, frames * 18, frames, 0)
        head += b"fmt " + struct.pack("<I", len(form)) + form + b"data\xff\xff\xff\xff"
        with open(self.folder / "LONG.wav", "wb") as file:
            file.write(head)
            file.seek(len(head) + frames * 18 - len(body))
            file.write(body)
        first = (frames - len(exact)) // 2000
        code = [f"{1 + at // 86400:02}:{at // 1440 % 60:02}:{at // 24 % 60:02}:{at % 24:02}"
                for at in (first, first + len(exact) // 2000 - 1)]
        self.make({"LONG": ("5.1", "LONG.wav")},
                  reels=[{"name": "R1", "start": "01:00:00:00", "ffoa": code[0], "lfoa": code[1]}])
        self.hold("LONG", exact)

    def test_deliverables_in_other_programs(self):
        """sox, ffmpeg, mediainfo and libsndfile agree about what we wrote, and read the same samples."""
        wanted = {}
        for layout, channels in LAYOUTS.items():
            name = f"B{layout.replace('.', '')}".upper()
            wanted[name] = (layout, write_wav(self.folder / f"{name}.wav", noise(len(name), RATE * 2 + 1, len(channels), 0.1)))
        self.make({name: (layout, f"{name}.wav") for name, (layout, _) in wanted.items()})
        for name, (layout, exact) in wanted.items():
            facts = (len(LAYOUTS[layout]), RATE, 24, RATE * 2 + 1)
            for look in (sox_facts, ffprobe_facts, mediainfo_facts, sndfile_facts):
                with self.subTest(file=name, program=look.__name__):
                    self.assertEqual(look(self.made(name)), facts)
            for command in (["sox", self.made(name), "-t", "s32", "-"],
                            ["ffmpeg", "-v", "error", "-i", self.made(name), "-f", "s32le", "-c:a", "pcm_s32le", "-"]):
                with self.subTest(file=name, decoder=command[0]):
                    self.assertTrue(np.array_equal(decoded(command), exact.ravel()))


if __name__ == "__main__":
    main()
