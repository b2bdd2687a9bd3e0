"""Signal faults planted from a seed: what the definitions name is found, and nothing is found where nothing was planted."""
import numpy as np

import oracle
import planted_signal
from farm_kit import RATE, FarmTest, Show, hash_seed, main, moving_mean, noise, reelmill, write_wav

SECONDS = 14


class Signal(FarmTest):
    def test_planted_faults(self):
        rows, alarms, _ = planted_signal.run(SECONDS, 1)
        self.assertEqual(alarms, {})
        always = ["peak.clipping", "signal.dropout", "signal.dc", "signal.polarity", "signal.dual_mono", "signal.tone",
                  "format.effective_bit_depth"]
        for row in rows:
            with self.subTest(check=row.check, what=row.what, strength=row.strength):
                hosts = list(row.planted)
                if row.check in always:
                    self.assertEqual(row.share(*hosts), 1.0)
                if row.what in ("MP3 of 320 kbit/s", "Opus of 256 kbit/s", "Vorbis of 256 kbit/s"):
                    continue  # they have no grid that is looked for, or one that moves and is met in longer files alone
                if row.check in ("signal.lfe", "signal.channel_swap", "signal.phase", "format.lossy") or row.what == "from 32 kHz":
                    self.assertEqual(row.share("noise"), 1.0)  # real sound may hold nothing up there
                if row.check == "signal.dropout":
                    self.assertLess(max(row.errors), 0.1)
                # Where there is little treble, single samples of a tenth of full scale stand out.
                if row.check == "signal.click" and row.strength == "-20 dBFS" and "speech" in hosts:
                    self.assertEqual(row.share("speech"), 1.0)

    def test_tones_at_all_rates(self):
        """One tone, over the edge of a cell (307,200 frames) at each."""
        rates = (44100, 48000, 88200, 96000, 192000)
        for rate in rates:
            edge = 307200 / rate
            at = np.arange(round((edge + 2) * rate)) / rate
            tone = 0.05 * np.sin(2 * np.pi * 1000 * at) * (abs(at - edge) < 0.7)
            write_wav(self.folder / f"tone_{rate}.wav", tone[:, None], rate=rate)
        report = reelmill("qc", *(self.folder / f"tone_{rate}.wav" for rate in rates), "--json").json()
        for rate, entry in zip(rates, report["programmes"]):
            with self.subTest(rate=rate):
                told = [item for item in entry["findings"] if item["check"] == "signal.tone"]
                self.assertEqual([item["severity"] for item in told], ["warn"])
                self.assertAlmostEqual(told[0]["start_s"], 307200 / rate - 0.7, delta=0.02)
                self.assertAlmostEqual(told[0]["end_s"], 307200 / rate + 0.7, delta=0.02)
                self.assertAlmostEqual(told[0]["details"]["frequency_hz"], 1000, delta=1)

    def test_joins(self):
        """A gap at the first join, a jump at the second, a reel that begins in silence at the third."""
        gap, slope, high = 240, 480, 0.65  # -3.7 dBFS; the jump from +0.65 to -0.65 overshoots

        trims = {}  # of a reel's head and tail, in dB, applied as explain advises

        def content(stem, reel, frames):
            sound = noise(hash_seed(stem, reel), frames, 6, 0.05)
            start = Show.LEADER_S * RATE
            end = start + lengths[reel] * RATE // 24
            rise = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, slope)))[:, None] * high * (stem == "MX")
            if reel == 0:
                sound[end - gap:end] = 0
            if reel == 1:
                sound[end - slope:end] = rise
            if reel == 2:
                sound[start:start + slope] = -rise[::-1]
            if reel == 3:
                sound[start:] *= np.clip(np.arange(frames - start) / RATE - 0.3, 0, 1)[:, None]
            sound[start:start + RATE // 2] *= 10 ** (trims.get((reel, "head"), 0) / 20)
            sound[end - RATE // 2:end] *= 10 ** (trims.get((reel, "tail"), 0) / 20)
            sound[:, 3] = 0
            return sound

        lengths = [5 * 24 + 7, 5 * 24, 3 * 24, 3 * 24]
        show = Show(self.folder, lengths, content)
        report = self.passes(reelmill("run", show.path, "--only", "PM_51", "--json")).json()
        whole = next(entry for entry in report["programmes"] if entry["reel"] is None)
        told = [item for item in whole["findings"] if item["check"] in ("join.gap", "signal.dropout")]
        self.assertEqual([item["check"] for item in told], ["join.gap"])
        self.assertEqual(told[0]["start_sample"], lengths[0] * RATE // 24 - gap)
        self.assertAlmostEqual(told[0]["measured"], 5.0)
        self.assertEqual(told[0]["channels"], ["L", "R", "C", "Ls", "Rs"])
        peaks = [item for item in whole["findings"] if item["check"] == "join.peak"]
        self.assertEqual([sorted(item["channels"]) for item in peaks], [["C", "L", "Ls", "R", "Rs"]])
        jump = np.repeat([[high], [-high]], slope, axis=0)  # Annex 2 overshoots by an eighth of it
        self.assertAlmostEqual(peaks[0]["measured"], oracle.true_peaks(jump)[0], delta=0.05)
        self.assertLess(abs(peaks[0]["start_sample"] - (lengths[0] + lengths[1]) * RATE // 24), 12)
        tails = [item for item in whole["findings"] if item["check"] == "join.tail"]
        # Before the reel that begins in silence, and at the end of the programme, which stops in its noise.
        self.assertEqual([item["end_sample"] for item in tails], [sum(lengths[:3]) * RATE // 24, sum(lengths) * RATE // 24])
        self.assertEqual([item["details"] for item in tails], [{}, {}])  # no limit, nothing to pass
        # By a spec that limits both, what explain advises passes when it is applied, and half of it does not.
        (show.folder / "specs").mkdir()
        (show.folder / "specs" / "meet.yaml").write_text(f"""
{{reelmill_spec: 1, title: Meet, version: "1", source: the house,
 limits: [{{check: join.peak, max: {peaks[0]["measured"] - 0.8:.1f}, unit: dBTP, severity: fail, evidence: primary, clause: "1"}},
          {{check: join.tail, max: -45, unit: dBFS, severity: fail, evidence: primary, clause: "2"}}]}}
""")
        show.text["deliverables"][0]["spec"] = "meet"
        wanted = {}
        for part in (0, 0.5, 1):
            trims.update({place: part * db for place, db in wanted.items()})
            show = Show(self.folder, lengths, content, deliverables=show.text["deliverables"])
            done = reelmill("run", show.path, "--only", "PM_51", "--replace", "--json").json()
            whole = next(entry for entry in done["programmes"] if entry["reel"] is None)
            told = [item for item in whole["findings"] if item["severity"] == "fail" and item["check"].startswith("join.")]
            self.assertEqual([item["check"] for item in told], ["join.peak", "join.tail", "join.tail"] if part < 1 else [])
            if part == 0:
                jump, *ends = told
                why = reelmill("explain", show.path, jump["id"]).out
                self.assertIn(f"trim this place by {jump['details']['trim_db']:+.1f} dB", why)
                wanted = {(1, "tail"): jump["details"]["trim_db"], (2, "head"): jump["details"]["trim_db"],
                          (2, "tail"): ends[0]["details"]["trim_db"], (3, "tail"): ends[1]["details"]["trim_db"]}

    def test_a_click_names_the_stem_that_has_it(self):
        lengths = [7 * 24, 5 * 24]
        clicks = {("DX", 0): [(2, 3.0)], ("MX", 0): [(4, 5.5)], ("FX", 1): [(0, 0.0005), (4, 2.0)], ("DX", 1): [(4, 2.0)]}
        names = [("DX", 3.0), ("MX", 5.5), ("FX", 7.0005), ("DX and FX", 9.0)]

        def content(stem, reel, frames):
            dull = moving_mean(moving_mean(noise(hash_seed(stem, reel), frames, 1, 0.1)[:, 0], 100), 100)  # clicks stand out
            inside = np.arange(frames) - Show.LEADER_S * RATE
            edges = np.clip(np.minimum(inside, lengths[reel] * RATE // 24 - inside) / 4800, 0.0, 1.0)  # reels meet in silence
            sound = np.outer(dull * edges, [1.0, 0.9, 0.8, 0.1, 0.7, 0.6])
            for channel, seconds in clicks.get((stem, reel), []):
                sound[Show.LEADER_S * RATE + round(seconds * RATE), channel] += 0.2
            return sound
        deliverables = [{"name": name, "recipe": recipe, "spec": "none"}
                        for name, recipe in (("PM_51", "printmaster-5.1"), ("ME_51", "me-5.1"))]
        staged = deliverables + [{"name": "LTRT", "recipe": "stereo-ltrt", "spec": "none"}]  # the mix runs ahead of the programmes
        show = Show(self.folder, lengths, content, deliverables=staged)
        received = [{"name": "R_PM", "file": "received/PM.wav", "layout": "5.1", "spec": "none"}]
        write_wav(self.folder / "stems" / "received" / "PM.wav", sum(show.joined(stem) for stem in ("DX", "MX", "FX")))
        for listed, command in ((staged, ("run",)), (deliverables, ("run", "--replace")), (received, ("qc", "--show"))):
            show.text["deliverables"] = listed
            show.write()
            outcome = self.passes(reelmill(*command, show.path, "--json"))
            for entry in outcome.json()["programmes"]:
                told = [item for item in entry["findings"] if item["check"] == "signal.click" and entry["reel"] is None]
                for item in told:
                    stem = next(name for name, at in names if abs(at - item["start_s"]) < 0.001)
                    with self.subTest(command=command, programme=entry["deliverable"], stem=stem):
                        without = stem.replace("DX and ", "") if entry["deliverable"] == "ME_51" else stem
                        self.assertIn(f"over the sound around it, comes from {without}. ", item["message"])
                if entry["deliverable"] in ("PM_51", "R_PM") and entry["reel"] is None:
                    self.assertEqual(len(told), len(names))


if __name__ == "__main__":
    main()
