"""Received programmes against the stems: each planted fault is named, located and measured; clean ones are left alone."""
import json

import numpy as np

import oracle
from farm_kit import RATE, FarmTest, Show, hash_seed, main, noise, reelmill, small_show, write_wav
from received_kit import ReceivedTest, faults, findings
from same_bytes import SameBytes
from sync_faults import drifted

HALF = oracle.HALF


class Received(ReceivedTest):
    def test_clean_programmes_have_no_fault(self):
        report = self.judge({
            "PM": (lambda p: p["DX"] + p["MX"] + p["FX"], "5.1"),
            "ME": (lambda p: p["MX"] + p["FX"], "5.1"),
            "LORO": (lambda p: oracle.stereo(p["DX"] + p["MX"] + p["FX"]), "stereo"),
            "ME20": (lambda p: oracle.stereo(p["MX"] + p["FX"]), "stereo"),
            "DXSTEM": (lambda p: p["DX"], "5.1"),
        })
        for name in ("PM", "ME", "LORO", "ME20", "DXSTEM"):
            with self.subTest(programme=name):
                self.assertEqual(faults(report, name), [])
                null = findings(report, name, "stems.null")
                self.assertEqual(len(null), 1)
                # Sums of 24-bit samples are exact; folds leave rounding noise of step / sqrt(12) = -149.3 dBFS, and double
                # keeps 120 dB below the programme.
                measured = null[0]["measured"]
                self.assertTrue(measured is None or measured < -138.0, measured)
                self.assertIn("It is the sum of", null[0]["message"])
        matrix = findings(report, "LORO", "folddown.matrix")[0]["details"]["matrix_db"]
        self.assertAlmostEqual(matrix["L"]["C"], -3.01, delta=0.01)
        self.assertAlmostEqual(matrix["L"]["Ls"], -3.01, delta=0.01)
        self.assertAlmostEqual(matrix["L"]["L"], 0.0, delta=0.01)
        self.assertIsNone(matrix["L"]["R"])

    def test_damage_of_a_stem_is_one_finding_of_that_stem(self):
        """Gains of single blocks, and a stem that is missing where it holds the damage alone, are not told beside it."""
        def hum(sound):
            sound[:, 2] += 0.002 * np.sin(2 * np.pi * 50 * np.arange(len(sound)) / RATE)
            return sound

        def offset(sound):
            sound[:, 4] += 0.01
            return sound
        swapped = lambda p: sum(p.values())[:, [1, 0, 2, 3, 4, 5]]
        report = self.judge({"PM": (lambda p: sum(p.values()), "5.1"), "SWAPPED": (swapped, "5.1")},
                            damage=(("R1_DX_51.wav", hum), ("R2_FX_51.wav", offset)))
        for name in ("PM", "SWAPPED"):
            told = faults(report, name)
            self.assertEqual([(f["details"]["fault"], f["details"]["source"], f["channels"], f["reel"]) for f in told],
                             [("in stem", "DX", ["C"], "R1"), ("in stem", "FX", ["Ls"], "R2")], [f["message"] for f in told])
            self.assertEqual({f["severity"] for f in told}, {"warn"})
        self.assertEqual(len([f for f in findings(report, "SWAPPED", "signal.channel_swap") if f["severity"] == "fail"]), 1)

    def test_each_fault_is_named(self):
        late = int(5.0 * RATE), int(9.0 * RATE)

        def during(signal):
            out = np.zeros_like(signal)
            out[late[0]:late[1]] = signal[late[0]:late[1]]
            return out

        def for_seven(signal):  # one cell lies in it whole, and two in part
            out = np.zeros_like(signal)
            out[late[0]:12 * RATE] = signal[late[0]:12 * RATE]
            return out

        def one_channel(signal, channel):
            out = np.zeros_like(signal)
            out[:, channel] = signal[:, channel]
            return out
        full = lambda p: p["DX"] + p["MX"] + p["FX"]
        report = self.judge({
            "MISSING": (lambda p: full(p) - during(p["MX"]), "5.1"),
            "SHORTER": (lambda p: (full(p) - during(p["MX"]))[:-2000], "5.1"),
            "MISSING_LS": (lambda p: full(p) - one_channel(p["MX"], 4), "5.1"),
            "GAIN": (lambda p: full(p) + (10 ** (-0.5 / 20) - 1) * during(p["FX"]), "5.1"),
            "POLARITY": (lambda p: full(p) - 2 * during(p["DX"]), "5.1"),
            "DIALOGUE": (lambda p: p["MX"] + p["FX"] + 0.01 * during(p["DX"]), "5.1"),
            "LOUD": (lambda p: 10 ** (-2.0 / 20) * full(p), "5.1"),
            "FOREIGN": (lambda p: full(p) + during(noise(7, len(p["DX"]), 6, 0.01)), "5.1"),
            "SHIFTED": (lambda p: p["DX"] + np.roll(p["MX"], 24, axis=0) + p["FX"], "5.1"),
            "ONE_LATE": (lambda p: p["DX"] + np.roll(p["MX"], 1, axis=0) + p["FX"], "5.1"),
            "TEN_PICTURES": (lambda p: p["DX"] + p["MX"] + np.roll(p["FX"], -20000, axis=0), "5.1"),
            "LATE_FOR_7_S": (lambda p: full(p) + for_seven(np.roll(p["MX"], 24, axis=0) - p["MX"]), "5.1"),
            "NO_FX": (lambda p: p["DX"] + p["MX"], "5.1"),
            "LITTLE_FX": (lambda p: p["DX"] + p["MX"] + during(p["FX"]), "5.1"),
            "LOST": (lambda p: np.where((np.arange(len(p["DX"])) // 9600 == 30)[:, None], 0.0, full(p)), "5.1"),
            "OTHER": (lambda p: full(p) - p["MX"] + 0.6 * np.roll(p["MX"], 5000, axis=0) + noise(9, len(p["DX"]), 6, 0.08), "5.1"),
            "LATE_20": (lambda p: np.roll(oracle.stereo(full(p)), 480, axis=0), "stereo"),
        })
        cases = {"MISSING": ("missing", "MX"), "SHORTER": ("missing", "MX"), "MISSING_LS": ("missing", "MX"), "GAIN": ("gain", "FX"),
                 "POLARITY": ("polarity", "DX"), "DIALOGUE": ("extra", "DX"), "FOREIGN": ("unexplained", ""),
                 "SHIFTED": ("shifted", "MX"), "NO_FX": ("missing", "FX"), "ONE_LATE": ("shifted", "MX"),
                 "TEN_PICTURES": ("shifted", "FX"), "LITTLE_FX": ("missing", "FX"),
                 "LATE_20": ("shifted", ""), "LATE_FOR_7_S": ("shifted", "MX"), "OTHER": ("shifted", "MX")}
        for name, (fault, source) in cases.items():
            with self.subTest(programme=name):
                told = faults(report, name)
                self.assertEqual({(f["details"]["fault"], f["details"].get("source")) for f in told}, {(fault, source)},
                                 [f["message"] for f in told])
                if name in ("MISSING", "SHORTER", "GAIN", "POLARITY", "DIALOGUE", "FOREIGN"):
                    self.assertEqual(len(told), 1)
                    self.place(told[0], 5.0, 9.0)
        self.assertEqual(faults(report, "MISSING_LS")[0]["channels"], ["Ls"])
        self.assertAlmostEqual(faults(report, "GAIN")[0]["details"]["gain_db"], -0.5, delta=0.05)
        self.assertEqual(faults(report, "DIALOGUE")[0]["check"], "me.dialogue")
        self.assertAlmostEqual(faults(report, "DIALOGUE")[0]["measured"], -40.0, delta=0.5)
        self.place(faults(report, "LATE_FOR_7_S")[0], 5.0, 12.0)
        for name, samples in (("SHIFTED", 24), ("ONE_LATE", 1), ("TEN_PICTURES", -20000), ("LATE_FOR_7_S", 24)):
            self.assertEqual([f["details"]["delay_samples"] for f in faults(report, name)], [samples])
        for name, explains in (("SHIFTED", True), ("TEN_PICTURES", True), ("OTHER", False)):
            told = faults(report, name)[0]
            self.assertEqual(told["details"]["left"] < 0.25, explains)
            self.assertEqual("another version" in told["message"], not explains)
        lost, = faults(report, "LOST", "stems.null", "signal.dropout")  # one cause, one finding
        self.assertEqual((lost["check"], lost["details"]), ("signal.dropout", {"fault": "dropout", "source": "", "length_ms": 200.0}))
        self.assertEqual(lost["message"], "L, R, C, LFE, Ls, Rs drop out for 200.0 ms at 6.000 s, and the stems do not: it was lost in the "
                         "print. Print again.")
        unsolved = findings(report, "LATE_20", "folddown.matrix")  # its gains from stems that lie elsewhere mean nothing
        self.assertEqual([(item["severity"], item["details"]) for item in unsolved], [("info", {})])
        self.assertIn("is not known", unsolved[0]["message"])
        # What a mix lacks for long is not accepted; what it has at another gain or time is for people to judge.
        self.assertEqual({name: faults(report, name)[0]["severity"] for name in ("MISSING", "NO_FX", "GAIN", "SHIFTED", "FOREIGN")},
                         {"MISSING": "fail", "NO_FX": "fail", "GAIN": "warn", "SHIFTED": "warn", "FOREIGN": "warn"})
        loud = faults(report, "LOUD")
        self.assertEqual([f["details"]["fault"] for f in loud], ["programme gain"])
        self.assertAlmostEqual(loud[0]["measured"], -2.0, delta=0.01)

    def test_a_limit_on_the_matrix_is_never_passed_over(self):
        """It cannot be solved for where no stem is found, farther away than is looked (0.5 s) or at another place."""
        late = lambda p: oracle.stereo(p["DX"] + p["MX"] + p["FX"])
        report = self.judge({"LATE": (lambda p: np.roll(late(p), 480, axis=0), "stereo"),
                             "FAR": (lambda p: np.roll(late(p), 30000, axis=0), "stereo")}, spec="matrix")
        for name in ("LATE", "FAR"):
            self.assertEqual([item["severity"] for item in findings(report, name, "folddown.matrix")], ["not_checked"])

    def test_one_cause_is_one_finding(self):
        """Permuted channels and a reel at another level are named, and nothing else is told of them."""
        second = (9 * 24 + 7) * RATE // 24
        full = lambda p: p["DX"] + p["MX"] + p["FX"]

        def from_second_reel(p, change):
            out = full(p)
            out[second:] = change(out[second:])
            return out
        film = [0, 2, 1, 4, 5, 3]  # L C R Ls Rs LFE, read as SMPTE
        report = self.judge({
            "SWAP": (lambda p: full(p)[:, [1, 0, 2, 3, 4, 5]], "5.1"),
            "FILM": (lambda p: full(p)[:, film], "5.1"),
            "FILM_ME": (lambda p: (p["MX"] + p["FX"])[:, film], "5.1"),
            "SWAP_20": (lambda p: oracle.stereo(full(p))[:, ::-1].copy(), "stereo"),
            "ONE_REEL": (lambda p: from_second_reel(p, lambda x: x[:, [0, 1, 2, 3, 5, 4]]), "5.1"),
            "LOW_REEL": (lambda p: from_second_reel(p, lambda x: x * 10 ** (-3 / 20)), "5.1"),
            "TURNED_R": (lambda p: full(p) * [1, -1, 1, 1, 1, 1], "5.1"),
            "TURNED": (lambda p: from_second_reel(p, lambda x: -x), "5.1"),
            "TURNED_FX": (lambda p: p["DX"] + p["MX"] + p["FX"] * [1, -1, 1, 1, 1, 1], "5.1"),
        })
        order = {"SWAP": ({"L": "R", "R": "L"}, "L and R are exchanged"), "SWAP_20": ({"L": "R", "R": "L"}, "L and R are exchanged"),
                 "ONE_REEL": ({"Ls": "Rs", "Rs": "Ls"}, "Ls and Rs are exchanged"),
                 "FILM": ({"R": "C", "C": "R", "LFE": "Ls", "Ls": "Rs", "Rs": "LFE"}, "the file is in film order (L C R Ls Rs LFE)")}
        order["FILM_ME"] = order["FILM"]
        for name, (holds, words) in order.items():
            with self.subTest(programme=name):
                told = [f for f in findings(report, name, "signal.channel_swap") if f["severity"] == "fail"]
                self.assertEqual([f["details"]["holds"] for f in told], [holds])
                self.assertIn(words, told[0]["message"])
                self.assertEqual(faults(report, name), [])
                if name.startswith("FILM"):
                    self.assertEqual([f for f in findings(report, name, "signal.lfe") if f["severity"] == "warn"], [])
        self.place(findings(report, "ONE_REEL", "signal.channel_swap")[0], second / RATE, (second / RATE) + (7 * 24 + 11) / 24)
        low = faults(report, "LOW_REEL")
        self.assertEqual([(f["details"]["fault"], f["channels"]) for f in low], [("gain", [])])
        self.assertIn("The whole programme is at -3.0 dB", low[0]["message"])
        self.place(low[0], second / RATE, (second / RATE) + (7 * 24 + 11) / 24)
        for name, source, channels in (("TURNED_R", "", ["R"]), ("TURNED", "", []), ("TURNED_FX", "FX", ["R"])):
            with self.subTest(programme=name):
                told = [(f["details"]["fault"], f["details"]["source"], f["channels"]) for f in faults(report, name)]
                self.assertEqual(told, [("polarity", source, channels)])

    def test_stems_that_lie_elsewhere_are_named_where_they_play(self):
        """A stem in the centre alone lies elsewhere by one sample more or less than the programme does."""
        def content(stem, reel, frames):
            played = [0, 0, 1, 0, 0, 0] if stem == "DX" else [1, 1, 0, 1, 1, 1]
            return noise(hash_seed(stem, reel), frames, 6, 0.03) * played
        moved = lambda dx, rest: lambda p: np.roll(p["DX"], dx, axis=0) + np.roll(p["MX"] + p["FX"], rest, axis=0)
        report = self.judge({"TWO": (moved(1999, 2000), "5.1"), "ALL": (moved(2000, 2000), "5.1"), "ONE": (moved(37, 0), "5.1")},
                            show=Show(self.folder, [9 * 24 + 7, 7 * 24 + 11], content))
        bed = ("L", "R", "LFE", "Ls", "Rs")
        for name, wanted in (("TWO", {("DX", 1999, ("C",)), ("", 2000, bed)}), ("ALL", {("", 2000, ())}), ("ONE", {("DX", 37, ("C",))})):
            with self.subTest(programme=name):
                told = [(f["details"].get("source"), f["details"].get("delay_samples"), tuple(f["channels"])) for f in faults(report, name)]
                self.assertEqual(set(told), wanted)
                self.assertEqual(len(told), len(wanted))

    def test_clipping_a_click_and_the_edge_of_a_fault_are_not_told_as_faults_of_stems(self):
        full = lambda p: p["DX"] + p["MX"] + p["FX"]

        def between(p, first_s, end_s, change):
            out = full(p)
            span = slice(int(first_s * RATE), int(end_s * RATE))
            out[span] = change(out[span], p, span)
            return out

        def clicked(x, _p, _span):
            x[0, [0, 4]] -= np.sign(x[0, [0, 4]]) * 0.7
            return x
        report = self.judge({
            "CLIPPED": (lambda p: between(p, 4.0, 12.0, lambda x, p, span: np.clip(x * 60, -1, 1 - 2 ** -23)), "5.1"),
            "EDGE": (lambda p: between(p, 4.0, 9.25, lambda x, p, span: x - p["FX"][span]), "5.1"),
            "CLICK": (lambda p: between(p, 6.5, 7.0, clicked), "5.1"),
        })
        clip, = faults(report, "CLIPPED")
        self.assertEqual((clip["details"]["fault"], clip["channels"]), ("clipped", []))
        self.place(clip, 4.0, 12.0)
        edge, = faults(report, "EDGE")
        self.assertEqual((edge["details"]["fault"], edge["details"]["source"]), ("missing", "FX"))
        self.place(edge, 4.0, 9.25)
        # The cover has one of each kind of fault, not the first that the check found alone.
        cover = next(self.folder.rglob("report.html")).read_text().split("<h3>Mend first</h3>")[1].split("</header>")[0]
        for told in ("It is clipped", "FX is missing", "which no gain of a stem explains"):
            self.assertEqual(cover.count(told), 1)
        click, = faults(report, "CLICK")
        self.assertEqual((click["details"]["fault"], click["channels"]), ("unexplained", ["L", "Ls"]))
        self.assertIn("the click that is told at 6.500 s is not in the stems", click["message"])

    def test_a_drop_out_explains_no_more_than_itself(self):
        """A programme that lies elsewhere from end to end and drops out once is moved, not lost in the print."""
        def late(parts):
            sound = np.roll(sum(parts.values()), 2000, axis=0)
            sound[6 * RATE:6 * RATE + 200] = 0
            return sound
        report = self.judge({"LATE": (late, "5.1")})
        told = faults(report, "LATE", "stems.null")
        self.assertEqual([(f["details"]["fault"], f["details"].get("delay_samples")) for f in told], [("shifted", 2000)])
        self.assertEqual(len(faults(report, "LATE", "signal.dropout")), 1)

    def test_wrong_matrices_are_solved(self):
        rng = np.random.default_rng(hash_seed("matrices"))
        wanted = {}

        def fold(gains):
            def make(p):
                bed = p["DX"] + p["MX"] + p["FX"]
                return np.stack([bed @ gains[0], bed @ gains[1]], axis=1)
            return make
        programmes = {}
        for index in range(6):
            gains = np.zeros((2, 6))
            gains[0, 0] = gains[1, 1] = 1.0
            centre, surround, lfe = 10 ** (rng.uniform(-9, 3, 3) / 20)
            gains[:, 2] = centre
            gains[0, 4] = gains[1, 5] = surround if index != 1 else 0.0
            gains[:, 3] = lfe if index == 2 else 0.0
            if index == 3:
                gains[1, 5] *= -1.0
            wanted[f"M{index}"] = gains
            programmes[f"M{index}"] = (fold(gains), "stereo")

        def encode(p):
            bed = p["DX"] + p["MX"] + p["FX"]
            turned = np.fft.irfft(-1j * np.fft.rfft(0.5 * (bed[:, 4] + bed[:, 5])), len(bed))
            return np.stack([bed[:, 0] + HALF * bed[:, 2] - turned, bed[:, 1] + HALF * bed[:, 2] + turned], axis=1)
        both = np.array([[1, 0, HALF, 0, 1, 0], [0, 1, HALF, 0, 0, 1]]) / 2  # and half as loud as a whole
        report = self.judge({**programmes, "LTRT": (encode, "stereo"), "BOTH": (fold(both), "stereo")})
        told, = faults(report, "BOTH")
        self.assertEqual(told["message"], "It was made with another matrix than stereo-loro: the surrounds (Ls to L, Rs to R) at 0.0 dB "
                         "instead of at -3.0 dB; and the whole at -6.0 dB. Print again with the stated matrix, at unity.")
        self.assertAlmostEqual(told["details"]["programme_gain_db"], -6.02, delta=0.01)
        self.assertAlmostEqual(told["details"]["matrix_db"]["L"]["Ls"], 0.0, delta=0.01)
        self.assertEqual(faults(report, "LTRT"), [])
        told = findings(report, "LTRT", "folddown.matrix")
        self.assertEqual([f["severity"] for f in told], ["info"])
        self.assertIn("It is an Lt/Rt", told[0]["message"])
        for out, sign in (("L", 1), ("R", -1)):
            for label in ("Ls", "Rs"):
                self.assertAlmostEqual(told[0]["details"]["matrix_db"][out][label], -6.02, delta=0.1)
                self.assertAlmostEqual(told[0]["details"]["phase_degrees"][out][label], 90 * sign, delta=1)
            self.assertAlmostEqual(told[0]["details"]["matrix_db"][out]["C"], -3.01, delta=0.1)
        labels = ["L", "R", "C", "LFE", "Ls", "Rs"]
        for name, gains in wanted.items():
            with self.subTest(matrix=name):
                told = findings(report, name, "folddown.matrix")
                self.assertEqual([f["severity"] for f in told], ["warn"])
                for row, out in enumerate(("L", "R")):
                    for column, label in enumerate(labels):
                        found = told[0]["details"]["matrix"][out][label]
                        if gains[row, column] == 0.0:
                            self.assertLess(abs(found), 1e-3)
                        else:
                            self.assertAlmostEqual(20 * np.log10(abs(found)), 20 * np.log10(abs(gains[row, column])), delta=0.1)
                            self.assertEqual(np.sign(found), np.sign(gains[row, column]))
                self.assertEqual(faults(report, name, "stems.null"), [])

    def test_what_cannot_be_compared_says_so(self):
        show = small_show(self.folder, low_lfe=False)
        write_wav(self.folder / "stems" / "received" / "LONG.wav", np.zeros((40 * RATE, 6)))
        show.text["deliverables"] = [{"name": "LONG", "file": "received/LONG.wav", "layout": "5.1", "spec": "none"}]
        show.write()
        report = json.loads(reelmill("qc", "--show", show.path, "--json").out)
        told = findings(report, "LONG", "stems.null")
        self.assertEqual([f["severity"] for f in told], ["not_checked"])
        self.assertIn("not compared", told[0]["message"])

    def test_no_limit_is_passed_over_that_a_file_alone_does_not_tell(self):
        write_wav(self.folder / "ALONE.wav", noise(3, 5 * RATE, 2, 0.05))
        checks = [*(f"stems.{name}" for name in ("null", "bleed", "silent", "dropout")), "folddown.matrix", "me.dialogue", "me.fill",
                  "me.optional", "ad.overlap", "ad.depth", *(f"sync.{name}" for name in ("pop", "offset", "drift", "step", "length")),
                  "signal.noise", "loudness.dialogue", "format.length", "format.start_timecode"]
        limits = [{"check": check, "max": 1000, "severity": "fail", "evidence": "primary", "clause": "1"} for check in checks]
        limits[-1] = {**limits[-1], "allowed": ["01:00:00:00"]}
        del limits[-1]["max"]
        (self.folder / "all.yaml").write_text(json.dumps(
            {"reelmill_spec": 1, "title": "All", "version": "1", "source": "house", "limits": limits}))
        outcome = reelmill("qc", self.folder / "ALONE.wav", "--spec", self.folder / "all.yaml", "--json")
        self.assertEqual(outcome.code, 1, outcome.err)
        told = outcome.json()["programmes"][0]["findings"]
        self.assertEqual({f["check"] for f in told if f["severity"] == "not_checked"}, set(checks))

class Levels(FarmTest):
    """Silent stems and channels, holes in the M&E, narration over dialogue: told from energies alone."""

    def test_silence_holes_and_overlap(self):
        def content(stem, reel, frames):
            bed = np.zeros((frames, 6))
            lead = Show.LEADER_S * RATE
            if stem == "DX":
                bed[lead + 2 * RATE:lead + 6 * RATE, 2] = coloured("dx", reel, frames=4 * RATE, level=0.05)
            elif stem == "MX" and reel == 0:  # silent in the second reel
                bed[:, 0] = coloured("mx", 0, frames=frames, level=0.02)  # R is silent where L plays
                bed[lead + 3 * RATE:lead + 5 * RATE, 0] = 0.0
            elif stem == "FX":
                bed[:, :2] = noise(hash_seed("fx", reel), frames, 2, 0.01)
                if reel == 0:
                    bed[lead + 3 * RATE:lead + 5 * RATE] = 0.0  # cut away with the dialogue
            return bed
        show = Show(self.folder, [9 * 24, 7 * 24], content)
        outcome = reelmill("run", show.path, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        report = outcome.json()
        silent = faults(report, "PM_51", "stems.silent")
        self.assertEqual({(f["reel"], tuple(f["channels"])) for f in silent}, {("R1", ("R",)), ("R2", ())})
        self.assertTrue(all("MX is silent" in f["message"] for f in silent))
        for name in ("PM_20", "ME_51", "ME_20", "DX_51"):
            self.assertEqual(faults(report, name, "stems.silent"), [])  # told once
        for name in ("ME_51", "ME_20"):
            holes = faults(report, name, "me.fill")
            self.assertEqual(len(holes), 1)
            self.assertAlmostEqual(holes[0]["start_s"], 3.0, delta=0.15)
            self.assertAlmostEqual(holes[0]["end_s"], 5.0, delta=0.15)
        self.assertEqual(faults(report, "PM_51", "me.fill"), [])

    def test_narration_over_dialogue(self):
        def content(stem, reel, frames):
            bed = np.zeros((frames, 6))
            if stem == "DX":
                bed[4 * RATE:8 * RATE, 2] = coloured("dx", frames=4 * RATE, level=0.05)
            return bed
        show = Show(self.folder, [12 * 24], content, deliverables=[{"name": "AD_51", "recipe": "ad-5.1"}])
        narration = np.zeros((15 * RATE, 1))
        narration[7 * RATE:11 * RATE, 0] = coloured("ad", frames=4 * RATE, level=0.05)  # one second over the dialogue
        narration[13 * RATE:14 * RATE, 0] = coloured("ad", 2, frames=RATE, level=0.05)  # another cue, which stays
        write_wav(self.folder / "stems" / "R1_AD.wav", narration)
        show.text["stems"]["AD"] = {"role": "narration", "layout": "mono", "file": "{reel}_AD.wav", "language": "en"}
        show.write()
        outcome = reelmill("run", show.path, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        told = faults(outcome.json(), "AD_51", "ad.overlap")
        self.assertEqual(len(told), 1)
        self.assertAlmostEqual(told[0]["start_s"], 7.0 - Show.LEADER_S, delta=0.15)
        self.assertAlmostEqual(told[0]["measured"], 1.0, delta=0.2)
        # By as much as it says the cue lies in the gap behind the dialogue, and by a block less it does not.
        move = told[0]["details"]["move_s"]
        self.assertIn(f"Move it by {move:.2f} s, later", told[0]["message"])
        for by, count in ((move - 0.4, 1), (move, 0)):
            moved = narration.copy()
            moved[7 * RATE:12 * RATE] = 0
            start = 7 * RATE + round(by * RATE)
            moved[start:start + 4 * RATE] = narration[7 * RATE:11 * RATE]
            write_wav(self.folder / "stems" / "R1_AD.wav", moved)
            told = faults(reelmill("run", show.path, "--replace", "--json").json(), "AD_51", "ad.overlap")
            self.assertEqual(len(told), count, by)
        # Eight seconds of it are longer than any gap.
        write_wav(self.folder / "stems" / "R1_AD.wav", np.concatenate([narration[:7 * RATE], narration[7 * RATE:11 * RATE], narration[7 * RATE:11 * RATE]]))
        told = faults(reelmill("run", show.path, "--replace", "--json").json(), "AD_51", "ad.overlap")
        self.assertEqual([(f["details"]["move_s"], "shorten it" in f["message"]) for f in told], [(None, True)])
        self.assertNotIn("Made of:", reelmill("explain", show.path, told[0]["id"]).out)  # of nothing more

    def test_narration_over_dialogue_of_a_received_description(self):
        """Two seconds of it, and narration that begins where the dialogue has just ended; a print master has neither."""
        lead = Show.LEADER_S * RATE

        def content(stem, reel, frames):
            bed = np.zeros((frames, 6))
            if stem == "DX":
                bed[lead + 3 * RATE:lead + 8 * RATE, 2] = coloured("dx", frames=5 * RATE, level=0.05)
                bed[lead + 10 * RATE:lead + 13 * RATE, 2] = coloured("dx", 2, frames=3 * RATE, level=0.05)
            else:
                bed[:, :2] = noise(hash_seed(stem), frames, 2, 0.01)
            return bed
        show = Show(self.folder, [20 * 24], content)
        narration = np.zeros((23 * RATE, 1))
        narration[lead + 6 * RATE:lead + 9 * RATE, 0] = coloured("ad", frames=3 * RATE, level=0.05)
        narration[lead + 13 * RATE:lead + 16 * RATE, 0] = coloured("ad", 2, frames=3 * RATE, level=0.05)
        write_wav(self.folder / "stems" / "R1_AD.wav", narration)
        show.text["stems"]["AD"] = {"role": "narration", "layout": "mono", "file": "{reel}_AD.wav", "language": "en"}
        full = sum(show.joined(name) for name in ("DX", "MX", "FX"))
        spoken = full.copy()
        spoken[:, 2] += narration[lead:lead + len(full), 0]
        (show.folder / "specs").mkdir()
        limit = {"check": "ad.overlap", "max": 0.5, "severity": "fail", "evidence": "primary", "clause": "1"}
        (show.folder / "specs" / "apart.yaml").write_text(json.dumps(
            {"reelmill_spec": 1, "title": "Apart", "version": "1", "source": "house", "limits": [limit]}))
        for name, sound in (("AD", spoken), ("PM", full)):
            write_wav(self.folder / "stems" / "received" / f"{name}.wav", sound)
        show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "apart"}
                                     for name in ("AD", "PM")]
        show.write()
        outcome = reelmill("qc", "--show", show.path, "--json")
        self.assertEqual(outcome.code, 1, outcome.err)
        report = outcome.json()
        told = faults(report, "AD", "ad.overlap")
        self.assertEqual([f["severity"] for f in told], ["fail"], told)
        self.assertAlmostEqual(told[0]["start_s"], 6.0, delta=0.8)
        self.assertAlmostEqual(told[0]["end_s"], 8.0, delta=0.8)
        self.assertEqual([f["severity"] for f in findings(report, "PM", "ad.overlap")], ["not_checked"])

    def test_the_depth_of_ducking_is_solved(self):
        """A description that is rendered, and one that is not ducked, both judged as if they came from elsewhere."""
        def content(stem, reel, frames):
            bed = np.zeros((frames, 6))
            channels = [2] if stem == "DX" else [0, 1]
            bed[:, channels] = noise(hash_seed(stem), frames, len(channels), 0.02)
            return bed
        show = Show(self.folder, [14 * 24], content, deliverables=[{"name": "AD_51", "recipe": "ad-5.1"}])
        narration = np.zeros((17 * RATE, 1))
        narration[7 * RATE:11 * RATE, 0] = coloured("ad", frames=4 * RATE, level=0.05)
        write_wav(self.folder / "stems" / "R1_AD.wav", narration)
        show.text["stems"]["AD"] = {"role": "narration", "layout": "mono", "file": "{reel}_AD.wav", "language": "en"}
        show.write()
        outcome = reelmill("run", show.path, "--json")
        self.assertEqual(outcome.code, 0)
        rendered = findings(outcome.json(), "AD_51", "ad.depth")
        self.assertEqual([(f["severity"], f["details"]["stretches"]) for f in rendered], [("info", 1)])
        self.assertAlmostEqual(rendered[0]["measured"], -9.0, delta=0.01)  # the recipe's depth
        self.assertAlmostEqual(rendered[0]["details"]["reached"][0]["start_sample"], 5 * RATE, delta=RATE // 10)
        self.assertAlmostEqual(rendered[0]["details"]["reached"][0]["end_sample"], 9 * RATE, delta=RATE // 10)
        made = next((self.folder / "out").rglob("*_AD_51.wav"))
        (self.folder / "stems" / "received").mkdir()
        (self.folder / "stems" / "received" / "DUCKED.wav").write_bytes(made.read_bytes())
        full = sum(show.joined(name) for name in ("DX", "MX", "FX"))
        lead = Show.LEADER_S * RATE
        full[:, 2] += narration[lead:lead + len(full), 0]
        write_wav(self.folder / "stems" / "received" / "FLAT.wav", full)
        show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "none"}
                                     for name in ("DUCKED", "FLAT")]
        show.write()
        report = reelmill("qc", "--show", show.path, "--json").json()
        ducked = findings(report, "DUCKED", "ad.depth")
        self.assertEqual([f["severity"] for f in ducked], ["info"])
        self.assertAlmostEqual(ducked[0]["measured"], -9.0, delta=0.1)  # the recipe's depth
        self.assertEqual(faults(report, "DUCKED"), [])
        flat = [f for f in findings(report, "FLAT", "ad.depth") if f["severity"] == "warn"]
        self.assertEqual(len(flat), 1)
        self.assertAlmostEqual(flat[0]["measured"], 0.0, delta=0.1)
        self.assertAlmostEqual(flat[0]["start_s"], 5.0, delta=0.8)


def coloured(*parts, frames, level):
    return noise(hash_seed(*parts), frames, 1, level)[:, 0]


class Bleed(FarmTest):
    """Dialogue in C over quiet music and effects: leaks that the console made."""

    def make_show(self, leaks):
        """leaks: (from stem, from channel, to stem, to channel, gain dB, delay, first s, end s) in the first reel."""
        def content(stem, reel, frames):
            if stem not in made:
                for name, channels, level in (("DX", [2], 0.08), ("MX", [0, 1], 10 ** -3.5), ("FX", [0, 1, 4], 0.02)):
                    made[name] = np.zeros((frames, 6))
                    for c in channels:
                        made[name][:, c] = coloured(name, c, frames=frames, level=level)
                lead = Show.LEADER_S * RATE
                for source, a, host, b, gain, delay, first, end in leaks:
                    span = slice(lead + int(first * RATE), lead + int(end * RATE))
                    made[host][span, b] += 10 ** (gain / 20) * np.roll(made[source][:, a], delay)[span]
            return made[stem]
        made = {}
        return Show(self.folder, [32 * 24], content, deliverables=[{"name": "PM_51", "recipe": "printmaster-5.1"}])

    def run_show(self, leaks):
        outcome = reelmill("run", self.make_show(leaks).path, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        return findings(outcome.json(), "PM_51", "stems.bleed")

    def test_leaks_are_located_and_measured(self):
        told = self.run_show([("DX", 2, "MX", 0, -50.0, 24, 6.0, 22.0), ("DX", 2, "MX", 1, -30.0, 0, 0.0, 32.0)])
        told = [f for f in told if f["severity"] == "warn"]
        self.assertEqual([(f["details"]["source"], f["channels"]) for f in told], [("DX C", ["R"]), ("DX C", ["L"])])
        full, part = told
        self.assertAlmostEqual(full["details"]["gain_db"], -30.0, delta=0.5)
        self.assertEqual(full["details"]["delay_samples"], 0)
        self.assertIn("Print MX again without that send.", full["message"])
        self.assertAlmostEqual(part["details"]["gain_db"], -50.0, delta=0.5)
        self.assertEqual(part["details"]["delay_samples"], 24)
        # Windows stand 0.8 s apart.
        self.assertAlmostEqual(part["start_s"], 6.0, delta=0.5)
        self.assertAlmostEqual(part["end_s"], 22.0, delta=0.5)

    def test_a_leak_is_told_beyond_the_cells_that_show_it_however_tasks_are_cut(self):
        """Through 12.8 to 19.2 s, and for less than a cell hears on both sides."""
        show = self.make_show([("DX", 2, "MX", 0, -50.0, 960, 12.0, 20.0)])
        same = SameBytes(self, show.path, 1)
        told = [f for f in findings(same.report, "PM_51", "stems.bleed") if f["severity"] == "warn"]
        self.assertEqual(len(told), 1, told)
        self.assertIn("20.00 ms later", told[0]["message"])
        self.assertIn("So late may be a reverb of it", told[0]["message"])
        self.assertAlmostEqual(told[0]["start_s"], 12.0, delta=0.15)
        self.assertAlmostEqual(told[0]["end_s"], 20.0, delta=0.15)
        again = {stem["stem"]: stem["read_again"]["samples"] for stem in same.report["stems"]}
        self.assertEqual(again["FX"], 0)
        self.assertEqual(again["DX"], again["MX"])
        self.assertTrue(0 < again["DX"] < RATE, again)
        same.vary((2, 1, None), (1, 2, "scalar"), (3, 64, "avx2"))

    def test_what_one_send_leaves_is_one_finding(self):
        told = self.run_show([("DX", 2, "MX", 1, -36.0, 0, 0, 32)] + [("DX", 2, "MX", 0, -30.0, 0, *span) for span in ((0, 12), (15, 32))])
        one, = [(f["channels"], f["start_s"] < 0.5, f["end_s"] > 31.5, [(pair["source"], pair["host"], round(pair["gain_db"]))
                 for pair in f["details"]["pairs"]]) for f in told if f["severity"] == "warn"]
        self.assertEqual(one, (["L", "R"], True, True, [("C", "L", -30), ("C", "R", -36)]))

    def test_without_a_leak_the_reach_is_told(self):
        told = self.run_show([])
        self.assertEqual([f["severity"] for f in told], ["info"])
        reach = told[0]["details"]["reach_db"]
        self.assertLess(reach["DX"]["MX"], -70.0)
        self.assertLess(reach["DX"]["FX"], -30.0)
        for source, row in told[0]["details"]["reach_low_db"].items():  # a part of the sound is never found sooner than all of it
            for host, figure in row.items():
                self.assertTrue(figure is None or figure > reach[source][host], (source, host))
        # The worst pair is named, of those that have a figure alone.
        pairs = {f"{source} in {host}": figure for source, row in reach.items() for host, figure in row.items()}
        known = {pair: figure for pair, figure in pairs.items() if figure is not None}
        worst = max(known, key=known.get)
        self.assertIn(f"from {known[worst]:.1f} dB up would have been found in nine tenths", told[0]["message"])
        self.assertEqual([pair for pair in known if pair in told[0]["message"]], [worst])


class Drift(FarmTest):
    def test_a_programme_that_drifts_is_not_compared_behind_where_it_does(self):
        """Said once, with what cannot be judged for it, and nothing of the mix."""
        show = small_show(self.folder, low_lfe=False)
        parts = {name: show.joined(name) for name in ("DX", "MX", "FX")}
        mix = parts["MX"] + parts["FX"]
        slow = np.stack([drifted(channel, 400) for channel in mix.T], axis=1)
        write_wav(self.folder / "stems" / "GUIDE.wav", mix.sum(axis=1)[:, None] / 8)
        show.text["reference"] = {"file": "GUIDE.wav", "layout": "mono"}
        show.text["deliverables"] = []
        for name, sound in (("SLOW", slow), ("EVEN", mix)):
            write_wav(self.folder / "stems" / "received" / f"{name}.wav", sound)
            show.text["deliverables"].append({"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "null"})
        (show.folder / "specs").mkdir()
        limits = [{"check": check, "max": -80, "severity": "fail", "evidence": "primary", "clause": "1"} for check in ("stems.null", "me.dialogue")]
        (show.folder / "specs" / "null.yaml").write_text(json.dumps(
            {"reelmill_spec": 1, "title": "Null", "version": "1", "source": "house", "limits": limits}))
        show.write()
        outcome = reelmill("qc", "--show", show.path, "--json")
        self.assertEqual(outcome.code, 1, outcome.err)
        report = outcome.json()
        self.assertEqual(len(findings(report, "SLOW", "sync.drift")), 1)
        told = sorted(findings(report, "SLOW", "stems.null", "me.dialogue", "folddown.matrix"), key=lambda f: f["check"])
        self.assertEqual([(f["check"], f["severity"], f["details"]["fault"]) for f in told],
                         [("me.dialogue", "not_checked", "drift"), ("stems.null", "not_checked", "drift")])
        self.assertAlmostEqual(told[0]["details"]["drift_ppm"], 400.0, delta=0.5)
        self.assertIn(f"runs slower than its stems by {told[0]['details']['drift_ppm']:.2f} ppm", told[0]["message"])
        self.assertLess(told[0]["start_s"], 0.1)
        self.assertEqual(told[0]["end_sample"], len(mix))
        self.assertEqual(faults(report, "EVEN"), [])


if __name__ == "__main__":
    main()
