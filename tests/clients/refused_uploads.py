#!/usr/bin/python3 -B
"""How many of 30 refused uploads, sent without waiting for a 100, let the client see the refusal: the table in docs/reliability.md."""
import os
import subprocess

import requests
import stand
import upstream

TIMES = 30
NODE = """
const fs = require("fs"), [base, key, file, ca] = process.argv.slice(1);
const client = require(base.startsWith("https") ? "https" : "http");
const options = { method: "PUT", ca: fs.readFileSync(ca), headers: { authorization: `Bearer ${key}` } };
const once = () => new Promise((resolve) => {
  const asking = client.request(base + "/admin/upload", options, (answer) => {
    answer.resume().on("error", () => {});
    resolve(answer.statusCode === 403);
  });
  asking.on("error", () => resolve(false));
  fs.createReadStream(file).on("error", () => {}).pipe(asking);
});
(async () => {
  let seen = 0;
  for (let i = 0; i < Number(process.env.TIMES); ++i) seen += await once();
  console.log(seen);
  process.exit(0);
})();
"""


def seen_by_requests(base, key, file, ca_file):
    seen = 0
    for _ in range(TIMES):
        with requests.Session() as session, open(file, "rb") as body:
            session.trust_env, session.verify = False, str(ca_file)
            try:
                answer = session.put(base + "/admin/upload", data=body, headers={"Authorization": f"Bearer {key}"}, timeout=20)
                seen += answer.status_code == 403
            except requests.RequestException:
                pass
    return seen


def seen_by_node(base, key, file, ca_file):
    done = subprocess.run(["node", "-e", NODE, base, key, file, ca_file], capture_output=True, text=True, check=True, timeout=100,
                          env=os.environ | {"TIMES": str(TIMES)})
    return int(done.stdout)


def main():
    print("| body | requests | requests, TLS | Node http | Node http, TLS |\n| --- | ---: | ---: | ---: | ---: |")
    with stand.Stand(with_sockets=False) as running:
        key, _ = running.create_key()
        file = running.folder / "body"
        for name, size in (("50 kB", 50_000), ("200 kB", 200_000), ("1 MB", 1_000_000), ("10 MB", 10_000_000)):
            file.write_bytes(b"".join(upstream.pieces(size)))
            seen = [see(running.url(scheme), key, file, running.ca_file)
                    for see in (seen_by_requests, seen_by_node) for scheme in ("http", "https")]
            print(f"| {name} | " + " | ".join(map(str, seen)) + " |", flush=True)


if __name__ == "__main__":
    main()
