"""A strict reader of ADM BWF files with one bed and objects behind it, written from the published standards and the public
facts of the profile:

ITU-R BS.2088 (BW64, ds64, chna), EBU Tech 3306 (RF64), ITU-R BS.2076 (axml), and the constraints of the Dolby Atmos Master ADM
Profile 1.0 as MediaInfo's checks and files of Dolby's and Avid's tools show them. It shares nothing with the writer.
"""
import re
import struct
import xml.etree.ElementTree as ElementTree

NAMES = {"L": "RoomCentricLeft", "R": "RoomCentricRight", "C": "RoomCentricCenter", "LFE": "RoomCentricLFE",
         "Lss": "RoomCentricLeftSideSurround", "Rss": "RoomCentricRightSideSurround",
         "Lrs": "RoomCentricLeftRearSurround", "Rrs": "RoomCentricRightRearSurround",
         "Lts": "RoomCentricLeftTopSurround", "Rts": "RoomCentricRightTopSurround"}
PLACES = {"L": (-1, 1, 0), "R": (1, 1, 0), "C": (0, 1, 0), "LFE": (-1, 1, -1), "Lss": (-1, 0, 0), "Rss": (1, 0, 0),
          "Lrs": (-1, -1, 0), "Rrs": (1, -1, 0), "Lts": (-1, 0, 1), "Rts": (1, 0, 1)}
BED_712 = ["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs", "Lts", "Rts"]
EBU = "{urn:ebu:metadata-schema:ebuCore_2016}"
TIME = re.compile(r"^(\d\d):(\d\d):(\d\d)\.(\d{5})$")


class Wrong(Exception):
    pass


def need(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def read_chunks(path):
    """(form id, [(id, bytes)]): every size and pad byte must be right, to the last byte of the file."""
    blob = path.read_bytes()
    form, size, wave = struct.unpack("<4sI4s", blob[:12])
    need(wave == b"WAVE" and form in (b"RIFF", b"RF64", b"BW64"), f"form {form} {wave}")
    sizes, chunks, at = {}, [], 12
    if form != b"RIFF":
        need(size == 0xFFFFFFFF and blob[12:16] == b"ds64", "ds64 is the first chunk, the form's size 0xFFFFFFFF")
        riff, data, count, entries = struct.unpack("<QQQI", blob[20:48])
        need(riff == len(blob) - 8 and entries == 0, "ds64 holds the size of the form, and no table")
        sizes = {b"data": data, "frames": count}
    else:
        need(size == len(blob) - 8, "the form's size")
    while at < len(blob):
        need(at % 2 == 0 and at + 8 <= len(blob), f"a chunk at {at}")
        name, length = struct.unpack("<4sI", blob[at:at + 8])
        if length == 0xFFFFFFFF:
            length = sizes[name]
        need(at + 8 + length <= len(blob), f"{name} ends in the file")
        chunks.append((name, blob[at + 8:at + 8 + length]))
        at += 8 + length + length % 2
    need(at == len(blob), "the last chunk ends with the file")
    return form, chunks, sizes


def one(chunks, name):
    found = [data for chunk, data in chunks if chunk == name]
    need(len(found) == 1, f"{len(found)} chunks {name}")
    return found[0]


def seconds_100k(text):
    found = TIME.match(text or "")
    need(found, f"time {text!r} is not hh:mm:ss with five decimals")
    hours, minutes, seconds, rest = map(int, found.groups())
    need(minutes < 60 and seconds < 60, f"time {text!r}")
    return ((hours * 60 + minutes) * 60 + seconds) * 100000 + rest


def texts(element, name):
    return [child.text for child in element.findall(EBU + name)]


def only(element, name, count=1):
    found = element.findall(EBU + name)
    need(len(found) == count, f"{len(found)} of {name}, expected {count}")
    return found


def validate_chna(chna, channels, objects):
    tracks, uids = struct.unpack("<HH", chna[:4])
    count = channels + objects
    need(tracks == uids == count and len(chna) == 4 + 40 * count, "chna: one record per track, nothing else")
    for k in range(objects):
        number = channels + k + 1
        need(chna[4 + 40 * (number - 1):4 + 40 * number] == struct.pack(
            "<H12s14s11sB", number, b"ATU_%08x" % number, b"AT_0003%04x_01" % (0x1001 + k), b"AP_0003%04x" % (0x1001 + k), 0),
            f"chna of object {k}")
    for k in range(channels):
        index, uid, track, pack, pad = struct.unpack("<H12s14s11sB", chna[4 + 40 * k:44 + 40 * k])
        need(index == k + 1 and pad == 0, f"chna record {k}")
        need((uid, track, pack) == (b"ATU_%08x" % (k + 1), b"AT_0001%04x_01" % (0x1001 + k), b"AP_00011001"), f"chna {k}")


def validate_object(extended, end, channels, objects):
    thing = only(extended, "audioObject", 1 + objects)[0]
    need(thing.get("audioObjectID") == "AO_1001" and seconds_100k(thing.get("start")) == 0, "object")
    need(seconds_100k(thing.get("duration")) == end, "the object is as long as the programme")
    need(thing.get("interact") == "0" and thing.get("disableDucking") == "1", "interact 0, disableDucking 1")
    need(texts(thing, "audioPackFormatIDRef") == ["AP_00011001"], "one pack")
    need(texts(thing, "audioTrackUIDRef") == ["ATU_%08x" % (k + 1) for k in range(channels)], "tracks in order")
    pack = only(extended, "audioPackFormat", 1 + objects)[0]
    need(pack.get("audioPackFormatID") == "AP_00011001" and pack.get("typeDefinition") == "DirectSpeakers" and
         pack.get("typeLabel") == "0001", "pack")
    need(texts(pack, "audioChannelFormatIDRef") == ["AC_0001%04x" % (0x1001 + k) for k in range(channels)], "its channels")


def validate_channel(channel, number, label, flavour):
    need(channel.get("audioChannelFormatID") == "AC_0001%04x" % number, f"channel {number:x}")
    need(channel.get("audioChannelFormatName") == NAMES[label] and channel.get("typeDefinition") == "DirectSpeakers" and
         channel.get("typeLabel") == "0001", f"name of {label}")
    frequency = channel.findall(EBU + "frequency")
    if flavour == "ebu" and label == "LFE":
        need(len(frequency) == 1 and frequency[0].get("typeDefinition") == "lowPass" and
             0 < float(frequency[0].text) <= 200, "the EBU renderer knows an LFE by its low-pass of at most 200 Hz")
    else:
        need(not frequency, f"frequency in {label}")
    block = only(channel, "audioBlockFormat")[0]
    need(block.get("audioBlockFormatID") == "AB_0001%04x_00000001" % number and block.get("rtime") is None and
         block.get("duration") is None, "a bed's block has neither rtime nor duration")
    need(texts(block, "speakerLabel") == ["RC_" + label] and texts(block, "cartesian") == ["1"], f"block of {label}")
    place = {child.get("coordinate"): float(child.text) for child in block.findall(EBU + "position")}
    need(place == dict(zip("XYZ", PLACES[label])), f"{label} lies at {place}")


def validate_blocks(channel, number, end, flavour):
    """Times without gaps from the programme's first to its last; what Dolby's profile asks of each block."""
    at = 0
    for k, block in enumerate(channel.findall(EBU + "audioBlockFormat")):
        need(block.get("audioBlockFormatID") == "AB_0003%04x_%08x" % (number, k + 1), f"block {k} of {number:x}")
        begins = seconds_100k(block.get("rtime"))  # of both times the tools round each to its last decimal
        need(begins == 0 if k == 0 else abs(begins - at) <= 1, f"block {k} of {number:x} begins where the one before ends")
        at = begins + seconds_100k(block.get("duration"))
        if flavour == "dolby":
            jump = only(block, "jumpPosition")[0]
            need(texts(block, "cartesian") == ["1"] and jump.text == "1", "cartesian, with jumps")
            need(jump.get("interpolationLength") == ("0.005208" if k else "0.000000"), f"interpolation of block {k}")
    need(abs(at - end) <= 1, f"the blocks of {number:x} end with the programme")


def validate_objects(extended, end, bed, objects, flavour, rate, bits):
    things = extended.findall(EBU + "audioObject")[1:]
    contents = extended.findall(EBU + "audioContent")[1:]
    need([thing.get("audioObjectID") for thing in things] == ["AO_%04x" % (0x100b + k) for k in range(objects)], "objects")
    need([content.get("audioContentID") for content in contents] == ["ACO_%04x" % (0x1002 + k) for k in range(len(contents))],
         "contents count on")
    named = [text for content in contents for text in texts(content, "audioObjectIDRef")]
    need(sorted(named) == [thing.get("audioObjectID") for thing in things], "each object is in one content")
    for k, thing in enumerate(things):
        number, track = 0x1001 + k, len(bed) + k + 1
        need(seconds_100k(thing.get("start")) == 0 and seconds_100k(thing.get("duration")) == end, "as long as the programme")
        need(texts(thing, "audioPackFormatIDRef") == ["AP_0003%04x" % number] and
             texts(thing, "audioTrackUIDRef") == ["ATU_%08x" % track], f"object {k}: one pack, one track")
        pack = extended.findall(EBU + "audioPackFormat")[1 + k]
        need(pack.get("audioPackFormatID") == "AP_0003%04x" % number and pack.get("typeLabel") == "0003" and
             texts(pack, "audioChannelFormatIDRef") == ["AC_0003%04x" % number], f"pack {k}: one channel")
        channel = extended.findall(EBU + "audioChannelFormat")[len(bed) + k]
        need(channel.get("audioChannelFormatID") == "AC_0003%04x" % number and channel.get("typeLabel") == "0003", f"channel {k}")
        validate_blocks(channel, number, end, flavour)
        stream = extended.findall(EBU + "audioStreamFormat")[len(bed) + k]
        need(stream.get("audioStreamFormatID") == "AS_0003%04x" % number and
             texts(stream, "audioChannelFormatIDRef") == ["AC_0003%04x" % number] and
             texts(stream, "audioPackFormatIDRef") == (["AP_0003%04x" % number] if flavour == "dolby" else []) and
             texts(stream, "audioTrackFormatIDRef") == ["AT_0003%04x_01" % number], f"stream {k}")
        form = extended.findall(EBU + "audioTrackFormat")[len(bed) + k]
        need(form.get("audioTrackFormatID") == "AT_0003%04x_01" % number and
             texts(form, "audioStreamFormatIDRef") == ["AS_0003%04x" % number], f"track format {k}")
        uid = extended.findall(EBU + "audioTrackUID")[len(bed) + k]
        need((uid.get("UID"), uid.get("sampleRate"), uid.get("bitDepth")) == ("ATU_%08x" % track, str(rate), str(bits)) and
             texts(uid, "audioTrackFormatIDRef") == ["AT_0003%04x_01" % number] and
             texts(uid, "audioPackFormatIDRef") == ["AP_0003%04x" % number], f"uid {k}")


def validate_formats(extended, bed, objects, flavour, rate, bits):
    count = len(bed) + objects
    for name, validate in (("audioChannelFormat", validate_channel),):
        for k, channel in enumerate(only(extended, name, count)[:len(bed)]):
            validate(channel, 0x1001 + k, bed[k], flavour)
    for k, stream in enumerate(only(extended, "audioStreamFormat", count)[:len(bed)]):
        need(stream.get("audioStreamFormatID") == "AS_0001%04x" % (0x1001 + k) and stream.get("formatLabel") == "0001" and
             stream.get("formatDefinition") == "PCM", "stream")
        need(texts(stream, "audioChannelFormatIDRef") == ["AC_0001%04x" % (0x1001 + k)], "stream to channel")
        # Dolby's profile demands the pack, the EBU's renderer refuses it.
        need(texts(stream, "audioPackFormatIDRef") == (["AP_00011001"] if flavour == "dolby" else []), "stream to pack")
        need(texts(stream, "audioTrackFormatIDRef") == ["AT_0001%04x_01" % (0x1001 + k)], "stream to track")
    for k, track in enumerate(only(extended, "audioTrackFormat", count)[:len(bed)]):
        need(track.get("audioTrackFormatID") == "AT_0001%04x_01" % (0x1001 + k), "track")
        need(texts(track, "audioStreamFormatIDRef") == ["AS_0001%04x" % (0x1001 + k)], "track to stream")
    for k, uid in enumerate(only(extended, "audioTrackUID", count)[:len(bed)]):
        need((uid.get("UID"), uid.get("sampleRate"), uid.get("bitDepth")) == ("ATU_%08x" % (k + 1), str(rate), str(bits)), "uid")
        need(texts(uid, "audioTrackFormatIDRef") == ["AT_0001%04x_01" % (0x1001 + k)] and
             texts(uid, "audioPackFormatIDRef") == ["AP_00011001"], "uid's references")


def validate_dbmd(dbmd, channels, own=True):
    """own: made by reelmill, which states no choices."""
    need(struct.unpack("<I", dbmd[:4])[0] == 0x01000006, "version of dbmd")
    at, segments = 4, {}
    while dbmd[at]:
        number, size = struct.unpack("<BH", dbmd[at:at + 3])
        payload = dbmd[at + 3:at + 3 + size]
        need((size + sum(payload) + dbmd[at + 3 + size]) % 256 == 0, f"checksum of segment {number}")
        segments[number] = payload
        at += 4 + size
    need(not any(dbmd[at:]) and len(dbmd) - at <= 2 and set(segments) == {7, 9, 10}, "segments of dbmd")  # Avid's pads
    need(len(segments[7]) == 96 and len(segments[9]) == 248 and len(segments[10]) == 142 + 2 * channels, "their sizes")
    need(segments[10][:4] == struct.pack("<I", 0xF8726FBD) and struct.unpack("<H", segments[10][4:6])[0] == channels, "sync")
    need(not own or all(segments[10][7 + 15 * i] == 1 for i in range(9)), "nine automatic trims")
    need(not own or segments[9][152] & 7 == 4, "warp mode not indicated")
    return segments[9][111] & 15


def validate(path, flavour, bed, frames, rate=48000, bits=24, objects=0, own=True):
    """Raises Wrong with the first thing that is not as it should be. Returns the chunks."""
    form, chunks, sizes = read_chunks(path)
    need(form == (b"BW64" if flavour == "ebu" else b"RIFF"), f"form {form}")
    need(len([name for name, _ in chunks if name == b"dbmd"]) == (flavour == "dolby"), "dbmd is Dolby's own")
    fmt = struct.unpack("<HHIIHH", one(chunks, b"fmt "))
    size = (len(bed) + objects) * bits // 8
    need(fmt == (1, len(bed) + objects, rate, rate * size, size, bits), f"fmt {fmt}")
    need(len(one(chunks, b"data")) == frames * size and sizes.get("frames", frames) == frames, "audio of that length")
    validate_chna(one(chunks, b"chna"), len(bed), objects)
    root = ElementTree.fromstring(one(chunks, b"axml").decode("utf-8"))
    need(root.tag == EBU + "ebuCoreMain", "root of axml")
    extended = only(only(only(root, "coreMetadata")[0], "format")[0], "audioFormatExtended")[0]
    ids = [value for element in extended.iter() for key, value in element.attrib.items() if key.endswith("ID")]
    need(len(ids) == len(set(ids)), "identifiers stand once")
    programme = only(extended, "audioProgramme")[0]
    end = seconds_100k(programme.get("end"))
    need(programme.get("audioProgrammeID") == "APR_1001" and seconds_100k(programme.get("start")) == 0, "programme")
    need(abs(end / 100000 - frames / rate) <= 0.5e-5, "the programme is as long as the audio, to half a decimal")
    need((programme.get("audioProgrammeName") == "Atmos_Master") == (flavour == "dolby"), "name of the programme")
    contents = extended.findall(EBU + "audioContent")
    need(texts(programme, "audioContentIDRef") == [content.get("audioContentID") for content in contents], "its contents")
    need(len(contents) == 1 or objects > 0, "one content")
    content = contents[0]
    need(content.get("audioContentID") == "ACO_1001" and texts(content, "audioObjectIDRef") == ["AO_1001"], "content")
    kind = only(content, "dialogue")[0]
    need(kind.get("mixedContentKind") == "0" and kind.text == "2", "content is mixed")
    validate_object(extended, end, len(bed), objects)
    validate_formats(extended, bed, objects, flavour, rate, bits)
    validate_objects(extended, end, bed, objects, flavour, rate, bits)
    if flavour == "dolby":
        validate_dbmd(one(chunks, b"dbmd"), len(bed) + objects, own)
    return chunks
