"""Results as tables: for the terminal, for programs, and for the marked blocks of docs/performance.md and README.md. What was measured
last is kept in docs/performance.jsonl, a table a line with the figures of each round, and the pages are written from that.
"""
import dataclasses
import datetime
import json
import platform
import statistics
import subprocess

import plot
import rig

DOC = rig.ROOT / "docs/performance.md"
README = rig.ROOT / "README.md"
STORE = rig.ROOT / "docs/performance.jsonl"
PLOT = rig.ROOT / "docs/images/costs.svg"
# What is wanted, at most.
TARGETS = {"nginx": 0.85, "lua": 0.65, "cold": 0.35, "body": 0.55, "growth": 1.10, "idle_process": 8.0, "idle_connection": 512,
           "start": 100, "start_many": 1000, "instructions": 22_000, "decision": 150, "decision_growth": 1.5,
           "log": 1.5}


@dataclasses.dataclass
class Table:
    name: str      # of the block in the docs: <!-- bench:NAME --> … <!-- end of bench:NAME -->
    caption: str   # how it came to be
    columns: list
    rows: list     # of texts; the first column is to the left, the others to the right
    verdicts: list = dataclasses.field(default_factory=list)  # a line each: the target, and whether it is met
    figures: list = dataclasses.field(default_factory=list)   # what each round found, for programs
    machine: str = ""

    def text(self):
        lines = [self.columns] + self.rows
        widths = [max(len(row[column]) for row in lines) for column in range(len(self.columns))]
        shown = [row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
                 for row in lines]
        return "\n".join([self.caption, *shown, *self.verdicts]) + "\n"

    def markdown(self):
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1)] + self.rows
        shown = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]
        verdicts = ["", *(f"- {verdict}" for verdict in self.verdicts)] if self.verdicts else []
        return "\n".join([self.caption, "", *shown, *verdicts, "", self.machine])


def verdict(what, values, target, unit="", digits=2):
    """One line: is the median within the target, and the worst round? `values` of all rounds, less is better."""
    median, worst = statistics.median(values), max(values)
    reached = f"{median:,.{digits}f}{unit} ({min(values):,.{digits}f}–{worst:,.{digits}f})" if len(values) > 1 \
        else f"{median:,.{digits}f}{unit}"
    wanted = f"{what}: {reached}, wanted at most {target:,.{digits}f}{unit}"
    if worst <= target:
        return f"Met. {wanted}."
    if median <= target:
        return f"Met by the median, not by each round. {wanted}."
    return f"MISSED by {median / target - 1:.0%}. {wanted}."


def machine():
    """Where and when, in one line."""
    model = platform.machine()
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", rig.ROOT, "describe", "--always", "--dirty", "--exclude=*"], capture_output=True,
                            text=True, check=False).stdout.strip()
    return f"{datetime.date.today()}, commit {commit or 'unknown'}, {model}, Linux {platform.release()}"


def show(tables, options):
    for table in tables:
        table.machine = machine() + (", a quick look" if options.quick else "")
    if options.json:
        print("\n".join(json.dumps(dataclasses.asdict(table), ensure_ascii=False) for table in tables), flush=True)
    else:
        print("\n".join(table.text() for table in tables), flush=True)
    if options.write:
        keep(tables)
        render()


def stored():
    """Tables by their names, as they were kept."""
    if not STORE.exists():
        return {}
    return {line["name"]: Table(**line) for line in map(json.loads, STORE.read_text().splitlines())}


def keep(tables):
    """Each in the place of the one of that name that was there."""
    kept = stored() | {table.name: table for table in tables}
    STORE.write_text("".join(json.dumps(dataclasses.asdict(kept[name]), ensure_ascii=False) + "\n" for name in sorted(kept)))


def within(doc, name, made):
    """The text of `doc` with `made` in the place of what stood between the two marks of `name`."""
    start, end = f"<!-- bench:{name} -->", f"<!-- end of bench:{name} -->"
    before, found_start, rest = doc.partition(start)
    _, found_end, after = rest.partition(end)
    if not found_start or not found_end:
        raise rig.Failure(f"no block {start} … {end}")
    return f"{before}{start}\n{made}\n{end}{after}"


def summary(cpu):
    """What a request costs whom: the proxies of that table, without the differences between them."""
    rows = [row[:3] for row in cpu.rows if row[2]]
    return Table("summary", "", cpu.columns[:3], rows, machine=cpu.machine).markdown().strip()


def pages():
    """Each file that shows figures, and its text as it has to be."""
    tables = stored()
    doc = DOC.read_text()
    for table in tables.values():
        doc = within(doc, table.name, table.markdown())
    return {DOC: doc, README: within(README.read_text(), "summary", summary(tables["cpu"])), PLOT: plot.svg(tables)}


def render():
    """The pages and the plot, from what is kept."""
    for path, text in pages().items():
        path.write_text(text)


def is_current():
    """Whether the pages and the plot say what was measured."""
    return all(path.read_text() == text for path, text in pages().items())
