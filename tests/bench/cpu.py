"""How much CPU does a request cost, beside nginx, HAProxy, and an nginx that does the same job in Lua?"""
import contextlib
import statistics

import peers
import report
import rig
import rounds

COMMON = ("User-Agent: bench/1.0", "Accept: application/json")


@contextlib.contextmanager
def upstream(where, core, connections=4096):
    """An nginx that answers with 256 bytes; its port."""
    port = rig.write_nginx(where, "service.conf", rig.NGINX_SERVICE, text=rig.BODY.decode(), connections=connections)
    with rig.running(rig.pinned(core) + rig.nginx_argv(where, "service.conf"), where, port):
        yield port


@contextlib.contextmanager
def proxies(keygate, where, cores, service):
    """Those in front of one upstream, all running."""
    proxy, other = cores
    plain = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, upstream=service)
    haproxy = peers.write_haproxy(where, "haproxy.cfg", service)
    guarded = rig.write_keygate(where, service)
    silent = rig.write_keygate(where, service, "silent.yaml", more="log: {access: none}\n")
    key = rig.create_key(keygate, where)

    def run(argv, port):
        return stack.enter_context(rig.running(rig.pinned(proxy) + argv, where, port))

    def asked(name, process, port, path=rig.GUARDED_PATH, headers=COMMON):
        return rounds.Proxy(name, process, f"http://127.0.0.1:{port}{path}", headers)

    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(peers.redis(where, other, [key]))
        lua = peers.write_lua(where, "lua.conf", service, redis)
        gate = run([keygate, "run", "-c", where / "keygate.yaml"], guarded)
        unlogged = run([keygate, "run", "-c", where / "silent.yaml"], silent)
        with_key = COMMON + (f"Authorization: Bearer {key}",)
        floor = rig.free_port()
        relay = [rig.ROOT / "build/release/tests/relay", str(floor), str(service)]
        yield [asked("bytes passed on unread", run(relay, floor), floor),
               asked("nginx, plain proxy", run(rig.nginx_argv(where, "plain.conf"), plain), plain),
               asked("HAProxy, plain proxy", run(peers.haproxy_argv(where, "haproxy.cfg"), haproxy), haproxy),
               asked("Keygate, anonymous route", gate, guarded, rig.OPEN_PATH),
               asked("Keygate, full job", gate, guarded, headers=with_key),
               asked("Keygate, full job without its log", unlogged, silent, headers=with_key),
               asked("nginx + Lua + Redis, full job", run(rig.nginx_argv(where, "lua.conf"), lua), lua, headers=with_key)]


def tabulate(everyone, options):
    _, plain, _, anonymous, full, unlogged, lua = everyone
    rows = [[proxy.name, rounds.spread(proxy.micros, 1), rounds.spread(proxy.ratios(plain), 2), rounds.spread(proxy.ratios(lua), 2),
             f"{statistics.median(proxy.kernel):,.1f}", f"{statistics.median(proxy.rates):,.0f}", f"{proxy.share_of_core():.0%}"] for proxy in everyone]
    check = [mine - theirs for mine, theirs in zip(full.micros, anonymous.micros)]
    log = [mine - theirs for mine, theirs in zip(full.micros, unlogged.micros)]
    rows.append(["the check: full job less anonymous", rounds.spread(check, 1), "", "", "", "", ""])
    rows.append(["the access log: full job less the one without", rounds.spread(log, 1), "", "", "", "", ""])
    caption = (f"CPU microseconds a request, user and kernel, whole process tree: medians, and the range of {options.rounds} "
               f"interleaved rounds of {options.seconds} s. {rounds.CONNECTIONS} keep-alive connections, answers of 256 bytes; "
               "proxy on one core, upstream and load on another. The key is in memory. Access log: of the full jobs and of Keygate "
               "to a file, else none.")
    columns = ["", "CPU a request", "against nginx", "against nginx + Lua", "in the kernel", "requests/s", "of its core"]
    verdicts = [report.verdict("the full job against plain nginx", full.ratios(plain), report.TARGETS["nginx"]),
                report.verdict("the full job against nginx + Lua + Redis", full.ratios(lua), report.TARGETS["lua"]),
                report.verdict("microseconds a request of the access log", log, report.TARGETS["log"])]
    return report.Table("cpu", caption, columns, rows, verdicts, [proxy.figures() for proxy in everyone])


def main(options):
    rounds.need("wrk", "nginx", "taskset", "haproxy", "redis-server")
    cores = rounds.two_cores()
    with rig.folder() as where, upstream(where, cores[1]) as service, proxies(options.keygate, where, cores, service) as everyone:
        rounds.under_load(where, cores, everyone, options)
        return [tabulate(everyone, options)], True
