"""The command line as an ops person has it: one farm, its jobs and nodes looked at, steered and explained; the shell's help."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

from farm_kit import (BIN, FarmTest, digests, environment, finish, leftovers, main, noise, reelmill, small_show, start, wait_until,
                      write_wav)
from hand_farm import Farm

PATIENCE_S = 30


def on_a_terminal(columns, *words):
    """The lines that a command writes on a terminal that is so wide."""
    terminal, stdout = pty.openpty()
    fcntl.ioctl(stdout, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([BIN / "reelmill", *map(str, words)], stdout=stdout, env=environment()) as process:
        os.close(stdout)
        seen = b""
        while True:
            try:
                seen += os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
    os.close(terminal)
    assert process.returncode == 0, seen
    return seen.decode().splitlines()


class Steering(FarmTest):
    def test_tables_fit_the_terminal(self):
        """At 80 columns no row is longer, a reason stands below its row; a title in any script fills as many columns as another."""
        farm = Farm(self, self.folder)
        show = small_show(self.folder)
        show.text["title"] = "Příliš žluťoučký kůň úpěl ďábelské ódy"
        show.write()
        self.passes(farm.ask("drain", "one", "two", "--reason", "disk swap"))
        self.passes(farm.ask("submit", show.path))
        head, row, reason = on_a_terminal(80, "status", *farm.link())
        self.assertLessEqual(max(len(head), len(row)), 80)
        self.assertEqual((row[10:24], row.index(" v01")), ("Příliš žluťouč", head.index(" VERSION")))
        self.assertRegex(reason, r"^ +\(no node takes work: of 2, 2 are drained")
        lines = on_a_terminal(80, "nodes", *farm.link())
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertEqual([line.strip() for line in lines[2::2]], ["(disk swap)"] * 2)
        wide = on_a_terminal(200, "status", *farm.link())
        self.assertEqual(wide, self.passes(farm.ask("status")).out.splitlines())
        self.assertEqual(wide[1].index("v01"), wide[0].index("VERSION"))

    def test_qc_names_the_file_first_whatever_the_width(self):
        """A name that leaves no room for figures stands whole above them; the folder that all lie in is said once."""
        folder = self.folder / "catalogue"
        names = ["A.wav", "S01/Ä_programme.wav"]
        for name in names + ["S01/" + "x" * 60 + ".wav"]:
            write_wav(folder / name, noise(1, 48000, 2, 0.05))
        for columns, given in ((80, names), (100, names), (200, [*names, "S01/" + "x" * 60 + ".wav"])):
            head, shared, *rows = on_a_terminal(columns, "qc", *(folder / name for name in given))
            self.assertEqual((head.split()[:2], shared.strip()), (["VERDICT", "PROGRAMME"], f"{folder}/:"))
            self.assertEqual([row.split()[:2] for row in rows], [["pass", name] for name in given])
            self.assertLessEqual(max(map(len, [head, *rows])), columns)
            self.assertEqual({len(row) for row in rows}, {head.index("WARN") + 4})
        head, shared, *rows = on_a_terminal(80, "qc", folder)
        told = [row.split()[:2] for row in rows if row.startswith("pass")]
        self.assertCountEqual(told, [["pass", name] for name in (*names, "S01/" + "x" * 60 + ".wav")])
        self.assertEqual({len(row) for row in rows if "-20." in row}, {head.index("WARN") + 4})  # one of three is too long
        self.assertEqual(len([row for row in rows if row.startswith(" ")]), 2)
        self.assertIn("CHECKS", head)

    def test_a_farm_is_looked_at_steered_and_explained(self):
        farm = Farm(self, self.folder)
        show = small_show(self.folder)
        self.passes(farm.ask("drain", "one", "two", "--reason", "disk swap"))
        out = self.passes(farm.ask("nodes")).out
        self.assertRegex(out, r"one +drained +1 .*shows +disk swap")

        # A job that nobody takes says why, and what to try; so does its task.
        self.passes(farm.ask("submit", show.path, "--priority", "3", "--deadline", "2096-11-22T06:00+01:00", "--at-once", "1"))
        self.assertIn("deadline: 2096-11-22T05:00:00Z", self.passes(farm.ask("status", "1")).out)
        self.assertRegex(self.passes(farm.ask("status")).out, r"\n +1 PD Night Train .*chief +3 .*\(no node takes work: of 2, 2 are drained")
        self.assertIn("no node takes work", self.passes(farm.ask("explain", "last")).out)
        self.assertRegex(self.passes(farm.ask("explain", "1.0")).out, r"job 1 task 0: probe R1_DX_51.wav: ready: no node")
        self.assertRegex(self.passes(farm.ask("explain", "1.16")).out, r"waits for 16 tasks(.|\n)*task 15: probe")

        # hold, prio, release; held work waits although there are nodes.
        self.passes(farm.ask("hold", "all", "--reason", "wait for the mixer"))
        self.passes(farm.ask("prio", "-5", "last"))
        self.passes(farm.ask("undrain", "one", "two"))
        row = self.passes(farm.ask("status", "1-3")).out
        self.assertRegex(row, r"\n +1 H  .* -5 .*held; `reelmill release 1`")
        self.assertEqual(farm.job(1)["held"], True)
        follower = start("logs", "last", "-f", *farm.link())
        self.passes(farm.ask("release", "1"))
        self.passes(farm.ask("wait", "1"))

        # The log was followed to the end; its lines tell job, task, epoch and worker; it outlives the coordinator.
        log = self.passes(finish(follower)).out
        self.assertRegex(log, r'level=debug event=task.done job=1 task=\d+ epoch=1 worker="(one|two)" kind=render')
        self.assertIn('event=job.steered job=1 verb=hold value="" reason="wait for the mixer"', log)
        self.assertIn("event=job.ended", log.splitlines()[-1])
        farm.kill("coordinator")
        farm.start("coordinator")
        self.assertEqual(self.passes(farm.ask("logs", "1")).out, log)
        self.assertRegex((self.folder / "one.log").read_text(), r'event=session.welcomed worker="one"')

        # A job that fails: wait names the tasks, their first errors and the next command; retry and explain agree.
        (show.folder / "stems" / "R2_FX_51.wav").write_bytes(b"no audio")
        show.text["version"] = "v02"
        show.write()
        self.passes(farm.ask("submit", show.path))
        waited = farm.ask("wait", "last")
        self.assertEqual(waited.code, 2)
        self.assertRegex(waited.err, r"R2_FX_51.wav(.|\n)*`reelmill explain 2` says what failed; when that is mended, `reelmill check")
        self.assertRegex(self.passes(farm.ask("explain", "2")).out, r"job 2: Night Train: F: .*R2_FX_51.wav(.|\n)*next: reelmill")
        self.assertRegex(self.passes(farm.ask("status", "all")).out, r"\n +2 F (.|\n)*\n +1 CD ")
        self.assertEqual((farm.job(2)["progress"], farm.job(1)["progress"]), (0.0, 1.0))  # it has not even a plan
        told = [line.split(": ", 2)[2] for line in self.passes(farm.ask("status", "2")).out.splitlines() if "  error: " in line]
        self.assertEqual(len(told), len(set(told)), told)
        for words, said in ((("explain", "9"), "there is no job 9"), (("explain", "1.999"), "its tasks are 0 to"),
                            (("explain", "1.x"), "names no task"), (("hold", "2"), "has ended already"),
                            (("prio", "high", "1"), "is no priority"), (("status", "7-9"), "no job is meant")):
            outcome = farm.ask(*words)
            self.assertEqual((outcome.code, said in outcome.err), (2, True), (words, outcome.err))

        # A changed file is taken on SIGHUP; one with a mistake is not, and says where it is.
        config = self.folder / "coordinator.yaml"
        config.write_text(config.read_text().replace("cells_per_task: 1", "cells_per_task: 2") + "log: debug\n")
        coordinator, log = farm.processes["coordinator"], self.folder / "coordinator.log"
        coordinator.send_signal(1)
        self.assertTrue(wait_until(coordinator, lambda: "event=config.reloaded" in log.read_text()))
        self.assertIn("event=config.restart_needed key=cells_per_task", log.read_text())
        config.write_text(config.read_text() + "lgo: info\n")
        coordinator.send_signal(1)
        self.assertTrue(wait_until(coordinator, lambda: "event=config.refused" in log.read_text()))
        self.assertRegex(log.read_text(), r"coordinator.yaml:\d+:1: unknown key 'lgo'")

        # The doctor finds this node well, alone and as a pair, and leaves nothing behind; then one that is not.
        before = sorted(path.name for path in self.folder.iterdir())
        well = self.passes(reelmill("doctor", "--config", self.folder / "one.yaml")).out
        for word in ("coordinator", "versions", "clock", "executor", "codecs", "keys", "shows"):
            self.assertRegex(well, rf"(?m)^ok +{word} ")
        other = start("doctor", "--config", self.folder / "two.yaml", "--pair", "2")
        self.assertIn("this machine and the other", self.passes(reelmill("doctor", "--config", self.folder / "one.yaml", "--pair", "1")).out)
        self.passes(finish(other))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), before)
        ill = self.folder / "ill.yaml"
        ill.write_text((self.folder / "one.yaml").read_text().replace(f"shows: {self.folder}", "shows: /proc, lost: /nowhere"))
        sick = reelmill("doctor", "--config", ill)
        self.assertEqual(sick.code, 3)
        self.assertRegex(sick.out, r"(?m)^FAIL shows .*\n(.|\n)*^FAIL lost .*/nowhere")


class HalfInstalled(FarmTest):
    def test_a_program_of_executors_from_elsewhere_is_named_at_once(self):
        """Neither the doctor nor a run takes a program for an executor that merely runs."""
        parts = BIN.parent / "lib" / "reelmill"
        for program in (BIN / "reelmill", BIN / "reelmill-coordinator", BIN / "reelmill-worker", *parts.iterdir()):
            there = self.folder / "installed" / program.relative_to(BIN.parent)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true" if program.name.startswith("reelmill-executor") else program, there)
        (self.folder / "worker.yaml").write_text(f"name: one\nroots: {{shows: {{path: {self.folder}}}}}\n")
        for words in (("reelmill-worker", "--doctor", "--plain", "--coordinator", "tcp://127.0.0.1:1", "--config", self.folder / "worker.yaml"),
                      ("reelmill", "run", small_show(self.folder).path)):
            with self.subTest(program=words[0]):
                done = subprocess.run([self.folder / "installed" / "bin" / words[0], *words[1:]], capture_output=True, text=True,
                                      timeout=PATIENCE_S, env=environment(), check=False)
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertRegex(done.stdout + done.stderr, r"executors' program \S+/reelmill-executor-\S+ says of itself 'true \(.*', and this worker is "
                                 r"'reelmill [0-9.]+, protocol .*': they were not installed together; install reelmill anew, whole")

    def test_a_folder_that_is_too_deep_is_called_so(self):
        deep = self.folder.joinpath(*["deep" * 60] * 4)
        deep.mkdir(parents=True)
        shutil.copy(BIN / "reelmill-worker", deep)
        done = subprocess.run(["./reelmill-worker", "--version"], cwd=deep, capture_output=True, text=True, env=environment(), check=False)
        self.assertEqual((done.returncode, done.stderr), (
            75, "reelmill-worker: error: cannot find out where reelmill is installed: File name too long\n"))


class Disaster(FarmTest):
    def test_a_farm_comes_back_from_a_backup_that_was_made_while_it_ran(self):
        farm = Farm(self, self.folder)
        show = small_show(self.folder)
        self.passes(farm.ask("submit", show.path, "--wait"))
        report = self.passes(farm.ask("report", "1")).out
        show.text["version"] = "v02"
        show.write()
        self.passes(farm.ask("submit", show.path))
        coordinator = farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: farm.job(2)["tasks_done"] >= 20))
        self.passes(farm.ask("hold", "2"))  # what goes on after a backup may publish what the backup does not know of
        self.assertTrue(wait_until(coordinator, lambda: farm.job(2)["tasks_running"] == 0))
        self.passes(farm.ask("backup", self.folder / "saved"))
        self.passes(farm.ask("backup", self.folder / "older"))
        self.assertEqual(farm.ask("backup", self.folder / "saved").code, 2)  # never over another
        self.assertEqual(farm.ask("backup", "saved").code, 2)
        inside = farm.ask("backup", self.folder / "state" / "job-3")
        self.assertEqual((inside.code, "state folder" in inside.err), (2, True), inside.err)
        farm.kill("coordinator")
        shutil.rmtree(self.folder / "state")

        restore = ("restore", self.folder / "saved", "--state", self.folder / "state")
        self.assertRegex(self.passes(reelmill(*restore)).err, "2 jobs are back")
        again = reelmill(*restore)
        self.assertEqual((again.code, "is not empty" in again.err), (2, True), again.err)
        farm.start("coordinator")
        self.passes(farm.ask("release", "2"))
        self.passes(farm.ask("wait", "2"))
        self.assertEqual(self.passes(farm.ask("report", "1")).out, report)
        second = digests(show.output().parent / "v02")
        self.passes(reelmill("run", show.path, "--out", self.folder / "again"))
        self.assertEqual(second, digests(show.output("again").parent / "v02"))
        self.assertEqual(leftovers(self.folder / "out"), [])
        terms = [int(term) for term in re.findall(r"session.welcomed .*term=(\d+)", (self.folder / "one.log").read_text())]
        self.assertGreater(terms[-1], 1 << 20)

        # A backup of before job 2 went on: what it had under way is published since. It fails, says what to do, and that does it.
        farm.kill("coordinator")
        shutil.rmtree(self.folder / "state")
        self.passes(reelmill("restore", self.folder / "older", "--state", self.folder / "state"))
        farm.start("coordinator")
        self.passes(farm.ask("release", "2"))
        behind = farm.ask("wait", "2")
        self.assertEqual((behind.code, "`reelmill retry JOB`" in behind.err), (3, True), behind.err)
        self.passes(farm.ask("retry", "2"))
        self.passes(farm.ask("wait", "2"))
        self.assertEqual(second, digests(show.output().parent / "v02"))
        self.assertEqual(leftovers(self.folder / "out"), [])

        # Damage is told, not restored.
        journal = self.folder / "saved" / "journal.db"
        journal.write_bytes(b"\0" * 4096 + journal.read_bytes()[4096:])
        damaged = reelmill("restore", self.folder / "saved", "--state", self.folder / "other")
        self.assertEqual((damaged.code, "damaged" in damaged.err), (3, True), damaged.err)


class RestoreAsRoot(FarmTest):
    NOBODY = 65534

    def test_a_service_user_leads_root_nowhere(self):
        """Its folder may hold links: root restores as that user, and reaches what that user reaches."""
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        self.folder.chmod(0o711)
        saved, home, secret = (self.folder / name for name in ("saved", "home", "secret"))
        (saved / "job-1").mkdir(parents=True)
        with sqlite3.connect(saved / "journal.db") as journal:
            journal.execute("CREATE TABLE farm (key TEXT, value)")
            journal.execute("INSERT INTO farm VALUES ('format', 1), ('term', 1)")
        journal.close()
        (saved / "job-1" / "log").write_text("what happened\n")
        home.mkdir()
        secret.mkdir(mode=0o700)
        for path in (home, saved, *saved.rglob("*")):
            os.chown(path, self.NOBODY, self.NOBODY)
        (home / "link").symlink_to(secret)
        led = reelmill("restore", saved, "--state", home / "link")
        self.assertEqual((led.code, "Permission denied" in led.err), (3, True), led.err)
        self.assertEqual(list(secret.iterdir()), [])
        self.passes(reelmill("restore", saved, "--state", home / "state"))
        made = [home / "state", *(home / "state").rglob("*")]
        self.assertEqual(len(made), 4)
        self.assertEqual({path.stat().st_uid for path in made}, {self.NOBODY})


class Retention(FarmTest):
    def test_jobs_that_ended_long_ago_are_forgotten(self):
        farm = Farm(self, self.folder, more="keep_jobs_days: 30\n")
        show = small_show(self.folder)
        for version in ("v01", "v02", "v03"):
            show.text["version"] = version
            show.write()
            self.passes(farm.ask("submit", show.path, "--wait", "--only", "DX_51"))

        # What was only asked is in no list; a job that ended before a start is read back when somebody asks.
        self.passes(farm.ask("plan", show.path))
        asked = [("status", "3", "--json"), ("explain", "3"), ("explain", "3.20"), ("status", "all", "--json")]
        before = [self.passes(farm.ask(*words)).out for words in asked]
        farm.kill("coordinator")
        farm.start("coordinator")
        self.assertEqual([self.passes(farm.ask(*words)).out for words in asked], before)
        self.assertEqual([job["job"] for job in self.passes(farm.ask("status", "all", "--json")).json()["jobs"]], [3, 2, 1])

        # The first two jobs ended in another year, as the journal has it: record kind 6 is version, job, moment, outcome.
        farm.kill("coordinator")
        with sqlite3.connect(self.folder / "state" / "journal.db") as journal:
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 6").fetchall()[:2]:
                journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?",
                                (record[:5] + struct.pack("<Q", 1_600_000_000_000) + record[13:], sequence))
        journal.close()
        size = self.records()
        farm.start("coordinator")
        coordinator, log = farm.processes["coordinator"], self.folder / "coordinator.log"
        self.assertTrue(wait_until(coordinator, lambda: "event=job.forgotten job=2" in log.read_text()))
        for _ in range(3):  # the second start has less to read, the third nothing to forget
            self.assertEqual([job["job"] for job in self.passes(farm.ask("status", "--json")).json()["jobs"]], [3])
            self.assertIn("there is no job 1", farm.ask("report", "1").err)
            self.assertFalse((self.folder / "state" / "job-1").exists())
            farm.kill("coordinator")
            farm.start("coordinator")
        self.assertLess(self.records(), size // 2)
        self.passes(farm.ask("report", "3"))
        show.text["version"] = "v04"
        show.write()
        self.assertEqual(self.passes(farm.ask("submit", show.path, "--wait", "--only", "DX_51")).out, "5\n")
        self.assertEqual(len(digests(show.output().parent)), 4)  # what was delivered stays

        # A version that plans otherwise (here: the journal's digests of plans, record kind 4, are others): what has ended is as
        # it was, once and for all; what is open says so. Job 6 was cancelled when its plan was made and its PLAN task not over
        # yet (here: that ends as cancelled, a fact of type 8).
        for number, version in ((6, "v05"), (7, "v06")):
            show.text["version"] = version
            show.write()
            self.passes(farm.ask("submit", show.path))
            self.assertTrue(wait_until(farm.processes["coordinator"], lambda: farm.job(number)["deliverables"] != []))
            if number == 6:
                self.passes(farm.ask("cancel", "6"))
                self.passes(farm.ask("wait", "6"), 3)
        farm.kill("coordinator")
        with sqlite3.connect(self.folder / "state" / "journal.db") as journal:
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 4").fetchall():
                journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?", (record[:5] + bytes(16) + record[21:], sequence))
            # The end of job 5 is a record of version 2, which has no outcome; its report says that it failed QC.
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 6").fetchall():
                if struct.unpack("<I", record[1:5]) == (5,):
                    journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?", (b"\2" + record[1:13], sequence))
            changed = 0
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 1").fetchall():
                if record[1] == 8 and struct.unpack("<II", record[4:12]) == (6, 16):
                    changed += journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?",
                                               (record[:24] + struct.pack("<I", 7) + record[28:], sequence)).rowcount
            self.assertEqual(changed, 1)
        journal.close()
        report = self.folder / "state" / "job-5" / "report.json"
        judged = json.loads(report.read_text())
        self.assertEqual(judged["verdict"], "pass")
        report.write_text(json.dumps({**judged, "verdict": "fail"}))
        for _ in range(2):
            ended = [log.read_text().count(f"event=job.ended job={number} ") for number in (3, 5, 6)]
            farm.start("coordinator")
            self.assertIn("plans the job otherwise", self.passes(farm.ask("wait", "7"), 3).err)
            self.assertIn("cancelled", self.passes(farm.ask("wait", "6"), 3).err)
            for job, verdict, code in (("3", "pass", 0), ("5", "fail", 1)):
                self.assertEqual((farm.job(job)["state"], farm.job(job)["verdict"]), ("ended", verdict))
                self.passes(farm.ask("wait", job), code)
                self.passes(farm.ask("report", job))
            self.assertEqual(ended, [1, 1, 1])
            farm.kill("coordinator")

        # A version that refuses the documents of jobs 3 and 7 (here: their shows have a key that there is not): their ends stay,
        # and are forgotten in their time.
        with sqlite3.connect(self.folder / "state" / "journal.db") as journal:
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 2").fetchall():
                if struct.unpack("<I", record[1:5]) in ((3,), (7,)):
                    refused = record.replace(b'\\"title\\"', b'\\"titel\\"')
                    self.assertNotEqual(refused, record)
                    journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?", (refused, sequence))
        journal.close()
        farm.start("coordinator")
        self.assertEqual((farm.job("3")["state"], farm.job("3")["verdict"]), ("ended", "pass"))
        self.passes(farm.ask("wait", "3"))
        self.passes(farm.ask("report", "3"))
        self.assertIn("event=job.set_aside job=3 ", log.read_text())
        self.assertIn("nothing of job 3 failed", self.passes(farm.ask("retry", "3"), 2).err)
        self.assertRegex(self.passes(farm.ask("retry", "7"), 2).err, "refuses its document (.*titel.*); mend the show")
        farm.kill("coordinator")
        with sqlite3.connect(self.folder / "state" / "journal.db") as journal:
            for sequence, record in journal.execute("SELECT sequence, bytes FROM record WHERE kind = 6").fetchall():
                if struct.unpack("<I", record[1:5]) == (3,):
                    journal.execute("UPDATE record SET bytes = ? WHERE sequence = ?",
                                    (record[:5] + struct.pack("<Q", 1_600_000_000_000) + record[13:], sequence))
        journal.close()
        farm.start("coordinator")
        coordinator = farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: "event=job.forgotten job=3" in log.read_text()))
        for _ in range(2):
            self.assertIn("there is no job 3", farm.ask("report", "3").err)
            farm.processes["coordinator"].terminate()  # the journal is written before it goes
            farm.processes["coordinator"].wait(timeout=PATIENCE_S)
            farm.start("coordinator")
        self.assertEqual(log.read_text().count("event=job.forgotten job=3"), 1)
        self.assertFalse((self.folder / "state" / "job-3").exists())

    def records(self):
        with tempfile.TemporaryDirectory() as copy:  # the coordinator has the file for itself
            for name in ("journal.db", "journal.db-wal"):
                if (self.folder / "state" / name).exists():
                    shutil.copy(self.folder / "state" / name, copy)
            return sqlite3.connect(Path(copy) / "journal.db").execute("SELECT count(*) FROM record").fetchone()[0]


class Shell(FarmTest):
    def text_of(self, *arguments, program="reelmill"):
        return subprocess.run([BIN / program, *arguments], capture_output=True, text=True, check=True, env=environment()).stdout

    def complete(self, typed):
        """What an interactive bash makes of a line and TAB TAB."""
        rc = self.folder / "rc"
        rc.write_text("PS1='> '\nset +o history\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n"
                      f"PATH={BIN}:$PATH\nsource <(reelmill completions bash)\n")
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve("/bin/bash", ["bash", "--noprofile", "--rcfile", str(rc), "-i"], {**environment(), "TERM": "dumb"})
        seen, sent, until = "", False, time.monotonic() + PATIENCE_S
        while time.monotonic() < until and "END" not in seen:
            if not sent and seen.rstrip().endswith(">"):
                os.write(terminal, (typed + "\t\t").encode())
                os.write(terminal, b"\x15echo 'E''ND'\n")  # the line is cleared, and the shell says when it is done
                sent = True
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    seen += os.read(terminal, 4096).decode()
                except OSError:
                    break
        os.write(terminal, b"exit\n")
        os.waitpid(pid, 0)
        os.close(terminal)
        return seen

    def test_bash_completes_commands_options_and_names(self):
        (self.folder / "show one.yaml").write_text("")
        self.assertRegex(self.complete("reelmill undr"), r"reelmill undrain")
        self.assertRegex(self.complete("reelmill status --wa"), r"reelmill status --watch")
        self.assertRegex(self.complete("reelmill qc --spec netflix-s"), r"netflix-stereo")
        self.assertIn("show\\ one.yaml", self.complete("reelmill check sh"))
        words = set(self.complete("reelmill logs -").split())
        self.assertLessEqual({"--follow", "-f", "--farm", "--key"}, words)

    def test_completions_are_what_the_shells_take(self):
        names = re.findall(r"(?m)^  (\w+) ", self.text_of("--help"))
        self.assertGreater(len(names), 20)
        for shell in ("bash", "zsh", "fish"):
            text = self.text_of("completions", shell)
            self.assertEqual([name for name in names if not re.search(rf"\b{name}\b", text)], [])
            if shutil.which(shell):
                (self.folder / shell).write_text(text)
                subprocess.run([shell, "-n", self.folder / shell], check=True)

    def test_manual_pages_render_without_a_warning(self):
        pages = {"reelmill": self.text_of("manual"), "reelmill-worker": self.text_of("--manual", program="reelmill-worker"),
                 "reelmill-coordinator": self.text_of("--manual", program="reelmill-coordinator")}
        for name, text in pages.items():
            page = self.folder / f"{name}.1"
            page.write_text(text)
            done = subprocess.run(["groff", "-ww", "-man", "-z", page], capture_output=True, text=True, check=True)
            self.assertEqual(done.stderr, "")
        shown = subprocess.run(["groff", "-Tascii", "-man", "-P-c", self.folder / "reelmill.1"], capture_output=True, text=True, check=True).stdout
        plain = re.sub(r".\x08", "", shown)
        for name in re.findall(r"(?m)^  (\w+) ", self.text_of("--help")):
            self.assertIn(f"reelmill {name}", plain)
        self.assertIn("--check-config", pages["reelmill-worker"].replace("\\-", "-"))

    def test_versions_and_configurations_are_told(self):
        for program in ("reelmill", "reelmill-coordinator", "reelmill-worker"):
            self.assertRegex(self.text_of("--version", program=program), r"^reelmill \d.*protocol \d+\)\nbuild: .*compiler")
        for program, right, wrong in (("reelmill-coordinator", "plain: true\n", "plain: true\nlistne: x\n"),
                                      ("reelmill-worker", "plain: true\nslots: 2\n", "plain: true\nslots: no\n")):
            config = self.folder / "config.yaml"
            for text, code, said in ((right, 0, "is good"), (wrong, 2, "config.yaml:2:")):
                config.write_text(text)
                done = subprocess.run([BIN / program, "--config", config, "--check-config"], cwd=self.folder, capture_output=True,
                                      text=True, env=environment(), check=False)
                self.assertEqual((done.returncode, said in done.stdout + done.stderr), (code, True), done.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["config.yaml"])
        missing = reelmill("doctor", "--config", self.folder / "none.yaml")
        self.assertEqual(missing.code, 2)
        self.assertRegex(missing.err, "none.yaml cannot be read: No such file.*; name another with --config FILE")
        # A media root that is not there is a wrong configuration to who asks, and to a service a mount that may still come.
        config.write_text("plain: true\nroots: {shows: /nowhere/at/all}\n")
        for options, code in ((("--check-config",), 2), ((), 75)):
            done = subprocess.run([BIN / "reelmill-worker", "--config", config, *options], cwd=self.folder, capture_output=True, text=True,
                                  env=environment(), check=False)
            self.assertEqual((done.returncode, "/nowhere/at/all of media root shows" in done.stderr), (code, True), done.stderr)


main()
