"""Storage that fails under a run: what happens is detected, named in one clear sentence, and leaves nothing half made.

The farm is held still (SIGSTOP on its workers and executors) once the outputs are allocated, the storage is broken, and
it goes on. File systems of its own are mounted where that is allowed.
"""
import errno
import os
import re
import shutil
import signal
import struct
import subprocess

from farm_kit import BIN, DELIVERABLES, FarmTest, children_of, digests, environment, finish, leftovers, main, reelmill
from farm_kit import RATE, read_wav, small_show, start, wait_until
from hand_farm import Farm

FARM_FAILED, BAD_INPUT = 3, 2
CELL_FRAMES = 307200


class StorageTest(FarmTest):
    def mount(self, *arguments):
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print("skipped: a file system cannot be mounted here:", done.stderr.strip())
            self.skipTest("no mount")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", str(arguments[-1])], capture_output=True, check=False))


class Storage(StorageTest):
    def setUp(self):
        super().setUp()
        self.show = small_show(self.folder / "show", deliverables=DELIVERABLES[:1])
        self.stem = self.show.folder / "stems" / "R2_DX_51.wav"

    def begin(self, out, so_far=lambda part: True):
        """A run that stands still with its output allocated and, as far as it is not to be made, the rendering ahead."""
        process = start("run", self.show.path, "--out", out, "--cells-per-task", 1)
        self.addCleanup(self.end, process)
        self.assertTrue(wait_until(process, lambda: any(so_far(part) for part in out.rglob("*.wav.*.part"))), "nothing was made")
        self.still = [pid for pid, program in children_of(process.pid) if program == "reelmill-worker"]
        for pid in self.still:
            os.kill(pid, signal.SIGSTOP)
        return process

    def end(self, process):
        """Where a test ends in the middle: its private farm dies with the command."""
        if process.poll() is None:
            process.kill()
            finish(process)
            for pid in self.still:
                os.kill(pid, signal.SIGCONT)

    def go_on(self, process):
        for pid in reversed(self.still):
            os.kill(pid, signal.SIGCONT)
        return finish(process)

    def whole_or_nothing(self, out):
        """Whatever has its final name is what an undisturbed run makes."""
        complete = digests(self.folder / "alone") if (self.folder / "alone").exists() else None
        if complete is None:
            self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
            complete = digests(self.folder / "alone")
        for name, digest in digests(out).items():
            self.assertEqual(digest, complete[name])
        return complete

    # ---- inputs ----

    def changed(self, outcome):
        self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
        self.assertRegex(outcome.err, "R2_DX_51.wav' changed (since it was probed|while it was read)")
        self.assertEqual(leftovers(self.folder), [])

    def test_an_input_is_replaced_by_another_of_the_same_size_and_time(self):
        process = self.begin(self.folder / "out")
        before = self.stem.stat()
        blob = bytearray(self.stem.read_bytes())
        blob[-1000] ^= 1
        other = self.stem.with_suffix(".new")
        other.write_bytes(blob)
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.rename(other, self.stem)
        self.changed(self.go_on(process))

    def test_an_input_is_written_over_and_its_time_put_back(self):
        process = self.begin(self.folder / "out")
        before = self.stem.stat()
        with open(self.stem, "r+b") as file:
            file.seek(-1000, os.SEEK_END)
            file.write(b"\x55")
        os.utime(self.stem, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.stem.stat().st_mtime_ns, before.st_mtime_ns)
        self.changed(self.go_on(process))

    def reels_and_a_long_one(self, seconds):
        """R3 as R2; R4 is silence that takes no room: what comes before it has been read long before the job ends."""
        for path in list(self.stem.parent.glob("R2*")):
            shutil.copy(path, path.with_name("R3" + path.name[2:]))
            header = bytearray(path.read_bytes()[:44])
            size = seconds * RATE * header[32]
            struct.pack_into("<I", header, 4, 36 + size)
            struct.pack_into("<I", header, 40, size)
            silent = path.with_name("R4" + path.name[2:])
            silent.write_bytes(header)
            os.truncate(silent, 44 + size)
        self.show.text["reels"] = [{"name": f"R{i}"} for i in range(1, 5)]  # without edges: nobody listens at their joins
        self.show.write()

    def test_an_input_is_replaced_behind_the_last_task_that_read_it(self):
        silence = 600 * RATE
        self.reels_and_a_long_one(seconds=600)
        frames = [len(read_wav(self.stem.with_name(f"R{i}_DX_51.wav"))[0]) for i in (1, 2, 3)]
        first = self.stem.with_name("R1_DX_51.wav")
        new = self.stem.with_suffix(".new")
        shutil.copy(first, new)

        def made(part):
            """The ends of all cells of the first three reels hold sound: no task that is left reads the first."""
            if part.stat().st_size < silence * 18:
                return False
            with open(part, "rb") as file:
                sound = []
                for reel, count in enumerate(frames):
                    for end in (CELL_FRAMES, count):
                        file.seek(-(silence + sum(frames[reel:]) - end + 100) * 18, os.SEEK_END)
                        sound.append(any(file.read(1800)))
            return all(sound)

        process = self.begin(self.folder / "out", made)
        new.rename(first)
        outcome = self.go_on(process)
        self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
        self.assertIn("publish PM_51: 'R1_DX_51.wav' changed since it was probed; submit the show again", outcome.err)
        self.assertEqual(digests(self.folder / "out"), {})
        self.assertEqual(leftovers(self.folder), [])

    # ---- outputs ----

    def test_what_another_farm_is_making_is_left_to_it(self):
        farm = Farm(self, self.folder, workers=("one",))
        worker = farm.processes["one"]
        self.passes(farm.ask("submit", self.show.path))
        self.assertTrue(wait_until(worker, lambda: any(self.show.output().rglob("*.part"))))
        for pid in (still := [worker.pid] + [pid for pid, _ in children_of(worker.pid)]):
            os.kill(pid, signal.SIGSTOP)
        outcome = reelmill("run", self.show.path)
        self.assertEqual(outcome.code, BAD_INPUT, outcome.err)
        self.assertRegex(outcome.err, r"-1-1\.part' in out is of another farm, which is making this file: wait until its job has ended")
        for pid in reversed(still):
            os.kill(pid, signal.SIGCONT)
        self.assertEqual(farm.ask("wait", "1").code, 0)
        self.assertEqual(leftovers(self.folder), [])

    def test_the_output_folder_is_deleted(self):
        out = self.folder / "out"
        process = self.begin(out)
        shutil.rmtree(out)
        outcome = self.go_on(process)
        self.assertEqual(outcome.code, FARM_FAILED, outcome.err)
        self.assertRegex(outcome.err, r"\.part in out could not be opened: it or its folder is gone")
        self.assertEqual(leftovers(self.folder), [])
        complete = self.whole_or_nothing(out)
        self.passes(reelmill("run", self.show.path, "--out", out))  # nothing of it is in the way of another run
        self.assertEqual(digests(out), complete)

    def image(self, folder, megabytes):
        """An ext4 of its own, in a sparse file of that folder; mounted at out."""
        with open(folder / "image", "wb") as image:
            image.truncate(megabytes << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", folder / "image"],
                              capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("no mkfs.ext4")
        out = self.folder / "out"
        out.mkdir()
        self.mount("-o", "loop", folder / "image", out)
        return out

    def test_the_output_becomes_read_only(self):
        """As ext4 does when it finds its disk damaged: from one moment to the next, with files open for writing."""
        out = self.image(self.folder, 200)
        process = self.begin(out)
        self.mount("-o", "remount,abort", out)
        outcome = self.go_on(process)
        self.assertEqual(outcome.code, FARM_FAILED, outcome.err)
        self.assertRegex(outcome.err, "read-only|EROFS|EIO|input/output error")
        try:
            self.whole_or_nothing(out)
        except OSError as damaged:  # a folder that ext4 itself cannot read any more holds no name that could deceive
            self.assertEqual(damaged.errno, errno.EBADMSG)

    def test_the_disk_under_the_output_loses_writes(self):
        """ext4 in a sparse image on a tmpfs that is full: reserving and writing succeed, syncing does not."""
        small = self.folder / "small"
        small.mkdir()
        self.mount("-t", "tmpfs", "-o", "size=24m", "none", small)
        out = self.image(small, 200)
        process = self.begin(out)
        try:  # it may be full already: then writes are lost without our help
            with open(small / "somebody_elses_file", "wb") as filler:
                while True:
                    filler.write(bytes(1 << 16))
                    filler.flush()
        except OSError as full:
            self.assertEqual(full.errno, errno.ENOSPC)
        outcome = self.go_on(process)
        self.assertEqual(outcome.code, FARM_FAILED, outcome.err)
        self.assertRegex(outcome.err, "EIO|ENOSPC|input/output error|differ|EROFS|read-only")
        self.whole_or_nothing(out)


class StorageWait(StorageTest):
    """On a farm a job waits for its storage, with a reason, and goes on by itself."""

    def setUp(self):
        super().setUp()
        self.root = self.folder / "mnt"
        self.root.mkdir()
        self.started_anew = 0

    def start_anew(self, farm):
        """As the unit does with a worker that leaves with 75."""
        for name in ("one", "two"):
            if farm.processes[name].poll() is not None:
                self.assertEqual(farm.processes[name].returncode, 75, "start me again")
                farm.start(name)
                self.started_anew += 1
        return True

    def waits(self, farm, what):
        """The job is set aside, with a reason."""
        coordinator = farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: self.start_anew(farm) and
                                   "waits for storage" in farm.ask("status", "all").out))
        job = farm.job(1)
        self.assertEqual((job["state"], job["st"]), ("running", "PD"))
        self.assertIn(what, job["reason"])
        self.assertIn("waits for storage", self.passes(farm.ask("explain", 1)).out)

    def passes_after(self, farm, waiter):
        wait_until(waiter, lambda: self.start_anew(farm) and farm.job(1)["state"] == "ended")
        outcome = finish(waiter)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(leftovers(self.root), [])

    def test_a_full_disk_gets_space(self):
        self.mount("-t", "tmpfs", "-o", "size=128m", "none", self.root)
        show = small_show(self.root / "show", deliverables=DELIVERABLES[:1])
        farm = Farm(self, self.folder, root=self.root)
        filler = self.root / "somebody_elses_file"
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.root).free)
        waiter = start("submit", show.path, "--wait", *farm.link())
        self.waits(farm, "free")
        filler.unlink()
        self.passes_after(farm, waiter)

    def test_a_mount_comes_back(self):
        """It goes with a job half done. The workers hold what was mounted before: they start themselves anew."""
        disk = self.folder / "disk"
        disk.mkdir()
        self.mount("--bind", disk, self.root)
        show = small_show(self.root / "show", deliverables=DELIVERABLES[:1])
        farm = Farm(self, self.folder, root=self.root)
        waiter = start("submit", show.path, "--wait", *farm.link())
        self.assertTrue(wait_until(waiter, lambda: len(list(disk.rglob("*.wav.*.part"))) == 1))
        held = []
        for worker in (farm.processes["one"].pid, farm.processes["two"].pid):
            os.kill(worker, signal.SIGSTOP)
            held += [*(pid for pid, _ in children_of(worker)), worker]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        (disk / "show").rename(disk / "away")
        subprocess.run(["umount", "-l", self.root], check=True)
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        self.assertTrue(wait_until(farm.processes["coordinator"], lambda: self.start_anew(farm) and re.search(
            "no node is connected; (one|two) is refused: media root shows is not the storage", farm.ask("explain", 1).out)))
        (disk / "away").rename(disk / "show")
        self.mount("--bind", disk, self.root)
        self.passes_after(farm, waiter)
        self.assertGreaterEqual(self.started_anew, 2)

    def test_a_node_without_the_mount(self):
        """
        It comes up without what its fstab names, and what lies below is an old copy of the root. It must not take that for the
        root: no other node would find what it makes.
        """
        if not os.path.isfile("/etc/fstab"):
            self.skipTest("no /etc/fstab to lay another one over")
        small_show(self.root / "show", deliverables=DELIVERABLES[:1])
        self.mount("-t", "tmpfs", "-o", "size=256m", "none", self.root)
        show = small_show(self.root / "show", deliverables=DELIVERABLES[:1])
        farm = Farm(self, self.folder, workers=("one",), root=self.root)
        farm.authorize("bare", "worker")
        config = (self.folder / "one.yaml").read_text().replace(str(farm.secret("one")), str(farm.secret("bare")))
        (self.folder / "bare.yaml").write_text(config.replace("name: one", "name: bare").replace("one.alive", "bare.alive"))
        (self.folder / "fstab").write_text(f"server:/shows {self.root} nfs nofail 0 0\n")

        def bare(enter, *options):
            """The worker on a machine of its own, as far as mounts go."""
            with open(self.folder / "bare.log", "ab") as log:
                process = subprocess.Popen(
                    ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
                     f'mount --bind "$1" /etc/fstab; {enter}; shift 2; exec "$@"', "sh", self.folder / "fstab", self.root,
                     BIN / "reelmill-worker", "--config", self.folder / "bare.yaml", *options],
                    stdout=log, stderr=log, env=environment())
            self.addCleanup(process.kill)
            return process

        for options, code in (((), 75), (("--check-config",), 2), (("--doctor",), 3)):
            self.assertEqual(bare('umount -l "$2"', *options).wait(timeout=60), code)
        said = (self.folder / "bare.log").read_text()
        self.assertEqual(said.count(f"the folder {self.root} of media root shows is not the storage: /etc/fstab has server:/shows "
                                    f"for {self.root}, and it is not mounted; mount it"), 3, said)
        self.passes(farm.ask("submit", show.path, "--wait"))
        self.assertEqual(list(farm.nodes()), ["one"])
        farm.processes["bare"] = bare(":")
        self.assertTrue(wait_until(farm.processes["bare"], lambda: "bare" in farm.nodes()), "it was mounted")

    def test_a_node_with_another_folder(self):
        """
        Under the root's name it has a copy of the root on its own disk, which no fstab tells: it must not work there, also where it is the
        first that a coordinator hears after a restart. When the root really moves, the farm goes with it.
        """
        show = small_show(self.root / "show", deliverables=DELIVERABLES[:1])
        farm = Farm(self, self.folder, workers=("one",), root=self.root)
        other = self.folder / "other"
        shutil.copytree(self.root, other)
        before = digests(other)
        farm.authorize("wrong", "worker")
        config = (self.folder / "one.yaml").read_text().replace(str(farm.secret("one")), str(farm.secret("wrong")))
        config = config.replace("name: one", "name: wrong").replace("one.alive", "wrong.alive")
        (self.folder / "wrong.yaml").write_text(config.replace(f"shows: {self.root}", f"shows: {other}"))
        farm.kill("one")
        farm.kill("coordinator")
        for name in ("coordinator", "wrong"):
            farm.start(name)
        self.assertEqual(farm.processes["wrong"].wait(timeout=60), 75)
        sentence = ("wrong is refused: media root shows is not the storage that it is on node one: its .reelmill-root is another; mount the "
                    "right one (if the root itself has moved: `reelmill root-moved shows`)")
        self.assertIn(sentence.split(": ", 1)[1], (self.folder / "wrong.log").read_text())
        self.assertIn(sentence, farm.ask("nodes").err)
        farm.start("one")
        done = self.passes(farm.ask("submit", show.path, "--wait"))
        self.assertEqual((list(farm.nodes()), digests(other)), (["one"], before), done.out)

        self.assertEqual(farm.ask("root-moved", "library").code, BAD_INPUT)
        self.passes(farm.ask("root-moved", "shows", "--reason", "new server"))
        farm.start("wrong")
        self.assertEqual(farm.processes["one"].wait(timeout=60), 75)
        self.assertEqual(farm.nodes()["one"]["state"], "lost")
        told = (self.folder / "coordinator.log").read_text().split("event=root.moved")[1]
        self.assertRegex(told, 'event=root.known root="shows" node="wrong" owner=wrong')
        self.assertRegex(told, 'level=error event=worker.refused name="one" owner=one')  # `nodes` says it too, as of all refused
        self.assertTrue(wait_until(farm.processes["wrong"], lambda: "wrong" in farm.nodes()), "it was not let in")
        self.assertEqual(farm.nodes()["wrong"]["roots"], [{"name": "shows", "writable": True, "compared": True}])


if __name__ == "__main__":
    main()
