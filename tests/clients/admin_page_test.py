"""The admin page in headless Chromium, driven by the DevTools protocol: it loads, shows what is decided as it is decided,
explains a request, shows what clients send as text, asks nobody but its own listener, and has nothing to complain about.
With SCREENSHOT=FILE it leaves a picture of itself there."""
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

SKIPPED = 77
LIMIT = 60  # seconds; for anything to come about
POLICY = """
scopes: {"projects:read": List projects, "projects:write": Change them, admin: {description: Everything, restricted: true}}
routes:
  - {name: list-projects, match: {path: /api/v1/projects, methods: [GET]}, require: {scopes: "projects:read"}}
  - {name: create-project, match: {path: /api/v1/projects, methods: [POST]}, require: {scopes: "projects:write"}}
  - {name: administration, match: {path: "/api/v1/admin/{rest...}"}, require: {scopes: admin}}
  - {name: status, match: {path: /status}, anonymous: true}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(fact, what):
    end = time.monotonic() + LIMIT
    pause = socket.socketpair()[0]
    pause.settimeout(0.05)
    while time.monotonic() < end:
        found = fact()
        if found:
            return found
        try:
            pause.recv(1)
        except TimeoutError:
            pass
    raise AssertionError(f"{what} does not come about")


class DevTools:
    """One page's commands and events, over a pipe as `--remote-debugging-pipe` has it: JSON texts that end with NUL."""

    def __init__(self, browser, folder):
        ours, theirs_out = os.pipe()
        theirs_in, self.out = os.pipe()

        def give_pipes():
            os.dup2(theirs_in, 13)
            os.dup2(theirs_out, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)
            for one in (3, 4):
                os.set_inheritable(one, True)

        self.process = subprocess.Popen(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-extensions", "--hide-scrollbars", f"--user-data-dir={folder}", "about:blank"],
            close_fds=False, preexec_fn=give_pipes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.inward = os.fdopen(ours, "rb", buffering=0)
        self.number, self.data, self.events = 0, b"", []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def read(self):
        while b"\0" not in self.data:
            part = os.read(self.inward.fileno(), 65536)
            if not part:
                raise AssertionError("the browser has gone")
            self.data += part
        text, _, self.data = self.data.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self.read()
            if heard.get("id") == self.number:
                if "error" in heard:
                    raise AssertionError(f"{method}: {heard['error']}")
                return heard["result"]
            if "method" in heard:
                self.events.append(heard)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(port, method, path, key=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if key:
        connection.putheader("Authorization", f"Bearer {key}")
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


class Stand:
    def __init__(self, folder):
        self.binary = os.environ["KEYGATE_BINARY"]
        self.port, self.admin, self.upstream_port = free_port(), free_port(), free_port()
        self.upstream = subprocess.Popen([sys.executable, "-B", "-m", "http.server", "--bind", "127.0.0.1", str(self.upstream_port)],
                                         cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (folder / "policy.yaml").write_text(POLICY)
        self.file = folder / "keygate.yaml"
        self.file.write_text(f"listen: 127.0.0.1:{self.port}\nupstream: http://127.0.0.1:{self.upstream_port}\npolicy: policy.yaml\n"
                             f"resolution: {{store: {{path: keys.db}}}}\nadmin: {{address: \"127.0.0.1:{self.admin}\"}}\n")
        made = subprocess.run([self.binary, "keys", "create", "--store", str(folder / "keys.db"), "--organization", "org_1",
                               "--scopes", "projects:read", "--json"], capture_output=True, check=True)
        self.key = json.loads(made.stdout)["key"]
        self.proxy = subprocess.Popen([self.binary, "run", "-c", str(self.file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.is_up, "a proxy that answers")

    def is_up(self):
        try:
            return ask(self.admin, "GET", "/readyz") == 200
        except OSError:
            return False

    def close(self):
        for process in (self.proxy, self.upstream):
            process.terminate()
            process.wait(30)


def check(stand, tools):
    for domain in ("Page", "Runtime", "Log", "Network"):
        tools.call(f"{domain}.enable")
    for _ in range(30):
        ask(stand.port, "GET", "/api/v1/projects", stand.key)
    ask(stand.port, "POST", "/api/v1/projects", stand.key)
    tools.call("Page.navigate", url=f"http://127.0.0.1:{stand.admin}/")
    text = "(document.body || {innerText: ''}).innerText"
    wait_for(lambda: "list-projects" in tools.evaluate(text), "the table of routes")
    wait_for(lambda: tools.evaluate("document.getElementById('live').textContent") == "live", "the word live")
    wait_for(lambda: "insufficient_scope" in tools.evaluate(text), "a decision from before the page was opened")

    # What is decided now comes by itself, and as text.
    ask(stand.port, "GET", "/live/%3Cimg%20src=x%20onerror=alert(1)%3E", stand.key)
    ask(stand.port, "GET", "/api/v1/admin/users", stand.key, {"User-Agent": "<script>alert(1)</script>"})
    wait_for(lambda: "/api/v1/admin/users" in tools.evaluate(text), "a decision that came by the events")
    assert tools.evaluate("document.querySelectorAll('main img, main script, main iframe').length") == 0
    assert stand.key not in tools.evaluate("document.documentElement.outerHTML")

    tools.evaluate("const f = document.getElementById('filter-text'); f.value = 'admin/users'; f.dispatchEvent(new Event('input')); 1")
    assert tools.evaluate("document.getElementById('decisions').rows.length") == 1
    tools.evaluate("f.value = ''; f.dispatchEvent(new Event('input')); 1")

    tools.evaluate("""const e = document.getElementById('explain'); e.url.value = '/api/v1/admin/users';
                      e.scopes.value = 'projects:read'; e.requestSubmit(); 1""")
    wait_for(lambda: "insufficient_scope" in (tools.evaluate("document.getElementById('explained').innerText") or ""), "an explanation")
    tools.evaluate("e.url.value = 'no url at all'; e.requestSubmit(); 1")
    wait_for(lambda: "insufficient_scope" not in tools.evaluate("document.getElementById('explained').innerText"), "another one")
    tools.evaluate("e.url.value = '/api/v1/projects'; e.requestSubmit(); 1")
    wait_for(lambda: "granted" in tools.evaluate("document.getElementById('explained').innerText"), "a grant")

    # By keyboard: everything that can be used can be reached.
    order = []
    for _ in range(14):
        for kind in ("keyDown", "keyUp"):
            tools.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        order.append(tools.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.tagName"))
    for name in ("filter-text", "filter-denied", "method", "url", "scopes"):
        assert name in order, f"{name} is not reached by the keyboard: {order}"

    # On a phone nothing is wider than the screen.
    tools.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    wide = tools.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"{wide} pixels wide on a phone"
    tools.call("Emulation.clearDeviceMetricsOverride")
    colours = set()
    for scheme in ("light", "dark"):
        tools.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours.add(tools.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2, colours

    if os.environ.get("SCREENSHOT"):
        tools.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        tools.call("Emulation.setDeviceMetricsOverride", width=1180, height=1500, deviceScaleFactor=1, mobile=False)
        picture = tools.call("Page.captureScreenshot", format="png", captureBeyondViewport=False)
        pathlib.Path(os.environ["SCREENSHOT"]).write_bytes(base64.b64decode(picture["data"]))

    tools.evaluate("1")  # hears the last events
    own = f"127.0.0.1:{stand.admin}"
    complaints = []
    for event in tools.events:
        parameters = event["params"]
        if event["method"] == "Runtime.exceptionThrown":
            complaints.append(parameters)
        if event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            complaints.append(parameters)
        if event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            entry = parameters["entry"]
            # The question that was none is answered with 400, which the browser logs.
            if not ("400" in entry["text"] and entry.get("url", "").endswith("/api/explain")):
                complaints.append(entry)
        if event["method"] == "Network.requestWillBeSent":
            place = urllib.parse.urlsplit(parameters["request"]["url"])
            if place.netloc != own and place.scheme not in ("data", "about"):
                complaints.append(f"a request to {parameters['request']['url']}")
    assert not complaints, json.dumps(complaints, indent=1)


def main():
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("SKIPPED: chromium is missing: apt-get install chromium", file=sys.stderr)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="keygate-page-") as name:
        folder = pathlib.Path(name)
        (folder / "browser").mkdir()
        stand = Stand(folder)
        try:
            tools = DevTools(browser, folder / "browser")
            try:
                check(stand, tools)
            finally:
                tools.close()
        finally:
            stand.close()
    print("the page holds what it promises")
    return 0


if __name__ == "__main__":
    sys.exit(main())
