"""Nobody gets in: strangers, wrong keys, wrong roles, revoked keys, floods and garbage against the real programs."""
import contextlib
import os
import re
import resource
import socket
import struct
import subprocess
import time
from pathlib import Path

from farm_kit import BIN, CHANCE, FarmTest, children_of, digests, environment, finish, leftovers, main, reelmill
from farm_kit import memory_mib, run_for, small_show, start, wait_until
from hand_farm import Farm, free_port

PEER = Path(os.environ["REELMILL_PEER"])
STRANGERS, GROWTH_MIB = 2000, 64
NULL_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
CURVE_GREETING = NULL_GREETING.replace(b"NULL\0", b"CURVE")


def sanitized():
    return "build: sanitized" in reelmill("--version").out


def connect(farm):
    host, port = farm.endpoint[len("tcp://"):].rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def ended_by_peer(link):
    """Reads until the other end hangs up; False when it has not within 10 s (the handshake has 5)."""
    try:
        while link.recv(65536):
            continue
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


class SecurityTest(FarmTest):
    def farm(self, **more):
        return Farm(self, self.folder, **more)

    def denied(self, outcome, *words):
        self.passes(outcome, 2)
        for word in words:
            self.assertIn(word, outcome.err)

    def audit(self):
        return (self.folder / "state" / "audit.log").read_text().splitlines()

    def served(self, farm, within_s):
        """Others keep working: an operator's question is answered, and how long that took."""
        began = time.monotonic()
        self.passes(farm.ask("nodes", "--json"))
        took = time.monotonic() - began
        self.assertLess(took, within_s)
        return took


class Keys(SecurityTest):
    def test_only_a_key_of_the_list_gets_in(self):
        farm = self.farm(workers=())
        farm.make_key("stranger")
        self.denied(farm.ask("nodes", who="stranger"), "hangs up on this key", "reelmill authorize")
        self.denied(reelmill("nodes", "--farm", farm.endpoint, "--plain"), "without a key")
        self.denied(reelmill("nodes", "--farm", farm.endpoint), "needs a key")
        stranger_key = (self.folder / "keys" / "stranger" / "reelmill.public").read_text().strip()
        self.denied(reelmill("nodes", "--farm", farm.endpoint, "--key", farm.secret("chief"), "--coordinator-key",
                             stranger_key), "is the coordinator's key the right one")
        self.passes(farm.ask("nodes"))
        farm.authorize("late", "viewer", key=stranger_key)
        self.passes(farm.ask("nodes", who="stranger"))
        log = (self.folder / "coordinator.log").read_text()
        self.assertIn("access.refused", log)
        self.assertNotIn("message.", log)  # not a byte of theirs was taken for a message
        secrets = [path.read_text().split()[1] for path in (self.folder / "keys").rglob("reelmill.secret")]
        self.assertEqual(len(secrets), 3)
        told = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "reelmill.secret"
                and any(secret.encode() in path.read_bytes() for secret in secrets)]
        self.assertEqual(told, [])

    def test_a_worker_waits_until_it_is_authorized(self):
        farm = self.farm(workers=())
        key = farm.make_key("new")
        (self.folder / "new.yaml").write_text(
            f"coordinator: {farm.endpoint}\nname: new\nslots: 1\nroots: {{shows: {self.folder}}}\n"
            f"key: {farm.secret('new')}\ncoordinator_key: {farm.coordinator_key}\n")
        farm.start("new")
        log = self.folder / "new.log"
        self.assertTrue(wait_until(farm.processes["new"], lambda: "coordinator.refused" in log.read_text()))
        self.assertIn(key, log.read_text())
        self.assertEqual(farm.nodes(), {})
        farm.authorize("new", "worker", key=key)
        self.assertTrue(wait_until(farm.processes["new"], lambda: "new" in farm.nodes()))

    def test_what_may_not_be_started(self):
        farm = self.farm(workers=())
        state = self.folder / "other"
        keys = ("--key", farm.secret("coordinator"), "--authorized", farm.list)
        open_key = self.folder / "open.secret"
        open_key.write_bytes(farm.secret("coordinator").read_bytes())
        open_key.chmod(0o644)
        broken = self.folder / "broken"
        broken.write_text(farm.list.read_text() + "operator me\n")
        for arguments, words in (
                (("--listen", "tcp://127.0.0.1:0"), "needs keys"),
                (("--listen", "tcp://*:0"), "needs keys"),
                (("--listen", "tcp://*:0", "--plain"), "this machine only"),
                (("--listen", "tcp://127.0.0.1:0", "--plain", *keys), "give one of them"),
                (("--listen", "tcp://127.0.0.1:0", *keys[:2]), "authorized is not given"),
                (("--listen", "tcp://127.0.0.1:0", "--key", open_key, *keys[2:]), "open to others"),
                (("--listen", "tcp://127.0.0.1:0", *keys[:2], "--authorized", broken), "broken:2: a line is ROLE")):
            with self.subTest(arguments=arguments):
                done = subprocess.run([BIN / "reelmill-coordinator", "--state", state, *arguments], capture_output=True,
                                      text=True, timeout=60, env=environment(), check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertFalse(state.exists())

    def test_authorize_and_revoke_edit_the_list_whole(self):
        place = self.folder / "authorized"
        key = self.passes(reelmill("keygen", self.folder / "k")).out.strip()
        edit = ("--authorized", place)
        self.passes(reelmill("authorize", key, "--role", "viewer", "--name", "anna", *edit))
        before = place.read_text()
        for arguments, words in (
                ((key, "--role", "viewer", "--name", "other"), "the same key"),
                (("0" * 64, "--role", "viewer", "--name", "anna"), "stands in two lines"),
                (("0" * 64, "--role", "king", "--name", "x"), "is no role"),
                (("0" * 64, "--role", "viewer", "--name", "a b"), "names media roots"),
                (("0" * 64, "--role", "submitter", "--name", "x"), "--roots"),
                (("0" * 63, "--role", "viewer", "--name", "x"), "neither a public key"),
                ((self.folder / "gone.public", "--role", "viewer", "--name", "x"), "gone.public' cannot be read: No such file"),
                ((self.folder / "k" / "reelmill.secret", "--role", "viewer", "--name", "x"), "is a secret key")):
            with self.subTest(arguments=arguments):
                self.denied(reelmill("authorize", *arguments, *edit), words)
                self.assertEqual(place.read_text(), before)
        self.denied(reelmill("revoke", "nobody", *edit), "nobody")
        place.chmod(0o640)
        editors = [start("authorize", f"{n:064x}", "--role", "viewer", "--name", f"v{n}", *edit) for n in range(10)]
        for editor in editors:
            self.passes(finish(editor))
        self.assertEqual(len(place.read_text().splitlines()), 11)  # no edit was lost to another
        self.assertEqual(place.stat().st_mode & 0o777, 0o640)
        self.passes(reelmill("revoke", key, *edit))
        self.assertNotIn("anna", place.read_text())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["authorized", "k"])
        self.denied(reelmill("keygen", self.folder / "k"), "never replaced")


class Roles(SecurityTest):
    def test_each_role_may_what_it_may(self):
        farm = self.farm(workers=("one",))
        show = small_show(self.folder)
        farm.authorize("vera", "viewer")
        farm.authorize("anna", "submitter", "--roots", "shows")
        farm.authorize("max", "submitter", "--roots", "*")
        self.denied(farm.ask("submit", show.path, who="vera"), "vera is a viewer", "may not submit")
        self.denied(farm.ask("nodes", who="one"), "one is a worker", "may not query")
        job = self.passes(farm.ask("submit", show.path, who="anna")).out.strip()
        for command in ("cancel", "retry"):
            self.denied(farm.ask(command, job, who="vera"), f"may not {command}")
            self.denied(farm.ask(command, job, who="max"), f"job {job} is not max's")
        for who in ("vera", "anna"):
            self.denied(farm.ask("drain", "one", who=who), "may not drain")
            self.passes(farm.ask("status", job, "--json", who=who))
        self.assertEqual(farm.job(job)["submitted_by"], "anna")
        self.assertEqual(farm.nodes()["one"]["key"], "one")
        self.passes(farm.ask("cancel", job, "--reason", 'not "this" one', who="anna"))
        self.assertEqual(farm.ask("wait", job, who="vera").code, 3)
        self.passes(farm.ask("retry", job, who="chief"))
        self.passes(farm.ask("drain", "one"))
        self.denied(farm.ask("cancel", "99", who="anna"), "there is no job 99")
        lines = [re.sub(r"^\S+Z ", "", line) for line in self.audit()]
        self.assertIn(f'who=anna role=submitter what=submit job={job} target="" outcome=ok detail=""', lines)
        self.assertIn(f'who=anna role=submitter what=cancel job={job} target="" outcome=ok detail="not \'this\' one"',
                      lines)
        self.assertIn('who=chief role=operator what=drain job=0 target="one" outcome=ok detail=""', lines)
        self.assertEqual(sum("outcome=denied" in line for line in lines), 8)
        self.assertTrue(all(line.count("\n") == 0 and line.startswith("who=") for line in lines))

    def test_owners_and_revocations_outlive_the_coordinator(self):
        farm = self.farm(workers=())
        show = small_show(self.folder)
        farm.authorize("anna", "submitter", "--roots", "shows")
        farm.authorize("max", "submitter", "--roots", "shows")
        job = self.passes(farm.ask("submit", show.path, who="anna")).out.strip()
        farm.kill("coordinator")
        farm.revoke("max")
        farm.start("coordinator")
        self.denied(farm.ask("cancel", job, who="max"), "hangs up on this key")
        farm.authorize("moritz", "submitter", "--roots", "shows")
        self.denied(farm.ask("cancel", job, who="moritz"), "is not moritz's")
        self.passes(farm.ask("cancel", job, who="anna"))

    def test_a_submitter_uses_the_roots_of_its_line(self):
        (self.folder / "state").mkdir()
        farm = self.farm(workers=())
        show = small_show(self.folder)
        for name, roots in (("other", "library"), ("reader", "shows:ro"), ("all", "*"), ("own", "library:ro,shows")):
            farm.authorize(name, "submitter", "--roots", roots)
        self.denied(farm.ask("submit", show.path, who="other"), "may not read the media root 'shows'")
        self.denied(farm.ask("submit", show.path, who="reader"), "may not write to the media root 'shows'")
        self.passes(farm.ask("submit", show.path, who="all"))
        self.passes(farm.ask("submit", show.path, who="own"))
        self.assertEqual(len(self.passes(farm.ask("status", "--json")).json()["jobs"]), 2)
        self.assertEqual(sum("outcome=denied" in line for line in self.audit()), 2)
        # Begun anew, a job of before is held against the line as it is now.
        job = self.passes(farm.ask("submit", show.path, who="own")).out.strip()
        self.passes(farm.ask("cancel", job, who="own"))
        key = (self.folder / "keys" / "own" / "reelmill.public").read_text().strip()
        farm.revoke("own")
        farm.authorize("own", "submitter", "--roots", "library,shows:ro", key=key)
        self.denied(farm.ask("retry", job, who="own"), "may not write to the media root 'shows'")
        self.assertEqual(sum("outcome=denied" in line for line in self.audit()), 3)
        farm.revoke("own")
        farm.authorize("own", "submitter", "--roots", "shows", key=key)
        self.passes(farm.ask("retry", job, who="own"))

    def test_a_worker_with_another_role_is_sent_away_for_good(self):
        farm = self.farm(workers=("one",))
        farm.authorize("vera", "viewer")
        (self.folder / "vera.yaml").write_text(
            (self.folder / "one.yaml").read_text().replace(str(farm.secret("one")), str(farm.secret("vera"))))
        farm.start("vera")
        self.assertEqual(farm.processes["vera"].wait(timeout=60), 78)
        self.assertIn("vera is a viewer", (self.folder / "vera.log").read_text())
        self.assertEqual(set(farm.nodes()), {"one"})


class Revoked(SecurityTest):
    def test_a_worker_in_the_middle_of_its_work(self):
        farm = self.farm()
        show = small_show(self.folder)
        self.passes(reelmill("run", show.path, "--out", self.folder / "alone"))
        waiter = start("submit", show.path, "--wait", *farm.link())
        self.assertTrue(wait_until(waiter, lambda: any((self.folder / "out").rglob("*.part"))))
        # Its name gets another key at one stroke: the old one is worth nothing.
        old_key, new_key = (self.folder / "keys" / "one" / "reelmill.public").read_text().strip(), farm.make_key("other")
        edited = farm.list.with_suffix(".new")
        edited.write_text(farm.list.read_text().replace(old_key, new_key))
        edited.chmod(farm.list.stat().st_mode)
        began = time.monotonic()
        edited.replace(farm.list)
        self.assertEqual(farm.processes["one"].wait(timeout=60), 78)
        self.assertLess(time.monotonic() - began, 10)
        self.passes(finish(waiter))
        self.assertEqual(digests(self.folder / "out"), digests(self.folder / "alone"))
        self.assertEqual(leftovers(self.folder), [])
        self.assertEqual(farm.nodes()["one"]["state"], "lost")
        # It is given nothing from that moment on, not only once it has been silent.
        self.assertIn('event=worker.lost worker=1 name="one" reason="its key was revoked"',
                      re.sub("worker=[0-9]+", "worker=1", (self.folder / "coordinator.log").read_text()))
        self.assertRegex(farm.nodes()["one"]["reason"], r"^the key one was revoked; last heard at \d\d:\d\d:\d\d$")
        farm.processes["two"].terminate()
        self.assertEqual(farm.processes["two"].wait(timeout=60), 0)
        self.assertRegex(farm.nodes()["two"]["reason"], r"^it said goodbye at \d\d:\d\d:\d\d$")
        # The log of who did what names whose key it was.
        self.assertRegex("\n".join(self.audit()), r"not authorized \(any more\).*; key [0-9a-f]{64}, was one, node one")

    def test_a_second_worker_of_one_name_and_key(self):
        farm = self.farm(workers=("one",))
        (self.folder / "second.yaml").write_text((self.folder / "one.yaml").read_text().replace("one.alive", "second.alive"))
        farm.start("second")
        second = farm.processes["second"]
        log = self.folder / "coordinator.log"
        self.assertTrue(wait_until(second, lambda: 'event=worker.refused name="one" owner=one' in log.read_text()))
        self.assertEqual(len(farm.nodes()), 1)
        farm.kill("one")  # its place is taken by who waits
        self.assertTrue(wait_until(second, lambda: log.read_text().count("worker.joined") == 2))

    def test_a_person_who_watches(self):
        farm = self.farm(workers=())
        show = small_show(self.folder)
        farm.authorize("vera", "viewer")
        self.passes(farm.ask("submit", show.path))
        watcher = start("status", "--watch", *farm.link("vera"))
        self.assertIn("VERDICT", watcher.stdout.readline())
        farm.revoke("vera")
        self.denied(finish(watcher), "not authorized (any more)")
        self.denied(farm.ask("nodes", who="vera"), "hangs up on this key")

    def test_a_wrong_list_changes_nothing(self):
        farm = self.farm(workers=("one",))
        good = farm.list.read_text()
        log = self.folder / "coordinator.log"
        farm.list.write_text(good + "operator everybody\n")
        self.assertTrue(wait_until(farm.processes["one"], lambda: "access.list_refused" in log.read_text()))
        self.assertIn("authorized:3: a line is ROLE PUBLICKEY NAME", log.read_text())
        self.assertEqual(set(farm.nodes()), {"one"})
        farm.list.unlink()
        self.assertTrue(wait_until(farm.processes["one"], lambda: log.read_text().count("access.list_refused") == 2))
        self.assertEqual(set(farm.nodes()), {"one"})


class Floods(SecurityTest):
    def setUp(self):
        super().setUp()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        self.main_farm = self.farm(workers=("one",))
        self.coordinator = self.main_farm.processes["coordinator"]
        self.before = memory_mib(self.coordinator)

    def unharmed(self, what):
        """It lives, has grown by little, answers, and has taken nothing for a message."""
        self.assertIsNone(self.coordinator.poll())
        grown = memory_mib(self.coordinator) - self.before
        took = self.served(self.main_farm, 1 if not sanitized() else 5)
        print(f"{what}: grown by {grown:.1f} MiB, an answer took {took * 1000:.0f} ms")
        self.assertLess(grown, GROWTH_MIB + (256 if sanitized() else 0))  # a sanitizer keeps freed memory for a while
        self.assertEqual(set(self.main_farm.nodes()), {"one"})
        self.assertNotIn("message.malformed", (self.folder / "coordinator.log").read_text())

    def test_half_open_connections(self):
        links = [connect(self.main_farm) for _ in range(STRANGERS)]
        for number, link in enumerate(links):
            link.sendall(CURVE_GREETING[:number % len(CURVE_GREETING)])
        self.unharmed(f"{STRANGERS} half-open connections")
        self.assertTrue(all(ended_by_peer(link) for link in links))
        for link in links:
            link.close()
        self.unharmed("after their end")
        descriptors = len(list(Path(f"/proc/{self.coordinator.pid}/fd").iterdir()))
        self.assertLess(descriptors, 100)

    def test_announced_giants(self):
        links = [connect(self.main_farm) for _ in range(100)]
        for number, link in enumerate(links):
            link.sendall(CURVE_GREETING)
            flags = (2, 6)[number % 2]  # a long frame; a long command
            link.sendall(bytes([flags]) + struct.pack(">Q", 500 << 20) + bytes(1000))
        self.unharmed("100 frames of 500 MB")
        self.assertTrue(all(ended_by_peer(link) for link in links))
        for link in links:
            link.close()

    def test_garbage_and_old_protocols(self):
        version_2 = b"\xff" + bytes(8) + b"\x7f\x01\x05"          # ZMTP 2.0, DEALER
        hello = b"\0\0" + b"\0\x05hello"
        ready = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x06DEALER"
        texts = [NULL_GREETING + ready + hello, version_2 + hello, b"\x01\0" + b"\x06\0hello", b"GET / HTTP/1.1\r\n\r\n",
                 CURVE_GREETING + hello, CURVE_GREETING + b"\x04\xc8" + bytes(200),
                 CURVE_GREETING + b"\x04\xc8\x05HELLO\x01\0" + bytes(192)]
        links = [connect(self.main_farm) for _ in texts]
        for link, text in zip(links, texts):
            link.sendall(text)
        for _ in range(300):
            with connect(self.main_farm) as link:
                try:
                    link.sendall(CHANCE.randbytes(CHANCE.randrange(1, 3000)))
                except ConnectionError:
                    pass
        for link, text in zip(links, texts):
            self.assertTrue(ended_by_peer(link), text[:80])
            link.close()
        self.unharmed("300 connections of garbage")

    def test_a_viewer_that_floods_and_never_reads(self):
        self.main_farm.authorize("vera", "viewer")
        peers = [subprocess.Popen([PEER, self.main_farm.endpoint, self.main_farm.secret("vera"),
                                   self.main_farm.coordinator_key, "flood"], stdout=subprocess.PIPE, env=environment())
                 for _ in range(4)]
        for peer in peers:
            self.addCleanup(peer.wait)
            self.addCleanup(peer.kill)
            self.assertEqual(peer.stdout.readline(), b"flooding\n")
        slowest = max(self.served(self.main_farm, 5) for _ in range(20))
        self.main_farm.authorize("vic", "viewer")  # another viewer is not told to ask again for ever
        self.passes(self.main_farm.ask("nodes", who="vic"))
        show = small_show(self.folder)
        self.passes(self.main_farm.ask("submit", show.path, "--wait"))
        grown = memory_mib(self.coordinator) - self.before
        deaf = subprocess.Popen([PEER, self.main_farm.endpoint, self.main_farm.secret("vera"), self.main_farm.coordinator_key,
                                 "deaf"], stdout=subprocess.PIPE, env=environment())
        self.addCleanup(deaf.wait)
        self.addCleanup(deaf.kill)
        self.assertEqual(deaf.stdout.readline(), b"deaf\n")
        heaped = memory_mib(self.coordinator) - self.before
        deaf.kill()
        deaf.wait()
        deaf.stdout.close()
        # Gone at once, each with questions and PINGs on the way: libzmq aborts over a PING that waits behind a high-water mark.
        left = subprocess.run([PEER, self.main_farm.endpoint, self.main_farm.secret("chief"),
                               self.main_farm.coordinator_key, "leave"], stdout=subprocess.PIPE, env=environment(), timeout=60,
                              check=False)
        self.assertEqual(left.stdout, b"leaving\n")
        self.assertTrue(run_for(self.coordinator, 3), "the coordinator ended")
        for peer in peers:
            self.assertIsNone(peer.poll())
            peer.kill()
            peer.wait()
            peer.stdout.close()
        print(f"4 floods: grown by {grown:.1f} MiB, the slowest of 20 answers took {slowest * 1000:.0f} ms")
        self.assertLess(grown, 3 * GROWTH_MIB + (512 if sanitized() else 0))
        print(f"24 connections that read nothing of the report: grown by {heaped:.1f} MiB")
        self.assertLess(heaped, 400 + (512 if sanitized() else 0))  # 256 of messages; ZeroMQ alone would hold 24 times 33

    def test_one_key_does_not_use_up_the_descriptors(self):
        self.main_farm.authorize("vera", "viewer")
        place = Path(f"/proc/{self.coordinator.pid}/fd")
        log = self.folder / "coordinator.log"
        resource.prlimit(self.coordinator.pid, resource.RLIMIT_NOFILE, (1024, 1024))
        for mode in ("crowd", "silent"):
            with self.subTest(mode=mode):
                peer = subprocess.Popen([PEER, self.main_farm.endpoint, self.main_farm.secret("vera"),
                                         self.main_farm.coordinator_key, mode], stdout=subprocess.PIPE, env=environment())
                self.addCleanup(peer.wait)
                self.addCleanup(peer.kill)
                self.assertEqual(peer.stdout.readline(), b"here\n")
                slowest = max(self.served(self.main_farm, 8) for _ in range(5))
                print(f"{mode}: the slowest of 5 answers took {slowest * 1000:.0f} ms")
                peer.kill()
                peer.wait()
                peer.stdout.close()
                self.assertTrue(wait_until(self.coordinator, lambda: len(list(place.iterdir())) < 128))
                self.passes(self.main_farm.ask("nodes"))
        self.assertNotIn("access.renewed", log.read_text())  # every descriptor came back without that
        self.passes(self.main_farm.ask("submit", small_show(self.folder).path, "--wait"))

    def test_nodes_without_end_with_roots_without_end(self):
        self.main_farm.authorize("mallory", "worker")
        peer = subprocess.Popen([PEER, self.main_farm.endpoint, self.main_farm.secret("mallory"),
                                 self.main_farm.coordinator_key, "nodes"], stdout=subprocess.PIPE, env=environment())
        self.addCleanup(peer.wait)
        self.addCleanup(peer.kill)
        self.assertEqual(peer.stdout.readline(), b"here\n")
        self.assertTrue(wait_until(self.coordinator, lambda: len(self.main_farm.nodes()) == 2001))
        told = self.passes(self.main_farm.ask("nodes", "--json"))
        answer = told.json()
        roots = sum(len(node["roots"]) for node in answer["nodes"])
        self.assertGreater(answer["without_roots"], 900)
        self.assertEqual(roots, (2000 - answer["without_roots"]) * 32 + 1)
        self.assertLess(roots, 32769)
        self.assertIn(f"the roots of {answer['without_roots']} nodes are left out", self.passes(self.main_farm.ask("nodes")).err)
        print(f"2000 nodes with 32 roots each: {len(told.out) / 1e6:.1f} MB")
        peer.kill()
        peer.wait()
        peer.stdout.close()

    def test_bad_messages_of_a_known_peer(self):
        self.main_farm.authorize("vera", "viewer")
        for mode, answer in (("parts", b"answered\n"), ("garbage", b"answered\n"), ("giant", b"answered\n")):
            with self.subTest(mode=mode):
                done = subprocess.run([PEER, self.main_farm.endpoint, self.main_farm.secret("vera"),
                                       self.main_farm.coordinator_key, mode], capture_output=True, timeout=60,
                                      env=environment(), check=False)
                self.assertEqual((done.returncode, done.stdout), (0, answer), done.stderr)
                self.served(self.main_farm, 5)
        self.assertEqual(set(self.main_farm.nodes()), {"one"})
        self.main_farm.authorize("anna", "submitter", "--roots", "shows")
        began = time.monotonic()
        done = subprocess.run([PEER, self.main_farm.endpoint, self.main_farm.secret("anna"), self.main_farm.coordinator_key,
                               "commands"], capture_output=True, timeout=120, env=environment(), check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"answered\n"), done.stderr)
        written = sum("who=anna" in line for line in self.audit())
        self.assertTrue(0 < written < 100 * (2 * (time.monotonic() - began) + 2), written)
        told = (self.folder / "coordinator.log").read_text().count("message.malformed")
        self.assertTrue(0 < told < 1000, told)  # told of, and not once for each


class Plain(SecurityTest):
    def test_this_machine_without_keys_when_asked_for(self):
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        log = open(self.folder / "plain.log", "wb")
        self.addCleanup(log.close)
        coordinator = subprocess.Popen([BIN / "reelmill-coordinator", "--listen", endpoint, "--plain", "--state",
                                        self.folder / "state"], stdout=log, stderr=log, env=environment())
        self.addCleanup(coordinator.wait)
        self.addCleanup(coordinator.terminate)
        self.passes(reelmill("nodes", "--farm", endpoint, "--plain"))
        self.denied(reelmill("nodes", "--farm", endpoint), "--plain")
        key = self.passes(reelmill("keygen", self.folder / "k")).out.strip()
        self.denied(reelmill("nodes", "--farm", endpoint, "--key", self.folder / "k" / "reelmill.secret",
                             "--coordinator-key", key), "hangs up")
        self.assertEqual(children_of(coordinator.pid), [])
        self.hangs_up_on_a_message_without_end(endpoint, coordinator)
        self.hangs_up_on_what_grows_in_memory(endpoint, coordinator)
        self.passes(reelmill("nodes", "--farm", endpoint, "--plain"))
        self.assertIn("access.dropped", (self.folder / "plain.log").read_text())

    @contextlib.contextmanager
    def peer(self, endpoint):
        """A connection that may send messages."""
        host, port = endpoint[len("tcp://"):].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as link:
            link.sendall(NULL_GREETING)
            link.sendall(b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER")
            answers = link.makefile("rb")
            answers.read(64)  # its greeting
            answers.read(answers.read(2)[1])  # its READY; whoever sends messages before it is hung up on for that
            yield link

    def hangs_up_on_what_grows_in_memory(self, endpoint, coordinator):
        """ZeroMQ takes 64 bytes and more for each part and message, of two bytes on the wire: gigabytes of a few megabytes."""
        before = memory_mib(coordinator)
        with self.peer(endpoint) as link:  # far less than 32 MiB, and never a last part
            try:
                link.sendall(b"\x01\x00" * (6 << 20))
            except OSError:
                pass  # hung up on before all of it was sent
            self.assertTrue(ended_by_peer(link))
        parts = memory_mib(coordinator) - before
        with self.peer(endpoint) as link:
            try:
                link.sendall(b"\x00\x01x" * (6 << 20))
            except OSError:
                pass
        self.passes(reelmill("nodes", "--farm", endpoint, "--plain"))
        grown = memory_mib(coordinator) - before
        print(f"12 MiB of empty parts: memory grown by {parts:.0f} MiB; 18 MiB of messages of a byte: {grown:.0f} MiB")
        self.assertLess(grown, 512 + (512 if sanitized() else 0))  # 800 before there was a bound

    def hangs_up_on_a_message_without_end(self, endpoint, coordinator):
        """Parts of a message, each of a size that is allowed, and never a last one: ZeroMQ itself would take them all."""
        before = memory_mib(coordinator)
        with self.peer(endpoint) as link:
            part = b"\x03" + struct.pack(">Q", 128 << 10) + bytes(128 << 10)  # a long frame, more follows
            sent = 0
            link.settimeout(3)
            with self.assertRaises((ConnectionError, TimeoutError)):  # a reset, or its end and a window that stays shut
                while sent < 8 << 30:
                    link.sendall(part)
                    sent += len(part)
        grown = memory_mib(coordinator) - before
        print(f"a message without end: hung up on after {sent >> 20} MiB; memory grown by {grown:.0f} MiB")
        self.assertLess(sent >> 20, 1024)  # a tenth of a second of loopback on top of the 32 MiB that are allowed


if __name__ == "__main__":
    main()
