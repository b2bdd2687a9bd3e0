"""One system call on a file fails, the n-th of its kind: the job is right or fails cleanly, and nothing half made gets a name.

Some calls chosen by the seed. REELMILL_SWEEP_S: all of them, one in a run, for up to so many seconds; rare kinds go first.
"""
import errno
import os
import shutil
import struct
import time
from pathlib import Path

from farm_kit import CHANCE, DELIVERABLES, FarmTest, digests, leftovers, main, reelmill, small_show

LIBRARY = Path(os.environ["REELMILL_FAILING_CALLS"])
SWEEP_S = float(os.environ.get("REELMILL_SWEEP_S", "0"))
CHOSEN = 6
RARE = 50
SHORT = "short"
# In the order of failing_calls.c; with what storage answers.
KINDS = {"open": (errno.EIO,), "read": (errno.EIO, errno.EINTR, SHORT), "write": (errno.EIO, errno.ENOSPC, errno.EINTR, SHORT),
         "sync": (errno.EIO,), "truncate": (errno.EIO,), "allocate": (errno.EIO, errno.ENOSPC), "rename": (errno.EIO,),
         "link": (errno.EIO,), "unlink": (errno.EIO,), "mkdir": (errno.EIO,), "stat": (errno.EIO, errno.ESTALE), "close": (errno.EIO,)}
PROGRAMS = ("executor", "coordinator", "worker", "reelmill")


class Calls(FarmTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder / "show", deliverables=DELIVERABLES[:1])
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.want = digests(self.folder / "alone")
        self.out = self.folder / "out"
        self.failed, self.passed = 0, 0

    def run_with(self, program, call, which, number):
        """The outcome of a run, how often each call was made, and how often one failed."""
        counts = self.folder / "counts"
        counts.write_bytes(bytes(8 * (len(KINDS) + 1)))
        os.environ["LD_PRELOAD"] = str(LIBRARY)
        os.environ["REELMILL_FAILING"] = f"{program} {call} {which} {number} {counts}"
        try:
            outcome = reelmill("run", self.show.path, "--out", self.out)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["REELMILL_FAILING"]
        *made, hit = struct.unpack(f"={len(KINDS) + 1}Q", counts.read_bytes())
        return outcome, dict(zip(KINDS, made)), hit

    def one(self, program, call, which, number):
        shutil.rmtree(self.out, ignore_errors=True)
        outcome, made, hit = self.run_with(program, call, which, number)
        what = f"{program}: {call} {which} of {made[call]} fails with {number}: code {outcome.code}\n{outcome.out}\n{outcome.err}"
        if outcome.code == 0:
            self.passed += 1
            self.assertEqual(digests(self.out), self.want, what)
        else:
            self.failed += 1
            self.assertEqual(hit, 1, what)
            self.assertIn(outcome.code, (1, 2, 3, 4), what)  # no signal
            if outcome.code == 1:  # what could not be read is said in the report
                self.assertIn("Verdict: incomplete", outcome.out + outcome.err, what)
            else:
                self.assertIn("reelmill: error: ", outcome.err, what)
            for name, digest in digests(self.out).items():  # what has its name is whole
                self.assertEqual(digest, self.want.get(name), f"{name}\n{what}")
            again = reelmill("run", self.show.path, "--out", self.out)
            self.assertEqual(again.code, 0, f"{what}\nagain: {again.out}{again.err}")
            self.assertEqual(digests(self.out), self.want, what)
        if call not in ("unlink", "rename", "open"):  # a file that could not be removed stays
            self.assertEqual(leftovers(self.out), [], what)

    def test_calls(self):
        every = []
        for program in PROGRAMS:
            shutil.rmtree(self.out, ignore_errors=True)
            outcome, made, _ = self.run_with(program, "open", 0, errno.EIO)
            self.passes(outcome)
            print(program, {call: count for call, count in made.items() if count > 0})
            for call, count in made.items():
                every += [(count > RARE, CHANCE.random(), program, call, which + 1, number)
                          for which in range(count) for number in KINDS[call]]
        end = time.monotonic() + SWEEP_S
        chosen = sorted(every) if SWEEP_S > 0 else CHANCE.sample(every, CHOSEN)
        for _, _, program, call, which, number in chosen:
            if SWEEP_S > 0 and time.monotonic() >= end:
                break
            with self.subTest(f"{program}: {call} {which}, {number}"):
                self.one(program, call, which, number)
        print(f"{self.passed + self.failed} runs of {len(every)}: {self.passed} went well, {self.failed} failed cleanly")


if __name__ == "__main__":
    main()
