#!/usr/bin/python3 -B
"""Python's aiohttp, as a service calls another."""
import asyncio
import contextlib
import functools
import hashlib
import ssl
import sys

import promises
import upstream


def awaited(test):
    """A test that is a coroutine, of a session whose connections are counted."""
    @functools.wraps(test)
    def run(self):
        async def within():
            async with self.session() as self.asking:
                await asyncio.wait_for(test(self), 55)
        asyncio.run(within())
    return run


async def in_pieces(size):
    for piece in upstream.pieces(size):
        yield piece


class Aiohttp(promises.Client):
    @contextlib.asynccontextmanager
    async def session(self):
        import aiohttp
        self.made = 0

        async def count(*_):
            self.made += 1

        tracing = aiohttp.TraceConfig()
        tracing.on_connection_create_end.append(count)
        tls = ssl.create_default_context(cafile=str(self.stand.ca_file)) if self.is_tls else None
        async with aiohttp.ClientSession(self.base, connector=aiohttp.TCPConnector(ssl=tls), trace_configs=[tracing],
                                         auto_decompress=False) as session:
            yield session

    async def ask(self, method, target, **more):
        async with self.asking.request(method, target, headers=more.pop("headers", self.bearer), **more) as answer:
            return answer, await answer.read()

    def assert_one_connection(self):
        self.assertEqual(self.made, 1, "connections made")

    @awaited
    async def test_keeps_its_connection(self):
        for _ in range(100):
            answer, _ = await self.ask("GET", "/v1/who")
            self.assertEqual(answer.status, 200)
        self.assert_one_connection()

    @awaited
    async def test_uploads_100_mb(self):
        with open(promises.large_file(self.stand.folder), "rb") as file:
            self.assert_uploaded((await self.ask("POST", "/v1/upload", data=file))[1])
        self.assert_uploaded((await self.ask("POST", "/v1/upload", data=in_pieces(promises.LARGE)))[1])
        self.assert_one_connection()

    @awaited
    async def test_downloads_100_mb(self):
        for kind in ("", "&chunked=1"):
            hashed = hashlib.sha256()
            async with self.asking.get(f"/v1/download?size={promises.LARGE}{kind}", headers=self.bearer) as answer:
                async for piece in answer.content.iter_any():
                    hashed.update(piece)
            self.assertEqual(hashed.hexdigest(), upstream.digest(promises.LARGE))
        self.assert_one_connection()

    @awaited
    async def test_gets_events_one_by_one(self):
        target, arrivals = self.new_stream()
        text = b""
        async with self.asking.get(target, headers=self.bearer) as answer:
            for arrival in arrivals:
                text += await answer.content.readuntil(b"\n\n")
                self.assertEqual((await self.ask("GET", arrival))[0].status, 200)
            text += await answer.content.read()
        self.assertEqual(text.decode(), self.expected_stream())
        self.assertEqual(self.made, 2, "connections made")

    @awaited
    async def test_has_messages_echoed(self):
        async with self.asking.ws_connect("/v1/ws", headers=self.bearer, max_msg_size=0) as socket:
            for first in range(0, promises.MESSAGES, 100):
                for number in range(first, first + 100):
                    await socket.send_str(f"message {number} " + "x" * (number % 200))
                for number in range(first, first + 100):
                    self.assertEqual(await socket.receive_str(timeout=20), f"message {number} " + "x" * (number % 200))
            large = bytes(next(upstream.pieces(1_000_000)))
            await socket.send_bytes(large)
            self.assertTrue(await socket.receive_bytes(timeout=20) == large, "a large message came back as another")
        self.assertEqual(socket.close_code, 1000)

    @awaited
    async def test_gets_gzip_untouched(self):
        answer, raw = await self.ask("GET", "/v1/gzip", headers=self.bearer | {"Accept-Encoding": "gzip"})
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertTrue(raw == upstream.GZIPPED, "the compressed bytes have changed")

    @awaited
    async def test_asks_for_heads(self):
        answer, body = await self.ask("HEAD", "/v1/download?size=123456")
        self.assertEqual((answer.status, answer.headers["Content-Length"], body), (200, "123456", b""))
        self.assertEqual((await self.ask("GET", "/v1/who"))[0].status, 200)
        self.assert_one_connection()

    @awaited
    async def test_waits_for_100_continue(self):
        sent = 0

        async def counted():
            nonlocal sent
            async for piece in in_pieces(promises.LARGE):
                sent += len(piece)
                yield piece

        self.assert_uploaded((await self.ask("POST", "/v1/upload", data=counted(), expect100=True))[1])
        sent = 0
        answer, body = await self.ask("POST", "/admin/upload", data=counted(), expect100=True)
        self.assertEqual((answer.status, sent), (403, 0))
        self.assert_problem(body, "insufficient_scope")

    @awaited
    async def test_is_denied_and_goes_on(self):
        answers = [await self.ask("GET", "/v1/who"), await self.ask("GET", "/admin/who"), await self.ask("GET", "/v1/who", headers={}),
                   await self.ask("GET", "/v1/who")]
        self.assertEqual([answer.status for answer, _ in answers], [200, 403, 401, 200])
        self.assert_problem(answers[1][1], "insufficient_scope")
        self.assert_problem(answers[2][1], "missing_credential")
        self.assert_one_connection()
        # A body that has not come whole ends the connection; the answer is read all the same.
        self.assert_problem((await self.ask("POST", "/admin/upload", data=b"x" * 1000))[1], "insufficient_scope")
        self.assertEqual((await self.ask("GET", "/v1/who"))[0].status, 200)

    @awaited
    async def test_is_refused_once_revoked(self):
        self.assertEqual((await self.ask("GET", "/v1/who"))[0].status, 200)
        self.revoke()
        while True:
            answer, body = await self.ask("GET", "/v1/who")
            if answer.status != 200:
                break
        self.assertEqual(answer.status, 401)
        self.assert_problem(body, "revoked_key")
        self.assert_one_connection()


if __name__ == "__main__":
    sys.exit(promises.run(Aiohttp, with_sockets=True, needs=[
        ("python3-aiohttp", [sys.executable, "-c", "import aiohttp"]),
        ("python3-websockets", [sys.executable, "-c", "import websockets"])]))
