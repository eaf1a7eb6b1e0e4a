"""SNS that carries to one queue for each node (npm fauxqs), and a bad path between a queue and its node."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
from support.processes import environment, free_ports  # noqa: E402  (the path above leads to them)
from support.serverless import install_node_modules  # noqa: E402

REMEMBERED = 50
BATCH = 10  # most messages in an answer of SQS


class Carrier:
    """A topic and its queues, every second one with raw message delivery."""

    async def start(self, queues):
        await asyncio.to_thread(install_node_modules, E2E)
        self.port, = free_ports(1)
        self._process = await asyncio.create_subprocess_exec(
            "node", "--no-warnings", str(E2E / "carrier.mjs"), str(self.port), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, env=environment())
        self._turn = asyncio.Lock()
        await self._process.stdout.readline()
        self.queues = (await self._ask(queues="promise", raw=[i % 2 == 1 for i in range(queues)]))["queues"]

    async def _ask(self, **what):
        async with self._turn:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            await self._process.stdin.drain()
            return json.loads(await self._process.stdout.readline())

    async def publish(self, command):
        await self._ask(publish=json.dumps(command))

    async def stop(self):
        self._process.stdin.close()
        await self._process.wait()


async def read_message(reader):
    """(head without length and connection, body) of one HTTP message; raises IncompleteReadError at its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return [line for line in head if not line.lower().startswith(("content-length:", "connection:"))], fields, body


def written(head, body, *more):
    return "\r\n".join([*head, *more, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


class FaultyPath:
    """What lies between a node and its queue: it may be cut, and hands messages out late, in another order, or twice."""

    def __init__(self, dice, upstream):
        self.dice, self.upstream = dice, upstream
        self.counts = {"twice": 0, "late": 0, "cuts": 0}
        self._late, self._some_late = [], asyncio.Event()
        self._remembered, self._connections = [], set()
        self._tasks = set()
        self._is_cut = False

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self):
        self.counts["cuts"] += 1
        self._is_cut = True
        for writer in self._connections:
            writer.transport.abort()

    def mend(self):
        self._is_cut = False

    def _spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, reader, writer):
        self._connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not self._is_cut:
                head, fields, body = await read_message(reader)
                receives = fields.get("x-amz-target", "").endswith(".ReceiveMessage")
                answered = self._spawn(self._forward(written(head, body, "Connection: close")))
                if receives:
                    await self._answer_messages(reader, writer, answered)
                else:
                    status, got = await answered
                    writer.write(written(status, got))
                await writer.drain()
        self._connections.discard(writer)
        writer.close()

    async def _forward(self, octets):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(octets)
        head, _, body = await read_message(reader)
        writer.close()
        return head, body

    async def _answer_messages(self, reader, writer, answered):
        """With what the queue says or with what is late, whichever comes first. What the queue says to a call whose node
        is gone is kept for the next call: as when its visibility ends, without the wait."""
        answered.add_done_callback(self._keep)
        while not self._late and not answered.done():
            late = self._spawn(self._some_late.wait())
            await asyncio.wait({answered, late}, return_when=asyncio.FIRST_COMPLETED)
            late.cancel()
        if answered.done():
            await answered
        if self._is_cut or reader.at_eof():
            return
        messages, self._late = self._late[:BATCH], self._late[BATCH:]
        if not self._late:
            self._some_late.clear()
        if self._remembered and len(messages) < BATCH and self.dice.random() < 0.2:
            self.counts["twice"] += 1
            messages.append(self.dice.choice(self._remembered))
        self._remembered = (self._remembered + messages)[-REMEMBERED:]
        self.dice.shuffle(messages)
        body = json.dumps({"Messages": messages} if messages else {}).encode()
        writer.write(written(["HTTP/1.1 200 OK", "Content-Type: application/x-amz-json-1.0"], body))

    def _keep(self, answered):
        if answered.cancelled() or answered.exception():
            return
        for message in json.loads(answered.result()[1] or b"{}").get("Messages", []):
            if self.dice.random() < 0.15:
                self.counts["late"] += 1
                self._spawn(self._later(message))
            else:
                self._hand_out(message)

    async def _later(self, message):
        await asyncio.sleep(self.dice.uniform(0.0, 0.5))
        self._hand_out(message)

    def _hand_out(self, message):
        self._late.append(message)
        self._some_late.set()
