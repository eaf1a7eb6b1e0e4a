"""Scenarios whose origin holds its answers: a herd on one cold key, and stale answers while the origin hangs. Each runs
a peer of its own, with a scripted origin behind it."""

import os
import selectors
import socket
import statistics
import threading
import time

BODY = os.urandom(100_000)
HERD = 1_000
KEYS = 20


class Gate:
    """An HTTP/1.1 origin that answers when it is told to. It counts what it is asked beside `/ready`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.asked = 0
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
    def scenario(peer, _origin, _seconds):
        gate = Gate()
        own = type(peer)(os.path.join(peer.directory, "gated"), peer.certificate, peer.key, gate.port)
        own.start()
        try:
            return measure(own, gate)
        finally:
            gate.stop()
            own.stop()
    return scenario


def read_all(conns, length):
    """Until every connection has had an answer with a body of `length`. Returns when the last octet came."""
    waiting = selectors.DefaultSelector()
    left = {}
    for conn in conns:
        conn.setblocking(False)
        waiting.register(conn, selectors.EVENT_READ)
        left[conn] = b""
    count = {conn: None for conn in conns}
    while left:
        ready = waiting.select(timeout=60)
        if not ready:
            raise RuntimeError(f"{len(left)} clients got no whole answer")
        for key, _ in ready:
            conn = key.fileobj
            part = conn.recv(1 << 20)
            if not part:
                raise RuntimeError("an answer was cut")
            if count[conn] is None:
                left[conn] += part
                head, found, body = left[conn].partition(b"\r\n\r\n")
                if not found:
                    continue
                if b" 200 " not in head.split(b"\r\n")[0]:
                    raise RuntimeError(head.decode(errors="replace"))
                count[conn] = len(body)
            else:
                count[conn] += len(part)
            if count[conn] >= length:
                waiting.unregister(conn)
                del left[conn]
    return time.monotonic()


def ask(port, path):
    conn = socket.create_connection(("127.0.0.1", port))
    conn.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return conn


def herd(peer, gate):
    """HERD clients ask for one cold key; the origin's answer goes out; how long until the last has its last octet?"""
    each = []
    for _ in range(20):
        conn = ask(gate.port, "/herd")
        sent = time.monotonic()
        each.append(read_all([conn], len(BODY)) - sent)
        conn.close()
    direct = statistics.median(each)
    gate.open.clear()
    gate.asked = 0
    conns = [ask(peer.port, "/herd") for _ in range(HERD)]
    while gate.asked == 0:
        time.sleep(0.01)
    time.sleep(1)  # the last of them has been read by now
    released = time.monotonic()
    gate.open.set()
    last = read_all(conns, len(BODY)) - released
    for conn in conns:
        conn.close()
    return {"ms_to_last": 1000 * last, "times_origin": last / direct, "origin_requests": gate.asked}


def stale_hang(peer, gate):
    """How long a client waits for a stale answer (stale-if-error) while the origin takes requests and says nothing."""
    gate.lifetime = "max-age=1, stale-if-error=600"
    for n in range(KEYS):
        conn = ask(peer.port, f"/stale/{n}")
        read_all([conn], len(BODY))
        conn.close()
    time.sleep(2.1)
    gate.open.clear()
    took = []
    for turn in range(10):
        for n in range(KEYS):
            began = time.monotonic()
            conn = ask(peer.port, f"/stale/{n}")
            took.append(1000 * (read_all([conn], len(BODY)) - began))
            conn.close()
    return {"p50_ms": statistics.median(took), "max_ms": max(took)}


SCENARIOS = {"herd-1000": with_gate(herd), "stale-hang": with_gate(stale_hang)}
METRICS = {"herd-1000": [("ms_to_last", "ms to the last client"), ("times_origin", "times the origin's own"),
                         ("origin_requests", "origin requests")],
           "stale-hang": [("p50_ms", "ms, median"), ("max_ms", "ms, the slowest")]}
