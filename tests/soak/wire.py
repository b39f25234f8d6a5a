"""An HTTP client that hides nothing: each connection is one, nothing is sent again, and what breaks off is said to."""
import asyncio
import json
import ssl

PATIENCE = 15  # beyond every deadline that Keygate has here: who waits longer was forgotten


class Broken(Exception):
    """The connection ended before the answer did."""


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    @property
    def code(self):
        """Of Keygate's own answers; `ok` for the service's."""
        if self.fields.get("content-type") != "application/problem+json":
            return "ok"
        return json.loads(self.body)["code"]

    @property
    def outcome(self):
        return f"{self.status} {self.code}"


class Connection:
    """To a port, with or without TLS; made when it is first needed, and again where it has ended."""

    def __init__(self, port, tls=None):
        self.port, self.tls = port, tls
        self.reader = self.writer = None
        self.made = 0

    async def open(self):
        if self.writer is None:
            name = "localhost" if self.tls else None
            self.reader, self.writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, server_hostname=name, limit=1 << 20), PATIENCE)
            self.made += 1

    def close(self, by_reset=False):
        if self.writer is not None:
            if by_reset:
                self.writer.transport.abort()
            else:
                self.writer.close()
        self.reader = self.writer = None

    async def ask(self, method, target, key=None, body=(), **fields):
        """An answer, or Broken. `body`: what it consists of; in chunks, unless there is a content_length."""
        try:
            return await asyncio.wait_for(self.exchange(method, target, key, body, fields), PATIENCE)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, OSError) as failure:
            self.close()
            raise Broken(f"{type(failure).__name__}: {failure}") from None
        except asyncio.TimeoutError:
            self.close()
            raise Broken("hung") from None

    async def exchange(self, method, target, key, body, fields):
        await self.open()
        await self.send_head(method, target, key, body, fields)
        sending = asyncio.ensure_future(self.send_body(body, "content_length" in fields)) if body else None
        try:
            answer = await self.read(method)
        finally:
            if sending is not None:
                has_sent = sending.done() and not sending.exception()
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        if (sending is not None and not has_sent) or answer.fields.get("connection") == "close":
            self.close()
        return answer

    async def send_head(self, method, target, key, body, fields):
        lines = [f"{method} {target} HTTP/1.1", "Host: api.example.com"]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        if body and "content_length" not in fields:
            lines.append("Transfer-Encoding: chunked")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def send_body(self, body, is_plain):
        for piece in body:
            self.writer.write(piece if is_plain else b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
        if not is_plain:
            self.writer.write(b"0\r\n\r\n")
            await self.writer.drain()

    async def read_head(self):
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            if status >= 200:
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                return status, fields

    async def read(self, method="GET"):
        status, fields = await self.read_head()
        body = b"".join([piece async for piece in self.pieces(fields)]) if method != "HEAD" else b""
        return Answer(status, fields, body)

    async def pieces(self, fields):
        if fields.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                yield (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            yield await self.reader.readexactly(int(fields.get("content-length", 0)))
