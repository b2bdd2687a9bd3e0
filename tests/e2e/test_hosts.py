"""A farm of hosts, driven by what docs/operations.md says: each with its own network, host name, files of /etc/reelmill and
mount of the media, at a path of its own. The commands and settings are those of the page, with the names that a reader puts in.
"""
import os
import re
import subprocess
from pathlib import Path

import namespace_farm
from farm_kit import BIN, FarmTest, digests, environment, leftovers, main, reelmill, small_show, wait_until
from hand_farm import free_port

SOURCE = Path(os.environ["REELMILL_SOURCE"])
# What every process of a host finds below /mnt: its own files, and the media mounted where its administrator wants them.
ENTER = """set -e; hostname "$1"; mount -t tmpfs none /mnt; mkdir -p /mnt/etc /mnt/state "$2"
mount --bind "$3/etc" /mnt/etc; mount --bind "$3/state" /mnt/state; mount --bind "$4" "$2"; shift 4; exec "$@\""""


def page_blocks():
    """The commands and the two files of "A farm started by hand", and the worker's command line of its unit."""
    text = (SOURCE / "docs/operations.md").read_text().split("## A farm started by hand")[1]
    keys, settings, use = re.findall(r"```(?:yaml)?\n(.*?)```", text, re.S)[:3]
    unit = (SOURCE / "deploy/systemd/reelmill-worker@.service").read_text()
    return keys, settings, use, re.search(r"^ExecStart=(.*)$", unit, re.M).group(1)


class Machine:
    """A host's own view; `space` is its network, None: that of the coordinator."""

    def __init__(self, test, name, shows, space=None):
        self.test, self.name, self.shows, self.folder = test, name, shows, test.folder / name
        for part in ("etc", "state"):
            (self.folder / part).mkdir(parents=True)
        net = ["ip", "netns", "exec", space] if space else []
        self.prefix = [*net, "unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", ENTER, "sh", name, shows,
                       self.folder, test.storage]

    def localise(self, words):
        return words.replace("/etc/reelmill", "/mnt/etc").replace("/var/lib/reelmill", "/mnt/state").replace(
            "/mnt/shows", self.shows).replace("/usr/bin/", f"{BIN}/").replace("%H", self.name).replace("%i", "1")

    def command(self, line, **names):
        """A line of the page as its reader types it: its comment away, the capitals replaced."""
        line = self.localise(line.split(" #")[0].strip())
        for word, value in names.items():
            line = re.sub(rf"\b{word}\b", value, line)
        return [*self.prefix, *line.split()]

    def run(self, line, code=0, **names):
        done = subprocess.run(self.command(line, **names), capture_output=True, text=True, env=self.test.env, check=False)
        self.test.assertEqual(done.returncode, code, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, line):
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(self.command(line), stdout=log, stderr=log, env=self.test.env)
        self.test.addCleanup(process.wait)
        self.test.addCleanup(process.terminate)
        return process


class Hosts(FarmTest):
    def setUp(self):
        super().setUp()
        if not namespace_farm.allowed():
            self.skipTest("this user may not make network namespaces (ip netns)")
        self.storage = self.folder / "storage"
        self.show = small_show(self.storage / "night_train")
        self.env = {**environment(), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def test_a_farm_of_hosts(self):
        keys, settings, use, unit = page_blocks()
        keygen, authorize_worker, authorize_person = keys.strip().splitlines()
        coordinator_yaml, worker_yaml = settings.split("# worker.yaml\n")
        port = free_port()
        server = Machine(self, "server", "/mnt/shows")
        nodes = []
        for number, shows in enumerate(("/mnt/media/shows", "/mnt/san1/films"), 1):
            host = namespace_farm.Host(f"h{number}", number)
            self.addCleanup(host.remove)
            nodes.append((host, Machine(self, f"node-{number}", shows, host.space)))
        person = Machine(self, "desk", "/mnt/shows")  # anna's machine, beside the server

        # Keys on each machine, authorized on the coordinator's; then the two files.
        public = server.run(keygen).strip()
        for _, node in nodes:
            key = node.run(keygen).strip()
            server.run(authorize_worker.replace("node-1", f"{node.name}-1"), KEY=key)
        anna = person.run(keygen).strip()
        server.run(authorize_person, KEY=anna)
        (server.folder / "etc/coordinator.yaml").write_text(server.localise(coordinator_yaml).replace("7070", str(port)))
        for host, node in nodes:
            text = node.localise(worker_yaml).replace("farm.example:7070", f"{host.near}:{port}").replace("7f0c...", public)
            (node.folder / "etc/worker.yaml").write_text(text.replace("slots: 8", "slots: 1"))

        coordinator = server.start("reelmill-coordinator --config /etc/reelmill/coordinator.yaml")
        log = server.folder / "log"
        self.assertTrue(wait_until(coordinator, lambda: "farm.listening" in log.read_text()))

        # The doctor, before anything works: each node alone, then both together on the mounts.
        for _, node in nodes:
            found = node.run("reelmill doctor --config /etc/reelmill/worker.yaml")
            self.assertRegex(found, r"(?m)^ok +shows .*two processes wrote one file in place by turns")
            self.assertNotRegex(found, "(?m)^FAIL")
        pair = [subprocess.Popen(node.command(f"reelmill doctor --config /etc/reelmill/worker.yaml --pair {number}"), text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env)
                for number, (_, node) in enumerate(nodes, 1)]
        for process in pair:
            found = process.communicate(timeout=60)[0]
            self.assertEqual((process.returncode, "shows" in found), (0, True), found)

        # As the unit starts it, with the credential where systemd would put it; then as a person uses it.
        for _, node in nodes:
            node.start(unit.replace("%d/worker.secret", "/etc/reelmill/key/reelmill.secret"))
        farm, submit = use.splitlines()[2:4]
        self.env.update(pair.split("=", 1) for pair in farm.removeprefix("export ").replace(
            "farm.example:7070", f"127.0.0.1:{port}").replace("7f0c...", public).replace("~/.reelmill", "/mnt/etc/key").split())
        self.assertEqual(person.run(submit).strip(), "1")
        nodes = [line.split()[0] for line in person.run("reelmill nodes").splitlines()[1:]]
        self.assertEqual(sorted(nodes), ["node-1-1", "node-2-1"])  # listed as they joined
        workers = set(re.findall(r'task.done .*worker="([^"]+)"', person.run("reelmill logs 1")))
        self.assertEqual(workers, {"-", "node-1-1", "node-2-1"})  # all have worked: "-" is the coordinator
        self.passes(reelmill("run", self.show.path, "--out", self.folder / "alone"))
        self.assertEqual(digests(self.show.output().parent.parent), digests(self.folder / "alone"))
        self.assertEqual(leftovers(self.storage), [])


if __name__ == "__main__":
    main()
