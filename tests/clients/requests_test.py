#!/usr/bin/python3 -B
"""Python's requests, as most scripts call an API."""
import hashlib
import sys

import promises
import upstream


class Requests(promises.Client):
    left_out = {"has_messages_echoed": "requests has no WebSocket; websockets_test.py and aiohttp_test.py have"}

    def setUp(self):
        super().setUp()
        import requests
        self.session, self.other = requests.Session(), requests.Session()  # two connections
        for session in (self.session, self.other):
            session.trust_env = False  # a CA bundle that the environment names would win
            session.verify = str(self.stand.ca_file)
            session.headers.update(self.bearer)

    def tearDown(self):
        self.session.close()
        self.other.close()

    def ask(self, method, target, session=None, **more):
        return (session or self.session).request(method, self.base + target, timeout=50, **more)

    def assert_one_connection(self, session=None):
        pools = (session or self.session).get_adapter(self.base).poolmanager.pools
        self.assertEqual([pools[key].num_connections for key in pools.keys()], [1], "connections made")

    def test_keeps_its_connection(self):
        for _ in range(100):
            answer = self.ask("GET", "/v1/who")
            self.assertEqual((answer.status_code, answer.json()["key"]), (200, self.key_id))
        self.assert_one_connection()

    def test_uploads_100_mb(self):
        with open(promises.large_file(self.stand.folder), "rb") as file:
            self.assert_uploaded(self.ask("POST", "/v1/upload", data=file).content)
        self.assert_uploaded(self.ask("POST", "/v1/upload", data=upstream.pieces(promises.LARGE)).content)
        self.assert_one_connection()

    def test_downloads_100_mb(self):
        for kind in ("", "&chunked=1"):
            answer = self.ask("GET", f"/v1/download?size={promises.LARGE}{kind}", stream=True)
            hashed = hashlib.sha256()
            for piece in answer.iter_content(1 << 20):
                hashed.update(piece)
            self.assertEqual(hashed.hexdigest(), upstream.digest(promises.LARGE))
        self.assert_one_connection()

    def test_gets_events_one_by_one(self):
        target, arrivals = self.new_stream()
        answer = self.ask("GET", target, stream=True)
        lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        text = ""
        for arrival in arrivals:
            text += "".join(next(lines) + "\n" for _ in range(3))
            self.assertEqual(self.ask("GET", arrival, session=self.other).status_code, 200)
        self.assertEqual(list(lines), [])
        self.assertEqual(text, self.expected_stream())
        self.ask("GET", "/v1/who")
        self.assert_one_connection()

    def test_gets_gzip_untouched(self):
        answer = self.ask("GET", "/v1/gzip", stream=True)
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertTrue(answer.raw.read(decode_content=False) == upstream.GZIPPED, "the compressed bytes have changed")
        self.assertEqual(self.ask("GET", "/v1/gzip").content, upstream.TEXT)

    def test_asks_for_heads(self):
        answer = self.ask("HEAD", "/v1/download?size=123456")
        self.assertEqual((answer.status_code, answer.headers["Content-Length"], answer.content), (200, "123456", b""))
        self.assertEqual(self.ask("GET", "/v1/who").status_code, 200)
        self.assert_one_connection()

    def test_waits_for_100_continue(self):
        """It does not wait: the body is on its way when the 100 comes."""
        answer = self.ask("POST", "/v1/upload", data=upstream.pieces(10_000_000), headers={"Expect": "100-continue"})
        self.assert_uploaded(answer.content, 10_000_000)

    def test_is_denied_and_goes_on(self):
        answers = [self.ask("GET", "/v1/who"), self.ask("GET", "/admin/who"), self.ask("GET", "/v1/who", headers={"Authorization": None}),
                   self.ask("GET", "/v1/who")]
        self.assertEqual([each.status_code for each in answers], [200, 403, 401, 200])
        self.assert_problem(answers[1].content, "insufficient_scope")
        self.assert_problem(answers[2].content, "missing_credential")
        self.assert_one_connection()
        # A body that has not come whole ends the connection; the answer is read all the same.
        self.assert_problem(self.ask("POST", "/admin/upload", data=b"x" * 1000).content, "insufficient_scope")
        self.assertEqual(self.ask("GET", "/v1/who").status_code, 200)

    def test_is_refused_once_revoked(self):
        def ask():
            answer = self.ask("GET", "/v1/who")
            return answer.status_code, answer.content

        self.assertEqual(ask()[0], 200)
        self.wait_for_refusal(ask)
        self.assert_one_connection()


if __name__ == "__main__":
    sys.exit(promises.run(Requests, needs=[("python3-requests", [sys.executable, "-c", "import requests"])]))
