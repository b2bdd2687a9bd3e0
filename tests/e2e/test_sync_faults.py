"""Offsets, drift and steps planted in real audio are found, and clean material says nothing (sync_faults.py)."""
import sync_faults
from farm_kit import FarmTest, main, need_shared, reelmill

# Bounds of the issue: offsets and steps to the sample, drift within 0.5 ppm over ten minutes; this is one minute.
DRIFT_PPM = 0.5
NAMES = ("clean_mix", "clean_without_dialogue", "clean_dull", "clean_noisy", "other_sound", "silence", "offset_1", "offset_m2000",
         "offset_without", "offset_m384000", "drift_10_", "drift_m333", "drift_1000_", "drift_m40000", "step_2000", "step_48")


class Faults(FarmTest):
    def test_every_fault_is_found_and_nothing_else(self):
        material = sync_faults.Material(60)
        planted = [case for case in sync_faults.cases(material) if case[0].startswith(NAMES) and not case[0].startswith("offset_1_")]
        outcome = reelmill("qc", "--show", sync_faults.make_show(self.folder, material, planted), "--json")
        found = sync_faults.judge(outcome.json(), planted)
        for name, _, expected in planted:
            with self.subTest(name=name):
                word, error = sync_faults.verdict(expected, found[name], material.frames)
                told = [item["message"] for item in found[name]]
                self.assertEqual(word, "not known" if expected is None else "found" if expected else "silent", told)
                if error is not None:
                    self.assertLessEqual(error, DRIFT_PPM if "sync.drift" in expected else 0, told)


if __name__ == "__main__":
    need_shared()
    main()
