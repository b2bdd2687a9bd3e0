"""The pages for browsers and Prometheus: what they say, what they refuse, what floods do to them."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess

from farm_kit import FarmTest, main, memory_mib, reelmill, small_show, wait_until
from hand_farm import Farm, free_port

SAMPLE = re.compile(r'^(reelmill_[a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,worker="[0-9]+")?\})? (-?[0-9][0-9.e+-]*)$')


class Pages(FarmTest):
    def setUp(self):
        super().setUp()
        # A sanitizer keeps 256 MiB of what was freed, more or less: not where memory is measured.
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.port = free_port()
        self.show = small_show(self.folder)
        self.show.text["title"] = "<script>alert(1)</script>"
        self.show.write()
        self.farm = Farm(self, self.folder, more=f"http: 127.0.0.1:{self.port}\n")

    def get(self, path, method="GET", host=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request(method, path, headers={"Host": host} if host else {})
        answer = link.getresponse()
        body = answer.read()
        link.close()
        return answer, body.decode()

    def metrics(self):
        lines = self.get("/metrics")[1].splitlines()
        samples = {}
        for line in lines:
            if not line.startswith("# "):
                found = SAMPLE.match(line)
                self.assertIsNotNone(found, line)
                series = found.group(1) + (found.group(2) or "")
                self.assertNotIn(series, samples)  # Prometheus would take one of the two
                samples[series] = float(found.group(3))
        told = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        names = {name.split("{")[0] for name in samples}
        self.assertEqual({re.sub("_(bucket|sum|count)$", "", name) for name in names - told} - told, set())
        return samples

    def test_pages(self):
        self.passes(self.farm.ask("submit", self.show.path, "--wait"))
        self.assertEqual(self.get("/healthz")[1], "ok\n")
        for host, status in (("localhost:7071", 200), ("[::1]:7071", 200), ("site.example", 403), ("localhost.site.example", 403)):
            self.assertEqual(self.get("/jobs.json", host=host)[0].status, status, host)  # a site's name for this machine
        page, text = self.get("/")
        self.assertEqual((page.status, page.getheader("X-Content-Type-Options")), (200, "nosniff"))
        self.assertIn("default-src 'none'", page.getheader("Content-Security-Policy"))
        elsewhere = set(re.findall(r"https?://[^\"' ]+", text)) - {"http://www.w3.org/2000/svg"}  # a namespace's name is not fetched
        self.assertEqual(elsewhere, set())
        self.assertEqual(json.loads(self.get("/jobs.json")[1])["jobs"][0]["title"], "<script>alert(1)</script>")
        self.assertEqual({node["name"] for node in json.loads(self.get("/nodes.json")[1])["nodes"]}, {"one", "two"})
        self.assertEqual(json.loads(self.get("/jobs/1.json")[1])["state"], "ended")
        self.assertEqual(json.loads(self.get("/jobs/1/report.json")[1]), self.passes(self.farm.ask("report", 1)).json())
        report, html = self.get("/jobs/1/report.html")
        self.assertEqual(html.rstrip("\n"), self.passes(self.farm.ask("report", 1, "--html")).out.rstrip("\n"))
        self.assertNotIn("script-src", report.getheader("Content-Security-Policy"))
        self.assertEqual(self.get("/jobs.json", "HEAD")[1], "")
        # What the page asks for: figures, rows, cells, one node.
        farm = json.loads(self.get("/farm.json")[1])
        self.assertEqual((farm["jobs"]["ended"], farm["nodes"]["ready"], farm["slots"], farm["work_s"]), (1, 2, 2, 0))
        self.assertGreater(farm["programme_h"], 0)
        rows = json.loads(self.get("/jobs.json?rows=5&find=ALERT&state=ended")[1])
        self.assertEqual(([job["job"] for job in rows["jobs"]], rows["fitting"], rows["all"]), ([1], 1, 1))
        for query in ("rows=5&from=1", "rows=5&state=held", "rows=5&find=nothing", "rows=5&state=no-such-state"):
            self.assertEqual(json.loads(self.get("/jobs.json?" + query)[1])["jobs"], [])
        nodes = json.loads(self.get("/nodes.json?rows=1&from=1")[1])
        self.assertEqual((len(nodes["nodes"]), nodes["fitting"]), (1, 2))
        node = json.loads(self.get(f"/nodes/{nodes['nodes'][0]['worker']}.json")[1])
        self.assertEqual((node["state"], node["strikes"], node["tasks"]), ("ready", 0, []))
        job = self.farm.job(1)
        grid = json.loads(self.get("/jobs/1/grid.json")[1])["programs"]
        self.assertEqual({name for program in grid for name in program["deliverables"]}, {made["name"] for made in job["deliverables"]})
        self.assertEqual(sum(piece["cells"] for program in grid for piece in program["pieces"]), job["cells"]["total"])
        for piece in (piece for program in grid for piece in program["pieces"]):
            self.assertEqual(piece["runs"], f"d{piece['cells']}")
        # What was expected of the job and what came of it are there after a restart, and so is what the nodes were seen to do.
        before = self.farm.job(1)["forecast"]
        self.assertGreater(before["predicted_s"], 0)
        self.assertGreater(before["actual_s"], 0)
        report = self.passes(self.farm.ask("report", 1)).json()["job"]["forecast"]
        self.assertEqual(report["predicted_s"], before["predicted_s"])
        self.assertTrue(0 < report["actual_s"] <= before["actual_s"])  # the report is made a moment before the end
        self.assertIn("forecast when it was planned", self.passes(self.farm.ask("status", 1)).out)
        self.farm.kill("coordinator")
        self.farm.start("coordinator")
        self.assertTrue(wait_until(self.farm.processes["coordinator"], lambda: len(self.farm.nodes()) == 2))
        self.assertEqual(self.farm.job(1)["forecast"], before)
        planned = self.passes(self.farm.ask("plan", self.show.path, "--json")).json()["forecast"]
        self.assertTrue(planned["learnt"])
        self.assertEqual((planned["slots"], planned["nodes"]), (2, 2))
        self.assertIn("by 06:00: ", self.passes(self.farm.ask("plan", self.show.path, "--by", "06:00")).out)
        self.slow_readers_of_a_large_document()

    def slow_readers_of_a_large_document(self):
        """Each holds the document in the coordinator's memory until it has read it: 128 MiB are held, for all together."""
        (self.folder / "state" / "job-1" / "report.html").write_bytes(b"x" * (16 << 20))
        before = memory_mib(self.farm.processes["coordinator"])
        links = []
        while len(links) < 20:
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(("127.0.0.1", self.port))
            link.sendall(b"GET /jobs/1/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if link.recv(12) == b"HTTP/1.1 200":
                links.append(link)
            else:
                link.close()  # 503: questions have had their part of the time
        self.assertEqual(self.get("/healthz")[1], "ok\n")
        grown = memory_mib(self.farm.processes["coordinator"]) - before
        print(f"20 readers that do not read 16 MiB: memory grown by {grown:.0f} MiB")
        self.assertLess(grown, 200)
        for link in links:
            link.close()

    def test_metrics(self):
        before = self.metrics()
        self.assertEqual(before['reelmill_jobs{state="ended"}'], 0)
        self.passes(self.farm.ask("submit", self.show.path, "--wait"))
        after = self.metrics()
        self.assertEqual(after['reelmill_jobs{state="ended"}'], 1)
        self.assertEqual(after["reelmill_estimated_seconds_of_work"], 0)
        nodes = self.farm.nodes().values()
        label = {node["name"]: f'{{node="{node["name"]}",worker="{node["worker"]}"}}' for node in nodes}
        done = {node["name"]: node["tasks_done"] for node in nodes}
        self.assertEqual({name: after["reelmill_node_tasks_done_total" + label[name]] for name in done}, done)
        self.assertGreater(sum(done.values()), 10)
        self.assertGreater(after["reelmill_programme_seconds_total"], 0)
        self.assertEqual(sum(after["reelmill_node_programme_seconds_total" + label[name]] for name in done),
                         after["reelmill_programme_seconds_total"])
        self.assertEqual(after['reelmill_task_failures_total{class="storage"}'], 0)
        self.assertGreater(after["reelmill_journal_commit_seconds_count"], 0)
        # A worker that comes back stands beside the one that it was, under the same name and a number of its own.
        self.farm.processes["one"].terminate()
        self.farm.processes["one"].wait()
        self.farm.start("one")
        self.assertTrue(wait_until(self.farm.processes["coordinator"], lambda: sorted(
            up for series, up in self.metrics().items() if series.startswith('reelmill_node_up{node="one"')) == [0, 1]))
        promtool = shutil.which("promtool")
        if promtool:  # Prometheus' own word on names, types and texts
            checked = subprocess.run([promtool, "check", "metrics"], input=self.get("/metrics")[1], capture_output=True, text=True,
                                     check=False)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        else:
            print("promtool is not installed: metrics are checked by this test's own eye alone")

    def test_what_is_refused(self):
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(self.get("/jobs/1.json", method)[0].status, 405)
        for path in ("/jobs/99.json", "/jobs/1/journal.db", "/jobs/../coordinator.yaml", "/jobs/-1.json", "/jobs/%2e%2e/x",
                     "/jobs/1.json/..", "/jobs/99/grid.json", "/nodes/99.json", "/nodes/x.json", "/nothing", "//", "/jobs/4294967297.json"):
            with self.subTest(path=path):
                self.assertEqual(self.get(path)[0].status, 404)

    def test_streams_and_floods(self):
        """A stream tells of a job that comes; silent connections, more than there is room for, lock nobody out."""
        stream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        stream.request("GET", "/events")
        events = stream.getresponse()

        def next_number():
            while True:
                line = events.readline().decode()
                self.assertNotEqual(line, "")
                if line.startswith("data: "):
                    return int(line[6:])
        first = next_number()
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(200)]
        silent += [socket.create_connection(("127.0.0.1", self.port), source_address=("127.0.0.2", 0)) for _ in range(300)]
        self.assertEqual(self.get("/healthz")[1], "ok\n")
        silent[0].sendall(b"GET /jobs.json HTTP/1.1\r\nHost:" + b"x" * 100000)
        self.passes(self.farm.ask("submit", self.show.path, "--wait"))
        self.assertEqual(self.get("/healthz")[1], "ok\n")
        self.assertTrue(wait_until(self.farm.processes["coordinator"], lambda: next_number() > first))
        for link in silent:
            link.close()
        stream.close()
        reader = socket.create_connection(("127.0.0.1", self.port))  # one that never reads, and never leaves
        self.addCleanup(reader.close)
        reader.sendall(b"GET /events HTTP/1.1\r\nHost: farm\r\n\r\n")
        self.farm.processes["coordinator"].terminate()
        self.assertEqual(self.farm.processes["coordinator"].wait(timeout=60), 0)


if __name__ == "__main__":
    main()
