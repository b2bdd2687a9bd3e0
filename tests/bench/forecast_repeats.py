#!/usr/bin/env python3
"""How good is the forecast? The same show again and again on one farm of this machine: what was expected of each job when it
was planned, and what it took.

    python3 tests/bench/forecast_repeats.py [--repeats N] [--slots N]        (REELMILL_BIN: where the programs lie)

The farm starts knowing nothing: the first job is the planner's guess, the second has learnt from one, and so on. The figures
are those of `status JOB --json` under `forecast`. What else the machine does meanwhile is part of what is seen: the load is
printed beside each line.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
import farm_kit  # noqa: E402
from hand_farm import Farm  # noqa: E402

PROMISE = 0.10  # of a repeat


class Bare:
    """What Farm asks of a test."""

    def __init__(self):
        self.cleanups = []

    def passes(self, outcome, code=0):
        if outcome.code != code:
            sys.exit(f"exit code {outcome.code}:\n{outcome.out}{outcome.err}")
        return outcome

    def assertTrue(self, value):
        if not value:
            sys.exit("a process of the farm ended")

    def addCleanup(self, function, *arguments):
        self.cleanups.append((function, arguments))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeats", type=int, default=8)
    options.add_argument("--slots", type=int, default=len(os.sched_getaffinity(0)))
    asked = options.parse_args()
    test = Bare()
    with tempfile.TemporaryDirectory(prefix="reelmill-forecast-") as name:
        folder = Path(name)
        subprocess.run([farm_kit.BIN / "reelmill", "demo", folder / "d"], check=True, stdout=subprocess.DEVNULL)
        show = folder / "d" / "show.yaml"
        workers = tuple(f"w{i}" for i in range(asked.slots))
        farm = Farm(test, folder, workers=workers, more="")
        config = folder / "coordinator.yaml"
        config.write_text(config.read_text().replace("cells_per_task: 1\n", ""))
        farm.kill("coordinator")
        farm.start("coordinator")
        text = show.read_text()
        print(f"{asked.slots} workers of one slot; the demo show; load {os.getloadavg()[0]:.1f}")
        print("job   expected s   took s    off by    load")
        misses = []
        for repeat in range(1, asked.repeats + 1):
            show.write_text(text.replace("version: v01", f"version: v{repeat:02}") if "version: v01" in text
                            else f"{text}\nversion: v{repeat:02}\n")
            job = int(test.passes(farm.ask("submit", show, "--wait")).out)
            told = farm.job(job)["forecast"]
            off = told["actual_s"] / told["predicted_s"] - 1
            if repeat > 2:
                misses.append(off)
            print(f"{job:3} {told['predicted_s']:11.2f} {told['actual_s']:9.2f} {off:+9.1%} {os.getloadavg()[0]:8.1f}", flush=True)
        within = sum(abs(off) <= PROMISE for off in misses)
        print(f"from the third on: {within} of {len(misses)} within 10 %, the worst {max(misses, key=abs):+.1%}")
        for function, arguments in reversed(test.cleanups):
            function(*arguments)


if __name__ == "__main__":
    main()
