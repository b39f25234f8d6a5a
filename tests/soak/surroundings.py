"""Keygate with a Redis, a key server and a service that can be killed, frozen and started again; and when they were."""
import json
import os
import pathlib
import random
import signal
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import stand  # noqa: E402

BOUND = 2.0  # the staleness bound, in seconds
IDLE = 10  # seconds until an idle client is closed; upstreams, in two
KEY_SERVER = """listen: 127.0.0.1:{key_server}
health: {{address: "127.0.0.1:{key_server_health}"}}
resolution: {{store: {{path: keys.db}}, staleness_bound: 2s, redis: {redis}}}
policy: {{scopes: {{"v1:read": r, "v1:write": w, admin: a}}}}
limits: {{drain_delay: 0s, drain_timeout: 5s}}
key_service: {{token_file: proxy.token, admin_token_file: admin.token}}
"""
ADMIN, PROXY = "admin-token-0123456789abcdefghijkl", "proxy-token-0123456789abcdefghijkl"


class Faulty(stand.Stand):
    def __init__(self):
        # Caches that are full soon, so that memory has no reason to grow; deadlines that are reached often.
        super().__init__(threads=2, response_header="1s, idle: 2s",
                         limits=f", header_timeout: 2s, body_idle_timeout: 2s, idle_timeout: {IDLE}s, tunnel_idle_timeout: 20s")
        self.times = {}  # by what was harmed, when it began and when it was over

    def start_services(self):
        super().start_services()
        for name in ("redis", "key_server", "key_server_health"):
            self.ports[name] = stand.free_port()
        redis = '{{url: "redis://127.0.0.1:{redis}", signing_key_file: signing.key}}'.format(**self.ports)
        for name, text in (("admin.token", ADMIN), ("proxy.token", PROXY), ("signing.key", "0123456789abcdef" * 4),
                           ("keyserver.yaml", KEY_SERVER.format(**self.ports | {"redis": redis}))):
            (self.folder / name).write_text(text + "\n")
            os.chmod(self.folder / name, 0o600)
        self.settings["resolution"] = (
            f"{{staleness_bound: 2s, redis: {redis}, memory: {{max_keys: 200, max_unknown_keys: 200, unknown_ttl: 1s}}, service: {{url: "
            f"\"http://127.0.0.1:{self.ports['key_server']}/v1/keys/verify\", timeout: 1s, token_file: proxy.token}}}}")
        self.start_redis()
        self.start_key_server()

    def start_redis(self):
        argv = ["redis-server", "--port", self.ports["redis"], "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", self.folder]
        self.redis = self.started("redis", argv, lambda: stand.is_open(self.ports["redis"]))

    def start_key_server(self):
        ready = f"http://127.0.0.1:{self.ports['key_server_health']}/readyz"
        self.key_server = self.started("keyserver", [stand.binary(), "keyserver", "-c", "keyserver.yaml"],
                                       lambda: stand.status_of(ready) == 200)

    def start_service(self):
        argv = [stand.PYTHON, "-B", stand.ROOT / "tests/clients/upstream.py", self.ports["service"]]
        self.service = self.started("service", argv, lambda: stand.is_open(self.ports["service"]))

    def started(self, name, argv, is_up):
        process = self.run(name, argv)
        process.wait_until(is_up, "does not come up")
        return process

    def call(self, method, path, **members):
        """Of the key server, as an operator."""
        body = json.dumps(members).encode() if members else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['key_server']}{path}", body, method=method,
                                         headers={"Authorization": f"Bearer {ADMIN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def create_key(self, organization="acme", scopes="v1:read"):
        made = self.call("POST", "/v1/keys", organization_id=organization, scopes=scopes.split(","))
        return made["key"], made["key_id"]

    def revoke_key(self, key_id):
        self.call("DELETE", f"/v1/keys/{key_id}")

    # --- What is harmed, and when ---

    def harmed(self, *what):
        """Notes that these are, from now on; and says how to note that it is over."""
        spans = [[time.monotonic(), None] for _ in what]
        for name, span in zip(what, spans):
            self.times.setdefault(name, []).append(span)

        def is_over():
            for span in spans:
                span[1] = time.monotonic()
        return is_over

    def was_harmed(self, what, since, grace):
        """Whether there was anything the matter between `since`, less the time to get over it, and now."""
        return any(end is None or end + grace >= since for _, end in self.times.get(what, ()))

    def revive(self, what):
        {"redis": self.start_redis, "key server": self.start_key_server, "service": self.start_service}[what]()

    def process_of(self, what):
        return {"redis": self.redis, "key server": self.key_server, "service": self.service}[what]


class Harm:
    """One thing after another, by chance from a seed. `act` blocks, and is for a thread of its own."""

    def __init__(self, faulty, seed, is_over):
        self.faulty, self.random, self.is_over, self.done = faulty, random.Random(seed), is_over, {}

    def wait(self, least, most):
        end = time.monotonic() + self.random.uniform(least, most)
        while time.monotonic() < end and not self.is_over():
            time.sleep(0.02)

    def act(self):
        while not self.is_over():
            self.wait(1, 6)
            what, deed = self.random.choice(("redis", "key server", "service")), self.random.choice(("kill", "freeze", "restart"))
            self.done[f"{deed} {what}"] = self.done.get(f"{deed} {what}", 0) + 1
            over = self.faulty.harmed(what, f"{deed} {what}")
            try:
                getattr(self, deed)(what)
            finally:
                over()

    def kill(self, what):
        self.faulty.process_of(what).end(signal.SIGKILL)
        self.wait(0.1, 4)
        self.faulty.revive(what)

    def restart(self, what):
        self.faulty.process_of(what).end(signal.SIGTERM)
        self.faulty.revive(what)

    def freeze(self, what):
        process = self.faulty.process_of(what)
        process.send(signal.SIGSTOP)
        self.wait(0.1, 4)
        process.send(signal.SIGCONT)
