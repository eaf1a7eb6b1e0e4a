"""What a RAM hit on a kept-alive connection may cost: counted, never timed. The program runs with count_calls.cc loaded
before it."""

import os
import socket
import struct
import subprocess
import tempfile
import unittest

from harness import PATIENCE, Scenario

COUNT_CALLS = os.environ.get("VERGE_COUNT_CALLS", "")
NAMES = ("heap", "lock", "read", "write", "wait", "control")
ROUNDS = 400


@unittest.skipIf(os.environ.get("VERGE_SANITIZE") or not COUNT_CALLS, "a sanitizer has a heap of its own")
class HotPath(Scenario):
    def setUp(self):
        super().setUp()
        self.counts = tempfile.NamedTemporaryFile()
        self.addCleanup(self.counts.close)
        self.counts.write(b"\0" * 4096)
        self.counts.flush()

    def counted_node(self, **kwargs):
        env = {**os.environ, "LD_PRELOAD": COUNT_CALLS, "COUNT_CALLS": self.counts.name}
        return self.node(env=env, **kwargs)

    def read_counts(self):
        with open(self.counts.name, "rb") as file:
            return dict(zip(NAMES, struct.unpack(f"{len(NAMES)}Q", file.read(8 * len(NAMES)))))

    def spent(self, work):
        before = self.read_counts()
        work()
        after = self.read_counts()
        return {name: after[name] - before[name] for name in NAMES}

    def least(self, work):
        """The least of some runs: other threads of the program wake now and then, and only ever add."""
        runs = [self.spent(work) for _ in range(5)]
        return {name: min(run[name] for run in runs) for name in NAMES}

    def store(self, node, path, body, disk=False, **headers):
        asked = node.start_get(path)
        self.origin.take().reply(body=body, headers={"Cache-Control": "max-age=3600", "ETag": '"v1"',
                                                     "Content-Type": "text/plain", **headers})
        asked.result()
        if disk:
            node.wait_for_metric("verge_cache_disk_entries", 1)
        self.assertIn("hit", node.get(path)["cache-status"])

    @staticmethod
    def read_answers(conn, count, size):
        """Reads that many answers with a body of `size`; gives back all octets."""
        got, seen = b"", 0
        while seen < count:
            piece = conn.recv(1 << 20)
            if not piece:
                raise AssertionError("the connection ended")
            got += piece
            at, seen = 0, 0
            while True:
                end = got.find(b"\r\n\r\n", at)
                if end < 0 or len(got) < end + 4 + size:
                    break
                at, seen = end + 4 + size, seen + 1
        return got

    # As a browser sends it: what the request is made of must cost no memory either.
    HEAD = (b"GET /assets/scripts/application-0123456789abcdef.js?version=20240101 HTTP/1.1\r\nHost: site.example\r\n"
            b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r\nAccept: */*\r\n"
            b"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: https://site.example/\r\n"
            b"Sec-Fetch-Dest: script\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: same-origin\r\n%s\r\n")
    PATH = "/assets/scripts/application-0123456789abcdef.js?version=20240101"

    def rounds(self, conn, request, size):
        def work():
            for _ in range(ROUNDS):
                conn.sendall(request)
                self.read_answers(conn, 1, size)
        return work

    def one_by_one(self, conn, request, size, heap=ROUNDS // 20):
        work = self.rounds(conn, request, size)
        work()  # warm
        least = self.least(work)
        self.assertLess(least["heap"], heap, least)
        self.assertLess(least["lock"], ROUNDS // 10, least)
        self.assertLess(least["read"], ROUNDS * 1.05, least)
        self.assertLess(least["write"], ROUNDS * 1.05, least)
        self.assertLess(least["control"], ROUNDS // 20, least)
        return least

    def test_a_hit_takes_no_memory_no_lock_and_two_system_calls(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 1000)
        with node.connect() as conn:
            self.one_by_one(conn, self.HEAD % b"", 1000)

    def test_one_whose_body_is_a_piece_of_its_own_too(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 10_000)
        with node.connect() as conn:
            self.one_by_one(conn, self.HEAD % b"", 10_000)

    def test_and_one_that_is_too_large_to_be_ready(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 40_000)
        with node.connect() as conn:
            self.one_by_one(conn, self.HEAD % b"", 40_000)

    def test_a_range_of_what_is_too_large_for_memory_leaves_in_one_write(self):
        node = self.counted_node()
        body = os.urandom(2 << 20)
        self.store(node, self.PATH, body, disk=True)
        first, last = (1 << 20) - 5_000, (1 << 20) + 65_000  # of two Blocks
        with node.connect() as conn:
            work = self.rounds(conn, self.HEAD % f"Range: bytes={first}-{last - 1}\r\n".encode(), last - first)
            work()  # the kernel's buffers grow
            self.assertLess(self.least(work)["write"], ROUNDS * 1.3)

    def test_the_same_when_an_invalidation_of_something_else_is_in_force(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 1000)
        self.assertEqual(node.purge("/elsewhere/*").returncode, 0)
        with node.connect() as conn:
            self.one_by_one(conn, self.HEAD % b"", 1000)

    def test_a_304_too(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 1000)
        with node.connect() as conn:
            self.one_by_one(conn, self.HEAD % b'If-None-Match: "v1"\r\n', 0)

    def test_and_a_hit_over_tls(self):
        node = self.counted_node(start=False)
        self.self_signed(node.directory, "site.example")
        node.write_config(self.config().replace("127.0.0.1:0\n", """127.0.0.1:0
  - address: 127.0.0.2:0
    tls: {certificates: [{chain: cert.pem, key: key.pem}]}
""", 1))
        node.start()
        tls = socket.create_connection(("127.0.0.2", node.ports[1]), timeout=PATIENCE)
        with self.client_tls().wrap_socket(tls, server_hostname="site.example") as conn:
            conn.sendall(self.HEAD % b"") # another scheme, another key
            self.origin.take().reply(body=b"b" * 10_000, headers={"Cache-Control": "max-age=3600"})
            self.read_answers(conn, 1, 10_000)
            # OpenSSL takes its buffers anew for each record, so that idle connections hold none; that is all.
            self.one_by_one(conn, self.HEAD % b"", 10_000, heap=6.2 * ROUNDS)

    def test_pipelined_requests_leave_in_one_write(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 1000)
        with node.connect() as conn:
            def work():
                conn.sendall(self.HEAD % b"" * 16)
                self.read_answers(conn, 16, 1000)
            work()
            least = self.least(work)
            self.assertLessEqual(least["write"], 2, least)
            self.assertLessEqual(least["heap"], 8, least)

    def test_streams_of_one_connection_share_their_writes(self):
        node = self.counted_node()
        self.store(node, self.PATH, b"b" * 1000)
        url = f"http://127.0.0.1:{node.ports[0]}{self.PATH}"

        def work(requests):
            done = subprocess.run(["h2load", "-n", str(requests), "-c1", "-m32", "-H", ":authority: site.example", url],
                                  capture_output=True, text=True, check=True)
            self.assertIn(f"{requests} succeeded", done.stdout)
        work(640)
        few, many = self.least(lambda: work(640)), self.least(lambda: work(6400))
        self.assertLess(many["write"] - few["write"], 5760 / 8, (few, many))
        self.assertLess(many["heap"] - few["heap"], 5760 / 20, (few, many))
        self.assertLess(many["lock"] - few["lock"], 5760 / 10, (few, many))


if __name__ == "__main__":
    unittest.main()
