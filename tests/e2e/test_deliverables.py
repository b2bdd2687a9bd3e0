"""Recipes against independent computations in double precision, and their containers against validators of our own."""
import hashlib
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np

import adm_validator
from farm_kit import RATE, SHARED, FarmTest, hash_seed, main, noise, read_wav, reelmill, write_wav
from wide_show import HALF, LAYOUTS, STEMS, TO_51, TO_71, TO_712, WideShow, folded

STEP = 2.0 ** -23


def stereo_of(bed):
    return np.stack([bed[:, 0] + HALF * bed[:, 2] + HALF * bed[:, 4], bed[:, 1] + HALF * bed[:, 2] + HALF * bed[:, 5]], axis=1)


def quadrature(samples, reach=2047, beta=8.0):
    """The 90 degree shift of stereo-ltrt: 2 / (pi k) for odd k under a Kaiser window, silence around the programme."""
    odd = np.arange(1, reach + 1, 2)
    side = 2 / (np.pi * odd) * np.i0(beta * np.sqrt(1 - (odd / (reach + 1)) ** 2)) / np.i0(beta)
    taps = np.zeros(2 * reach + 1)
    taps[reach + odd], taps[reach - odd] = side, -side
    size = 1 << int(np.ceil(np.log2(len(samples) + len(taps))))
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(taps, size), size)[reach:reach + len(samples)]


def duck_curve(narration, depth=-9.0, threshold=-50.0, look_ahead=30, attack=30, hold=50, release=80):
    """By definition: every slot of 10 ms that speaks asks for a trapezoid, the curve is the largest of them, linear between."""
    slots = len(narration) // 480
    power = (narration[:slots * 480].reshape(slots, 480) ** 2).mean(axis=1)
    edge = np.arange(slots + 1)
    share = np.zeros(slots + 1)
    for slot in np.flatnonzero(power >= 10 ** (threshold / 10)):
        share = np.maximum(share, np.interp(edge, [slot - look_ahead, slot - look_ahead + attack, slot + 1 + hold,
                                                   slot + 1 + hold + release], [0, 1, 1, 0]))
    gains = 1 - (1 - 10 ** (depth / 20)) * share
    return np.interp(np.arange(len(narration)) / 480, edge, gains)


def xxh128(path):
    """By the reference program of xxHash."""
    told = subprocess.run(["xxhsum", "-H128", path], capture_output=True, text=True, check=True).stdout
    return told.split()[0]


def deliverables(**recipes):
    return [{"name": name, "recipe": recipe, "spec": "none"} for name, recipe in recipes.items()]


class Deliverables(FarmTest):
    def judge(self, path, exact):
        actual, tag, bits, rate = read_wav(path)
        self.assertEqual((tag, bits, rate, actual.shape), (1, 24, RATE, exact.shape), path)
        # Half a step, and the roundings of the oracle's own sums in double.
        self.assertLessEqual(np.abs(actual - exact).max(), STEP / 2 + 2.0 ** -45, path)

    def test_print_masters_of_every_layout(self):
        show = WideShow(self.folder, [8, 7], deliverables(PM_712="printmaster-7.1.2", PM_71="printmaster-7.1",
                                                          PM_51="printmaster-5.1", PM_20="stereo-loro", PM_10="mono"))
        self.passes(reelmill("run", show.path))
        bed = show.bed("5.1")
        lo_ro = stereo_of(bed)
        for name, exact in {"PM_712": show.bed("7.1.2"), "PM_71": show.bed("7.1"), "PM_51": bed, "PM_20": lo_ro,
                            "PM_10": HALF * (lo_ro[:, :1] + lo_ro[:, 1:])}.items():
            with self.subTest(deliverable=name):
                self.judge(show.file(name), exact)

    def test_gains_recovered_from_the_files(self):
        """Least squares of every output channel over every channel of every stem, and over its 90 degree shift where the recipe has
        one: the recipe's gains to 0.001 dB, and no others. The narration speaks throughout, so ducked means by 9 dB everywhere."""
        wanted = {"PM_712": "printmaster-7.1.2", "PM_71": "printmaster-7.1", "PM_51": "printmaster-5.1", "PM_20": "stereo-loro", "PM_10": "mono",
                  "ME_51": "me-5.1", "ME_20": "me-stereo", "LT_RT": "stereo-ltrt", "DCP_51": "dcp-5.1", "DCP_71": "dcp-7.1", "AD_N": "ad-narration",
                  "AD_51": "ad-5.1", "AD_20": "ad-stereo", "AD_LT": "ad-ltrt", "BED": "atmos-bed", "EBU": "atmos-bed-ebu"}
        show = WideShow(self.folder, [2], deliverables(**wanted))
        hearing = write_wav(self.folder / "stems" / "R1_HI.wav", noise(7, 2 * RATE, 1, 0.02))
        show.text["stems"]["HI"] = {"role": "hearing", "layout": "mono", "file": "{reel}_HI.wav"}
        show.path.write_text(json.dumps(show.text))
        self.passes(reelmill("run", show.path))
        stems = ("DX", "MX", "FX")
        mixed = np.concatenate([show.joined(stem) for stem in stems], axis=1)
        narration = show.joined("AD")
        depth = duck_curve(narration[:, 0])
        self.assertEqual(depth.min(), depth.max())
        depth = 10 ** (-9 / 20)
        heard = np.concatenate([mixed, narration, hearing], axis=1)
        shifted = np.concatenate([heard, np.stack([quadrature(mixed[:, k]) for k in range(mixed.shape[1])], axis=1)], axis=1)

        def unit(target, taken=stems):
            rule = {"5.1": TO_51, "7.1": TO_71, "7.1.2": TO_712}[target]
            return np.concatenate([folded(np.eye(len(LAYOUTS[STEMS[stem][1]])) * (stem in taken), STEMS[stem][1], target, rule)
                                   for stem in stems])

        def gains_of(mix, narrated=None, heard_by=None, across=None):
            """Rows: channels of the stems, narration, hearing, and what is shifted."""
            rows = np.zeros((2, mix.shape[1]))
            for row, gains in enumerate((narrated or {}, heard_by or {})):
                for channel, gain in gains.items():
                    rows[row, channel] = gain
            return np.concatenate([mix, rows] + ([] if across is None else [across]))
        bed, music = unit("5.1"), unit("5.1", ("MX", "FX"))
        lo_ro = stereo_of(bed)
        lt_rt = np.stack([bed[:, 0] + HALF * bed[:, 2], bed[:, 1] + HALF * bed[:, 2]], axis=1)
        surround = 0.5 * (bed[:, 4:5] + bed[:, 5:6]) * [-1, 1]
        room = dict(zip(LAYOUTS["7.1"], unit("7.1").T))
        cinema = np.stack([room.get(label, 0 * room["L"]) for label in
                           ("L", "R", "C", "LFE", "Lss", "Rss", "HI", "VI-N", "Lc", "Rc", "Lrs", "Rrs")], axis=1)
        none = np.zeros((len(bed), 1))
        exact = {"PM_712": gains_of(unit("7.1.2")), "BED": gains_of(unit("7.1.2")), "EBU": gains_of(unit("7.1.2")),
                 "PM_71": gains_of(unit("7.1")), "PM_51": gains_of(bed), "PM_20": gains_of(lo_ro),
                 "PM_10": gains_of(HALF * lo_ro.sum(axis=1, keepdims=True)), "ME_51": gains_of(music), "ME_20": gains_of(stereo_of(music)),
                 "LT_RT": gains_of(lt_rt, across=surround), "AD_LT": gains_of(depth * lt_rt, {0: HALF, 1: HALF}, across=depth * surround),
                 "AD_N": gains_of(none, {0: 1}), "AD_51": gains_of(depth * bed, {2: 1}), "AD_20": gains_of(depth * lo_ro, {0: HALF, 1: HALF}),
                 "DCP_51": gains_of(np.concatenate([bed, none, none], axis=1), {7: 1}, {6: 1}), "DCP_71": gains_of(cinema, {7: 1}, {6: 1})}
        self.assertEqual(exact.keys(), wanted.keys())
        for name, rule in exact.items():
            samples = read_wav(show.file(name, suffix="_R1" if name.startswith("DCP") else ""))[0]
            gains = np.linalg.lstsq(heard if len(rule) == heard.shape[1] else shifted, samples, rcond=None)[0]
            self.assertLess(np.abs(gains[rule == 0]).max(initial=0.0), 1e-6, name)
            off = np.abs(20 * np.log10(gains[rule != 0] / rule[rule != 0])).max()
            print(f"{name}: gains off by at most {off:.1e} dB")
            self.assertLess(off, 0.001, name)

    def test_languages_fills_and_a_long_play_stem(self):
        """One M&E for many dubs: what each deliverable takes, and what names, bext, iXML and report say of its language. Fills are there
        for one reel alone; a song runs the whole programme as one file beside the reels."""
        (self.folder / "recipes").mkdir()
        (self.folder / "recipes" / "filled.yaml").write_text("reelmill_recipe: 1\nextends: me-5.1\nroles: [music, effects, fills, songs]\n")
        (self.folder / "recipes" / "dub.yaml").write_text("reelmill_recipe: 1\nextends: printmaster-5.1\nroles: [dialogue, music, effects, songs]\n")
        wanted = [{"name": "ME", "recipe": "filled", "spec": "none"}, {"name": "OV", "recipe": "dub", "spec": "none", "gain": -2}]
        wanted += [{"name": f"{tag[:2].upper()}", "recipe": "dub", "language": tag, "spec": "none", "gain": {"match": "OV"}} for tag in ("fr-FR", "de")]
        show = WideShow(self.folder, [2, 1], wanted)
        stems, folder = show.text["stems"], self.folder / "stems"
        stems["DX"]["language"] = "en"
        dubs = {}
        for tag in ("fr-FR", "de"):
            stems[f"DX_{tag[:2].upper()}"] = {"role": "dialogue", "layout": "5.1", "language": tag, "file": f"{{reel}}_{tag}.wav"}
            dubs[tag] = np.concatenate([write_wav(folder / f"R{k + 1}_{tag}.wav", noise(hash_seed(tag, k), seconds * RATE, 6, 0.02))
                                        for k, seconds in enumerate((2, 1))])
        stems["FILL"] = {"role": "fills", "layout": "5.1", "file": "{reel}_FILL.wav", "optional": True}
        fills = np.concatenate([np.zeros((2 * RATE, 6)), write_wav(folder / "R2_FILL.wav", noise(5, RATE, 6, 0.02))])
        stems["SONG"] = {"role": "songs", "layout": "stereo", "file": "SONG.wav", "align": "bext"}
        song = np.zeros((3 * RATE, 6))
        song[:, :2] = write_wav(folder / "SONG.wav", noise(6, 3 * RATE, 2, 0.02), time_reference=3600 * RATE)
        show.path.write_text(json.dumps(show.text))
        report = self.passes(reelmill("run", show.path, "--json")).json()
        gain = 10 ** (-2 / 20)
        music = show.bed("5.1", ("MX", "FX")) + song
        exact = {"ME": (gain * (music + fills), "", ""), "OV": (gain * (music + show.bed("5.1", ("DX",))), "", "en")}
        exact.update({tag[:2].upper(): (gain * (music + dub), f"_{tag}", tag) for tag, dub in dubs.items()})
        for name, (samples, suffix, language) in exact.items():
            path = show.file(name, suffix=suffix)
            self.judge(path, samples)
            root = ElementTree.fromstring(adm_validator.one(adm_validator.read_chunks(path)[1], b"iXML"))
            self.assertEqual(root.findtext("REELMILL/LANGUAGE") or "", language, name)
            bext = adm_validator.one(adm_validator.read_chunks(path)[1], b"bext")[:256].rstrip(b"\0").decode()
            self.assertEqual(bext, f"Night Train, {name}" + (f", {language}" if suffix else ""))
            made = next(item for item in report["programmes"] if item["deliverable"] == name and item["reel"] is None)
            self.assertEqual(made["language"] or "", language, name)
            self.assertEqual(made["gain"]["db"], -2.0)

    def test_names_by_template_and_what_was_made_from_what(self):
        (self.folder / "recipes").mkdir()
        text = "reelmill_recipe: 1\nextends: me-5.1\nassembly: both\nfile_name: '{slug}-{deliverable}{-reel}{-language}_{version}'\n"
        (self.folder / "recipes" / "named.yaml").write_text(text)
        show = WideShow(self.folder, [1, 1], deliverables(ME="named"))
        report = self.passes(reelmill("run", show.path, "--json")).json()
        names = ["NIGHT_TRAIN-ME-R1_v01.wav", "NIGHT_TRAIN-ME-R2_v01.wav", "NIGHT_TRAIN-ME_v01.wav"]
        self.assertEqual(sorted(path.name for path in show.file("ME").parent.glob("*.wav")), names)
        made = next(item for item in report["programmes"] if item["reel"] is None)["made_from"]
        self.assertEqual(made["recipe"], "named")
        self.assertEqual(sorted((item["stem"], item["reel"], *item["paths"]) for item in made["stems"]),
                         sorted((stem, reel, f"{reel}_{stem}.wav") for stem in ("MX", "FX") for reel in ("R1", "R2")))
        listed = json.loads((self.folder / "out/NIGHT_TRAIN/v01/report/delivery_list.json").read_text())["deliverables"]
        self.assertEqual([(item["deliverable"], item["complete"], item["made_from"]) for item in listed], [("ME", True, made)])
        for item in listed[0]["files"]:
            path = self.folder / "out" / item["path"]
            self.assertEqual(item["bytes"], path.stat().st_size)
            self.assertIn(f">{item['xxh128']}<", next((path.parent / "ascmhl").glob("*.mhl")).read_text())
        self.assertEqual(sorted(item["path"].rsplit("/", 1)[1] for item in listed[0]["files"]), names)
        for wrong, sentence in (("{slug}", "two files of deliverable ME would be called"), ("a/{slug}", "outside braces stand letters"),
                                ("{slog}{_reel}", "in braces stand slug, version")):
            (self.folder / "recipes" / "named.yaml").write_text(text.replace(text[text.index("'"):], f"'{wrong}'\n"))
            self.assertIn(sentence, self.passes(reelmill("plan", show.path), 2).err)

    def test_an_impulse_comes_out_where_it_went_in(self):
        """Every recipe at one show's rate, limiter and gain included, and at twice the rate: 0 samples apart."""
        (self.folder / "recipes").mkdir()
        for name, text in (("limited", "overload: limit\nlimiter: {ceiling: -12 dB, look_ahead: 5 ms, release: 50 ms}"),
                           ("double", "sample_rate: 96000"), ("faster", "picture_rate: 25")):
            (self.folder / "recipes" / f"{name}.yaml").write_text(f"reelmill_recipe: 1\nextends: printmaster-5.1\n{text}\n")
        recipes = ["printmaster-7.1.2", "printmaster-7.1", "printmaster-5.1", "stereo-loro", "stereo-ltrt", "mono", "me-5.1", "me-stereo",
                   "atmos-bed", "atmos-bed-ebu", "atmos-master", "atmos-master-ebu", "ad-narration", "ad-5.1", "ad-stereo", "ad-ltrt", "dcp-5.1", "dcp-7.1",
                   "limited", "double", "faster"]
        place = 61234

        def content(stem, reel, frames, channels):
            samples = np.zeros((frames, channels))
            samples[place, 2 if channels > 2 else 0] = 0.2  # C
            return samples
        show = WideShow(self.folder, [2], [{"name": f"D{index}", "recipe": recipe, "spec": "none"} for index, recipe in enumerate(recipes)],
                        content)
        self.assertIn(reelmill("run", show.path).code, (0, 1))
        for index, recipe in enumerate(recipes):
            path = next(path for path in sorted(show.file(f"D{index}").parent.glob("*.wav")))
            samples, _, _, rate = read_wav(path)
            loudest = np.unravel_index(np.abs(samples).argmax(), samples.shape)[0]
            wanted = round(place * 24 / 25) if recipe == "faster" else place * rate // RATE
            self.assertEqual(loudest, wanted, recipe)

    def test_every_channel_in_its_place(self):
        """A tone of its own in every channel, in every order, out and in again; ffmpeg and libsndfile read the same."""
        recipes = self.folder / "recipes"
        recipes.mkdir()
        made = {}
        for layout, base in (("5.1", "printmaster-5.1"), ("7.1", "printmaster-7.1"), ("7.1.2", "printmaster-7.1.2")):
            for order in ("smpte", "film", "wave"):
                name = f"{order}_{layout.replace('.', '')}".upper()
                (recipes / f"{name.lower()}.yaml").write_text(f"reelmill_recipe: 1\nextends: {base}\norder: {order}\n")
                made[name] = (layout, order)
        tones = {label: 200.0 + 160.0 * i for i, label in enumerate(LAYOUTS["7.1.2"])}

        def content(stem, reel, frames, channels):
            time = np.arange(frames) / RATE
            if stem != "MX":
                return np.zeros((frames, channels))
            return np.stack([0.1 * np.sin(2 * np.pi * tones[label] * time) for label in LAYOUTS["7.1.2"]], axis=1)
        show = WideShow(self.folder, [2], [{"name": name, "recipe": name.lower(), "spec": "none"} for name in made], content)
        self.passes(reelmill("run", show.path))
        # Film order: L C R, surrounds, LFE, tops last. Wave order: by mask bit, rear before side.
        film = {"5.1": "L C R Ls Rs LFE", "7.1": "L C R Lss Rss Lrs Rrs LFE", "7.1.2": "L C R Lss Rss Lrs Rrs LFE Lts Rts"}
        wave = {"5.1": "L R C LFE Ls Rs", "7.1": "L R C LFE Lrs Rrs Lss Rss", "7.1.2": "L R C LFE Lrs Rrs Lss Rss Lts Rts"}
        tone_of = {**tones, "Ls": None, "Rs": None}
        for name, (layout, order) in made.items():
            with self.subTest(deliverable=name):
                samples = read_wav(show.file(name))[0]
                labels = {"smpte": LAYOUTS[layout], "film": film[layout].split(), "wave": wave[layout].split()}[order]
                self.read_by_others(show.file(name), samples)
                spectrum = np.abs(np.fft.rfft(samples, axis=0))
                for channel, label in enumerate(labels):
                    loudest = np.argmax(spectrum[:, channel]) * RATE / len(samples)
                    if tone_of[label] is not None:
                        self.assertEqual(loudest, tone_of[label], f"{name} channel {channel + 1}")
                probed = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=channel_layout", "-of",
                                         "csv=p=0", show.file(name)], capture_output=True, text=True, check=True).stdout
                if name in ("SMPTE_51", "WAVE_51"):
                    self.assertEqual(probed.strip(), "5.1")  # mask 0x3F
                elif name == "WAVE_71":
                    self.assertEqual(probed.strip(), "7.1")  # mask 0x63F: rear, then side
                elif order == "film":
                    self.assertEqual(probed.strip(), "unknown")  # no mask can say this order

        show.text["media"] = "out/NIGHT_TRAIN/v01"
        show.text["output"] = "back"
        show.text["stems"] = {name: {"role": "music", "layout": layout, "order": order, "file": f"{name}/{show.file(name).name}"}
                              for name, (layout, order) in made.items()}
        show.text["reels"] = [{"name": "R1", "start": "01:00:00:00"}]
        show.text["deliverables"] = [{"name": name, "recipe": "stem", "stem": name, "spec": "none"} for name in made]
        show.path.write_text(json.dumps(show.text))
        self.passes(reelmill("run", show.path))
        for name, (layout, _) in made.items():
            canonical = read_wav(show.file(f"SMPTE_{layout.replace('.', '')}"))[0]
            self.assertTrue(np.array_equal(read_wav(show.file(name, "back"))[0], canonical), name)

    def test_atmos_beds_are_valid_in_both_flavours(self):
        show = WideShow(self.folder, [8, 7], deliverables(BED="atmos-bed", BED_EBU="atmos-bed-ebu", PM="printmaster-7.1.2"))
        report = self.passes(reelmill("run", show.path, "--json")).json()
        frames = 15 * RATE
        for name, flavour in (("BED", "dolby"), ("BED_EBU", "ebu")):
            with self.subTest(deliverable=name):
                chunks = adm_validator.validate(show.file(name), flavour, adm_validator.BED_712, frames)
                self.judge(show.file(name), show.bed("7.1.2"))
                audio = adm_validator.one(chunks, b"data")
                self.assertEqual(audio, adm_validator.one(adm_validator.read_chunks(show.file("PM"))[1], b"data"))
        findings = [item for programme in report["programmes"] for item in programme["findings"]]
        self.assertEqual([item for item in findings if item["check"] == "adm.profile"], [])
        segments = adm_validator.one(adm_validator.read_chunks(show.file("BED"))[1], b"dbmd")
        self.assertEqual(adm_validator.validate_dbmd(segments, 10), 2)  # 24 frames per second
        info = subprocess.run(["mediainfo", show.file("BED")], capture_output=True, text=True, check=True).stdout
        self.assertIn("Dolby Atmos Master", info)

    def test_the_validator_finds_what_is_wrong(self):
        show = WideShow(self.folder, [1], deliverables(BED="atmos-bed", BED_EBU="atmos-bed-ebu"))
        self.passes(reelmill("run", show.path))
        good = show.file("BED").read_bytes()
        stream = good.index(b"<audioStreamFormat ")
        pack = b"<audioPackFormatIDRef>AP_00011001</audioPackFormatIDRef>"
        swapped = good.replace(b"RC_Lss", b"RC_Lxx").replace(b"RC_Lrs", b"RC_Lss").replace(b"RC_Lxx", b"RC_Lrs")
        expected = {}
        # What is broken, and the rules of `adm.profile` that say so; None: no bed is left to be measured. What is no master of
        # Dolby's is held against what the EBU's renderer needs.
        for number, (old, new, rules) in enumerate((
                (b"RC_Lss", b"RC_Lrs", None), (b"AT_00011003_01", b"AT_00011004_01", None),
                (b"ATU_00000002", b"ATU_00000003", {"chna"}), (b"00:00:01.00000", b"00:00:01.00009", {"programme", "object"}),
                (b'"48000"', b'"44100"', {"uid"}), (b"-1.0000000000", b"-0.9000000000", {"bed_block"}),
                (b"APR_1001", b"APR_1002", {"programme"}), (b'mixedContentKind="0"', b'mixedContentKind="1"', {"content"}),
                (b"<audioPackFormatIDRef>AP_00011001", b"<audioPackFormatIDRef>AP_00011002", {"reference"}),
                (b'audioChannelFormatID="AC_00011002"', b'audioChannelFormatID="AC_00011001"', None),
                (b"</audioFormatExtended>", b"</audioFormatExtendee>", {"axml"}),
                (b"Atmos_Master", b"Atmos_Mister", {"ebu_stream", "ebu_lfe"}), (b"\x6f\x72\xf8", b"\x6f\x72\xf9", {"dbmd"}),
                (b"dbmd\x0b\x02", b"dbme\x0b\x02", {"dbmd"}), (b"chna\x94\x01\0\0\x0a", b"chna\x94\x01\0\0\x09", {"chna"}),
                (b'<audioTrackUID UID="ATU_00000002" bitDepth="24"', b'<audioTrackUID UID="ATU_00000002"              ', {"track"}),
                (b"AB_00011002_00000001", b"AB_00011002_00000002", {"block"}),
                (b'"PCM_RoomCentricRight" formatDefinition="PCM"', b'"PCM_RoomCentricRight" formatDefinition="MCP"', {"format"}),
                (b'"RoomCentricLeft" typeDefinition="DirectSpeakers" typeLabel="0001"',
                 b'"RoomCentricLeft" typeDefinition="DirectSpeakers" typeLabel="0003"', {"format"}),
                (b'audioChannelFormatName="RoomCentricCenter"', b'audioChannelFormatName="RoomCentricCentre"', {"bed_block"}),
                (b'audioTrackFormatID="AT_00011002_01"', b'audioTrackFormatID="AT_00011001_01"', {"identifier", "reference"}),
                (b'audioPackFormatName="Bed" typeDefinition="DirectSpeakers" typeLabel="0001"',
                 b'audioPackFormatName="Bed" typeDefinition="DirectSpeakers" typeLabel="0002"', {"pack"}),
                (b'interact="0"', b'interact="1"', {"object"}),
                (good[stream:good.index(pack, stream)] + pack, good[stream:good.index(pack, stream)] + b" " * len(pack), {"stream"}),
                (good, swapped, {"bed", "bed_block"}))):
            broken = self.folder / f"BROKEN_{number:02}.wav"
            self.assertTrue(old in good, old[:60])
            self.assertEqual(len(old), len(new), old[:60])
            broken.write_bytes(good.replace(old, new, 1))
            expected[broken.stem] = rules
            with self.subTest(broken=old[:60]), self.assertRaises((adm_validator.Wrong, ElementTree.ParseError)):
                adm_validator.validate(broken, "dolby", adm_validator.BED_712, RATE)
        ebu = show.file("BED_EBU").read_bytes()
        track = b"<audioTrackFormatIDRef>AT_00011001_01</audioTrackFormatIDRef>"
        for number, (old, new, rules) in enumerate(((b'"lowPass">120', b'"lowPass">800', {"ebu_lfe"}),
                                                    (track, pack + b" " * (len(track) - len(pack)), {"ebu_stream"}))):
            broken = self.folder / f"BROKEN_EBU_{number}.wav"
            self.assertTrue(old in ebu, old)
            broken.write_bytes(ebu.replace(old, new, 1))
            expected[broken.stem] = rules
            with self.subTest(broken=old), self.assertRaises(adm_validator.Wrong):
                adm_validator.validate(broken, "ebu", adm_validator.BED_712, RATE)
        unreadable = sorted(name for name, rules in expected.items() if rules is None)
        refused = self.passes(reelmill("qc", *[self.folder / f"{name}.wav" for name in unreadable]), 2)
        for name in unreadable:
            self.assertIn(f'the ADM of "{name}.wav" has no single track for channel', refused.err)
            del expected[name]
        report = reelmill("qc", *[self.folder / f"{name}.wav" for name in sorted(expected)], "--checks", "format,adm", "--json").json()
        for programme in report["programmes"]:
            found = [item for item in programme["findings"] if item["check"] == "adm.profile"]
            rules = {re.search(r"breaks rule (\w+): ", item["message"]).group(1) for item in found}
            self.assertEqual(rules, expected.pop(programme["deliverable"]), programme["deliverable"])
            self.assertTrue(all(item["severity"] == "warn" and item["clause"] for item in found))
        self.assertEqual(expected, {})

    def test_lt_rt_is_the_matrix_with_its_surrounds_in_quadrature(self):
        show = WideShow(self.folder, [8, 7], deliverables(LTRT="stereo-ltrt", PM_51="printmaster-5.1"))
        self.passes(reelmill("run", show.path))
        bed = show.bed("5.1")
        surround = quadrature(bed[:, 4] + bed[:, 5])  # over the reels' seam as over any other frame
        front = HALF * bed[:, 2]
        self.judge(show.file("LTRT"), np.stack([bed[:, 0] + front - 0.5 * surround, bed[:, 1] + front + 0.5 * surround], axis=1))

    def test_lt_rt_phase_band_and_decoding(self):
        """Impulses: in L, in Ls alone, in C, then a tone in both surrounds; what comes out of Lt, Rt and a passive decoder."""
        def content(stem, reel, frames, channels):
            samples = np.zeros((frames, channels))
            if stem == "DX":
                samples[24000, 0] = samples[72000, 4] = samples[120000, 2] = 0.9
                tone = 0.25 * np.sin(2 * np.pi * 1000 / RATE * np.arange(48000))
                samples[144000:192000, 4] = samples[144000:192000, 5] = tone
            return samples
        show = WideShow(self.folder, [5], deliverables(LTRT="stereo-ltrt"), content)
        self.passes(reelmill("run", show.path))
        lt, rt = read_wav(show.file("LTRT"))[0].T
        self.assertEqual((np.flatnonzero(lt[:60000]).tolist(), np.flatnonzero(rt[:60000]).tolist()), ([24000], []))
        response = rt[72000 - 2048:72000 + 2049]
        # Antisymmetric about the very frame of the impulse: 90 degrees at every frequency, delay 0.
        self.assertTrue(np.array_equal(response, -response[::-1]) and np.any(response))
        self.assertTrue(np.array_equal(lt[60000:100000], -rt[60000:100000]))
        spectrum = np.fft.rfft(np.roll(np.pad(response, (0, 65536 - len(response))), -2048)) / 0.45
        hertz = np.fft.rfftfreq(65536, 1 / RATE)
        magnitude = 20 * np.log10(np.maximum(np.abs(spectrum), 1e-9))
        for low, decibels in ((25.0, 0.1), (29.0, 0.01)):
            band = (hertz >= low) & (hertz <= RATE / 2 - low)
            self.assertLess(np.abs(magnitude[band]).max(), decibels)
            self.assertLess(np.abs(np.angle(spectrum[band], deg=True) + 90.0).max(), 1e-3)  # of 24-bit samples
        # Centre: the same in both, so the decoder's surround is silent. Surround: opposite, so its centre is.
        self.assertTrue(np.array_equal(lt[110000:130000], rt[110000:130000]))
        self.assertEqual(np.abs(lt[144000:192000] + rt[144000:192000]).max(), 0.0)
        decoded = HALF * (rt[150000:186000] - lt[150000:186000])
        self.assertAlmostEqual(20 * np.log10(np.sqrt(2 * np.mean(decoded ** 2)) / 0.25), 20 * np.log10(2 * HALF), delta=1e-4)

    def test_narration_ducks_the_programme_by_the_curve(self):
        def content(stem, reel, frames, channels):
            rng = np.random.default_rng(hash_seed(stem, reel))
            samples = 0.02 * rng.standard_normal((frames, channels))
            if stem == "AD":  # phrases: one over the reels' seam, one after a pause shorter than hold, single loud samples
                speaks = np.zeros(frames, bool)
                for begin, end in (((0.4, 1.3), (1.61, 1.9), (7.42, 8.0)) if reel == 0 else ((0.0, 0.77), (3.1, 3.105))):
                    speaks[int(begin * RATE):int(end * RATE)] = True
                samples = np.where(speaks[:, None], 5 * samples, 0.02 * samples)
            return samples
        show = WideShow(self.folder, [8, 7], deliverables(AD_51="ad-5.1", AD_20="ad-stereo", NARR="ad-narration"), content)
        report = self.passes(reelmill("run", show.path, "--json")).json()
        narration = show.joined("AD")[:, 0]
        gain = duck_curve(narration)
        self.assertAlmostEqual(gain.min(), 10 ** (-9 / 20), delta=1e-12)
        self.assertEqual(gain.max(), 1.0)
        bed = show.bed("5.1") * gain[:, None]
        bed[:, 2] += narration
        self.judge(show.file("AD_51"), bed)
        self.judge(show.file("AD_20"), stereo_of(bed))
        self.judge(show.file("NARR"), narration[:, None])
        self.judge_control(show, gain, report)

    def judge_control(self, show, gain, report):
        """A receiver that holds the fade at the edges of 10 ms and goes from one to the next in a straight line."""
        path = show.file("NARR").with_suffix(".ad.json")
        text = json.loads(path.read_text())
        self.assertEqual({name: text[name] for name in ("reelmill_ad_control", "narration", "sample_rate", "frames", "pan")},
                         {"reelmill_ad_control": 1, "narration": show.file("NARR").name, "sample_rate": RATE,
                          "frames": len(gain), "pan": 0})
        fades = np.zeros(len(gain) // 480 + 1)
        for frame, fade in text["fades"]:
            fades[frame // 480:] = fade
        edges = np.append(gain[::480], 1.0)  # the programme's end is open
        self.assertTrue(np.array_equal(fades[:-1], np.rint(-20 * np.log10(edges[:-1]) / 0.3)))
        self.assertEqual(text["fades"][0], [0, fades[0]])
        self.assertTrue(all(before[1] != after[1] for before, after in zip(text["fades"], text["fades"][1:])))
        received = np.interp(np.arange(len(gain)) / 480, np.arange(len(fades)), 10 ** (-0.3 * fades / 20))
        self.assertLessEqual(np.abs(20 * np.log10(received / gain)).max(), 0.15 + 1e-9)  # half a step
        bed = show.bed("5.1") * received[:, None]
        bed[:, 2] += show.joined("AD")[:, 0]
        mixed = read_wav(show.file("AD_51"))[0]
        ducked = np.abs(show.bed("5.1") * gain[:, None])
        self.assertTrue(np.all(np.abs(bed - mixed) <= (10 ** (0.15 / 20) - 1) * ducked + STEP / 2 + 2.0 ** -45))
        self.judge_hash_list(path.parent, report)

    def test_audio_description_without_narration_is_refused(self):
        show = WideShow(self.folder, [1], deliverables(AD_51="ad-5.1"))
        del show.text["stems"]["AD"]
        show.path.write_text(json.dumps(show.text))
        outcome = self.passes(reelmill("run", show.path), 2)
        self.assertIn("AD_51", outcome.err)
        self.assertIn("narration", outcome.err)

    def test_beds_are_read_by_their_metadata_not_by_position(self):
        made = WideShow(self.folder / "made", [2], deliverables(BED="atmos-bed", BED_EBU="atmos-bed-ebu"))
        self.passes(reelmill("run", made.path))
        bed = read_wav(made.file("BED"))[0]
        places = np.random.default_rng(7).permutation(10)
        for name in ("BED", "BED_EBU"):
            show = WideShow(self.folder / name, [2], [{"name": "MX", "recipe": "stem", "stem": "MX", "spec": "none"}])
            blob = bytearray(made.file(name).read_bytes())
            at, chna = len(blob) - len(bed) * 30, blob.index(b"chna") + 8  # the audio is the file's end
            audio = np.frombuffer(bytes(blob[at:at + len(bed) * 30]), np.uint8).reshape(-1, 10, 3)
            shuffled = np.empty_like(audio)
            shuffled[:, places] = audio  # channel k of the bed lies in track places[k]
            blob[at:at + len(bed) * 30] = shuffled.tobytes()
            for k in range(10):
                blob[chna + 4 + 40 * k:chna + 6 + 40 * k] = int(places[k] + 1).to_bytes(2, "little")
            (self.folder / name / "stems" / "R1_MX.wav").write_bytes(blob)
            self.passes(reelmill("run", show.path))
            self.judge(show.file("MX"), bed)

    def test_objects_are_refused(self):
        real = SHARED / "audio/adm/wavinfo/tests/test_files/protools/Test_ADM_ProTools.wav"
        if not real.is_file():
            self.skipTest(f"no real audio at {real}")
        show = WideShow(self.folder, [1], deliverables(PM="printmaster-7.1.2"))
        (self.folder / "stems" / "R1_MX.wav").write_bytes(real.read_bytes())
        outcome = self.passes(reelmill("check", show.path), 2)
        self.assertIn("holds 4 object tracks", outcome.err)
        self.assertIn("deliver the bed without objects", outcome.err)

    def test_cinema_packages_refuse_what_no_package_can_be(self):
        show = WideShow(self.folder, [2, 1], deliverables(DCP="dcp-5.1"))
        self.passes(reelmill("run", show.path))
        frames = read_wav(show.file("DCP", suffix="_R1"))[0].shape
        self.assertEqual(frames, (2 * RATE, 8))
        show.text["frame_rate"] = 29.97
        show.path.write_text(json.dumps(show.text))
        outcome = self.passes(reelmill("plan", show.path), 2)
        self.assertIn("DCP is a cinema package at 29.97 frames per second", outcome.err)
        show.text["frame_rate"] = 24
        del show.text["reels"][1]["ffoa"], show.text["reels"][1]["lfoa"]  # as long as its files: one sample too short
        for path in (self.folder / "stems").glob("R2_*.wav"):
            samples = read_wav(path)[0]
            write_wav(path, samples[:-1])
        show.path.write_text(json.dumps(show.text))
        outcome = self.passes(reelmill("plan", show.path), 2)
        self.assertIn("reel R2 has 47999 samples", outcome.err)

    def test_recipes_prints_ones_own(self):
        recipes = self.folder / "recipes"
        recipes.mkdir()
        text = "reelmill_recipe: 1\nextends: stereo-loro  # for disc\nencoding: PCM_16\ndescription: For disc\n"
        (recipes / "disc.yaml").write_text(text)
        told = self.passes(reelmill("recipes", "disc", cwd=self.folder)).out
        self.assertTrue(told.startswith(text))
        self.assertIn("EBU Tech 3343", told[len(text):])  # where the rule of the extended one comes from
        self.assertTrue(all(line.startswith("#") for line in told[len(text):].splitlines()))
        self.assertIn("For disc", self.passes(reelmill("recipes", cwd=self.folder)).out)
        self.assertIn("EBU Tech 3343", self.passes(reelmill("recipes", "stereo-ltrt", cwd=self.folder)).out)
        (recipes / "wrong.yaml").write_text("reelmill_recipe: 1\nextends: stereo-loro\nencodng: PCM_16\n")
        for words in (("recipes", "wrong"), ("recipes",)):
            self.assertRegex(self.passes(reelmill(*words, cwd=self.folder), 2).err, r"recipes/wrong\.yaml:3:1: error: .*did you mean \"encoding\"")

    def judge_hash_list(self, folder, report):
        """ASC MHL 2.0 by its schemas; the digests beside those of the report, the chain's by hashlib."""
        chain = ElementTree.parse(folder / "ascmhl" / "ascmhl_chain.xml").getroot()
        entry, = chain
        place = "{urn:ASC:MHL:DIRECTORY:v2.0}"
        self.assertEqual((chain.tag, entry.tag, entry.attrib), (place + "ascmhldirectory", place + "hashlist", {"sequencenr": "1"}))
        self.assertEqual([child.tag for child in entry], [place + "path", place + "c4"])
        lists = sorted(path.name for path in (folder / "ascmhl").iterdir())
        self.assertEqual(lists, sorted([entry[0].text, "ascmhl_chain.xml"]))
        self.assertRegex(entry[0].text, rf"^0001_{folder.name}_\d{{4}}-\d\d-\d\d_\d{{6}}Z\.mhl$")
        text = (folder / "ascmhl" / entry[0].text).read_bytes()
        number, digits = int.from_bytes(hashlib.sha512(text).digest(), "big"), ""
        for _ in range(88):
            number, digit = divmod(number, 58)
            digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + digits
        self.assertEqual(entry[1].text, "c4" + digits)
        space = "{urn:ASC:MHL:v2.0}"
        root = ElementTree.fromstring(text)
        self.assertEqual((root.tag, root.get("version")), (space + "hashlist", "2.0"))
        self.assertEqual([child.tag for child in root], [space + name for name in ("creatorinfo", "processinfo", "hashes")])
        self.assertEqual([child.tag for child in root[0]], [space + name for name in ("creationdate", "hostname", "tool")])
        self.assertRegex(root[0][2].get("version", ""), r"^\d+\.\d+")  # the reference tool's parser stops without it
        self.assertEqual(root[1][0].text, "in-place")
        known = {item["path"].rsplit("/", 1)[1]: item["file_xxh128"] for item in report["files"]}
        beside = {path.name for path in folder.iterdir() if path.is_file()}
        self.assertEqual({item[0].text for item in root[2]}, beside)
        for item in root[2]:
            self.assertEqual([child.tag for child in item], [space + "path", space + "xxh128"])
            self.assertEqual(int(item[0].get("size")), (folder / item[0].text).stat().st_size)
            self.assertEqual(item[1].text, xxh128(folder / item[0].text))
            self.assertEqual(item[1].text, known.get(item[0].text, item[1].text))

    def judge_ixml(self, path, reel, labels, first, start):
        """labels: of the tracks, the first of them being channel `first` of the programme; start: sample since midnight."""
        root = ElementTree.fromstring(adm_validator.one(adm_validator.read_chunks(path)[1], b"iXML"))
        self.assertEqual(root.tag, "BWFXML")
        at = {name: root.findtext(name) for name in (
            "PROJECT", "SCENE", "SPEED/TIMECODE_RATE", "SPEED/TIMECODE_FLAG", "SPEED/FILE_SAMPLE_RATE", "SPEED/AUDIO_BIT_DEPTH",
            "SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", "SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", "TRACK_LIST/TRACK_COUNT",
            "BEXT/BWF_TIME_REFERENCE_LOW", "REELMILL/LANGUAGE")}
        self.assertEqual(list(at.values()), ["Night Train", reel, "24/1", "NDF", "48000", "24", "0", str(start),
                                             str(len(labels)), str(start), "fr-FR"])
        tracks = [[track.findtext(name) for name in ("CHANNEL_INDEX", "INTERLEAVE_INDEX", "NAME", "FUNCTION")]
                  for track in root.iter("TRACK")]
        self.assertEqual(tracks, [[str(first + k), str(k + 1), label, label + "-5.1"] for k, label in enumerate(labels)])
        family = [root.findtext(f"FILE_SET/{name}") for name in ("TOTAL_FILES", "FILE_SET_INDEX", "FAMILY_NAME", "FAMILY_UID")]
        self.assertRegex(family[3] + root.findtext("FILE_UID"), "^[0-9a-f]{64}$")
        self.families.append((root.findtext("FILE_UID"), *family))
        bext = adm_validator.one(adm_validator.read_chunks(path)[1], b"bext")
        self.assertEqual(int.from_bytes(bext[338:346], "little"), start)
        self.assertEqual(root.findtext("BEXT/BWF_DESCRIPTION"), bext[:256].rstrip(b"\0").decode())
        self.assertIn("fr-FR", root.findtext("NOTE"))

    def test_hash_lists_hold_every_file(self):
        recipes = self.folder / "recipes"
        recipes.mkdir()
        (recipes / "monos.yaml").write_text("reelmill_recipe: 1\nextends: printmaster-5.1\nfiles: multi-mono\nassembly: both\n")
        show = WideShow(self.folder, [2, 1], deliverables(PM_51="printmaster-5.1", MONOS="monos"))
        show.text["stems"]["DX"]["language"] = "fr-FR"
        for wanted in show.text["deliverables"]:
            wanted["language"] = "fr-FR"
        show.path.write_text(json.dumps(show.text))
        report = self.passes(reelmill("run", show.path, "--json")).json()
        self.assertEqual({item["language"] for item in report["programmes"]}, {"fr-FR"})
        bed, hour = LAYOUTS["5.1"], 3600 * RATE
        self.families = []
        self.judge_ixml(show.file("PM_51", suffix="_fr-FR"), None, bed, 1, hour)
        for k, label in enumerate(bed):
            self.judge_ixml(show.file("MONOS", suffix=f"_fr-FR_R2.{label}"), "R2", [label], k + 1, 2 * hour)
        self.assertEqual([family[1:4] for family in self.families],
                         [("1", "A", "PM_51")] + [("6", letter, "MONOS") for letter in "ABCDEF"])
        self.assertEqual([len({family[k] for family in self.families}) for k in (0, 4)], [7, 2])  # each its own; two sets
        for name in ("PM_51", "MONOS"):
            self.judge_hash_list(show.file(name).parent, report)
        self.assertEqual(len(list(show.file("MONOS").parent.glob("*.wav"))), 3 * 6)  # joined and two reels
        before = {path: path.read_bytes() for path in (self.folder / "out").rglob("ascmhl/*")}
        self.passes(reelmill("run", show.path))  # the same again changes nothing
        self.assertEqual({path: path.read_bytes() for path in (self.folder / "out").rglob("ascmhl/*")}, before)
        # Other audio under the same names: the old list must not stay beside the new one.
        path = self.folder / "stems" / "R1_DX.wav"
        path.write_bytes(path.read_bytes()[:-600] + bytes(600))
        for old in (self.folder / "out").rglob("*.wav"):
            os.utime(old, (1, 1))
        report = self.passes(reelmill("run", show.path, "--replace", "--json")).json()
        for name in ("PM_51", "MONOS"):
            self.judge_hash_list(show.file(name).parent, report)


if __name__ == "__main__":
    main()
