"""What does a key cost that this worker does not remember, but Redis does? A thousand keys in turn, with room for all of them in
memory, or with room for one, so that each request asks Redis. An nginx does the same in Lua.
"""
import contextlib
import statistics

import cpu
import peers
import report
import rig
import rounds

KEYS = 1_000
RESOLUTION = ('{{staleness_bound: 24h, memory: {{max_keys: {max_keys}}}, redis: {{url: "redis://127.0.0.1:{redis}", timeout: 1s}}, '
              'service: {{url: "http://127.0.0.1:{nobody}/v1/keys/verify"}}}}')


@contextlib.contextmanager
def proxies(keygate, where, cores):
    proxy, other = cores
    keys = [peers.make_key(number) for number in range(KEYS)]
    asking = rounds.Asking(where, "thousand", keys, [rig.GUARDED_PATH])
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(cpu.upstream(where, other))
        redis = stack.enter_context(peers.redis(where, other, keys))
        everyone = []
        for how, max_keys in (("memory", 100_000), ("Redis", 1)):
            name = f"{how}.yaml"
            resolution = RESOLUTION.format(max_keys=max_keys, redis=redis, nobody=rig.free_port())
            port = rig.write_keygate(where, service, name, resolution=resolution)
            gate = stack.enter_context(rig.running(rig.pinned(proxy) + [keygate, "run", "-c", where / name], where, port))
            everyone.append(rounds.Proxy(f"Keygate, each key from {how}", gate, f"http://127.0.0.1:{port}/", asking=asking))
        for how, max_keys in (("memory", 100_000), ("Redis", 0)):
            name = f"{how}.conf"
            port = peers.write_lua(where, name, service, redis, max_keys)
            lua = stack.enter_context(rig.running(rig.pinned(proxy) + rig.nginx_argv(where, name), where, port))
            everyone.append(rounds.Proxy(f"nginx + Lua, each key from {how}", lua, f"http://127.0.0.1:{port}/", asking=asking))
        yield everyone


def tabulate(everyone, options):
    warm, cold, lua_warm, lua_cold = everyone
    rows = [[proxy.name, rounds.spread(proxy.micros, 1), rounds.spread(proxy.ratios(proxy_warm), 2),
             rounds.spread(proxy.ratios(lua_cold), 2), f"{statistics.median(proxy.rates):,.0f}"]
            for proxy, proxy_warm in ((warm, warm), (cold, warm), (lua_warm, lua_warm), (lua_cold, lua_warm))]
    caption = (f"CPU microseconds a request of the proxy alone, without Redis' own: medians, and the range of {options.rounds} "
               f"interleaved rounds of {options.seconds} s. {rounds.CONNECTIONS} keep-alive connections, a thousand keys in turn; proxy "
               "on one core, Redis, upstream and load on another.")
    columns = ["", "CPU a request", "against its own memory", "against nginx + Lua with Redis", "requests/s"]
    verdicts = [report.verdict("a key from Redis against nginx + Lua with Redis", cold.ratios(lua_cold), report.TARGETS["cold"])]
    return report.Table("cold", caption, columns, rows, verdicts, [proxy.figures() for proxy in everyone])


def main(options):
    rounds.need("wrk", "nginx", "taskset", "redis-server")
    cores = rounds.two_cores()
    with rig.folder() as where, proxies(options.keygate, where, cores) as everyone:
        rounds.under_load(where, cores, everyone, options)
        return [tabulate(everyone, options)], True
