"""The same bytes for any number of workers, size of tasks, instruction set, and whatever is killed meanwhile."""
import os

from farm_kit import CHANCE, KILL, FarmTest, children_of, digests, finish, leftovers, main, reelmill, run_for, small_show
from farm_kit import start, wait_until


def steady(report):
    """A report without what may differ between runs: the facts of the job."""
    return {key: value for key, value in report.items() if key != "job"}


class Identity(FarmTest):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.place = tempfile.TemporaryDirectory(prefix="reelmill-e2e-")
        cls.show = small_show(cls.place.name)
        done = reelmill("run", cls.show.path, "--out", cls.show.folder / "first", "--workers", 1, "--json")
        assert done.code == 0, done.err
        cls.report = done.json()
        cls.expected = digests(cls.show.folder / "first")
        assert len(cls.expected) == 5, cls.expected

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def same(self, outcome, out):
        self.passes(outcome)
        self.assertEqual(digests(self.show.folder / out), self.expected)
        self.assertEqual(steady(outcome.json()), steady(self.report))
        self.assertEqual(leftovers(self.show.folder / out), [])

    def test_workers_tasks_and_instruction_sets(self):
        for number, (workers, cells, cpu) in enumerate([(2, 1, None), (5, 0, None), (3, 2, "scalar"), (2, 64, "avx2")]):
            with self.subTest(workers=workers, cells=cells, cpu=cpu):
                out = f"variant{number}"
                self.same(reelmill("run", self.show.path, "--out", self.show.folder / out, "--workers", workers, "--json",
                                   "--cells-per-task", cells, *(["--cpu", cpu] if cpu else [])), out)

    def test_killed_processes(self):
        """Kills workers, executors and the coordinator at random moments; the CLI brings them back."""
        killed = []
        for number, rounds in enumerate([1, 2, 3, 4]):
            out = f"killed{number}"
            process = start("run", self.show.path, "--out", self.show.folder / out, "--workers", 2, "--json",
                            "--cells-per-task", 1)
            wait_until(process, lambda: any((self.show.folder / out).rglob("*.part")))
            for turn in range(rounds):
                victims = children_of(process.pid)
                if not run_for(process, CHANCE.uniform(0.0, 0.15)) or not victims:
                    break
                # Every kind in turn: the list has coordinator, workers and executors.
                kinds = sorted({program for _, program in victims})
                kind = kinds[(number + turn) % len(kinds)]
                victim = CHANCE.choice([pid for pid, program in victims if program == kind])
                try:
                    os.kill(victim, KILL)
                    killed.append(kind)
                except ProcessLookupError:
                    pass
            outcome = finish(process)
            with self.subTest(round=number, killed=killed):
                self.same(outcome, out)
        print("killed:", killed)
        self.assertGreaterEqual(len(killed), 4)

    def test_again_over_what_is_published(self):
        """A second run over the same output changes nothing and passes."""
        before = {path: path.stat().st_ino for path in (self.show.folder / "first").rglob("*.wav")}
        self.same(reelmill("run", self.show.path, "--out", self.show.folder / "first", "--json"), "first")
        self.assertEqual({path: path.stat().st_ino for path in before}, before)


if __name__ == "__main__":
    main()
