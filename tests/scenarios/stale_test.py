"""Stale on purpose: behind the back of who asks, in place of errors, and in place of waiting for an origin that hangs."""

import time
import unittest

from harness import PATIENCE, Scenario

# Expired as soon as it has come, and allowed in place of errors.
EXPIRED = {"Cache-Control": "max-age=1, stale-if-error=600", "Age": "1", "ETag": '"v1"'}


def until_new(node, path):
    """What was asked behind comes to rest on its own time."""
    deadline = time.monotonic() + PATIENCE
    while node.get(path).body != b"new":
        if time.monotonic() > deadline:
            raise AssertionError("the stored response was never replaced")


PATIENT = ", cache: {stale_if_slow: 0s, fail_timeout: 0s}"


class InPlaceOfErrors(Scenario):
    def store(self, node, path="/p", headers=None, body="kept"):
        first = node.start_get(path)
        self.origin.take().reply(body=body, headers=headers or EXPIRED)
        self.assertEqual(first.result().body, body.encode())

    def test_a_5xx_is_hidden_though_nothing_can_be_validated(self):
        node = self.node(route=PATIENT)
        self.store(node, headers={"Cache-Control": "max-age=1, stale-if-error=600", "Age": "1"})
        second = node.start_get("/p")
        request = self.origin.take()
        self.assertIsNone(request.header("if-none-match"))
        request.reply(status=503, body="down")
        answer = second.result()
        self.assertEqual((answer.status, answer.body), (200, b"kept"))
        self.assertIn("stale-if-error", answer["cache-status"])

    def test_a_broken_answer_is_hidden_while_its_head_has_not_gone_out(self):
        node = self.node(route=PATIENT)
        self.store(node)
        for broken in ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nCache-Control: max-age=60\r\n\r\n",
                       "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nCache-Control: max-age=60\r\n\r\nhalf",
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       "nonsense\r\n\r\n"):
            asking = node.start_get("/p")
            request = self.origin.take()
            request.send(broken)
            request.close()
            self.origin.auto = lambda r: r.close()  # the retry of what was not even begun
            answer = asking.result()
            self.assertEqual((answer.status, answer.body), (200, b"kept"), broken)
            self.origin.auto = None

    def test_a_refused_connection_is_hidden(self):
        node = self.node(route=PATIENT)
        self.store(node)
        self.origin.stop()
        answer = node.get("/p")
        self.assertEqual((answer.status, answer.body), (200, b"kept"))

    def test_a_large_answer_streams_once_it_has_begun_well(self):
        node = self.node(route=PATIENT)
        self.store(node)
        conn = node.connect()
        conn.sendall(b"GET /p HTTP/1.1\r\nHost: site.example\r\n\r\n")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + "x" * 200_000)
        got = b""
        while len(got) < 100_000:  # while the origin holds the rest
            got += conn.recv(65536)
        conn.close()
        request.close()


class Hanging(Scenario):
    """The origin takes requests and says nothing."""

    def store(self, node, paths):
        self.origin.auto = lambda r: r.reply(body="kept", headers=EXPIRED)
        for path in paths:
            self.assertEqual(node.get(path).body, b"kept")
        self.origin.auto = None

    def test_the_first_waits_a_little_and_the_next_not_at_all(self):
        node = self.node(route=", cache: {stale_if_slow: 50ms, fail_timeout: 1h}")
        self.store(node, ["/a", "/b"])
        first = node.get("/a")
        self.assertEqual(first.body, b"kept")
        self.assertIn("stale-if-slow", first["cache-status"])
        held = self.origin.take()
        # Another key, the same origin: nobody finds out anew. No answer comes from the origin in all this.
        for path in ("/a", "/b", "/b"):
            answer = node.get(path)
            self.assertEqual(answer.body, b"kept")
            self.assertIn("stale-if-error", answer["cache-status"])
        # What was asked behind is used when it comes, and the origin counts as well again.
        held.reply(body="new", headers={"Cache-Control": "max-age=60"})
        until_new(node, "/a")

    def test_followers_do_not_wait_for_it_either(self):
        node = self.node(route=", cache: {stale_if_slow: 50ms, fail_timeout: 1h}")
        self.store(node, ["/a"])
        clients = [node.start_get("/a") for _ in range(20)]
        self.assertEqual({c.result().body for c in clients}, {b"kept"})
        self.origin.take()
        self.assertTrue(self.origin.none_waiting())

    def test_a_5xx_is_remembered_for_its_key_alone(self):
        node = self.node(route=", cache: {fail_timeout: 1h, stale_if_slow: 0s}")
        self.store(node, ["/a", "/b"])
        asking = node.start_get("/a")
        self.origin.take().reply(status=500)
        self.assertEqual(asking.result().body, b"kept")
        self.assertEqual(node.get("/a").body, b"kept")  # at once; asked behind
        self.origin.take().reply(status=500)
        other = node.start_get("/b")  # waits for its own answer
        self.origin.take().reply(body="new", headers={"Cache-Control": "max-age=60"})
        self.assertEqual(other.result().body, b"new")

    def test_what_must_be_revalidated_waits(self):
        node = self.node(route=", cache: {stale_if_slow: 20ms, stale_if_error: 1h}")
        headers = {"Cache-Control": "max-age=0, must-revalidate", "ETag": '"v1"'}
        first = node.start_get("/m")
        self.origin.take().reply(body="kept", headers=headers)
        first.result()
        asking = node.start_get("/m")
        request = self.origin.take()
        other = node.start_get("/other")  # another one goes all the way through meanwhile
        self.origin.take().reply(body="other")
        self.assertEqual(other.result().body, b"other")
        self.origin.auto = lambda r: r.close()  # before it is asked again, as it will be
        request.close()
        self.assertEqual(asking.result().status, 502)


class Behind(Scenario):
    def test_a_refresh_behind_that_fails_changes_nothing(self):
        node = self.node(route=", cache: {fail_timeout: 0s}")
        headers = {"Cache-Control": "max-age=1, stale-while-revalidate=600", "Age": "2", "ETag": '"1"'}
        first = node.start_get("/s")
        self.origin.take().reply(body="kept", headers=headers)
        first.result()
        for _ in range(2):
            self.assertEqual(node.get("/s").body, b"kept")
            # An error that could be stored by its own word.
            self.origin.take().reply(status=503, body="down", headers={"Cache-Control": "max-age=60"})
            node.wait_for_metric('verge_origin_errors_total{origin="app",reason="status"}', 1)
        self.assertEqual(node.get("/s").body, b"kept")

    def test_a_head_that_finds_it_stale_has_the_whole_refreshed(self):
        node = self.node()
        headers = {"Cache-Control": "max-age=1, stale-while-revalidate=600", "Age": "2", "ETag": '"1"'}
        first = node.start_get("/s")
        self.origin.take().reply(body="kept", headers=headers)
        first.result()
        self.assertEqual(node.get("/s", method="HEAD").status, 200)
        request = self.origin.take()
        self.assertEqual((request.method, request.header("if-none-match")), ("GET", '"1"'))
        request.reply(body="new", headers={"Cache-Control": "max-age=60"})
        until_new(node, "/s")


class Ahead(Scenario):
    def test_what_is_asked_for_again_is_refreshed_before_it_expires(self):
        node = self.node(route=", cache: {refresh_ahead: 3600s}")
        first = node.start_get("/h")
        # Lives three seconds here; the window is half of that, whatever the setting says.
        self.origin.take().reply(body="one", headers={"Cache-Control": "max-age=2", "ETag": '"1"'})
        first.result()
        while self.origin.none_waiting():
            answer = node.get("/h")
            if "hit" not in answer["cache-status"]:
                self.fail("it expired without having been refreshed")
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"1"')
        for _ in range(5):  # one at a time
            self.assertIn("hit", node.get("/h")["cache-status"])
        self.assertTrue(self.origin.none_waiting())
        request.reply(status=304, headers={"Cache-Control": "max-age=60"})
        while int(node.get("/h")["cache-status"].split("ttl=")[1].split(";")[0]) < 10:
            pass
        self.assertEqual(self.origin.asked, 2)

    def test_it_is_off_unless_the_route_says_so(self):
        node = self.node()
        first = node.start_get("/h")
        self.origin.take().reply(body="one", headers={"Cache-Control": "max-age=100", "Age": "99"})
        first.result()
        node.get("/h")
        self.assertEqual(self.origin.asked, 1)


if __name__ == "__main__":
    unittest.main()
