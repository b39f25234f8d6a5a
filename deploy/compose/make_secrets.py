"""Makes the tokens of compose.yaml where they are missing, for Keygate's uid alone to read."""
import os
import secrets
import sys

folder = sys.argv[1]
for name in ("proxy.token", "admin.token", "signing.key"):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with open(path, "w", opener=lambda file, flags: os.open(file, flags, 0o400)) as file:
            file.write(secrets.token_hex(32) + "\n")
    if os.geteuid() == 0:
        os.chown(path, 65532, 65532)
