#!/usr/bin/python3 -B
"""curl, as most people first try an API."""
import gzip
import subprocess
import sys
import tempfile

import promises
import upstream


class Curl(promises.Client):
    left_out = {"has_messages_echoed": "Debian's curl has no WebSocket"}

    def argv(self, *words):
        return ["curl", "--silent", "--show-error", "--max-time", "50", "--cacert", str(self.stand.ca_file), *map(str, words)]

    def curl(self, *words, data=None):
        done = subprocess.run(self.argv(*words), input=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def with_key(self, target):
        return "-H", f"Authorization: Bearer {self.key}", self.base + target

    def on_one_connection(self, *transfers):
        """The status of each, with the bodies; only the first may have made a connection."""
        words = []
        for transfer in transfers:
            words += [*(["--next"] if words else []), "--silent", "--cacert", self.stand.ca_file,
                      "-w", "\n%{num_connects} %{http_code}\n", *transfer]
        lines = self.curl(*words).decode().splitlines()
        ends = [line.split() for line in lines if line[:2] in ("0 ", "1 ")]
        self.assertEqual([made for made, _ in ends], ["1"] + ["0"] * (len(transfers) - 1), "connections made")
        return [status for _, status in ends], "\n".join(lines)

    def test_keeps_its_connection(self):
        statuses, _ = self.on_one_connection(*[self.with_key("/v1/who")] * 10)
        self.assertEqual(statuses, ["200"] * 10)

    def test_uploads_100_mb(self):
        file = promises.large_file(self.stand.folder)
        self.assert_uploaded(self.curl("-T", file, *self.with_key("/v1/upload")))
        with open(file, "rb") as data:  # of unknown length: in chunks
            done = subprocess.run(self.argv("-T", "-", *self.with_key("/v1/upload")), stdin=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assert_uploaded(done.stdout)

    def test_downloads_100_mb(self):
        for kind in ("", "&chunked=1"):
            with tempfile.NamedTemporaryFile(dir=self.stand.folder) as file:
                self.curl("-o", file.name, *self.with_key(f"/v1/download?size={promises.LARGE}{kind}"))
                summed = subprocess.run(["sha256sum", file.name], capture_output=True, text=True, check=True)
            self.assertEqual(summed.stdout.split()[0], upstream.digest(promises.LARGE))

    def test_gets_events_one_by_one(self):
        target, arrivals = self.new_stream()
        with subprocess.Popen(self.argv("-N", *self.with_key(target)), stdout=subprocess.PIPE, text=True) as streaming:
            text = ""
            for arrival in arrivals:
                text += "".join(streaming.stdout.readline() for _ in range(3))
                self.curl(*self.with_key(arrival))
            text += streaming.stdout.read()
        self.assertEqual(text, self.expected_stream())
        self.assertEqual(streaming.returncode, 0)

    def test_gets_gzip_untouched(self):
        raw = self.curl("-H", "Accept-Encoding: gzip", *self.with_key("/v1/gzip"))
        self.assertTrue(raw == upstream.GZIPPED, "the compressed bytes have changed")
        self.assertEqual(self.curl("--compressed", *self.with_key("/v1/gzip")), gzip.decompress(raw))

    def test_asks_for_heads(self):
        statuses, text = self.on_one_connection(("--head", *self.with_key("/v1/download?size=123456")), self.with_key("/v1/who"))
        self.assertEqual(statuses, ["200", "200"])
        self.assertIn("content-length: 123456", text.lower())

    def test_waits_for_100_continue(self):
        file = promises.large_file(self.stand.folder)
        asked = ("-v", "-H", "Expect: 100-continue", "--expect100-timeout", "40", "-T", file)
        done = subprocess.run(self.argv(*asked, *self.with_key("/v1/upload")), capture_output=True, text=True, check=False)
        self.assertIn("< HTTP/1.1 100 Continue", done.stderr)
        self.assert_uploaded(done.stdout)
        # Whoever is denied is told before the body is sent.
        ends = self.curl(*asked, "-w", "\n%{http_code} %{size_upload}", *self.with_key("/admin/upload")).decode()
        self.assertEqual(ends.splitlines()[-1], "403 0")

    def test_is_denied_and_goes_on(self):
        statuses, text = self.on_one_connection(
            self.with_key("/v1/who"), self.with_key("/admin/who"), (self.base + "/v1/who",), self.with_key("/v1/who"))
        self.assertEqual(statuses, ["200", "403", "401", "200"])
        self.assertIn('"insufficient_scope"', text)
        self.assertIn('"missing_credential"', text)
        # A body that has not come whole ends the connection; the answer is read all the same.
        self.assert_problem(self.curl("-d", "x" * 1000, *self.with_key("/admin/upload")), "insufficient_scope")

    def test_is_refused_once_revoked(self):
        def ask():
            body, _, status = self.curl("-w", "\n%{http_code}", *self.with_key("/v1/who")).rpartition(b"\n")
            return int(status), body

        self.assertEqual(ask()[0], 200)
        self.wait_for_refusal(ask)


if __name__ == "__main__":
    sys.exit(promises.run(Curl, needs=[("curl", ["curl", "--version"])]))
