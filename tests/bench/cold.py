"""What does a key cost that this worker does not remember, but Redis does? A thousand keys in turn, once with room for all of
them in memory, once with room for one, so that each request asks Redis. Rounds are interleaved.
"""
import contextlib
import hashlib
import json
import secrets
import shutil
import socket
import string
import statistics

import cpu
import rig
from report import Table

KEYS = 1_000
BOUND = 86_400
RESOLUTION = """resolution:
  staleness_bound: 24h
  memory: {{max_keys: {max_keys}}}
  redis: {{url: "redis://127.0.0.1:{redis}", timeout: 1s}}
  service: {{url: "http://127.0.0.1:{nobody}/v1/keys/verify"}}
"""
# Each connection takes the next key, so that no two that wait ask for the same.
SCRIPT = """local keys = {{ {keys} }}
local at = 0
request = function()
  at = at % #keys + 1
  return wrk.format("GET", "{path}", {{["Authorization"] = "Bearer " .. keys[at], ["User-Agent"] = "bench/1.0"}})
end
"""


def commands(port, lines):
    """To Redis, all at once; each has to be answered with OK."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(b"".join(lines))
        answers = b""
        while answers.count(b"\r\n") < len(lines):
            answers += connection.recv(65536)
    if answers != b"+OK\r\n" * len(lines):
        raise rig.Failure(f"redis: {answers[:200]}")


def encoded(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def records(keys):
    """As a proxy would have written them, for as long as they may stand."""
    for number, key in enumerate(keys):
        digest = hashlib.sha256(key.encode()).hexdigest()
        record = {"v": 1, "digest": digest, "state": "valid", "key_id": f"key_{number}", "organization_id": "acme",
                  "user_id": "user_42", "environment": "live", "scopes": ["service-3:read", "service-57:read", "service-58:read"]}
        yield encoded(b"SET", f"keygate:v1:key:{digest}".encode(), json.dumps(record).encode(), b"EX", str(BOUND).encode())


def write_proxy(where, name, upstream, redis, max_keys):
    """Like the one of `./dev bench`, but for where its keys are; its port."""
    port = rig.write_keygate(where, upstream)
    lines = (where / "keygate.yaml").read_text().splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(("resolution:", "credentials:", "  formats:")))
    resolution = RESOLUTION.format(max_keys=max_keys, redis=redis, nobody=rig.free_port())
    (where / name).write_text(kept + resolution)
    return port


@contextlib.contextmanager
def proxies(keygate, where, cores):
    on = {side: ["taskset", "-c", core] for side, core in zip(("proxy", "upstream"), cores)}
    alphabet = string.ascii_letters + string.digits
    keys = ["kg_" + "".join(secrets.choice(alphabet) for _ in range(45)) for _ in range(KEYS)]
    script = where / "keys.lua"
    script.write_text(SCRIPT.format(path=rig.GUARDED_PATH, keys=", ".join(f'"{key}"' for key in keys)))
    redis = rig.free_port()
    service = rig.write_nginx(where, "service.conf", rig.NGINX_SERVICE, text=rig.BODY.decode())
    warm = write_proxy(where, "warm.yaml", service, redis, 100_000)
    cold = write_proxy(where, "cold.yaml", service, redis, 1)
    redis_argv = ["redis-server", "--port", str(redis), "--save", "", "--bind", "127.0.0.1", "--dir", where]
    with (rig.running(on["upstream"] + rig.nginx_argv(where, "service.conf"), where, service),
          rig.running(on["upstream"] + redis_argv, where, redis)):
        commands(redis, list(records(keys)))
        with (rig.running(on["proxy"] + [keygate, "run", "-c", where / "warm.yaml"], where, warm) as in_memory,
              rig.running(on["proxy"] + [keygate, "run", "-c", where / "cold.yaml"], where, cold) as in_redis):
            yield [cpu.Proxy("a thousand keys, each in memory", in_memory, f"http://127.0.0.1:{warm}/", script=script),
                   cpu.Proxy("a thousand keys, each from Redis", in_redis, f"http://127.0.0.1:{cold}/", script=script)]


def tabulate(everyone, options):
    warm = everyone[0]
    rows = []
    for proxy in everyone:
        ratios = [mine / theirs for mine, theirs in zip(proxy.micros, warm.micros)]
        rows.append([proxy.name, f"{statistics.median(proxy.micros):.1f}", cpu.spread(ratios, 2),
                     f"{statistics.median(proxy.rates):,.0f}"])
    caption = (f"CPU microseconds a request of the proxy alone, without Redis' own. {cpu.CONNECTIONS} keep-alive connections, "
               f"{options.rounds} interleaved rounds of {options.seconds} s; proxy on one core, Redis, upstream and load on another.")
    return Table("cold", caption, ["", "median", "against memory (range)", "requests/s"], rows)


def main(options):
    for tool in ("wrk", "nginx", "taskset", "redis-server"):
        if not shutil.which(tool):
            raise rig.Failure(f"{tool} is missing: ./dev deps bench installs it")
    cores = cpu.two_cores()
    with rig.folder() as where, proxies(options.keygate, where, cores) as everyone:
        for proxy in everyone:
            cpu.load(cores, proxy, 1)
        for number in range(options.rounds):
            for turn in range(len(everyone)):
                cpu.measure(cores, everyone[(number + turn) % len(everyone)], options.seconds)
            rig.empty_outputs(where)
        return [tabulate(everyone, options)], True
