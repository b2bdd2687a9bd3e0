"""Bad input, one test each: the exit code of the contract, one clear sentence, nothing left under a final name."""
import json
import os
import shutil
import struct
import subprocess

from farm_kit import ORDER_51, RATE, FarmTest, digests, finish, leftovers, main, noise, reelmill, small_show, start
from farm_kit import wait_until, write_wav

FAIL_QC, BAD_INPUT, FARM_FAILED = 1, 2, 3


class BadInput(FarmTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder)
        self.stem = self.show.folder / "stems" / "R2_DX_51.wav"

    def refused(self, *words, code=BAD_INPUT, command="run", options=(), problems=1):
        """The command is refused with one sentence per problem, the first with all the words, and leaves nothing behind."""
        outcome = reelmill(command, self.show.path, *options)
        self.assertEqual(outcome.code, code, outcome.out + outcome.err)
        lines = [line for line in outcome.err.splitlines() if "error: " in line]
        self.assertEqual(len(lines), problems, outcome.err)
        self.assertEqual([word for word in words if word not in lines[0]], [], lines[0])
        out = self.show.folder / "out"
        self.assertEqual([str(path) for path in out.rglob("*") if path.is_file()] if out.exists() else [], [])
        return lines

    def check_and_run(self, *words, problems=1):
        self.refused(*words, command="check", problems=problems)
        return self.refused(*words, problems=problems)

    # ---- media ----

    def test_missing_reel(self):
        self.stem.unlink()
        self.check_and_run("R2_DX_51.wav", "not there", "deliver it")

    def test_wrong_rate(self):
        write_wav(self.stem, noise(1, 32000 * 12, 6, 0.1), rate=32000)
        self.check_and_run("R2_DX_51.wav", "32000", "48000")

    def test_truncated(self):
        self.stem.write_bytes(self.stem.read_bytes()[:-500000])
        self.check_and_run("R2_DX_51.wav", "truncated", "502000", "copy it again")

    def test_header_promises_more(self):
        blob = bytearray(self.stem.read_bytes())
        at = blob.index(b"data") + 4
        blob[at:at + 4] = struct.pack("<I", 0x70000000)
        self.stem.write_bytes(blob)
        self.check_and_run("R2_DX_51.wav", "promises", "502000", "copy it again")

    def test_zero_length(self):
        self.stem.write_bytes(b"")
        self.check_and_run("R2_DX_51.wav", "empty", "copy it again")

    def test_text_named_wav(self):
        self.stem.write_text("this is a letter, not a recording\n" * 1000)
        self.check_and_run("R2_DX_51.wav", "is text", "export it")

    def test_wrong_channel_count(self):
        write_wav(self.stem, noise(1, RATE * 12, 2, 0.1))
        self.check_and_run("R2_DX_51.wav", "2", "6")

    def test_stem_too_short_for_its_reel(self):
        write_wav(self.stem, noise(1, RATE * 5, 6, 0.1))
        self.check_and_run("R2_DX_51.wav", "02:00:05:00", "02:00:09:10", "deliver it complete")

    def test_longer_stem_is_only_information(self):
        write_wav(self.stem, noise(1, RATE * 30, 6, 0.01))
        outcome = reelmill("check", self.show.path)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("R2_DX_51.wav", outcome.out + outcome.err)

    def test_bext_reference_elsewhere(self):
        write_wav(self.stem, noise(1, RATE * 12, 6, 0.1), time_reference=(3 * 3600) * RATE)
        self.refused("R2_DX_51.wav", "03:00:00:00", command="check")

    def test_all_problems_at_once(self):
        self.stem.unlink()
        (self.show.folder / "stems" / "R1_FX_51.wav").write_bytes(b"")
        (self.show.folder / "stems" / "R1_MX.C.wav").write_text("no")
        lines = self.refused("R2_DX_51.wav", command="check", problems=3)
        for name in ("R1_FX_51.wav", "R1_MX.C.wav"):
            self.assertTrue(any(name in line for line in lines), lines)
        self.show.text["deliverables"][0]["recipe"] = "printmaster-5.2"  # what is no deliverable hides no file that is wrong
        self.show.write()
        lines += self.refused("printmaster-5.2", command="check", problems=4)
        self.assertEqual(len(set(lines)), 4, lines)

    # ---- show files ----

    def test_duplicate_deliverable_names(self):
        self.show.text["deliverables"].append({"name": "pm_51", "recipe": "me-5.1"})
        self.show.write()
        self.check_and_run("pm_51", "show.yaml:")

    def test_lfoa_before_ffoa(self):
        self.show.text["reels"][0]["lfoa"] = "01:00:01:00"
        self.show.write()
        self.check_and_run("01:00:01:00", "show.yaml:")

    def test_timecode_that_does_not_exist(self):
        self.show.text["reels"][0]["ffoa"] = "01:00:02:24"
        self.show.write()
        self.check_and_run("01:00:02:24", "show.yaml:")

    def test_misspelt_key(self):
        self.show.text["delivrables"] = self.show.text.pop("deliverables")
        self.show.write()
        self.check_and_run("delivrables", "did you mean \"deliverables\"", problems=2)

    def test_unknown_recipe(self):
        self.show.text["deliverables"][0]["recipe"] = "printmaster-5.2"
        self.show.write()
        self.check_and_run("printmaster-5.2", "printmaster-5.1")

    def test_billion_laughs(self):
        rungs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        rungs += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        self.show.path.write_text("reelmill: 1\n" + "\n".join(rungs) + "\n")
        self.check_and_run("show.yaml:2:", "anchors")

    def test_cycle_of_anchors(self):
        self.show.path.write_text("reelmill: 1\nstems: &loop\n  DX: *loop\n")
        self.check_and_run("show.yaml:3:", "anchors")

    def test_show_file_that_is_not_there(self):
        self.show.path.unlink()
        self.refused("show.yaml")

    # ---- levels ----

    def test_sum_over_full_scale(self):
        """It is made, clamped, and fails, as one finding: how many samples, in which channels, where and by how much."""
        for stem in ("DX", "FX"):
            write_wav(self.show.folder / "stems" / f"R2_{stem}_51.wav", noise(1, RATE * 12, 6, 0.3).clip(-0.9, 0.9))
        outcome = reelmill("run", self.show.path, "--only", "PM_51")
        self.assertEqual(outcome.code, FAIL_QC, outcome.err)
        lines = [line for line in outcome.err.splitlines() if "fail: " in line]
        self.assertEqual(len(lines), 1, outcome.err)
        for said in (f"full scale in {', '.join(ORDER_51)} from 01:00:", "at 6 places", "samples were clamped", "a gain of -6"):
            self.assertIn(said, lines[0])

    # ---- output ----

    def test_unwritable_output(self):
        (self.show.folder / "blocked").write_text("a file where a folder is wanted")
        self.refused("blocked", code=FARM_FAILED, options=("--out", self.show.folder / "blocked"))

    def full_disk(self, megabytes):
        """A file system of that size, or a clean skip."""
        disk = self.folder / "disk"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", disk], capture_output=True,
                              check=False)
        if done.returncode != 0:
            print("skipped: a small file system cannot be mounted here")
            self.skipTest("no mount")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", disk], check=False))
        return disk

    def test_disk_full_before_rendering(self):
        disk = self.full_disk(10)
        outcome = reelmill("run", self.show.path, "--out", disk)
        self.assertEqual(outcome.code, FARM_FAILED, outcome.err)
        self.assertIn("are free; free space", outcome.err)
        self.assertEqual(digests(disk), {})
        self.assertEqual([path for path in disk.rglob("*.part")], [])
        self.show.text["output"] = str(disk / "not" / "yet")  # what would be found then is told before
        self.show.write()
        for command in ("check", "plan"):
            outcome = self.passes(reelmill(command, self.show.path))
            self.assertRegex(outcome.err, rf"warning: the deliverables take 0\.0\d GB and the disk of the output folder '{disk}/not/yet' has")
        self.show.text["output"] = str(self.folder)
        self.show.write()
        self.assertNotIn("warning", self.passes(reelmill("check", self.show.path)).err)

    def test_disk_full_during_rendering(self):
        """Somebody else fills the disk once the outputs are reserved: they come out whole, what cannot be written is named."""
        disk = self.full_disk(80)
        process = start("run", self.show.path, "--out", disk, "--cells-per-task", 1)
        self.assertTrue(wait_until(process, lambda: len(list(disk.rglob("*.wav.*.part"))) == 5))
        with open(disk / "somebody_elses_file", "wb") as filler:
            try:
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
            except OSError:
                pass
        outcome = finish(process)
        self.assertEqual(outcome.code, FARM_FAILED, outcome.err)
        self.assertIn("free", outcome.err)
        self.assertEqual(leftovers(disk), [])
        self.passes(reelmill("run", self.show.path))
        complete = digests(self.show.folder / "out")
        for name, digest in digests(disk).items():
            self.assertEqual(digest, complete[name])

    def test_published_files_are_not_replaced(self):
        self.passes(reelmill("run", self.show.path))
        before = digests(self.show.folder / "out")
        reports = self.show.output() / "report"
        proof = {path.name: path.read_bytes() for path in reports.iterdir()}
        self.assertIn("report.json", proof)
        write_wav(self.stem, noise(99, RATE * 12, 6, 0.05))
        outcome = reelmill("run", self.show.path)
        self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
        refused = [line for line in outcome.err.splitlines() if "error: " in line]
        self.assertEqual(sorted(name for name in ("PM_51", "PM_20", "DX_51", "ME_51", "ME_20")
                                for line in refused if f"NIGHT_TRAIN_{name}.wav" in line), ["DX_51", "PM_20", "PM_51"])
        self.assertEqual(len(refused), 3)
        self.assertTrue(all("other bytes" in line and "--replace" in line for line in refused), refused)
        self.assertIn("Verdict: incomplete", outcome.err)  # what was judged is not what lies there
        self.assertEqual(digests(self.show.folder / "out"), before)
        # The report of what lies there stays; that of this run lies beside, and the last words say where.
        self.assertEqual({path.name: path.read_bytes() for path in reports.iterdir() if path.is_file()}, proof)
        self.assertIn(str(reports / "unpublished" / "report.html"), outcome.err)
        self.assertIn(f"so was its report, in {reports}.", outcome.err)
        tried = json.loads((reports / "unpublished" / "report.json").read_text())
        self.assertEqual(tried["verdict"], "incomplete")
        self.assertTrue(all((reports / "unpublished" / name).exists() for name in proof))
        # Nothing is wrong with the sound, so the summary and the cover say what is.
        self.assertRegex(outcome.err, r"PM_20 +unpublished pass\n")
        cover = (reports / "unpublished" / "report.html").read_text().split("</header>")[0]
        self.assertIn("3 were not delivered.", cover)
        self.assertIn("Not delivered: NIGHT_TRAIN/v01/PM_51/NIGHT_TRAIN_PM_51.wav: a published file", cover)
        self.passes(reelmill("run", self.show.path, "--replace"))
        self.assertNotEqual((reports / "report.json").read_bytes(), proof["report.json"])
        self.assertFalse((reports / "unpublished").exists())  # out of date now
        after = digests(self.show.folder / "out")
        self.assertNotEqual(after["NIGHT_TRAIN/v01/DX_51/NIGHT_TRAIN_DX_51.wav"],
                            before["NIGHT_TRAIN/v01/DX_51/NIGHT_TRAIN_DX_51.wav"])
        self.assertEqual(after["NIGHT_TRAIN/v01/ME_51/NIGHT_TRAIN_ME_51.wav"],
                         before["NIGHT_TRAIN/v01/ME_51/NIGHT_TRAIN_ME_51.wav"])

    # ---- qc of files that are no media ----

    def test_qc_of_what_is_no_media(self):
        for name, content in (("empty.wav", b""), ("text.wav", b"hello\n" * 100), ("cut.wav", self.stem.read_bytes()[:60])):
            with self.subTest(file=name):
                path = self.folder / name
                path.write_bytes(content)
                outcome = reelmill("qc", path)
                self.assertEqual(outcome.code, BAD_INPUT, outcome.out + outcome.err)
                self.assertEqual([name in line for line in outcome.err.splitlines() if "error: " in line], [True])
        self.assertEqual(reelmill("qc", self.folder / "nowhere.wav").code, BAD_INPUT)

    def test_qc_of_a_file_whose_name_is_no_text(self):
        """It is told, alone or beside others, and the others are judged; a folder's name may be anything."""
        folder = self.folder / "names"
        folder.mkdir()
        shutil.copy(self.stem, folder / "good.wav")
        for name, shown, wrong in ((b"b\xe4d.wav", "b\\xE4d.wav", "is not UTF-8"), (b"b\nd.wav", "b?d.wav", "holds a control character"),
                                   (b"b\xc2\x9bd.wav", "b?d.wav", "holds a control character")):
            odd = os.fsencode(folder) + b"/" + name
            shutil.copy(self.stem, odd)
            alone = reelmill("qc", os.fsdecode(odd))
            self.assertEqual((alone.code, alone.out), (BAD_INPUT, ""), alone.err)
            outcome = reelmill("qc", folder, "--json")  # the others are judged, and the report does not pass without it
            self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
            for text in (alone.err, outcome.err):
                self.assertIn(f"'{folder / shown}' {wrong}", text)
            self.assertIn("1 file cannot be judged, see above; judged are the other 1", outcome.err)
            self.assertEqual({p["deliverable"]: p["verdict"] for p in outcome.json()["programmes"] if p["reel"] is None},
                             {"good": "pass", str(folder / shown): "incomplete"})
            os.unlink(odd)
        os.rename(folder, os.fsencode(self.folder) + b"/n\xe4mes")
        outcome = reelmill("qc", os.fsdecode(os.fsencode(self.folder) + b"/n\xe4mes"), "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("/n\\xE4mes/good.wav", outcome.json()["programmes"][0]["files"][0])

    def test_qc_names_files_as_they_were_given(self):
        """A link beside its file, and a file that cannot be judged, stand in the report under the name that was given."""
        folder = self.folder / "given"
        (folder / "deep").mkdir(parents=True)
        shutil.copy(self.stem, folder / "a.wav")
        (folder / "z.wav").symlink_to("a.wav")
        (folder / "deep" / "cut.wav").write_bytes(self.stem.read_bytes()[:60])
        outcome = reelmill("qc", folder, "--json")
        self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
        self.assertEqual([p["files"] for p in outcome.json()["programmes"] if p["reel"] is None],
                         [[f"{folder}/{name}"] for name in ("a.wav", "z.wav", "deep/cut.wav")])


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("not root: tests with a file system of their own are skipped")
    main()
