"""Received programmes against stems that are not what was printed: one cause is one finding, in the words of whoever mends it."""
import unittest

import numpy as np

from farm_kit import RATE, SHARED, FarmTest, Show, hash_seed, main, noise, real_show, reelmill
from planted_leaks import judged
from received_kit import ReceivedTest, faults, findings
from sync_faults import drifted

SECONDS = 24


def lively(stem, reel, frames):
    """Sound whose level goes up and down, otherwise in each stem and reel."""
    random = np.random.default_rng(hash_seed("lively", stem, reel))
    corners = np.arange(0, frames + 2 * RATE, 3 * RATE // 2)
    level = np.interp(np.arange(frames), corners, random.uniform(-40, -18, len(corners)))
    return noise(hash_seed(stem, reel), frames, 6, 1.0) * 10 ** (level[:, None] / 20) * ([0, 0, 1, 0, 0, 0] if stem == "DX" else [1, 1, 0, 1, 1, 1])


def slower(sound):
    return np.stack([drifted(channel, 200) for channel in sound.T], axis=1)


class Versions(ReceivedTest):
    def show_of_two_reels(self):
        return Show(self.folder, [SECONDS * 24, SECONDS * 24], lively)

    def test_another_version_of_a_stem_is_one_finding(self):
        """Music of the first reel in the second; and three seconds cut out of the effects, put back at the end of the reel."""
        lead = Show.LEADER_S * RATE
        first, second, length = lead + 8 * RATE, lead + 11 * RATE, lead + SECONDS * RATE

        def cut(sound):
            sound[first:length] = np.concatenate([sound[second:length], sound[first:second]])
            return sound
        show = self.show_of_two_reels()
        other = [lively("MX", 0, lead + (SECONDS + 1) * RATE)[:, [c]] for c in range(6)]
        damage = [(f"R2_MX.{label}.wav", lambda sound, part=part: part) for label, part in zip(("L", "R", "C", "LFE", "Ls", "Rs"), other)]
        report = self.judge({"PM": (lambda p: sum(p.values()), "5.1")}, damage=[*damage, ("R1_FX_51.wav", cut)], show=show)
        told = sorted(faults(report, "PM"), key=lambda f: f["start_s"])
        self.assertEqual([(f["details"]["fault"], f["details"]["source"], f["reel"], f["severity"]) for f in told],
                         [("another", "FX", "R1", "fail"), ("another", "MX", "R2", "fail")], [f["message"] for f in told])
        self.place(told[0], 8.0, SECONDS)
        self.place(told[1], SECONDS, 2 * SECONDS)
        self.assertIn("Most of what was printed there is what it has about 3.0 s earlier.", told[0]["message"])
        self.assertNotIn("Most of what", told[1]["message"])

    def test_music_of_another_reel_is_found_there(self):
        def wrong(parts):
            out = sum(parts.values())
            out[SECONDS * RATE:] += parts["MX"][:SECONDS * RATE] - parts["MX"][SECONDS * RATE:]
            return out
        report = self.judge({"PM": (wrong, "5.1")}, show=self.show_of_two_reels())
        told, = faults(report, "PM")
        self.assertIn("Most of what was printed there is what it has in reel R1.", told["message"])

    def test_shifts_that_grow_evenly_are_one_drift_and_no_others_are(self):
        """Without a reference; two cuts are shifts of their own."""
        def slow(parts):
            return slower(sum(parts.values()))

        def effects(parts):
            return parts["DX"] + parts["MX"] + slower(parts["FX"])

        def early(parts):
            return np.roll(sum(parts.values()), -480, axis=0)

        def picture(parts):
            return np.roll(sum(parts.values()), 2000, axis=0)

        def cuts(parts):
            whole, join = sum(parts.values()), SECONDS * RATE
            return np.concatenate([np.roll(whole, 200, axis=0)[:join], np.roll(whole, 600, axis=0)[join:]])
        report = self.judge({"SLOW": (slow, "5.1"), "FX": (effects, "5.1"), "EARLY": (early, "5.1"), "PICTURE": (picture, "5.1"),
                             "CUTS": (cuts, "5.1")}, show=self.show_of_two_reels())
        for name, source, words in (("SLOW", "its stems", "evenly, and lies"), ("FX", "FX", "FX in it drifts against the stem")):
            told, = faults(report, name)
            self.assertEqual((told["details"]["fault"], told["details"]["source"], told["severity"]), ("drift", source, "warn"), name)
            self.assertAlmostEqual(told["details"]["drift_ppm"], 200.0, delta=10.0)
            self.assertIn(words, told["message"])
            self.place(told, 0.0, 2 * SECONDS)
        told, = faults(report, "EARLY")
        self.assertIn("Move it 480 samples later and print again.", told["message"])
        self.assertEqual(told["severity"], "warn")
        told, = faults(report, "PICTURE")
        self.assertEqual((told["severity"], told["details"]["delay_samples"]), ("fail", 2000))
        self.assertEqual({f["details"]["fault"] for f in faults(report, "CUTS")}, {"shifted"})

    @unittest.skipUnless((SHARED / "audio").is_dir(), "no real audio (REELMILL_SHARED)")  # made sound does not pause as it does
    def test_a_programme_that_is_off_is_not_told_as_the_stem_that_shows_it_longest(self):
        report = self.judge({"PM": (lambda p: np.roll(sum(p.values()), -2000, axis=0), "5.1")}, show=real_show(self.folder, [16 * 24]))
        told, = faults(report, "PM")
        self.assertEqual((told["details"]["fault"], told["details"]["source"], told["details"]["delay_samples"]), ("shifted", "", -2000))
        self.assertIn("Move it 2000 samples later and print again.", told["message"])

    def test_a_drift_that_begins_anew_in_each_reel_is_one(self):
        seconds = 40

        def each(parts):
            whole, join = sum(parts.values()), seconds * RATE
            return np.concatenate([slower(whole[:join]), slower(whole[join:])])
        report = self.judge({"PM": (each, "5.1")}, show=Show(self.folder, [seconds * 24, seconds * 24], lively))
        told, = faults(report, "PM")
        self.assertAlmostEqual(told["details"]["drift_ppm"], 200.0, delta=10.0)
        self.assertIn("anew in each reel", told["message"])
        self.place(told, 0.0, 2 * seconds)

    def test_a_fader_in_the_reel_before_another_version_is_a_fault_of_its_own(self):
        """It ends where the other version begins."""
        def wrong(parts):
            out, join = sum(parts.values()), SECONDS * RATE
            out[join - 8 * RATE:join] += (10 ** (-6 / 20) - 1) * parts["MX"][join - 8 * RATE:join]
            out[join:] += parts["MX"][:SECONDS * RATE] - parts["MX"][join:]
            return out
        report = self.judge({"PM": (wrong, "5.1")}, show=self.show_of_two_reels())
        told = sorted(faults(report, "PM"), key=lambda f: f["start_s"])
        self.assertEqual([(f["details"]["fault"], f["details"]["source"], f["reel"]) for f in told],
                         [("gain", "MX", "R1"), ("another", "MX", "R2")], [f["message"] for f in told])
        self.place(told[0], SECONDS - 8, SECONDS)
        self.place(told[1], SECONDS, 2 * SECONDS)

    def test_a_hole_in_an_m_and_e_is_told_once(self):
        """Lost in the print it is a drop-out of that; where the stems have it too, the M&E lacks its fill."""
        def hole(sound):
            out = sound.copy()
            out[5 * RATE:13 * RATE // 2] = 0
            return out

        def soft(sound):
            at = np.arange(len(sound)) / RATE
            return sound * np.clip(np.maximum(5 - at, at - 6.5) / 0.05, 0, 1)[:, None]
        show = self.show_of_two_reels()
        lead = Show.LEADER_S * RATE

        def cut(sound):
            sound[lead + 20 * RATE:lead + 21 * RATE] = 0
            return sound
        for parts in (show.programme["MX"][0], show.programme["FX"][0]):
            parts[20 * RATE:21 * RATE] = 0
        damage = [*((f"R1_MX.{label}.wav", cut) for label in ("L", "R", "C", "LFE", "Ls", "Rs")), ("R1_FX_51.wav", cut)]
        report = self.judge({"ME": (lambda p: hole(p["MX"] + p["FX"]), "5.1"), "SOFT": (lambda p: soft(p["MX"] + p["FX"]), "5.1")},
                            damage=damage, show=show)
        told = sorted(faults(report, "ME", "stems.null", "signal.dropout", "me.fill", "stems.dropout"), key=lambda f: f["start_s"])
        self.assertEqual([f["check"] for f in told], ["signal.dropout", "me.fill"], [f["message"] for f in told])
        self.assertIn("the stems do not: it was lost in the print", told[0]["message"])
        told = sorted(faults(report, "SOFT", "stems.null", "signal.dropout", "me.fill", "stems.dropout"), key=lambda f: f["start_s"])
        self.assertEqual([(f["check"], f["details"].get("fault")) for f in told], [("stems.null", "hole"), ("me.fill", None)],
                         [f["message"] for f in told])
        self.place(told[0], 5.0, 6.5)

    def test_the_show_may_say_what_a_programme_is_the_sum_of(self):
        without, full = lambda p: p["DX"] + p["FX"], lambda p: sum(p.values())
        report = self.judge({"DE": (without, "5.1"), "DE_SAID": (without, "5.1"), "DE_MX": (full, "5.1"), "DX_SAID": (without, "5.1")},
                            show=self.show_of_two_reels(), stems={"DE_SAID": ["DX", "FX"], "DE_MX": ["DX", "FX"], "DX_SAID": ["DX", "MX"]})
        told = {name: [(f["severity"], f["details"]["fault"], f["details"]["source"]) for f in faults(report, name)]
                for name in ("DE", "DE_SAID", "DE_MX", "DX_SAID")}
        self.assertEqual(told, {"DE": [("fail", "missing", "MX")], "DE_SAID": [], "DE_MX": [("warn", "extra", "MX")],
                                "DX_SAID": [("fail", "missing", "MX"), ("warn", "extra", "FX")]})
        self.assertIn("`stems` of the deliverable", faults(report, "DE")[0]["message"])

    def test_stems_that_lie_otherwise_than_the_rest_are_told_apart(self):
        """By a sample, where all that is off looks like the whole programme; and each by its own."""
        def late(dialogue, music, effects):
            return lambda p: sum(np.roll(p[name], by, axis=0) for name, by in (("DX", dialogue), ("MX", music), ("FX", effects)))
        report = self.judge({"ONE": (late(1, 0, 1), "5.1"), "ALL": (late(1, 1, 1), "5.1"), "EACH": (late(10, 5, 10), "5.1")},
                            show=self.show_of_two_reels())
        told = {name: sorted((f["details"]["source"], f["details"]["delay_samples"]) for f in faults(report, name)) for name in ("ONE", "ALL", "EACH")}
        self.assertEqual(told, {"ONE": [("DX, FX", 1)], "ALL": [("", 1)], "EACH": [("FX, DX", 10), ("MX", 5)]})
        self.assertIn("and not MX", faults(report, "ONE")[0]["message"])
        for item in faults(report, "EACH"):
            self.assertIn("Off there, too: ", item["message"])

    def test_who_lies_a_sample_off_is_told_though_another_stem_covers_it(self):
        """Music 6 dB under effects of its channels: of what lacks each late stem holds its part of a half, and one in its place nothing."""
        def content(stem, reel, frames):
            return lively(stem, reel, frames) * (0.5 if stem == "MX" else 1.0)

        def late(dialogue, music, effects):
            return lambda p: sum(np.roll(p[name], by, axis=0) for name, by in (("DX", dialogue), ("MX", music), ("FX", effects)))
        report = self.judge({"DX_MX": (late(1, 1, 0), "5.1"), "MX_FX": (late(0, -2, -2), "5.1"), "MX": (late(0, 1, 0), "5.1"),
                             "TWO": (late(1, -2, 0), "5.1")},
                            show=Show(self.folder, [SECONDS * 24, SECONDS * 24], content))
        told = {name: sorted((f["details"]["fault"], f["details"]["source"], f["details"]["delay_samples"]) for f in faults(report, name))
                for name in ("DX_MX", "MX_FX", "MX", "TWO")}
        self.assertEqual(told, {"DX_MX": [("shifted", "DX, MX", 1)], "MX_FX": [("shifted", "MX, FX", -2)], "MX": [("shifted", "MX", 1)],
                                "TWO": [("shifted", "DX", 1), ("shifted", "MX", -2)]})
        self.assertIn("and not FX", faults(report, "DX_MX")[0]["message"])
        self.assertIn("and not DX", faults(report, "MX_FX")[0]["message"])

    def test_music_that_was_left_in_the_effects_is_told_and_source_music_is_not(self):
        def left(music):
            return 0.25 * music

        def played(music):
            room = music[:, :2].sum(axis=1)
            return (0.25 * (room + np.roll(room, 300)))[:, None] * [1, 1, 0, 0, 1, 1]
        for name, made, wanted in (("left", left, [("warn", "MX", "FX")]), ("played", played, [])):
            def content(stem, reel, frames, made=made):
                return lively(stem, reel, frames) + (made(lively("MX", reel, frames)) if stem == "FX" else 0)
            self.folder = self.folder / name
            report = self.judge({"PM": (lambda p: sum(p.values()), "5.1")}, show=Show(self.folder, [SECONDS * 24, SECONDS * 24], content))
            told = [f for f in findings(report, "PM", "stems.bleed") if f["details"].get("fault") == "copy"]
            self.assertEqual([(f["severity"], f["details"]["source"], f["details"]["host"]) for f in told], wanted, [f["message"] for f in told])
            for item in told:
                self.assertAlmostEqual(item["measured"], 20 * np.log10(0.25), delta=0.3)
                self.place(item, 0.0, 2 * SECONDS)

    def test_a_pop_of_the_print_is_told_once(self):
        def popped(parts):
            out, frame = sum(parts.values()), RATE // 24
            out[4 * RATE:4 * RATE + frame, 2] += 0.4 * np.sin(2 * np.pi * 1000 * np.arange(frame) / RATE)
            return out
        show = self.show_of_two_reels()
        lead = Show.LEADER_S * RATE

        def quiet(sound):  # so that the pop is heard
            sound[lead + 3 * RATE:lead + 6 * RATE] *= 0.01
            return sound
        for stem in ("DX", "MX", "FX"):
            show.programme[stem][0][3 * RATE:6 * RATE] *= 0.01
        damage = [*((f"R1_MX.{label}.wav", quiet) for label in ("L", "R", "C", "LFE", "Ls", "Rs")), ("R1_FX_51.wav", quiet),
                  ("R1_DX_51.wav", quiet)]
        report = self.judge({"PM": (popped, "5.1")}, damage=damage, show=show)
        told = [f for f in faults(report, "PM", "sync.pop", "signal.tone", "signal.click", "stems.null") if f["start_s"] is not None and f["end_s"] < 5]
        self.assertEqual([f["check"] for f in told], ["sync.pop"], [f["message"] for f in told])
        self.assertIn("It is not in the stems", told[0]["message"])

    def test_a_channel_that_is_wrong_alone_is_one_finding(self):
        """Late by a sample, by half a second or in a stem alone; and the LFE at another gain, while its stem is right in all others."""
        def late(samples):
            def made(parts):
                out = sum(parts.values())
                out[:, 5] = np.roll(out[:, 5], samples)
                return out
            return made

        def effects(parts):
            out = sum(parts.values())
            out[:, 5] += np.roll(parts["FX"][:, 5], -24) - parts["FX"][:, 5]
            return out

        def low(parts):
            return (parts["DX"] + parts["FX"] + parts["MX"] * [1, 1, 1, 0, 1, 1]) * [1, 1, 1, 10 ** -0.5, 1, 1]
        show = self.show_of_two_reels()
        for parts in show.programme["MX"]:
            parts[:, 3] = 0
        silent = [(f"R{reel}_MX.LFE.wav", lambda sound: 0 * sound) for reel in (1, 2)]
        report = self.judge({"LATE": (late(1), "5.1"), "FAR": (late(24000), "5.1"), "FX": (effects, "5.1"), "LOW": (low, "5.1")}, damage=silent, show=show)
        for name, source, samples, words in (("LATE", "", 1, "in the other channels its stems (MX, FX) are in their place"),
                                             ("FX", "FX", -24, "in Rs alone")):
            told, = faults(report, name)
            self.assertEqual((told["details"]["fault"], told["details"]["source"], told["details"]["delay_samples"], told["channels"]),
                             ("shifted", source, samples, ["Rs"]))
            self.assertIn(words, told["message"])
            self.place(told, 0.0, 2 * SECONDS)
        told, = faults(report, "FAR")
        self.assertEqual((told["details"]["fault"], told["channels"]), ("unexplained", ["Rs"]))
        self.place(told, 0.0, 2 * SECONDS)
        self.assertIn("while its other channels are the sum of theirs", told["message"])
        told, = faults(report, "LOW")
        self.assertEqual((told["details"]["fault"], told["details"]["source"], told["channels"]), ("gain", "FX", ["LFE"]))
        self.assertIn("FX is at -10.0 dB in LFE", told["message"])
        self.assertIn("at unity in its other channels", told["message"])


class DialogueInMusicAndEffects(ReceivedTest):
    """Where the spec limits it, dialogue that its stem at no gain explains is never passed over."""
    def make_show(self):
        return Show(self.folder, [SECONDS * 24], lively)

    def rendered(self, gain, delay):
        """A leak of DX C in FX L from 8 to 20 s behind the leader."""
        lead = Show.LEADER_S * RATE

        def content(stem, reel, frames):
            sound = lively(stem, reel, frames)
            if stem == "FX":
                sound *= 10 ** (-30 / 20)  # as far below the dialogue
                span = slice(lead + 8 * RATE, lead + 20 * RATE)
                sound[span, 0] += 10 ** (gain / 20) * np.roll(lively("DX", reel, frames)[:, 2], delay)[span]
            return sound
        show = Show(self.folder, [SECONDS * 24], content, deliverables=[
            {"name": "PM", "recipe": "printmaster-5.1"}, {"name": "ME", "recipe": "me-5.1", "spec": "netflix-me"},
            {"name": "ME20", "recipe": "me-stereo", "spec": "netflix-me"}])
        report = reelmill("run", show.path, "--json").json()
        told = {name: [f for f in findings(report, name, "me.dialogue") if "source" in f["details"]] for name in ("PM", "ME", "ME20")}
        self.assertEqual(told["PM"], [])
        return told["ME"] + told["ME20"]

    def test_a_leak_of_the_dialogue_is_dialogue_in_a_rendered_m_and_e(self):
        told = self.rendered(-40.0, 400)
        self.assertEqual([(f["severity"], f["details"]["source"], f["channels"], f["details"]["delay_samples"]) for f in told],
                         [("fail", "DX", ["L"], 400)] * 2)
        for one in told:
            self.assertAlmostEqual(one["measured"], -40.0, delta=0.5)
            self.place(one, 8.0, 20.0)

    def test_the_same_sound_in_both_stems_is_a_warning_and_what_the_limit_allows_none(self):
        for gain, severity in ((-10.0, "warn"), (-55.0, "info")):
            with self.subTest(gain=gain):
                self.assertEqual({f["severity"] for f in self.rendered(gain, 0)}, {severity})

    def test_dialogue_at_another_time_is_no_late_stem(self):
        def late(parts, samples, gain, channel=0):
            out = parts["MX"] + parts["FX"]
            out[:, channel] += 10 ** (gain / 20) * np.roll(parts["DX"][:, 2], samples)
            return out

        def muffled(parts):
            out = parts["MX"] + parts["FX"]
            sound = parts["DX"][:, 2]
            for _ in range(6):
                sound = np.convolve(sound, [0.5, 0, -0.5], "same")
            out[:, 0] += 10 ** (-30 / 20) * sound
            return out
        report = self.judge({"LATE": (lambda p: late(p, 2000, -10.0, 2), "5.1"), "FAINT": (lambda p: late(p, 2000, -46.0), "5.1"),
                             "MUFFLED": (muffled, "5.1"), "ALLOWED": (lambda p: late(p, 2000, -65.0), "5.1"),
                             "CLEAN": (lambda p: p["MX"] + p["FX"], "5.1")}, spec="netflix-me", show=self.make_show())
        for name, wanted in (("LATE", ["fail"]), ("FAINT", ["not_checked"]), ("MUFFLED", ["not_checked"]), ("ALLOWED", []), ("CLEAN", [])):
            with self.subTest(programme=name):
                told = findings(report, name, "me.dialogue")
                self.assertEqual([f["severity"] for f in told], wanted, [f["message"] for f in told])
                self.assertEqual([f for f in faults(report, name, "stems.null") if f["details"]["fault"] == "shifted"], [])
        late_dialogue, = findings(report, "LATE", "me.dialogue")
        self.assertEqual((late_dialogue["details"]["delay_samples"], late_dialogue["channels"]), (2000, ["C"]))
        self.assertAlmostEqual(late_dialogue["measured"], -10.0, delta=1.0)
        self.assertAlmostEqual(findings(report, "FAINT", "me.dialogue")[0]["measured"], -46.0, delta=6.0)


class Mains(FarmTest):
    def bed(self, seed, low_hz, high_hz, level_db):
        lines = np.fft.rfft(noise(seed, SECONDS * RATE, 1, 1.0)[:, 0])
        hertz = np.arange(len(lines)) / SECONDS
        sound = np.fft.irfft(lines * ((hertz >= low_hz) & (hertz < high_hz)), SECONDS * RATE)
        return sound * 10 ** (level_db / 20) / np.sqrt(np.mean(sound ** 2))

    def test_hum_of_two_recordings_is_no_leak_and_a_leak_of_its_octave_is(self):
        source, host = self.bed(1, 150, 20000, -24), self.bed(2, 150, 20000, -69)
        hum = np.sin(2 * np.pi * 60 * np.arange(SECONDS * RATE) / RATE)
        told, _ = judged({"MX": ("music", source + hum * 10 ** (-45 / 20)), "FX": ("effects", host + hum * 10 ** (-87 / 20))}, SECONDS)
        self.assertNotEqual(told, [])
        for item in told:
            self.assertEqual(item["severity"], "info", item["message"])
            self.assertIn("the octave of the mains hum of 60 Hz", item["message"])
        low = self.bed(3, 50, 90, -30)
        told, _ = judged({"MX": ("music", source + low), "FX": ("effects", host + low * 10 ** (-42 / 20))}, SECONDS)
        self.assertEqual({item["severity"] for item in told}, {"warn"})
        for item in told:
            self.assertAlmostEqual(item["measured"], -42.0, delta=0.5)


if __name__ == "__main__":
    main()
