"""What does a callgrind output file say? Self cost by function, with names that a person can read."""
import collections
import re

NAME = re.compile(r"\((\d+)\)(?: (.*))?$")


class Profile:
    """Instructions by (function, object), in one thread of one run."""

    def __init__(self, path):
        self.self_cost = collections.Counter()
        self.total = 0
        functions, objects = {}, {}
        function = binary = None
        is_call = False
        with open(path) as lines:
            for line in lines:
                line = line.rstrip("\n")
                if line.startswith("fn="):
                    function = resolve(line[3:], functions)
                elif line.startswith("ob="):
                    binary = resolve(line[3:], objects)
                elif line.startswith("cfn="):
                    resolve(line[4:], functions)  # a name may be introduced here
                elif line.startswith("cob="):
                    resolve(line[4:], objects)
                elif line.startswith("calls="):
                    is_call = True  # the next line is what was called, with all below it
                elif line and line[0] in "0123456789+-*":
                    if not is_call and " " in line:
                        cost = int(line.split()[1])
                        self.self_cost[function, binary] += cost
                        self.total += cost
                    is_call = False


def resolve(text, names):
    """"(7) name" the first time, "(7)" from then on."""
    found = NAME.match(text)
    if not found:
        return text
    number, name = found.groups()
    if name is not None:
        names[number] = name
    return names[number]


def outside_brackets(name, opening, closing):
    kept, depth = [], 0
    for at, character in enumerate(name):
        if character == closing and depth and name[at - 1] != "-":
            depth -= 1
        elif character == opening:
            depth += 1
        elif not depth:
            kept.append(character)
    return "".join(kept)


def readable(name):
    """Without template arguments, parameters and return type."""
    name = re.sub(r"'\d+$", "", name)  # callgrind's mark of a recursion
    name = name.replace("(anonymous namespace)::", "").replace("operator()", "operator{}")
    name = re.sub(r"operator(<=>|<<|>>|<=|>=|<|>|->)", "operator", name)
    name = re.sub(r"\[[^]]*\]", lambda mark: " coroutine" if "actor" in mark[0] else "", name)
    name = outside_brackets(name, "<", ">")
    is_coroutine = name.endswith("coroutine")
    name = outside_brackets(name.removesuffix("coroutine"), "(", ")")
    name = re.sub(r"\b(const|noexcept|mutable)\b", "", name).strip().replace("{}", "()")
    name = name.split(" ")[-1] if not name.startswith("operator") else name
    return name + (" (coroutine)" if is_coroutine else "")


def place(name, binary):
    """Whose code it is, for a sum that shows where to look."""
    short = readable(name)
    for prefix, label in (("keygate::", None), ("boost::asio", "Boost.Asio"), ("boost::beast", "Boost.Beast"),
                          ("boost::", "other Boost"), ("std::", "libstdc++"), ("fmt::", "fmt"), ("spdlog::", "spdlog")):
        if short.startswith(prefix):
            return label or "::".join(short.split("::")[:2])
    library = (binary or "").rsplit("/", 1)[-1]
    found = re.match(r"(lib[a-z0-9+_-]*?|ld-linux[a-z0-9-]*)(-[\d.]+)?\.so", library)
    return found[1] if found else library
