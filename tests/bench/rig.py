"""What is measured, and what stands around it: configurations, keys, processes that end with the script."""
import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BODY = b'{"data":"' + b"x" * 245 + b'"}'
assert len(BODY) == 256

# 99 services with a scope each, and one route that is open: what a gateway with a hundred routes might look like.
OPEN_PATH = "/public/items/7f3a"
GUARDED_PATH = "/v1/service-57/items/7f3a"
SCOPES = ["service-3:read", "service-57:read", "service-58:read"]
POLICY = """version: 1
scopes:
{scopes}routes:
  - name: public
    match: {{methods: [GET], path: "/public/items/{{id}}"}}
    anonymous: true
{routes}"""
ROUTE = """  - name: service-{n}
    match: {{methods: [GET], path: "/v1/service-{n}/items/{{id}}"}}
    require: {{scopes: "{scope}"}}
"""
CONFIG = """listen: 127.0.0.1:{port}
upstream: http://127.0.0.1:{upstream}
policy: {policy}
threads: {threads}
resolution: {resolution}
credentials:
  formats: [{{prefix: kg_live_, environment: live, length: 48, checksum: crc32}}]
limits: {{drain_delay: 0s, drain_timeout: 5s, idle_timeout: 10m}}
{more}"""
IN_STORE = "{store: {path: keys.db}, staleness_bound: 1h}"
NGINX = """daemon off;
{user}
{main}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 1000000000;
  keepalive_timeout 10m;
  {body}
}}
"""
NGINX_PROXY = """upstream service {{ server 127.0.0.1:{upstream}; keepalive {keepalive}; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096 {listen};
    {server}
    location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}"""
NGINX_SERVICE = """server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{text}'; }}
  }}"""


class Failure(Exception):
    """Something that the reader of the message can act on."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="keygate-bench-") as name:
        yield pathlib.Path(name)


def pinned(core):
    """In front of an argv; no core: wherever the kernel likes."""
    return ["taskset", "-c", core] if core else []


@contextlib.contextmanager
def running(argv, where, port, patience=60, **options):
    """A process of the given argv that listens on the port. It ends with the block, however that ends."""
    with open(where / f"{port}.out", "ab") as out, open(where / f"{port}.err", "ab") as errors:
        process = subprocess.Popen(argv, stdout=out, stderr=errors, cwd=where, **options)
    try:
        wait_for(process, port, where / f"{port}.err", patience)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def empty_outputs(where):
    """What was written to stdout, such as an access log, would fill the disk."""
    for path in where.glob("*.out"):
        os.truncate(path, 0)


def wait_for(process, port, errors, patience):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure(f"{process.args[0]} ended before it listened: {errors.read_text(errors='replace')}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failure(f"{process.args[0]} does not listen on port {port} after {patience} s")


def own_scope(number):
    """Of the service with that number."""
    return f"service-{number}:read"


def held_scope(number):
    """One of those that the key has."""
    return SCOPES[number % len(SCOPES)]


def write_policy(where, name, routes, scope_of):
    scopes = "".join(f'  "service-{n}:read": Read service {n}\n' for n in range(1, 100))
    guarded = "".join(ROUTE.format(n=n, scope=scope_of(n)) for n in range(1, routes))
    (where / name).write_text(POLICY.format(scopes=scopes, routes=guarded))


def write_keygate(where, upstream, name="keygate.yaml", routes=100, scope_of=own_scope, threads=1, resolution=IN_STORE, more=""):
    """The files of a Keygate with so many routes; its port."""
    port = free_port()
    policy = f"policy-of-{name}"
    write_policy(where, policy, routes, scope_of)
    (where / name).write_text(CONFIG.format(port=port, upstream=upstream, policy=policy, threads=threads, resolution=resolution,
                                            more=more))
    return port


def create_key(keygate, where, name="keygate.yaml"):
    """A key with three scopes, of which the guarded path needs one."""
    argv = [keygate, "keys", "create", "-c", where / name, "--organization", "acme", "--user", "user_42",
            "--environment", "live", "--scopes", ",".join(SCOPES)]
    made = subprocess.run(argv, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Failure(f"keygate keys create: {made.stderr[:2000]}")
    return made.stdout.strip()


def write_nginx(where, name, body, main="", connections=4096, **values):
    """A configuration of nginx; its port."""
    port = free_port()
    values = {"keepalive": 128, "listen": "", "server": ""} | values
    user = "user root;" if os.geteuid() == 0 else ""  # its workers are to read and write what is in the folder
    text = NGINX.format(folder=where, user=user, main=main, connections=connections, body=body.format(port=port, **values))
    (where / name).write_text(text)
    return port


def nginx_argv(where, name):
    return ["nginx", "-p", where, "-c", where / name, "-e", "stderr"]


def request_head(path, key=None):
    lines = [f"GET {path} HTTP/1.1", "Host: api.example.com", "User-Agent: bench/1.0", "Accept: application/json"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def default_keygate():
    return os.environ.get("KEYGATE_BINARY") or ROOT / "build/release/keygate"
