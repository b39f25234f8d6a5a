"""What do clients wait at several rates? Requests are due at random times, whatever became of those before, and what each waited is
counted from when it was due (open_loop.cpp).
"""
import json
import subprocess

import cpu
import report
import rig
import rounds

RATES = (1_000, 5_000, 20_000, 40_000)
PERCENTILES = ("p50", "p99", "p99.9")


class Asked:
    """One server at one rate."""

    def __init__(self, name, port, path, headers, rate):
        self.name, self.port, self.path, self.headers, self.rate = name, port, path, headers, rate
        self.waits = {percentile: [] for percentile in PERCENTILES}  # microseconds, of each round
        self.late = 0

    def turn(self, binary, core, seconds):
        argv = [binary, self.port, self.path, self.rate, seconds, rounds.CONNECTIONS, *self.headers]
        done = subprocess.run(rig.pinned(core) + [str(word) for word in argv], capture_output=True, text=True, check=False,
                              timeout=seconds + 60)
        if done.returncode:
            raise rig.Failure(f"{self.name} at {self.rate} a second: {done.stderr}")
        found = json.loads(done.stdout)
        self.late += found["late"]
        for percentile in PERCENTILES:
            self.waits[percentile].append(found[percentile])


def tabulate(everyone, options):
    rows, figures, verdicts = [], [], []
    for asked in everyone:
        rows.append([f"{asked.rate:,}/s: {asked.name}", *(rounds.spread(asked.waits[percentile], 0) for percentile in PERCENTILES)])
        figures += [{"curve": f"latency {percentile}", "series": asked.name, "x": asked.rate, "values": asked.waits[percentile]}
                    for percentile in PERCENTILES]
    for rate in RATES:
        plain, gate = (next(asked for asked in everyone if asked.rate == rate and asked.name.startswith(name))
                       for name in ("nginx, plain", "Keygate"))
        ratios = [mine / theirs for mine, theirs in zip(gate.waits["p99"], plain.waits["p99"])]
        verdicts.append(f"No target is set. Keygate's p99 against plain nginx at {rate:,}/s: {rounds.spread(ratios, 2)}.")
    caption = (f"Microseconds from when a request was due to the end of its answer: medians, and the range of {options.rounds} "
               f"interleaved rounds of {options.seconds} s. Poisson arrivals over {rounds.CONNECTIONS} connections; a request waits where "
               "none is free. The proxy has one core; client and upstream share another, and what they wait for it is in each figure: "
               "without a proxy there is that alone.")
    return report.Table("latency", caption, ["", *PERCENTILES], rows, verdicts, figures)


def main(options):
    rounds.need("nginx", "taskset", "haproxy", "redis-server")
    binary = rig.ROOT / "build/release/tests/open_loop"
    if not binary.exists():
        raise rig.Failure(f"{binary} is missing: `./dev bench` builds it")
    cores = rounds.two_cores()
    with rig.folder() as where, cpu.upstream(where, cores[1]) as service, \
            cpu.proxies(options.keygate, where, cores, service) as proxies:
        servers = [("without a proxy", service, rig.GUARDED_PATH, ())]
        servers += [(proxy.name, proxy.port, proxy.path, proxy.headers) for proxy in proxies if not any(
            left_out in proxy.name for left_out in ("anonymous", "unread", "without its log"))]
        everyone = [Asked(*server, rate) for rate in RATES for server in servers]
        for proxy in proxies:
            rounds.load(cores[1], proxy, 1)
        for rate in RATES:
            rounds.interleave([asked for asked in everyone if asked.rate == rate], options.rounds,
                              lambda asked: asked.turn(binary, cores[1], options.seconds), lambda: rig.empty_outputs(where))
        return [tabulate(everyone, options)], True
