"""The report: valid by its schema, honest where a figure does not exist, and safe with any text."""
import base64
import json
import os
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import numpy as np

from farm_kit import RATE, FarmTest, Show, decode, main, noise, reelmill, small_show, write_wav

SOURCE = Path(os.environ["REELMILL_SOURCE"])
SCHEMA = json.loads((SOURCE / "docs" / "report.schema.json").read_text())
HOSTILE = ['</script><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "javascript:alert(1)//", "<!--", "]]>",
           "\u202egnp.exe", "\u2028line", "a&amp;b", "' onload='x"]
TURNS = "\u202e"  # turns the reading order round: a page shows a question mark in its place


class Page(HTMLParser):
    """Collects tags and attributes, as a browser would see them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_data(self, data):
        self.text += data


class Report(FarmTest):
    def valid(self, outcome):
        document = outcome.json()
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        return document

    def safe(self, path):
        page = Page(path.read_text())
        self.assertEqual({"script", "img", "iframe", "object", "link", "form"} & set(page.tags), set())
        self.assertEqual([item for item in page.attributes if item[1].startswith("on")], [])
        urls = [value for _, name, value in page.attributes if name in ("src", "href", "action", "xlink:href")]
        own = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*|audition/[0-9a-f-]+\.wav|#cover|#(deliverable|stem)-[0-9]+")
        self.assertEqual([url for url in urls if not own.fullmatch(url)], [])
        ids = [value for _, name, value in page.attributes if name == "id"]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual({url[1:] for url in urls if url.startswith("#")} - set(ids), set())  # a link leads somewhere
        self.assertEqual(re.findall(r"https?://", path.read_text()), [])
        self.assertNotIn(TURNS, path.read_text())
        return page

    def summarised(self, told, document):
        """The terminal tells what fails, once each, and of warnings how many there are and where they stand."""
        whole = [entry for entry in document["programmes"] if entry["reel"] is None]
        fails = {f"fail: {item['message']}" for entry in whole for item in entry["findings"] if item["severity"] == "fail"}
        lines = [line.strip() for line in told.splitlines()]
        self.assertEqual(sorted(line for line in lines if line.startswith("fail: ")), sorted(fails))
        self.assertEqual([line for line in lines if line.startswith("warn: ")], [])
        warnings = [sum(item["severity"] == "warn" for item in entry["findings"]) for entry in whole]
        self.assertEqual([int(found) for found in re.findall(r"(\d+) warnings?, in the report", told)], [n for n in warnings if n])

    def test_a_run_with_every_kind_of_verdict(self):
        show = small_show(self.folder)
        for item, spec in zip(show.text["deliverables"], ("ebu-r128", "streaming", "none", "dpp", "quiet")):
            item["spec"] = spec
        show.text["deliverables"][0]["gain"] = 30  # clamped: a failure with a place
        (show.folder / "specs").mkdir()
        (show.folder / "specs" / "quiet.yaml").write_text("""
{reelmill_spec: 1, title: Quiet, version: "1", source: the house, on_fail: hold,
 limits: [{check: loudness.max_momentary, max: -40.0, unit: LUFS, severity: fail, evidence: primary, clause: "1"}]}
""")
        show.write()
        outcome = reelmill("run", show.path, "--audition", "--json")
        document = self.valid(outcome)
        self.summarised(outcome.err, document)
        stored = json.loads((show.output() / "report" / "report.json").read_text())
        self.assertEqual(stored, document)
        self.assertEqual(document["verdict"], "fail")
        self.assertEqual({entry["spec"]["name"] for entry in document["programmes"]},
                         {"ebu-r128", "streaming", "none", "dpp", "quiet"})
        # What its verdict held back was looked at and can be listened to all the same, and nothing of it is left.
        held = next(entry for entry in document["programmes"] if entry["spec"]["name"] == "quiet" and entry["reel"] is None)
        self.assertGreater(held["read_again"]["places"], 0)
        self.assertIsNone(held["read_again"]["failure"])
        heard = [item["audition"]["path"] for item in held["findings"] if item["audition"] is not None]
        self.assertTrue(heard and all((show.output() / "report" / path).exists() for path in heard))
        # Asked for later, a finding's two seconds are cut from the published file, and are the same bytes.
        items = [(entry["spec"]["name"], item) for entry in document["programmes"] for item in entry["findings"]]
        later, item = next((spec, item) for spec, item in items
                           if spec != "quiet" and item["id"] in (item["audition"] or {}).get("path", ""))
        for what in (show.path, show.output() / "report" / "report.json"):
            cut = reelmill("audition", what, item["id"], "--out", self.folder / later)
            self.assertEqual((cut.code, cut.out.strip()), (0, f"{self.folder / later}/audition/{item['id']}.wav"), cut.err)
            self.assertEqual(Path(cut.out.strip()).read_bytes(), (show.output() / "report" / item["audition"]["path"]).read_bytes())
        # A file of the same size that holds something else is refused, and nothing is cut from it.
        published = next(entry for entry in document["programmes"] if entry["spec"]["name"] == later)["files"][0]
        with (show.folder / "out" / published).open("r+b") as file:
            file.seek(-5, 2)
            last = file.read(1)
            file.seek(-5, 2)
            file.write(bytes([last[0] ^ 1]))
        refused = reelmill("audition", show.path, item["id"], "--out", self.folder / "replaced")
        self.assertEqual((refused.code, refused.out), (2, ""))
        self.assertIn("is not the file that was judged", refused.err)
        self.assertEqual(list((self.folder / "replaced").rglob("*.wav")), [])
        whole = next(item for _, item in items if item["start_sample"] is None)
        gone = next(item for spec, item in items if spec == "quiet" and item["start_sample"] is not None)
        for lost, said in ((whole, "has no place to listen to"), (gone, "is gone"), ({"id": "nothing"}, "no finding 'nothing'")):
            refused = reelmill("audition", show.path, lost["id"], "--out", self.folder)
            self.assertEqual((refused.code, refused.out), (2, ""))
            self.assertIn(said, refused.err)
        self.assertEqual([path.name for path in show.output().rglob("*") if "DX_51" in path.name], [])
        page = self.safe(show.output() / "report" / "report.html")
        self.assertIn("by recipe printmaster-5.1, gain +30.00 dB, judged by", page.text)
        for entry in document["programmes"]:
            self.assertEqual(entry["verdict"] is None, entry["reel"] is not None)  # limits apply to the whole
            for finding in entry["findings"]:
                self.assertIn(finding["message"], page.text)
        # The first page says what to mend first.
        whole = [entry for entry in document["programmes"] if entry["reel"] is None]
        fails = sum(entry["verdict"] == "fail" for entry in whole)
        links = {value for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
        self.assertEqual({link for link in links if link.startswith("#d")}, {f"#deliverable-{i}" for i in range(len(whole))})
        cover = page.text[:page.text.index("Mend first") + 2000]
        self.assertRegex(cover, f"Of {len(whole)} deliverables, {fails} fails?[,.]")
        self.assertIn(next(item["message"] for entry in whole for item in entry["findings"] if item["severity"] == "fail"), cover)

    def test_hostile_texts_are_only_text(self):
        for number, text in enumerate(HOSTILE):
            with self.subTest(text=text):
                show = Show(self.folder / str(number), [24], lambda stem, reel, frames: noise(reel, frames, 6, 0.02), title=text,
                            deliverables=[{"name": "PM_20", "recipe": "stereo-loro", "spec": "none"}])
                document = self.valid(reelmill("run", show.path, "--json"))
                self.assertEqual(document["title"], text)
                self.assertIn(text.replace(TURNS, "?"), self.safe(show.output() / "report" / "report.html").text)

    def test_every_free_text_is_only_text(self):
        """Markup in each field that a person or a file can fill: title, stem and received files, spec, waiver, sign-off."""
        def evil(field):
            return f"'\"><script>{field}</script>{TURNS}"
        show = small_show(self.folder)
        show.text["title"] = evil("title")
        show.text["deliverables"] = [{"name": "A", "recipe": "stereo-loro", "spec": "quiet"},
                                     {"name": "B", "file": "received/'><img src=x>.wav", "layout": "stereo", "spec": "quiet"}]
        (show.folder / "stems" / "received").mkdir(parents=True)
        write_wav(show.folder / "stems" / "received" / "'><img src=x>.wav", noise(1, RATE, 2, 0.1))
        (show.folder / "specs").mkdir()
        limit = {"check": "loudness.max_momentary", "max": -60.0, "unit": "LUFS", "severity": "fail", "evidence": "primary", "clause": evil("clause")}
        (show.folder / "specs" / "quiet.yaml").write_text(json.dumps(
            {"reelmill_spec": 1, "title": evil("spec"), "version": evil("version"), "source": evil("source"), "limits": [limit]}))
        show.path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in show.text.items()))
        document = self.valid(reelmill("run", show.path, "--json"))
        item = next(item for entry in document["programmes"] for item in entry["findings"] if item["severity"] == "fail")
        waived = reelmill("waive", show.path, item["id"], "--who", evil("who"), "--why", evil("why"))
        self.assertEqual(waived.code, 0, waived.err)
        self.valid(reelmill("run", show.path, "--replace", "--json"))
        self.assertEqual(reelmill("sign", show.path, "--by", evil("by"), "--remark", evil("remark")).code, 0)
        page = self.safe(show.output() / "report" / "report.html")
        for field in ("title", "spec", "version", "source", "clause", "who", "why", "by", "remark"):
            self.assertIn(f"<script>{field}</script>?", page.text, field)
        self.assertIn("'><img src=x>.wav", page.text)

    def test_hostile_file_names(self):
        for number, text in enumerate(HOSTILE):
            name = text.replace("/", "_") + ".wav"
            with self.subTest(name=name):
                path = self.folder / name
                write_wav(path, noise(number, RATE, 2, 0.1))
                out = self.folder / f"report{number}"
                outcome = reelmill("qc", path, "--json", "--out", out)
                self.assertEqual(outcome.code, 0, outcome.err)
                self.assertEqual(self.valid(outcome)["files"][0]["path"], str(path))
                self.assertIn(name.replace(TURNS, "?"), self.safe(out / "report.html").text)

    def test_figures_that_do_not_exist_are_null(self):
        silence, short = self.folder / "silence.wav", self.folder / "short.wav"
        write_wav(silence, np.zeros((RATE * 4, 2)))
        write_wav(short, noise(1, RATE * 3 // 10, 2, 0.1))
        outcome = reelmill("qc", silence, short, "--spec", "ebu-r128", "--json")
        self.assertEqual(outcome.code, 1)
        for entry in self.valid(outcome)["programmes"]:
            with self.subTest(programme=entry["deliverable"]):
                self.assertEqual(entry["loudness"], {"integrated_lufs": None, "ungated_lufs": None, "range_lu": None, "leqm_db": None,
                                                     "max_momentary_lufs": None, "max_short_term_lufs": None, "dialogue": None})
                self.assertEqual(entry["verdict"], "incomplete")
                findings = {item["check"]: item for item in entry["findings"]}
                self.assertEqual(findings["loudness.integrated"]["severity"], "not_checked")
                self.assertIsNone(findings["loudness.integrated"]["measured"])

    def test_format_of_received_files(self):
        good, late, thin = (self.folder / name for name in ("good.wav", "late.wav", "thin.wav"))
        samples = noise(1, RATE * 4, 2, 0.1)
        write_wav(good, samples, time_reference=3600 * RATE)
        write_wav(late, samples, time_reference=3600 * RATE + 2000)
        write_wav(thin, noise(1, 44100, 2, 0.1), bits=16, rate=44100)
        spec = self.folder / "house.yaml"
        spec.write_text("""
reelmill_spec: 1
title: House
version: "1"
source: the house
limits:
  - {check: format.container, allowed: [WAV], severity: fail, evidence: primary, clause: "1"}
  - {check: format.encoding, allowed: [PCM_24], severity: fail, evidence: primary, clause: "2"}
  - {check: format.sample_rate, min: 48000, max: 48000, unit: Hz, severity: fail, evidence: primary, clause: "3"}
  - {check: format.bit_depth, min: 24, max: 24, unit: bit, severity: fail, evidence: primary, clause: "4"}
  - {check: format.channels, allowed: ["5.1"], severity: warn, evidence: primary, clause: "5"}
  - {check: format.start_timecode, allowed: ["01:00:00:00"], severity: fail, evidence: primary, clause: "6"}
""")
        document = self.valid(reelmill("qc", good, late, thin, "--spec", spec, "--json"))
        found = {entry["deliverable"]: {item["check"]: item["severity"] for item in entry["findings"]}
                 for entry in document["programmes"]}
        unknown = {"format.channels": "warn", "format.start_timecode": "not_checked"}
        self.assertEqual(found["good"], unknown)
        self.assertEqual(found["late"], unknown)
        self.assertEqual(found["thin"], {**unknown, "format.encoding": "fail", "format.sample_rate": "fail",
                                         "format.bit_depth": "fail"})

        document = self.valid(reelmill("qc", good, late, thin, "--spec", spec, "--frame-rate", "24", "--json"))
        found = {entry["deliverable"]: {item["check"]: item["measured"] for item in entry["findings"]
                                        if item["check"] == "format.start_timecode"} for entry in document["programmes"]}
        self.assertEqual(found, {"good": {}, "late": {"format.start_timecode": "01:00:00:01"},
                                 "thin": {"format.start_timecode": None}})

    def test_places_of_findings_are_shown_and_can_be_listened_to(self):
        """Two clicks in a 5.1: the seconds around them, as they lie in the file, whatever the file is called."""
        samples = noise(3, RATE * 20, 6, 0.01)
        samples[RATE * 8 + 123, 2] = 0.9
        samples[5000, 0] = -0.9
        name = self.folder / "<img src=x>'\u202e\U0001f3ac.wav"
        write_wav(name, samples)
        asked = reelmill("qc", name, "--audition", "--json")
        self.assertEqual(asked.code, 2, "without --out there is no place beside the report")
        self.assertIn("--out", asked.err)
        table = reelmill("qc", name, "--checks", "format.*").out  # on a terminal the mark in its name turns nothing round
        self.assertIn("<img src=x>'?\U0001f3ac.wav ", table)
        self.assertNotIn("\u202e", table)
        outs = [self.folder / "one", self.folder / "two"]
        for out, cells in zip(outs, ("1", "2")):
            document = self.valid(reelmill("qc", name, "--out", out, "--audition", "--cells-per-task", cells, "--json"))
        entry = document["programmes"][0]
        clicks = {item["channels"][0]: item["audition"] for item in entry["findings"] if item["check"] == "signal.click"}
        self.assertEqual(set(clicks), {"L", "C"})
        shown = {item["audition"]["path"] for item in entry["findings"] if item["audition"] is not None}
        self.assertEqual(entry["read_again"], {"places": len(shown), "samples": 2 * RATE * len(shown), "failure": None})
        for channel, row, first in (("C", 2, RATE * 7 + 123), ("L", 0, 0)):
            audition = clicks[channel]
            self.assertLessEqual(abs(audition["start_sample"] - first), RATE // 20)
            first = audition["start_sample"]
            self.assertEqual(audition["end_sample"] - first, 2 * RATE)
            self.assertEqual(audition["channels"], [channel])
            blob = (outs[0] / audition["path"]).read_bytes()
            self.assertEqual(len(blob), audition["bytes"])
            heard = np.frombuffer(blob[44:], "<i2").reshape(-1, 2).astype(float) / 32768
            weights = (np.sqrt(0.5), np.sqrt(0.5)) if channel == "C" else (1.0, 0.0)
            for side, weight in enumerate(weights):
                error = heard[:, side] - weight * samples[first:first + 2 * RATE, row]
                self.assertLessEqual(np.max(np.abs(error)), 0.5 / 32768 + 2**-23)
            self.assertEqual(blob, (outs[1] / audition["path"]).read_bytes())
        item = next(item for item in entry["findings"] if item["id"] in (item["audition"] or {}).get("path", ""))
        cut = reelmill("audition", outs[0] / "report.json", item["id"], "--out", self.folder / "later")
        self.assertEqual(cut.code, 0, cut.err)
        self.assertEqual(Path(cut.out.strip()).read_bytes(), (outs[0] / item["audition"]["path"]).read_bytes())
        blocked = self.folder / "blocked"
        blocked.mkdir()
        (blocked / "audition").write_text("in the way")
        told = self.valid(reelmill("qc", name, "--out", blocked, "--audition", "--json"))
        self.assertEqual(told["verdict"], document["verdict"], "a job does not fail for what nobody can listen to")
        self.assertEqual(told["programmes"][0]["read_again"]["places"], len(shown))
        self.assertIn("audition", told["programmes"][0]["read_again"]["failure"])
        page = self.safe(outs[0] / "report.html")
        players = [item for item in page.attributes if item[0] == "audio" and item[1] == "src"]
        self.assertEqual({value for _, _, value in players}, shown)
        pictures = [value for tag, name, value in page.attributes if tag == "image" and name == "href"]
        sizes = []
        for picture in pictures:
            blob = base64.b64decode(picture.split(",")[1])
            at = blob.index(b"IDAT")
            size = struct.unpack(">I", blob[at - 4:at])[0]
            self.assertEqual(zlib.crc32(blob[at:at + 4 + size]), struct.unpack(">I", blob[at + 4 + size:at + 8 + size])[0])
            columns, rows = struct.unpack(">II", blob[16:24])
            self.assertEqual(len(zlib.decompress(blob[at + 4:at + 4 + size])), rows * (1 + (columns + 1) // 2))
            sizes.append((columns, rows))
        self.assertGreaterEqual(sizes.count((112, 37)), 2)

    def test_one_broken_file_does_not_hide_the_others(self):
        folder = self.folder / "many"
        folder.mkdir()
        for name in ("a.wav", "b.wav", "ab.wav"):
            write_wav(folder / name, noise(1, RATE, 2, 0.1))
        write_wav(folder / "twelve.wav", noise(1, RATE, 12, 0.1))
        (folder / "b.wav").write_bytes((folder / "b.wav").read_bytes()[:100])
        for name, broken in (("cut", "LFE"), ("short", "Ls"), ("lost", "C"), ("depth", "Rs")):
            for channel in ("L", "R", "C", "LFE", "Ls", "Rs"):
                write_wav(folder / f"{name}.{channel}.wav", noise(1, RATE // (2 if channel == broken and name == "short" else 1), 1, 0.1))
            path = folder / f"{name}.{broken}.wav"
            if name == "cut":
                path.write_bytes(b"not a wave file")
            elif name == "lost":
                path.unlink()
            elif name == "depth":
                write_wav(path, noise(1, RATE, 1, 0.1), bits=16)
        judged = reelmill("qc", folder, "--out", self.folder / "out", "--json")
        self.assertEqual(judged.code, 2)
        programmes = {entry["deliverable"]: entry for entry in self.valid(judged)["programmes"]}
        self.assertEqual(set(programmes), {"a", "ab", "b", "twelve", "cut", "short", "lost", "depth"})
        # A set of mono files is judged whole or not at all, and one finding names its file.
        for name, file in (("b", "b.wav"), ("twelve", "twelve.wav"), ("cut", "cut.LFE.wav"), ("short", "short.Ls.wav"),
                           ("lost", "lost.C.wav")):
            self.assertEqual(programmes[name]["verdict"], "incomplete")
            self.assertEqual([item["check"] for item in programmes[name]["findings"]], ["format.file"])
            self.assertIn(file, programmes[name]["findings"][0]["message"])
            self.assertEqual(len(programmes[name]["files"]), 1 if "." not in file[:-4] else 6)
        self.assertEqual(programmes["depth"]["layout"], "5.1")
        self.assertEqual([item["channels"] for item in programmes["depth"]["findings"] if item["check"] == "format.encoding"], [["Rs"]])
        self.assertIn("19 files cannot be judged", judged.err)  # two alone, two sets of six, and five that are left of one
        table = reelmill("qc", folder / "a.wav", folder / "b.wav")
        self.assertEqual([line.split()[0] for line in table.out.splitlines()[1:] if not line.startswith(" ")], ["incomplete", "pass"])
        self.assertTrue((self.folder / "out" / "report.html").exists())
        alone = reelmill("qc", folder / "b.wav", "--json")
        self.assertEqual((alone.code, alone.out), (2, ""))

    def test_start_timecode_of_a_received_programme(self):
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "GOT", "file": "got.wav", "layout": "5.1", "spec": "none"}]
        frames = sum(len(part) for part in show.programme["DX"])
        for shift, wanted in ((0, []), (2000, ["format.start_timecode"])):
            write_wav(self.folder / "stems" / "got.wav", noise(1, frames, 6, 0.05), time_reference=3600 * RATE + shift)
            show.write()
            document = self.valid(reelmill("qc", "--show", show.path, "--json"))
            whole = next(entry for entry in document["programmes"] if entry["reel"] is None)
            told = [item for item in whole["findings"] if item["check"].startswith("format.")]
            self.assertEqual([item["check"] for item in told], wanted)
            if wanted:
                self.assertIn("01:00:00:01", told[0]["message"])

    def test_dialogue_is_judged_by_the_stem_and_not_without_it(self):
        """A Netflix print master passes or fails by its dialogue; the same file alone cannot be judged."""
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "netflix-5.1"}]
        show.write()
        document = self.valid(reelmill("run", show.path, "--json"))
        whole = next(entry for entry in document["programmes"] if entry["reel"] is None)
        spoken = round(whole["loudness"]["dialogue"]["lufs"], 1)
        broken = [item["severity"] for item in whole["findings"] if item["check"] == "loudness.dialogue"]
        self.assertEqual("fail" in broken, not -29.0 <= spoken <= -25.0)
        self.assertNotIn("not_checked", [item["severity"] for item in whole["findings"]])
        received = show.folder / "stems" / "got.wav"
        received.write_bytes((show.folder / "out" / whole["files"][0]).read_bytes())
        show.text["deliverables"] = [{"name": "GOT", "file": "got.wav", "layout": "5.1", "spec": "netflix-5.1"}]
        show.write()
        beside = self.valid(reelmill("qc", "--show", show.path, "--json"))
        again = next(entry for entry in beside["programmes"] if entry["reel"] is None)
        self.assertEqual(again["loudness"]["dialogue"], whole["loudness"]["dialogue"])
        alone = self.valid(reelmill("qc", show.folder / "out" / whole["files"][0], "--spec", "netflix-5.1", "--json"))
        heard = alone["programmes"][0]["loudness"]["dialogue"]
        self.assertEqual(heard["gate"], "detector") # no stem says where speech is; its error is wider than the limits
        self.assertIn(("loudness.dialogue", "not_checked"),
                      [(item["check"], item["severity"]) for item in alone["programmes"][0]["findings"]])

    def test_what_explain_advises_passes_when_it_is_applied(self):
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "ebu-r128"}]
        show.write()
        whole = self.valid(reelmill("run", show.path, "--json"))["programmes"][0]
        broken = next(item for item in whole["findings"] if item["check"] == "loudness.integrated")
        trim = broken["details"]["trim_db"]
        for source in (show.path, show.output() / "report" / "report.json"):
            outcome = reelmill("explain", source, broken["id"])
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertIn(f"trim the whole programme by {trim:+.1f} dB", outcome.out)
        leaks = next(item for item in whole["findings"] if item["check"] == "stems.bleed")
        self.assertIn("reach db:\n    DX: MX ", reelmill("explain", show.path, leaks["id"]).out)
        self.assertEqual(reelmill("explain", show.path, "nothing").code, 2)
        show.text["deliverables"][0]["gain"] = trim
        show.text["version"] = "v02"
        show.write()
        after = self.valid(reelmill("run", show.path, "--json"))["programmes"][0]
        self.assertNotIn("loudness.integrated", [item["check"] for item in after["findings"]])
        # One reel alone, in its stems, by a spec that wants 0.6 LU less of the whole.
        loudness = round(after["loudness"]["integrated_lufs"], 1)
        (show.folder / "specs").mkdir()
        (show.folder / "specs" / "quiet.yaml").write_text(f"""
reelmill_spec: 1
title: Quiet
version: "1"
source: the house
limits:
  - {{check: loudness.integrated, max: {loudness - 0.6:.1f}, unit: LUFS, severity: fail, evidence: primary, clause: "1"}}
""")
        show.text["deliverables"][0]["spec"] = "quiet"
        show.text["version"] = "v03"
        show.write()
        whole = self.valid(reelmill("run", show.path, "--json"))["programmes"][0]
        broken = next(item for item in whole["findings"] if item["check"] == "loudness.integrated")
        reel = next(entry for entry in broken["details"]["reels"] if entry["trim_db"] is not None)
        self.assertIn(f"trim it alone by {reel['trim_db']:+.1f} dB", reelmill("explain", show.path, broken["id"]).out)
        for stem in (show.folder / "stems").glob(f"{reel['reel']}_*.wav"):
            write_wav(stem, decode(stem, 1 if "_MX." in stem.name else 6) * 10 ** (reel["trim_db"] / 20))
        show.text["version"] = "v04"
        show.write()
        after = self.valid(reelmill("run", show.path, "--json"))["programmes"][0]
        self.assertNotIn("loudness.integrated", [item["check"] for item in after["findings"]])

    def test_every_spec_says_over_the_measures_what_a_run_by_it_says(self):
        """All specs that ship: one run with a programme for each, one without any spec, and `judge` behind it."""
        specs = sorted(path.stem for path in (SOURCE / "deploy/specs").glob("*.yaml"))
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "PM_" + spec.replace(".", "_"), "recipe": "printmaster-5.1", "spec": spec}
                                     for spec in specs]
        show.write()
        wanted = {entry["deliverable"]: entry for entry in self.valid(reelmill("run", show.path, "--json"))["programmes"]
                  if entry["reel"] is None}
        show.text["deliverables"] = [{"name": "PM", "recipe": "printmaster-5.1", "spec": "none"}]
        show.text["version"] = "v09"
        show.write()
        self.assertEqual(reelmill("run", show.path).code, 0)
        for spec in specs:
            with self.subTest(spec=spec):
                judged = reelmill("judge", show.path, "--spec", spec, "--json").json()["programmes"][0]
                real = wanted["PM_" + spec.replace(".", "_")]
                said, expected = ([(item["check"], item["severity"], item["measured"]) for item in entry["findings"]
                                   if item["check"] != "loudness.leqm" and item["severity"] != "info"] for entry in (judged, real))
                self.assertEqual(said, expected)
                # Leq(m) alone has features of its own, which a run takes whose spec asks for it.
                asked = "loudness.leqm" in (SOURCE / f"deploy/specs/{spec}.yaml").read_text()
                later = [item["severity"] for item in judged["findings"] if item["check"] == "loudness.leqm"]
                self.assertEqual(later, ["not_checked"] if asked else [])
                if not asked:
                    self.assertEqual(judged["verdict"], real["verdict"])

    def test_another_spec_over_the_measures_says_what_a_run_by_it_says(self):
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": name, "recipe": recipe, "spec": "none"}
                                     for name, recipe in (("PM_51", "printmaster-5.1"), ("ME_51", "me-5.1"))]
        show.write()
        self.valid(reelmill("run", show.path, "--json"))
        report = show.output() / "report" / "report.json"
        for number, spec in enumerate(("netflix-5.1", "ebu-r128", "netflix-stereo", "dpp")):
            with self.subTest(spec=spec):
                quick = reelmill("judge", report, "--spec", spec, "--json")
                for item in show.text["deliverables"]:
                    item["spec"] = spec
                show.text["version"] = f"v1{number}"
                show.write()
                whole = reelmill("run", show.path, "--json")
                wanted = {entry["deliverable"]: entry for entry in self.valid(whole)["programmes"] if entry["reel"] is None}
                self.assertEqual(quick.json()["verdict"], whole.json()["verdict"])
                for entry in quick.json()["programmes"]:
                    real = wanted[entry["deliverable"]]
                    self.assertEqual(entry["verdict"], real["verdict"])
                    # Everything, places and stems included; only paths in sentences say another version.
                    self.assertEqual([(item["id"], item["check"], item["severity"], item["measured"]) for item in entry["findings"]],
                                     [(item["id"], item["check"], item["severity"], item["measured"]) for item in real["findings"]])
                self.assertEqual(reelmill("judge", show.path, "--spec", spec).code, quick.code)
        end = wanted["PM_51"]["range"]["end_sample"] / RATE
        reels = {entry["reel"]: entry for entry in whole.json()["programmes"] if entry["deliverable"] == "PM_51"}
        first = reels["R1"]
        part = reelmill("judge", report, "--spec", "ebu-r128", "--to", first["range"]["end_sample"] / RATE, "--json").json()
        told = next(item for item in part["programmes"][0]["findings"] if item["check"] == "loudness.integrated")
        self.assertAlmostEqual(told["measured"], first["loudness"]["integrated_lufs"], 9)
        self.assertEqual(reelmill("judge", report, "--spec", "dpp", "--from", "4", "--to", "3").code, 2)
        # The form of the files is that of the whole.
        (self.folder / "form.yaml").write_text("{reelmill_spec: 1, title: form, version: '1', source: test, limits: [" + ", ".join(
            "{check: format.%s, %s, severity: fail, evidence: primary, clause: test}" % limit for limit in
            (("encoding", "allowed: [PCM_24]"), ("channels", "allowed: ['5.1']"), ("sample_rate", "min: 44100, max: 44100, unit: Hz"),
             ("bit_depth", "min: 24, max: 24, unit: bit"))) + "]}")
        form = reelmill("judge", report, "--spec", self.folder / "form.yaml", "--to", "1.5", "--json").json()["programmes"][0]
        self.assertEqual([(item["check"], item["severity"], item["measured"]) for item in form["findings"]],
                         [("format.sample_rate", "fail", RATE)])
        # Of half a cell it is not known on which side its peak lies, below what is located.
        (self.folder / "low.yaml").write_text("{reelmill_spec: 1, title: low, version: '1', source: test, limits: [{check: peak.true, "
                                              "max: -60.0, unit: dBTP, severity: fail, evidence: primary, clause: test}]}")
        low = reelmill("judge", report, "--spec", self.folder / "low.yaml", "--from", "0:00:00.5", "--to", "1.5", "--json").json()
        low = next(item for item in low["programmes"][0]["findings"] if item["check"] == "peak.true")
        self.assertEqual((low["severity"], low["measured"]), ("not_checked", None))
        self.assertIn("no more is known", low["message"])
        self.assertEqual(reelmill("judge", report, "--spec", "dpp", "--to", end + 1).code, 2)
        measures = report.parent / "measures.bin"
        good = measures.read_bytes()
        for at, code, told in ((40, 2, "is damaged"), (len(good) - 40, 1, "are damaged")):
            bad = bytearray(good)
            bad[at] ^= 1
            measures.write_bytes(bad)
            outcome = reelmill("judge", report, "--spec", "dpp")
            self.assertEqual(outcome.code, code)
            self.assertIn(told, outcome.out + outcome.err)
        measures.unlink()
        self.assertEqual(reelmill("judge", report, "--spec", "dpp", "--json").json()["judged_from"], "figures")
        self.assertEqual(reelmill("judge", report).code, 2)
        self.assertEqual(reelmill("judge", report, "--spec", "nobody").code, 2)
        self.assertEqual(reelmill("judge", show.path.parent / "stems" / "nothing.json", "--spec", "dpp").code, 2)

    def test_a_waiver_changes_the_verdict_and_hides_nothing(self):
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "ME_51", "recipe": "me-5.1", "spec": "ebu-r128"}]
        show.write()
        show.path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in show.text.items()))
        before = self.valid(reelmill("run", show.path, "--json"))["programmes"][0]
        broken = [item for item in before["findings"] if item["severity"] == "fail"]
        self.assertEqual(before["verdict"], "fail")
        self.assertEqual(reelmill("waive", show.path, "nothing", "--who", "A", "--why", "B").code, 2)
        self.assertEqual(reelmill("waive", show.path, broken[0]["id"]).code, 2)
        why = 'as "agreed": <b>#1</b>'
        for item in broken:
            outcome = reelmill("waive", show.path, item["id"], "--who", "J. Doe", "--why", why)
            self.assertEqual(outcome.code, 0, outcome.err)
        outcome = reelmill("run", show.path, "--json")
        self.assertEqual(outcome.code, 0)
        after = self.valid(outcome)["programmes"][0]
        self.assertEqual([item["id"] for item in after["findings"]], [item["id"] for item in before["findings"]])
        waived = [item for item in after["findings"] if item["waiver"] is not None]
        self.assertEqual([item["id"] for item in waived], [item["id"] for item in broken])
        self.assertEqual({(item["severity"], item["waiver"]["who"], item["waiver"]["why"]) for item in waived},
                         {("fail", "J. Doe", why)})
        self.assertIn(why, self.safe(show.output() / "report" / "report.html").text)

    def test_a_sign_off_stands_in_every_form_of_the_report(self):
        show = small_show(self.folder)
        show.text["deliverables"] = [{"name": "ME_51", "recipe": "me-5.1", "spec": "ebu-r128"}]
        show.write()
        run = self.valid(reelmill("run", show.path, "--json"))
        folder = show.output() / "report"
        plain = {name: (folder / name).read_bytes() for name in ("report.html", "report.pdf", "measures.bin")}
        self.assertEqual(reelmill("sign", show.path).code, 2)
        self.assertEqual(reelmill("sign", "12", "--by", "A").code, 2)
        # A verdict that the measures contradict is not signed, and nothing is written.
        honest = (folder / "report.json").read_bytes()
        (folder / "report.json").write_text(json.dumps({**run, "verdict": "pass"}))
        outcome = reelmill("sign", show.path, "--by", "A")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("says 'pass', but the measures beside it come to 'fail'", outcome.err)
        self.assertEqual({name: (folder / name).read_bytes() for name in plain}, plain)
        self.assertFalse((folder / "sign-offs.json").exists())
        (folder / "report.json").write_bytes(honest)
        for who, remark in (("J. Doe", "heard on <b>B&W</b>"), ("R. Roe", "")):
            outcome = reelmill("sign", show.path, "--by", who, "--remark", remark)
            self.assertEqual(outcome.code, 0, outcome.err)
        signed = json.loads((folder / "report.json").read_text())
        jsonschema.Draft202012Validator(SCHEMA).validate(signed)
        self.assertEqual([(item["by"], item["remark"], item["verdict"]) for item in signed["sign_offs"]],
                         [("J. Doe", "heard on <b>B&W</b>", "fail"), ("R. Roe", "", "fail")])
        self.assertEqual({**signed, "sign_offs": []}, run)  # nothing else of it has changed
        page = self.safe(folder / "report.html")
        self.assertIn("heard on <b>B&W</b>", page.text)
        table = page.text[page.text.index("Sign-off"):]
        self.assertEqual(page.text.replace(table, ""), self.text_before_sign_off(plain["report.html"]))
        self.assertNotEqual((folder / "report.pdf").read_bytes(), plain["report.pdf"])
        self.assertEqual((folder / "measures.bin").read_bytes(), plain["measures.bin"])
        show.text["deliverables"][0]["spec"] = "dpp"
        show.write()
        self.valid(reelmill("run", show.path, "--json"))
        self.assertEqual(reelmill("sign", folder / "report.json", "--by", "Third").code, 0)
        self.assertEqual(self.safe(folder / "report.html").text.count("Of an earlier run under this name"), 2)

    @staticmethod
    def text_before_sign_off(html):
        text = Page(html.decode()).text
        return text[:text.index("Sign-off")]

    def test_published_headers_carry_the_figures(self):
        """bext version 2: time reference, and loudness in hundredths, as the report has them."""
        show = small_show(self.folder)
        document = self.valid(reelmill("run", show.path, "--json"))
        for entry in document["programmes"]:
            if entry["reel"] is not None:
                continue
            blob = (show.folder / "out" / entry["files"][0]).read_bytes()[:4096]
            at = blob.index(b"bext") + 8
            low, high, version = struct.unpack("<IIH", blob[at + 338:at + 348])
            self.assertEqual((low + (high << 32), version), (3600 * RATE, 2))
            figures = struct.unpack("<5h", blob[at + 412:at + 422])
            loudness, peaks = entry["loudness"], entry["peaks"]
            wanted = (loudness["integrated_lufs"], loudness["range_lu"], peaks["true_peak_dbtp"],
                      loudness["max_momentary_lufs"], loudness["max_short_term_lufs"])
            for value, exact in zip(figures, wanted):
                self.assertLessEqual(abs(value / 100 - exact), 0.005 + 1e-9)


if __name__ == "__main__":
    main()
