"""What every client is promised, each over plain TCP and over TLS. A file a client says how it does these things."""
import itertools
import json
import os
import pathlib
import subprocess
import sys
import unittest

import stand
import upstream

LARGE = 100_000_000
MESSAGES = 10_000
EVENTS = 20
# What a client does of these; each has to have all, or say in `left_out` why not.
CASES = ("keeps_its_connection", "uploads_100_mb", "downloads_100_mb", "gets_events_one_by_one", "has_messages_echoed",
         "gets_gzip_untouched", "asks_for_heads", "waits_for_100_continue", "is_denied_and_goes_on", "is_refused_once_revoked")


class Client(unittest.TestCase):
    """Over `scheme`; a subclass has a test for each of CASES."""

    scheme, left_out = "http", {}
    stand, streams = None, itertools.count(1)

    def setUp(self):
        self.key, self.key_id = self.stand.create_key()
        self.bearer = {"Authorization": f"Bearer {self.key}"}
        self.base = self.stand.url(self.scheme)

    @property
    def is_tls(self):
        return self.scheme == "https"

    def new_stream(self):
        """The target of an event stream, and those that say which event has arrived."""
        name = f"{self.id()}-{next(self.streams)}"
        return (f"/v1/events?stream={name}&count={EVENTS}",
                [f"/v1/arrived?stream={name}&number={number}" for number in range(EVENTS)])

    def expected_stream(self):
        return "".join(f"id: {number}\ndata: event {number} for {self.key_id}\n\n" for number in range(EVENTS))

    def assert_uploaded(self, body, size=LARGE):
        told = json.loads(body)
        self.assertEqual((told["size"], told["sha256"], told["key"]), (size, upstream.digest(size), self.key_id))
        return told

    def assert_problem(self, body, code):
        self.assertEqual(json.loads(body)["code"], code)

    def revoke(self):
        self.stand.revoke_key(self.key_id)

    def wait_for_refusal(self, ask):
        """`ask` gives a status and a body, over a connection that it keeps."""
        self.revoke()
        answers = []

        def is_refused():
            answers.append(ask())
            return answers[-1][0] != 200

        stand.eventually(is_refused)
        self.assertEqual(answers[-1][0], 401, answers[-1][1])
        self.assert_problem(answers[-1][1], "revoked_key")


def large_file(folder):
    """LARGE bytes of the service's pattern."""
    path = pathlib.Path(folder) / "large"
    if not path.exists():
        with open(path, "wb") as file:
            for piece in upstream.pieces(LARGE):
                file.write(piece)
    return path


def run(client, needs=(), with_sockets=False):
    """The tests of a client, over both; the exit status. Each of `needs` is (package, command that fails where it is missing)."""
    for package, command in needs:
        try:
            there = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"NODE_PATH": stand.NODE_MODULES})
        except FileNotFoundError:
            return stand.warn_skipped(package)
        if there.returncode:
            return stand.warn_skipped(package)
    missing = [case for case in CASES if not hasattr(client, f"test_{case}") and case not in client.left_out]
    if missing:
        raise SystemExit(f"{client.__name__} does not say what becomes of: {', '.join(missing)}")
    for case, reason in client.left_out.items():
        print(f"left out, {case}: {reason}", file=sys.stderr)
    suite = unittest.TestSuite()
    with stand.Stand(with_sockets=with_sockets) as running:
        for scheme, name in (("http", "Plain"), ("https", "Tls")):
            variant = type(name + client.__name__, (client,), {"scheme": scheme, "stand": running})
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(variant))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        status = running.keygate.end()
        if status:
            print(f"keygate ended with {status}: {running.keygate.errors.read_text()}", file=sys.stderr)
    return 0 if result.wasSuccessful() and status == 0 else 1
