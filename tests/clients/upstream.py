#!/usr/bin/env python3
"""A service with what real clients ask for: large bodies, event streams, gzip; and, when asked to, the faults of a bad one.

Prints the port it listens on (its first argument, or a free one), and serves until it is ended. What it does is the last segment of
the path, so that a policy can put anything in front of it.
"""
import asyncio
import gzip
import hashlib
import json
import socket
import struct
import sys
import urllib.parse

PERIOD = 1_000_003  # a prime: a piece of a body that is lost, doubled or moved does not fit what follows
PATTERN = hashlib.shake_128(b"keygate").digest(PERIOD)
TEXT = b"".join(b"line %d of what is worth compressing\n" % line for line in range(3000))
GZIPPED = gzip.compress(TEXT, mtime=0)

told = {}  # by stream, the events that its client says it has


def pieces(size):
    """What a body of this size consists of."""
    for left in range(size, 0, -PERIOD):
        yield PATTERN if left >= PERIOD else PATTERN[:left]


def digest(size):
    hashed = hashlib.sha256()
    for piece in pieces(size):
        hashed.update(piece)
    return hashed.hexdigest()


class Gone(Exception):
    """The connection is over, by whoever's wish."""


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.method = self.path = ""
        self.query, self.fields, self.left = {}, {}, None

    async def serve(self):
        try:
            while await self.read_head():
                name = self.path.rsplit("/", 1)[-1]
                await ACTIONS.get(name, Connection.who)(self)
                async for _ in self.body():
                    pass
        except (Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writer.close()

    async def read_head(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as short:
            if short.partial:
                raise Gone from None
            return False
        start, *lines = head[:-4].decode("latin-1").split("\r\n")
        self.method, target, _ = start.split(" ")
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        is_chunked = self.fields.get("transfer-encoding", "").lower() == "chunked"
        self.left = None if is_chunked else int(self.fields.get("content-length", 0))
        return True

    async def body(self):
        """What has not been read of it yet."""
        while self.left is None:
            size = int((await self.reader.readline()).split(b";")[0], 16)
            if size:
                yield (await self.reader.readexactly(size + 2))[:-2]
            else:
                await self.reader.readline()
                self.left = 0
        while self.left:
            piece = await self.reader.read(min(self.left, 262144))
            if not piece:
                raise Gone
            self.left -= len(piece)
            yield piece

    def head(self, status, *fields):
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields), "", ""]
        self.writer.write("\r\n".join(lines).encode("latin-1"))

    async def answer(self, body, *fields):
        """In one piece, so that a short answer is never cut in its middle when its key is revoked."""
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in fields), "", ""]
        self.writer.write("\r\n".join(lines).encode("latin-1") + (b"" if self.method == "HEAD" else body))
        await self.writer.drain()

    async def who(self):
        """Whom the request is for, as the proxy says."""
        told_of = {"method": self.method, "path": self.path, "organization": self.fields.get("x-org-id"),
                   "key": self.fields.get("x-key-id"), "credential": self.fields.get("authorization"),
                   "degraded": self.fields.get("x-keygate-degraded")}
        await self.answer(json.dumps(told_of).encode(), ("Content-Type", "application/json"))

    async def upload(self):
        hashed, size = hashlib.sha256(), 0
        async for piece in self.body():
            hashed.update(piece)
            size += len(piece)
        await self.answer(json.dumps({"sha256": hashed.hexdigest(), "size": size, "key": self.fields.get("x-key-id"),
                                      "expect": self.fields.get("expect")}).encode())

    async def download(self):
        size = int(self.query["size"])
        is_chunked = "chunked" in self.query
        self.head("200 OK", ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", size))
        for piece in pieces(0 if self.method == "HEAD" else size):
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await self.writer.drain()
        if is_chunked and self.method != "HEAD":
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def events(self):
        """Each is sent once the client has said on another connection that it has the one before."""
        stream, count = self.query["stream"], int(self.query["count"])
        arrived = told.setdefault(stream, asyncio.Queue())
        self.head("200 OK", ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"),
                  ("Transfer-Encoding", "chunked"))
        try:
            for number in range(count):
                event = f"id: {number}\ndata: event {number} for {self.fields.get('x-key-id')}\n\n".encode()
                self.writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                await self.writer.drain()
                if await asyncio.wait_for(arrived.get(), 20) != str(number):
                    raise Gone
        except asyncio.TimeoutError:
            raise Gone from None
        finally:
            del told[stream]
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def arrived(self):
        """Says that an event has."""
        told.setdefault(self.query["stream"], asyncio.Queue()).put_nowait(self.query["number"])
        await self.answer(b"")

    async def gzip(self):
        await self.answer(GZIPPED, ("Content-Encoding", "gzip"), ("Content-Type", "text/plain"), ("Vary", "Accept-Encoding"))

    # --- Faults ---

    def reset(self):
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()
        raise Gone

    async def resets(self):
        """Ends without a word."""
        self.reset()

    async def resets_midway(self):
        self.head("200 OK", ("Content-Length", 100000))
        self.writer.write(PATTERN[:50000])
        await self.writer.drain()
        self.reset()

    async def truncates(self):
        self.head("200 OK", ("Transfer-Encoding", "chunked"))
        self.writer.write(b"400\r\n" + PATTERN[:100])
        await self.writer.drain()
        raise Gone

    async def garbles(self):
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
        await self.writer.drain()
        raise Gone

    async def never_answers(self):
        async for _ in self.body():
            pass
        if await self.reader.read(1) == b"":
            raise Gone

    async def is_slow(self):
        """In ten pieces, half a second in all."""
        self.head("200 OK", ("Content-Length", 10000))
        for start in range(0, 10000, 1000):
            self.writer.write(PATTERN[start:start + 1000])
            await self.writer.drain()
            await asyncio.sleep(0.05)


ACTIONS = {name: getattr(Connection, name) for name in
           ("who", "upload", "download", "events", "arrived", "gzip", "resets", "resets_midway", "truncates", "garbles",
            "never_answers", "is_slow")}


async def main(port):
    async def serve(reader, writer):
        await Connection(reader, writer).serve()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
