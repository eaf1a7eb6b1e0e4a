"""What is measured. A scenario prepares the peer, checks that it serves what it should, and gives back numbers."""

import hashlib
import random
import socket
import ssl
import statistics
import subprocess
import time

import load
from origin import LARGE, MARK


class NotComparable(Exception):
    """The peer did not serve what it should: its figure would say nothing."""


def fetch(url, *arguments):
    done = subprocess.run(["curl", "-sk", "-w", "\n%{http_code}", "-o", "-", *arguments, url], capture_output=True, check=False)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status or 0), body


def must_serve(url, body, *arguments):
    status, got = fetch(url, *arguments)
    if status != 200 or hashlib.sha256(got).digest() != hashlib.sha256(body).digest():
        raise NotComparable(f"{url}: status {status}, {len(got)} octets instead of {len(body)}")


def cpu_per_thousand(peer, work):
    before = peer.cpu_seconds()
    requests, errors, p50, p99 = work()
    spent = peer.cpu_seconds() - before
    if errors:
        raise NotComparable(f"{errors} of {requests} requests failed")
    if requests < 100:
        raise NotComparable(f"only {requests} requests were answered")
    return {"cpu_ms_per_1000": 1e6 * spent / requests, "requests_per_cpu_second": requests / spent if spent else 0.0,
            "p50_ms": p50, "p99_ms": p99}


def hit(size, protocol):
    def measure(peer, origin, seconds):
        scheme, port = ("http", peer.port) if protocol == "h1" else ("https", peer.tls_port)
        url = f"{scheme}://127.0.0.1:{port}/{size}"
        for _ in range(3):
            must_serve(url, origin.body(size), "--http2" if protocol == "tls-h2" else "--http1.1")
        asked = (lambda: load.h2load(url, seconds)) if protocol == "tls-h2" else (lambda: load.wrk(url, seconds))
        return cpu_per_thousand(peer, asked)
    return measure


def not_modified(peer, origin, seconds):
    url = f"http://127.0.0.1:{peer.port}/1k"
    must_serve(url, origin.body("1k"))
    headers = subprocess.run(["curl", "-sI", url], capture_output=True, text=True, check=True).stdout
    etag = next(line.split(":", 1)[1].strip() for line in headers.splitlines() if line.lower().startswith("etag:"))
    if fetch(url, "-H", f"If-None-Match: {etag}")[0] != 304:
        raise NotComparable("no 304 to its own ETag")
    return cpu_per_thousand(peer, lambda: load.wrk(url, seconds, headers=[f"If-None-Match: {etag}"]))


def miss(size, protocol):
    def measure(peer, origin, seconds):
        scheme, port = ("http", peer.port) if protocol == "h1" else ("https", peer.tls_port)
        url = f"{scheme}://127.0.0.1:{port}/miss/x/{size}"
        must_serve(url, origin.body(size))
        return cpu_per_thousand(peer, lambda: load.wrk(url, seconds))
    return measure


def handshake(resume):
    def measure(peer, origin, seconds):
        must_serve(f"https://127.0.0.1:{peer.tls_port}/1k", origin.body("1k"))
        return cpu_per_thousand(peer, lambda: load.handshakes(peer.tls_port, seconds, resume))
    return measure


def idle_tls(peer, origin, _seconds):
    """Memory of an idle, used TLS connection: 2,000 that made one request each and stay."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    must_serve(f"https://127.0.0.1:{peer.tls_port}/1k", origin.body("1k"))

    def open_some(count):
        out = []
        for _ in range(count):
            conn = context.wrap_socket(socket.create_connection(("127.0.0.1", peer.tls_port)))
            conn.sendall(b"GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            got = b""
            while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < 1000:
                got += conn.recv(65536)
            out.append(conn)
        return out

    warm = open_some(200)
    before = peer.memory_kb()
    count = 2000
    held = open_some(count)
    after = peer.memory_kb()
    for conn in warm + held:
        conn.close()
    return {"kb_per_connection": (after - before) / count}


def slow_readers(peer, origin, _seconds):
    """Growth of the process while 200 clients read one cold 100 MB object at a crawl, and that it arrives whole."""
    before = peer.memory_kb()
    clients = []
    for _ in range(200):
        conn = socket.socket()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        conn.connect(("127.0.0.1", peer.port))
        conn.sendall(b"GET /100m HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        clients.append(conn)
    most = 0
    until = time.monotonic() + 8
    while time.monotonic() < until:
        for conn in clients:
            conn.recv(16384)
        most = max(most, peer.memory_kb())
    for conn in clients:
        conn.close()
    return {"grown_mb": (most - before) / 1024}


def seek(peer, origin, _seconds):
    """Seeks into a 1 GiB object that the peer has nothing of: each time another URL and place."""
    random.seed(peer.port)
    waited = []
    spent, sent = peer.cpu_seconds(), origin.large_octets()
    count = 30
    for _ in range(count):
        at = random.randrange(1, LARGE // MARK - 1) * MARK
        with socket.create_connection(("127.0.0.1", peer.port)) as conn:
            began = time.perf_counter()
            conn.sendall(f"GET /large/{random.getrandbits(64):x} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes={at}-{at + MARK - 1}"
                         "\r\nConnection: close\r\n\r\n".encode())
            got = b""
            while b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n"):
                octets = conn.recv(65536)
                if not octets:
                    raise NotComparable("cut before the first octet")
                got += octets
            waited.append(time.perf_counter() - began)
            if not got.startswith(b"HTTP/1.1 206"):
                raise NotComparable(got[:40])
            body = got.partition(b"\r\n\r\n")[2]
            while octets := conn.recv(1 << 20):
                body += octets
            if len(body) != MARK or int.from_bytes(body[:8], "big") != at:
                raise NotComparable(f"{len(body)} octets, not those at {at}")
    spent, sent = peer.cpu_seconds() - spent, origin.large_octets() - sent
    return {"first_byte_ms": 1000 * statistics.median(waited), "cpu_ms": 1000 * spent / count, "origin_mb": sent / count / (1 << 20)}


SCENARIOS = {}
for _protocol in ("h1", "tls-h1", "tls-h2"):
    for _size in ("1k", "10k", "100k", "1m"):
        SCENARIOS[f"hit-{_size}-{_protocol}"] = hit(_size, _protocol)
SCENARIOS["304-h1"] = not_modified
for _size in ("1k", "100k"):
    for _protocol in ("h1", "tls-h1"):
        SCENARIOS[f"miss-{_size}-{_protocol}"] = miss(_size, _protocol)
SCENARIOS["handshake-full"] = handshake(False)
SCENARIOS["handshake-resumed"] = handshake(True)
SCENARIOS["idle-tls"] = idle_tls
SCENARIOS["slow-readers"] = slow_readers
SCENARIOS["seek-1g"] = seek
