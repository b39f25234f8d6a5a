"""Rounds in which everybody takes a turn: what else the machine does changes all alike, so that ratios within a round hold better
than the figures themselves.
"""
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import urllib.parse

import rig

CONNECTIONS = 64


class Asking:
    """Requests with keys and paths that take turns."""
    SCRIPT = pathlib.Path(__file__).with_name("wrk_keys.lua")

    def __init__(self, where, name, keys, paths):
        self.environment = {"KEYS": str(where / f"{name}.keys"), "PATHS": str(where / f"{name}.paths")}
        (where / f"{name}.keys").write_text("\n".join(keys) + "\n")
        (where / f"{name}.paths").write_text("\n".join(paths) + "\n")


class Proxy:
    """What is asked, how, and what it cost in each round."""

    def __init__(self, name, process, url, headers=(), asking=None, connections=CONNECTIONS):
        self.name, self.process, self.url, self.headers, self.asking = name, process, url, headers, asking
        self.connections = connections
        self.port, self.path = urllib.parse.urlsplit(url).port, urllib.parse.urlsplit(url).path
        self.micros, self.rates = [], []
        self.kernel = []  # of the microseconds, those in the kernel
        self.beside = []  # of the microseconds, those of all threads but the busiest

    def ratios(self, other):
        return [mine / theirs for mine, theirs in zip(self.micros, other.micros)]

    def share_of_core(self):
        return statistics.median(micros * rate / 1e6 for micros, rate in zip(self.micros, self.rates))

    def figures(self, curve="", at=None):
        return {"curve": curve, "series": self.name, "x": at, "values": [round(micros, 3) for micros in self.micros],
                "rates": [round(rate) for rate in self.rates]}


def tree(pid):
    """The process and all below it."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [below for child in children for below in tree(int(child))]


def cpu_by_thread(pid):
    """Nanoseconds of each thread of the whole tree, in the kernel and out of it."""
    return {int(thread.name): int((thread / "schedstat").read_text().split()[0])
            for process in tree(pid) for thread in pathlib.Path(f"/proc/{process}/task").iterdir()}


def kernel_seconds(pid):
    """Of the whole tree. Ticks of the clock, which do for seconds."""
    ticks = (int((pathlib.Path(f"/proc/{process}") / "stat").read_text().rpartition(")")[2].split()[12]) for process in tree(pid))
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def cpu_nanoseconds(pid):
    return sum(cpu_by_thread(pid).values())


def load(core, proxy, seconds, **environment):
    """Requests answered with 200, and per second."""
    argv = rig.pinned(core) + ["wrk", "-t1", f"-c{proxy.connections}", f"-d{seconds}s", "--timeout", "30s"]
    for header in proxy.headers:
        argv += ["-H", header]
    if proxy.asking:
        argv += ["-s", str(proxy.asking.SCRIPT)]
        environment = proxy.asking.environment | environment
    done = subprocess.run(argv + [proxy.url], capture_output=True, text=True, timeout=seconds + 90, check=False,
                          env=os.environ | environment)
    answered = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    # wrk says these only where there were some.
    wrong = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", done.stdout)
    if done.returncode or wrong or not answered or not int(answered[1]):
        raise rig.Failure(f"{proxy.name}: {wrong[0] if wrong else done.stdout + done.stderr}")
    return int(answered[1]), float(rate[1])


def measure(core, proxy, seconds):
    """One turn of one proxy under load from the core. Thousands of connections take their time to be made, which is to be little of it."""
    seconds *= 1 if proxy.connections <= 1_000 else 4
    before, in_kernel = cpu_by_thread(proxy.process.pid), kernel_seconds(proxy.process.pid)
    answered, rate = load(core, proxy, seconds)
    in_kernel = kernel_seconds(proxy.process.pid) - in_kernel
    spent = [now - before.get(thread, 0) for thread, now in cpu_by_thread(proxy.process.pid).items()]
    proxy.micros.append(sum(spent) / answered / 1000)
    proxy.kernel.append(in_kernel / answered * 1e6)
    proxy.beside.append((sum(spent) - max(spent)) / answered / 1000)
    proxy.rates.append(rate)


def interleave(everyone, rounds, turn, after_round=lambda: None):
    """`turn` for each, in each round; nobody is always first."""
    for number in range(rounds):
        for at in range(len(everyone)):
            turn(everyone[(number + at) % len(everyone)])
        after_round()


def under_load(where, cores, everyone, options):
    """A second to warm up (connections to the upstream, keys in memory), then the rounds."""
    for proxy in everyone:
        load(cores[1], proxy, 1 + proxy.connections // 1_000)
    interleave(everyone, options.rounds, lambda proxy: measure(cores[1], proxy, options.seconds),
               lambda: rig.empty_outputs(where))


def two_cores():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise rig.Failure("two cores are needed: one for the proxy, one for upstream and load")
    return str(cores[0]), str(cores[1])


@contextlib.contextmanager
def on_core(core):
    """This process, and what it starts without a word about cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(core)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise rig.Failure(f"{tool} is missing: ./dev deps bench installs it")


def spread(values, digits):
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
