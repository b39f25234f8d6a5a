"""How many instructions in user space does a request cost? Counted by callgrind, so that a busy machine changes nothing.

Each figure is the difference of two runs of a fresh process, one with more requests than the other: what a start and an end
cost is in both. One connection and one request at a time, client and upstream in this process: each answers only when the
proxy has gone to sleep again, so that it takes the same way through its event loop every time, the one it takes under load.
"""
import collections
import platform
import select
import shutil
import socket
import sys
import time

import callgrind
import report
import rig
from report import Table

FEW, MANY = 500, 2500
BUDGET = rig.ROOT / "tests/bench/ir_budget"
TOLERANCE = 0.03
RESPONSE = (b"HTTP/1.1 200 OK\r\nServer: service/1.0\r\nDate: Sun, 22 Nov 2026 03:58:00 GMT\r\n"
            b"Content-Type: application/json\r\nContent-Length: 256\r\n\r\n" + rig.BODY)
PAUSE = 0.0005  # seconds; in which the proxy, fifty times slower than usual, goes back to sleep


class Count:
    """Instructions a request, of one kind of request: the thread that serves it, and by function."""

    def __init__(self, few, many):
        grown = {thread: many[thread].total - few[thread].total for thread in many if thread in few}
        worker = max(grown, key=grown.get)
        requests = MANY - FEW
        self.worker = grown.pop(worker) / requests
        self.others = sum(grown.values()) / requests
        self.functions, self.places = collections.Counter(), collections.Counter()
        before, after = few[worker].self_cost, many[worker].self_cost
        for function in before.keys() | after.keys():
            cost = (after[function] - before[function]) / requests
            self.functions[callgrind.readable(function[0])] += cost
            self.places[callgrind.place(*function)] += cost


def read_until(stream, is_complete):
    data = b""
    while not is_complete(data):
        part = stream.recv(65536)
        if not part:
            raise rig.Failure(f"the proxy closed the connection after {data!r}")
        data += part
    return data


def is_head(data):
    return data.endswith(b"\r\n\r\n")


def is_response(data):
    head, end, body = data.partition(b"\r\n\r\n")
    return bool(end) and (len(body) >= 256 or not head.startswith(b"HTTP/1.1 200"))


def accept(listener, client):
    """The proxy's connection for what the client has sent, unless it answers by itself."""
    ready, _, _ = select.select([listener, client], [], [], 30)
    if listener not in ready:
        raise rig.Failure(f"the upstream is not asked; the client got {client.recv(65536) if ready else 'nothing'!r}")
    upstream, _ = listener.accept()
    upstream.settimeout(30)
    return upstream


def ask(port, listener, request, count, expected):
    """`count` requests through the proxy on the port, to the listener."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        upstream = None
        for _ in range(count):
            client.sendall(request)
            if upstream is None:
                upstream = accept(listener, client)
            seen = read_until(upstream, is_head)
            if expected not in seen:
                raise rig.Failure(f"the upstream was asked without {expected!r}: {seen!r}")
            time.sleep(PAUSE)
            upstream.sendall(RESPONSE)
            answer = read_until(client, is_response)
            if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(rig.BODY):
                raise rig.Failure(f"the client got {answer!r}")
            time.sleep(PAUSE)
        upstream.close()


def profile(argv, where, port, listener, request, count, expected):
    """One run under callgrind: a Profile by thread."""
    out = where / f"callgrind-{port}-{count}"
    # valgrind shows the processor that it emulates, which is the same one on every machine of the last ten years.
    valgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}"]
    with rig.running(valgrind + argv, where, port):
        ask(port, listener, request, count, expected)
    files = {path.name[len(out.name):]: path for path in where.glob(f"{out.name}*")}
    return {thread: callgrind.Profile(path) for thread, path in files.items()}


def count(make_argv, where, request, expected):
    """`make_argv`: writes the files for an upstream's port, and says how to start the proxy and where it listens."""
    def once(requests):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            argv, port = make_argv(listener.getsockname()[1])
            return profile(argv, where, port, listener, request(), requests, expected)

    few, many = (persistently(lambda: once(requests)) for requests in (FEW, MANY))
    return Count(few, many)


def persistently(measure):
    """A port that was free may be somebody else's by the time it is used; anything else goes wrong three times."""
    for attempt in (1, 2, 3):
        try:
            return measure()
        except (rig.Failure, OSError) as failure:
            if attempt == 3:
                raise
            say(f"once more, after: {failure}")


def count_keygate(keygate, where, is_guarded):
    key = []

    def make_argv(upstream):
        port = rig.write_keygate(where, upstream)
        key[:] = [rig.create_key(keygate, where)]
        return [keygate, "run", "-c", where / "keygate.yaml"], port

    def request():
        return rig.request_head(rig.GUARDED_PATH, key[0]) if is_guarded else rig.request_head(rig.OPEN_PATH)

    return count(make_argv, where, request, b"X-Org-Id: acme" if is_guarded else b"X-Auth-Method: anonymous")


def count_nginx(where):
    def make_argv(upstream):
        port = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, "master_process off;", upstream=upstream)
        return rig.nginx_argv(where, "plain.conf"), port

    return count(make_argv, where, lambda: rig.request_head(rig.GUARDED_PATH), b"Host: ")


def tabulate(rows, full, top):
    caption = "Instructions a request in user space, of the thread that serves it. One connection, one request at a time."
    counted = [[name, f"{of.worker:,.0f}", f"{of.others:,.0f}"] for name, of in rows]
    figures = [{"curve": "instructions", "series": name, "x": None, "values": [round(of.worker)]} for name, of in rows]
    verdicts = [report.verdict("instructions of the full job", [full.worker], report.TARGETS["instructions"], "", 0)]
    tables = [Table("ir", caption, ["", "instructions", "in other threads"], counted, verdicts, figures)]
    for name, costs, shown in (("ir-places", full.places, 10), ("ir-functions", full.functions, top)):
        caption = {"ir-places": "The full job, by whose code it is.",
                   "ir-functions": "The full job, by function: what it costs without what it calls."}[name]
        lines = [[f"`{function}`", f"{cost:,.0f}", f"{cost / full.worker:.1%}"] for function, cost in costs.most_common(shown)]
        tables.append(Table(name, caption, ["", "instructions", "share"], lines))
    return tables


def check_budget(measured):
    """Whether the figure is within the recorded one; says what to do where it is not."""
    if platform.machine() != "x86_64":
        say("the recorded number is of x86_64: not compared")
        return True
    recorded = int(BUDGET.read_text())
    change = measured / recorded - 1
    file = BUDGET.relative_to(rig.ROOT)
    say(f"full job: {measured:,.0f} instructions, {change:+.1%} against the {recorded:,} recorded in {file}")
    if change > TOLERANCE:
        say(f"FAILED: a request costs over {TOLERANCE:.0%} more instructions than recorded. `./dev bench --ir` lists where they "
            f"go, here and on the commit before. If the change is worth it, record {measured:.0f} in its commit and say why.")
    elif change < -TOLERANCE:
        say(f"that is over {TOLERANCE:.0%} less, which is good: write {measured:.0f} to {file}, so that it stays so")
    return change <= TOLERANCE


def say(text):
    print(f"==> {text}", file=sys.stderr)


def main(options):
    """Tables, and whether the budget was kept."""
    if not shutil.which("valgrind"):
        raise rig.Failure("valgrind is missing: ./dev deps installs it")
    with rig.folder() as where:
        full = count_keygate(options.keygate, where, True)
        rows = [("Keygate, full job", full)]
        if not options.gate:
            rows.append(("Keygate, anonymous route", count_keygate(options.keygate, where, False)))
            rows.append(("nginx, plain proxy", count_nginx(where)))
    return tabulate(rows, full, options.top), check_budget(full.worker)
