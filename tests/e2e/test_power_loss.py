"""The power of the coordinator's machine fails at random moments: what was acknowledged is in the journal afterwards.

The state lies on ext4 in an image file on btrfs. A reflink copy of the image is the disk as it was at that moment; it is
mounted, the journal recovers as after a power failure, and a coordinator started on it must know every job that had been
acknowledged before the copy began. REELMILL_SNAPSHOTS: how many (6).
"""
import os
import subprocess
import threading

from farm_kit import BIN, CHANCE, FarmTest, environment, main, reelmill, run_for, small_show, wait_until
from test_rounds import LinkedFarm

SNAPSHOTS = int(os.environ.get("REELMILL_SNAPSHOTS", "6"))


class PowerLoss(FarmTest):
    def run_or_skip(self, *command):
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            print(f"skipped: there is no {command[0]}")
            self.skipTest(command[0])
        if done.returncode != 0:
            print(f"skipped: {command[0]} cannot be done here: {done.stderr.strip()}")
            self.skipTest(command[0])

    def mount(self, image, place):
        place.mkdir(exist_ok=True)
        self.run_or_skip("mount", "-o", "loop", image, place)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", place], capture_output=True, check=False))

    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder)
        host, state = self.folder / "host", self.folder / "state"
        with open(self.folder / "host.img", "wb") as image:
            image.truncate(1 << 30)
        self.run_or_skip("mkfs.btrfs", "-q", self.folder / "host.img")
        self.mount(self.folder / "host.img", host)
        self.disk = host / "disk.img"
        with open(self.disk, "wb") as image:
            image.truncate(200 << 20)
        self.run_or_skip("mkfs.ext4", "-q", self.disk)
        self.mount(self.disk, state)
        self.farm = LinkedFarm(self, self.folder)
        self.acknowledged = []
        self.ending = False

    def submit_on_and_on(self):
        while not self.ending:
            outcome = reelmill("submit", self.show.path, "--farm", self.farm.endpoint)
            if outcome.code == 0:
                self.acknowledged.append(int(outcome.out.split()[0]))

    def known_after(self, snapshot):
        """The jobs that a coordinator finds on the disk as it was."""
        after = self.folder / "after"
        after.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "loop", snapshot, after], check=True)
        try:
            endpoint = f"ipc://{self.folder}/after.socket"
            coordinator = subprocess.Popen([BIN / "reelmill-coordinator", "--listen", endpoint, "--state", after,
                                            "--root", f"shows={self.folder}", "--log", "error"], env=environment())
            try:
                outcome = reelmill("status", "--json", "--farm", endpoint)
                while outcome.code != 0 and coordinator.poll() is None:  # a busy machine takes its time
                    outcome = reelmill("status", "--json", "--farm", endpoint)
                return {job["job"] for job in self.passes(outcome).json()["jobs"]}
            finally:
                coordinator.kill()
                coordinator.wait()
        finally:
            subprocess.run(["umount", after], check=True)

    def test_everything_acknowledged_is_there_afterwards(self):
        submitters = [threading.Thread(target=self.submit_on_and_on) for _ in range(3)]
        for each in submitters:
            each.start()
        try:
            wait_until(self.farm.processes["coordinator"], lambda: len(self.acknowledged) > 3)
            for number in range(SNAPSHOTS):
                run_for(self.farm.processes["coordinator"], CHANCE.uniform(0, 0.4))
                before = set(sorted(self.acknowledged)[-500:])  # `status` lists the last thousand
                snapshot = self.disk.with_name("snapshot.img")
                subprocess.run(["cp", "--reflink=always", self.disk, snapshot], check=True)
                lost = before - self.known_after(snapshot)
                self.assertEqual(lost, set(), f"snapshot {number}: of the {len(before)} acknowledged last")
                snapshot.unlink()
        finally:
            self.ending = True
            for each in submitters:
                each.join()
        print(f"{SNAPSHOTS} snapshots, {len(self.acknowledged)} jobs acknowledged, none lost")


if __name__ == "__main__":
    main()
