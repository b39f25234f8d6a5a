#!/usr/bin/env python3
"""Do the JSON Schema and the loader say the same? The schema is made of the loader's own tables, so its keys are the
loader's; what is held together here is their types, both ways: files that both take, mistakes that both refuse, and
each key with a value that fits nowhere. Skipped (77) where python3-jsonschema or python3-yaml is missing."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"SKIPPED: {missing.name} is not installed (apt-get install python3-jsonschema python3-yaml)")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYGATE = os.environ.get("KEYGATE_BINARY", str(ROOT / "build/release/keygate"))
misses = []


def miss(text):
    misses.append(text)
    print(text)


class Core(yaml.SafeLoader):
    """YAML 1.2's core types, as editors have them: yes is text, and so is a date."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^(?:-?[0-9]+\.[0-9]+)$", "-0123456789"),
]:
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def schema(*options):
    return subprocess.run([KEYGATE, "schema", *options], capture_output=True, text=True, check=True).stdout


CONFIGURATION = jsonschema.Draft7Validator(json.loads(schema()))
POLICY = jsonschema.Draft7Validator(json.loads(schema("--policy")))


def problems(text, folder):
    """What the loader says is wrong with a configuration; warnings are not."""
    path = pathlib.Path(folder) / "keygate.yaml"
    path.write_text(text)
    run = subprocess.run([KEYGATE, "check", "-c", str(path), "--json"], capture_output=True, text=True, check=False)
    return [one for one in json.loads(run.stdout)["problems"] if one["severity"] == "error"]


POLICY_HEAD = "upstream: http://127.0.0.1:3000\nresolution: {store: {path: k.db}}\n"
THREE = POLICY_HEAD + "policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"


def in_route(text):
    return POLICY_HEAD + (
        "policy:\n  scopes: {a:read: Read, admin: {restricted: true, implies: [a:read]}}\n  routes:\n    - name: a\n"
        "      match: {path: '/{x}'}\n      require: {scopes: a:read}\n" + text
    )


GOOD = [
    THREE,
    THREE + "threads: 4\nlog: {level: warn, format: text}\nlimits: {header_bytes: 64KiB, body_bytes: unlimited}\n",
    THREE + "limits: {header_bytes: 8192, header_timeout: 10s, connections_per_ip: 0}\n",
    THREE + "identity_headers: {organization: X-Tenant, user: null}\n",
    THREE + "credentials: {sources: [bearer, {header: x-key}], formats: [{prefix: rk_, length: 48}]}\n",
    THREE + "credentials: {sources: bearer, forward: false}\n",
    THREE + "tracing: {otlp_endpoint: null, sample: 0.5}\npaths: {semicolon: reject}\n",
    THREE + "paths: {encoded_slash: opaque, repeated_slashes: merge, dot_segments: resolve, semicolon: allow}\n",
    THREE + "threads: \"${NOBODY_SETS_THIS:-2}\"\n",
    "upstreams: {default: {endpoints: [http://a], timeouts: {connect: 1s}, retries: {attempts: 2}}}\n"
    "resolution: {store: {path: k.db}}\npolicy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n",
    in_route("      cors: {origins: [https://a.example], headers: authorization, credentials: true, max_age: 10m}\n"),
    in_route("      set_headers: {X-A: '{x}', X-B: 7}\n      forward_credential: true\n"),
    in_route("      mode: enforce\n"),
    in_route("").replace("scopes: a:read}", "scopes: {any: [a:read]}, credentials: api_key}"),
]

BAD = [
    THREE + "thread: 4\n",
    THREE + "threads: many\n",
    THREE + "threads: 300\n",
    THREE + "threads: \"4\"\n",
    THREE + "log: {level: loud}\n",
    THREE + "log: {}\nlimits: 7\n",
    THREE + "limits: {header_timeout: 10}\n",
    THREE + "limits: {header_bytes: 64KB}\n",
    THREE + "limits:\n",
    THREE + "credentials: {forward: yes}\n",
    THREE + "credentials: {forward: \"true\"}\n",
    THREE + "credentials: {sources: [token]}\n",
    THREE + "credentials: {sources: []}\n",
    THREE + "tracing: {otlp_endpoint: http://a}\n",
    THREE + "tracing: {sample: 2}\n",
    THREE + "paths: {semicolon: opaque}\n",
    THREE + "resolution:\n".replace("resolution", "health"),
    POLICY_HEAD,
    "policy: {routes: []}\nupstream: http://a\nresolution: {store: {path: k}}\n",
    in_route("      cors: {headers: [a]}\n"),
    in_route("      cors: {origins: [https://a.example], credentials: maybe}\n"),
    in_route("      cors: {origins: [https://a.example], max_age: forever}\n"),
    in_route("      set_headers: [X-A]\n"),
    in_route("      mode: dark\n"),
    in_route("      methods: [GET]\n"),
    in_route("").replace("scopes: a:read}", "scopes: [a:read]}"),
    in_route("").replace("scopes: a:read}", "credentials: [key]}"),
    in_route("").replace("path: '/{x}'", "host: [a]"),
]


def agree_on(text, is_good, folder):
    by_loader = problems(text, folder)
    by_schema = [error.message for error in CONFIGURATION.iter_errors(yaml.load(text, Core))]
    if bool(by_loader) == is_good:
        miss(f"the loader should {'take' if is_good else 'refuse'}:\n{text}{by_loader}")
    if bool(by_schema) == is_good:
        miss(f"the schema should {'take' if is_good else 'refuse'}:\n{text}{by_schema}")


def parts(node):
    """The schemas that one is made of."""
    yield node
    for choice in node.get("anyOf", []) + node.get("allOf", []):
        yield from parts(choice)


def keys(node, wrap=lambda value: value, depth=0):
    """Each key, and what puts a value there."""
    for part in parts(node):
        for name, below in part.get("properties", {}).items():
            inner = lambda value, name=name, wrap=wrap: wrap({name: value})
            yield name, inner
            yield from keys(below, inner, depth + 1)
        for item in [part["items"]] if isinstance(part.get("items"), dict) else []:
            yield from keys(item, lambda value, wrap=wrap: wrap([value]), depth + 1)
        more = part.get("additionalProperties")
        if isinstance(more, dict):
            yield from keys(more, lambda value, wrap=wrap: wrap({"some": value}), depth + 1)


def check_each_key(folder):
    count = 0
    for name, wrap in keys(CONFIGURATION.schema):
        text = json.dumps(wrap([[7]]))
        said = [one for one in problems(text, folder) if name in one["path"]]
        if not said or any(f'unknown key "{name}"' in one["message"] for one in said):
            miss(f"the loader should know {name} and refuse what stands there: {text}\n{said}")
        if CONFIGURATION.is_valid(wrap([[7]])):
            miss(f"the schema should refuse {text}")
        count += 1
    if count < 100:
        miss(f"only {count} keys were found in the schema")
    return count


def check_committed():
    for name, options in [("keygate", []), ("policy", ["--policy"])]:
        path = ROOT / "config" / f"{name}.schema.json"
        if path.read_text() != schema(*options):
            miss(f"{path} is out of date: keygate schema {' '.join(options)} > {path}")


def check_examples():
    for path in sorted((ROOT / "config/examples").glob("*/*.yaml")):
        if path.name == "cases.yaml":
            continue
        text = path.read_text()
        is_policy = path.name == "policy.yaml"
        name = "policy" if is_policy else "keygate"
        if text.splitlines()[0] != f"# yaml-language-server: $schema=../../{name}.schema.json":
            miss(f"{path} does not begin with the line that names its schema")
        for error in (POLICY if is_policy else CONFIGURATION).iter_errors(yaml.load(text, Core)):
            miss(f"{path}: {error.message}")


with tempfile.TemporaryDirectory() as folder:
    for good in GOOD:
        agree_on(good, True, folder)
    for bad in BAD:
        agree_on(bad, False, folder)
    seen = check_each_key(folder)
check_committed()
check_examples()
if misses:
    print(f"{len(misses)} misses")
    sys.exit(1)
print(f"schema and loader agree on {len(GOOD) + len(BAD)} files and {seen} keys")
