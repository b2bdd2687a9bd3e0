"""A farm of hosts with a network between them that is cut at random: each job's bytes are those of an undisturbed run.

REELMILL_ROUNDS_S: for how many seconds (6); REELMILL_SEED repeats the choice of cuts, though not their moments.
"""
import collections
import os
import shutil
import time

import namespace_farm
from farm_kit import CHANCE, FarmTest, digests, finish, leftovers, main, reelmill, run_for, small_show, sockets, start, wait_until

ROUNDS_S = float(os.environ.get("REELMILL_ROUNDS_S", "6"))
LEASE_S = 2
WORKERS = ("one", "two", "three")


class Namespaces(FarmTest):
    def setUp(self):
        super().setUp()
        if not namespace_farm.allowed():
            self.skipTest("this user may not make network namespaces (ip netns)")
        self.show = small_show(self.folder)
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.want = digests(self.folder / "alone")
        self.farm = namespace_farm.NamespaceFarm(self, self.folder, WORKERS)
        self.sockets = sockets(self.farm.processes["coordinator"])
        self.count = collections.Counter()

    def cut(self, waiter):
        """One host's cable, or every one's; shorter or longer than a lease."""
        hosts = list(self.farm.hosts.values()) if CHANCE.random() < 0.2 else [CHANCE.choice(list(self.farm.hosts.values()))]
        way = CHANCE.choice(["cable", "in", "out"])
        long = CHANCE.random() < 0.3
        for host in hosts:
            host.cut(way)
        run_for(waiter, LEASE_S + CHANCE.uniform(0.5, 2) if long else CHANCE.uniform(0.05, 1))
        for host in hosts:
            host.mend()
        self.count[f"{way}{' of all' if len(hosts) > 1 else ''}{' beyond the lease' if long else ''}"] += 1

    def test_cuts(self):
        end = time.monotonic() + ROUNDS_S
        jobs, longest = 0, 0.0
        while time.monotonic() < end:
            shutil.rmtree(self.show.output().parent.parent, ignore_errors=True)
            began = time.monotonic()
            waiter = start("submit", self.show.path, "--wait", *self.farm.link())
            for _ in range(CHANCE.randrange(1, 5)):
                if not run_for(waiter, CHANCE.uniform(0, 0.4)):
                    break
                self.cut(waiter)
            outcome = finish(waiter)
            self.assertEqual(outcome.code, 0, f"{outcome.out}{outcome.err}{dict(self.count)}")
            longest = max(longest, time.monotonic() - began)
            self.assertEqual(digests(self.show.output().parent.parent), self.want)
            self.assertEqual(leftovers(self.folder), [])
            jobs += 1
        print(f"{jobs} jobs, {sum(self.count.values())} cuts, longest job {longest:.1f} s", dict(sorted(self.count.items())))
        self.assertGreater(sum(self.count.values()), 0)
        coordinator = self.farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: all(
            node["state"] != "lost" for node in self.farm.nodes().values()) and len(self.farm.nodes()) == len(WORKERS)))
        self.assertTrue(wait_until(coordinator, lambda: sockets(coordinator) <= self.sockets))  # what was cut is closed


if __name__ == "__main__":
    main()
