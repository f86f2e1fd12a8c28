"""A real browser: Chromium without a window, driven over the DevTools protocol through two pipes, so that it needs no
port and no package. It reaches nothing but this machine."""

import itertools
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

from house import LOOPBACK, tied

# The same are in tests/tools.sh.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--no-proxy-server",
    "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--disable-component-update",
    "--disable-background-networking", "--disable-background-timer-throttling", "--password-store=basic",
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {LOOPBACK}",
]
# DevTools reads on 3 and writes on 4; the shell moves them there, since Chromium may be a script.
MOVED = 'exec 3<"/dev/fd/$0" 4>"/dev/fd/$1"; shift; exec "$@"'
PATIENCE = 20


def found():
    names = [given] if (given := os.environ.get("CHROMIUM")) else NAMES
    path = next((path for name in names if (path := shutil.which(name))), None)
    assert path, "no Chromium here: run tests/tools.sh browser, or say where it is: CHROMIUM=/path/to/chrome"
    return path


class Chromium:
    """The process. `tab` opens pages, each with cookies and a cache of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="eile-chromium-")
        # Root has no sandbox of its own to step into.
        flags = [*FLAGS, *(["--no-sandbox"] if os.getuid() == 0 else []), f"--user-data-dir={self.folder}/profile"]
        hears, self.writes = os.pipe()
        self.reads, says = os.pipe()
        self.log = open(f"{self.folder}/log", "ab")
        command = [*tied("KILL"), "sh", "-c", MOVED, str(hears), str(says), found(), *flags]
        home = {**os.environ, "HOME": self.folder}
        self.child = subprocess.Popen(
            command, pass_fds=(hears, says), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=home)
        os.close(hears)
        os.close(says)
        self.ids, self.answers, self.tabs = itertools.count(1), {}, {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while piece := os.read(self.reads, 1 << 16):
            *whole, rest = (rest + piece).split(b"\0")
            for message in map(json.loads, whole):
                if "id" in message:
                    self.answers[message["id"]].put(message)
                elif tab := self.tabs.get(message.get("sessionId")):
                    tab.events.append(message)
        for waiting in list(self.answers.values()):
            waiting.put({"error": {"message": "Chromium has ended"}})

    def send(self, method, session=None, **params):
        """Sends a command, and answers what waits for its result."""
        number = next(self.ids)
        self.answers[number] = waiting = queue.SimpleQueue()
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self.writes, json.dumps(message).encode() + b"\0")

        def result():
            try:
                answer = waiting.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"Chromium does not answer {method}:\n{self.log_tail()}") from None
            finally:
                del self.answers[number]
            assert "error" not in answer, f"{method}: {answer['error']['message']}\n{self.log_tail()}"
            return answer["result"]

        return result

    def ask(self, method, session=None, **params):
        return self.send(method, session, **params)()

    def tab(self, url):
        context = self.ask("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self, session, context).go(url)

    def log_tail(self):
        with open(f"{self.folder}/log", errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def close(self):
        try:
            os.close(self.writes)
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(5)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def shown(selector):
    return f"(e => e.checkVisibility() ? e.innerText : '')(document.querySelector({json.dumps(selector)}))"


class Tab:
    """A page, as somebody sees it and clicks on it, and what it sent over the network."""

    def __init__(self, chromium, session, context):
        self.chromium, self.session, self.context, self.events = chromium, session, context, []
        chromium.tabs[session] = self
        for domain in ("Page", "Runtime", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        return self.chromium.ask(method, self.session, **params)

    def go(self, url):
        self.ask("Page.navigate", url=url)
        self.until("document.readyState == 'complete' && document.body.dataset.ready == 'yes'")
        return self

    def js(self, expression):
        """What an expression is in the page."""
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression, wanted=True, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while (value := self.js(expression)) != wanted:
            assert time.monotonic() < deadline, (
                f"{expression} is {value!r} and not {wanted!r}; the page shows:\n{self.js('document.body.innerText')}")
            time.sleep(0.02)

    def text(self, selector):
        """What stands there for somebody who looks; nothing where it is hidden."""
        return self.js(shown(selector))

    def shows(self, selector, wanted, seconds=PATIENCE):
        self.until(shown(selector), wanted, seconds)

    def click(self, selector):
        """With the mouse, where it is: what is hidden, covered or not to be clicked on is not clicked."""
        found = self.js(
            f"(e => {{ e.scrollIntoView(); const b = e.getBoundingClientRect(), at = [b.x + b.width / 2, b.y + b.height / 2];"
            f" return document.elementFromPoint(...at) == e && !e.disabled ? at : null }})"
            f"(document.querySelector({json.dumps(selector)}))")
        assert found, f"{selector} cannot be clicked; the page shows:\n{self.js('document.body.innerText')}"
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=found[0], y=found[1], button="left", clickCount=1)

    def type(self, selector, text):
        self.click(selector)
        self.js(f"document.querySelector({json.dumps(selector)}).select()")
        self.ask("Input.insertText", text=text)

    def seen(self, method):
        """The parameters of events that came so far."""
        return [e["params"] for e in list(self.events) if e["method"] == method]

    def until_seen(self, method, condition, seconds=PATIENCE):
        """Waits for the first such event, and answers its parameters."""
        deadline = time.monotonic() + seconds
        while (found := next(filter(condition, self.seen(method)), None)) is None:
            assert time.monotonic() < deadline, f"no such {method} among {self.seen(method)}"
            time.sleep(0.02)
        return found

    def sent(self):
        """Everything that this page sent, in one text: addresses, headers, bodies."""
        kinds = ("Network.requestWillBeSent", "Network.requestWillBeSentExtraInfo")
        return json.dumps([e for kind in kinds for e in self.seen(kind)])

    def close(self):
        self.chromium.ask("Target.disposeBrowserContext", browserContextId=self.context)
        self.chromium.tabs.pop(self.session, None)
