"""What does a process keep in memory that does nothing, and what a client that says nothing? Each client has been served once."""
import contextlib
import resource
import socket

import cpu
import peers
import report
import rig
import rounds
import store

WARM = 200  # clients that are there before the first measurement
CLIENTS = 10_000


class Idle:
    """One program, as it is after its start and with clients."""

    def __init__(self, name, make, request):
        self.name, self.make, self.request = name, make, request
        self.each = []      # bytes
        self.memory = None  # of a fresh process: resident, private, anonymous

    def turn(self, where, clients):
        argv, port = self.make()
        with rig.running(argv, where, port) as process, contextlib.ExitStack() as stack:
            if self.memory is None:
                store.settled(process.pid)
                self.memory = [store.resident(process.pid, kind) / 1e6 for kind in ("Rss", "Private", "Anonymous")]
            self.connect(stack, port, WARM)
            before = store.settled(process.pid)
            self.connect(stack, port, clients)
            self.each.append((store.settled(process.pid) - before) / clients)

    def connect(self, stack, port, count):
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            client.sendall(self.request)
            answer = client.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise rig.Failure(f"{self.name} answers {answer[:200]!r}")


def bearable(options):
    """So many as files may be open, where Keygate counts an upstream connection for each client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(1_000 if options.quick else CLIENTS, (hard - 1_000) // 2)


def everybody(keygate, where, service, redis, clients):
    def gate():
        port = rig.write_keygate(where, service)
        return [keygate, "run", "-c", where / "keygate.yaml"], port

    def plain():
        port = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, upstream=service, connections=2 * clients)
        return rig.nginx_argv(where, "plain.conf"), port

    def lua():
        port = peers.write_lua(where, "lua.conf", service, redis, connections=2 * clients)
        return rig.nginx_argv(where, "lua.conf"), port

    def haproxy():
        port = peers.write_haproxy(where, "haproxy.cfg", service, connections=clients + WARM + 50)
        return peers.haproxy_argv(where, "haproxy.cfg"), port

    rig.write_keygate(where, service)
    key = rig.create_key(keygate, where)
    peers.remember(redis, [key])
    with_key, without = rig.request_head(rig.GUARDED_PATH, key), rig.request_head(rig.GUARDED_PATH)
    return [Idle("Keygate, 100 routes", gate, with_key), Idle("nginx, plain proxy", plain, without),
            Idle("nginx + Lua + Redis, 100 routes", lua, with_key), Idle("HAProxy, plain proxy", haproxy, without)]


def tabulate(everyone, options, clients):
    rows = [[idle.name, *(f"{size:.1f}" for size in idle.memory), rounds.spread(idle.each, 0)] for idle in everyone]
    caption = (f"Memory of the whole process tree at rest, of a fresh process in MB, and what each of {clients:,} clients adds that were "
               f"served once and say nothing, in bytes of user memory: medians, and the range of {options.rounds} rounds. nginx and "
               f"HAProxy set their tables for so many clients apart at the start. The kernel's memory for sockets is not counted.")
    columns = ["", "resident", "of it shared with nobody", "of it of no file", "bytes an idle client"]
    gate = everyone[0]
    verdicts = [report.verdict("resident memory of an idle process", [gate.memory[0]], report.TARGETS["idle_process"], " MB", 1),
                report.verdict("user memory an idle client", gate.each, report.TARGETS["idle_connection"], " bytes", 0)]
    figures = [{"curve": "idle", "series": idle.name, "x": clients, "values": [round(each) for each in idle.each]} for idle in everyone]
    return report.Table("idle", caption, columns, rows, verdicts, figures)


def main(options):
    rounds.need("nginx", "haproxy", "redis-server")
    clients = bearable(options)
    with rig.folder() as where, cpu.upstream(where, None) as service, peers.redis(where, None, []) as redis:
        everyone = everybody(options.keygate, where, service, redis, clients)
        rounds.interleave(everyone, options.rounds, lambda idle: idle.turn(where, clients))
        return [tabulate(everyone, options, clients)], True
