"""Does a request cost more where there is more of everything? Routes, keys in memory and in the store, connections, workers: one curve
each, of which every point is measured in every round.
"""
import contextlib
import os
import statistics
import time

import cpu
import idle
import peers
import report
import rig
import rounds
import store

ROUTES = (10, 100, 1_000, 10_000)
KEYS_IN_MEMORY = (1, 1_000, 100_000, 1_000_000)
KEYS_IN_STORE = (1_000, 100_000, 1_000_000)
CONNECTIONS = (64, 1_000, 10_000)
PATIENCE = 600  # seconds, until all keys are in memory
RESOLUTION = "{{store: {{path: {file}}}, staleness_bound: 24h, memory: {{max_keys: {max_keys}}}}}"


class Stand:
    """What the points of a curve stand on."""

    def __init__(self, options, where, cores, stack):
        self.options, self.where, self.cores, self.stack = options, where, cores, stack
        self.service = stack.enter_context(cpu.upstream(where, cores[1], 32_000))

    def run(self, argv, port, core=True):
        on = rig.pinned(self.cores[0]) if core else []
        return self.stack.enter_context(rig.running(on + argv, self.where, port))

    def keygate(self, name, core=True, **how):
        port = rig.write_keygate(self.where, self.service, name, **how)
        return lambda: (self.run([self.options.keygate, "run", "-c", self.where / name], port, core), f"http://127.0.0.1:{port}/")

    def at_most(self, points, least):
        return [point for point in points if not self.options.quick or point <= least]


def routes(stand):
    """Every route in turn, of Keygate and of nginx with Lua; the key stays."""
    key = peers.make_key(0)
    redis = stand.stack.enter_context(peers.redis(stand.where, stand.cores[1], [key]))
    for count in stand.at_most(ROUTES, 1_000):
        asking = rounds.Asking(stand.where, f"routes-{count}", [key], [f"/v1/service-{n}/items/7f3a" for n in range(1, count)])
        name, how = f"routes-{count}.yaml", {"routes": count, "scope_of": rig.held_scope}
        start = stand.keygate(name, resolution=RESOLUTION.format(file="routes.db", max_keys=1_000), **how)
        if count == ROUTES[0]:
            store.fill(stand.options.keygate, stand.where, name, stand.where / "routes.db", [key])
        yield count, rounds.Proxy("Keygate, full job", *start(), asking=asking)
        port = peers.write_lua(stand.where, f"routes-{count}.conf", stand.service, redis, **how)
        lua = stand.run(rig.nginx_argv(stand.where, f"routes-{count}.conf"), port)
        yield count, rounds.Proxy("nginx + Lua + Redis, full job", lua, f"http://127.0.0.1:{port}/", asking=asking)


def keys(stand, counts, name, are_in_memory):
    for count in stand.at_most(counts, 10_000):
        title = f"{name}-{count}"
        made = [peers.make_key(number) for number in range(count)]
        asking = rounds.Asking(stand.where, title, made, [rig.GUARDED_PATH])
        max_keys = 2 * count if are_in_memory else 1
        start = stand.keygate(f"{title}.yaml", resolution=RESOLUTION.format(file=f"{title}.db", max_keys=max_keys))
        store.fill(stand.options.keygate, stand.where, f"{title}.yaml", stand.where / f"{title}.db", made)
        proxy = rounds.Proxy("Keygate, full job", *start(), asking=asking)
        if are_in_memory:
            remember_all(stand, proxy, count)
        yield count, proxy


def remember_all(stand, proxy, count):
    """Each key is asked for once, and whoever is asked for is remembered."""
    before, asked, end = store.resident(proxy.process.pid, "Anonymous"), 0, time.monotonic() + PATIENCE
    while asked < count:
        if time.monotonic() > end:
            raise rig.Failure(f"after {PATIENCE} s, {asked:,} of {count:,} keys were asked for")
        asked += rounds.load(stand.cores[1], proxy, 1 if count <= 100_000 else 10, START=str(asked))[0]
    proxy.bytes_each = (store.resident(proxy.process.pid, "Anonymous") - before) / count


def connections(stand):
    """As many as may be open, where a proxy may have as many to the upstream."""
    most = idle.bearable(stand.options)
    counts = sorted({min(count, most) for count in CONNECTIONS})
    start = stand.keygate("connections.yaml", resolution=RESOLUTION.format(file="connections.db", max_keys=1_000))
    bear(stand.where / "connections.yaml", most)
    key = rig.create_key(stand.options.keygate, stand.where, "connections.yaml")
    gate, gate_url = start()
    port = rig.write_nginx(stand.where, "connections.conf", rig.NGINX_PROXY, connections=32_000, upstream=stand.service, keepalive=most)
    plain = stand.run(rig.nginx_argv(stand.where, "connections.conf"), port)
    path = rig.GUARDED_PATH.lstrip("/")
    for count in counts:
        yield count, rounds.Proxy("Keygate, full job", gate, gate_url + path, (f"Authorization: Bearer {key}",), connections=count)
        yield count, rounds.Proxy("nginx, plain proxy", plain, f"http://127.0.0.1:{port}/{path}", connections=count)


def bear(file, connections):
    """As many to the upstream as clients, as nginx has, and patience with them."""
    lines = file.read_text().splitlines()
    url = next(line.split(" ")[1] for line in lines if line.startswith("upstream: "))
    upstream = f"upstreams: {{default: {{endpoints: ['{url}'], max_connections: {connections}, timeouts: {{connect: 20s}}}}}}"
    file.write_text("\n".join(upstream if line.startswith("upstream: ") else line for line in lines) + "\n")


def workers(stand):
    """On both cores, beside the upstream and the load."""
    path = rig.GUARDED_PATH.lstrip("/")
    for count in (1, 2):
        name = f"workers-{count}.yaml"
        start = stand.keygate(name, core=False, threads=count, resolution=RESOLUTION.format(file="workers.db", max_keys=1_000))
        key = rig.create_key(stand.options.keygate, stand.where, name)
        process, url = start()
        yield count, rounds.Proxy("Keygate, full job", process, url + path, (f"Authorization: Bearer {key}",))


CURVES = {
    "routes": ("every route in turn", routes),
    "keys in memory": ("every key in turn, each remembered",
                       lambda stand: keys(stand, KEYS_IN_MEMORY, "memory", True)),
    "keys in the store": ("every key in turn, none remembered, each from the file",
                          lambda stand: keys(stand, KEYS_IN_STORE, "store", False)),
    "connections": ("one key, one route; each connection has a request under way", connections),
    "workers": ("one key, one route, both cores shared with upstream and load", workers),
}


def measured(title, options):
    """(count, Proxy) of each point of a curve."""
    cores = rounds.two_cores()
    with contextlib.ExitStack() as stack:
        where = stack.enter_context(rig.folder())
        points = list(CURVES[title][1](Stand(options, where, cores, stack)))
        on = cores if title != "workers" else (None, None)
        rounds.under_load(where, on, [proxy for _, proxy in points], options)
        return points


def rows_of(title, points):
    first = {}
    for count, proxy in points:
        ratios = proxy.ratios(first.setdefault(proxy.name, proxy))
        each = getattr(proxy, "bytes_each", None)
        beside = statistics.median(proxy.beside)
        yield [f"{count:,} {title}: {proxy.name}", rounds.spread(proxy.micros, 1), rounds.spread(ratios, 2),
               f"{beside:.1f}" if title != "workers" and beside >= 0.1 else "", f"{statistics.median(proxy.rates):,.0f}",
               f"{each:,.0f} bytes a key" if each and count > 1_000 else ""]


def verdict_of(title, points):
    gates = [(count, proxy) for count, proxy in points if proxy.name.startswith("Keygate")]
    (least, small), (most, large) = gates[0], gates[-1]
    return report.verdict(f"{most:,} {title} against {least:,}", large.ratios(small), report.TARGETS["growth"])


def main(options):
    rounds.need("wrk", "nginx", "taskset", "redis-server")
    rows, verdicts, figures = [], [], []
    for title in CURVES:
        points = measured(title, options)
        rows += rows_of(title, points)
        verdicts.append(verdict_of(title, points))
        figures += [proxy.figures(title, count) for count, proxy in points]
    told = "; ".join(f"{title}: {how}" for title, (how, _) in CURVES.items())
    caption = (f"CPU microseconds a request: medians, and the range of {options.rounds} interleaved rounds of {options.seconds} s. "
               f"{rounds.CONNECTIONS} connections where nothing else is said; proxy on one core, upstream and load on another. Of each "
               f"curve, every point is measured in every round. {told[0].upper()}{told[1:]}. Beside the worker: the threads that write the uses "
               f"of keys to the store, and the log. {open_files():,} files may be open.")
    columns = ["", "CPU a request", "against the first", "of it beside the worker", "requests/s", "memory"]
    return [report.Table("scale", caption, columns, rows, verdicts, figures)], True


def open_files():
    return os.sysconf("SC_OPEN_MAX")
