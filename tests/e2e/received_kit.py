"""Programmes that were made elsewhere, judged beside the stems of one show."""
import json

import numpy as np

from farm_kit import RATE, FarmTest, read_wav, reelmill, small_show, write_wav


def findings(report, deliverable, *checks):
    entry = next(e for e in report["programmes"] if e["deliverable"] == deliverable and e["reel"] is None)
    return [f for f in entry["findings"] if f["check"] in checks]


def faults(report, deliverable, *checks):
    return [f for f in findings(report, deliverable, *(checks or ("stems.null", "me.dialogue", "folddown.matrix")))
            if f["severity"] in ("warn", "fail")]


class ReceivedTest(FarmTest):
    """One show, many received programmes: they are judged in one go."""

    def judge(self, programmes, spec="none", damage=(), show=None, stems=None):
        show = show or small_show(self.folder, low_lfe=False)
        parts = {name: show.joined(name) for name in ("DX", "MX", "FX")}
        received = []
        for name, (make, layout) in programmes.items():
            write_wav(self.folder / "stems" / "received" / f"{name}.wav", np.ascontiguousarray(make(parts)))
            received.append({"name": name, "file": f"received/{name}.wav", "layout": layout, "spec": spec})
            if name in (stems or {}):
                received[-1]["stems"] = stems[name]
        for name, harm in damage:  # of a stem, after the print
            path = self.folder / "stems" / name
            write_wav(path, harm(read_wav(path)[0].copy()))
        show.text["deliverables"] = received
        show.write()
        (show.folder / "specs").mkdir()
        limit = {"check": "folddown.matrix", "max": 0, "severity": "fail", "evidence": "primary", "clause": "1"}
        (show.folder / "specs" / "matrix.yaml").write_text(json.dumps(
            {"reelmill_spec": 1, "title": "Matrix", "version": "1", "source": "house", "limits": [limit]}))
        outcome = reelmill("qc", "--show", show.path, "--json", "--out", self.folder / "report")
        self.assertIn(outcome.code, (0, 1), outcome.err)
        return outcome.json()

    def place(self, finding, start_s, end_s):
        # A block is 0.8 s.
        self.assertAlmostEqual(finding["start_s"], start_s, delta=0.8)
        self.assertAlmostEqual(finding["end_s"], end_s, delta=0.8)
