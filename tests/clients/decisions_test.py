#!/usr/bin/python3 -B
"""nginx's auth_request and Caddy's forward_auth ask Keygate about each request, by the files in deploy/decision: grants with whom they
are for, refusals with what they say, and nothing that a client sends makes them ask about another request than they serve.
Threats: P-21, P-22 (docs/threats.md)."""
import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import unittest

import stand

FILES = stand.ROOT / "deploy/decision"
POLICY = """version: 1
scopes:
  "v1:read": Read what lies below /v1
  admin: Administration
routes:
  - {name: v1, match: {path: "/v1/{rest...}"}, require: {scopes: "v1:read"}}
  - {name: pages, match: {path: "/pages/{rest...}"}, require: {scopes: "v1:read"}, cors: {origins: ["https://app.example"]}}
  - {name: limited, match: {path: /limited}, require: {scopes: "v1:read"}, rate_limit: {limit: 2, window: 1h, per: key}}
  - {name: admin, match: {path: "/admin/{rest...}"}, require: {scopes: admin}}
  - {name: other-host, match: {hosts: [other.example], path: "/only-there"}, anonymous: true}
  - {name: public, match: {path: "/public/{rest...}"}, anonymous: true}
"""
# One worker: what it says of a revoked key it goes on saying.
CONFIG = """threads: 1
trusted_proxies: [127.0.0.1]
listeners:
  - {{address: "127.0.0.1:{nginx}", mode: authorize, authorize: {{dialect: nginx}}}}
  - {{address: "127.0.0.1:{caddy}", mode: authorize, authorize: {{dialect: forwarded}}}}
health: {{address: "127.0.0.1:{health}"}}
upstream: http://127.0.0.1:9
policy: policy.yaml
resolution: {{store: {{path: keys.db}}}}
limits: {{drain_delay: 0s, drain_timeout: 5s}}
"""
FORGED = [("X-Org-Id", "forged"), ("X-Key-Id", "forged"), ("X-User-Id", "forged"), ("X-Scopes", "admin"), ("X-Environment", "live"),
          ("X-Auth-Method", "admin"), ("X-Keygate-Degraded", "forged"), ("X-Keygate-Shadow", "forged")]
# Each would have somebody look at another request than the request line names.
CLAIMS = [("X-Original-URI", "/public/x"), ("X-Original-Method", "GET"), ("X-Forwarded-Uri", "/public/x"), ("X-Forwarded-Method", "OPTIONS"),
          ("X-Forwarded-Host", "other.example"), ("X-Original-URL", "/public/x"), ("X-Rewrite-URL", "/public/x"),
          ("X_Original_URI", "/public/x"), ("X_Forwarded_Uri", "/public/x"), ("X-HTTP-Method-Override", "OPTIONS"),
          ("Connection", "X-Original-URI"), ("Connection", "X-Forwarded-Uri"), ("Connection", "Authorization"), ("Max-Forwards", "0")]
NAMES_ANOTHER = ("x-original-uri", "x-original-url", "x-original-method", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-method",
                 "x-http-method-override", "forwarded", "x-real-ip")


# What only a proxy may say: many an application believes it in place of what it sees.
PROXYS_WORD = """Forwarded X-Forwarded X-Forwarded-Prefix X-Forwarded-Path X-Forwarded-Port X-Forwarded-Ssl X-Forwarded-Server X-Forwarded-Scheme
X-Forwarded-Host X-Forwarded-User X-Forwarded-Client-Cert X-Scheme X-Url-Scheme Front-End-Https X-Host X-Original-Host X-Original-Path X-Rewrite-URI
X-Envoy-Original-Path X-Envoy-Internal X-HTTP-DestinationURL X-HTTP-Method X-Method-Override X-Real-IP True-Client-IP CF-Connecting-IP
X-Client-IP X-Cluster-Client-IP Client-IP X-Remote-Addr X-Originating-IP Fastly-Client-IP Proxy X-Keygate-Code""".split()
SPELLINGS = (lambda name: name, lambda name: name.replace("-", "_"), lambda name: name.replace("-", "."), lambda name: name.replace("-", "~"),
             lambda name: name.replace("-", "+"), lambda name: name.replace("-", "_", 1), lambda name: "_".join(name.rsplit("-", 1)),
             lambda name: name.lower().replace("-", "!"))
# Of nginx, as the docs say it: a place for WebSockets, and what makes the file for grpc_pass.
SWITCHES = """map $http_upgrade $switch_to { "~*^websocket$" websocket; default ""; }
map $switch_to $switch_by { websocket upgrade; default ""; }
"""
SOCKETS = """location /v1/live/ {
  include keygate-headers.conf;
  proxy_set_header Upgrade $switch_to;
  proxy_set_header Connection $switch_by;
  proxy_pass http://app;
}
"""
FOR_GRPC = "sed -n 's/^proxy_set_header/grpc_set_header/p' keygate-headers.conf > grpc-headers.conf"
HANDSHAKE = [("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), ("Sec-WebSocket-Version", "13")]
# Places of one's own in a site.
ADDED = SOCKETS + """  location /public/fastcgi/ { fastcgi_param HTTP_X_ORG_ID ~$keygate_method~; fastcgi_pass 127.0.0.1:DUMP; }
  location /public/uwsgi/ { uwsgi_param HTTP_X_ORG_ID ~$keygate_method~; uwsgi_pass 127.0.0.1:DUMP; }
  location /public/scgi/ { scgi_param HTTP_X_ORG_ID ~$keygate_method~; scgi_pass 127.0.0.1:DUMP; }
  location /public/grpc/ { grpc_pass 127.0.0.1:DUMP; }
  location /public/grpc-all/ { include grpc-headers.conf; grpc_pass 127.0.0.1:DUMP; }
  location /v1/added/ { proxy_pass http://app; }
  location /v1/tuned/ { include keygate-headers.conf; proxy_set_header X-Tuned yes; proxy_pass http://app; }

"""


class Application(http.server.BaseHTTPRequestHandler):
    """What is protected: keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked = []

    def handle_one_request(self):
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        fields = {}
        for name, value in self.headers.items():
            fields.setdefault(re.sub("[^a-z0-9]", "-", name.lower()), []).append(value)  # as CGI and its like have it
        self.asked.append({"method": self.command, "target": self.path, "fields": fields, "body": body})
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"served\n" if self.command != "HEAD" else b"")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Fickle:
    """Stands before Keygate, and answers once a connection: what comes second on one is met by its end."""

    def __init__(self, port):
        self.behind, self.broken = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=self.listener.accept()[:1], daemon=True).start()

    def serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.behind)) as keygate:
            question, answer = client.makefile("rb"), keygate.makefile("rb")
            keygate.sendall(self.head(question))
            head = self.head(answer)
            length = re.search(rb"(?i)content-length: (\d+)", head)
            client.sendall(head + answer.read(int(length.group(1))))
            self.broken += bool(question.readline())

    @staticmethod
    def head(stream):
        lines = []
        while line := stream.readline():
            lines.append(line)
            if line == b"\r\n":
                break
        return b"".join(lines)

    def close(self):
        self.listener.close()


class Dump:
    """An application that takes all to the end of a body, in whatever protocol, and says nothing."""

    end = b"END-OF-REQUEST"

    def __init__(self):
        self.taken = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                with self.listener.accept()[0] as client:
                    got = b""
                    while self.end not in got and (more := client.recv(65536)):
                        got += more
                    self.taken.append(got)

    def close(self):
        self.listener.close()


class Witness(http.server.BaseHTTPRequestHandler):
    """Stands for Keygate: keeps what it is asked, and grants it, or says nothing."""

    def do_GET(self):
        self.server.asked.append({name.lower(): value for name, value in self.headers.items()})
        if self.server.is_mute:
            self.server.released.wait(60)
        with contextlib.suppress(ConnectionError):
            self.send_response(200)
            self.end_headers()

    def log_message(self, *_):
        pass

    @classmethod
    @contextlib.contextmanager
    def standing(cls, is_mute=False):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), cls)
        server.daemon_threads, server.asked, server.is_mute, server.released = True, [], is_mute, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            server.server_close()


class Stand(stand.Stand):
    """Keygate that decides, and the proxies that ask it."""

    def start(self):
        self.application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
        self.application.daemon_threads = True
        threading.Thread(target=self.application.serve_forever, daemon=True).start()
        self.dump = Dump()
        for name in ("nginx", "caddy", "health"):
            self.ports[name] = stand.free_port()
        (self.folder / "policy.yaml").write_text(POLICY)
        (self.folder / "keygate.yaml").write_text(CONFIG.format(**self.ports))
        self.start_keygate()

    def __exit__(self, *words):
        super().__exit__(*words)
        self.dump.close()
        self.application.shutdown()
        self.application.server_close()

    def filled(self, name, asked, serving):
        """A file of deploy/decision, with the ports of this stand."""
        self.ports[serving] = stand.free_port()
        text = (FILES / name).read_text()
        for shipped, here in ((":8090", asked), (":8000", self.ports[serving]), (":3000", self.application.server_port)):
            if shipped not in text:
                raise stand.Failure(f"{name} says nothing of {shipped}")
            text = text.replace(shipped, f":{here}")
        return text

    def start_nginx(self, name="nginx", asked=None):
        paths = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        site = self.filled("nginx.conf", asked or self.ports["nginx"], f"{name}_serves")
        own = "  location = /keygate {"
        (self.folder / f"{name}.site").write_text(SWITCHES + site.replace(own, ADDED.replace("DUMP", str(self.dump.port)) + own))
        shutil.copy(FILES / "keygate-headers.conf", self.folder)
        subprocess.run(["sh", "-c", FOR_GRPC], cwd=self.folder, check=True)
        (self.folder / f"{name}.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/{name}.pid; error_log stderr warn;\nevents {{ worker_connections 64; }}\n"
            f"http {{ access_log off; {paths} include {self.folder}/{name}.site; }}\n")
        return self.start_proxy(name, ["nginx", "-p", self.folder, "-e", "stderr", "-c", self.folder / f"{name}.conf"])

    def start_caddy(self, name="caddy", asked=None, answers_within="5s"):
        options = "{\n\tadmin off\n\tauto_https off\n}\n"
        site = self.filled("Caddyfile", asked or self.ports["caddy"], f"{name}_serves")
        (self.folder / f"{name}.site").write_text(options + site.replace("response_header_timeout 5s", f"response_header_timeout {answers_within}"))
        return self.start_proxy(name, ["caddy", "run", "--adapter", "caddyfile", "--config", self.folder / f"{name}.site"])

    def start_proxy(self, name, argv):
        home = str(self.folder)
        places = {"HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        running = self.run(name, argv, env=os.environ | places)
        running.wait_until(lambda: stand.is_open(self.ports[f"{name}_serves"]), "does not listen")
        return self.ports[f"{name}_serves"]


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.fields = {}
        for name, value in response.getheaders():
            self.fields.setdefault(name.lower(), []).append(value)

    def field(self, name):
        """Of a header that stands once."""
        values = self.fields.get(name.lower(), [])
        return values[0] if len(values) == 1 else values


class Asking(unittest.TestCase):
    """What holds whoever asks. A subclass says what its proxy makes of it."""

    running, port, passes_bodies = None, None, True

    def setUp(self):
        Application.asked.clear()
        self.key, self.key_id = self.running.create_key("acme", "v1:read")
        self.bearer = [("Authorization", f"Bearer {self.key}")]

    def ask(self, target, fields=(), method="GET", body=b"", host="api.example"):
        """As the bytes say, which no client library would send for us."""
        length = [("Content-Length", str(len(body)))] if body else []
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"] if not any(n == "Connection" for n, _ in fields) else [
            f"{method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in (*fields, *length)]
        with socket.create_connection(("127.0.0.1", self.port), 20) as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            response = http.client.HTTPResponse(wire, method=method)
            response.begin()
            return Answer(response)

    def served(self):
        """The only request that the application got."""
        self.assertEqual(len(Application.asked), 1, Application.asked)
        return Application.asked.pop()

    def assert_refused(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.field("Content-Type"), "application/problem+json")
        problem = json.loads(answer.body)
        self.assertEqual((problem["code"], problem["status"], problem["type"]), (code, status, f"urn:keygate:error:{code}"))
        self.assertRegex(problem["request_id"], r"^[0-9a-f]{32}$")
        self.assertEqual(Application.asked, [])
        return answer

    def test_grants_and_says_for_whom(self):
        answer = self.ask("/v1/x?page=2", self.bearer)
        self.assertEqual((answer.status, answer.body), (200, b"served\n"))
        request = self.served()
        self.assertEqual((request["method"], request["target"]), ("GET", "/v1/x?page=2"))
        fields = request["fields"]
        self.assertEqual([fields[f"x-{name}"] for name in ("org-id", "key-id", "scopes", "auth-method")],
                         [["acme"], [self.key_id], ["v1:read"], ["api_key"]])
        self.assertNotIn("authorization", fields, "the key ends at the proxy")
        for method in ("HEAD", "DELETE", "OPTIONS"):
            self.assertEqual(self.ask("/v1/x", self.bearer, method).status, 200)
            self.assertEqual(self.served()["method"], method)

    def test_passes_bodies_on_whole(self):
        body = b"x" * 300_000
        self.assertEqual(self.ask("/v1/x", self.bearer, "POST", body).status, 200)
        self.assertEqual(self.served()["body"], body)
        chunked = [*self.bearer, ("Transfer-Encoding", "chunked")]
        with socket.create_connection(("127.0.0.1", self.port), 20) as wire:
            lines = ["POST /v1/x HTTP/1.1", "Host: a", "Connection: close", *(f"{n}: {v}" for n, v in chunked), "", "5\r\nhello\r\n0\r\n\r\n"]
            wire.sendall("\r\n".join(lines).encode())
            response = http.client.HTTPResponse(wire)
            response.begin()
            self.assertEqual(response.status, 200)
        self.assertEqual(self.served()["body"], b"hello")

    def test_P21_says_nothing_of_a_client_in_the_clients_words(self):
        spelled = [[(spell(name), value) for name, value in FORGED] for spell in SPELLINGS]
        for who, fields in (("acme", self.bearer), (None, [])):
            for forged in (FORGED + FORGED, *spelled):
                answer = self.ask("/v1/x" if who else "/public/x", [*forged, *fields])
                self.assertEqual(answer.status, 200, forged)
                told = self.served()["fields"]
                self.assertEqual(told.get("x-org-id", [""]), [who or ""], forged)
                for name, value in told.items():
                    self.assertNotIn("forged", value, (name, forged))
                self.assertEqual(told.get("x-scopes", [""]), ["v1:read" if who else ""])
                self.assertEqual(told["x-auth-method"], ["api_key" if who else "anonymous"])
                self.assertEqual([told.get(name, [""]) for name in ("x-user-id", "x-environment")], [[""], [""]])

    def test_P21_H03_keeps_what_it_says_whatever_connection_names(self):
        for options in ("X-Org-Id", "close, x-org-id, x-scopes", "Upgrade, X-Org-Id", "X-Forwarded-For"):
            self.ask("/v1/x", [*self.bearer, ("Connection", options)])
            while Application.asked:
                told = Application.asked.pop()["fields"]
                self.assertEqual((told.get("x-org-id"), told.get("x-scopes")), (["acme"], ["v1:read"]), options)
                self.assertEqual(told.get("x-forwarded-for"), ["127.0.0.1"], options)

    def test_P21_decides_on_what_it_serves_whatever_headers_say(self):
        for claim in CLAIMS:
            for claims in ([claim], [claim, claim], [claim, ("X-Forwarded-Method", "GET"), ("X-Original-Method", "GET")]):
                for target in ("/admin/x", "/only-there"):
                    answer = self.ask(target, [*self.bearer, *claims])
                    self.assertNotEqual(answer.status, 200, (target, claims))
                    self.assertEqual(Application.asked, [], (target, claims))
            # Where the request itself may pass, nothing of it goes on.
            if self.ask("/v1/x", [*self.bearer, claim]).status == 200:
                request = self.served()
                self.assertEqual((request["method"], request["target"]), ("GET", "/v1/x"), claim)
                self.assertEqual([name for name in NAMES_ANOTHER if request["fields"].get(name, [""]) != [""]], [], claim)

    def test_P21_passes_on_nothing_that_only_a_proxy_may_say(self):
        for spell in SPELLINGS:
            self.assertEqual(self.ask("/v1/x", [*self.bearer, *((spell(name), "forged") for name in PROXYS_WORD)]).status, 200)
            told = self.served()["fields"]
            self.assertEqual([name for name, values in told.items() if "forged" in values], [], spell("a-b-c"))
            self.assertEqual(told["x-forwarded-host"], ["api.example"])

    def test_P21_tunnels_nothing_but_a_WebSocket(self):
        settings = [("HTTP2-Settings", "AAMAAABkAAQAAP__")]
        for upgrade in (["h2c"], ["H2C"], ["h2c, websocket"], ["websocket, h2c"], ["TLS/1.0"], ["h2c", "websocket"], ["websocket", "h2c"]):
            for target in ("/v1/x", "/v1/live/x"):
                for option in ("Upgrade, HTTP2-Settings", "upgrade", "keep-alive, UPGRADE"):
                    lines = [*self.bearer, ("Connection", option), *(("Upgrade", one) for one in upgrade), *settings]
                    answer = self.ask(target, [*lines, *HANDSHAKE])
                    self.assertIn(answer.status, (200, 400), lines)
                    if answer.status == 200:
                        told = self.served()["fields"]
                        self.assertIn(told.get("upgrade", ["websocket"]), (["websocket"], [""]), lines)
                        self.assertEqual(told.get("http2-settings"), None, lines)
                        self.assertEqual(told["x-org-id"], ["acme"])
                    self.assertEqual(Application.asked, [])

    def test_opens_WebSockets(self):
        for word in ("websocket", "WebSocket"):
            answer = self.ask("/v1/live/x", [*self.bearer, ("Connection", "keep-alive, Upgrade"), ("Upgrade", word), *HANDSHAKE])
            self.assertEqual(answer.status, 200)
            told = self.served()["fields"]
            self.assertEqual((told["upgrade"], [one.lower() for one in told["connection"]]), (["websocket"], ["upgrade"]))
            self.assertEqual((told["x-org-id"], told["sec-websocket-version"]), (["acme"], ["13"]))

    def test_asks_with_the_port_that_the_page_came_by(self):
        with Witness.standing() as keygate:
            self.port = self.start_asking(keygate.server_port)
            for host in ("api.example:8443", "api.example", "[::1]:8443", "[::1]"):
                self.assertEqual(self.ask("/v1/x", host=host).status, 200)
                self.assertEqual(keygate.asked[-1][self.host_of_questions], host)

    def test_refuses_so_that_a_page_may_read_why(self):
        page = ("Origin", "https://app.example")
        answer = self.assert_refused(self.ask("/pages/x", [page]), 401, "missing_credential")
        self.assertEqual((answer.field("Access-Control-Allow-Origin"), answer.field("Vary")), ("https://app.example", "Origin"))
        answer = self.assert_refused(self.ask("/pages//x", [page, *self.bearer]), 400, "ambiguous_path")
        answer = self.assert_refused(self.ask("/pages/x", [("Origin", "https://evil.example")]), 401, "missing_credential")
        self.assertEqual(answer.field("Access-Control-Allow-Origin"), [])

    def test_P21_decides_on_the_host_that_it_serves(self):
        self.assertEqual(self.ask("/only-there", host="other.example").status, 200)
        self.assertEqual(self.served()["fields"]["host"], ["other.example"])
        self.assert_refused(self.ask("/only-there"), 403, "no_route")
        # A URL in the request line goes before Host (RFC 9112 3.2.2).
        answer = self.ask("http://api.example/only-there", host="other.example")
        self.assertNotEqual(answer.status, 200)
        self.assertEqual(Application.asked, [])
        if self.ask("http://other.example/only-there").status == 200:
            self.assertEqual(self.served()["fields"]["host"], ["other.example"])

    def test_P22_grants_nothing_for_asking_what_is_possible(self):
        preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")]
        self.assert_refused(self.ask("/pages/x", preflight, "OPTIONS"), 401, "missing_credential")
        self.assert_refused(self.ask("/admin/x", [("Max-Forwards", "0")], "OPTIONS"), 401, "missing_credential")
        self.ask("*", [], "OPTIONS")  # nginx refuses it, Caddy answers it, and neither serves anything
        self.assertEqual(Application.asked, [])

    def test_refuses_with_status_body_and_headers(self):
        answer = self.assert_refused(self.ask("/v1/x"), 401, "missing_credential")
        self.assertEqual(answer.field("WWW-Authenticate"), 'Bearer realm="keygate"')
        self.assertEqual(answer.field("Cache-Control"), "no-store")
        answer = self.assert_refused(self.ask("/v1/x", [("Authorization", "Bearer kg_" + "0" * 45)]), 401, "invalid_key")
        self.assertEqual(answer.field("WWW-Authenticate"), 'Bearer realm="keygate", error="invalid_token"')
        answer = self.assert_refused(self.ask("/admin/x", self.bearer), 403, "insufficient_scope")
        self.assertEqual(answer.field("WWW-Authenticate"), 'Bearer realm="keygate", error="insufficient_scope", scope="admin"')
        self.assert_refused(self.ask("/nowhere", self.bearer), 403, "no_route")
        for target in ("/v1/a%2Fb", "/v1/%2e%2e/admin/x", "/v1/a;b", "/v1//x"):
            self.assert_refused(self.ask(target, self.bearer), 400, "ambiguous_path")
        self.running.revoke_key(self.key_id)
        self.assertTrue(stand.eventually(lambda: self.ask("/v1/x", self.bearer).status == 401))
        Application.asked.clear()
        self.assert_refused(self.ask("/v1/x", self.bearer), 401, "revoked_key")

    def test_refuses_bodies_with_their_requests(self):
        self.assert_refused(self.ask("/v1/x", [], "POST", b"x" * 1000), 401, "missing_credential")

    def test_keeps_to_rate_limits_and_says_so(self):
        for left in ("1", "0"):
            answer = self.ask("/limited", self.bearer)
            self.assertEqual(answer.status, 200)
            if self.says_limits_of_grants:
                self.assertEqual((answer.field("RateLimit-Limit"), answer.field("RateLimit-Remaining")), ("2", left))
            self.served()
        answer = self.assert_refused(self.ask("/limited", self.bearer), 429, "rate_limited")
        self.assertEqual((answer.field("RateLimit-Limit"), answer.field("RateLimit-Remaining")), ("2", "0"))
        self.assertGreater(int(answer.field("Retry-After")), 0)
        self.assertGreater(int(answer.field("RateLimit-Reset")), 0)

    def test_logs_the_request_that_is_asked_about(self):
        self.ask("/admin/log?secret=1", self.bearer, "DELETE")

        def line():
            return next((one for one in self.running.access_log() if one.get("path") == "/admin/log" and one.get("key_id") == self.key_id), None)

        found = stand.eventually(line)
        self.assertEqual([found[name] for name in ("method", "host", "route", "code", "status", "client")],
                         ["DELETE", "api.example", "admin", "insufficient_scope", 403, "127.0.0.1"])


class Down(unittest.TestCase):
    """Last of all, as it ends Keygate: nothing passes that nobody has decided on."""

    running, ports, ask, bearer = None, (), Asking.ask, [("Authorization", "Bearer none")]

    def test_refuses_all_where_keygate_is_gone(self):
        self.assertEqual(self.running.keygate.end(), 0)
        Application.asked.clear()
        for port in self.ports:
            self.port = port
            for target in ("/v1/x", "/public/x"):
                answer = self.ask(target, self.bearer)
                self.assertIn(answer.status, (502, 503))
                self.assertEqual(Application.asked, [])


class Documented(unittest.TestCase):
    def test_docs_show_the_files_that_are_tried(self):
        shown = (stand.ROOT / "docs/decision-service.md").read_text()
        for name in ("nginx.conf", "keygate-headers.conf", "Caddyfile"):
            self.assertIn((FILES / name).read_text(), shown, name)
        for text in (SWITCHES, SOCKETS, FOR_GRPC):
            self.assertIn(text, shown)


class Nginx(Asking):
    says_limits_of_grants = True
    host_of_questions = "host"

    def start_asking(self, port):
        return self.running.start_nginx("watched", port)

    def test_P21_says_nothing_of_a_client_in_its_words_by_other_protocols(self):
        mark = "~{}~{}~{}~{}~"  # which no HTTP/2 writes in another form
        said = [(name, mark) for name, _ in FORGED] + [("Authorization", mark), ("X-Api-Key", mark)]
        others = [(name, mark) for name in PROXYS_WORD if name not in ("Proxy", "X-Forwarded-Host")]
        for place, more in (("fastcgi", others), ("uwsgi", others), ("scgi", others), ("grpc", []), ("grpc-all", others)):
            self.running.dump.taken.clear()
            self.assertEqual(self.ask(f"/public/{place}/x", [*said, *more], "POST", Dump.end).status, 502, place)
            got = b"".join(self.running.dump.taken)
            self.assertIn(Dump.end, got, place)
            self.assertNotIn(mark.encode(), got, place)
            if "grpc" not in place:
                self.assertIn(b"~anonymous~", got, place)

    def test_asks_for_a_location_that_was_added(self):
        for place in ("/v1/added/x", "/v1/tuned/x"):
            self.assert_refused(self.ask(place), 401, "missing_credential")
            self.assertEqual(self.ask(place, [*self.bearer, *FORGED, *((name, "forged") for name in PROXYS_WORD)]).status, 200)
            told = self.served()["fields"]
            self.assertEqual(told["x-org-id"], ["acme"])
            self.assertEqual([name for name, values in told.items() if "forged" in values], [], place)
            self.assertNotIn("authorization", told)
            self.assertEqual(told.get("x-tuned"), ["yes"] if "tuned" in place else None)

    def test_says_the_last_of_several_answers(self):
        fickle = Fickle(self.running.ports["nginx"])
        self.addCleanup(fickle.close)
        self.port = self.running.start_nginx("again", fickle.port)
        refusals = (("/v1/x", (), 401, "missing_credential"), ("/admin/x", self.bearer, 403, "insufficient_scope"),
                    ("/v1//x", self.bearer, 400, "ambiguous_path"))
        for target, fields, status, code in refusals:
            # nginx keeps the connection of a grant, and ends that of a refusal.
            self.assertEqual(self.ask("/v1/x", self.bearer).status, 200)
            self.assertEqual(self.served()["fields"]["x-org-id"], ["acme"])
            self.assert_refused(self.ask(target, fields), status, code)
        self.assertGreaterEqual(fickle.broken, len(refusals), "nginx asked again on a connection that had been used")


class Caddy(Asking):
    says_limits_of_grants = False
    host_of_questions = "x-forwarded-host"

    def start_asking(self, port):
        return self.running.start_caddy("watched_by", port)

    def test_gives_up_on_a_decider_that_says_nothing(self):
        with Witness.standing(is_mute=True) as keygate:
            self.port = self.running.start_caddy("waiting", keygate.server_port, "100ms")
            self.assertEqual(self.ask("/public/x").status, 504)
        self.assertEqual(Application.asked, [])


def main():
    present = [name for name in ("nginx", "caddy") if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")]
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin"
    for name in ("nginx", "caddy"):
        if name not in present:
            stand.warn_skipped(name)
    if not present:
        return 77
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Documented)
    with Stand() as running:
        ports = []
        for name in present:
            ports.append(getattr(running, f"start_{name}")())
            variant = type(name.title(), ({"nginx": Nginx, "caddy": Caddy}[name],), {"running": running, "port": ports[-1]})
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(variant))
        suite.addTest(type("Gone", (Down,), {"running": running, "ports": ports})("test_refuses_all_where_keygate_is_gone"))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
