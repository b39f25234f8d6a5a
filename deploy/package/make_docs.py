#!/usr/bin/env python3
"""Man pages and shell completions, from what the binary itself says under --help.

usage: make_docs.py KEYGATE OUTPUT

Writes OUTPUT/man1/keygate.1.gz, a page for each verb (keygate-run.1.gz, keygate-keys-create.1.gz and so on), and
OUTPUT/completions/keygate.bash, _keygate and keygate.fish. Nothing here knows a verb: a new one needs no line.
"""
import gzip
import pathlib
import re
import subprocess
import sys

SECTIONS = ("Positionals:", "Options:", "Subcommands:")


class Option:
    """One line of the Options: spellings, what it takes, what it is for."""

    def __init__(self, spellings, argument, text):
        self.flags = spellings.split(",")
        self.argument = argument
        self.text = text
        choices = re.search(r"\{([^}]*)\}", argument)
        self.choices = choices.group(1).split(",") if choices else []

    @property
    def is_flag(self):
        return not self.argument

    @property
    def takes_file(self):
        return bool(re.search(r"file|config|store|policy|junit|openapi", " ".join(self.flags)))


class Verb:
    """What --help says of one verb, and the verbs below it."""

    def __init__(self, binary, path):
        self.path = path
        said = subprocess.run([binary, *path, "--help"], capture_output=True, text=True, check=True)
        lines = said.stdout.splitlines()
        self.usage = next(line for line in lines if line.startswith("Usage: "))[len("Usage: "):]
        before = lines[: lines.index("Usage: " + self.usage)]
        self.examples = [line.strip() for line in before if line.strip().startswith("keygate ")]
        words = [line for line in before if line.strip() and line.strip() not in self.examples and line != "Examples:"]
        self.text = " ".join(words).removeprefix("Keygate: ")
        self.positionals, self.options, names = [], [], []
        section = None
        for line in lines[lines.index("Usage: " + self.usage) + 1:]:
            if line in SECTIONS:
                section = line
            elif not line.strip():
                # CLI11 leaves a blank line inside a long subcommand, and indents what goes on.
                if section != "Subcommands:":
                    section = None
            elif not line.startswith("  "):
                section = None
            elif section == "Subcommands:":
                name = re.match(r"  ([a-z][a-z-]*)\s", line + " ")
                if name:
                    names.append(name.group(1))
            elif section:
                self._take(section, line)
        self.verbs = [Verb(binary, [*path, name]) for name in names]

    def _take(self, section, line):
        kept = self.options if section == "Options:" else self.positionals
        if line.startswith("   "):
            kept[-1].text = (kept[-1].text + " " + line.strip()).strip()
            return
        head, _, text = line.strip().partition("  ")
        spellings, _, argument = head.partition(" ")
        if "=" in spellings and not spellings.startswith("--="):
            spellings, _, default = spellings.partition("=")
            argument += "=" + default
        kept.append(Option(spellings, argument, text.strip()))

    @property
    def summary(self):
        return re.split(r"(?<=[a-z0-9])[.:] ", self.text)[0].rstrip(".")

    def walk(self):
        yield self
        for verb in self.verbs:
            yield from verb.walk()


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text[:1] in ".'" else text


def man_page(verb, version):
    name = "-".join(["keygate", *verb.path])
    out = [f'.TH "{name.upper()}" "1" "" "keygate {version}" "Keygate"', ".SH NAME",
           f"{roff(name)} \\- {roff(verb.summary)}", ".SH SYNOPSIS", f"\\fB{roff(verb.usage)}\\fR",
           ".SH DESCRIPTION", roff(verb.text)]
    for title, entries in (("ARGUMENTS", verb.positionals), ("OPTIONS", verb.options)):
        if entries:
            out.append(f".SH {title}")
        for entry in entries:
            spelled = ", ".join(f"\\fB{roff(flag)}\\fR" for flag in entry.flags)
            out += [".TP", f"{spelled} \\fI{roff(entry.argument)}\\fR" if entry.argument else spelled, roff(entry.text)]
    if verb.verbs:
        out.append(".SH COMMANDS")
        for below in verb.verbs:
            page = "-".join(["keygate", *below.path])
            out += [".TP", f"\\fB{roff(page)}\\fR(1)", roff(below.summary)]
    if verb.examples:
        out += [".SH EXAMPLES", ".nf", *(roff(example) for example in verb.examples), ".fi"]
    out += [".SH EXIT STATUS", "0: fine. 1: what was checked failed, or could not be done. 2: wrong usage.",
            ".SH SEE ALSO"]
    above = [["keygate", *verb.path[:n]] for n in range(len(verb.path))]
    out.append(", ".join(f"\\fB{roff('-'.join(words))}\\fR(1)" for words in above) or
               "/usr/share/doc/keygate")
    return "\n".join(out) + "\n"


def one_line(text):
    return re.sub(r"\s+", " ", text)


def bash(verbs):
    out = ["# bash completion for keygate", "_keygate() {",
           "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=keygate word words=",
           "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do",
           "    case \"$path $word\" in"]
    below = [verb for verb in verbs if verb.path]
    out += [f"      'keygate{''.join(' ' + w for w in verb.path)}') path=\"$path $word\" ;;" for verb in below]
    out += ["    esac", "  done", "  case \"$path $prev\" in"]
    for verb in verbs:
        path = " ".join(["keygate", *verb.path])
        for option in verb.options:
            if option.is_flag:
                continue
            patterns = "|".join(f"'{path} {flag}'" for flag in option.flags)
            if option.choices:
                out.append(f"    {patterns}) COMPREPLY=($(compgen -W '{' '.join(option.choices)}' -- \"$cur\")); return ;;")
            elif option.takes_file:
                out.append(f"    {patterns}) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;")
            else:
                out.append(f"    {patterns}) return ;;")
    out += ["  esac", "  case \"$path\" in"]
    for verb in verbs:
        words = [below.path[-1] for below in verb.verbs] + [flag for option in verb.options for flag in option.flags]
        out.append(f"    '{' '.join(['keygate', *verb.path])}') words='{' '.join(words)}' ;;")
    out += ["  esac", "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))", "}",
            "complete -o filenames -F _keygate keygate"]
    return "\n".join(out) + "\n"


def zsh(verbs):
    def quoted(text):
        return one_line(text).replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")

    out = ["#compdef keygate", ""]
    for verb in verbs:
        out.append(f"_{'_'.join(['keygate', *verb.path])}() {{")
        specs = []
        for option in verb.options:
            action = ""
            if not option.is_flag:
                values = f"({' '.join(option.choices)})" if option.choices else "_files" if option.takes_file else " "
                action = f":{option.flags[-1].lstrip('-')}:{values}"
            specs += [f"    '{flag}[{quoted(option.text)}]{action}'" for flag in option.flags]
        if verb.verbs:
            out += ["  local state line", "  _arguments -C \\", *(spec + " \\" for spec in specs),
                    "    '1: :->verb' '*:: :->rest'", "  case $state in", "    verb)", "      local -a verbs=("]
            out += [f"        '{below.path[-1]}:{quoted(below.summary)}'" for below in verb.verbs]
            out += ["      )", "      _describe verb verbs ;;", "    rest)", "      case $line[1] in"]
            out += [f"        {below.path[-1]}) _{'_'.join(['keygate', *below.path])} ;;" for below in verb.verbs]
            out += ["      esac ;;", "  esac", "}"]
        else:
            out += ["  _arguments \\", *(spec + " \\" for spec in specs), "    '*:file:_files'", "}"]
        out.append("")
    return "\n".join(out) + '_keygate "$@"\n'


def fish(verbs):
    def quoted(text):
        return "'" + one_line(text).replace("\\", "\\\\").replace("'", "\\'") + "'"

    out = ["# fish completion for keygate", "complete -c keygate -f"]
    for verb in verbs:
        names = " ".join(below.path[-1] for below in verb.verbs)
        if verb.path:
            here = " ; and ".join(f"__fish_seen_subcommand_from {word}" for word in verb.path)
            none = f"{here} ; and not __fish_seen_subcommand_from {names}" if names else here
        else:
            here = none = "__fish_use_subcommand"
        out += [f"complete -c keygate -n {quoted(none)} -a {below.path[-1]} -d {quoted(below.summary)}"
                for below in verb.verbs]
        for option in verb.options:
            flags = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags)
            takes = "" if option.is_flag else f" -x -a '{' '.join(option.choices)}'" if option.choices else \
                " -r -F" if option.takes_file else " -x"
            out.append(f"complete -c keygate -n {quoted(none)} {flags}{takes} -d {quoted(option.text)}")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binary, output = sys.argv[1], pathlib.Path(sys.argv[2])
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    verbs = list(Verb(binary, []).walk())
    pages, completions = output / "man1", output / "completions"
    pages.mkdir(parents=True, exist_ok=True)
    completions.mkdir(parents=True, exist_ok=True)
    for verb in verbs:
        page = pages / ("-".join(["keygate", *verb.path]) + ".1.gz")
        page.write_bytes(gzip.compress(man_page(verb, version).encode(), mtime=0))
    (completions / "keygate.bash").write_text(bash(verbs))
    (completions / "_keygate").write_text(zsh(verbs))
    (completions / "keygate.fish").write_text(fish(verbs))


if __name__ == "__main__":
    main()
