#!/usr/bin/python3
"""Does a tutorial do what it shows? Runs every command of one, in order, in a folder of its own, and compares what it prints.

usage: run_tutorial.py DOCUMENT     (KEYGATE_BINARY: which Keygate; 77: a Debian package that it needs is missing)

- A block ```console holds commands, each behind "$ ", and below each what it prints. A line that ends in a backslash goes on.
  What curl, grep and keygate replay show is waited for, as servers start, changes arrive and
  logs are written when they are.
- A block whose first line is "# NAME" is a file; so is one below "<!-- file: NAME -->".
- "<!-- terminal: NAME -->" above a console block: its command runs on; what is shown has to come, in that order. A second such
  block waits for more of it. "^C" ends it.
- "<!-- not run: WHY -->" above a block, and "<!-- needs: PACKAGE… -->" anywhere. What is neither run, nor a file, nor marked is a
  failure.
- In what is shown, … stands for anything within its line; ids, keys, times, dates and durations for their like. Ports are
  others when it runs: those that stand behind 127.0.0.1 or localhost are exchanged everywhere.
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30
LIKE = [  # what differs from run to run, and what it looks like
    r"[0-9a-f]{32}", r"key_[A-Za-z0-9]{20}", r"kg_(?!dev_)[A-Za-z0-9]{40,}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    r"\d{4}-\d\d-\d\d", r"\b\d+(?:\.\d+)?ms\b", r"access\.log:\d+",
]
SLOT = re.compile("|".join(f"(?:{one})" for one in LIKE) + "|…")


class Failure(Exception):
    """What the tutorial shows is not what happens."""


def pattern_of(line):
    """A regular expression for a shown line."""
    made, at = "", 0
    for slot in SLOT.finditer(line):
        like = ".*" if slot.group() == "…" else next(f"(?:{one})" for one in LIKE if re.fullmatch(one, slot.group()))
        made += re.escape(line[at:slot.start()]) + like
        at = slot.end()
    return re.compile(made + re.escape(line[at:]) + r"\s*")


def eventually(is_so):
    end = time.monotonic() + PATIENCE
    while not (answer := is_so()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def blocks_of(text):
    """Each fenced block: (line, language, marks above it, lines)."""
    marks, block, found = [], None, []
    for number, line in enumerate(text.splitlines(), 1):
        if block is not None:
            if line == "```":
                found.append(block)
                block, marks = None, []
            else:
                block[3].append(line)
        elif line.startswith("```"):
            block = (number, line[3:], marks, [])
        elif mark := re.fullmatch(r"<!-- (terminal|not run|file|needs): (.+) -->", line):
            marks.append(mark.groups())
        elif line.startswith("<!--"):
            raise Failure(f"{number}: {line} is no mark that is known")
    return found


def steps_of(lines):
    """Commands of a console block, each with the lines that it shows. What stands before the first one belongs to None."""
    steps, lines = [(None, [])], list(lines)
    while lines:
        line = lines.pop(0)
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + lines.pop(0)
            steps.append((command, []))
        else:
            steps[-1][1].append(line)
    return [step for step in steps if step[0] or step[1]]


class Session:
    """A shell, and other terminals, in a folder that is gone afterwards."""

    def __init__(self, folder, text):
        self.folder, self.terminals, self.ran = folder, {}, 0
        self.ports = {}
        named = sorted(set(re.findall(r"(?:127\.0\.0\.1|localhost|0\.0\.0\.0):(\d{2,5})", text)))
        held = [socket.socket() for _ in named]
        for port, probe in zip(named, held):
            probe.bind(("127.0.0.1", 0))
            self.ports[port] = str(probe.getsockname()[1])
        for probe in held:
            probe.close()
        tools = folder / ".bin"
        tools.mkdir()
        (tools / "keygate").symlink_to(os.environ.get("KEYGATE_BINARY") or ROOT / "build/release/keygate")
        # Debian's python3 comes first: it has the packages.
        self.environment = os.environ | {"PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8",
                                         "SOURCES": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        self.work = folder / "work"
        self.work.mkdir()
        self.shell = subprocess.Popen(["bash", "--norc"], cwd=self.work, env=self.environment, stdin=subprocess.PIPE, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def moved(self, text):
        if not self.ports:
            return text
        return re.sub(r"(?<!\d)(?:" + "|".join(self.ports) + r")(?!\d)", lambda port: self.ports[port.group()], text)

    def save(self, name, lines):
        (self.work / name).parent.mkdir(parents=True, exist_ok=True)
        (self.work / name).write_text(self.moved("\n".join(lines)) + "\n")

    def once(self, command):
        self.shell.stdin.write(f"{{ {command}\n}} </dev/null; printf '\\n<%s>\\n' \"=$?=\"\n")
        self.shell.stdin.flush()
        said = ""
        for line in self.shell.stdout:
            if end := re.fullmatch(r"<=(\d+)=>\n", line):
                return said.strip("\n").splitlines(), int(end.group(1))
            said += line
        raise Failure(f"{command}: the shell ended; {said}")

    def run(self, command, shown):
        command, shown = self.moved(command), [self.moved(line) for line in shown]
        while shown and not shown[-1]:
            shown.pop()
        patterns = [pattern_of(line) for line in shown]
        said, status = [], 0

        def fits():
            nonlocal said, status
            said, status = self.once(command)
            if not shown:
                return status == 0
            return len(said) == len(patterns) and all(one.fullmatch(line) for one, line in zip(patterns, said))
        if not (eventually(fits) if re.match(r"curl|grep|keygate replay", command) else fits()):
            raise Failure(f"$ {command}\n  shown: " + "\n         ".join(shown) + f"\n  said ({status}): " + "\n         ".join(said))
        self.ran += 1

    def run_on(self, name, command):
        if command.startswith("keygate dev") and "--listen" not in command:
            command += " --listen 127.0.0.1:8080"  # the default, exchanged as any port
        log = open(self.folder / f"{name}.log", "w+b")
        # A shell of its own, which the command takes the place of: ^C goes to both.
        process = subprocess.Popen(["bash", "-c", f"trap - INT; {self.moved(command)}"], cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.terminals[name] = [process, self.folder / f"{name}.log", 0]
        self.ran += 1

    def await_lines(self, name, shown):
        process, log, start = self.terminals[name]
        waiting = [pattern_of(self.moved(line)) for line in shown if line]
        if shown and "^C" in shown:
            raise Failure("^C stands alone in its line, behind what comes before it")

        def all_there():
            left, line_number = list(waiting), start
            lines = log.read_text(errors="replace").splitlines()
            for line_number in range(start, len(lines)):
                if not left:
                    break
                if left[0].fullmatch(lines[line_number]):
                    left.pop(0)
                    self.terminals[name][2] = line_number + 1
            return not left
        if waiting and not eventually(all_there):
            raise Failure(f"in the terminal {name}: " + "\n".join(shown) + "\n  did not come in this order; it said:\n" + log.read_text(errors="replace"))

    def interrupt(self, name):
        process = self.terminals[name][0]
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE)

    def close(self):
        for process in [terminal[0] for terminal in self.terminals.values()] + [self.shell]:
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(PATIENCE)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
            try:  # what it started, and left
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def play(document, session, text):
    left_out = []
    for number, language, marks, lines in blocks_of(text):
        marks = dict(marks)
        here = f"{document}:{number}"
        try:
            if "not run" in marks:
                left_out.append(f"{here}: not run: {marks['not run']}")
            elif "file" in marks:
                session.save(marks["file"], lines)
            elif language != "console" and lines and (name := re.fullmatch(r"(?:#|//) ([\w./-]+\.[a-z]+)", lines[0])):
                session.save(name.group(1), lines)
            elif language != "console":
                raise Failure("is neither a file (first line: # NAME) nor a console, and no mark says why")
            else:
                play_console(session, marks.get("terminal"), lines)
        except Failure as failure:
            raise Failure(f"{here}: {failure}") from None
    return left_out


def play_console(session, terminal, lines):
    for command, shown in steps_of(lines):
        if terminal:
            if command:
                session.run_on(terminal, command)
            before, after = shown, None
            if "^C" in shown:
                before, after = shown[:shown.index("^C")], shown[shown.index("^C") + 1:]
            session.await_lines(terminal, before)
            if after is not None:
                session.interrupt(terminal)
                session.await_lines(terminal, after)
        elif command:
            session.run(command, shown)
        elif shown:
            raise Failure("shows what no command of it prints")


def main():
    document = pathlib.Path(sys.argv[1]).resolve()
    text = document.read_text()
    for package in " ".join(re.findall(r"<!-- needs: (.+) -->", text)).split():
        if subprocess.run(["dpkg-query", "-W", package], capture_output=True, check=False).returncode:
            print(f"\n***** SKIPPED: {document.name} needs {package}: apt-get install {package} *****\n", file=sys.stderr)
            return 77
    with tempfile.TemporaryDirectory() as folder:
        session = Session(pathlib.Path(folder), text)
        try:
            left_out = play(document.name, session, text)
        except Failure as failure:
            print(f"{failure}", file=sys.stderr)
            return 1
        finally:
            session.close()
    print("\n".join(left_out))
    if not session.ran:
        print(f"{document.name}: nothing was run", file=sys.stderr)
        return 1
    print(f"{document.name}: {session.ran} commands do what they show")
    return 0


sys.exit(main())
