#!/usr/bin/python3 -B
"""Python's websockets over TLS. Over plain TCP the scenario test WebSocketClients runs the same script."""
import os
import subprocess
import sys

import stand


def main():
    if subprocess.run([stand.PYTHON, "-c", "import websockets"], capture_output=True, check=False).returncode:
        return stand.warn_skipped("python3-websockets")
    script = stand.ROOT / "tests/scenario/clients/websocket_echo.py"
    with stand.Stand() as running:
        key, _ = running.create_key()
        environment = os.environ | {"KEYGATE_KEY": key, "SSL_CERT_FILE": str(running.ca_file)}
        return subprocess.run([stand.PYTHON, "-B", script, "talk", running.url("wss")], env=environment, timeout=55, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
