"""Who asks, good and bad, and what each of them may be answered in whatever is the matter."""
import asyncio
import json
import random
import time

import surroundings
import upstream
import websockets
import wire

SLACK = 1.5  # seconds: two cores have much else to do
RECOVERY = 4.0  # until a key server that is back is asked again by all
MALFORMED = (
    (b"GET /v1/who HTTP/1.1\r\n\r\n", "400 bad_request"),
    (b"GET /v1/who HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 bad_request"),
    (b"POST /v1/who HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400 bad_request"),
    (b"POST /v1/who HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 bad_request"),
    (b"GET /v1/who HTTP/1.1\r\nHost : a\r\n\r\n", "400 bad_request"),
    (b"GET /v1/who HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "400 bad_request"),
    (b"GET /v1/who HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", "400 bad_request"),
    (b"GET /v1/%2e%2e/admin HTTP/1.1\r\nHost: a\r\n\r\n", "400 ambiguous_path"),
    (b"GET /v1//who HTTP/1.1\r\nHost: a\r\n\r\n", "400 ambiguous_path"),
    (b"BREW /v1/who HTTP/1.1\r\nHost: a\r\n\r\n", "501 not_implemented"),
    (b"TRACE /v1/who HTTP/1.1\r\nHost: a\r\n\r\n", "405 method_not_allowed"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 version_not_supported"),
    (b"GET /v1/who HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", "431 header_too_large"),
    (b"GET /v1/" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "414 target_too_long"),
    (b"POST /v1/who HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx", "417 expectation_failed"),
)


class Member:
    def __init__(self, number, key, key_id):
        self.organization, self.key, self.id = f"org_{number}", key, key_id
        self.revoking_since = self.revoked_since = None

    def may_pass(self, begin):
        return self.revoked_since is None or begin <= self.revoked_since + surroundings.BOUND + SLACK


class Traffic:
    def __init__(self, faulty, tls, seed):
        self.faulty, self.tls, self.random, self.is_over = faulty, tls, random.Random(seed), False
        self.counts, self.wrongs, self.doomed, self.hung = {}, [], [], 0
        self.members = [Member(number, *faulty.create_key(f"org_{number}")) for number in range(50)]
        self.tasks = []

    def start(self):
        for does, times in ((self.walk, 16), (self.upload, 2), (self.download, 2), (self.stream, 2), (self.talk, 2), (self.find_faults, 2),
                            (self.dawdle, 2), (self.read_slowly, 1), (self.babble, 1), (self.vanish, 2), (self.revoke, 1),
                            (self.guess, 1)):
            for number in range(times):
                self.tasks.append(asyncio.ensure_future(self.over_and_over(does, number)))

    async def stop(self):
        self.is_over = True
        for failure in await asyncio.gather(*self.tasks, return_exceptions=True):
            if failure is not None:
                self.wrong("traffic", f"the soak itself: {failure!r}")

    async def over_and_over(self, does, number):
        connection = wire.Connection(self.faulty.ports["tls" if number % 2 else "plain"], self.tls if number % 2 else None)
        while not self.is_over:
            await does(connection)
            await asyncio.sleep(self.random.uniform(0, 0.04))
        connection.close()

    # --- What is right ---

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def wrong(self, what, why):
        self.count("WRONG")
        if len(self.wrongs) < 40:
            self.wrongs.append(f"{time.monotonic() - self.began:8.3f} s, {what}: {why}")

    began = time.monotonic()

    def excuses(self, begin):
        """The outcomes that something which is the matter explains."""
        excused = set()
        if self.faulty.was_harmed("key server", begin, RECOVERY):
            excused |= {"503 key_service_unavailable", "broken"} if time.monotonic() - begin > surroundings.BOUND \
                else {"503 key_service_unavailable"}
        if self.faulty.was_harmed("service", begin, SLACK):
            excused |= {"502 upstream_unreachable", "502 upstream_protocol_error", "504 upstream_timeout", "broken"}
        return excused

    async def ask(self, what, connection, method, target, key, expected, is_right=lambda _: "", **more):
        """`expected`: an outcome or several. The answer, where it is one that was due anyway."""
        expected = {expected} if isinstance(expected, str) else set(expected)
        begin, reason = time.monotonic(), ""
        try:
            answer = await connection.ask(method, target, key, **more)
            outcome = answer.outcome
        except wire.Broken as failure:
            answer, outcome, reason = None, "broken", str(failure)
            if reason == "hung":
                self.wrong(what, f"no answer within {wire.PATIENCE} s")
                return None
        self.count(f"{what}: {outcome}")
        if outcome not in expected:
            excuses = self.excuses(begin)
            if outcome not in excuses:
                self.wrong(what, f"{method} {target}: {outcome} {reason} after {time.monotonic() - begin:.3f} s instead of "
                                 f"{' or '.join(sorted(expected))}; {self.matters(begin)}")
            return None
        if answer is not None and (flaw := is_right(answer)):
            self.wrong(what, f"{method} {target}: {outcome}: {flaw}")
        return answer

    def matters(self, begin):
        now = time.monotonic()
        recent = [f"{what} {'now' if end is None else f'until {now - end:.1f} s ago'}" for what, spans in self.faulty.times.items()
                  for _, end in spans[-1:] if " " in what and what != "key server" and (end is None or end + 8 > begin)]
        return "recently: " + (", ".join(recent) or "nothing")

    def identity_flaw(self, member):
        def flaw(answer):
            told = json.loads(answer.body)
            if (told["organization"], told["key"]) != (member.organization, member.id):
                return f"as {told['organization']} {told['key']} instead of {member.organization} {member.id}"
            return "with the key" if told["credential"] else ""
        return flaw

    # --- The good ---

    async def walk(self, connection):
        member, chance = self.random.choice(self.members), self.random.random()
        if chance < 0.1:
            await self.ask("denied", connection, "GET", "/admin/who", member.key, "403 insufficient_scope")
        elif chance < 0.15:
            await self.ask("keyless", connection, "GET", "/v1/who", None, "401 missing_credential")
        else:
            method = "POST" if chance < 0.3 else "GET"
            body = (upstream.PATTERN[:self.random.randrange(1, 3000)],) if method == "POST" else ()
            await self.ask("who", connection, method, "/v1/who", member.key, "200 ok", self.identity_flaw(member), body=body)

    async def upload(self, connection):
        size, member = self.random.randrange(1, 3_000_000), self.random.choice(self.members)

        def flaw(answer):
            told = json.loads(answer.body)
            is_same = (told["size"], told["sha256"], told["key"]) == (size, upstream.digest(size), member.id)
            return "" if is_same else f"another body arrived: {told}"

        fields = {"content_length": size} if self.random.random() < 0.5 else {}
        await self.ask("upload", connection, "PUT", "/v1/upload", member.key, "200 ok", flaw, body=list(upstream.pieces(size)), **fields)

    async def download(self, connection):
        size, kind = self.random.randrange(1, 3_000_000), self.random.choice(("", "&chunked=1"))

        def flaw(answer):
            return "" if answer.body == b"".join(upstream.pieces(size)) else "another body arrived"

        await self.ask("download", connection, "GET", f"/v1/download?size={size}{kind}", self.random.choice(self.members).key, "200 ok", flaw)

    async def stream(self, connection):
        """Event by event, each on its way only when the one before has been said to be there."""
        member, name, begin = self.random.choice(self.members), f"soak-{self.random.random()}", time.monotonic()
        other = wire.Connection(connection.port, connection.tls)

        async def follow():
            await connection.open()
            await connection.send_head("GET", f"/v1/events?stream={name}&count=5", member.key, (), {})
            status, fields = await connection.read_head()
            if status != 200:
                body = await connection.reader.readexactly(int(fields["content-length"]))
                return wire.Answer(status, fields, body).outcome
            number = 0
            async for piece in connection.pieces(fields):
                if piece != f"id: {number}\ndata: event {number} for {member.id}\n\n".encode():
                    return f"an event that is not number {number}: {piece!r}"
                arrived = await other.ask("GET", f"/v1/arrived?stream={name}&number={number}", member.key)
                if arrived.status != 200:
                    return arrived.outcome
                number += 1
            return "200 ok" if number == 5 else f"{number} events"

        try:
            outcome, reason = await asyncio.wait_for(follow(), wire.PATIENCE), ""
        except (OSError, wire.Broken, asyncio.IncompleteReadError, ValueError) as failure:
            outcome, reason = "broken", repr(failure)
        except asyncio.TimeoutError:
            outcome, reason = "hung", ""
        self.count(f"events: {outcome}")
        if outcome != "200 ok":
            connection.close()
            if outcome not in self.excuses(begin):
                self.wrong("events", f"{outcome} {reason} after {time.monotonic() - begin:.3f} s; {self.matters(begin)}")
        other.close()

    def socket_of(self, connection, key):
        url = f"{'wss://localhost' if connection.tls else 'ws://127.0.0.1'}:{connection.port}/v1/ws"
        return websockets.connect(url, extra_headers={"Authorization": f"Bearer {key}"}, ssl=connection.tls, open_timeout=wire.PATIENCE)

    async def talk(self, connection):
        begin, outcome = time.monotonic(), "101 ok"
        try:
            async with self.socket_of(connection, self.random.choice(self.members).key) as socket:
                for number in range(100):
                    text = f"{number} " + "x" * self.random.randrange(5000)
                    await socket.send(text)
                    if await asyncio.wait_for(socket.recv(), wire.PATIENCE) != text:
                        outcome = "another message came back"
        except websockets.exceptions.InvalidStatusCode as refusal:
            outcome = "503 key_service_unavailable" if refusal.status_code == 503 else str(refusal.status_code)
        except (OSError, EOFError, websockets.exceptions.WebSocketException) as failure:
            outcome = "broken"
            reason = repr(failure)
        except asyncio.TimeoutError:
            outcome, reason = "hung", ""
        self.count(f"websocket: {outcome}")
        # The echo is never harmed.
        if outcome != "101 ok" and outcome not in self.excuses(begin) - {"502 upstream_unreachable"}:
            self.wrong("websocket", f"{outcome} {locals().get('reason', '')} after {time.monotonic() - begin:.3f} s; {self.matters(begin)}")

    # --- The bad ---

    async def find_faults(self, connection):
        target, expected = self.random.choice((
            ("/v1/resets", "502 upstream_protocol_error"), ("/v1/resets_midway", "broken"), ("/v1/truncates", "broken"),
            ("/v1/garbles", "502 upstream_protocol_error"), ("/v1/never_answers", "504 upstream_timeout"), ("/v1/is_slow", "200 ok")))
        await self.ask("bad service", connection, "GET", target, self.random.choice(self.members).key, expected,
                       lambda answer: "" if answer.status != 200 or answer.body == upstream.PATTERN[:10000] else "another body arrived")

    async def dawdle(self, connection):
        """A head that comes byte by byte: 408, and the end."""
        begin, outcome = time.monotonic(), "no end"
        connection.close()
        try:
            await connection.open()
            connection.writer.write(b"GET /v1/who HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            reading = asyncio.ensure_future(connection.read())
            while not reading.done() and time.monotonic() - begin < wire.PATIENCE:
                connection.writer.write(b"x")
                await asyncio.wait([reading], timeout=0.2)
            outcome = (await asyncio.wait_for(reading, 1)).outcome
        except (OSError, asyncio.IncompleteReadError) as failure:
            outcome = f"broken {failure!r}"
        except asyncio.TimeoutError:
            pass
        took = time.monotonic() - begin
        self.count(f"slow head: {outcome}")
        if outcome != "408 request_timeout" or not 1.9 < took < 2 + 3 * SLACK:
            self.wrong("slow head", f"{outcome} after {took:.3f} s")
        connection.close()

    async def read_slowly(self, connection):
        """Less than the service sends, in a while: all of it comes in the end."""
        connection.close()
        begin, size, body = time.monotonic(), 6_000_000, bytearray()
        outcome = "200 ok"
        try:
            await connection.open()
            await connection.send_head("GET", f"/v1/download?size={size}", self.random.choice(self.members).key, (), {})
            status, fields = await connection.read_head()
            if status != 200:
                outcome = wire.Answer(status, fields, await connection.reader.readexactly(int(fields["content-length"]))).outcome
            while status == 200 and len(body) < size:
                piece = await asyncio.wait_for(connection.reader.read(300_000), wire.PATIENCE)
                if not piece:
                    raise ConnectionError("ended early")
                body += piece
                await asyncio.sleep(0.1)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as failure:
            outcome = "broken"
            reason = repr(failure)
        self.count(f"slow reader: {outcome}")
        if outcome != "200 ok" and outcome not in self.excuses(begin):
            self.wrong("slow reader", f"{outcome} {locals().get('reason', '')} at {len(body)}; {self.matters(begin)}")
        if outcome == "200 ok" and bytes(body) != b"".join(upstream.pieces(size)):
            self.wrong("slow reader", "another body arrived")
        connection.close()

    async def babble(self, connection):
        said, expected = self.random.choice(MALFORMED)
        connection.close()
        try:
            await connection.open()
            connection.writer.write(said)
            answer = await asyncio.wait_for(connection.read(), wire.PATIENCE)
            outcome = answer.outcome
            if await asyncio.wait_for(connection.reader.read(1), wire.PATIENCE):
                outcome += " and more"
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as failure:
            outcome = f"broken {failure!r}"
        self.count(f"malformed: {outcome}")
        if outcome != expected:
            self.wrong("malformed", f"{said[:60]!r}: {outcome} instead of {expected}")
        connection.close()

    async def vanish(self, connection):
        """In the middle of whatever it is, by a reset as often as not."""
        member, by_reset = self.random.choice(self.members), self.random.random() < 0.5
        connection.close()
        is_bare = self.random.random() < 0.3
        leaving = wire.Connection(connection.port, None if is_bare else connection.tls)
        try:
            await leaving.open()
            said = (f"PUT /v1/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {member.key}\r\nContent-Length: 100000\r\n\r\n".encode()
                    + upstream.PATTERN[:50000]) if self.random.random() < 0.5 else \
                f"GET /v1/download?size=5000000 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {member.key}\r\n\r\n".encode()
            leaving.writer.write(said[:self.random.randrange(len(said) + 1)])
            await asyncio.wait_for(leaving.reader.read(10), self.random.uniform(0, 0.1))
        except (OSError, asyncio.TimeoutError):
            pass
        self.count("vanished")
        leaving.close(by_reset)

    async def guess(self, connection):
        key = f"kg_nobody{self.random.randrange(10**30):030}"
        await self.ask("unknown", connection, "GET", "/v1/who", key, {"401 invalid_key", "429 too_many_unknown_keys"})
        await asyncio.sleep(0.2)

    # --- Those who lose their keys ---

    async def revoke(self, connection):
        """A new key passes, and does not for longer than the bound once it is revoked; nor does a socket that it has opened."""
        loop = asyncio.get_running_loop()
        number = 1000 + len(self.doomed)
        try:
            member = Member(number, *await loop.run_in_executor(None, self.faulty.create_key, f"org_{number}"))
        except OSError:
            return await asyncio.sleep(0.2)
        self.doomed.append(member)
        await self.ask("doomed", connection, "GET", "/v1/who", member.key, "200 ok", self.identity_flaw(member))
        opened = asyncio.Event()
        following = asyncio.ensure_future(self.follow_to_its_end(connection, member, opened))
        await opened.wait()
        member.revoking_since = time.monotonic()
        try:
            await loop.run_in_executor(None, self.faulty.revoke_key, member.id)
            member.revoked_since = time.monotonic()
        except OSError:
            following.cancel()  # nobody knows whether it has been
            await asyncio.gather(following, return_exceptions=True)
            return None
        await self.wait_for_end(connection, member)
        await following
        return None

    async def wait_for_end(self, connection, member):
        refusals = 0
        while refusals < 20 and not self.is_over:
            begin = time.monotonic()
            expected = {"401 revoked_key"} | ({"200 ok", "broken"} if member.may_pass(begin) else set())
            answer = await self.ask("doomed", connection, "GET", "/v1/who", member.key, expected)
            refusals += answer is not None and answer.status == 401
            await asyncio.sleep(0.05)

    async def follow_to_its_end(self, connection, member, opened):
        begin = time.monotonic()
        try:
            async with self.socket_of(connection, member.key) as socket:
                opened.set()
                self.count("doomed socket: 101 ok")
                await asyncio.wait_for(socket.wait_closed(), 2 * surroundings.BOUND + RECOVERY + 2 * SLACK)
        except asyncio.TimeoutError:
            self.wrong("doomed socket", f"open {time.monotonic() - begin:.1f} s after its key was revoked; {self.matters(begin)}")
        except (OSError, EOFError, websockets.exceptions.WebSocketException) as failure:
            self.count(f"doomed socket: {type(failure).__name__}")
        finally:
            opened.set()
