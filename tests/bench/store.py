"""Many keys in a store, and what a process keeps in memory."""
import hashlib
import pathlib
import sqlite3
import subprocess
import time

import rig
import rounds

COLUMNS = "id, digest, shown_prefix, prefix, organization, user, name, environment, scopes, created_at"


def rows_of(keys):
    scopes, now = " ".join(rig.SCOPES), int(time.time())
    for number, key in enumerate(keys):
        yield (f"key_{number:016d}", hashlib.sha256(key.encode()).digest(), key[:12], "kg_live_", f"org_{number % 1000}", "user_42",
               "bench", "live", scopes, now)


def fill(keygate, where, config, path, keys):
    """Into a store that Keygate made itself; one at a time by its command, a million would take an hour."""
    made = subprocess.run([keygate, "keys", "create", "-c", where / config, "--organization", "acme", "--environment", "live",
                           "--scopes", rig.SCOPES[0]], capture_output=True, text=True, check=False)
    if made.returncode:
        raise rig.Failure(f"keygate keys create: {made.stderr[:2000]}")
    database = sqlite3.connect(path)
    with database:
        database.executemany(f"INSERT INTO keys ({COLUMNS}) VALUES ({', '.join('?' * 10)})", rows_of(keys))
    database.close()


def resident(pid, kind="Rss"):
    """Bytes of the whole tree; `Private` is what no other process shares, `Anonymous` what is of no file."""
    names = {"Rss": ["Rss"], "Private": ["Private_Clean", "Private_Dirty"], "Anonymous": ["Anonymous"]}[kind]
    total = 0
    for process in rounds.tree(pid):
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
            name, size = line.split(":")
            total += int(size.split()[0]) * 1024 if name in names else 0
    return total


def settled(pid, seconds=1.5, patience=30):
    """Bytes of no file, once they have not changed for so long: buffers go back after a second of silence."""
    end = time.monotonic() + patience
    last, since = resident(pid, "Anonymous"), time.monotonic()
    while time.monotonic() - since < seconds and time.monotonic() < end:
        time.sleep(0.1)
        now = resident(pid, "Anonymous")
        if now != last:
            last, since = now, time.monotonic()
    return last
