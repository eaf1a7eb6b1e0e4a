"""Scenarios whose origin holds its answers: a herd on one cold key, and stale answers while the origin hangs. Each runs
a peer of its own, with a scripted origin behind it."""

import dataclasses
import os
import socket
import statistics
import threading
import time

import load
from awake import awake
from check import NotComparable
from peers.peer import Setup
from row import Metric, Scenario, at_most

BODY = os.urandom(10_000)
HERD = 1_000
HERD_ORIGIN_MS = 200
KEYS = 20


class Gate:
    """An HTTP/1.1 origin that answers when it is told to, or `hold` seconds after it was asked. It counts what it is
    asked beside `/ready`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.asked, self.hold = 0, 0.0
        self.lifetime = "max-age=600"
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        try:
            stream = conn.makefile("rb")
            while line := stream.readline():
                while stream.readline().strip():
                    pass
                body = BODY
                if b" /ready " in line:
                    body = b"ready\n"
                else:
                    self.asked += 1
                    time.sleep(self.hold)
                    self.open.wait()
                conn.sendall(f"HTTP/1.1 200 OK\r\nCache-Control: {self.lifetime}\r\nETag: \"1\"\r\n"
                             f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        except OSError:
            pass

    def stop(self):
        self.open.set()
        self.listener.close()
        for conn in self.connections:
            conn.close()


def with_gate(measure):
    def scenario(context):
        if not context.peer.is_cache:
            raise NotComparable("it has no cache")
        gate = Gate()
        try:
            site = dataclasses.replace(context.peer.site, origin_port=gate.port)
            own = type(context.peer)(site, Setup(), "gated/")
            try:
                own.start()
                return measure(context, own, gate)
            finally:
                own.discard()
        finally:
            gate.stop()
    return scenario


def herd(context, peer, gate):
    """HERD clients connect and ask for one cold object whose origin takes HERD_ORIGIN_MS: from the first request to the
    last octet of the last answer."""
    gate.hold = HERD_ORIGIN_MS / 1000
    log = context.log("herd.log")
    if os.path.exists(log):
        os.unlink(log)
    with awake():
        out = load.run(["h2load", "--h1", "-t1", f"-c{HERD}", "-m1", f"-n{HERD}", f"--log-file={log}",
                        f"http://127.0.0.1:{peer.port}/herd"])
    seen = load.read_h2load(out, 0)
    if seen.errors or seen.requests != HERD or seen.octets != HERD * len(BODY):
        raise NotComparable(f"{seen.requests} of {HERD} answers, {seen.errors} failed, {seen.octets} octets")
    rows = load.read_log(log)
    first, last = min(r[0] for r in rows), max(r[0] + r[2] for r in rows)
    return {"times_origin": (last - first) / 1000 / HERD_ORIGIN_MS, "ms_to_last": (last - first) / 1000,
            "p50_ms": statistics.median(r[2] for r in rows) / 1000, "origin_requests": gate.asked}


def ask(port, path):
    """One GET on a connection of its own; how long it took, in ms."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as conn:
        conn.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        got = b""
        while not got.endswith(BODY):
            part = conn.recv(1 << 20)
            if not part:
                raise NotComparable("an answer was cut")
            got += part
    if not got.startswith(b"HTTP/1.1 200 "):
        raise NotComparable(got.split(b"\r\n")[0].decode(errors="replace"))
    return 1000 * (time.monotonic() - began)


def stale_hang(_context, peer, gate):
    """How long a client waits for a stale answer (stale-if-error) while the origin takes requests and says nothing."""
    gate.lifetime = "max-age=1, stale-if-error=600"
    for n in range(KEYS):
        ask(peer.port, f"/stale/{n}")
    time.sleep(2.1)
    gate.open.clear()
    try:
        took = [ask(peer.port, f"/stale/{n}") for _ in range(10) for n in range(KEYS)]
    except TimeoutError:
        raise NotComparable("no answer in 60 s") from None
    return {"p50_ms": statistics.median(took), "max_ms": max(took)}


ALL = [Scenario("herd-1000", with_gate(herd),
                (Metric("times_origin", "times the origin's time", (at_most(1.2),)),
                 Metric("ms_to_last", "ms to the last client"),
                 Metric("p50_ms", "ms, median"), Metric("origin_requests", "origin requests", (at_most(1),)))),
       Scenario("stale-hang", with_gate(stale_hang),
                (Metric("p50_ms", "ms, median"), Metric("max_ms", "ms, the slowest")))]
