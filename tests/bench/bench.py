#!/usr/bin/env python3
"""What does a request cost? Called by `./dev bench`; docs/performance.md says what the figures mean."""
import argparse
import importlib
import pathlib
import sys

import report
import rig

# Each has a module of its name, but for the last two.
MODES = {
    "cpu": "CPU time a request, beside nginx, HAProxy and nginx with Lua (the default)",
    "cold": "CPU time of a request whose key comes from Redis, beside nginx with Lua",
    "body": "CPU time of bodies of 100 MiB, up and down",
    "scale": "CPU time with many routes, keys and connections, and with two workers",
    "idle": "memory of an idle process, and of an idle client",
    "tls": "CPU time of requests and handshakes over TLS",
    "latency": "what clients wait at several rates, from when they meant to ask",
    "start": "from the start to the first answer",
    "ir": "instructions a request, and where they go, by callgrind",
    "micro": "single steps, by Google Benchmark",
    "memory": "growth over bodies of a gibibyte and idle clients, by the tests of resources",
}
QUICK = {"rounds": 2, "seconds": 1}


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    for mode, help_text in MODES.items():
        which.add_argument(f"--{mode}", action="store_const", const=mode, dest="mode", help=help_text)
    which.add_argument("--all", action="store_const", const="all", dest="mode", help="all of these, in this order")
    which.add_argument("--render", action="store_true", help="measure nothing: docs/performance.md anew, from docs/performance.jsonl")
    which.add_argument("--check", action="store_true", help="measure nothing: fail where --render would change anything")
    parser.add_argument("--top", type=int, default=25, metavar="N", help="with --ir: functions to list (default: 25)")
    parser.add_argument("--gate", action="store_true",
                        help="with --ir: the full job alone, and fail where it costs more than recorded")
    parser.add_argument("--rounds", type=int, metavar="N", help="in which all take turns (default: 5)")
    parser.add_argument("--seconds", type=int, metavar="N", help="of each turn, where it is not counted otherwise (default: 3)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 s, and smaller numbers: whether it runs, not what it costs")
    parser.add_argument("--json", action="store_true", help="for programs: a table a line, with the figures of each round")
    parser.add_argument("--write", action="store_true", help="also keep the tables in docs/performance.jsonl and docs/performance.md")
    parser.add_argument("--keygate", type=pathlib.Path, default=rig.default_keygate(), metavar="FILE",
                        help="the binary to measure (default: build/release/keygate)")
    options = parser.parse_args()
    options.keygate = pathlib.Path(options.keygate).resolve()
    options.mode = options.mode or "cpu"
    options.rounds = options.rounds or (QUICK["rounds"] if options.quick else 5)
    options.seconds = options.seconds or (QUICK["seconds"] if options.quick else 3)
    return options


def measure(options):
    """Tables of each mode as they are found, and whether all is as it should be."""
    is_within_budget = True
    for mode in MODES if options.mode == "all" else [options.mode]:
        in_binaries = mode in ("micro", "memory")
        module = importlib.import_module("binaries" if in_binaries else mode)
        tables, is_fine = getattr(module, mode if in_binaries else "main")(options)
        report.show(tables, options)
        is_within_budget = is_within_budget and is_fine
    return is_within_budget


def main():
    options = parse()
    try:
        if options.render:
            report.render()
            return 0
        if options.check:
            if not report.is_current():
                raise rig.Failure("docs/performance.md or its plot is not what its figures make: ./dev bench --render")
            return 0
        is_within_budget = measure(options)
    except (rig.Failure, OSError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 1 if options.gate and not is_within_budget else 0


if __name__ == "__main__":
    sys.exit(main())
