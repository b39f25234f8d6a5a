#!/usr/bin/python3 -B
"""Node: undici, ws, fetch and http, in node_client.js."""
import hashlib
import json
import os
import subprocess
import sys

import promises
import stand
import upstream


class Node(promises.Client):
    def do(self, case, meanwhile=lambda: None):
        target, arrivals = self.new_stream()
        told = {"base": self.base, "ca": str(self.stand.ca_file), "key": self.key, "key_id": self.key_id, "size": promises.LARGE,
                "sha256": upstream.digest(promises.LARGE), "file": str(promises.large_file(self.stand.folder)), "stream": target,
                "arrivals": arrivals, "expected": self.expected_stream(), "messages": promises.MESSAGES,
                "gzipped": hashlib.sha256(upstream.GZIPPED).hexdigest(), "text": hashlib.sha256(upstream.TEXT).hexdigest()}
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_client.js")
        with subprocess.Popen(["node", script, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=os.environ | {"NODE_PATH": stand.NODE_MODULES}) as node:
            node.stdin.write(json.dumps(told))
            node.stdin.close()
            if node.stdout.readline() == "ready\n":
                meanwhile()
            errors = node.stderr.read()
            self.assertEqual(node.wait(50), 0, errors)

    def test_is_refused_once_revoked(self):
        self.do("is_refused_once_revoked", meanwhile=self.revoke)


for name in promises.CASES:
    if not hasattr(Node, f"test_{name}"):
        setattr(Node, f"test_{name}", lambda self, case=name: self.do(case))

if __name__ == "__main__":
    sys.exit(promises.run(Node, with_sockets=True, needs=[
        ("nodejs, node-undici or node-ws", ["node", "-e", 'require("undici"); require("ws")']),
        ("python3-websockets", [sys.executable, "-c", "import websockets"])]))
