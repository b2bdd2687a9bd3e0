"""Objects of ADM files on their way into another: samples bit for bit, blocks cut and moved, everything else as it was."""
import json
import shutil
import struct
import xml.etree.ElementTree as ElementTree

import numpy as np

import adm_validator
from adm_validator import BED_712, EBU, one, read_chunks
from farm_kit import RATE, SHARED, FarmTest, leftovers, main, reelmill, write_wav
from same_bytes import SameBytes

NAMESPACE = 'xmlns="urn:ebu:metadata-schema:ebuCore_2016"'
# Each reel's blocks: (begin, end, X, interpolation). R1 has a second of leader; its programme ends within the last block.
BLOCKS = {"R1": [(0, 0.5, -1, "0.000000"), (0.5, 1.7, -0.5, "0.005208"), (1.7, 2.9, 0, "0.005208"), (2.9, 4, 0.5, "0.005208")],
          "R2": [(0, 1.1, 1, "0.000000"), (1.1, 2, 0.25, "0.005208")]}
# By hand: R1 from its second 1 to 3, then R2.
JOINED = [(0, 0.7, -0.5), (0.7, 1.9, 0), (1.9, 2.0, 0.5), (2.0, 3.1, 1), (3.1, 4.0, 0.25)]
BINAURAL = {0: (1, 0x81), 1: (0, 0x82)}  # of each object: trims passed by, mode


def clock(seconds):
    return f"00:00:{seconds:08.5f}"


def master_axml(blocks, seconds, names, jump="1"):
    """Object A on track 1, a bed of two on tracks 2 and 3, object B on track 4."""
    formats = [("0003", "1001", names[0]), ("0001", "1001", "RoomCentricLeft"), ("0001", "1002", "RoomCentricRight"),
               ("0003", "1002", names[1])]
    parts = [f'<audioProgramme audioProgrammeID="APR_1001" audioProgrammeName="Atmos_Master" start="{clock(0)}" '
             f'end="{clock(seconds)}"><audioContentIDRef>ACO_1001</audioContentIDRef><audioContentIDRef>ACO_1002</audioContentIDRef>'
             '</audioProgramme><audioContent audioContentID="ACO_1001" audioContentName="Bed"><audioObjectIDRef>AO_1001'
             '</audioObjectIDRef></audioContent><audioContent audioContentID="ACO_1002" audioContentName="Birds &amp; Bees">'
             '<audioObjectIDRef>AO_100b</audioObjectIDRef><audioObjectIDRef>AO_100c</audioObjectIDRef>'
             '<dialogue mixedContentKind="0">2</dialogue></audioContent>'
             '<audioObject audioObjectID="AO_1001"><audioPackFormatIDRef>AP_00011001</audioPackFormatIDRef><audioTrackUIDRef>'
             'ATU_00000002</audioTrackUIDRef><audioTrackUIDRef>ATU_00000003</audioTrackUIDRef></audioObject>'
             '<audioPackFormat audioPackFormatID="AP_00011001" typeLabel="0001"><audioChannelFormatIDRef>AC_00011001'
             '</audioChannelFormatIDRef><audioChannelFormatIDRef>AC_00011002</audioChannelFormatIDRef></audioPackFormat>']
    for track, (kind, number, name) in enumerate(formats, 1):
        key = kind + number
        if kind == "0003":
            body = "".join(
                f'<audioBlockFormat audioBlockFormatID="AB_{key}_{k + 1:08x}" rtime="{clock(begin)}" duration="{clock(end - begin)}">'
                f'<cartesian>1</cartesian><position coordinate="X">{x:.10f}</position><position coordinate="Y">1.0</position>'
                f'<size>0.{track}</size><jumpPosition interpolationLength="{length}">{jump}</jumpPosition></audioBlockFormat>'
                for k, (begin, end, x, length) in enumerate(blocks))
            parts.append(f'<audioObject audioObjectID="AO_100{"b" if track == 1 else "c"}" audioObjectName="{name}" importance="7">'
                         f'<audioPackFormatIDRef>AP_{key}</audioPackFormatIDRef><audioTrackUIDRef>ATU_{track:08x}</audioTrackUIDRef>'
                         f'</audioObject><audioPackFormat audioPackFormatID="AP_{key}" audioPackFormatName="{name}" typeLabel="0003" '
                         f'typeDefinition="Objects"><audioChannelFormatIDRef>AC_{key}</audioChannelFormatIDRef></audioPackFormat>')
        else:
            label = "RC_L" if number == "1001" else "RC_R"
            body = f'<audioBlockFormat audioBlockFormatID="AB_{key}_00000001"><speakerLabel>{label}</speakerLabel></audioBlockFormat>'
        parts.append(f'<audioChannelFormat audioChannelFormatID="AC_{key}" audioChannelFormatName="{name}" typeLabel="{kind}" '
                     f'typeDefinition="{"Objects" if kind == "0003" else "DirectSpeakers"}">{body}'
                     f'</audioChannelFormat><audioStreamFormat audioStreamFormatID="AS_{key}"><audioChannelFormatIDRef>AC_{key}'
                     f'</audioChannelFormatIDRef></audioStreamFormat><audioTrackFormat audioTrackFormatID="AT_{key}_01">'
                     f'<audioStreamFormatIDRef>AS_{key}</audioStreamFormatIDRef></audioTrackFormat>'
                     f'<audioTrackUID UID="ATU_{track:08x}" sampleRate="48000" bitDepth="24"/>')
    return ('<?xml version="1.0" encoding="UTF-8"?>'
            f'<ebuCoreMain {NAMESPACE}><coreMetadata><format><audioFormatExtended>{"".join(parts)}'
            '</audioFormatExtended></format></coreMetadata></ebuCoreMain>').encode()


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def write_master(path, audio, axml, binaural=True):
    """audio: bytes of four tracks of 24 bits. The chunks behind it, as Dolby's tools have them."""
    records = [(1, "0003", "1001"), (2, "0001", "1001"), (3, "0001", "1002"), (4, "0003", "1002")]
    chna = struct.pack("<HH", 4, 4) + b"".join(
        struct.pack("<H12s14s11sB", track, b"ATU_%08x" % track, f"AT_{kind}{number}_01".encode(),
                    f"AP_{kind}{number if kind == '0003' else '1001'}".encode(), 0) for track, kind, number in records)
    trims = bytearray(142 + 8)
    trims[:5] = struct.pack("<IB", 0xF8726FBD, 4)
    for place, (bypass, mode) in zip((0, 3), BINAURAL.values()):
        trims[142 + place], trims[146 + place] = bypass, mode
    dbmd = struct.pack("<IBH", 0x01000006, 10, len(trims)) + trims + bytes([-(len(trims) + sum(trims)) % 256, 0])
    form = struct.pack("<HHIIHH", 1, 4, RATE, RATE * 12, 12, 24)
    body = (b"WAVE" + chunk(b"fmt ", form) + chunk(b"data", audio) + chunk(b"axml", axml) + chunk(b"chna", chna) +
            (chunk(b"dbmd", dbmd) if binaural else b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chunk(b"RIFF", body))


def tracks(data, count):
    return np.frombuffer(data, np.uint8).reshape(-1, count, 3)


class Objects(FarmTest):
    def make(self, names=("Bird", "Bee"), **axml):
        """Two reels: R1 of 4 s with a second before FFOA and one behind LFOA, R2 of 2 s that is all programme."""
        chance = np.random.default_rng(5)
        self.audio = {}
        for reel, seconds in (("R1", 4), ("R2", 2)):
            self.audio[reel] = chance.integers(0, 256, seconds * RATE * 12, np.uint8).tobytes()
            write_master(self.folder / "stems" / f"{reel}_MASTER.wav", self.audio[reel],
                         master_axml(BLOCKS[reel], seconds, names, **axml))
            write_wav(self.folder / "stems" / f"{reel}_MX.wav", chance.normal(0, 0.02, (seconds * RATE, 6)))
        self.text = {"reelmill": 1, "title": "Night Train", "slug": "NT", "version": "v01", "date": "2026-11-20", "frame_rate": 24,
                     "sample_rate": RATE, "media": "stems", "pops": "none", "output": "out",
                     "stems": {"MX": {"role": "music", "layout": "5.1", "file": "{reel}_MX.wav"},
                               "OBJ": {"role": "effects", "objects": True, "file": "{reel}_MASTER.wav"}},
                     "reels": [{"name": "R1", "start": "01:00:00:00", "ffoa": "01:00:01:00", "lfoa": "01:00:02:23"},
                               {"name": "R2", "start": "02:00:00:00", "ffoa": "02:00:00:00", "lfoa": "02:00:01:23"}],
                     "deliverables": [{"name": "MASTER", "recipe": "atmos-master", "spec": "none"},
                                      {"name": "EBU", "recipe": "atmos-master-ebu", "spec": "none"}]}
        return self.write()

    def write(self):
        path = self.folder / "show.yaml"
        path.write_text(json.dumps(self.text))
        return path

    def refused(self, sentence, command="plan"):
        outcome = reelmill(command, self.write())
        self.assertIn(sentence, outcome.err + outcome.out)
        self.assertNotEqual(outcome.code, 0)
        self.assertEqual(list((self.folder / "out").rglob("*.wav")), [])

    def test_reels_are_joined_and_leaders_stripped(self):
        path = self.make()
        same = SameBytes(self, path, 2)
        expected = np.concatenate([tracks(self.audio["R1"], 4)[RATE:3 * RATE], tracks(self.audio["R2"], 4)])[:, [0, 3]]
        for flavour, name in (("dolby", "MASTER"), ("ebu", "EBU")):
            made = self.folder / "first" / "NT" / "v01" / name / f"NT_{name}.wav"
            chunks = adm_validator.validate(made, flavour, BED_712, 4 * RATE, objects=2)
            self.assertTrue(np.array_equal(tracks(one(chunks, b"data"), 12)[:, 10:], expected))
            extended = ElementTree.fromstring(one(chunks, b"axml")).find(f".//{EBU}audioFormatExtended")
            things = extended.findall(EBU + "audioObject")
            self.assertEqual([thing.get("audioObjectName") for thing in things], ["Bed", "Bird", "Bee"])
            self.assertEqual([thing.get("importance") for thing in things], [None, "7", "7"])
            self.assertEqual([content.get("audioContentName") for content in extended.findall(EBU + "audioContent")],
                             ["Bed_Content", "Birds & Bees"])
            for number, channel in enumerate(extended.findall(EBU + "audioChannelFormat")[10:]):
                blocks = channel.findall(EBU + "audioBlockFormat")
                found = [(block.get("rtime"), block.get("duration"), float(block.find(EBU + "position").text)) for block in blocks]
                self.assertEqual(found, [(clock(begin), clock(end - begin), x) for begin, end, x in JOINED])
                self.assertEqual([block.find(EBU + "size").text for block in blocks], [f"0.{(1, 4)[number]}"] * 5)
        dbmd = one(read_chunks(self.folder / "first" / "NT" / "v01" / "MASTER" / "NT_MASTER.wav")[1], b"dbmd")
        segment = dbmd[-2 - 142 - 24:-2]
        self.assertEqual([(segment[142 + 10 + k], segment[142 + 12 + 10 + k]) for k in range(2)], list(BINAURAL.values()))
        for programme in [item for item in same.report["programmes"] if item["reel"] is None]:
            self.assertEqual([item["severity"] for item in programme["findings"] if item["check"] == "loudness.integrated"],
                             ["info"])
            self.assertEqual([item for item in programme["findings"] if item["check"] == "adm.profile"], [])
        same.vary((3, 1, "scalar"))

    def own_recipes(self, **recipes):
        for name, text in recipes.items():
            path = self.folder / "recipes" / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"reelmill_recipe: 1\ndescription: of this test\nsource: this test\n{text}")

    def blocks(self, chunks):
        """Of each object: (begin, end, X) in text and numbers as they stand."""
        extended = ElementTree.fromstring(one(chunks, b"axml")).find(f".//{EBU}audioFormatExtended")
        return [[(block.get("rtime"), block.get("duration"), float(block.find(EBU + "position").text))
                 for block in channel.findall(EBU + "audioBlockFormat")]
                for channel in extended.findall(EBU + "audioChannelFormat")[10:]]

    def test_leaders_move_objects(self):
        self.make()
        self.own_recipes(made="extends: atmos-master\nleader: make\n", made_ebu="extends: atmos-master-ebu\nleader: make\n",
                         kept="extends: atmos-master\nleader: keep\n")
        self.text["deliverables"] = [{"name": name.upper(), "recipe": name, "spec": "none"} for name in ("made", "made_ebu", "kept")]
        outcome = reelmill("run", self.write())
        self.assertEqual(outcome.code, 0, outcome.err)
        made = lambda name: self.folder / "out" / "NT" / "v01" / name / f"NT_{name}.wav"
        programme = np.concatenate([tracks(self.audio["R1"], 4)[RATE:3 * RATE], tracks(self.audio["R2"], 4)])[:, [0, 3]]
        # 8 s of leader and 4 s of tail: objects are silent there, without pops, and stand where they will be and where they were.
        moved = [(0, 8, -0.5)] + [(begin + 8, end + 8, x) for begin, end, x in JOINED] + [(12, 16, 0.25)]
        for flavour, name in (("dolby", "MADE"), ("ebu", "MADE_EBU")):
            chunks = adm_validator.validate(made(name), flavour, BED_712, 16 * RATE, objects=2)
            audio = tracks(one(chunks, b"data"), 12)
            self.assertTrue(np.array_equal(audio[8 * RATE:12 * RATE, 10:], programme))
            self.assertFalse(audio[:8 * RATE, 10:].any() or audio[12 * RATE:, 10:].any())
            self.assertTrue(audio[6 * RATE:6 * RATE + 2000, 0].any())  # the bed has its pop
            self.assertEqual(self.blocks(chunks), [[(clock(begin), clock(end - begin), x) for begin, end, x in moved]] * 2)
        # R1's second before its first frame of action, as its file has it; R2 has nothing behind its last one.
        kept = [(0, 0.5, -1), (0.5, 1.7, -0.5)] + [(begin + 1, end + 1, x) for begin, end, x in JOINED[1:]]
        chunks = adm_validator.validate(made("KEPT"), "dolby", BED_712, 5 * RATE, objects=2)
        whole = np.concatenate([tracks(self.audio["R1"], 4)[:3 * RATE], tracks(self.audio["R2"], 4)])[:, [0, 3]]
        self.assertTrue(np.array_equal(tracks(one(chunks, b"data"), 12)[:, 10:], whole))
        self.assertEqual(self.blocks(chunks), [[(clock(begin), clock(end - begin), x) for begin, end, x in kept]] * 2)
        # One reel with leader and tail kept: its files from their first to their last frame.
        self.text["reels"] = self.text["reels"][:1]
        self.text["deliverables"] = self.text["deliverables"][2:]
        outcome = reelmill("run", self.write(), "--replace")
        self.assertEqual(outcome.code, 0, outcome.err)
        chunks = adm_validator.validate(made("KEPT"), "dolby", BED_712, 4 * RATE, objects=2)
        self.assertTrue(np.array_equal(tracks(one(chunks, b"data"), 12)[:, 10:], tracks(self.audio["R1"], 4)[:, [0, 3]]))
        self.assertEqual(self.blocks(chunks), [[(clock(begin), clock(end - begin), x) for begin, end, x, _ in BLOCKS["R1"]]] * 2)

    def test_received_masters_are_judged_as_far_as_their_bed(self):
        self.make()
        received = self.folder / "stems" / "R2_MASTER.wav"
        self.text["deliverables"] = [{"name": "GOT", "file": "R2_MASTER.wav", "spec": "none"}]
        self.text["reels"] = self.text["reels"][1:]
        for command in (("qc", received), ("qc", "--show", self.write())):
            report = reelmill(*command, "--json").json()
            programme = next(item for item in report["programmes"] if item["reel"] is None)
            self.assertEqual(programme["layout"], "stereo")
            self.assertEqual(programme["adm"], {
                "programme": "Atmos_Master", "dolby_profile": True, "bed": "",
                "bed_tracks": [{"channel": "L", "track": 2}, {"channel": "R", "track": 3}],
                "objects": [{"name": "Bird", "track": 1}, {"name": "Bee", "track": 4}]})
            steps = tracks(self.audio["R2"], 4)[:, 1:3].astype(np.int32)
            steps = (steps[..., 0] | steps[..., 1] << 8 | steps[..., 2] << 16) ^ 0x800000
            peak = 20 * np.log10(np.abs(steps - 0x800000).max(axis=0) / 0x800000)
            found = [item["sample_peak_dbfs"] for item in programme["peaks"]["per_channel"]]
            self.assertTrue(np.allclose(found, peak, atol=1e-6))  # of the bed's tracks, wherever they lie
            told = [item for item in programme["findings"] if item["check"] == "loudness.integrated"]
            self.assertIn('carries 2 objects ("Bird", "Bee"), which were not rendered', told[0]["message"])
        judged = reelmill("qc", received, "--spec", "ebu-r128", "--json")
        found = judged.json()["programmes"][0]["findings"]
        self.assertEqual({item["severity"] for item in found if item["check"] == "loudness.integrated"}, {"not_checked"})

    def test_groups_that_are_names_alone_are_left(self):
        self.make()
        nested = lambda group: master_axml(BLOCKS["R2"], 2, ("Bird", "Bee")).replace(
            b"<audioObjectIDRef>AO_100b</audioObjectIDRef><audioObjectIDRef>AO_100c</audioObjectIDRef><dialogue",
            b"<audioObjectIDRef>AO_100d</audioObjectIDRef><dialogue").replace(
                b"<audioPackFormat ", group + b"<audioObjectIDRef>AO_100b</audioObjectIDRef><audioObjectIDRef>AO_100c"
                b"</audioObjectIDRef></audioObject><audioPackFormat ", 1)
        write = lambda axml: write_master(self.folder / "stems" / "R2_MASTER.wav", self.audio["R2"], axml)
        self.text["reels"] = self.text["reels"][1:]
        self.text["deliverables"] = self.text["deliverables"][:1]
        write(nested(b'<audioObject audioObjectID="AO_100d" audioObjectName="Flock">'))
        outcome = reelmill("run", self.write())
        self.assertEqual(outcome.code, 0, outcome.err)
        chunks = adm_validator.validate(self.folder / "out/NT/v01/MASTER/NT_MASTER.wav", "dolby", BED_712, 2 * RATE, objects=2)
        contents = ElementTree.fromstring(one(chunks, b"axml")).findall(f".//{EBU}audioContent")
        self.assertEqual([content.get("audioContentName") for content in contents], ["Bed_Content", "Birds & Bees"])
        shutil.rmtree(self.folder / "out")
        for group in (b'<audioObject audioObjectID="AO_100d" importance="3">', b'<audioObject audioObjectID="AO_100d"><gain>0.5</gain>',
                      b'<audioObject audioObjectID="AO_100d" start="00:00:01.00000">'):
            write(nested(group))
            self.refused('the object "Bird" on track 1 of \'R2_MASTER.wav\' cannot be carried: it is nested in an audioObject', "run")

    def test_what_cannot_be_carried_is_refused(self):
        self.make()
        self.text["deliverables"] = [{"name": "PM", "recipe": "printmaster-5.1", "spec": "none"}]
        self.refused("deliverable PM takes stem OBJ, whose objects it would have to render, which reelmill does not do")
        self.text["deliverables"] = [{"name": "OBJ", "recipe": "stem", "stem": "OBJ", "spec": "none"}]
        self.refused("whose objects it would have to render")
        self.text["deliverables"] = [{"name": "MASTER", "recipe": "atmos-master", "spec": "none", "gain": -2}]
        self.refused("carries objects as they are, so a gain of its bed would change the mix")
        self.text["deliverables"] = [{"name": "MASTER", "recipe": "atmos-master", "spec": "none"}]
        self.text["join"] = "equal-gain"
        self.text["reels"][0]["overlap"] = {"tail": "4f"}
        self.refused("the bed would be faded over the reels' overlap and its objects, which are carried as they are, would not")
        del self.text["join"], self.text["reels"][0]["overlap"]
        self.text["stems"]["OBJ"]["layout"] = "5.1"
        self.refused("stem OBJ is the objects of its files, which have no layout")
        del self.text["stems"]["OBJ"]["layout"]
        write = lambda axml: write_master(self.folder / "stems" / "R2_MASTER.wav", self.audio["R2"], axml)
        good = master_axml(BLOCKS["R2"], 2, ("Bird", "Bee"))
        write(good.replace(b"UTF-8", b"UTF-16"))
        self.refused("axml is not in UTF-8")
        write(b'<!DOCTYPE a [<!ENTITY b "c">]>' + good.split(b"?>", 1)[1])
        self.refused("no objects can be taken from")
        write(good.replace(b'"Bee"', b'"Wasp"'))
        self.refused('is called "Wasp", and "Bee" in the reel before', "run")
        write(good.replace(
            b"<audioTrackUIDRef>ATU_00000004", b"<audioTrackUIDRef>ATU_00000001</audioTrackUIDRef><audioTrackUIDRef>ATU_00000004"))
        self.refused("it is part of a group of tracks or objects", "run")
        write(good.replace(b'audioObjectName="Bee"', b'audioObjectName="Bee" start="00:00:00.50000"'))
        self.refused('the object "Bee" on track 4 of \'R2_MASTER.wav\' cannot be carried: its start and duration', "run")
        write(good.replace(b"<cartesian>1</cartesian>", b""))
        self.refused("the metadata would break rule object_block", "run")
        self.text["deliverables"][0]["recipe"] = "atmos-master-ebu"
        moving = master_axml(BLOCKS["R1"], 4, ("Bird", "Bee"), jump="0")
        write_master(self.folder / "stems" / "R1_MASTER.wav", self.audio["R1"], moving)
        write(good)
        self.refused("it moves along a block that FFOA or LFOA cuts (jumpPosition 0)", "run")
        self.assertEqual(leftovers(self.folder / "out"), [])

    def real(self, path, bed):
        """A real file as a show of its own: its bed and its objects, written back."""
        stems = {"OBJ": {"role": "effects", "objects": True, "file": path.name}}
        if bed:
            stems["BED"] = {"role": "music", "layout": "7.1.2", "file": path.name}
        text = {"reelmill": 1, "title": path.stem, "slug": path.stem.upper(), "version": "v01", "date": "2026-11-20", "frame_rate": 24,
                "sample_rate": RATE, "media": str(path.parent), "pops": "none", "output": "out", "stems": stems,
                "deliverables": [{"name": "MASTER", "recipe": "atmos-master", "spec": "ebu-r128" if bed else "none"}]}
        show = self.folder / f"{path.stem}.yaml"
        show.write_text(json.dumps(text))
        outcome = reelmill("run", show)
        self.assertEqual(outcome.code, 1 if bed else 0, outcome.err)  # with a spec, loudness could not be judged
        report = (self.folder / "out" / path.stem.upper() / "v01" / "report" / "report.json").read_text()
        self.assertIn("objects, which were not rendered", report)
        self.assertEqual("Verdict: incomplete" in outcome.out + outcome.err, bed)
        return self.folder / "out" / path.stem.upper() / "v01" / "MASTER" / f"{path.stem.upper()}_MASTER.wav"

    def test_real_masters_are_written_back(self):
        real = sorted((SHARED / "audio/adm/dolby-dbmd/sample_files").glob("*_[0-9].wav"))[:1]
        real += [SHARED / "audio/adm/wavinfo/tests/test_files/protools/Test_ADM_ProTools.wav"]
        if len(real) < 2 or not all(path.is_file() for path in real):
            self.skipTest(f"no real audio at {SHARED}")
        kept = ("audioObjectName", "audioPackFormatName", "audioChannelFormatName", "rtime", "duration")

        def described(chunks, count):
            """Names, times and contents of the last `count` objects and their channels."""
            extended = ElementTree.fromstring(one(chunks, b"axml")).find(f".//{EBU}audioFormatExtended")
            return [[{key: value for key, value in element.attrib.items() if key in kept} |
                     {"inside": [(child.tag, child.attrib, child.text) for child in element if not child.tag.endswith("IDRef")]}
                     for name in ("audioObject", "audioPackFormat") for element in extended.findall(EBU + name)[-count:]] +
                    [(block.get("rtime"), block.get("duration"), [(part.tag, part.attrib, part.text) for part in block])
                     for channel in extended.findall(EBU + "audioChannelFormat")[-count:] for block in channel]]

        for path, objects in zip(real, (2, 4)):
            with self.subTest(file=path.name):
                before = read_chunks(path)[1]
                made = self.real(path, objects == 4)
                frames = len(one(before, b"data")) // (3 * (objects if objects == 2 else 14))
                after = adm_validator.validate(made, "dolby", BED_712, frames, objects=objects, own=objects == 2)
                audio = tracks(one(after, b"data"), 10 + objects)
                source = tracks(one(before, b"data"), objects if objects == 2 else 14)
                self.assertTrue(np.array_equal(audio[:, 10:], source[:, -objects:]))
                self.assertEqual(described(after, objects), described(before, objects))
                if objects == 4:  # the same tracks, the same length
                    self.assertEqual(one(after, b"data"), one(before, b"data"))
                    self.assertEqual(one(after, b"dbmd"), one(before, b"dbmd"))
                    self.assertEqual(one(after, b"chna"), one(before, b"chna"))


if __name__ == "__main__":
    main()
