"""Seeks into a 1 GiB object that the peer has nothing of: each time another URL and place."""

import random
import socket
import statistics
import time

from check import NotComparable
from origin import LARGE, MARK
from row import Metric, Scenario

COUNT = 30


def seek(context):
    peer, origin = context.peer, context.origin
    chance = random.Random(peer.port)
    waited = []
    spent, sent = peer.cpu_seconds(), origin.large_octets()
    for _ in range(COUNT):
        at = chance.randrange(1, LARGE // MARK - 1) * MARK
        with socket.create_connection(("127.0.0.1", peer.port)) as conn:
            began = time.perf_counter()
            conn.sendall(f"GET /large/{chance.getrandbits(64):x} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         f"Range: bytes={at}-{at + MARK - 1}\r\nConnection: close\r\n\r\n".encode())
            got = b""
            while b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n"):
                octets = conn.recv(65536)
                if not octets:
                    raise NotComparable("cut before the first octet")
                got += octets
            waited.append(time.perf_counter() - began)
            if not got.startswith(b"HTTP/1.1 206"):
                raise NotComparable(got.split(b"\r\n")[0].decode(errors="replace"))
            body = got.partition(b"\r\n\r\n")[2]
            while octets := conn.recv(1 << 20):
                body += octets
            if len(body) != MARK or int.from_bytes(body[:8], "big") != at:
                raise NotComparable(f"{len(body)} octets, not those at {at}")
    spent, sent = peer.cpu_seconds() - spent, origin.large_octets() - sent
    return {"first_byte_ms": 1000 * statistics.median(waited), "cpu_ms": 1000 * spent / COUNT,
            "origin_mb": sent / COUNT / MARK}


ALL = [Scenario("seek-1g", seek, (Metric("first_byte_ms", "ms to the first octet"), Metric("cpu_ms", "CPU ms a seek"),
                                  Metric("origin_mb", "MiB from the origin")))]
