"""A farm of hosts: every worker in a network namespace of its own, joined to the coordinator by a cable that can be cut."""
import os
import subprocess

from farm_kit import BIN, claim, environment
from hand_farm import Farm


def ip(*words):
    return subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)


def allowed():
    """May this user make network namespaces, and cables between them?"""
    name = f"rm{os.getpid()}"
    try:
        made = ip("netns", "add", name).returncode == 0 and ip("netns", "exec", name, "true").returncode == 0
        ip("netns", "del", name)
    except FileNotFoundError:
        return False
    return made


class Host:
    """One namespace; its cable's other end is with the coordinator."""

    def __init__(self, name, number):
        net = next(net for net in range(250) if claim(f"net-{net}"))
        self.space, self.cable = f"rm{os.getpid()}-{name}", f"rm{net}v{number}"
        self.near, self.far = f"10.{net + 1}.{number}.1", f"10.{net + 1}.{number}.2"
        for words in (("netns", "add", self.space),
                      ("link", "add", self.cable, "type", "veth", "peer", "name", "up0", "netns", self.space),
                      ("addr", "add", f"{self.near}/30", "dev", self.cable), ("link", "set", self.cable, "up"),
                      ("-n", self.space, "addr", "add", f"{self.far}/30", "dev", "up0"),
                      ("-n", self.space, "link", "set", "up0", "up"), ("-n", self.space, "link", "set", "lo", "up")):
            done = ip(*words)
            if done.returncode != 0:
                self.remove()
                raise OSError(f"ip {' '.join(words)}: {done.stderr}")

    def cut(self, way):
        """Packets vanish: both ways (the cable is pulled), to the worker, or from it."""
        if way == "cable":
            ip("link", "set", self.cable, "down")
        if way == "in":
            ip("route", "add", "blackhole", f"{self.far}/32")
        if way == "out":
            ip("-n", self.space, "route", "add", "blackhole", f"{self.near}/32")

    def mend(self):
        ip("link", "set", self.cable, "up")
        ip("route", "del", "blackhole", f"{self.far}/32")
        ip("-n", self.space, "route", "del", "blackhole", f"{self.near}/32")

    def remove(self):
        ip("route", "del", "blackhole", f"{self.far}/32")
        ip("link", "del", self.cable)
        ip("netns", "del", self.space)


class NamespaceFarm(Farm):
    """hand_farm's, its workers on such hosts."""

    def __init__(self, test, folder, workers=("one", "two")):
        self.hosts = {}
        for number, name in enumerate(workers, 1):
            self.hosts[name] = Host(name, number)
            test.addCleanup(self.hosts[name].remove)
        super().__init__(test, folder, workers=workers, more="lease_ms: 2000\n")

    def start(self, name):
        program, prefix = "reelmill-coordinator", []
        config = self.folder / f"{name}.yaml"
        port = self.endpoint.rsplit(":", 1)[1]
        if name == "coordinator":
            config.write_text(config.read_text().replace(f"[{self.endpoint}]", f"['tcp://*:{port}']"))
        else:
            program, prefix = "reelmill-worker", ["ip", "netns", "exec", self.hosts[name].space]
            config.write_text(config.read_text().replace(self.endpoint, f"tcp://{self.hosts[name].near}:{port}"))
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen([*prefix, BIN / program, "--config", config], stdout=log, stderr=log,
                                                    env=environment())
