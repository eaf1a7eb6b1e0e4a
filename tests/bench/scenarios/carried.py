"""How long it takes from publishing an invalidation to a topic until the last of three nodes, each with a queue of its
own, serves nothing older: SNS and SQS by npm fauxqs on the load's core, the nodes on the server's."""

import contextlib
import dataclasses
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

import load
from check import NotComparable
from peers.peer import PATIENCE, Setup, free_port
from peers.verge import Verge
from row import Metric, Scenario, at_most

E2E = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "e2e")
NODES, PUBLISHES, ALONE = 3, 50, 20  # ALONE: publishes by which the carrier itself is measured
PAUSE = 0.05  # until all poll again
LOOK = 0.0005  # between two looks at the nodes, which leaves the carrier its core
KEYS = "{access_key_id: AKIAEXAMPLE, secret_access_key: secret}"


class Versions:
    """An origin whose every answer is the number that stands now; it may be kept for long."""

    def __init__(self):
        self.now = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        with contextlib.suppress(OSError), conn, conn.makefile("rb") as stream:
            while stream.readline():
                while stream.readline().strip():
                    pass
                body = str(self.now)
                conn.sendall(f"HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nContent-Length: {len(body)}\r\n\r\n"
                             f"{body}".encode())

    def stop(self):
        self.listener.close()


class Carrier:
    """The topic, the queues under it, and calls to both as SDKs make them, on connections that are kept."""

    def __init__(self):
        sys.path.insert(0, E2E)
        try:
            from pathlib import Path
            from support.processes import environment
            from support.serverless import install_node_modules
            install_node_modules(Path(E2E))
        except AssertionError as why:  # Node.js is missing, or its packages
            raise NotComparable(str(why)) from None
        finally:
            sys.path.remove(E2E)
        self.port = free_port()
        self.process = subprocess.Popen(["taskset", "-c", load.CORE, "node", os.path.join(E2E, "carrier.mjs"),
                                         str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment())
        first = self.process.stdout.readline()
        if not first:
            raise NotComparable("fauxqs does not start; it needs Node.js 22")
        self.topic = json.loads(first)["topic"]

    def queues(self, name, count):
        self.process.stdin.write(json.dumps({"queues": name, "count": count}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["queues"]

    def call(self, body, headers):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            conn.request("POST", "/", body, headers)
            answer = conn.getresponse()
            said = answer.read()
        finally:
            conn.close()
        if answer.status != 200:
            raise NotComparable(f"the carrier answered {answer.status}: {said[:100]}")
        return said

    def publish(self, message):
        self.call(urllib.parse.urlencode({"Action": "Publish", "Version": "2010-03-31", "TopicArn": self.topic,
                                          "Message": json.dumps(message)}),
                  {"Content-Type": "application/x-www-form-urlencoded"})

    def receive(self, queue):
        """Waits for a message, leaves it where it is."""
        asked = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20}
        return json.loads(self.call(json.dumps(asked), {"Content-Type": "application/x-amz-json-1.0",
                                                        "X-Amz-Target": "AmazonSQS.ReceiveMessage"}))["Messages"]

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Node(Verge):
    """A node that takes invalidations from a queue."""

    def __init__(self, site, under, queue, endpoint):
        super().__init__(site, Setup(memory=64 << 20, disk=256 << 20), under)
        self.queue, self.endpoint = queue, endpoint

    def configure(self):
        super().configure()
        with open(os.path.join(self.directory, "verge.yaml"), "a") as file:
            file.write(f'invalidation: {{sqs: [{{queue: "{self.queue}", endpoint: "{self.endpoint}", '
                       f'region: us-east-1, credentials: {KEYS}}}]}}\n')


class Viewer:
    """A client of one node; keeps its connection."""

    def __init__(self, peer):
        self.conn = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=PATIENCE)

    def sees(self, page):
        self.conn.request("GET", page)
        answer = self.conn.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NotComparable(f"status {answer.status} of {page}")
        return int(body)


def publishing(carrier, page):
    """Publishes in a thread, as whoever deploys does; returns (when it was called, the thread)."""
    thread = threading.Thread(target=carrier.publish, args=({"paths": [page]},))
    began = time.monotonic()
    thread.start()
    return began, thread


def carrier_alone(carrier, queue):
    """ms from publishing to the return of a call that waits at the queue."""
    took = []
    for _ in range(ALONE):
        seen = []
        waiting = threading.Thread(target=lambda: seen.append((carrier.receive(queue), time.monotonic())))
        waiting.start()
        time.sleep(PAUSE)
        began, thread = publishing(carrier, "/nothing")
        waiting.join()
        thread.join()
        if not seen:
            raise NotComparable("the carrier brought no message")
        took.append(1000 * (seen[0][1] - began))
    return statistics.median(took)


def to_the_last(carrier, origin, viewers, page):
    """ms from publishing to the first answer of the last node that is new."""
    origin.now += 1
    began, thread = publishing(carrier, page)
    waiting = list(viewers)
    while waiting:
        for viewer in list(waiting):
            if viewer.sees(page) == origin.now:
                waiting.remove(viewer)
                last = time.monotonic()
        if time.monotonic() - began > PATIENCE:
            raise NotComparable(f"{len(waiting)} of {len(viewers)} nodes served the old answer after {PATIENCE} s")
        time.sleep(LOOK)
    thread.join()
    if any(viewer.sees(page) != origin.now for viewer in viewers * 3):
        raise NotComparable("an old answer came after a new one")
    return 1000 * (last - began)


def fleet(context):
    if context.peer.name != "verge":
        raise NotComparable("verge alone is held to this")
    with contextlib.ExitStack() as stack:
        carrier = Carrier()
        stack.callback(carrier.stop)
        origin = Versions()
        stack.callback(origin.stop)
        alone, *queues = carrier.queues("fleet", 1 + NODES)
        carried = carrier_alone(carrier, alone)
        site = dataclasses.replace(context.peer.site, origin_port=origin.port)
        viewers = []
        for number, queue in enumerate(queues):
            node = Node(site, f"fleet-{number}/", queue, f"http://127.0.0.1:{carrier.port}")
            stack.callback(node.discard)
            node.start()
            viewers.append(Viewer(node))
            stack.callback(viewers[-1].conn.close)
        if any(viewer.sees("/page") != origin.now for viewer in viewers):
            raise NotComparable("a node did not serve what the origin has")
        to_the_last(carrier, origin, viewers, "/page")  # from here on all wait at their queues
        took = []
        for _ in range(PUBLISHES):
            time.sleep(PAUSE)
            took.append(to_the_last(carrier, origin, viewers, "/page"))
    return {"last_ms": statistics.median(took), "worst_ms": max(took), "carrier_ms": carried}


ALL = [Scenario("purge-fleet", fleet,
                (Metric("last_ms", f"ms from publishing to the last of {NODES} nodes", (at_most(50),)),
                 Metric("worst_ms", f"ms, the slowest of {PUBLISHES}", (at_most(50),)),
                 Metric("carrier_ms", "ms, the carrier alone, to one queue")))]
