"""Rounds of faults against a farm of real processes: each job's bytes are those of a run that nobody disturbed.

REELMILL_ROUNDS_S: for how many seconds (25); REELMILL_SEED repeats the choice of faults, though not their moments.
"""
import collections
import os
import shutil
import signal
import subprocess
import time

from farm_kit import BIN, CHANCE, KILL, FarmTest, children_of, digests, environment, finish, leftovers, main, reelmill
from farm_kit import run_for, small_show, sockets, start, wait_until
from faulty_link import FaultyLink

ROUNDS_S = float(os.environ.get("REELMILL_ROUNDS_S", "25"))
LEASE_S = 5
SLOTS = 2
FAULTS_PER_JOB = 6
BLAMES_PER_JOB = 3  # one task may have four failed executions and no more: what is done to executors counts
WORKERS = ("one", "two")


class LinkedFarm:
    """A coordinator and two workers, each behind a link of its own."""

    def __init__(self, test, folder):
        self.test, self.folder = test, folder
        (folder / "coordinator.yaml").write_text(
            f"listen: ['ipc://{folder}/farm.socket']\nstate: {folder}/state\nroots: {{shows: {folder}}}\n"
            "cells_per_task: 1\n")
        self.endpoint = f"ipc://{folder}/farm.socket"
        self.links, self.processes = {}, {}
        test.addCleanup(self.stop)
        self.start("coordinator")
        for name in WORKERS:
            self.links[name] = FaultyLink(folder / f"{name}.socket", folder / "farm.socket")
            (folder / f"{name}.yaml").write_text(
                f"coordinator: ipc://{folder}/{name}.socket\nname: {name}\nslots: {SLOTS}\nhang_s: 8\n"
                f"roots: {{shows: {folder}}}\n")
            self.start(name)
        self.wait_complete()

    def start(self, name):
        program = "reelmill-coordinator" if name == "coordinator" else "reelmill-worker"
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen([BIN / program, "--config", self.folder / f"{name}.yaml"],
                                                    stdout=log, stderr=log, env=environment())

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for link in self.links.values():
            link.close()

    def executors(self, name):
        """Only those: a worker's child between fork and exec still looks like its parent."""
        return [pid for pid, program in children_of(self.processes[name].pid) if program == "executor"]

    def ready(self):
        answer = reelmill("nodes", "--json", "--farm", self.endpoint)
        nodes = answer.json()["nodes"] if answer.code == 0 else []
        return {node["name"] for node in nodes if node["state"] != "lost"}

    def wait_complete(self):
        wait_until(self.processes["coordinator"], lambda: self.ready() == set(WORKERS))


class Rounds(FarmTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder)
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.want = digests(self.folder / "alone")
        self.assertTrue(self.want)
        self.farm = LinkedFarm(self, self.folder)
        self.sockets = sockets(self.farm.processes["coordinator"])
        self.count = collections.Counter()
        self.blames = 0

    # ---- faults: what, against whom, while the waiter goes on ----

    def kill(self, waiter):
        name = CHANCE.choice(list(self.farm.processes))
        self.farm.processes[name].kill()
        self.farm.processes[name].wait()
        run_for(waiter, CHANCE.choice([0, 0, CHANCE.uniform(0, 1)]))
        self.farm.start(name)
        return f"kill {name}"

    def stand_still(self, waiter):
        name = CHANCE.choice(list(self.farm.processes))
        long = CHANCE.random() < 0.15
        self.farm.processes[name].send_signal(signal.SIGSTOP)
        run_for(waiter, LEASE_S + 1 if long else CHANCE.uniform(0.05, 1))
        self.farm.processes[name].send_signal(signal.SIGCONT)
        return f"{'stop beyond the lease' if long else 'stop'} {name}"

    def executor(self, waiter):
        victims = [pid for name in WORKERS for pid in self.farm.executors(name)]
        if not victims or self.blames >= BLAMES_PER_JOB:
            return None
        self.blames += 1
        victim = CHANCE.choice(victims)
        how = CHANCE.choice(["kill", "stop", "stop for good"])
        try:
            os.kill(victim, KILL if how == "kill" else signal.SIGSTOP)
            if how == "stop":
                run_for(waiter, CHANCE.uniform(0.05, 0.5))
                os.kill(victim, signal.SIGCONT)
        except ProcessLookupError:
            return None
        return f"{how} executor"

    def link(self, waiter):
        name = CHANCE.choice(WORKERS)
        mode = CHANCE.choice(["cut", "hole", "in", "out", "tear"])
        long = CHANCE.random() < 0.15
        if mode == "tear":
            self.farm.links[name].set("open", tear_after=CHANCE.randrange(1, 3000))
        else:
            self.farm.links[name].set(mode)
        run_for(waiter, LEASE_S + 1 if long else CHANCE.uniform(0.05, 1))
        self.farm.links[name].set("open")
        return f"{mode}{' beyond the lease' if long else ''} link"

    def disturb(self, waiter):
        done = CHANCE.choice([self.kill, self.stand_still, self.executor, self.executor, self.link, self.link])(waiter)
        if done is not None:
            self.count[done] += 1

    def failures(self):
        """What the logs say about tasks that failed, for whoever has to find out why."""
        words = (b"task.failed", b"executor.", b"worker.lost", b"node.", b"fenced")
        return "\n".join(f"{log.name}: {line.decode()}" for log in sorted(self.folder.glob("*.log"))
                         for line in log.read_bytes().splitlines()[-400:] if any(word in line for word in words))

    def test_rounds(self):
        end = time.monotonic() + ROUNDS_S
        jobs, longest = 0, 0.0
        while time.monotonic() < end:
            shutil.rmtree(self.show.output().parent.parent, ignore_errors=True)
            self.blames = 0
            began = time.monotonic()
            waiter = start("submit", self.show.path, "--wait", "--farm", self.farm.endpoint)
            for _ in range(CHANCE.randrange(1, FAULTS_PER_JOB)):
                if not run_for(waiter, CHANCE.uniform(0, 0.4)):
                    break
                self.disturb(waiter)
            outcome = finish(waiter)
            self.assertEqual(outcome.code, 0, f"{outcome.out}{outcome.err}{dict(self.count)}\n{self.failures()}")
            longest = max(longest, time.monotonic() - began)
            self.assertEqual(digests(self.show.output().parent.parent), self.want)
            self.assertEqual(leftovers(self.folder), [])
            jobs += 1
        faults = sum(self.count.values())
        print(f"{jobs} jobs, {faults} faults, longest job {longest:.1f} s", dict(sorted(self.count.items())))
        self.assertGreater(faults, 0)
        # Nothing is left over of it all: both nodes are there, each with all its executors and no more, and of what was cut no connection.
        self.farm.wait_complete()
        coordinator = self.farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: sockets(coordinator) <= self.sockets))
        for name in WORKERS:
            self.assertTrue(wait_until(self.farm.processes[name],
                                       lambda name=name: len(self.farm.executors(name)) == SLOTS))


if __name__ == "__main__":
    main()
