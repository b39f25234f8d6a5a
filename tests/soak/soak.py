#!/usr/bin/python3 -B
"""Good traffic and every fault at once, for minutes; every answer is looked at. At the end nothing may be left behind.

--seed repeats what happens, though not when. Exits with 1 where an answer was wrong, a descriptor is left, memory has grown by more than
1 MiB an hour, or a process has crashed.
"""
import argparse
import asyncio
import json
import os
import pathlib
import random
import signal
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import stand  # noqa: E402
import surroundings  # noqa: E402
import traffic  # noqa: E402

MOST_GROWTH = 1.0  # MiB an hour
WINDOW = 10  # seconds, of which the smallest RSS counts: what bursts take for a moment is no leak


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise stand.Failure(f"{pid} is gone")


def slope(points):
    """Of the line through these, and its standard error."""
    count = len(points)
    if count < 5:
        return 0.0, float("inf")
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    return rise, (rest / (count - 2) / spread) ** 0.5


class Watch:
    """Memory each second, the log as it grows, a reload each second with a new certificate each tenth."""

    def __init__(self, running, crowd):
        self.running, self.crowd, self.pid = running, crowd, running.keygate.pid
        self.samples, self.reloads, self.lines, self.began = [], 0, 0, time.monotonic()
        self.most_descriptors = 0

    async def each_second(self, until):
        while time.monotonic() < until and not self.running.keygate.is_over():
            self.reload()
            self.read_log()
            self.samples.append((time.monotonic() - self.began, rss_kib(self.pid)))
            self.most_descriptors = max(self.most_descriptors, descriptors(self.pid))
            await asyncio.sleep(1)

    def reload(self):
        self.reloads += 1
        folder = self.running.folder
        if self.reloads % 10 == 0:
            stand.issue_leaf(folder)
        (folder / "policy.new").write_text(stand.POLICY + f"# {self.reloads}\n")
        os.replace(folder / "policy.new", folder / "policy.yaml")
        self.running.keygate.send(signal.SIGHUP)

    def read_log(self):
        """And empties it. No line may have a key in it, and each is one."""
        with open(self.running.keygate.out, "rb") as file:
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]
        os.truncate(self.running.keygate.out, 0)  # what came in between, and a line's end, go with it
        for line in whole.splitlines()[1:]:
            self.lines += 1
            try:
                json.loads(line)
            except ValueError:
                self.crowd.wrong("log", f"no line of JSON: {line[:300]!r}")
        for member in self.crowd.members + self.crowd.doomed:
            if member.key[14:].encode() in whole:
                self.crowd.wrong("log", f"the key {member.id} is in it")

    def memory(self):
        """MiB an hour with its standard error, of what is left of the samples without the first third."""
        start = self.samples[-1][0] / 3
        windows = {}
        for at, kib in self.samples:
            if at >= start:
                windows.setdefault(int(at // WINDOW), []).append((kib, at))
        points = [(at / 3600, kib / 1024) for kib, at in map(min, windows.values())]
        return *slope(points), points


async def warm_up(running, crowd):
    """So that what is open from then on, such as connections to Redis, is open before it is counted."""
    watched = asyncio.ensure_future(asyncio.sleep(8))
    crowd.start()
    await watched
    await crowd.stop()
    crowd.tasks, crowd.is_over = [], False
    return await settled(running.keygate.pid, None)


async def settled(pid, most, patience=40):
    """The count of descriptors, once it has stood still for longer than anything idles, or is no more than `most`."""
    end, seen, since = time.monotonic() + patience, None, 0
    while time.monotonic() < end:
        now = descriptors(pid)
        if most is not None and now <= most:
            return now
        if now != seen:
            seen, since = now, time.monotonic()
        if most is None and time.monotonic() - since > surroundings.IDLE + 2:
            return now
        await asyncio.sleep(0.2)
    return descriptors(pid)


def reload_faults(errors):
    return [line for line in errors.splitlines() if "reload refused" in line or "cannot be reloaded" in line]


async def soak(running, minutes, seed):
    tls = ssl.create_default_context(cafile=str(running.ca_file))
    crowd = traffic.Traffic(running, tls, seed)
    at_start = await warm_up(running, crowd)
    watch = Watch(running, crowd)
    crowd.began = watch.began
    until = time.monotonic() + minutes * 60
    harm = surroundings.Harm(running, seed, lambda: time.monotonic() > until - 5)
    failures = []

    def act():
        try:
            harm.act()
        except Exception as failure:  # what stands around Keygate does not come up again
            failures.append(f"harm: {failure!r}")

    harming = threading.Thread(target=act)
    harming.start()
    crowd.start()
    await watch.each_second(until)
    await asyncio.get_running_loop().run_in_executor(None, harming.join)
    await crowd.stop()
    failures += crowd.wrongs
    if running.keygate.is_over():
        failures.append(f"keygate crashed: {running.keygate.process.returncode}: {running.keygate.errors.read_text()[-3000:]}")
        return report(crowd, harm, watch, {}, failures)
    at_end = await settled(running.keygate.pid, at_start)
    if at_end > at_start:
        opened = sorted(os.readlink(f"/proc/{running.keygate.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{running.keygate.pid}/fd"))
        failures.append(f"{at_end} descriptors are open, and {at_start} were at the start: {opened}")
    rise, error, points = watch.memory()
    if rise - 2 * error > MOST_GROWTH:
        failures.append(f"memory grows by {rise:.2f} ± {error:.2f} MiB an hour: {[round(mib, 2) for _, mib in points]}")
    failures += reload_faults(running.keygate.errors.read_text())
    status = running.keygate.end()
    if status:
        failures.append(f"keygate ended with {status}")
    figures = {"descriptors at the start, most, at the end": f"{at_start}, {watch.most_descriptors}, {at_end}",
               "memory, MiB": f"{points[0][1]:.1f} to {points[-1][1]:.1f}" if points else "too short",
               "growth, MiB an hour": f"{rise:.2f} ± {error:.2f}"}
    return report(crowd, harm, watch, figures, failures)


def report(crowd, harm, watch, figures, failures):
    print(f"\n{sum(crowd.counts.values())} exchanges, {watch.lines} lines of the access log, {watch.reloads} reloads, "
          f"{len(crowd.doomed)} keys revoked")
    print("harm: " + ", ".join(f"{deed} {times}" for deed, times in sorted(harm.done.items())))
    for what, times in sorted(crowd.counts.items()):
        print(f"  {times:8}  {what}")
    for name, value in figures.items():
        print(f"{name}: {value}")
    for failure in failures:
        print(f"WRONG: {failure}")
    print(f"{max(len(failures), crowd.counts.get('WRONG', 0))} wrong")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"soaking for {chosen.minutes:g} minutes, --seed {chosen.seed}", file=sys.stderr)
    with surroundings.Faulty() as running:
        return asyncio.run(soak(running, chosen.minutes, chosen.seed))


if __name__ == "__main__":
    sys.exit(main())
