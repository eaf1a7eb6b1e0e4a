"""Runs nodes, clients and a changing origin, with faults, and checks the promise of history.py for every response."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "scenarios")]
import carrier  # noqa: E402
import harness  # noqa: E402
import history  # noqa: E402
import world  # noqa: E402

CONFIG = """
listen:
  - address: 127.0.0.1:0
workers: 2
cache: {{path: ./cache, disk: 64MiB, memory: 16MiB}}
origins: {{app: {{type: http, url: "http://127.0.0.1:{port}"}}}}
sites: [{{hosts: ["*"], routes: [{{match: "/*", origin: app}}]}}]
admin: {{address: 127.0.0.1:0}}
access_log: off
invalidation:
  forget: 1s
  guard: {{after: 3s}}
"""
QUEUE = """
  sqs:
    - queue: "{queue}"
      endpoint: "http://127.0.0.1:{port}"
      region: us-east-1
      credentials: {{access_key_id: AKIAEXAMPLE, secret_access_key: secret}}
"""
FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1".format(os.uname().machine)
STEPS = ("+0", "+0", "+90", "-45", "+3600", "-3600")  # seconds that a node's clock is off
PATIENCE = 30.0
LANGUAGES = ("en", "de")


class Broken(Exception):
    """The peer went away; the request may or may not have been taken."""


async def exchange(connection, octets):
    """One request on a kept connection: (status, headers, body)."""
    reader, writer = connection
    try:
        writer.write(octets)
        lines = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode("latin-1").split("\r\n")
        fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        body = await asyncio.wait_for(reader.readexactly(int(fields.get("content-length", 0))), PATIENCE)
        return int(lines[0].split(" ")[1]), fields, body
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError, IndexError) as why:
        raise Broken(str(why)) from why


class Run:
    def __init__(self, options):
        self.options = options
        self.dice = random.Random(options.seed)
        # Some answers must be on their way for longer than it takes to tell a node.
        self.origin = world.Origin(random.Random(options.seed + 1), 0.3 if options.carrier == "sqs" else 0.1)
        self.nodes, self.up, self.paths = [], [], []
        self.carrier = carrier.Carrier() if options.carrier == "sqs" else None
        self.awaited, self.wipes = [], []  # for each node: {id of a purge: Future}; how often its disk was wiped
        self.responses, self.invalidations = [], []
        self.counts = {"responses": 0, "hits": 0, "guarded": 0, "broken": 0, "kills": 0, "pauses": 0, "wiped": 0,
                       "errors": 0, "repeated": 0, "steps": 0}
        self.done = False

    # --- clients ---

    async def client(self, seed):
        dice, connections = random.Random(seed), {}
        urls = world.all_urls()
        while not self.done:
            n = dice.randrange(len(self.nodes))
            if not self.up[n].is_set():
                await asyncio.sleep(0)
                n = next((m for m in range(len(self.nodes)) if self.up[m].is_set()), None)
                if n is None:
                    await self.up[0].wait()
                    continue
            url = urls[min(int(dice.expovariate(1 / 20)), len(urls) - 1)] if dice.random() < 0.7 else dice.choice(urls)
            host, _, path = url.partition("/")
            request = (f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept-Language: {dice.choice(LANGUAGES)}\r\n\r\n").encode()
            try:
                if n not in connections:
                    connections[n] = await asyncio.open_connection("127.0.0.1", self.nodes[n].ports[0])
                began = time.monotonic()
                status, fields, body = await exchange(connections[n], request)
            except (OSError, Broken):
                self.counts["broken"] += 1
                if n in connections:
                    connections.pop(n)[1].close()
                continue
            if status != 200:
                self.counts["errors"] += 1
                continue
            got, version, _ = body.decode().split(" ", 2)
            if got != url:
                raise AssertionError(f"node {n} answered {url} with the body of {got}")
            self.responses.append(history.Response(n, url, int(version), began, time.monotonic()))
            self.counts["hits"] += "; hit" in fields.get("cache-status", "")
            self.counts["guarded"] += "guarded" in fields.get("cache-status", "")
        for _, writer in connections.values():
            writer.close()

    # --- who deploys ---

    async def tell(self, n, invalidation, command, dice):
        """Until node `n` acknowledges it; sometimes twice, sometimes late."""
        if dice.random() < 0.3:
            await asyncio.sleep(dice.random() * 0.02)
        body = json.dumps(command).encode()
        repeats = 1 + (dice.random() < 0.1)
        while repeats:
            await self.up[n].wait()
            try:
                connection = await asyncio.open_connection("127.0.0.1", self.nodes[n].admin_port)
                head = (f"POST /purge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
                status, _, _ = await exchange(connection, head + body)
                connection[1].close()
            except (OSError, Broken):
                await asyncio.sleep(0.01)  # it may have been taken or not: said again
                continue
            if status != 200:
                raise AssertionError(f"node {n} answers {status} to {command}")
            repeats -= 1
            if invalidation is not None:
                self.counts["repeated"] += n in invalidation.acknowledged
                invalidation.acknowledged.setdefault(n, time.monotonic())

    async def deployer(self, share, seed):
        dice = random.Random(seed)
        for _ in range(share):
            target = world.random_target(dice)
            soft = dice.random() < 0.1  # promises nothing about old responses, and must not disturb those that do
            self.origin.change(target.urls)
            given = None
            if not soft:
                given = history.Invalidation(target.name, {u: self.origin.versions[u] for u in target.urls}, time.monotonic())
                self.invalidations.append(given)
            command = target.command | {"soft": soft}
            if self.carrier:
                await self.publish(given, command, dice)
            else:
                await asyncio.gather(*(self.tell(n, given, command, dice) for n in range(len(self.nodes))))

    async def publish(self, invalidation, command, dice):
        """By the topic, sometimes twice; until every node says that it applied it, or lost its disk since."""
        repeats = 1 + (dice.random() < 0.1)
        message = f"promise-{dice.getrandbits(64):x}"
        while repeats:
            wipes = list(self.wipes)
            await self.carrier.publish(command | {"id": message})
            await asyncio.gather(*(self.acknowledged(n, message, wipes[n], invalidation) for n in range(len(self.nodes))))
            repeats -= 1

    async def acknowledged(self, n, message, wipes, invalidation):
        applied = self.awaited[n].setdefault(message, asyncio.get_running_loop().create_future())
        deadline = time.monotonic() + 4 * PATIENCE
        while not applied.done() and self.wipes[n] == wipes:
            await asyncio.wait({applied}, timeout=0.5)
            if time.monotonic() > deadline:
                raise AssertionError(f"node {n} never said that it applied message {message}")
        if applied.done() and invalidation is not None:
            self.counts["repeated"] += n in invalidation.acknowledged
            invalidation.acknowledged.setdefault(n, applied.result())
        self.awaited[n].pop(message, None)

    async def listen(self, n):
        """What node `n` says it applied (GET /purges), as soon as it says so."""
        while not self.done:
            await self.up[n].wait()
            try:
                connection = await asyncio.open_connection("127.0.0.1", self.nodes[n].admin_port)
                while not self.done:
                    _, _, body = await exchange(connection, b"GET /purges HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    now = time.monotonic()
                    for purge in json.loads(body)["purges"]:
                        applied = self.awaited[n].get(purge.get("id"))
                        if applied is not None and not applied.done():
                            applied.set_result(now)
                    await asyncio.sleep(0.02)
                connection[1].close()
            except (OSError, Broken):
                await asyncio.sleep(0.01)

    # --- faults ---

    async def faults(self, seed):
        dice = random.Random(seed)
        while not self.done:
            await asyncio.sleep(dice.uniform(0.3, 1.0))
            n = dice.randrange(len(self.nodes))
            node = self.nodes[n]
            if self.paths and dice.random() < 0.3:
                self.paths[n].cut()
                await asyncio.sleep(dice.uniform(0.1, 1.0))
                self.paths[n].mend()
                continue
            # The first one for certain: a short run has few faults.
            if self.options.clock_steps and (self.counts["steps"] == 0 or dice.random() < 0.2):
                self.counts["steps"] += 1
                self.set_clock(n, dice.choice(STEPS))
                continue
            if dice.random() < 0.5:
                self.counts["pauses"] += 1
                node.signal(signal.SIGSTOP)
                await asyncio.sleep(dice.uniform(0.01, 0.15))
                node.signal(signal.SIGCONT)
                continue
            self.counts["kills"] += 1
            self.up[n].clear()
            await asyncio.to_thread(node.kill)
            if dice.random() < 0.25:
                self.counts["wiped"] += 1
                self.wipes[n] += 1
                shutil.rmtree(os.path.join(node.directory, "cache"), ignore_errors=True)
            await asyncio.to_thread(node.start)
            self.up[n].set()

    def set_clock(self, n, offset):
        """Steps the wall clock of a node; its monotonic clock goes on."""
        with open(os.path.join(self.nodes[n].directory, "clock.new"), "w") as file:
            file.write(offset + "\n")
        os.replace(file.name, os.path.join(self.nodes[n].directory, "clock"))

    # --- the whole ---

    async def add_node(self, n):
        config = CONFIG.format(port=self.origin.port)
        if self.carrier:
            path = carrier.FaultyPath(random.Random(self.options.seed + 10 + n), self.carrier.port)
            await path.start()
            self.paths.append(path)
            config += QUEUE.format(queue=self.carrier.queues[n], port=path.port)
        node = harness.Node(config, start=False)
        self.nodes.append(node)
        self.awaited.append({})
        self.wipes.append(0)
        if self.options.clock_steps:
            self.set_clock(n, STEPS[0])
            node.env = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": os.path.join(node.directory, "clock"),
                        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1"}
        await asyncio.to_thread(node.start)
        self.up.append(asyncio.Event())
        self.up[-1].set()

    async def go(self):
        await self.origin.start()
        if self.carrier:
            await self.carrier.start(self.options.nodes)
        for n in range(self.options.nodes):
            await self.add_node(n)
        seeds = [self.dice.getrandbits(32) for _ in range(40)]
        listeners = [asyncio.create_task(self.listen(n)) for n in range(len(self.nodes))] if self.carrier else []
        clients = [asyncio.create_task(self.client(s)) for s in seeds[:16]]
        others = [asyncio.create_task(self.faults(seeds[16]))] if self.options.faults else []
        writers = 16 if self.carrier else 4  # a message takes longer than a call
        deployers = [asyncio.create_task(self.deployer(self.options.invalidations // writers, s)) for s in seeds[20:20 + writers]]
        others += listeners
        watched = clients + others + deployers
        try:
            while not (all(d.done() for d in deployers) and len(self.responses) >= self.options.requests):
                finished, _ = await asyncio.wait(watched, timeout=0.05, return_when=asyncio.FIRST_EXCEPTION)
                for task in finished:
                    task.result()
                self.progress()
                watched = [t for t in watched if not t.done()]
            self.done = True
            for up in self.up:
                await up.wait()
            for task in await asyncio.gather(*clients, *others, return_exceptions=True):
                if isinstance(task, BaseException):
                    raise task
        finally:
            self.done = True
            for task in clients + others + deployers:
                task.cancel()
            await asyncio.gather(*clients, *others, *deployers, return_exceptions=True)
            for node in self.nodes:
                with contextlib.suppress(OSError):
                    node.signal(signal.SIGCONT)
                node.cleanup()
            for path in self.paths:
                await path.stop()
            if self.carrier:
                await self.carrier.stop()
            await self.origin.stop()

    def progress(self):
        if sys.stderr.isatty():
            print(f"\r{len(self.responses):7} responses {len(self.invalidations):5} invalidations", end="", file=sys.stderr)

    def report(self):
        self.counts["responses"] = len(self.responses)
        found = history.violations(self.responses, self.invalidations)
        acknowledged = sum(len(i.acknowledged) for i in self.invalidations)
        for name in ("twice", "late", "cuts") if self.paths else ():
            self.counts[name] = sum(path.counts[name] for path in self.paths)
        print(f"seed {self.options.seed}: {len(self.invalidations)} hard invalidations, {acknowledged} acknowledgements, "
              f"{self.origin.asked} origin requests, " + ", ".join(f"{n} {name}" for name, n in self.counts.items()))
        for violation in found[:5]:
            print(f"BROKEN: {violation}")
        print(f"{len(found)} responses break the promise")
        return found


def run(**wanted):
    """(violations, the Run), for tests."""
    options = argparse.Namespace(seed=1, requests=10_000, invalidations=500, nodes=3, faults=True, carrier="api",
                                 clock_steps=False)
    vars(options).update(wanted)
    it = Run(options)
    asyncio.run(it.go())
    return it.report(), it


def main():
    parser = argparse.ArgumentParser(prog="tests/promise/run.py", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31), help="repeats the choices of a run")
    parser.add_argument("--requests", type=int, default=10_000, help="at least so many responses (10000)")
    parser.add_argument("--invalidations", type=int, default=500, help="(500)")
    parser.add_argument("--nodes", type=int, default=3, help="(3)")
    parser.add_argument("--no-faults", dest="faults", action="store_false", help="no node is killed or paused")
    parser.add_argument("--carrier", choices=("api", "sqs"), default="api",
                        help="how nodes are told: by POST /purge (api), or SNS and a queue each, on a bad path (sqs)")
    parser.add_argument("--clock-steps", action="store_true", help="the nodes' wall clocks step (libfaketime)")
    options = parser.parse_args()
    sys.exit(1 if run(**vars(options))[0] else 0)


if __name__ == "__main__":
    main()
