#!/usr/bin/python3 -B
"""slowhttptest in its three modes: what good traffic notices of a thousand slow connections.

Calm and attacked spells take turns. Good traffic is a request on each of 16 connections every ten milliseconds, by wrk. What else the
machine does can only add to a spell's p99, so the least of them is compared: fails where that is over --most under attack.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import stand  # noqa: E402

MODES = {
    "slow heads": ("-H", "-i", "2", "-t", "GET", "/public/who"),
    "slow bodies": ("-B", "-i", "2", "-s", "100000", "/public/upload"),
    "slow readers": ("-X", "-n", "2", "-w", "512", "-y", "1024", "-z", "32", "-k", "1", "/public/download?size=3000000"),
}
UNITS = {"us": 0.001, "ms": 1, "s": 1000}
POLICY = stand.POLICY.replace("upstream: service}\n  - {name: admin", "upstream: good}\n  - {name: admin") + \
    "  - {name: public, match: {path: \"/public/{rest...}\"}, anonymous: true, upstream: service}\n"
NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 'good'; }} }}
}}
"""


class Attacked(stand.Stand):
    """Good traffic is served by nginx, so that no interpreter is measured; slow bodies and readers meet the service of the tests."""

    def __init__(self):
        super().__init__(with_sockets=False)

    def write_config(self):
        port = self.ports["good"] = stand.free_port()
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, port=port))
        nginx = self.run("nginx", ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"])
        nginx.wait_until(lambda: stand.is_open(port), "does not listen")
        super().write_config()
        (self.folder / "policy.yaml").write_text(POLICY)
        file = self.folder / "keygate.yaml"
        file.write_text(file.read_text().replace("upstreams:\n", f"upstreams:\n  good: {{endpoints: [\"http://127.0.0.1:{port}\"]}}\n"))


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * UNITS[unit]


def good_traffic(running, key, seconds):
    """The p99 in milliseconds, and the count of answers that were none or not 200."""
    (running.folder / "pace.lua").write_text("function delay() return 10 end\n")
    done = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "-s", running.folder / "pace.lua", "-H",
                           f"Authorization: Bearer {key}", running.url("http") + "/v1/good"], capture_output=True, text=True, check=True)
    p99 = re.search(r"99%\s+(\S+)", done.stdout).group(1)
    bad = sum(int(number) for number in re.findall(r"(?:Non-2xx or 3xx responses|connect|read|write|timeout):? (\d+)", done.stdout))
    return milliseconds(p99), bad


def attack(running, words, connections, seconds):
    *options, target = words
    return subprocess.Popen(["slowhttptest", "-c", str(connections), "-r", str(connections), "-l", str(seconds), "-p", "3", "-v", "0",
                             *options, "-u", running.url("http") + target], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            cwd=running.folder)


def open_connections(running):
    """How many clients Keygate holds at the moment, by the kernel's table."""
    port = f":{running.ports['plain']:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return sum(fields[1].endswith(port) and fields[3] == "01" for fields in map(str.split, table))


def cpu_seconds(process):
    """Of its own and of the kernel's for it, so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_slow(running, connections):
    """All are there, and what came first, buffers that are being filled, is over: from here on they are slow."""
    if not stand.eventually(lambda: open_connections(running) > connections * 0.9, 20):
        raise stand.Failure(f"the attack does not come up: {open_connections(running)} connections")

    def is_quiet():
        before = cpu_seconds(running.keygate) + cpu_seconds(running.service)
        time.sleep(0.5)
        return cpu_seconds(running.keygate) + cpu_seconds(running.service) - before < 0.1

    if not stand.eventually(is_quiet, 30):
        raise stand.Failure("the attack keeps Keygate or the service busy")


def rounds(running, key, words, chosen):
    calm, attacked, held = [], [], []
    for _ in range(chosen.rounds):
        calm.append(good_traffic(running, key, chosen.seconds))
        attacking = attack(running, words, chosen.connections, chosen.seconds + 60)
        try:
            wait_until_slow(running, chosen.connections)
            attacked.append(good_traffic(running, key, chosen.seconds))
            held.append(open_connections(running))
        finally:
            attacking.kill()
            attacking.wait()
        stand.eventually(lambda: open_connections(running) < 50)
    bad = sum(failed for _, failed in calm + attacked)
    return calm, attacked, held, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3, help="of a spell")
    parser.add_argument("--most", type=float, default=1.2, help="times the calm p99")
    parser.add_argument("--mode", choices=[*MODES], help="this one alone")
    chosen = parser.parse_args()
    is_good = True
    print(f"| {chosen.connections} of | p99 calm, ms: least (median) | attacked | ratio | held | failed |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    with Attacked() as running:
        key, _ = running.create_key()
        good_traffic(running, key, 2)
        for name, words in MODES.items():
            if chosen.mode not in (None, name):
                continue
            calm, attacked, held, bad = rounds(running, key, words, chosen)
            calm, attacked = sorted(p99 for p99, _ in calm), sorted(p99 for p99, _ in attacked)
            ratio = attacked[0] / calm[0]
            is_good = is_good and ratio <= chosen.most and bad == 0
            print(f"| {name} | {calm[0]:.2f} ({statistics.median(calm):.2f}) | {attacked[0]:.2f} ({statistics.median(attacked):.2f}) | "
                  f"{ratio:.2f} | {min(held)} | {bad} |", flush=True)
        if running.keygate.end():
            print("keygate did not end well")
            return 1
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
