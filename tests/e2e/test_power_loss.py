"""The power of the machine fails at random moments: what was acknowledged is in the journal afterwards, and what has its
name on the disk is whole.

The state and the outputs lie on ext4 in an image file on btrfs. A reflink copy of the image is the disk as it was at that moment; it is
mounted, the journal recovers as after a power failure, and a coordinator started on it must know every job that had been
acknowledged before the copy began; every audio file under its own name must be the bytes that it has in the end, and of a
job that had ended none may be missing. REELMILL_SNAPSHOTS: how many (6).
"""
import os
import subprocess
import threading

from farm_kit import BIN, CHANCE, FarmTest, environment, main, reelmill, run_for, small_show, wait_until
from test_rounds import LinkedFarm

VERSIONS = 4
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
            image.truncate(4 << 30)
        self.run_or_skip("mkfs.btrfs", "-q", self.folder / "host.img")
        self.mount(self.folder / "host.img", host)
        self.disk = host / "disk.img"
        with open(self.disk, "wb") as image:
            image.truncate(1 << 30)
        self.run_or_skip("mkfs.ext4", "-q", self.disk)
        self.mount(self.disk, state)
        self.show.text["output"] = "state/out"
        self.shows = []
        for number in range(1, VERSIONS + 1):
            self.show.text["version"] = f"v{number:02}"
            self.show.write()
            self.shows.append(self.folder / f"show-{number}.yaml")
            self.shows[-1].write_text(self.show.path.read_text())
        self.farm = LinkedFarm(self, self.folder)
        self.acknowledged = []
        self.ending = False
        self.files = 0

    def submit_on_and_on(self):
        while not self.ending:  # each version once, then the last again and again: it is there already
            show = self.shows.pop(0) if len(self.shows) > 1 else self.shows[0]
            outcome = reelmill("submit", show, "--farm", self.farm.endpoint)
            if outcome.code == 0:
                self.acknowledged.append(int(outcome.out.split()[0]))

    def check_files(self, out, done):
        live = self.folder / "state/out"
        there = {path.relative_to(out) for path in out.rglob("*.wav") if ".part" not in str(path)}
        for path in there:
            self.files += 1
            self.assertEqual((out / path).read_bytes(), (live / path).read_bytes(), f"{path} had its name and is not whole")
        ended = {path.relative_to(live) for path in live.rglob("*.wav") if done & set(path.parts) and ".part" not in str(path)}
        self.assertEqual(ended - there, set(), "files of jobs that had ended")

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
                jobs = self.passes(outcome).json()["jobs"]
                self.check_files(after / "out", {job["version"] for job in jobs if job["exit_code"] == 0})
                return {job["job"] for job in jobs}
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
        print(f"{SNAPSHOTS} snapshots, {len(self.acknowledged)} jobs acknowledged, none lost; {self.files} files under their names, all whole")


if __name__ == "__main__":
    main()
