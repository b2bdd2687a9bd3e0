"""Faults of the coordinator's own: two of them on one journal, a full disk under it, a standstill beyond every lease."""
import signal
import subprocess
import time

from farm_kit import BIN, FarmTest, digests, environment, finish, leftovers, main, reelmill, run_for, small_show, start
from farm_kit import wait_until
from test_rounds import LinkedFarm

LEASE_S = 5


class CoordinatorFaults(FarmTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder)
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.state = self.folder / "state"
        self.state.mkdir()

    def submit(self):
        return start("submit", self.show.path, "--wait", "--farm", self.farm.endpoint)

    def delivered(self):
        self.assertEqual(digests(self.folder / "out"), digests(self.folder / "alone"))
        self.assertEqual(leftovers(self.folder / "out"), [])

    def test_a_second_coordinator_on_the_same_journal_is_refused(self):
        self.farm = LinkedFarm(self, self.folder)
        began = time.monotonic()
        second = subprocess.run([BIN / "reelmill-coordinator", "--listen", f"ipc://{self.folder}/second.socket", "--state",
                                 self.state], capture_output=True, text=True, timeout=60, env=environment(), check=False)
        print(f"refused after {time.monotonic() - began:.2f} s")
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("in use by another coordinator", second.stdout + second.stderr)
        self.passes(finish(self.submit()))
        self.delivered()

    def test_a_full_disk_under_the_journal_takes_nothing_back(self):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", self.state], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("a file system cannot be mounted here")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.state], check=False))
        self.farm = LinkedFarm(self, self.folder)
        first = self.passes(finish(self.submit())).out.split()[0]
        filler = self.state / "somebody_elses_file"
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 12)) > 0:
                    continue
            except OSError:
                pass
        coordinator = self.farm.processes["coordinator"]
        (self.show.output() / "PM_51").rename(self.folder / "kept")  # so that there is something to do again
        waiter = self.submit()
        coordinator.wait(timeout=60)  # it cannot keep what it is told, so it takes nothing more and leaves
        self.assertNotEqual(coordinator.returncode, 0)
        log = (self.folder / "coordinator.log").read_text()
        self.assertRegex(log, "journal.*(full|input/output)")
        self.assertTrue(run_for(waiter, 0.5), "nothing was acknowledged, so the client still asks")
        filler.unlink()
        self.farm.start("coordinator")
        self.passes(finish(waiter))
        self.delivered()
        jobs = self.passes(reelmill("status", "--json", "--farm", self.farm.endpoint)).json()["jobs"]
        self.assertIn(int(first), [job["job"] for job in jobs])

    def test_a_state_folder_that_was_renamed_under_it_takes_nothing_back(self):
        self.farm = LinkedFarm(self, self.folder)
        coordinator = self.farm.processes["coordinator"]
        waiter = self.submit()
        self.assertTrue(wait_until(waiter, lambda: any((self.folder / "out").rglob("*.part"))))
        coordinator.send_signal(signal.SIGSTOP)  # so that workers' news wait for it, which it cannot write down either
        self.state.rename(self.folder / "elsewhere")
        self.assertTrue(run_for(waiter, 1))
        coordinator.send_signal(signal.SIGCONT)
        coordinator.wait(timeout=60)
        self.assertEqual(coordinator.returncode, 2)  # so the service does not start it again in an empty folder
        self.assertRegex((self.folder / "coordinator.log").read_text(), "journal.db.*was renamed, removed or replaced")
        self.assertTrue(run_for(waiter, 0.5), "nothing was acknowledged, so the client still asks")
        (self.folder / "elsewhere").rename(self.state)
        self.farm.start("coordinator")
        self.passes(finish(waiter))
        self.delivered()

    def test_a_standstill_beyond_every_lease_loses_no_work(self):
        self.farm = LinkedFarm(self, self.folder)
        waiter = self.submit()
        self.assertTrue(wait_until(waiter, lambda: any((self.folder / "out").rglob("*.part"))))
        coordinator = self.farm.processes["coordinator"]
        coordinator.send_signal(signal.SIGSTOP)
        run_for(waiter, 2 * LEASE_S)
        coordinator.send_signal(signal.SIGCONT)
        outcome = self.passes(finish(waiter))
        self.delivered()
        job = self.passes(reelmill("status", outcome.out.split()[0], "--json", "--farm", self.farm.endpoint)).json()
        print("retries:", job["retries"] if "retries" in job else job.get("job", {}).get("retries"))


if __name__ == "__main__":
    main()
