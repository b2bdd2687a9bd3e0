"""A farm started by hand over tcp: submit, watch, steer, kill and bring back; and Ctrl-C on a private farm."""
import json
import os
import pty
import select
import signal
import subprocess

from farm_kit import BIN, CHANCE, KILL, FarmTest, children_of, digests, environment, finish, leftovers, main, reelmill
from farm_kit import run_for, small_show, start, wait_until
from hand_farm import Farm, free_port


class HandStarted(FarmTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder)
        self.farm = Farm(self, self.folder)

    def submit(self, *options):
        return self.passes(self.farm.ask("submit", self.show.path, *options))

    def test_submit_wait_report(self):
        outcome = self.submit("--wait")
        number = outcome.out.split()[0]
        self.assertEqual(number, "1")
        report = self.passes(self.farm.ask("report", number)).json()
        self.assertEqual(report["verdict"], "pass")
        self.assertEqual(json.loads((self.show.output() / "report" / "report.json").read_text()), report)
        self.assertIn("<html", self.passes(self.farm.ask("report", number, "--html")).out)
        path = self.show.output() / "report" / "report.json"
        by_number, by_path = (self.farm.ask("judge", what, "--spec", "dpp", "--json") for what in (number, path))
        self.assertEqual((by_number.code, by_number.out), (by_path.code, by_path.out))
        self.assertEqual(by_number.json()["judged_from"], "measures")
        told = next(item for entry in report["programmes"] for item in entry["findings"])
        self.assertEqual(self.passes(self.farm.ask("explain", "last", told["id"])).out,
                         self.passes(reelmill("explain", path, told["id"])).out)
        placed = next(item for entry in report["programmes"] for item in entry["findings"] if item["start_sample"] is not None)
        cuts = [self.passes(ask("audition", what, placed["id"], "--out", self.folder / "cut")).out.strip()
                for ask, what in ((self.farm.ask, number), (reelmill, path))]
        self.assertEqual(cuts, [f"{self.folder}/cut/audition/{placed['id']}.wav"] * 2)
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.assertEqual(digests(self.folder / "out"), digests(self.folder / "alone"))
        self.assertIn("NIGHT_TRAIN", self.passes(self.farm.ask("status")).out.upper().replace(" ", "_"))
        self.assertEqual(set(self.farm.nodes()), {"one", "two"})
        self.passes(self.farm.ask("logs", number))

    def test_coordinator_killed_and_restarted(self):
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        waiter = start("submit", self.show.path, "--wait", *self.farm.link())
        for _ in range(3):
            if not wait_until(waiter, lambda: any((self.folder / "out").rglob("*.part"))):
                break
            if not run_for(waiter, CHANCE.uniform(0.0, 0.3)):
                break
            self.farm.kill("coordinator")
            victims = [pid for name in ("one", "two") for pid, _ in children_of(self.farm.processes[name].pid)]
            if victims:
                try:
                    os.kill(CHANCE.choice(victims), KILL)
                except ProcessLookupError:
                    pass
            self.farm.start("coordinator")
        self.passes(finish(waiter))
        self.assertEqual(digests(self.folder / "out"), digests(self.folder / "alone"))
        self.assertEqual(leftovers(self.folder), [])

    def test_cancel_and_retry(self):
        self.farm.kill("two")
        number = self.submit().out.split()[0]
        self.passes(self.farm.ask("cancel", "all"))
        self.assertEqual(self.farm.ask("wait", "last").code, 3)
        self.assertEqual(self.farm.job(number)["exit_code"], 3)
        self.assertEqual(digests(self.folder / "out"), {})
        self.passes(self.farm.ask("retry", number))
        self.farm.start("two")
        watcher = start("status", number, "--watch", *self.farm.link())
        finish(watcher)
        self.assertEqual(self.farm.job(number)["exit_code"], 0)
        self.assertEqual(len(digests(self.folder / "out")), 5)

    def test_drained_node_gets_no_work(self):
        self.passes(self.farm.ask("drain", "one", "--reason", "new disk"))
        self.submit("--wait")
        node = self.farm.nodes()["one"]
        self.assertEqual((node["state"], node["reason"], node["tasks_done"]), ("drained", "new disk", 0))
        self.passes(self.farm.ask("undrain", "one"))
        self.assertEqual(self.farm.nodes()["one"]["state"], "ready")

    def test_wrong_questions_have_clear_answers(self):
        for arguments, words in ((("status", "99"), "99"), (("cancel", "99"), "99"), (("drain", "nobody"), "nobody"),
                                 (("report", "x"), "x")):
            with self.subTest(arguments=arguments):
                outcome = self.farm.ask(*arguments)
                self.assertEqual(outcome.code, 2, outcome.err)
                self.assertIn(words, outcome.err)
        outcome = reelmill("status", *self.farm.link(), "--farm", f"tcp://127.0.0.1:{free_port()}")
        self.assertEqual(outcome.code, 3, outcome.err)

    def test_a_second_claim_on_the_same_output_is_refused(self):
        first = self.submit().out.split()[0]
        self.assertTrue(wait_until(self.farm.processes["one"], lambda: any((self.folder / "out").rglob("*.part"))))
        self.farm.kill("one")
        self.farm.kill("two")
        second = start("submit", self.show.path, "--wait", "--priority", "10", *self.farm.link())
        self.farm.start("one")
        outcome = finish(second)
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("NIGHT_TRAIN", outcome.err)
        self.passes(self.farm.ask("status", first))


class Interrupt(FarmTest):
    def all_end(self, family):
        for waiter in family:
            self.assertTrue(select.select([waiter], [], [], 10)[0], "a process of the farm lives on")
            os.close(waiter)

    def interrupted(self, number):
        show = small_show(self.folder)
        process = start("run", show.path, "--cells-per-task", 1, start_new_session=True)
        self.assertTrue(wait_until(process, lambda: any((self.folder / "out").rglob("*.part"))))
        family = [os.pidfd_open(pid) for pid, _ in children_of(process.pid)]
        self.assertGreaterEqual(len(family), 3)
        os.killpg(process.pid, number)
        outcome = finish(process)
        self.assertEqual(outcome.code, 3, outcome.err)
        self.all_end(family)
        self.assertEqual(digests(self.folder / "out"), {})
        self.assertEqual(leftovers(self.folder), [])
        self.passes(reelmill("run", show.path))

    def test_interrupt(self):
        self.interrupted(signal.SIGINT)

    def test_terminate(self):
        self.interrupted(signal.SIGTERM)

    def test_killed_cli_takes_its_farm_along(self):
        show = small_show(self.folder)
        process = start("run", show.path, "--cells-per-task", 1)
        self.assertTrue(wait_until(process, lambda: any((self.folder / "out").rglob("*.part"))))
        family = [os.pidfd_open(pid) for pid, _ in children_of(process.pid)]
        process.kill()
        process.wait()
        process.communicate()
        self.all_end(family)
        self.assertEqual(digests(self.folder / "out"), {})
        self.passes(reelmill("run", show.path))
        self.assertEqual(leftovers(self.folder), [])


class Streams(FarmTest):
    def test_json_is_all_there_is_on_stdout(self):
        show = small_show(self.folder)
        for arguments in (("check", show.path, "--json"), ("plan", show.path, "--json"), ("run", show.path, "--json"),
                          ("qc", show.output() / "PM_20" / "NIGHT_TRAIN_PM_20.wav", "--json")):
            with self.subTest(command=arguments[0]):
                self.passes(reelmill(*arguments)).json()

    def test_progress_only_on_a_terminal(self):
        show = small_show(self.folder)
        outcome = self.passes(reelmill("run", show.path))
        self.assertNotIn("\r", outcome.err)
        main_end, other_end = pty.openpty()
        process = subprocess.Popen([BIN / "reelmill", "run", show.path, "--out", self.folder / "second"],
                                   stdout=subprocess.DEVNULL, stderr=other_end, env=environment())
        os.close(other_end)
        shown = b""
        while True:
            try:
                piece = os.read(main_end, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(main_end)
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"\r", shown)
        self.assertIn(b"cells/s", shown)


class Init(FarmTest):
    def test_a_folder_becomes_a_show_that_renders(self):
        show = small_show(self.folder)
        stems = self.folder / "stems"
        (stems / "R1_notes.wav").write_text("not audio")
        outcome = self.passes(reelmill("init", stems))
        self.assertEqual(outcome.out.strip(), str(stems / "show.yaml"))
        self.assertIn("R1_notes.wav", outcome.err)
        self.passes(reelmill("check", stems / "show.yaml"))
        self.passes(reelmill("run", stems / "show.yaml", "--only", "ME_20"))
        self.assertEqual(len(digests(stems / "out")), 1)
        again = reelmill("init", stems)
        self.assertEqual(again.code, 2)
        self.assertIn("exists already", again.err)
        self.assertTrue(show.path.exists())


class ReceivedFiles(FarmTest):
    def test_a_folder_and_a_show_of_received_programmes(self):
        show = small_show(self.folder)
        self.passes(reelmill("run", show.path, "--only", "PM_51,ME_20"))
        folder = show.output()
        outcome = self.passes(reelmill("qc", folder, "--spec", "ebu-r128", "--json"), 1)
        given = sorted(str(folder / name / f"NIGHT_TRAIN_{name}.wav") for name in ("PM_51", "ME_20"))
        self.assertEqual(sorted(item["path"] for item in outcome.json()["files"]), given)
        table = reelmill("qc", folder, "--spec", "ebu-r128")
        self.assertEqual((table.code, table.out.split()[:2]), (1, ["VERDICT", "PROGRAMME"]))
        rows = [line.split() for line in table.out.splitlines() if line.startswith("fail ")]  # file first, what decided last
        self.assertEqual(sorted((row[1], row[-1]) for row in rows),
                         [(f"{name}/NIGHT_TRAIN_{name}.wav", "loudness.integrated") for name in ("ME_20", "PM_51")])
        self.assertIn("2 programmes: 2 fail", table.err)
        show.text["media"] = "."
        show.text["stems"] = {key: {**stem, "file": "stems/" + stem["file"]} for key, stem in show.text["stems"].items()}
        show.text["deliverables"].append({"name": "GOT", "layout": "5.1", "spec": "ebu-r128",
                                          "file": str((folder / "PM_51/NIGHT_TRAIN_PM_51.wav").relative_to(self.folder))})
        show.write()
        report = self.passes(reelmill("qc", "--show", show.path, "--json"), 1).json()
        self.assertEqual({entry["deliverable"] for entry in report["programmes"]}, {"GOT"})
        of_files = next(entry for entry in outcome.json()["programmes"] if entry["layout"] == "5.1")
        whole = next(entry for entry in report["programmes"] if entry["reel"] is None)
        self.assertEqual(whole["loudness"], of_files["loudness"])
        self.assertEqual(whole["peaks"], of_files["peaks"])


if __name__ == "__main__":
    main()
