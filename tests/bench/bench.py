#!/usr/bin/env python3
"""What does a request cost? Called by `./dev bench`; docs/performance.md says what the figures mean."""
import argparse
import pathlib
import sys

import binaries
import cold
import cpu
import ir
import report
import rig


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ir", action="store_true", help="instructions a request, and where they go, by callgrind")
    which.add_argument("--micro", action="store_true", help="single steps, by Google Benchmark")
    which.add_argument("--memory", action="store_true", help="what large bodies and idle connections cost")
    which.add_argument("--cold", action="store_true", help="CPU time of a request whose key comes from Redis")
    which.add_argument("--all", action="store_true", help="all of these, CPU time first")
    parser.add_argument("--top", type=int, default=25, metavar="N", help="with --ir: functions to list (default: 25)")
    parser.add_argument("--gate", action="store_true",
                        help="with --ir: the full job alone, and fail where it costs more than recorded")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of CPU time (default: 7)")
    parser.add_argument("--seconds", type=int, default=4, metavar="N", help="of each proxy in a round (default: 4)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--write", action="store_true", help="also put the tables into docs/performance.md")
    parser.add_argument("--keygate", type=pathlib.Path, default=rig.default_keygate(), metavar="FILE",
                        help="the binary to measure (default: build/release/keygate)")
    return parser.parse_args()


def chosen(options):
    """Each makes tables, and says whether all is as it should be."""
    everything = {"cpu": cpu.main, "cold": cold.main, "ir": ir.main, "micro": binaries.micro, "memory": binaries.memory}
    if options.all:
        return everything.values()
    return [next((measure for name, measure in everything.items() if getattr(options, name, False)), cpu.main)]


def main():
    options = parse()
    try:
        tables, is_within_budget = [], True
        for measure in chosen(options):
            found, is_fine = measure(options)
            tables += found
            is_within_budget = is_within_budget and is_fine
        report.show(tables, options)
    except (rig.Failure, OSError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 1 if options.gate and not is_within_budget else 0


if __name__ == "__main__":
    sys.exit(main())
