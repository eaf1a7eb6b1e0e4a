"""Answers that are asked for often are given without passing the rooms. Nobody can tell: they are the same, and end when
what is stored does, or the configuration."""

import re
import select
import socket
import subprocess
import time
import unittest

from harness import PATIENCE, Scenario

FRESH = {"Cache-Control": "max-age=3600", "ETag": '"v1"', "Content-Type": "text/plain", "X-Own": "kept"}


class Ready(Scenario):
    def store(self, node, path="/a", body=b"body", **fields):
        got = node.start_get(path)
        self.origin.take().reply(body=body, headers={**FRESH, **fields})
        self.assertEqual(got.result().body, body)

    def often(self, node, path="/a", **kwargs):
        """Asks until it must be ready on both loops; gives back the last answer."""
        for _ in range(16):
            got = node.get(path, **kwargs)
            self.assertIn("; hit; ", got["cache-status"])
        return got

    @staticmethod
    def fields(answer):
        """All that does not depend on the second."""
        return sorted((name.lower(), re.sub(r"ttl=\d+", "ttl=", value)) for name, value in answer.headers.items()
                      if name.lower() != "age")

    def test_it_is_what_the_rooms_would_answer(self):
        node = self.node()
        for path, body in (("/a", b"body"), ("/b?x=1", b"b" * 3000), ("/c", b"c" * 16_000), ("/d", b"d" * 20_000)):
            self.store(node, path, body)
            ready = self.often(node, path)
            roomy = node.get(path, headers={"Pragma": "nothing"})  # says something about caching: not for the short way
            self.assertEqual(self.fields(ready), self.fields(roomy))
            self.assertEqual((ready.status, ready.body), (roomy.status, body))
        self.assertEqual(self.origin.asked, 4)

    def test_a_head_and_what_a_client_has_already_are_answered_as_the_rooms_would(self):
        node = self.node()
        modified = {"Last-Modified": "Tue, 01 Sep 2026 00:00:00 GMT", "Content-Language": "en"}
        self.store(node, **modified)
        self.often(node)
        later, earlier = "Wed, 02 Sep 2026 00:00:00 GMT", "Mon, 31 Aug 2026 00:00:00 GMT"
        for method, asked, status in (("HEAD", {}, 200),
                                      ("GET", {"If-None-Match": '"v1"'}, 304),
                                      ("GET", {"If-None-Match": '"v0", W/"v1"'}, 304),
                                      ("GET", {"If-None-Match": "*"}, 304),
                                      ("GET", {"If-None-Match": '"v2"'}, 200),
                                      ("GET", {"If-None-Match": '"v2"', "If-Modified-Since": later}, 200),
                                      ("GET", {"If-Modified-Since": later}, 304),
                                      ("GET", {"If-Modified-Since": earlier}, 200),
                                      ("GET", {"If-Modified-Since": "no date"}, 200),
                                      ("HEAD", {"If-None-Match": '"v1"'}, 304),
                                      ("HEAD", {"If-None-Match": '"v2"'}, 200)):
            with self.subTest(method=method, asked=asked):
                ready = node.get("/a", method=method, headers=asked)
                roomy = node.get("/a", method=method, headers={**asked, "Pragma": "nothing"})
                self.assertEqual(self.fields(ready), self.fields(roomy))
                self.assertEqual((ready.status, ready.body), (roomy.status, roomy.body))
                self.assertEqual(ready.status, status)
                self.assertEqual(ready.body, b"body" if method == "GET" and status == 200 else b"")
                self.assertEqual(ready["content-length"], "4" if status == 200 else None)
        self.assertEqual(self.origin.asked, 1)

    def test_those_who_only_ask_whether_it_is_still_good_make_it_ready_too(self):
        node = self.node()
        self.store(node)
        sent = node.metric("verge_sent_bytes_total")
        for _ in range(32):
            got = node.get("/a", headers={"If-None-Match": '"v1"'})
            self.assertEqual((got.status, got.body), (304, b""))
        self.assertEqual(node.metric('verge_requests_total{status="304",cache="hit"}'), 32)
        self.assertEqual(node.metric("verge_sent_bytes_total"), sent)
        self.assertEqual(node.get("/a").body, b"body")
        self.assertEqual(node.purge("/a").returncode, 0)
        anew = node.start_get("/a", headers={"If-None-Match": '"v1"'})
        self.origin.take().reply(body=b"anew", headers={**FRESH, "ETag": '"v2"'})
        got = anew.result()
        self.assertEqual((got.status, got.body), (200, b"anew"))

    def test_http2_gets_a_304_and_a_head_without_body(self):
        node = self.node()
        self.store(node)
        self.often(node)
        for fields, method, status in ((["-H", 'if-none-match: "v1"'], "GET", "304"), ([], "HEAD", "200")):
            out = subprocess.run(["nghttp", "-v", f"http://127.0.0.1:{node.ports[0]}/a", "-H", ":authority: site.example",
                                  "-H", f":method: {method}", *fields],
                                 capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
            out = re.sub(r"\x1b\[[0-9;]*m", "", out)
            self.assertIn(f":status: {status}", out)
            self.assertIn('etag: "v1"', out)
            self.assertIn("cache-status: verge; hit; ttl=", out)
            self.assertNotIn("recv DATA", out)
        self.assertEqual(self.origin.asked, 1)

    def test_http2_gets_the_same_fields(self):
        node = self.node()
        self.store(node)
        self.often(node)
        out = subprocess.run(["nghttp", "-v", "-n", f"http://127.0.0.1:{node.ports[0]}/a", "-H", ":authority: site.example"]
                             + ["-H", "x: y"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        out = re.sub(r"\x1b\[[0-9;]*m", "", out)
        for line in (":status: 200", "x-own: kept", 'etag: "v1"', "content-length: 4", "cache-status: verge; hit; ttl="):
            self.assertIn(line, out)
        self.assertNotIn("connection:", out.lower())

    def test_a_purge_ends_it_at_once(self):
        node = self.node()
        self.store(node)
        self.often(node)
        self.assertEqual(node.purge("/a").returncode, 0)
        self.store(node, body=b"anew")
        self.assertEqual(self.often(node).body, b"anew")

    def test_a_purge_of_something_else_does_not(self):
        node = self.node()
        self.store(node)
        self.often(node)
        self.assertEqual(node.purge("/elsewhere").returncode, 0)
        self.often(node)
        self.assertEqual(self.origin.asked, 1)

    def test_conditions_ranges_and_directives_are_heard(self):
        node = self.node()
        self.store(node)
        self.often(node)
        self.assertEqual(node.get("/a", headers={"If-None-Match": '"v1"'}).status, 304)
        part = node.get("/a", headers={"Range": "bytes=1-2"})
        self.assertEqual((part.status, part.body), (206, b"od"))
        self.assertEqual(node.get("/a", method="HEAD").body, b"")
        anew = node.start_get("/a", headers={"Cache-Control": "no-cache"})
        self.origin.take().reply(304, headers={"ETag": '"v1"', "X-Own": "newer"})
        anew.result()
        self.assertEqual(self.often(node)["x-own"], "newer")

    def test_another_host_scheme_or_query_is_another_answer(self):
        node = self.node()
        self.store(node)
        self.often(node)
        for path, host in (("/a?", "site.example"), ("/a?q", "site.example"), ("/a", "www.site.example")):
            got = node.start_get(path, host=host)
            request = self.origin.take()
            request.reply(body=b"other", headers=FRESH)
            self.assertEqual(got.result().body, b"other")
        self.assertEqual(self.often(node).body, b"body")

    def test_a_reload_changes_it(self):
        node = self.node(route=", cache: {cache_status: on}")
        self.store(node)
        self.often(node)
        node.write_config(self.config(route=", cache: {cache_status: off}"))
        node.signal(1)
        node.wait_for("reloaded")
        for _ in range(16):
            self.assertIsNone(node.get("/a")["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_hits_and_octets_are_counted(self):
        node = self.node()
        self.store(node)
        for _ in range(200):
            node.get("/a")
        self.assertEqual(node.metric('verge_requests_total{status="200",cache="hit"}'), 200)
        self.assertEqual(node.metric("verge_sent_bytes_total"), 201 * 4)

    def test_idle_time_counts_from_the_last_answer(self):
        node = self.node(more="limits: {idle_timeout: 1s}")
        self.store(node)
        self.often(node)

        def ask(conn):
            """When it was asked, or nothing where it was closed before."""
            asked = time.monotonic()
            try:
                conn.sendall(b"GET /a HTTP/1.1\r\nHost: site.example\r\n\r\n")
                got = b""
                while not got.endswith(b"body"):
                    more = conn.recv(4096)
                    if not more:
                        return None
                    got += more
            except ConnectionError:
                return None
            return asked

        end = time.monotonic() + PATIENCE
        asked = None
        while asked is None and time.monotonic() < end:  # a machine that is busy elsewhere may let the time run out
            with node.connect() as conn:
                self.assertTrue(ask(conn))
                select.select([conn], [], [], 0.5)
                asked = ask(conn)
                if asked is not None:
                    self.assertEqual(conn.recv(1), b"")  # closed by the node, after its full time
                    self.assertGreaterEqual(time.monotonic() - asked, 0.99)
        self.assertIsNotNone(asked)

    def test_pipelined_requests_wait_for_a_client_that_does_not_read(self):
        node = self.node()
        self.store(node, body=b"b" * 16_000)
        self.often(node)
        asked = 2_000
        with socket.create_connection(("127.0.0.1", node.ports[0]), timeout=PATIENCE) as conn:
            request = b"GET /a HTTP/1.1\r\nHost: site.example\r\n\r\n"
            conn.sendall(request * (asked - 1) + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            got = b""
            while piece := conn.recv(1 << 20):
                got += piece
            self.assertEqual(got.count(b"b" * 16_000), asked)
        self.assertLess(node.rss_kb(), 200_000)


if __name__ == "__main__":
    unittest.main()
