"""A headless Chromium, driven over its debugging pipe: what a person at the page would see, press and be told."""
import base64
import json
import os
import select
import shutil
import subprocess
import time

LIFE_S = 500
ANSWER_S = 120
PATIENCE_S = 60
# Told by every document from its start: what its Content-Security-Policy refused.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", event => window.refused.push(event.violatedDirective + " " + event.blockedURI));
"""


def chromium():
    return shutil.which("chromium")


class Browser:
    """One page. `complaints` is what the console had to say, but for connections that were refused."""

    def __init__(self, folder, width=1400, height=900):
        self.reads, theirs_out = os.pipe()
        theirs_in, self.writes = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--disable-extensions", "--hide-scrollbars", "--force-color-profile=srgb",
                   f"--user-data-dir={folder}/chromium", "--remote-debugging-pipe", "about:blank"]
        line = f'exec timeout -k 5 {LIFE_S} "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(["sh", "-c", line, "sh", chromium(), *options], pass_fds=(theirs_in, theirs_out),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.number, self.session, self.complaints = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.ask(part + ".enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.resize(width, height)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        os.close(self.reads)
        os.close(self.writes)

    # ---- the pipe ----

    def receive(self, deadline):
        while b"\0" not in self.rest:
            ready = select.select([self.reads], [], [], max(0.0, deadline - time.monotonic()))[0]
            more = os.read(self.reads, 1 << 20) if ready else b""
            if not more:
                raise AssertionError("the browser says nothing" if not ready else "the browser is gone")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def hear(self, message):
        kind, told = message.get("method"), message.get("params", {})
        if kind == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif kind == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([argument.get("value") for argument in told["args"]]))
        elif kind == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            entry = told["entry"]
            if "ERR_CONNECTION_REFUSED" not in entry["text"] and "ERR_INCOMPLETE_CHUNKED" not in entry["text"]:
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_S
        while True:
            answer = self.receive(deadline)
            if answer.get("id") != self.number:
                self.hear(answer)
                continue
            if "error" in answer:
                raise AssertionError(f"{method}: {answer['error']}")
            return answer["result"]

    # ---- what a person does ----

    def value(self, expression):
        """What a script's expression gives; a promise is awaited."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=PATIENCE_S):
        """Until the expression is true in the page: looked at before each picture that the browser draws."""
        script = f"""new Promise((done, failed) => {{
            const start = performance.now();
            const look = () => {{ if ({expression}) done(true); else if (performance.now() - start > {1000 * seconds}) done(false);
                else setTimeout(look, 10); }};
            look(); }})"""
        if not self.value(script):
            raise AssertionError(f"not within {seconds} s: {expression}; the page says:\n{self.text()}")

    def open(self, address):
        self.ask("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def text(self, selector="body"):
        return self.value(f"(document.querySelector({json.dumps(selector)}) || {{innerText: ''}}).innerText")

    def resize(self, width, height, phone=False):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)

    def dark(self, on):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def press(self, key, code=0, text=None, shift=False):
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self, whole=True):
        """A PNG of the page."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])
