"""Figures that C++ binaries of the build find: single steps by Google Benchmark, memory by the tests of resources."""
import json
import subprocess
import tempfile

import report
import rig
from report import Table

MEMORY = {  # of the tests' properties: what they are, and how a row says so
    "peak_growth_kib": ("1 GiB {what}, growth of the process at most", "{value} KiB"),
    "bytes_each": ("{connections} idle connections, user memory of each", "{value} bytes"),
}


def run(options, name, *arguments):
    binary = options.keygate.parent / "tests" / name
    if not binary.exists():
        raise rig.Failure(f"{binary} is missing: `./dev bench` builds it")
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
        done = subprocess.run([binary, *(argument.format(out=out.name) for argument in arguments)], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise rig.Failure(f"{name} failed:\n{done.stdout}{done.stderr}")
        return json.load(out)


def micro(options):
    """Median CPU time of each step."""
    result = run(options, "micro", "--benchmark_out={out}", "--benchmark_out_format=json", "--benchmark_repetitions=5",
                 "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.1")
    medians = [row for row in result["benchmarks"] if row.get("aggregate_name") == "median"]
    medians.sort(key=lambda row: (row["family_index"], row["per_family_instance_index"]))
    rows = [[f"`{row['run_name']}`", f"{row['cpu_time']:,.0f}"] for row in medians]
    times = {row["run_name"]: row["cpu_time"] for row in medians}
    figures = [{"curve": "steps", "series": name, "x": None, "values": [round(time, 2)]} for name, time in times.items()]
    few, many = times["match_and_decide/100"], times["match_and_decide/10000"]
    verdicts = [report.verdict("match and decide, each of 100 routes in turn", [few], report.TARGETS["decision"], " ns", 0),
                report.verdict("each of 10,000 routes in turn against 100", [many / few], report.TARGETS["decision_growth"])]
    caption = "Single steps of a granted request, CPU nanoseconds: the median of 5 runs."
    return [Table("micro", caption, ["", "ns"], rows, verdicts, figures)], True


def memory(options):
    """What bodies and idle clients cost."""
    result = run(options, "resources", "--gtest_output=json:{out}")
    rows = []
    for suite in result["testsuites"]:
        for test in suite["testsuite"]:
            for name, (label, text) in MEMORY.items():
                if name in test:
                    what = "up" if "Up" in test["name"] else "down"
                    rows.append([label.format(what=what, **test), text.format(value=test[name])])
    return [Table("memory", "Resident memory beyond that of the warm process.", ["", "memory"], rows)], True
