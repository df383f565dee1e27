# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Headless Chromium by its debugging protocol, over two pipes: no port, nothing but Python."""
import base64
import json
import os
import select
import subprocess
import tempfile
import time


class Browser:
    def __init__(self):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_it, self.out = os.pipe()
        self.into, from_it = os.pipe()
        keep = [os.dup(end) for end in (to_it, from_it)]
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"', "sh", str(keep[0]), str(keep[1]),
             "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--remote-debugging-pipe",
             "--user-data-dir=" + self.home.name, "about:blank"],
            pass_fds=keep, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (to_it, from_it, *keep):
            os.close(end)
        self.bytes, self.count, self.events, self.page = b"", 0, [], None

    def __enter__(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.page = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        self.home.cleanup()

    def receive(self, until):
        while b"\0" not in self.bytes:
            if not select.select([self.into], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("chromium said nothing in time")
            more = os.read(self.into, 1 << 20)
            if not more:
                raise EOFError("chromium has ended")
            self.bytes += more
        message, self.bytes = self.bytes.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.page:
            message["sessionId"] = self.page
        os.write(self.out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 120
        while True:
            answer = self.receive(until)
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def show(self, path, width, dark=False, media=""):
        self.ask("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                 mobile=width < 600)
        self.events = []
        self.ask("Page.navigate", url="file://" + os.path.abspath(path))
        until = time.monotonic() + 120
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive(until))
        # What the page begins after it was loaded is to be seen, too.
        self.evaluate("new Promise(done => setTimeout(done, 200))")

    def evaluate(self, script):
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self, path, height=None):
        clip = self.evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})")
        clip.update(x=0, y=0, scale=1)
        clip["height"] = min(clip["height"], height or 16000)
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as to:
            to.write(base64.b64decode(data))

    def pdf(self, path):
        with open(path, "wb") as to:
            to.write(base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True)["data"]))

    def complaints(self):
        """What the console was told, and what was not in order."""
        told = []
        for event in self.events:
            method, body = event.get("method"), event.get("params", {})
            if method == "Runtime.consoleAPICalled":
                told.append("console: " + str(body.get("args")))
            elif method == "Runtime.exceptionThrown":
                told.append("exception: " + str(body.get("exceptionDetails", {}).get("text")))
            elif method == "Log.entryAdded":
                told.append("log: " + body["entry"]["text"])
        return told

    def requests(self, page):
        """What was asked for but the page itself; refused ones, too."""
        own = "file://" + os.path.abspath(page)
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent" and event["params"]["request"]["url"] != own]
