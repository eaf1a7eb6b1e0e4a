"""What a peer holds for clients that do little: idle TLS connections, and slow readers of a large object."""

import socket
import ssl
import time

from check import NotComparable, must_serve
from peers.peer import Setup
from row import Metric, Scenario, at_most

IDLE, WARM_UP = 10_000, 200
READERS, CRAWL_SECONDS, TAKES = 200, 8, 16_384
LEAST_TAKEN = READERS * 8 * TAKES  # what all of them together must have got


def idle_tls(context):
    """Memory of a TLS connection that made one request and stays: the growth by IDLE of them, after some to warm up."""
    peer, body = context.peer, context.origin.body("1k")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    must_serve(f"https://127.0.0.1:{peer.tls_port}/1k", body)
    held = []

    def open_some(count):
        for _ in range(count):
            conn = client.wrap_socket(socket.create_connection(("127.0.0.1", peer.tls_port), timeout=20))
            held.append(conn)
            conn.sendall(b"GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            got = b""
            while not got.endswith(body):
                part = conn.recv(65536)
                if not part:
                    raise NotComparable(f"it closed connection {len(held)}")
                got += part

    try:
        open_some(WARM_UP)
        before = peer.memory_kb()
        open_some(IDLE)
        grown = peer.memory_kb() - before
        for conn in held[::500]:
            conn.sendall(b"GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if not conn.recv(65536).startswith(b"HTTP/1.1 200"):
                raise NotComparable("an idle connection answers no more")
    except OSError as why:
        raise NotComparable(f"connection {len(held)} of {WARM_UP + IDLE}: {why}") from None
    finally:
        for conn in held:
            conn.close()
    return {"kb_per_connection": grown / IDLE}


def kernel_mb():
    """Memory of all TCP buffers of the machine, in MiB."""
    with open("/proc/net/sockstat") as file:
        tcp = next(line for line in file if line.startswith("TCP:")).split()
    return int(tcp[tcp.index("mem") + 1]) * 4096 / (1 << 20)


def crawl(peer):
    """READERS clients take a little of /100m at a time for CRAWL_SECONDS. Returns how much the peer and the kernel grew
    at most, in MiB."""
    before, kernel_before = peer.memory_kb(), kernel_mb()
    clients, taken, grown, kernel = [], 0, 0, 0.0
    try:
        for _ in range(READERS):
            conn = socket.socket()
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAKES)
            conn.settimeout(20)
            conn.connect(("127.0.0.1", peer.port))
            conn.sendall(b"GET /100m HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            clients.append(conn)
        until = time.monotonic() + CRAWL_SECONDS
        while time.monotonic() < until:
            for conn in clients:
                got = len(conn.recv(TAKES))
                if not got:
                    raise NotComparable("it closed on a slow reader")
                taken += got
            grown, kernel = max(grown, peer.memory_kb()), max(kernel, kernel_mb())
            time.sleep(0.1)
    except OSError as why:
        raise NotComparable(f"a slow reader got nothing: {why}") from None
    finally:
        for conn in clients:
            conn.close()
    if taken < LEAST_TAKEN:
        raise NotComparable(f"slow readers got only {taken} octets")
    return (grown - before) / 1024, kernel - kernel_before


def slow_readers(context):
    """First of an object that the peer does not have, then of one that it has."""
    with context.with_own(Setup(), "slow") as peer:
        cold, cold_kernel = crawl(peer)
        must_serve(f"http://127.0.0.1:{peer.port}/100m", context.origin.body("100m"))
        time.sleep(1)
        warm, warm_kernel = crawl(peer)
    return {"cold_mb": cold, "warm_mb": warm, "cold_kernel_mb": cold_kernel, "warm_kernel_mb": warm_kernel}


ALL = [Scenario("idle-tls", idle_tls, (Metric("kb_per_connection", "KB a connection", (at_most(18),)),)),
       Scenario("slow-readers", slow_readers,
                (Metric("cold_mb", "MB grown, cold", (at_most(16),)),
                 Metric("warm_mb", "MB grown, warm", (at_most(16),)),
                 Metric("cold_kernel_mb", "MB in the kernel, cold"),
                 Metric("warm_kernel_mb", "MB in the kernel, warm")))]
