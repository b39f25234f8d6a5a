"""How much CPU does a request cost, beside nginx in the same place? Rounds are interleaved, and each is judged against the
nginx of the same round: what else the machine does changes both alike.
"""
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess

import rig
from report import Table

CONNECTIONS = 64


class Proxy:
    def __init__(self, name, process, url, headers=(), script=None):
        self.name, self.process, self.url, self.headers, self.script = name, process, url, headers, script
        self.micros, self.rates = [], []


def tree(pid):
    """The process and all below it."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [below for child in children for below in tree(int(child))]


def cpu_nanoseconds(pid):
    """Of all threads of the whole tree, in the kernel and out of it."""
    spent = 0
    for process in tree(pid):
        for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent


def load(cores, proxy, seconds):
    """Requests answered with 200, and per second."""
    argv = ["taskset", "-c", cores[1], "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    for header in proxy.headers:
        argv += ["-H", header]
    if proxy.script:
        argv += ["-s", str(proxy.script)]
    done = subprocess.run(argv + [proxy.url], capture_output=True, text=True, timeout=seconds + 60, check=False)
    answered = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    # wrk says these only where there were some.
    wrong = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", done.stdout)
    if done.returncode or wrong or not answered or not int(answered[1]):
        raise rig.Failure(f"{proxy.name}: {wrong[0] if wrong else done.stdout + done.stderr}")
    return int(answered[1]), float(rate[1])


def measure(cores, proxy, seconds):
    before = cpu_nanoseconds(proxy.process.pid)
    answered, rate = load(cores, proxy, seconds)
    proxy.micros.append((cpu_nanoseconds(proxy.process.pid) - before) / answered / 1000)
    proxy.rates.append(rate)


def two_cores():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise rig.Failure("two cores are needed: one for the proxy, one for upstream and load")
    return str(cores[0]), str(cores[1])


@contextlib.contextmanager
def proxies(keygate, where, cores):
    """The upstream and the proxies in front of it, all running."""
    on = {side: ["taskset", "-c", core] for side, core in zip(("proxy", "upstream"), cores)}
    service = rig.write_nginx(where, "service.conf", rig.NGINX_SERVICE, text=rig.BODY.decode())
    plain = rig.write_nginx(where, "plain.conf", rig.NGINX_PROXY, upstream=service)
    guarded = rig.write_keygate(where, service)
    key = rig.create_key(keygate, where)
    with (rig.running(on["upstream"] + rig.nginx_argv(where, "service.conf"), where, service),
          rig.running(on["proxy"] + rig.nginx_argv(where, "plain.conf"), where, plain) as nginx,
          rig.running(on["proxy"] + [keygate, "run", "-c", where / "keygate.yaml"], where, guarded) as gate):
        common = ("User-Agent: bench/1.0", "Accept: application/json")
        yield [Proxy("nginx, plain proxy", nginx, f"http://127.0.0.1:{plain}{rig.GUARDED_PATH}", common),
               Proxy("Keygate, anonymous route", gate, f"http://127.0.0.1:{guarded}{rig.OPEN_PATH}", common),
               Proxy("Keygate, full job", gate, f"http://127.0.0.1:{guarded}{rig.GUARDED_PATH}",
                     common + (f"Authorization: Bearer {key}",))]


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def tabulate(everyone, options):
    plain, anonymous, full = everyone
    rounds = len(plain.micros)
    rows = []
    for proxy in everyone:
        ratios = [mine / theirs for mine, theirs in zip(proxy.micros, plain.micros)]
        rows.append([proxy.name, *(f"{micros:.1f}" for micros in proxy.micros), f"{statistics.median(proxy.micros):.1f}",
                     spread(ratios, 2), f"{statistics.median(proxy.rates):,.0f}",
                     f"{statistics.median(micros * rate / 1e6 for micros, rate in zip(proxy.micros, proxy.rates)):.0%}"])
    check = [mine - theirs for mine, theirs in zip(full.micros, anonymous.micros)]
    rows.append(["the check: full job less anonymous", *(f"{micros:.1f}" for micros in check),
                 f"{statistics.median(check):.1f}", "", "", ""])
    caption = (f"CPU microseconds a request, user and kernel, whole process tree. {CONNECTIONS} keep-alive connections, answers "
               f"of 256 bytes, {rounds} interleaved rounds of {options.seconds} s; proxy on one core, upstream and load on another. "
               "Access log: Keygate to a file, nginx none.")
    columns = ["", *(f"round {n}" for n in range(1, rounds + 1)), "median", "against nginx (range)", "requests/s", "of its core"]
    return Table("cpu", caption, columns, rows)


def main(options):
    for tool in ("wrk", "nginx", "taskset"):
        if not shutil.which(tool):
            raise rig.Failure(f"{tool} is missing: ./dev deps bench installs it")
    cores = two_cores()
    with rig.folder() as where, proxies(options.keygate, where, cores) as everyone:
        for proxy in everyone:
            load(cores, proxy, 1)  # connections to the upstream, the key in memory
        for number in range(options.rounds):
            # Nobody is always first.
            for turn in range(len(everyone)):
                measure(cores, everyone[(number + turn) % len(everyone)], options.seconds)
            rig.empty_outputs(where)
        return [tabulate(everyone, options)], True
