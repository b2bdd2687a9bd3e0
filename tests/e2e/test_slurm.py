"""Workers placed by a real Slurm: a controller and three nodes, all on this machine."""
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from farm_kit import BIN, FarmTest, digests, finish, main, reelmill, small_show, start, wait_until
from hand_farm import Farm, free_port

SCRIPT = Path(os.environ["REELMILL_SOURCE"]) / "deploy" / "slurm" / "reelmill-worker.sbatch"
NODES = 3
CONF = """ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=5
{nodes}
PartitionName=farm Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """Daemons in the foreground, as children of the test: nothing outlives it."""

    def __init__(self, test, folder):
        self.test, self.folder, self.processes = test, folder, {}
        for name in ("state", *(f"spool-n{i + 1}" for i in range(NODES))):
            (folder / name).mkdir()
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(f"NodeName=n{i + 1} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=1 "
                          "RealMemory=500 State=UNKNOWN" for i in range(NODES))
        (folder / "slurm.conf").write_text(CONF.format(host=host, controller=free_port(), folder=folder, nodes=nodes))
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "REELMILL_WORKER": str(BIN / "reelmill-worker")}
        (folder / "munge.key").write_bytes(os.urandom(64))
        (folder / "munge.key").chmod(0o600)
        os.chmod(folder, 0o755)
        test.addCleanup(self.stop)
        self.start("munged", "munged", "--foreground", "--force", f"--key-file={folder}/munge.key",
                   f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munge.seed",
                   f"--log-file={folder}/munged.log")
        wait_until(self.processes["munged"], lambda: (folder / "munge.socket").exists())
        self.start_controller()
        for i in range(NODES):
            self.start(f"n{i + 1}", "slurmd", "-D", "-N", f"n{i + 1}")
        self.await_words(["idle"] * NODES, "sinfo", "--noheader", "--Node", "--format=%t")

    def start_controller(self):
        self.start("slurmctld", "slurmctld", "-D")

    def start(self, name, *command):
        log = open(self.folder / f"{name}.out", "ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        log.close()

    def words(self, *command):
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False).stdout.split()

    def await_words(self, wanted, *command):
        self.test.assertTrue(wait_until(self.processes["munged"], lambda: self.words(*command) == wanted),
                             f"{command}: {self.words(*command)}")

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self):
        """Whatever a failed test left running goes too: every process of this folder."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.folder.parent).encode() in entry.read_bytes() and b"slurm_script" in entry.read_bytes():
                    os.killpg(int(entry.parent.name), signal.SIGKILL)
            except OSError:
                continue
        for process in reversed(self.processes.values()):
            process.kill()
            process.wait()


class Placed(FarmTest):
    def workers(self, *arguments):
        return self.passes(finish(subprocess.Popen([BIN / "reelmill", "workers", *map(str, arguments)], text=True, cwd=self.folder,
                                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.slurm.environment)))

    def here(self):
        return sum(node["state"] != "lost" for node in self.farm.nodes().values())

    def await_nodes(self, count):
        coordinator = self.farm.processes["coordinator"]
        self.assertTrue(wait_until(coordinator, lambda: self.here() == count),
                        self.farm.nodes())

    def test_a_farm_on_slurm(self):
        show = small_show(self.folder)
        self.passes(reelmill("run", show.path, "--out", self.folder / "alone"))
        place = self.folder / "slurm"
        place.mkdir()
        self.slurm = Slurm(self, place)
        self.farm = Farm(self, self.folder, workers=())
        self.farm.authorize("slurm", "worker")
        config = self.folder / "worker.yaml"
        config.write_text(f"coordinator: {self.farm.endpoint}\nroots: {{shows: {self.folder}}}\n"
                          f"key: {self.farm.secret('slurm')}\ncoordinator_key: {self.farm.coordinator_key}\n")
        self.slurm.environment["REELMILL_WORKER_CONFIG"] = str(config)
        self.assertRegex(self.workers("start", "--on", "slurm", "-n", NODES, "--script", SCRIPT).out, r"^\d+\n$")
        self.await_nodes(NODES)
        # A job, while a node's daemon dies and the controller is away: neither has a part in it.
        waiter = start("submit", show.path, "--wait", *self.farm.link())
        self.slurm.kill("n2")
        self.slurm.kill("slurmctld")
        self.passes(finish(waiter))
        self.assertEqual(digests(self.folder / "out"), digests(self.folder / "alone"))
        self.slurm.start_controller()
        self.slurm.start("n2", "slurmd", "-D", "-N", "n2")
        self.slurm.await_words(["R"] * NODES, "squeue", "--noheader", "--array", "--format=%t")
        self.await_nodes(NODES)
        # Fewer: the youngest drains; then more again; then none, and every element of the array ended well.
        self.assertEqual(self.workers("stop", "--on", "slurm", "-n", 1).out, "1\n")
        self.await_nodes(NODES - 1)
        self.workers("start", "--on", "slurm", "-n", 1, "--script", SCRIPT)
        self.await_nodes(NODES)
        self.assertEqual(self.workers("stop", "--on", "slurm").out, f"{NODES}\n")
        self.slurm.await_words([], "squeue", "--noheader")
        self.await_nodes(0)
        told = subprocess.run(["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True,
                              env=self.slurm.environment, check=True).stdout
        self.assertEqual([line for line in told.splitlines() if "JobState=COMPLETED" not in line], [])
        self.assertEqual(len(told.splitlines()), NODES + 1)
        # A time limit of a minute: Slurm's signal before it drains the worker, the array's next element takes its place. Slurm looks
        # every 30 s, half a minute ahead: the signal comes 10 to 40 s after the start, and any element may get it too early.
        limited = self.folder / "limited.sbatch"
        limited.write_text(SCRIPT.read_text().replace("B:TERM@90", "B:TERM@20\n#SBATCH --time=1"))
        array = self.slurm.words("sbatch", "--parsable", "--array=1-9%1", f"--chdir={self.folder}", str(limited))[0]

        def telling(event):
            logs = ((i, self.folder / f"reelmill-worker-{array}_{i}.log") for i in range(1, 10))
            return [i for i, log in logs if log.exists() and event in log.read_text()]

        self.assertTrue(wait_until(self.slurm.processes["munged"], lambda: telling("event=session.draining") and
                                   max(telling("welcomed"), default=0) > min(telling("event=session.draining"))))
        drained = min(telling("event=session.draining"))
        show.text["output"] = "again"
        show.write()
        self.passes(finish(start("submit", show.path, "--wait", *self.farm.link())))
        self.assertEqual(digests(self.folder / "again"), digests(self.folder / "alone"))
        self.assertIn("JobState=COMPLETED", next(line for line in subprocess.run(
            ["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, env=self.slurm.environment,
            check=True).stdout.splitlines() if f"ArrayJobId={array} ArrayTaskId={drained} " in line))
        self.workers("stop", "--on", "slurm")
        self.slurm.await_words([], "squeue", "--noheader")


if __name__ == "__main__":
    missing = [tool for tool in ("munged", "slurmctld", "slurmd") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        print(f"skipped: Slurm on one machine needs root and slurm-wlm, munge; not installed: {missing}")
        sys.exit(77)
    main()
