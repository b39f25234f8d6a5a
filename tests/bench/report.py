"""Results as tables: for the terminal, for programs, and for the marked blocks of docs/performance.md."""
import dataclasses
import datetime
import json
import platform
import subprocess

import rig

DOC = rig.ROOT / "docs/performance.md"


@dataclasses.dataclass
class Table:
    name: str     # of the block in the docs: <!-- bench:NAME --> … <!-- end of bench:NAME -->
    caption: str  # how it came to be
    columns: list
    rows: list    # of texts; the first column is to the left, the others to the right

    def text(self):
        lines = [self.columns] + self.rows
        widths = [max(len(row[column]) for row in lines) for column in range(len(self.columns))]
        shown = [row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
                 for row in lines]
        return "\n".join([self.caption, *shown]) + "\n"

    def markdown(self):
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1)] + self.rows
        shown = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]
        return "\n".join([self.caption, "", *shown])

    def as_object(self):
        return {"name": self.name, "caption": self.caption, "columns": self.columns, "rows": self.rows}


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
    if options.json:
        print(json.dumps({"machine": machine(), "tables": [table.as_object() for table in tables]}, indent=2))
    else:
        print("\n".join(table.text() for table in tables), flush=True)
    if options.write:
        write(tables)


def write(tables):
    """Each table in the place of the one that stood between its two marks."""
    text = DOC.read_text()
    for table in tables:
        start, end = f"<!-- bench:{table.name} -->", f"<!-- end of bench:{table.name} -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not found_start or not found_end:
            raise rig.Failure(f"{DOC.relative_to(rig.ROOT)} has no block {start} … {end}")
        text = f"{before}{start}\n{table.markdown()}\n\n{machine()}\n{end}{after}"
    DOC.write_text(text)
