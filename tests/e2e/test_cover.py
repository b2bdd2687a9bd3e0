"""The cover of a report: who looks at nothing else must know what to mend first."""
import re
import subprocess
import unittest
import zlib

import numpy as np

from browser import Browser, chromium
from farm_kit import BIN, PATIENCE_S, RATE, FarmTest, environment, main, noise, reelmill, write_wav
from test_report import Page

VERDICTS = {"fail": "fail", "not_checked": "incomplete", "warn": "warn", "info": "pass"}  # what a finding makes of one
RANKS = ["fail", "incomplete", "warn", "pass"]


def texts_of_pdf(path):
    """What its sheets say, as far as it is Latin, run together."""
    data = path.read_bytes()
    said = []
    for place in re.finditer(rb"stream\r?\n", data):
        try:
            text = zlib.decompressobj().decompress(data[place.end():])
        except zlib.error:
            continue
        said += [b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", line)).decode("latin-1") for line in text.split(b" Td") if b"BT" in text]
    return "\n".join(said)


def contrast(one, other):
    """WCAG 2: of two colours, from 1 to 21."""
    def luminance(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


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
        cover = page.text[:page.text.index("stereo, judged by House")].split("Verdicts")
        self.assertEqual(cover[0].count(", spec "), 1)  # all have the same, and no dialogue is known of any
        self.assertNotIn("Dialogue", cover[1])
        mend = cover[0].split("Mend first")[1]
        fails = {entry["deliverable"]: [item for item in entry["findings"] if item["severity"] == "fail"] for entry in document["programmes"]}
        first, second = fails.values()
        for name in ("loud.wav", "louder (2).wav"):
            self.assertIn(name, cover[1])
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
 limits: [{check: peak.true, max: -6, unit: dBTP, severity: fail, evidence: primary, clause: "1"},
          {check: stems.null, max: -60, unit: dBFS, severity: fail, evidence: primary, clause: "2"}]}
""")
        out = self.folder / "report"
        findings = reelmill("qc", self.folder / "peaks.wav", "--spec", spec, "--json", "--out", out).json()["programmes"][0]["findings"]
        html = (out / "report.html").read_text()
        table = html[html.index("<h3>Findings</h3>"):html.index("<h3>Checked against the spec</h3>")]
        kinds = {}
        for item in findings:
            kinds.setdefault((item["severity"], item["check"]), []).append(item)
        self.assertGreater(len(kinds["fail", "peak.true"]), 3, kinds)
        # What leaves a verdict open stands before what only warns.
        ranks = [RANKS.index(VERDICTS[item["severity"]]) for item in findings]
        self.assertEqual(ranks, sorted(ranks))
        self.assertLessEqual({0, 1, 2}, set(ranks))
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

    def test_sheets_are_counted_and_inks_can_be_read(self):
        """Each sheet of the PDF says which of how many it is; on paper and on a dark screen texts stand out as WCAG 2 AA asks."""
        write_wav(self.folder / "peak.wav", noise(1, RATE * 8, 2, 0.2))
        out = self.folder / "report"
        with (self.folder / "both").open("w") as both:  # the table and what stands on stderr, in one file: in order
            subprocess.run([BIN / "reelmill", "qc", self.folder / "peak.wav", self.folder / "peak.wav", "--spec", "netflix-stereo",
                            "--out", out], stdout=both, stderr=both, env=environment(), timeout=PATIENCE_S, check=False)
        self.assertRegex((self.folder / "both").read_text().splitlines()[-1], "^2 programmes: ")
        said = texts_of_pdf(out / "report.pdf")
        sheets = (out / "report.pdf").read_bytes().count(b"/Type /Page ")
        self.assertGreater(sheets, 2)
        self.assertEqual(re.findall(r"page (\d+) of (\d+)", said), [(str(i + 1), str(sheets)) for i in range(sheets)])
        html = (out / "report.html").read_text()
        styles = re.findall(r":root\{(.*?)\}", html)
        self.assertEqual(len(styles), 2)
        for style in styles:
            inks = dict(re.findall(r"--([a-z-]+):#([0-9a-f]{6})", style))
            self.assertLessEqual(set(re.findall(r"var\(--([a-z-]+)\)", html)), set(inks))
            for paper in ("paper", "shade"):
                for ink in ("ink", "soft", "fail", "pass"):  # texts of the page, of tables and of charts
                    self.assertGreaterEqual(contrast(inks[ink], inks[paper]), 4.5, (ink, paper, style))
            for badge in ("pass", "warn", "fail", "incomplete", "soft"):
                self.assertGreaterEqual(contrast(inks["paper"], inks[badge]), 4.5, (badge, style))
            self.assertGreaterEqual(contrast(inks["curve"], inks["paper"]), 3, style)  # what is drawn: AA asks for less

    @unittest.skipIf(chromium() is None, "no Chromium here")
    def test_a_browser_shows_it_on_a_desk_a_phone_and_in_the_dark(self):
        """Nothing reaches beyond the page, loads or is refused, the reason stands on the first screen, and dark is dark."""
        names = ["a" * 60 + ".wav", "<img src=x onerror=alert(1)>.wav"]
        for name in names:
            write_wav(self.folder / name, noise(1, RATE * 8, 6, 0.2))
        out = self.folder / "report"
        reelmill("qc", *(self.folder / name for name in names), "--spec", "netflix-5.1", "--out", out)
        browser = Browser(self.folder)
        self.addCleanup(browser.close)
        for width, height in ((1400, 900), (390, 844)):
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    browser.resize(width, height, width < 600)
                    browser.dark(dark)
                    browser.open(f"file://{out}/report.html")
                    self.assertEqual(browser.value("document.documentElement.scrollWidth"), width)
                    beyond = browser.value("[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && "
                                           "e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))")
                    self.assertEqual(beyond, [])
                    self.assertEqual((browser.value("window.refused"), browser.value("document.images.length"), browser.complaints), ([], 0, []))
                    self.assertLess(browser.value("document.querySelector('header td:last-child').getBoundingClientRect().bottom"), height)
                    ink, paper = (browser.value(f"getComputedStyle(document.querySelector('header')).{of}") for of in ("color", "backgroundColor"))
                    lighter = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
                    self.assertEqual(lighter[0] > lighter[1], dark)


if __name__ == "__main__":
    main()
