"""Both ends of a WebSocket, by the library that most Python programs use (python3-websockets).

`serve` prints the port it listens on, and sends back what it is sent until it is killed. `talk URL` connects with KEYGATE_KEY, and
expects ten thousand messages back as they were sent, text and bytes, small and large, a hundred at a time; then that a connection
without a key is refused. Ends with status 1 and the reason where anything is not as it should be.
"""
import asyncio
import os
import sys

import websockets

COUNT = 10_000
AT_A_TIME = 100
LARGE = 300_000  # beyond every buffer on the way


def message(number):
    if number % 1000 == 999:
        return os.urandom(LARGE)
    text = f"message {number} " + "x" * (number % 200)
    return text.encode() if number % 2 else text


async def echo(socket, _path=None):
    async for each in socket:
        await socket.send(each)


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def talk(url):
    headers = {"Authorization": "Bearer " + os.environ["KEYGATE_KEY"]}
    async with websockets.connect(url + "/v1/ws", extra_headers=headers, max_size=None) as socket:
        back = 0
        for first in range(0, COUNT, AT_A_TIME):
            sent = [message(number) for number in range(first, first + AT_A_TIME)]
            sending = asyncio.ensure_future(send_all(socket, sent))
            for expected in sent:
                if await socket.recv() != expected:
                    raise SystemExit(f"message {back} came back as another")
                back += 1
            await sending
        await asyncio.wait_for(await socket.ping(), 30)
    if socket.close_code != 1000:
        raise SystemExit(f"closed with {socket.close_code} instead of 1000")
    try:
        async with websockets.connect(url + "/v1/ws"):
            raise SystemExit("connected without a key")
    except websockets.exceptions.InvalidStatusCode as refusal:
        if refusal.status_code != 401:
            raise SystemExit(f"{refusal.status_code} without a key")
    print(f"{back} messages came back")


async def send_all(socket, messages):
    for each in messages:
        await socket.send(each)


asyncio.run(serve() if sys.argv[1] == "serve" else talk(sys.argv[2]))
