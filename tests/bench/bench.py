#!/usr/bin/env python3
"""What does a request cost? Called by `./dev bench`; docs/performance.md says what the figures mean."""
import argparse
import pathlib
import sys

import ir
import rig


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--ir", action="store_true", help="instructions a request, by callgrind")
    parser.add_argument("--gate", action="store_true", help="with --ir: fail where they are not what is recorded")
    parser.add_argument("--top", type=int, default=25, metavar="N", help="with --ir: functions to list (default: 25)")
    parser.add_argument("--keygate", type=pathlib.Path, default=rig.default_keygate(), metavar="FILE",
                        help="the binary to measure (default: build/release/keygate)")
    return parser.parse_args()


def main():
    options = parse()
    try:
        return 0 if ir.main(options) else 1
    except rig.Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
