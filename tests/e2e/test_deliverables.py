"""Recipes against independent computations in double precision, and their containers against validators of our own."""
import subprocess

import numpy as np

import adm_validator
from farm_kit import RATE, FarmTest, digests, main, read_wav, reelmill
from wide_show import HALF, LAYOUTS, WideShow

STEP = 2.0 ** -23


def stereo_of(bed):
    return np.stack([bed[:, 0] + HALF * bed[:, 2] + HALF * bed[:, 4], bed[:, 1] + HALF * bed[:, 2] + HALF * bed[:, 5]], axis=1)


def deliverables(**recipes):
    return [{"name": name, "recipe": recipe, "spec": "none"} for name, recipe in recipes.items()]


class Deliverables(FarmTest):
    def judge(self, path, exact):
        actual, tag, bits, rate = read_wav(path)
        self.assertEqual((tag, bits, rate, actual.shape), (1, 24, RATE, exact.shape), path)
        # Half a step, and the roundings of the oracle's own sums in double.
        self.assertLessEqual(np.abs(actual - exact).max(), STEP / 2 + 2.0 ** -48, path)

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

    def test_every_channel_in_its_place(self):
        """A tone of its own in every channel, in every order; ffmpeg reads the mask where there is one."""
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

    def test_atmos_beds_are_valid_in_both_flavours(self):
        show = WideShow(self.folder, [8, 7], deliverables(BED="atmos-bed", BED_EBU="atmos-bed-ebu", PM="printmaster-7.1.2"))
        self.passes(reelmill("run", show.path))
        frames = 15 * RATE
        for name, flavour in (("BED", "dolby"), ("BED_EBU", "ebu")):
            with self.subTest(deliverable=name):
                chunks = adm_validator.validate(show.file(name), flavour, adm_validator.BED_712, frames)
                self.judge(show.file(name), show.bed("7.1.2"))
                audio = adm_validator.one(chunks, b"data")
                self.assertEqual(audio, adm_validator.one(adm_validator.read_chunks(show.file("PM"))[1], b"data"))
        segments = adm_validator.one(adm_validator.read_chunks(show.file("BED"))[1], b"dbmd")
        self.assertEqual(adm_validator.validate_dbmd(segments, 10), 2)  # 24 frames per second
        info = subprocess.run(["mediainfo", show.file("BED")], capture_output=True, text=True, check=True).stdout
        self.assertIn("Dolby Atmos Master", info)

    def test_the_validator_finds_what_is_wrong(self):
        show = WideShow(self.folder, [1], deliverables(BED="atmos-bed"))
        self.passes(reelmill("run", show.path))
        good = show.file("BED").read_bytes()
        broken = self.folder / "broken.wav"
        for old, new in ((b"RC_Lss", b"RC_Lrs"), (b"AT_00011003_01", b"AT_00011004_01"), (b"ATU_00000002", b"ATU_00000003"),
                         (b"00:00:01.00000", b"00:00:01.00001"), (b'"48000"', b'"44100"'), (b"-1.0000000000", b"-0.9000000000"),
                         (b"Atmos_Master", b"Atmos_Mister"), (b"\x6f\x72\xf8", b"\x6f\x72\xf9")):
            with self.subTest(broken=old):
                self.assertIn(old, good)
                broken.write_bytes(good.replace(old, new, 1))
                with self.assertRaises(adm_validator.Wrong):
                    adm_validator.validate(broken, "dolby", adm_validator.BED_712, RATE)

    def test_bytes_do_not_depend_on_the_cut(self):
        show = WideShow(self.folder, [8, 7], deliverables(**self.EVERY))
        seen = {}
        for workers, cells, cpu in ((1, 64, "scalar"), (3, 1, "avx2"), (2, 2, "avx512")):
            out = self.folder / f"out-{cells}"
            self.passes(reelmill("run", show.path, "--workers", workers, "--cells-per-task", cells, "--cpu", cpu, "--out", out))
            seen[cells] = digests(out)
        self.assertEqual(len(seen[1]), len(self.EVERY))
        self.assertEqual(seen[1], seen[2])
        self.assertEqual(seen[1], seen[64])

    EVERY = {"BED": "atmos-bed", "BED_EBU": "atmos-bed-ebu", "PM_71": "printmaster-7.1"}


if __name__ == "__main__":
    main()
