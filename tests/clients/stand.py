"""A running Keygate with what stands around it: a service, a certificate, keys. All of it ends with the block, by its own pid."""
import contextlib
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
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # the one whose packages Debian brings
NODE_MODULES = "/usr/share/nodejs"  # where Debian puts them, whoever Node itself is from
POLICY = """version: 1
scopes:
  "v1:read": Read what lies below /v1
  "v1:write": Change it
  admin: Administration
routes:
  - {name: socket, match: {methods: [GET], path: /v1/ws}, require: {scopes: "v1:read"}, upstream: sockets}
  - {name: v1, match: {path: "/v1/{rest...}"}, require: {scopes: "v1:read"}, upstream: service}
  - {name: admin, match: {path: "/admin/{rest...}"}, require: {scopes: admin}, upstream: service}
"""
CONFIG = """listeners:
  - {{address: "127.0.0.1:{plain}"}}
  - {{address: "127.0.0.1:{tls}", tls: {{certificate_file: tls.crt, private_key_file: tls.key}}}}
health: {{address: "127.0.0.1:{health}"}}
upstreams:
  service: {{endpoints: ["http://127.0.0.1:{service}"], timeouts: {{response_header: {response_header}}}}}
  sockets: {{endpoints: ["http://127.0.0.1:{sockets}"]}}
policy: policy.yaml
resolution: {resolution}
threads: {threads}
limits: {{drain_delay: 0s, drain_timeout: 5s{limits}}}
"""


class Failure(Exception):
    """Something that the reader of the message can act on."""


def binary():
    return pathlib.Path(os.environ.get("KEYGATE_BINARY") or ROOT / "build/release/keygate")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(is_so, patience=20):
    """The first answer that is not false; the last one after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        answer = is_so()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.01)


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"openssl {arguments[0]}: {done.stderr}")


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def issue_certificate(folder):
    """tls.crt and tls.key for localhost, by the authority in ca.crt."""
    openssl(folder, "req", "-x509", *NEW_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-days", "90", "-subj",
            "/CN=Keygate test authority", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    issue_leaf(folder)


def issue_leaf(folder):
    """Another of the same authority, each in its place at once, the key first."""
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
                                "keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    openssl(folder, "req", *NEW_KEY, "-keyout", "new.key", "-out", "new.csr", "-subj", "/CN=localhost")
    openssl(folder, "x509", "-req", "-in", "new.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90",
            "-extfile", "ext", "-out", "new.crt")
    os.replace(folder / "new.key", folder / "tls.key")
    os.replace(folder / "new.crt", folder / "tls.crt")


class Running:
    """A process of ours, whose output goes to files in the folder."""

    def __init__(self, folder, name, argv, **options):
        self.name, self.argv, self.folder = name, [str(word) for word in argv], folder
        self.out, self.errors = folder / f"{name}.out", folder / f"{name}.err"
        with open(self.out, "ab") as out, open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=folder, **options)

    @property
    def pid(self):
        return self.process.pid

    def is_over(self):
        return self.process.poll() is not None

    def failure(self, what):
        return Failure(f"{self.name} {what}: {self.errors.read_text(errors='replace')[-2000:]}")

    def wait_until(self, is_so, what):
        if not eventually(lambda: self.is_over() or is_so()) or self.is_over():
            raise self.failure(what)

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, patience=20):
        """Its exit status."""
        if not self.is_over():
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise self.failure(f"does not end within {patience} s") from None


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0


class Stand:
    """An embedded store, one plain and one TLS listener, the service of upstream.py, and an echo of WebSocket messages."""

    RESOLUTION = "{store: {path: keys.db}}"
    nice = ()  # words before the command of Keygate

    def __init__(self, with_sockets=True, **settings):
        self.settings = {"threads": 2, "limits": "", "response_header": "15s", "resolution": self.RESOLUTION} | settings
        self.with_sockets = with_sockets
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keygate-stand-"))
        self.running, self.keygate, self.ports = [], None, {}

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # by ctest or ./dev, say: nothing may go on
        try:
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for each in reversed(self.running):
            with contextlib.suppress(Failure):
                each.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, name, argv, **options):
        self.running.append(Running(self.folder, name, argv, **options))
        return self.running[-1]

    def start(self):
        issue_certificate(self.folder)
        self.start_services()
        self.write_config()
        self.start_keygate()

    def start_services(self):
        self.service = self.run("service", [PYTHON, "-B", ROOT / "tests/clients/upstream.py"])
        self.ports["service"] = self.announced(self.service)
        self.ports["sockets"] = self.ports["service"]
        if self.with_sockets:
            self.sockets = self.run("sockets", [PYTHON, "-B", ROOT / "tests/scenario/clients/websocket_echo.py", "serve"])
            self.ports["sockets"] = self.announced(self.sockets)

    def write_config(self):
        for name in ("plain", "tls", "health"):
            self.ports.setdefault(name, free_port())
        (self.folder / "policy.yaml").write_text(POLICY)
        (self.folder / "keygate.yaml").write_text(CONFIG.format(**self.ports, **self.settings))

    @staticmethod
    def announced(process):
        """The port that it prints."""
        process.wait_until(lambda: process.out.read_text().endswith("\n"), "does not listen")
        return int(process.out.read_text())

    def start_keygate(self):
        # With the access log, as in life.
        self.keygate = self.run("keygate", [*self.nice, binary(), "run", "-c", "keygate.yaml"])
        self.keygate.wait_until(lambda: status_of(f"http://127.0.0.1:{self.ports['health']}/readyz") == 200, "does not come up")

    def keys(self, *words):
        argv = [binary(), "keys", *words, "--store", self.folder / "keys.db", "--json"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(f"keygate keys {words[0]}: {done.stderr}")
        return json.loads(done.stdout)

    def create_key(self, organization="acme", scopes="v1:read"):
        """Its text and its id."""
        made = self.keys("create", "--organization", organization, "--scopes", scopes)
        return made["key"], made.get("key_id") or made["id"]

    def revoke_key(self, key_id):
        self.keys("revoke", key_id)

    def access_log(self):
        return [json.loads(line) for line in self.keygate.out.read_text().splitlines()]

    def url(self, scheme):
        """http or https, ws or wss."""
        is_tls = scheme in ("https", "wss")
        return f"{scheme}://{'localhost' if is_tls else '127.0.0.1'}:{self.ports['tls' if is_tls else 'plain']}"

    @property
    def ca_file(self):
        return self.folder / "ca.crt"


def warn_skipped(what):
    print(f"SKIPPED: {what} is not installed: ./dev deps test", file=sys.stderr)
    return 77  # what ctest is told means skipped
