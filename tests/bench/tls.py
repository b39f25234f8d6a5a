"""What does TLS cost? A request on a connection that stays, a connection with a full handshake, and one with a resumed session; all
proxies with the same certificate (ECDSA, P-256).
"""
import contextlib
import socket
import ssl
import statistics
import subprocess

import cpu
import peers
import report
import rig
import rounds

GATE = """listeners:
  - {{address: "127.0.0.1:{port}", tls: {{certificate_file: tls.crt, private_key_file: tls.key}}}}
"""
NGINX = "ssl_certificate tls.crt; ssl_certificate_key tls.key; ssl_protocols TLSv1.2 TLSv1.3;"
WAYS = {"requests": "a request", "full": "a connection with a full handshake and one request",
        "resumed": "a connection with a resumed session and one request"}


class Handshaking:
    """Connections to one proxy, one after the other, each with one request."""

    def __init__(self, name, process, port, request, is_resuming):
        self.name, self.process, self.port, self.request, self.is_resuming = name, process, port, request, is_resuming
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.micros, self.session = [], None

    def connect(self):
        with socket.create_connection(("127.0.0.1", self.port), 30) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as curl and browsers do
            with self.context.wrap_socket(plain, session=self.session) as client:
                if self.session and not client.session_reused:
                    raise rig.Failure(f"{self.name} did not resume a session")
                client.sendall(self.request)
                answer = client.recv(65536)
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise rig.Failure(f"{self.name} answers {answer[:200]!r}")
                if self.is_resuming:
                    self.session = client.session  # of TLS 1.3: a ticket is for one connection

    def turn(self, count):
        self.connect()
        before = rounds.cpu_nanoseconds(self.process.pid)
        for _ in range(count):
            self.connect()
        self.micros.append((rounds.cpu_nanoseconds(self.process.pid) - before) / count / 1000)


def make_certificate(where):
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-keyout", where / "tls.key", "-out", where / "tls.crt"]
    subprocess.run(argv, check=True, capture_output=True)
    (where / "both.pem").write_text((where / "tls.crt").read_text() + (where / "tls.key").read_text())


@contextlib.contextmanager
def proxies(keygate, where, cores, service):
    """Name, process, port, key of each."""
    make_certificate(where)
    gate = rig.free_port()
    rig.write_keygate(where, service, more=GATE.format(port=gate))
    key = rig.create_key(keygate, where)
    plain = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, upstream=service, listen="ssl", server=NGINX)
    haproxy = peers.write_haproxy(where, "haproxy.cfg", service, bind=f"ssl crt {where}/both.pem")
    with contextlib.ExitStack() as stack:
        yield [(name, stack.enter_context(rig.running(rig.pinned(cores[0]) + argv, where, port)), port, with_key)
               for name, argv, port, with_key in (
                   ("nginx, plain proxy", rig.nginx_argv(where, "plain.conf"), plain, None),
                   ("HAProxy, plain proxy", peers.haproxy_argv(where, "haproxy.cfg"), haproxy, None),
                   ("Keygate, full job", [keygate, "run", "-c", where / "keygate.yaml"], gate, key))]


def subjects(found):
    """By way, one of each proxy."""
    headers = {key: (f"Authorization: Bearer {key}",) if key else () for *_, key in found}
    asked = [rounds.Proxy(name, process, f"https://127.0.0.1:{port}{rig.GUARDED_PATH}", headers[key])
             for name, process, port, key in found]
    return {"requests": asked} | {
        way: [Handshaking(name, process, port, rig.request_head(rig.GUARDED_PATH, key), way == "resumed")
              for name, process, port, key in found] for way in ("full", "resumed")}


def tabulate(by_way, options, count):
    rows, verdicts, figures = [], [], []
    for way, everyone in by_way.items():
        nginx = everyone[0].micros
        for one in everyone:
            ratios = [mine / theirs for mine, theirs in zip(one.micros, nginx)]
            rows.append([f"{WAYS[way]}: {one.name}", rounds.spread(one.micros, 1), rounds.spread(ratios, 2)])
            figures.append({"curve": f"tls {way}", "series": one.name, "x": None, "values": [round(value, 2) for value in one.micros]})
        verdicts.append(f"No target is set. Keygate against nginx, {WAYS[way]}: {statistics.median(ratios):.2f} "
                        f"({min(ratios):.2f}–{max(ratios):.2f}).")
    caption = (f"CPU microseconds of the proxy: medians, and the range of {options.rounds} interleaved rounds of {options.seconds} s with "
               f"{rounds.CONNECTIONS} connections, or of {count} connections one after the other; proxy on one core, client and upstream "
               "on another. nginx and HAProxy check no key.")
    return report.Table("tls", caption, ["", "CPU", "against nginx"], rows, verdicts, figures)


def main(options):
    rounds.need("wrk", "nginx", "taskset", "haproxy", "openssl")
    cores = rounds.two_cores()
    count = 100 if options.quick else 500
    with rig.folder() as where, cpu.upstream(where, cores[1]) as service, \
            proxies(options.keygate, where, cores, service) as found, rounds.on_core(cores[1]):
        by_way = subjects(found)
        rounds.under_load(where, cores, by_way["requests"], options)
        for way in ("full", "resumed"):
            rounds.interleave(by_way[way], options.rounds, lambda one: one.turn(count))
        return [tabulate(by_way, options, count)], True
