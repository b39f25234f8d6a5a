"""What does a large body cost? 100 MiB at a time, up or down, over one connection that stays; client and upstream are sockets of
Python on the other core, which read and write a mebibyte at a time.
"""
import contextlib
import multiprocessing
import os
import socket

import peers
import report
import rig
import rounds

MIB = bytes(1 << 20)
SIZE = 100 * len(MIB)
STREAMING = "proxy_request_buffering off; proxy_buffering off; client_max_body_size 0;"


def read_head(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        part = stream.recv(65536)
        if not part:
            return b"", b""
        head += part
    return head.split(b"\r\n\r\n", 1)


def read_body(stream, size, buffer):
    while size:
        got = stream.recv_into(buffer, min(size, len(buffer)))
        if not got:
            raise rig.Failure(f"the connection ended {size} bytes before its body")
        size -= got


def length_in(head):
    return next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)


def answer(stream, buffer):
    """Takes what comes with a POST, gives as much for a GET, until the proxy is gone."""
    with stream, contextlib.suppress(OSError):
        while True:
            head, rest = read_head(stream)
            if not head:
                return
            read_body(stream, length_in(head) - len(rest), buffer)
            down = 0 if head.startswith(b"POST") else SIZE
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % down)
            for _ in range(down // len(MIB)):
                stream.sendall(MIB)


def serve(listener, core):
    """One connection after another, as there is one client at a time."""
    os.sched_setaffinity(0, {int(core)})
    buffer = bytearray(len(MIB))
    while True:
        stream, _ = listener.accept()
        if os.fork() == 0:  # another proxy's connection may stay
            answer(stream, buffer)
            os._exit(0)
        stream.close()


@contextlib.contextmanager
def upstream(core):
    """Its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        process = multiprocessing.get_context("fork").Process(target=serve, args=(listener, core))
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


class Sending:
    """One proxy and one direction."""

    def __init__(self, name, process, port, is_up, key):
        self.name, self.process, self.port, self.is_up = name, process, port, is_up
        self.head = rig.request_head(rig.GUARDED_PATH, key)
        if is_up:
            self.head = self.head.replace(b"GET", b"POST", 1)[:-2] + b"Content-Length: %d\r\n\r\n" % SIZE
        self.values, self.rates = [], []  # CPU seconds a GB, and GB a second

    def turn(self, bodies, buffer):
        before, began = rounds.cpu_nanoseconds(self.process.pid), os.times().elapsed
        with socket.create_connection(("127.0.0.1", self.port), 60) as client:
            for _ in range(bodies):
                client.sendall(self.head)
                for _ in range(SIZE // len(MIB) if self.is_up else 0):
                    client.sendall(MIB)
                head, rest = read_head(client)
                if not head.startswith(b"HTTP/1.1 200"):
                    raise rig.Failure(f"{self.name}: {head[:200]}")
                read_body(client, length_in(head) - len(rest), buffer)
        gigabytes = bodies * SIZE / 1e9
        self.values.append((rounds.cpu_nanoseconds(self.process.pid) - before) / 1e9 / gigabytes)
        self.rates.append(gigabytes / max(os.times().elapsed - began, 0.01))


@contextlib.contextmanager
def everybody(keygate, where, cores):
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(upstream(cores[1]))

        def run(argv, port):
            return stack.enter_context(rig.running(rig.pinned(cores[0]) + argv, where, port))

        gate = rig.write_keygate(where, service)
        policy = where / "policy-of-keygate.yaml"
        policy.write_text(policy.read_text().replace("methods: [GET]", "methods: [GET, POST]"))
        key = rig.create_key(keygate, where)
        plain = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, upstream=service, server="client_max_body_size 0;")
        streaming = rig.write_nginx(where, "streaming.conf", rig.NGINX_PROXY, upstream=service, server=STREAMING)
        haproxy = peers.write_haproxy(where, "haproxy.cfg", service)
        proxies = [("Keygate, full job", run([keygate, "run", "-c", where / "keygate.yaml"], gate), gate, key),
                   ("nginx, as it comes", run(rig.nginx_argv(where, "plain.conf"), plain), plain, None),
                   ("nginx, buffering off", run(rig.nginx_argv(where, "streaming.conf"), streaming), streaming, None),
                   ("HAProxy", run(peers.haproxy_argv(where, "haproxy.cfg"), haproxy), haproxy, None)]
        yield [Sending(f"{name}, {'up' if is_up else 'down'}", process, port, is_up, key)
               for is_up in (True, False) for name, process, port, key in proxies]


def tabulate(everyone, options, bodies):
    rows = [[sending.name, rounds.spread(sending.values, 2), rounds.spread(sending.rates, 1)] for sending in everyone]
    caption = (f"CPU seconds a GB (10⁹ bytes) of the proxy: medians, and the range of {options.rounds} interleaved rounds of {bodies} "
               "bodies of 100 MiB each; proxy on one core, client and upstream on another.")
    verdicts = [report.verdict(f"CPU seconds a GB, {sending.name}", sending.values, report.TARGETS["body"])
                for sending in everyone if sending.name.startswith("Keygate")]
    figures = [{"curve": "body", "series": sending.name, "x": None, "values": [round(value, 4) for value in sending.values]}
               for sending in everyone]
    return report.Table("body", caption, ["", "CPU s/GB", "GB/s"], rows, verdicts, figures)


def main(options):
    rounds.need("nginx", "taskset", "haproxy")
    cores = rounds.two_cores()
    bodies = 2 if options.quick else 10
    buffer = bytearray(len(MIB))
    with rig.folder() as where, everybody(options.keygate, where, cores) as everyone, rounds.on_core(cores[1]):
        for sending in everyone:
            sending.turn(1, buffer)
            sending.values, sending.rates = [], []
        rounds.interleave(everyone, options.rounds, lambda sending: sending.turn(bodies, buffer))
        return [tabulate(everyone, options, bodies)], True
