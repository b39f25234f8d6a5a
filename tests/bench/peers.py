"""What Keygate is measured beside, and how each is set up: HAProxy, nginx, and an nginx that does the full job in Lua."""
import contextlib
import hashlib
import json
import pathlib
import socket
import zlib

import rig

BOUND = 86_400
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LUA_MODULES = "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n" \
              "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;\n"
LUA_SERVER = """lua_package_path "{here}/?.lua;/usr/share/lua/5.1/?.lua;;";
  lua_package_cpath "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
  init_worker_by_lua_block {{ job = require("full_job").new({redis}, {max_keys}) }}
  log_format keygate escape=json '{{"time":"$time_iso8601","request_id":"$request_id","client":"$remote_addr","method":"$request_method",'
    '"path":"$uri","route":"$need","status":$status,"key_id":"$key_id","organization":"$organization","user":"$user",'
    '"bytes_in":$request_length,"bytes_out":$bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr"}}';
  upstream service {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log {folder}/lua.out keygate buffer=64k flush=1s;
    set $need ""; set $at 0; set $key_id ""; set $organization ""; set $user ""; set $granted ""; set $environment "";
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header Authorization "";
    proxy_set_header X-Api-Key "";
    proxy_set_header X-Org-Id $organization;
    proxy_set_header X-User-Id $user;
    proxy_set_header X-Key-Id $key_id;
    proxy_set_header X-Scopes $granted;
    proxy_set_header X-Environment $environment;
    proxy_set_header X-Auth-Method api_key;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    location / {{ return 403; }}
{locations}  }}"""
LUA_LOCATION = """    location /v1/service-{n}/items/ {{
      set $need {scope}; set $at {at};
      access_by_lua_block {{ job() }} proxy_pass http://service;
    }}
"""
HAPROXY = """global
  nbthread 1
  maxconn {connections}
  {tls}
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  timeout http-keep-alive 10m
frontend in
  bind 127.0.0.1:{port} {bind}
  default_backend out
backend out
  server service 127.0.0.1:{upstream}
"""


def write_lua(where, name, upstream, redis, max_keys=100_000, routes=100, scope_of=rig.own_scope, connections=4096):
    """An nginx with the same routes, keys and log; its port. `max_keys` of 0: each request asks Redis."""
    locations = "".join(LUA_LOCATION.format(n=n, scope=scope_of(n), at=len(f"/v1/service-{n}/items/") + 1)
                        for n in range(1, routes))
    return rig.write_nginx(where, name, LUA_SERVER, LUA_MODULES, connections, upstream=upstream, redis=redis, max_keys=max_keys,
                           folder=where, here=pathlib.Path(__file__).parent, locations=locations)


def write_haproxy(where, name, upstream, bind="", tls="", connections=4096):
    """A plain proxy; its port."""
    port = rig.free_port()
    (where / name).write_text(HAPROXY.format(port=port, upstream=upstream, bind=bind, tls=tls, connections=connections))
    return port


def haproxy_argv(where, name):
    return ["haproxy", "-db", "-f", where / name]


def make_key(number):
    """The same at each run, in the form of the configuration of `rig`."""
    body = "kg_live_" + hashlib.sha256(b"bench %d" % number).hexdigest()[:34]
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = DIGITS[digit] + digits
    return body + digits


def encoded(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def remember(port, keys):
    """Records in Redis, as a proxy would have written them, for as long as they may stand."""
    lines = []
    for number, key in enumerate(keys):
        digest = hashlib.sha256(key.encode()).hexdigest()
        record = {"v": 1, "digest": digest, "state": "valid", "key_id": f"key_{number}", "organization_id": "acme",
                  "user_id": "user_42", "environment": "live", "scopes": rig.SCOPES}
        lines.append(encoded(b"SET", f"keygate:v1:key:{digest}".encode(), json.dumps(record).encode(), b"EX", b"%d" % BOUND))
    if not lines:
        return
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(b"".join(lines))
        answers = b""
        while answers.count(b"\r\n") < len(lines):
            answers += connection.recv(65536)
    if answers != b"+OK\r\n" * len(lines):
        raise rig.Failure(f"redis: {answers[:200]}")


@contextlib.contextmanager
def redis(where, core, keys):
    """A Redis that knows the keys; its port."""
    port = rig.free_port()
    argv = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", where]
    with rig.running(rig.pinned(core) + argv, where, port):
        remember(port, keys)
        yield port
