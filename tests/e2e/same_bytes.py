"""Runs of one show that must all end in the same bytes and the same report, whatever is varied or killed."""
import itertools
import os

from farm_kit import CHANCE, KILL, children_of, digests, finish, leftovers, reelmill, run_for, start, wait_until

KINDS = ["executor", "reelmill-worker", "reelmill-coordinator"]


def steady(report):
    """A report without what may differ between runs: the facts of the job."""
    return {key: value for key, value in report.items() if key != "job"}


def kill_one(victims):
    """False when it was too late."""
    try:
        os.kill(CHANCE.choice(victims), KILL)
    except (IndexError, ProcessLookupError):
        return False
    return True


class SameBytes:
    """The first run, by one worker, sets what all others are held to. `path`: the show file; outputs go beside it."""

    def __init__(self, test, path, deliverables):
        self.test, self.path, self.folder = test, path, path.parent
        done = reelmill("run", path, "--out", self.folder / "first", "--workers", 1, "--json")
        test.assertEqual(done.code, 0, done.err)
        self.report = done.json()
        self.expected = digests(self.folder / "first")
        test.assertEqual(len(self.expected), deliverables, self.expected)
        self.numbers = itertools.count()

    def judge(self, outcome, out):
        self.test.assertEqual(outcome.code, 0, outcome.err)
        self.test.assertEqual(digests(out), self.expected)
        self.test.assertEqual(steady(outcome.json()), steady(self.report))
        self.test.assertEqual(leftovers(out), [])

    def arguments(self, workers, cells, cpu=None):
        out = self.folder / f"other{next(self.numbers)}"
        return out, ["run", self.path, "--out", out, "--json", "--workers", workers, "--cells-per-task", cells,
                     *(["--cpu", cpu] if cpu else [])]

    def vary(self, *variants):
        """(workers, cells per task, instruction set or None) each."""
        for workers, cells, cpu in variants:
            with self.test.subTest(workers=workers, cells=cells, cpu=cpu):
                out, arguments = self.arguments(workers, cells, cpu)
                self.judge(reelmill(*arguments), out)

    def kill(self, kills):
        """
        One run after the other, so many kills in each; a run begins with each kind of process in turn. The CLI starts
        coordinator and workers again, a worker its executors. Every kind must have been hit.
        """
        hit = []
        for first, count in enumerate(kills):
            out, arguments = self.arguments(2, 1)
            process = start(*arguments)
            wait_until(process, lambda: any(out.rglob("*.part")))
            for turn in range(count):
                kind = KINDS[(first + turn) % len(KINDS)]

                def victims():
                    return [pid for pid, program in children_of(process.pid) if program == kind]
                if not run_for(process, CHANCE.uniform(0.0, 0.15 if turn else 0.02)) or not wait_until(process, victims):
                    break
                if kill_one(victims()):
                    hit.append(kind)
            outcome = finish(process)
            with self.test.subTest(run=first, killed=list(hit)):
                self.judge(outcome, out)
        print("killed:", hit)
        self.test.assertEqual(sorted(set(hit)), sorted(KINDS))
