"""One fetch for all who ask; bodies that stream; clients that are slow or leave."""

import hashlib
import os
import socket
import subprocess
import threading
import unittest

from harness import PATIENCE, Scenario

FRESH = {"Cache-Control": "max-age=60"}
# What a node may grow by while a body passes; sanitizers keep freed memory for a while.
GROWTH_KB = 300_000 if os.environ.get("VERGE_SANITIZE") else 30_000


class Collapse(Scenario):
    def test_a_thousand_who_ask_at_once_make_one_origin_request(self):
        node = self.node()
        clients = []
        for _ in range(1000):
            conn = node.connect()
            conn.sendall(b"GET /herd HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
            clients.append(conn)
        request = self.origin.take()
        # Every one is inside the node, waiting, before the origin says a word.
        node.wait_for_metric("verge_connections_total", 1000)
        request.reply(body="together", headers=FRESH)
        for conn in clients:
            with conn, conn.makefile("rb") as stream:
                self.assertTrue(stream.read().endswith(b"together"))
        self.assertEqual(self.origin.asked, 1)

    def test_followers_stream_along_from_the_first_octet(self):
        node = self.node()
        leader = node.connect()
        leader.sendall(b"GET /live HTTP/1.1\r\nHost: site.example\r\n\r\n")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nfirst")
        follower = node.connect()
        follower.sendall(b"GET /live HTTP/1.1\r\nHost: site.example\r\n\r\n")
        for conn in (leader, follower):  # both have the first half while the origin holds the second
            got = b""
            while not got.endswith(b"first"):
                part = conn.recv(4096)
                self.assertTrue(part, got)
                got += part
        request.send("after")
        for conn in (leader, follower):
            got = b""
            while len(got) < 5:
                got += conn.recv(4096)
            self.assertEqual(got, b"after")
            conn.close()
        self.assertEqual(self.origin.asked, 1)

    def test_private_answers_do_not_queue_behind_one_another(self):
        node = self.node()
        leader = node.start_get("/mine")
        request = self.origin.take()
        followers = [node.start_get("/mine") for _ in range(5)]
        node.wait_for_metric("verge_connections_total", 6)
        request.reply(body="leader", headers={"Cache-Control": "private"})
        self.assertEqual(leader.result().body, b"leader")
        # All five are at the origin at the same time: none waits for another's answer.
        requests = [self.origin.take() for _ in range(5)]
        for n, one in enumerate(requests):
            one.reply(body=f"f{n}", headers={"Cache-Control": "private"})
        self.assertEqual(sorted(f.result().body for f in followers), [b"f0", b"f1", b"f2", b"f3", b"f4"])

    def test_the_store_is_filled_though_the_leader_leaves(self):
        node = self.node()
        leader = node.connect()
        leader.sendall(b"GET /left HTTP/1.1\r\nHost: site.example\r\n\r\n")
        request = self.origin.take()
        leader.close()
        follower = node.start_get("/left")
        request.reply(body="kept", headers=FRESH)
        self.assertEqual(follower.result().body, b"kept")
        self.assertIn("hit", node.get("/left")["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_an_origin_that_fails_fails_all_who_wait_once(self):
        node = self.node()
        waiting = [node.start_get("/down") for _ in range(3)]
        request = self.origin.take()
        node.wait_for_metric("verge_connections_total", 3)
        self.origin.auto = lambda r: r.close()  # the retry on a new connection, and whoever comes later
        request.close()
        self.assertEqual({w.result().status for w in waiting}, {502})

    def test_a_herd_that_finds_it_stale_makes_one_conditional_request(self):
        node = self.node()
        first = node.start_get("/stale")
        self.origin.take().reply(body="kept", headers={"Cache-Control": "max-age=1", "Age": "1", "ETag": '"1"'})
        first.result()
        clients = [node.start_get("/stale") for _ in range(200)]
        request = self.origin.take()
        node.wait_for_metric("verge_connections_total", 201)
        self.assertEqual(request.header("if-none-match"), '"1"')
        request.reply(status=304, headers={"Cache-Control": "max-age=60", "X-New": "yes"})
        answers = [c.result() for c in clients]
        self.assertEqual({(a.body, a["x-new"]) for a in answers}, {(b"kept", "yes")})
        self.assertEqual(self.origin.asked, 2)

    def test_a_herd_of_http2_streams_makes_one_origin_request(self):
        node = self.node(more="limits: {h2_streams: 200}")
        herd = subprocess.Popen(["h2load", "-n", "1000", "-c", "10", "-m", "100",
                                 f"http://127.0.0.1:{node.ports[0]}/herd"], stdout=subprocess.PIPE, text=True)
        self.origin.take().reply(body="together", headers=FRESH)
        said = herd.communicate(timeout=PATIENCE)[0]
        self.assertIn("1000 succeeded, 0 failed", said)
        self.assertEqual(self.origin.asked, 1)

    def test_each_variant_is_asked_for_once_however_many_ask_and_all_are_kept(self):
        node = self.node()
        langs = [f"l{n}" for n in range(5)]
        clients = [(lang, node.start_get("/v", headers={"X-Lang": lang})) for _ in range(20) for lang in langs]
        first = self.origin.take()
        node.wait_for_metric("verge_connections_total", 100)

        def answer(request):
            request.reply(body=request.header("x-lang"), headers={**FRESH, "Vary": "X-Lang"})

        self.origin.auto = answer
        answer(first)
        for lang, client in clients:
            self.assertEqual(client.result().body, lang.encode())
        self.assertEqual(self.origin.asked, len(langs))
        for lang in langs:
            self.assertEqual(node.get("/v", headers={"X-Lang": lang}).body, lang.encode())
        self.assertEqual(self.origin.asked, len(langs))

    def test_a_private_answer_keeps_nobody_waiting_for_another(self):
        node = self.node()
        for burst in range(2):  # the second knows already that it is private
            clients = [node.start_get("/mine") for _ in range(50)]
            held = []
            if burst == 0:
                leader = self.origin.take()
                node.wait_for_metric("verge_connections_total", 50)
                leader.reply(body="x", headers={"Cache-Control": "private"})
                held = [self.origin.take() for _ in range(49)]
            else:
                held = [self.origin.take() for _ in range(50)]  # all at the origin at the same time
            for request in held:
                request.reply(body="x", headers={"Cache-Control": "private"})
            self.assertEqual({c.result().body for c in clients}, {b"x"})

    def test_a_follower_waits_as_long_as_its_route_says(self):
        node = self.node(route=", cache: {follow_timeout: 50ms}")
        leader = node.start_get("/slow")
        first = self.origin.take()
        follower = node.start_get("/slow")
        self.origin.take().reply(body="own", headers=FRESH)  # while the leader's is held
        self.assertEqual(follower.result().body, b"own")
        first.reply(body="late", headers=FRESH)
        self.assertEqual(leader.result().body, b"late")

    def test_another_variant_does_not_get_the_leaders_answer(self):
        node = self.node()
        leader = node.start_get("/v", headers={"X-Lang": "de"})
        request = self.origin.take()
        other = node.start_get("/v", headers={"X-Lang": "en"})
        node.wait_for_metric("verge_connections_total", 2)
        request.reply(body="de", headers={**FRESH, "Vary": "X-Lang"})
        self.assertEqual(leader.result().body, b"de")
        self.origin.take().reply(body="en", headers={**FRESH, "Vary": "X-Lang"})
        self.assertEqual(other.result().body, b"en")


class Streaming(Scenario):
    BODY = 64 << 20

    def stream(self, request, headers, size=BODY):
        """Sends `size` octets of a known pattern; returns their hash and how the sending ended."""
        block = os.urandom(1 << 16)
        digest = hashlib.sha256()
        request.send(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {size}\r\n\r\n")
        for _ in range(size // len(block)):
            request.send(block)
            digest.update(block)
        return digest.hexdigest()

    def read_body(self, conn):
        digest, count = hashlib.sha256(), 0
        with conn, conn.makefile("rb") as stream:
            while stream.readline() not in (b"\r\n", b""):
                pass
            while part := stream.read(1 << 16):
                digest.update(part)
                count += len(part)
        return digest.hexdigest(), count

    def test_a_slow_reader_holds_the_origin_back_and_not_our_memory(self):
        node = self.node()
        before = node.rss_kb()
        conn = socket.socket()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        conn.connect(("127.0.0.1", node.ports[0]))
        conn.settimeout(PATIENCE)
        conn.sendall(b"GET /pass HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        request = self.origin.take()
        sent = {}
        sender = threading.Thread(target=lambda: sent.update(
            hash=self.stream(request, "Cache-Control: no-store\r\n")), daemon=True)
        sender.start()
        conn.recv(1, socket.MSG_PEEK)  # it flows; nobody reads on
        self.assertTrue(sender.is_alive())
        self.assertLess(node.rss_kb() - before, GROWTH_KB)
        digest, count = self.read_body(conn)
        sender.join(PATIENCE)
        self.assertEqual((digest, count), (sent["hash"], self.BODY))
        self.assertLess(node.rss_kb() - before, GROWTH_KB)

    def test_a_large_object_goes_through_memory_to_disk_and_back_whole(self):
        node = self.node(more="limits: {send_timeout: 60s}")
        before = node.rss_kb()
        conn = node.connect()
        conn.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        request = self.origin.take()
        sent = {}
        sender = threading.Thread(target=lambda: sent.update(hash=self.stream(request, "Cache-Control: max-age=60\r\n")))
        sender.start()
        self.assertEqual(self.read_body(conn)[1], self.BODY)
        sender.join(PATIENCE)
        node.wait_for_metric("verge_cache_disk_entries", 1)
        conn = node.connect()
        conn.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertEqual(self.read_body(conn), (sent["hash"], self.BODY))
        self.assertEqual(self.origin.asked, 1)
        tail = node.get("/large", headers={"Range": "bytes=-65536"}, host="h")
        self.assertEqual((tail.status, len(tail.body)), (206, 65536))
        self.assertIsNotNone(before)

    def test_an_upload_streams_with_the_origin_setting_the_pace(self):
        node = self.node()
        size = 32 << 20
        conn = node.connect()
        conn.sendall(f"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
        block = os.urandom(1 << 16)

        def upload():
            for _ in range(size // len(block)):
                conn.sendall(block)

        sender = threading.Thread(target=upload, daemon=True)
        sender.start()
        request = self.origin.take()  # the scripted origin reads the whole body first
        sender.join(PATIENCE)
        self.assertEqual(len(request.body), size)
        self.assertEqual(hashlib.sha256(request.body).digest(),
                         hashlib.sha256(block * (size // len(block))).digest())
        request.reply(body="thanks")
        with conn.makefile("rb") as stream:
            self.assertTrue(stream.read().endswith(b"thanks"))
        conn.close()

    def test_chunked_bodies_pass_both_ways(self):
        node = self.node()
        conn = node.connect()
        conn.sendall(b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                     b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n")
        request = self.origin.take()
        self.assertEqual(request.body, b"hello world")
        request.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        with conn, conn.makefile("rb") as stream:
            answer = b""
            while not answer.endswith(b"abc\r\n"):  # while the end is not known, nothing but chunks can say it
                answer += stream.read1()
            request.send("2\r\nde\r\n0\r\n\r\n")
            answer += stream.read()
        self.assertIn(b"transfer-encoding: chunked", answer.lower())
        self.assertTrue(answer.endswith(b"0\r\n\r\n"))

    def test_expect_100_continue(self):
        node = self.node()
        conn = node.connect()
        conn.sendall(b"PUT /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
        self.assertEqual(conn.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
        conn.sendall(b"data")
        request = self.origin.take()
        self.assertEqual(request.body, b"data")
        request.reply(body="ok")
        with conn, conn.makefile("rb") as stream:
            self.assertTrue(stream.read().endswith(b"ok"))


if __name__ == "__main__":
    unittest.main()
