"""The dashboard in a real browser, by keyboard, at desk and phone width; REELMILL_PICTURES=DIR keeps what was seen, to be looked at."""
import http.client
import json
import os
import resource
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browser import Browser, chromium
from farm_kit import RATE, FarmTest, children_of, main, noise, small_show, timecode, wait_until, write_wav
from hand_farm import Farm, free_port

JOBS = 200
PHONE, DESK = (390, 844), (1400, 900)


class Dashboard(FarmTest):
    def setUp(self):
        super().setUp()
        self.port, self.submitted = free_port(), 0
        self.farm = Farm(self, self.folder, more=f"http: 127.0.0.1:{self.port}\n")
        self.browser = Browser(self.folder, *DESK)
        self.addCleanup(self.browser.close)

    # ---- the farm ----

    def get(self, path):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request("GET", path)
        body = link.getresponse().read()
        link.close()
        return json.loads(body)

    def signal_workers(self, number):
        for name in ("one", "two"):
            self.farm.processes[name].send_signal(number)

    def let_no_file_grow(self, name):
        """A node on which every executor that writes more than a little is killed by the kernel."""
        worker = self.farm.processes[name].pid
        for process in [worker] + [child for child, _ in children_of(worker)]:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    def signal_when(self, number, condition):
        """Signals the workers once job 1, looked at again and again, is as wanted."""
        self.assertTrue(wait_until(self.farm.processes["one"], lambda: condition(self.get("/jobs/1.json"))))
        self.signal_workers(number)

    def fail_on(self, node):
        """Jobs, until the node is trusted no more: it rests after each failure, so that others do most of them."""
        while self.get(f"/nodes/{node}.json")["state"] != "quarantined":
            self.assertLess(self.submitted, JOBS // 2)
            self.submit_many(4)
            self.passes(self.farm.ask("wait", "all"))

    def submit_many(self, count):
        """Small shows: one file, and as many versions of it as there are jobs to be."""
        write_wav(self.folder / "many" / "R1_DX.wav", noise(1, 2 * RATE, 1, 0.05))
        show = {"reelmill": 1, "title": "", "slug": "MANY", "frame_rate": 24, "sample_rate": RATE, "media": ".", "pops": "none",
                "stems": {"DX": {"role": "dialogue", "layout": "mono", "file": "{reel}_DX.wav"}},
                "reels": [{"name": "R1", "start": timecode(0)}], "deliverables": [{"name": "DX", "recipe": "stem", "stem": "DX", "spec": "none"}]}

        def submit(number):
            path = self.folder / "many" / f"{number}.yaml"
            path.write_text(json.dumps({**show, "title": f"Reel <b>{number}</b> & more", "version": f"v{number:03}"}))
            return self.farm.ask("submit", path)
        with ThreadPoolExecutor(4) as pool:
            for outcome in pool.map(submit, range(self.submitted, self.submitted + count)):
                self.passes(outcome)
        self.submitted += count

    # ---- the page ----

    def picture(self, name, whole=True):
        blob = self.browser.picture(whole)
        self.assertGreater(len(blob), 10000, name)
        folder = os.environ.get("REELMILL_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{name}.png").write_bytes(blob)

    def shows(self, name, selector="#main"):
        """At both widths: nothing to scroll sideways but tables in themselves, nothing refused, nothing complained of."""
        for width, height in (PHONE, DESK):
            self.browser.resize(width, height, phone=width < 700)
            self.browser.wait_for(f"innerWidth === {width}")
            self.assertLessEqual(self.browser.value("document.scrollingElement.scrollWidth"), width, name)
            self.picture(f"{name}-{width}")
        self.assertEqual(self.browser.value("window.refused"), [])
        self.assertEqual(self.browser.complaints, [])
        return self.browser.text(selector)

    def dark(self):
        self.browser.dark(True)
        self.picture("dark")
        self.browser.dark(False)

    def focus_order(self, steps):
        """The first stops of the Tab key, each of which is to be seen."""
        order = []
        for _ in range(steps):
            self.browser.press("Tab", 9)
            order.append(self.browser.value("document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.tagName"))
            self.assertNotEqual(self.browser.value("getComputedStyle(document.activeElement).outlineStyle"), "none", order)
        return order

    def test_dashboard(self):
        page = self.browser
        page.open(f"http://127.0.0.1:{self.port}/")
        page.wait_for("document.querySelector('#nodes-rows tbody')")
        empty = self.shows("0-jobs")
        self.assertIn("No job yet", empty)
        self.assertIn("2 nodes", empty)
        self.assertEqual(page.value("performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith(location.origin)).length"), 0)

        # A job comes and its cells fill, in the page that is open: never loaded again.
        page.value("window.same = true")
        show = small_show(self.folder / "show", pops={"head": "2s", "tail": "2s"})  # pops that the stems have not: the report finds them missing
        self.passes(self.farm.ask("submit", show.path))
        self.signal_when(signal.SIGSTOP, lambda job: job["cells"]["done"] > 0)
        page.wait_for("document.querySelector('#job-1')")
        page.press("j")
        page.press("Enter", 13, "\r")
        page.wait_for("document.querySelector('#job-grid rect')")
        page.wait_for("document.querySelector('#job-running tbody')")
        cells = "(document.body.innerText.match(/(\\d+) of (\\d+) cells/) || []).slice(1).join('/')"
        before = page.value(cells).split("/")
        self.assertTrue(0 < int(before[0]) < int(before[1]), f"{before}: the job was too quick to be looked at")
        self.shows("1-job-at-work")
        done = "document.querySelectorAll('#job-grid .c-d').length"
        filled = page.value(done)
        self.signal_workers(signal.SIGCONT)
        page.wait_for("!document.getElementById('job-report').hidden")
        self.assertGreater(page.value(done), filled)
        self.assertEqual(page.value(cells), f"{before[1]}/{before[1]}")
        self.assertIn("warn", self.shows("1-job-ended"))

        # Its report, where it is: within the page, and as a page of its own.
        self.assertIn("findings in the stems", page.text("#job-report"))
        page.value("document.querySelector('#job-report summary').click(), window.loaded = false")
        page.wait_for("document.querySelector('#job-report iframe')")
        page.value("document.querySelector('#job-report iframe').addEventListener('load', () => window.loaded = true), 0")
        page.wait_for("window.loaded && performance.getEntriesByType('resource').some("
                      "entry => entry.name.endsWith('report.html') && entry.responseStatus === 200)")
        page.value("document.querySelector('#job-report').scrollIntoView()")
        self.picture("1-job-report-in-place", whole=False)
        self.assertTrue(page.value("window.same"))
        page.open(f"http://127.0.0.1:{self.port}/jobs/1/report.html")
        self.assertIn("sync.pop", self.shows("1-job-report", "body"))

        # Nodes: one in quarantine for what failed there, then drained by hand.
        page.open(f"http://127.0.0.1:{self.port}/")
        page.wait_for("document.querySelector('#nodes-rows tbody')")
        page.value("window.same = true")
        self.let_no_file_grow("two")
        node = self.farm.nodes()["two"]["worker"]
        page.value(f"document.getElementById('node-{node}').click()")
        page.wait_for("document.querySelector('#node-tasks')")
        self.fail_on(node)
        page.wait_for("document.querySelector('#node-head').innerText.includes('quarantined')")
        told = self.shows("1-node-quarantined")
        for words in ("Node two", "quarantined", "tasks failed here", "were done elsewhere", "the process died", "tried again in"):
            self.assertIn(words, told)
        self.passes(self.farm.ask("drain", "two", "--reason", "a disk is changed <soon>"))
        page.wait_for("document.querySelector('#node-head').innerText.includes('a disk is changed <soon>')")
        told = self.shows("1-node-drained")
        for words in ("Node two", "drained", "a disk is changed <soon>", "reelmill undrain two"):
            self.assertIn(words, told)

        # Two hundred jobs, most of which wait; fifty to a page.
        self.passes(self.farm.ask("drain", "one"))
        self.submit_many(JOBS - self.get("/jobs.json?rows=1")["all"])
        page.press("Escape", 27)
        page.wait_for("document.querySelectorAll('#jobs-rows tbody tr').length === 50")
        page.wait_for(f"document.getElementById('jobs-count').innerText === '1–50 of {JOBS}'")
        told = self.shows(f"{JOBS}-jobs")
        self.assertIn("<b>", told)  # a title is text
        self.assertEqual(page.value("document.querySelector('#jobs-rows b')"), None)
        # By keyboard: every stop is seen, `/` finds, Enter opens, Escape leaves.
        page.value("document.activeElement.blur()")
        self.assertEqual(self.focus_order(6), ["home", "state of jobs", "find-jobs", "jobs-later", f"job-{JOBS}", f"job-{JOBS - 1}"])
        page.press("Tab", 9, shift=True)
        self.assertEqual(page.value("document.activeElement.id"), f"job-{JOBS}")
        page.press("k")
        page.press("j")
        self.assertEqual(page.value("document.activeElement.id"), f"job-{JOBS - 1}")
        page.press("/")
        page.ask("Input.insertText", text="night train")
        page.wait_for("document.getElementById('jobs-count').innerText.startsWith('1–1 of 1 ')")
        self.assertEqual(page.value("document.activeElement.id"), "find-jobs")  # rows came while it was typed
        self.dark()

        # The coordinator stops: what was seen stays, and grows old; it comes back, and so does the page, by itself.
        self.farm.kill("coordinator")
        page.wait_for("/^reconnecting, as of [3-9] s ago$/.test(document.getElementById('age').innerText)")
        self.assertIn("Night Train", page.text("#jobs-rows"))
        self.picture("coordinator-away")
        self.farm.start("coordinator")
        page.wait_for("/^as of [01] s ago$/.test(document.getElementById('age').innerText)")
        page.wait_for("document.querySelector('#nodes-rows').innerText.includes('a disk is changed <soon>')")  # drains outlast it
        self.assertTrue(page.value("window.same"))
        self.assertEqual((page.value("window.refused"), page.complaints), ([], []))


if __name__ == "__main__":
    if not chromium():
        print("skipped: there is no chromium to show the pages in (deploy/packages.sh test)")
        sys.exit(77)
    main()
