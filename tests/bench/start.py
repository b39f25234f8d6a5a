"""How long from the start of the process to its first answer? With many routes, with many keys in the store, and nginx with as many
locations.
"""
import socket
import statistics
import subprocess
import time

import cpu
import peers
import report
import rig
import rounds
import store

LOCATION = ('    location /v1/service-{n}/items/ {{ proxy_pass http://service; proxy_http_version 1.1; '
            'proxy_set_header Connection ""; }}\n')
PATIENCE = 60


class Starting:
    """One program with one configuration, and the milliseconds that each start took."""

    def __init__(self, name, argv, port, request, target=None):
        self.name, self.argv, self.port, self.request, self.target = name, argv, port, request, target
        self.millis, self.resident = [], []

    def turn(self, where):
        began = time.monotonic()
        with open(where / "start.err", "ab") as errors:
            process = subprocess.Popen([str(word) for word in self.argv], stdout=errors, stderr=errors, cwd=where)
        try:
            while not self.is_answered():
                if process.poll() is not None or time.monotonic() > began + PATIENCE:
                    raise rig.Failure(f"{self.name} does not start: {(where / 'start.err').read_text()[-2000:]}")
                time.sleep(0.0005)
            self.millis.append((time.monotonic() - began) * 1000)
            self.resident.append(store.resident(process.pid))
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def is_answered(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as client:
                client.sendall(self.request)
                answer = client.recv(65536)
        except OSError:
            return False
        if not answer.startswith(b"HTTP/1.1 200"):
            raise rig.Failure(f"{self.name} answers {answer[:200]!r}")
        return True


def keygates(keygate, where, service, options):
    """(name, file, port, target) of each."""
    many, keys = (1_000, 10_000) if options.quick else (10_000, 1_000_000)
    for routes, target in ((100, "start"), (many, "start_many")):
        file = f"routes-{routes}.yaml"
        port = rig.write_keygate(where, service, file, routes=routes, scope_of=rig.held_scope)
        yield f"Keygate, {routes:,} routes", file, port, report.TARGETS[target]
    file = "keys.yaml"
    port = rig.write_keygate(where, service, file, resolution="{store: {path: many.db}, staleness_bound: 1h}")
    store.fill(keygate, where, file, where / "many.db", map(peers.make_key, range(keys)))
    yield f"Keygate, 100 routes, {keys:,} keys in its store", file, port, report.TARGETS["start"]


def starts(keygate, where, service, options):
    found = []
    for name, file, port, target in keygates(keygate, where, service, options):
        key = peers.make_key(1) if file == "keys.yaml" else rig.create_key(keygate, where, file)
        found.append(Starting(name, [keygate, "run", "-c", where / file], port, rig.request_head(rig.GUARDED_PATH, key), target))
    for routes in (100, 1_000 if options.quick else 10_000):
        file = f"nginx-{routes}.conf"
        locations = "".join(LOCATION.format(n=n) for n in range(1, routes))
        port = rig.write_nginx(where, file, rig.NGINX_PROXY, upstream=service, server=locations)
        found.append(Starting(f"nginx, {routes:,} locations", rig.nginx_argv(where, file), port, rig.request_head(rig.GUARDED_PATH)))
    return found


def tabulate(everyone, options):
    rows = [[starting.name, rounds.spread(starting.millis, 0), f"{statistics.median(starting.resident) / 1e6:.1f}"]
            for starting in everyone]
    caption = (f"Milliseconds from the start of the process to its first answer, which a client asks for again and again, with a key "
               f"that is looked up: medians, and the range of {options.rounds} interleaved starts. Resident memory at that time.")
    verdicts = [report.verdict(starting.name, starting.millis, starting.target, " ms", 0)
                for starting in everyone if starting.target]
    figures = [{"curve": "start", "series": starting.name, "x": None, "values": [round(value, 2) for value in starting.millis]}
               for starting in everyone]
    return report.Table("start", caption, ["", "ms", "MB resident"], rows, verdicts, figures)


def main(options):
    rounds.need("nginx")
    with rig.folder() as where, cpu.upstream(where, None) as service:
        everyone = starts(options.keygate, where, service, options)
        rounds.interleave(everyone, options.rounds, lambda starting: starting.turn(where))
        return [tabulate(everyone, options)], True
