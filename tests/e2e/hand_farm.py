"""A farm as an operator starts it: a coordinator and two workers by hand, with keys, over tcp."""
import random
import re
import socket
import subprocess

from farm_kit import BIN, claim, environment, reelmill, wait_until


def free_port():
    """One that no other test has, and that the system does not give to outgoing connections, which come and go while tests run."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        if not claim(f"port-{port}"):
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Farm:
    """One coordinator and its workers, each with a configuration file and a key of its own, and an operator's key."""

    def __init__(self, test, folder, workers=("one", "two"), more="", root=None):
        self.test, self.folder, self.processes = test, folder, {}
        root = root or folder
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.list = folder / "authorized"
        self.coordinator_key = self.make_key("coordinator")
        self.authorize("chief", "operator")
        (folder / "coordinator.yaml").write_text(
            f"listen: [{self.endpoint}]\nstate: {folder}/state\nroots: {{shows: {root}}}\ncells_per_task: 1\n"
            f"key: {self.secret('coordinator')}\nauthorized: {self.list}\n{more}")
        for name in workers:
            self.authorize(name, "worker")
            (folder / f"{name}.yaml").write_text(
                f"coordinator: {self.endpoint}\nname: {name}\nslots: 1\nroots: {{shows: {root}}}\n"
                f"key: {self.secret(name)}\ncoordinator_key: {self.coordinator_key}\nalive: {folder}/{name}.alive\n")
        for name in ("coordinator", *workers):
            self.start(name)
        test.addCleanup(self.stop)
        wait_until(self.processes["coordinator"], lambda: len(self.nodes()) == len(workers))

    # ---- keys ----

    def secret(self, name):
        return self.folder / "keys" / name / "reelmill.secret"

    def make_key(self, name):
        (self.folder / "keys").mkdir(exist_ok=True)
        return self.test.passes(reelmill("keygen", self.folder / "keys" / name)).out.strip()

    def authorize(self, name, role, *options, key=None):
        key = key or self.make_key(name)
        self.test.passes(reelmill("authorize", key, "--role", role, "--name", name, "--authorized", self.list, *options))
        self.await_list()
        return key

    def revoke(self, name):
        self.test.passes(reelmill("revoke", name, "--authorized", self.list))
        self.await_list()

    def await_list(self):
        """Until the coordinator, if it runs, has the list as it is now."""
        coordinator = self.processes.get("coordinator")
        if coordinator is None or coordinator.poll() is not None:
            return
        count = len(self.list.read_text().splitlines())
        log = self.folder / "coordinator.log"
        self.test.assertTrue(wait_until(
            coordinator, lambda: re.findall(r"access\.list keys=(\d+)", log.read_text())[-1:] == [str(count)]))

    def link(self, who="chief"):
        return ("--farm", self.endpoint, "--key", self.secret(who), "--coordinator-key", self.coordinator_key)

    # ---- processes ----

    def start(self, name):
        program = "reelmill-coordinator" if name == "coordinator" else "reelmill-worker"
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen([BIN / program, "--config", self.folder / f"{name}.yaml"], stdout=log,
                                                stderr=log, env=environment())
        log.close()

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # ---- questions ----

    def ask(self, command, *arguments, who="chief"):
        return reelmill(command, *arguments, *self.link(who))

    def nodes(self):
        answer = self.test.passes(self.ask("nodes", "--json")).json()
        return {node["name"]: node for node in answer["nodes"]}

    def job(self, number):
        return self.test.passes(self.ask("status", number, "--json")).json()
