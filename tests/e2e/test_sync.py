"""Planted sync faults of known place and size: 2-pops that are missing, misplaced, too long, alone, or left in the programme."""
import json

import numpy as np

from farm_kit import CHANCE, FarmTest, RATE, main, noise, reelmill, timecode, write_wav

RATES = {"24": (24, 1, 24), "25": (25, 1, 25), "23.976": (24000, 1001, 24), "29.97": (30000, 1001, 30)}
LEADER, TAIL, HEAD_POP, TAIL_POP = 8, 4, 2, 2


def sample(picture, rate):
    """The rule of docs/show-file.md: floor(n x rate x den / num + 1/2)."""
    num, den, _ = RATES[rate]
    return (2 * picture * RATE * den + num) // (2 * num)


def pop(frames, hertz=1000.0, level_dbfs=-20.0):
    """A sine that begins at phase 0; level is RMS."""
    return 10 ** (level_dbfs / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * np.arange(frames) / RATE)


class Leaders:
    """Two reels of seven seconds with leader and tail; every stem's files as arrays that a test may damage before write()."""

    STEMS = {"DX": {"role": "dialogue", "layout": "mono", "file": "{reel}_DX.wav"},
             "MX": {"role": "music", "layout": "stereo", "file": "{reel}_MX.{ch}.wav"},
             "FX": {"role": "effects", "layout": "5.1", "file": "{reel}_FX.wav"}}
    CHANNELS = {"DX": 1, "MX": 2, "FX": 6}

    def __init__(self, folder, rate="24", pictures=7 * 24 + 5, **more):
        self.folder, self.rate, self.more = folder, rate, more
        count = RATES[rate][2]
        self.head, self.first, self.last = ((LEADER - HEAD_POP) * count, LEADER * count, LEADER * count + pictures - 1)
        self.tail = self.last + TAIL_POP * count
        self.pop_frames = sample(1, rate)
        self.audio, self.reels = {}, []
        self.programme = sample(self.last + 1, rate) - sample(self.first, rate)
        for index in range(2):
            name, hour = f"R{index + 1}", (index + 1) * 3600 * count
            self.reels.append({"name": name, "start": timecode(hour, count), "ffoa": timecode(hour + self.first, count),
                               "lfoa": timecode(hour + self.last, count)})
            for stem, channels in self.CHANNELS.items():
                track = np.zeros((sample(self.tail + TAIL * count, rate), channels))
                begin = sample(self.first, rate)
                track[begin:begin + self.programme] = noise(index * 10 + channels, self.programme, channels, 0.05)
                for place in (self.head, self.tail):
                    self.put(track[:, min(channels - 1, 2)], sample(place, rate))
                self.audio[name, stem] = track

    def put(self, channel, at, frames=None, **how):
        frames = frames or self.pop_frames
        channel[at:at + frames] += pop(frames, **how)

    def clear(self, reel, stem, picture):
        """Takes the pop that begins at a picture frame away."""
        at = sample(picture, self.rate)
        self.audio[reel, stem][at - 10:at + 2 * self.pop_frames] = 0.0

    def write(self):
        for (reel, stem), track in self.audio.items():
            if stem == "MX":
                for index, channel in enumerate("LR"):
                    write_wav(self.folder / "stems" / f"{reel}_MX.{channel}.wav", track[:, index])
            else:
                write_wav(self.folder / "stems" / f"{reel}_{stem}.wav", track)
        text = {"reelmill": 1, "title": "Pops", "slug": "POPS", "frame_rate": self.rate, "sample_rate": RATE, "media": "stems",
                "stems": self.STEMS, "reels": self.reels, "pops": {"head": "2s", "tail": "2s"},
                "deliverables": [{"name": "PM_51", "recipe": "printmaster-5.1", "spec": "none"}], "output": "out", **self.more}
        (self.folder / "show.yaml").write_text(json.dumps(text))
        return self.folder / "show.yaml"


def findings(report, check):
    """(owner, reel, finding) of stems and programmes."""
    found = [(stem["stem"], stem["reel"], item) for stem in report["stems"] for item in stem["findings"]]
    found += [(entry["deliverable"], item["reel"], item) for entry in report["programmes"] for item in entry["findings"]]
    return [entry for entry in found if entry[2]["check"] == check]


class Pops(FarmTest):
    def judged(self, show, code=0):
        outcome = reelmill("run", show.write(), "--json")
        self.passes(outcome, code)
        return findings(outcome.json(), "sync.pop")

    def test_pops_in_place_say_nothing_at_any_rate(self):
        for rate in RATES:
            with self.subTest(rate=rate):
                self.assertEqual(self.judged(Leaders(self.folder / rate, rate)), [])

    def test_misplaced_pops_are_told_to_the_sample(self):
        show = Leaders(self.folder)
        places = [(reel, stem) for reel in ("R1", "R2") for stem in Leaders.STEMS]
        offsets = [1, -1, 20000, CHANCE.randrange(2, 2000), -CHANCE.randrange(2000, 20000), -CHANCE.randrange(20000, 200000)]
        CHANCE.shuffle(offsets)
        for place, offset in zip(places, offsets):
            show.clear(*place, show.head)
            show.put(show.audio[place][:, -1], sample(show.head, "24") + offset)
        found = {(reel, owner): item for owner, reel, item in self.judged(show, 1)}
        self.assertEqual(set(found), set(places))
        for place, offset in zip(places, offsets):
            item = found[place]
            with self.subTest(place=place, offset=offset):
                self.assertEqual((item["measured"], item["details"]["offset_samples"]), (offset, offset))
                self.assertAlmostEqual(item["details"]["offset_frames"], offset / 2000, places=3)
                self.assertEqual(item["severity"], "fail" if abs(offset) >= 2000 else "warn")
                self.assertEqual(item["channels"], [{"DX": "M", "MX": "R", "FX": "Rs"}[place[1]]])
                self.assertIn("late" if offset > 0 else "early", item["message"])

    def test_shifted_file_is_told_as_one_slip(self):
        show = Leaders(self.folder)
        show.audio["R1", "DX"] = np.roll(show.audio["R1", "DX"], 480, axis=0)
        found = self.judged(show)
        self.assertEqual([(owner, reel, item["measured"]) for owner, reel, item in found], [("DX", "R1", 480)] * 2)
        for _, _, item in found:
            self.assertIn("slip it by -480 samples", item["message"])

    def test_missing_pop_says_who_has_one(self):
        show = Leaders(self.folder)
        show.clear("R1", "MX", show.tail)
        show.clear("R2", "DX", show.head)
        show.clear("R2", "FX", show.head)
        begin = sample(show.first, "24")
        for stem in Leaders.STEMS: # and what nobody asked for: the last half second of R1 again at the head of R2
            end = show.audio["R1", stem][begin + show.programme - 24000:begin + show.programme]
            show.audio["R2", stem][begin:begin + 24000] = end
        report = self.passes(reelmill("run", show.write(), "--json")).json()
        found = {(owner, reel): item for owner, reel, item in findings(report, "sync.pop")}
        self.assertEqual([(owner, reel, item["measured"], item["severity"], item["details"]["heard_in"])
                          for owner, reel, item in findings(report, "join.overlap")], [("PM_51", "R2", 24000, "warn", "DX, MX, FX")])
        self.assertEqual(set(found), {("MX", "R1"), ("DX", "R2"), ("FX", "R2")})
        self.assertIn("no tail pop", found["MX", "R1"]["message"])
        self.assertIn("Every other stem", found["MX", "R1"]["message"])
        self.assertIn("Only MX has one", found["DX", "R2"]["message"])

    def test_wrong_length_and_split_channels(self):
        show = Leaders(self.folder)
        show.clear("R1", "DX", show.head)
        show.put(show.audio["R1", "DX"][:, 0], sample(show.head, "24"), frames=1920)
        show.put(show.audio["R2", "MX"][:, 0], sample(show.head, "24") + 7)
        found = {(owner, reel): item for owner, reel, item in self.judged(show)}
        self.assertEqual(set(found), {("DX", "R1"), ("MX", "R2")})
        self.assertEqual(found["DX", "R1"]["measured"], 1920)
        self.assertEqual((found["MX", "R2"]["measured"], found["MX", "R2"]["channels"]), (7, ["L"]))

    def test_tail_pop_counted_from_the_frame_after_is_information(self):
        show = Leaders(self.folder)
        for stem in Leaders.STEMS:
            show.clear("R1", stem, show.tail)
            show.put(show.audio["R1", stem][:, -1], sample(show.tail + 1, "24"))
        self.assertEqual([item["severity"] for _, _, item in self.judged(show)], ["info"] * 3)

    def test_pop_left_in_the_programme_fails_it(self):
        show = Leaders(self.folder)
        first = sample(show.first, "24")
        show.audio["R2", "DX"][first:first + 20000] = 0.0
        show.put(show.audio["R2", "DX"][:, 0], first + 6000)
        found = self.judged(show, 1)
        self.assertEqual([(owner, reel, item["severity"]) for owner, reel, item in found], [("PM_51", "R2", "fail")])
        item = found[0][2]
        self.assertEqual((item["start_sample"], item["end_sample"]), (show.programme + 6000, show.programme + 8000))

    def test_received_programmes(self):
        """A whole programme with a pop at its join, and one that begins with its leader."""
        show = Leaders(self.folder, deliverables=[{"name": "JOIN", "file": "JOIN.wav", "layout": "stereo", "spec": "none"},
                                                  {"name": "LEAD", "file": "LEAD.wav", "layout": "stereo", "spec": "none"}])
        joined = noise(1, 2 * show.programme, 2, 0.05)
        joined[show.programme + 1000:show.programme + 9000] = 0.0
        show.put(joined[:, 1], show.programme + 4000)
        write_wav(self.folder / "stems" / "JOIN.wav", joined)
        leader = np.concatenate([np.zeros((8 * RATE, 2)), noise(2, 2 * show.programme, 2, 0.05)])
        show.put(leader[:, 0], 6 * RATE)
        write_wav(self.folder / "stems" / "LEAD.wav", leader, time_reference=(3600 - 8) * RATE)
        outcome = reelmill("qc", "--show", show.write(), "--json")
        found = {owner: item for owner, _, item in findings(outcome.json(), "sync.pop")}
        self.assertEqual({owner: item["severity"] for owner, item in found.items()}, {"JOIN": "fail"})  # LEAD's is where it belongs
        lengths = {owner: item["severity"] for owner, _, item in findings(outcome.json(), "format.length")}
        self.assertEqual(lengths, {"LEAD": "info"})
        self.assertEqual(found["JOIN"]["start_sample"], show.programme + 4000)
        self.assertEqual(found["JOIN"]["channels"], ["R"])


class Length(FarmTest):
    def test_received_lengths_against_the_picture(self):
        excess = {"EXACT": 0, "ONE": 1, "SHORT": -1234, "FRAMES": 4000, "LEADER": 8 * RATE, "SLOW": None}
        show = Leaders(self.folder, deliverables=[{"name": name, "file": f"{name}.wav", "layout": "mono", "spec": "none"}
                                                  for name in excess])
        excess["SLOW"] = round(2 * show.programme * 1001 / 1000) - 2 * show.programme
        for name, more in excess.items():
            sound = noise(3, 2 * show.programme + more, 1, 0.05)
            if name == "EXACT": # which has another fault: a second of the first reel again in the next
                sound[show.programme:show.programme + RATE] = sound[show.programme - RATE:show.programme]
            write_wav(self.folder / "stems" / f"{name}.wav", sound)
        outcome = reelmill("qc", "--show", show.write(), "--json")
        self.assertEqual([(owner, item["measured"]) for owner, _, item in findings(outcome.json(), "join.overlap")], [("EXACT", RATE)])
        found = {owner: item for owner, _, item in findings(outcome.json(), "sync.length")}
        self.assertEqual({name: (item["measured"], item["severity"]) for name, item in found.items()},
                         {"SHORT": (-1234, "info"), "FRAMES": (4000, "fail"), "SLOW": (excess["SLOW"], "info")})
        lengths = {owner: item for owner, _, item in findings(outcome.json(), "format.length")}
        self.assertEqual((lengths["LEADER"]["measured"], lengths["LEADER"]["severity"]), (8 * 24, "warn"))
        self.assertIn("longer by that of the first reel", lengths["LEADER"]["message"])
        for name, words in (("FRAMES", "whole number of picture frames: look"),
                            ("SLOW", "slowed to 23.976"), ("SHORT", "no whole number")):
            self.assertIn(words, found[name]["message"])


class Reference(FarmTest):
    def test_stems_are_aligned_with_the_guide_of_each_reel(self):
        """One stem of one reel late: told with the stem and in the programme that is made from it; two by as much are one fault there."""
        show = Leaders(self.folder, pictures=12 * 24, reference={"file": "{reel}_GUIDE.wav", "layout": "mono"})
        for reel in ("R1", "R2"):
            guide = sum(show.audio[reel, stem].sum(axis=1) for stem in Leaders.STEMS)
            write_wav(self.folder / "stems" / f"{reel}_GUIDE.wav", guide[:, None] / 3)
        late = CHANCE.randrange(2, 1500)
        show.audio["R2", "FX"] = np.roll(show.audio["R2", "FX"], late, axis=0)
        for stem in ("DX", "FX"):
            show.audio["R1", stem] = np.roll(show.audio["R1", stem], late, axis=0)
        report = self.passes(reelmill("run", show.write(), "--json")).json()
        found = findings(report, "sync.offset")
        self.assertEqual([(owner, reel, item["measured"], item["severity"]) for owner, reel, item in found],
                         [(owner, reel, late, "warn") for owner, reel in (("DX", "R1"), ("FX", "R1"), ("FX", "R2"), ("PM_51", "R1"),
                                                                          ("PM_51", "R2"))])
        self.assertIn("DX, FX in reel R1 are ", found[3][2]["message"])
        self.assertEqual(findings(report, "sync.drift") + findings(report, "sync.step"), [])
        self.assertEqual((found[4][2]["start_sample"], found[4][2]["end_sample"]), (show.programme, 2 * show.programme))
        self.assertEqual({(owner, item["measured"]) for owner, _, item in findings(report, "sync.pop")}, {("DX", late), ("FX", late)})
        # A stem's time is its reel's, from the first frame of the file on: the finding begins at the first frame of action.
        action = next(reel for reel in show.reels if reel["name"] == "R2")["ffoa"]
        self.assertEqual((found[2][2]["timecode"], found[2][2]["reel_timecode"]), (action, action))
        self.assertEqual(report["verdict"], "warn")

    def test_a_spec_says_how_far_off_fails(self):
        """Of a programme 40 samples late: a limit of 50 holds, one of 30 is broken."""
        show = Leaders(self.folder, pictures=12 * 24, reference={"file": "{reel}_GUIDE.wav", "layout": "mono"})
        whole = []
        for reel in ("R1", "R2"):
            guide = sum(show.audio[reel, stem].sum(axis=1) for stem in Leaders.STEMS)[:, None] / 3
            write_wav(self.folder / "stems" / f"{reel}_GUIDE.wav", guide)
            first = sample(show.first, "24")
            whole.append(guide[first:first + show.programme])
        write_wav(self.folder / "stems" / "LATE.wav", np.roll(np.concatenate(whole), 40, axis=0))
        (self.folder / "specs").mkdir()
        for name, most in (("wide", 50), ("tight", 30)):
            limit = {"check": "sync.offset", "min": -most, "max": most, "severity": "fail", "evidence": "primary", "clause": "1"}
            (self.folder / "specs" / f"{name}.yaml").write_text(json.dumps(
                {"reelmill_spec": 1, "title": name, "version": "1", "source": "house", "limits": [limit]}))
        show.more["deliverables"] = [{"name": name.upper(), "file": "LATE.wav", "layout": "mono", "spec": name}
                                     for name in ("wide", "tight")]
        report = reelmill("qc", "--show", show.write(), "--json").json()
        self.assertEqual({(owner, item["measured"], item["severity"]) for owner, _, item in findings(report, "sync.offset")},
                         {("WIDE", 40, "info"), ("TIGHT", 40, "fail")})

    def test_the_charts_of_a_received_programme_stand_under_one_heading(self):
        show = Leaders(self.folder, pictures=12 * 24, reference={"file": "{reel}_GUIDE.wav", "layout": "mono"})
        whole = []
        for reel in ("R1", "R2"):
            guide = sum(show.audio[reel, stem].sum(axis=1) for stem in Leaders.STEMS)[:, None] / 3
            write_wav(self.folder / "stems" / f"{reel}_GUIDE.wav", guide)
            first = sample(show.first, "24")
            whole.append(guide[first:first + show.programme])
        write_wav(self.folder / "stems" / "GIVEN.wav", np.concatenate(whole))
        show.more["deliverables"] = [{"name": "GIVEN", "file": "GIVEN.wav", "layout": "mono", "spec": "none"}]
        report = reelmill("run", show.write(), "--json").json()
        self.assertEqual(findings(report, "sync.offset"), [])
        page = next(self.folder.rglob("report.html")).read_text()
        self.assertEqual(page.count("Sync against the reference"), 1)
        self.assertEqual([page.count(f"GIVEN {reel}: 0.0 samples") for reel in ("R1", "R2")], [1, 1])


if __name__ == "__main__":
    main()
