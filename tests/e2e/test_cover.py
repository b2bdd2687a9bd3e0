"""The cover of a report: who looks at nothing else must know what to mend first."""
import re

import numpy as np

from farm_kit import RATE, FarmTest, main, noise, reelmill, write_wav
from test_report import Page


class Cover(FarmTest):
    def test_the_cover_tells_the_worst_of_each_check(self):
        """Of each check its worst, with the figures of the others; files by their names, and limits of which one is enough once."""
        for name, level in (("loud", 0.2), ("louder (2)", 0.3)):
            samples = noise(1, RATE * 6, 2, level)
            for second, peak in ((1, 0.95), (4, 0.99)):
                samples[second * RATE:second * RATE + 40] = peak
            write_wav(self.folder / f"{name}.wav", np.clip(samples, -0.99, 0.99))
        spec = self.folder / "house.yaml"
        spec.write_text("""
reelmill_spec: 1
title: House
version: "1"
source: the house
limits:
  - {check: loudness.integrated, min: -24.5, max: -22.5, unit: LUFS, severity: fail, evidence: primary, clause: "narrow"}
  - any_of:
    - {check: loudness.integrated, min: -25, max: -22, unit: LUFS, severity: fail, evidence: primary, clause: "1"}
    - {check: loudness.max_momentary, max: -22, unit: LUFS, severity: fail, evidence: primary, clause: "2"}
  - {check: peak.true, max: -3, unit: dBTP, severity: fail, evidence: primary, clause: "3"}
""")
        out = self.folder / "report"
        document = reelmill("qc", self.folder / "loud.wav", self.folder / "louder (2).wav", "--spec", spec, "--json", "--out", out).json()
        page = Page((out / "report.html").read_text())
        cover = page.text.split("Mend first")
        mend = cover[1][:cover[1].index("stereo, judged by House")]
        fails = {entry["deliverable"]: [item for item in entry["findings"] if item["severity"] == "fail"] for entry in document["programmes"]}
        first, second = fails.values()
        for name in ("loud.wav", "louder (2).wav"):
            self.assertIn(name, cover[0])
            self.assertIn(name, mend)
        for check, unit in (("loudness.integrated", "LUFS"), ("peak.true", "dBTP")):
            of = [[item for item in items if item["check"] == check] for items in (first, second)]
            worst = [max(items, key=lambda item: item["measured"]) for items in of]
            self.assertTrue(any(f"{item['message']}also {name} ({other['measured']:.1f} {unit})" in mend
                                for item, other, name in ((*worst, "louder (2).wav"), (*worst[::-1], "loud.wav"))), (check, mend))
        self.assertGreater(len([item for item in first if item["check"] == "peak.true"]), 1)
        self.assertNotIn("Maximum momentary loudness is", mend)  # the other limit of the group
        # A limit and the wider one of the group are one finding, and the table of limits has both as broken.
        self.assertEqual([[item["clause"] for item in items if item["check"] == "loudness.integrated"] for items in (first, second)], [["narrow; 1"]] * 2)
        self.assertEqual(len(re.findall(r"-2[45](?:\.5)? to -22(?:\.5)? LUFS\s*-?[\d.]+\s*fail", page.text)), 4)
        # Why, for one of them: places as a clock tells them, in words and not as report.json has them.
        clipped = next(item for entry in document["programmes"] for item in entry["findings"] if item["check"] == "peak.clipping")
        why = reelmill("explain", out / "report.json", clipped["id"]).out
        place = clipped["details"]["places"][0]
        self.assertIn(f"channel {place['channel']}, from {place['start_sample'] / RATE:.3f} s (sample {place['start_sample']}) to ", why)
        self.assertNotRegex(why, '["{}\\[\\]_]')

    def test_many_findings_of_a_kind_stand_behind_their_worst(self):
        """Five peaks too high are one line and four to be opened; one gap stands by itself. Nothing is left out."""
        samples = noise(1, RATE * 32, 2, 0.02)
        for i in range(5):
            place = RATE * (2 + 6 * i)
            samples[place:place + 400] *= 0.8 / 0.02 * (1.2 if i == 3 else 1)
        samples[RATE * 18:RATE * 19] = 0
        write_wav(self.folder / "peaks.wav", np.clip(samples, -0.99, 0.99))
        spec = self.folder / "house.yaml"
        spec.write_text("""
{reelmill_spec: 1, title: House, version: "1", source: the house,
 limits: [{check: peak.true, max: -6, unit: dBTP, severity: fail, evidence: primary, clause: "1"}]}
""")
        out = self.folder / "report"
        findings = reelmill("qc", self.folder / "peaks.wav", "--spec", spec, "--json", "--out", out).json()["programmes"][0]["findings"]
        html = (out / "report.html").read_text()
        table = html[html.index("<h3>Findings</h3>"):html.index("<h3>Checked against the spec</h3>")]
        kinds = {}
        for item in findings:
            kinds.setdefault((item["severity"], item["check"]), []).append(item)
        self.assertGreater(len(kinds["fail", "peak.true"]), 3, kinds)
        self.assertTrue(any(len(items) <= 3 for items in kinds.values()))
        folds = [f"{len(items) - 1} more of {check}" for (_, check), items in kinds.items() if len(items) > 3]
        self.assertEqual(sorted(re.findall(r"[0-9]+ more of [a-z_.]+", table)), sorted(folds))
        for item in findings:
            self.assertEqual(table.count(f">{item['id']}<"), 1, item)
        worst = max(kinds["fail", "peak.true"], key=lambda item: item["measured"])
        opened = "".join(re.findall("<details>.*?</details>", table))
        behind = {item["id"] for item in findings if f">{item['id']}<" in opened}
        self.assertEqual(behind & {item["id"] for item in kinds["fail", "peak.true"]},
                         {item["id"] for item in kinds["fail", "peak.true"]} - {worst["id"]})
        self.assertEqual({item["id"] for items in kinds.values() if len(items) <= 3 for item in items} & behind, set())

    def test_the_cover_names_what_could_not_be_judged(self):
        """Beside what was: before and after it is signed, in the words of the terminal."""
        write_wav(self.folder / "good.wav", noise(1, RATE, 2, 0.1))
        (self.folder / "<cut>.wav").write_bytes((self.folder / "good.wav").read_bytes()[:RATE])
        out = self.folder / "report"
        for signed in (False, True):
            with self.subTest(signed=signed):
                outcome = reelmill("sign", out / "report.json", "--by", "me") if signed else reelmill("qc", self.folder, "--json", "--out", out)
                self.assertEqual(outcome.code, 0 if signed else 2, outcome.err)
                cover = Page((out / "report.html").read_text()).text.split("stereo; it has no spec")[0]
                self.assertIn("incompleteThe programme passes. 1 programme more could not be judged.", cover)
                self.assertIn("<cut>.wav is truncated", cover)


if __name__ == "__main__":
    main()
