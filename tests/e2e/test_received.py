"""Programmes that were made elsewhere: where they begin in their files, with and without what should say so."""
import numpy as np

from farm_kit import RATE, FarmTest, Show, main, noise, reelmill, small_show, write_wav
from received_kit import faults, findings


class Leaders(FarmTest):
    def test_a_file_with_its_leader_is_compared_behind_it(self):
        leader = Show.LEADER_S * RATE
        action = 3600 * RATE  # 01:00:00:00
        show = small_show(self.folder, low_lfe=False, pops={"head": "1s", "tail": "2s"})
        mix = sum(show.joined(name) for name in ("DX", "MX", "FX"))
        head, tail = np.zeros((leader, 6)), np.zeros((3 * RATE, 6))
        pop = leader - RATE
        head[pop:pop + 2000, 2] = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(2000) / RATE)
        late = np.roll(head, 5, axis=0)
        files = {"UNTIMED": (np.concatenate([head, mix, tail]), None),
                 "TIMED": (np.concatenate([head, mix]), action - leader),
                 "WITHOUT_DX": (np.concatenate([head, mix - show.joined("DX"), tail]), action - leader),
                 "LATE_POP": (np.concatenate([late, mix]), None)}
        for name, (sound, stamp) in files.items():
            write_wav(self.folder / "stems" / "received" / f"{name}.wav", sound, time_reference=stamp)
        show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "none"} for name in files]
        show.write()
        outcome = reelmill("qc", "--show", show.path, "--json")
        self.assertIn(outcome.code, (0, 1), outcome.err)
        report = outcome.json()
        for name, wanted in (("UNTIMED", []), ("TIMED", []), ("WITHOUT_DX", []), ("LATE_POP", ["sync.pop"])):
            with self.subTest(programme=name):
                told = faults(report, name, "stems.null", "format.start_timecode", "sync.length", "sync.pop")
                self.assertEqual([f["check"] for f in told], wanted, [f["message"] for f in told])
                length = findings(report, name, "format.length")[0]
                self.assertEqual(length["severity"], "warn" if files[name][1] is None else "info")
                self.assertIn("The file has a leader of 2.00 s before the first frame of action", length["message"])
                null = findings(report, name, "stems.null")[0]["message"]
                self.assertIn("It is the sum of MX, FX" if name == "WITHOUT_DX" else "It is the sum of DX, MX, FX", null)

    def test_a_leader_is_known_by_its_pops_or_by_the_sound_behind_it(self):
        """No timecode that could say so, and not as long as the show's: each is aligned, told how, and null against its stems."""
        show = small_show(self.folder, low_lfe=False, pops={"head": "2s", "tail": "2s"})
        mix = sum(show.joined(name) for name in ("DX", "MX", "FX"))

        def silence(seconds, *pops):
            sound = np.zeros((round(seconds * RATE), 6))
            for at in pops:
                at = round(at * RATE)
                sound[at:at + 2000] = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(2000) / RATE))[:, None]
            return sound
        behind = 2 - 1 / 24  # of a tail pop
        files = {"LONGER": (silence(13.2, 11.2), mix, silence(4, behind)), "SHORTER": (silence(3.2, 1.2), mix, silence(1.5)),
                 "TAIL_POP": (silence(3.2), mix, silence(4, behind)), "NO_POPS": (silence(3.2), mix, silence(4)),
                 "FAR_POP": (silence(10, 5), mix, silence(4)), "WRONG_TIME": (silence(5, 3), mix, silence(4, behind)),
                 "TAIL_ALONE": (silence(0), mix, silence(45)), "NOT_IT": (silence(4), noise(5, len(mix), 6, 0.05), silence(20))}
        for name, sound in files.items():
            write_wav(self.folder / "stems" / "received" / f"{name}.wav", np.concatenate(sound),
                      time_reference=3592 * RATE if name == "WRONG_TIME" else None)
        show.text["deliverables"] = [{"name": name, "file": f"received/{name}.wav", "layout": "5.1", "spec": "none"} for name in files]
        show.write()
        report = self.folder / "report"
        outcome = reelmill("qc", "--show", show.path, "--json", "--out", report)
        self.assertEqual(outcome.code, 1, outcome.err)
        by_pop, by_sound = "aligned by its 2-pop", "aligned by its sound"
        for name, seconds, how, told in (
                ("LONGER", 13.2, by_pop, []), ("SHORTER", 3.2, by_pop, []), ("TAIL_POP", 3.2, by_pop, ["sync.pop"]),
                ("NO_POPS", 3.2, by_sound, ["sync.pop"]), ("FAR_POP", 10.0, by_sound, ["sync.pop"]),
                ("WRONG_TIME", 5.0, by_pop, ["format.start_timecode"])):
            with self.subTest(programme=name):
                length = findings(outcome.json(), name, "format.length")[0]
                self.assertEqual(length["severity"], "warn")
                self.assertIn(f"a leader of {seconds:.2f} s before the first frame of action ({how}", length["message"])
                null = findings(outcome.json(), name, "stems.null")
                self.assertEqual([f["message"] for f in null], ["It is the sum of DX, MX, FX: nothing remains."])
                others = faults(outcome.json(), name, "format.start_timecode", "sync.length", "sync.pop", "stems.null")
                self.assertEqual([f["check"] for f in others], told, [f["message"] for f in others])
        self.assertIn("is 144000 samples (72.00 frames) early", faults(outcome.json(), "FAR_POP", "sync.pop")[0]["message"])
        self.assertIn("which it begins with", faults(outcome.json(), "TAIL_ALONE", "format.length")[0]["message"])
        self.assertIn("It is the sum of", findings(outcome.json(), "TAIL_ALONE", "stems.null")[0]["message"])
        self.assertIn("nothing says where they begin", faults(outcome.json(), "NOT_IT", "format.length")[0]["message"])
        self.assertEqual([f["severity"] for f in findings(outcome.json(), "NOT_IT", "stems.null")], ["not_checked"])
        again = reelmill("judge", report / "report.json", "--spec", "none", "--json").json()  # from what was heard, as it is kept
        for entry in again["programmes"]:
            told = findings(outcome.json(), entry["deliverable"], "format.length", "stems.null", "sync.pop")
            self.assertEqual({f["message"] for f in told} - {f["message"] for f in entry["findings"]}, set())


if __name__ == "__main__":
    main()
