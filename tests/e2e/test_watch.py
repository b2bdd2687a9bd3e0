"""Folders that are dropped in, and what runs when a job ends: nothing twice, nothing lost, whoever is killed."""
import json
import os
import signal
import subprocess
import wave

from farm_kit import BIN, FarmTest, environment, main, wait_until
from hand_farm import Farm

PRESET = """reelmill: 1
title: {folder}
version: v01
frame_rate: 24
media: .
stems:
  DX: {role: dialogue, layout: mono, file: "DX.wav"}
deliverables:
  - {name: DXC, recipe: stem, stem: DX, spec: none}
output: out
"""


class Watch(FarmTest):
    def setUp(self):
        super().setUp()
        self.drop = self.folder / "drop"
        self.drop.mkdir()
        (self.folder / "preset.yaml").write_text(PRESET)
        hook = self.folder / "hook"
        hook.write_text(f"#!/bin/sh\n[ \"$REELMILL_TITLE\" = Slow ] && sleep 1000\ncat > {self.folder}/told-$REELMILL_JOB.new\n"
                        f"echo \"$1 $REELMILL_TITLE $REELMILL_VERDICT $REELMILL_EXIT_CODE\" > {self.folder}/words-$REELMILL_JOB\n"
                        f"mv {self.folder}/told-$REELMILL_JOB.new {self.folder}/told-$REELMILL_JOB\n")
        hook.chmod(0o755)
        self.farm = Farm(self, self.folder, workers=("one",), more=f"on_end: [{hook}, \"an argument; not a shell's\"]\n")
        self.coordinator = self.farm.processes["coordinator"]
        self.said = (self.folder / "said").open("ab")
        self.addCleanup(self.said.close)

    def fill(self, name, ready=True):
        folder = self.drop / name
        folder.mkdir()
        with wave.open(str(folder / "DX.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(3)
            out.setframerate(48000)
            out.writeframes(bytes(3 * 48000))
        if ready:
            (folder / "READY").touch()

    def watch(self):
        process = subprocess.Popen([BIN / "reelmill", "watch", self.drop, "--preset", self.folder / "preset.yaml", "--settle", "1",
                                    *map(str, self.farm.link())], stderr=self.said, env=environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def jobs(self):
        return self.passes(self.farm.ask("status", "--json")).json()["jobs"]

    def test_folders(self):
        self.fill("Night Train")
        self.fill("Copying", ready=False)
        self.fill("Bad {name}")
        own = self.folder / "of somebody"  # links and pipes of whoever fills the folders: not followed, not waited for
        own.write_text("mine")
        (self.drop / "Bad {name}" / "reelmill-result.json").symlink_to(own)
        evil = "Bad \x1b[2J\nreelmill: x: done\u202e"  # on a terminal: one line, and nothing that it obeys
        self.fill(evil)
        self.fill("Wrong show")
        (self.drop / "Wrong show" / "show.yaml").write_text(PRESET.replace("{folder}", "Wrong").replace("version", "versoin"))
        self.fill("A pipe")
        os.mkfifo(self.drop / "A pipe" / ".reelmill-watch")
        watcher = self.watch()
        done, failed = self.drop / "done", self.drop / "failed"
        self.assertTrue(wait_until(self.coordinator, lambda: b"watching" in (self.folder / "said").read_bytes()))
        second = self.farm.ask("watch", self.drop)
        self.assertEqual((second.code, "another `reelmill watch` tends" in second.err), (2, True), second.err)
        self.assertTrue(wait_until(self.coordinator, lambda: (done / "Night Train").is_dir() and (failed / "Bad {name}").is_dir()
                                  and (failed / "Wrong show").is_dir()))
        result = json.loads((done / "Night Train" / "reelmill-result.json").read_text())
        self.assertEqual((result["title"], result["state"], result["exit_code"]), ("Night Train", "ended", 0))
        made = [path.name for path in (done / "Night Train" / "out").rglob("*.wav")]
        self.assertEqual(made, ["NIGHT_TRAIN_DXC.wav"])
        self.assertTrue(wait_until(self.coordinator, lambda: b"?reelmill: x: done?: failed\n" in (self.folder / "said").read_bytes()))
        said = (self.folder / "said").read_text()
        self.assertTrue((failed / evil).is_dir())
        self.assertFalse(set("\x1b\u202e") & set(said), said)
        self.assertNotIn("\nreelmill: x", said)
        self.assertIn("letters without accents", json.loads((failed / "Bad {name}" / "reelmill-result.json").read_text())["message"])
        told = json.loads((failed / "Wrong show" / "reelmill-result.json").read_text())
        self.assertIn(("show.yaml", 3), [(item["file"], item["line"]) for item in told["problems"]])
        self.assertIn('unknown key "versoin"', told["problems"][0]["message"])
        self.assertEqual(own.read_text(), "mine")
        self.assertTrue((self.drop / "A pipe").is_dir())
        self.assertTrue((self.drop / "Copying").is_dir())  # nobody said that it is complete
        # A note that names somebody's job is not believed: nothing of that job comes here.
        self.fill("Forged")
        (self.drop / "Forged" / ".reelmill-watch").write_text(f"{'0' * 32} job {result['job']}\n")
        self.assertTrue(wait_until(self.coordinator, lambda: (failed / "Forged").is_dir()))
        self.assertIn("not this folder's", json.loads((failed / "Forged" / "reelmill-result.json").read_text())["message"])
        # The hook was told, with its argument as one word, and with the document on its standard input.
        job = result["job"]
        told = self.folder / f"told-{job}"
        self.assertTrue(wait_until(self.coordinator, told.is_file))
        self.assertEqual((self.folder / f"words-{job}").read_text(), f"an argument; not a shell's Night Train {result['verdict']} 0\n")
        self.assertEqual(json.loads(told.read_text())["job"], job)
        # The file for probes: its time rises while the worker's loop turns, and stands still once it is gone.
        alive = self.folder / "one.alive"
        before = alive.stat().st_mtime_ns
        self.assertTrue(wait_until(self.coordinator, lambda: alive.stat().st_mtime_ns > before))
        # Killed after the job's number is written down, started again: the same job, no second one.
        self.farm.kill("one")
        (self.drop / "Copying" / "READY").touch()
        note = self.drop / "Copying" / ".reelmill-watch"
        self.assertTrue(wait_until(self.coordinator, lambda: note.is_file() and " job 0" not in note.read_text()))
        watcher.kill()
        watcher.wait()
        # And as if it had been killed before the answer came: the request alone is known, and sent again.
        note.write_text(note.read_text().split(" ")[0] + " job 0\n")
        watcher = self.watch()
        self.farm.start("one")
        self.assertTrue(wait_until(self.coordinator, (done / "Copying").is_dir))
        self.assertEqual(sorted(job["title"] for job in self.jobs()), ["Copying", "Night Train"])
        watcher.send_signal(signal.SIGTERM)
        self.assertEqual(watcher.wait(timeout=30), 0)

    def test_what_a_stranger_drops(self):
        """Names and files of all sorts: each goes to done or failed, and those beside it go on."""
        own = self.folder / "of somebody.wav"
        own.write_bytes(b"mine")
        done, failed = self.drop / "done", self.drop / "failed"
        self.fill("Link out")
        (self.drop / "Link out" / "DX.wav").unlink()
        (self.drop / "Link out" / "DX.wav").symlink_to(own)
        self.fill("Pipe")
        (self.drop / "Pipe" / "DX.wav").unlink()
        os.mkfifo(self.drop / "Pipe" / "DX.wav")
        self.fill("Show is a pipe")
        os.mkfifo(self.drop / "Show is a pipe" / "show.yaml")
        self.fill("Show is a link")
        (self.drop / "Show is a link" / "show.yaml").symlink_to("/dev/zero")
        own_show = PRESET.replace("{folder}", "Own")
        names = [b"Not \xff\xfe text", b"Line\nfeed \x1b[2J", "Stra\u00dfe \u202e".encode(), b"long" * 63 + b"255"]
        for number, name in enumerate(names):
            self.fill("Next")
            os.rename(self.drop / "Next", os.path.join(os.fsencode(self.drop), name))
            self.fill("Next")
            (self.drop / "Next" / "show.yaml").write_text(own_show.replace("Own", f"Own {number}"))
            os.rename(self.drop / "Next", os.path.join(os.fsencode(self.drop), name[:240] + b" own"))
        self.fill("Plain last")
        self.watch()
        go_on = {"Plain last", os.fsdecode(names[2] + b" own"), os.fsdecode(names[3][:240] + b" own")}
        self.assertTrue(wait_until(self.coordinator, lambda: {path.name for path in self.drop.iterdir()} ==
                                   {"done", "failed", ".reelmill-watcher"}))
        self.assertEqual({path.name for path in done.iterdir()}, go_on)
        self.assertEqual(len(list(failed.iterdir())), 10)

        def why(name):
            told = json.loads((failed / os.fsdecode(name) / "reelmill-result.json").read_text())
            return "; ".join([told.get("message") or ""] + [item["message"] for item in told.get("errors", told.get("problems"))])
        for name in names[:3]:
            self.assertIn("the name becomes the title", why(name))
        self.assertIn("no slug can be made from the title", why(names[3]))
        for name in names[:2]:
            self.assertIn("rename that folder", why(name + b" own"))
        self.assertIn("no regular file", why(b"Show is a pipe"))
        self.assertIn("no regular file", why(b"Show is a link"))
        self.assertIn("is a named pipe", why(b"Pipe"))
        self.assertIn("leads out of the media root", why(b"Link out"))
        self.assertEqual(own.read_bytes(), b"mine")
        said = (self.folder / "said").read_text()
        self.assertFalse(set("\x1b\u202e") & set(said), said)

    def test_a_hook_that_hangs_holds_up_nobody(self):
        self.fill("Slow")
        self.fill("Other")
        self.fill("Bad {name}")
        elsewhere = self.folder / "elsewhere"  # a link where dropped folders go: they stay
        elsewhere.mkdir()
        (self.drop / "failed").symlink_to(elsewhere)
        self.watch()
        self.assertTrue(wait_until(self.coordinator, lambda: all((self.drop / "done" / name).is_dir() for name in ("Slow", "Other"))))
        other = next(job["job"] for job in self.jobs() if job["title"] == "Other")
        self.assertTrue(wait_until(self.coordinator, (self.folder / f"told-{other}").is_file))
        self.assertEqual(list(elsewhere.iterdir()), [])
        self.assertTrue((self.drop / "Bad {name}" / "reelmill-result.json").is_file())
        self.coordinator.terminate()
        self.assertEqual(self.coordinator.wait(timeout=30), 0)
        hanging = subprocess.run(["pgrep", "-f", f"{self.folder}/hook"], capture_output=True, text=True, check=False)
        self.assertEqual(hanging.stdout, "")  # gone with it


if __name__ == "__main__":
    os.umask(0o022)
    main()
