"""Two things at once, held apart by gates so that each order happens every time."""

import signal
import socket
import struct
import time
import unittest

from harness import PATIENCE, Scenario

FRESH = {"Cache-Control": "max-age=60"}


def get(node, path, headers=""):
    """A request on a connection that the scenario holds."""
    conn = node.connect()
    conn.sendall(f"GET {path} HTTP/1.1\r\nHost: site.example\r\n{headers}\r\n".encode())
    return conn


def until(node, path, body, headers=None):
    """What is stored or freshened without a client comes to rest on its own time."""
    deadline = time.monotonic() + PATIENCE
    while (answer := node.get(path, headers=headers)).body != body:
        if time.monotonic() > deadline:
            raise AssertionError(f"{path} never became {body}")
    return answer


class TwoFills(Scenario):
    def test_a_fill_from_before_a_purge_does_not_replace_the_one_from_after_it(self):
        node = self.node()
        before = node.start_get("/two")
        first = self.origin.take()
        self.assertEqual(node.purge("/two").returncode, 0)
        after = node.start_get("/two")  # joins nothing that began before the purge
        second = self.origin.take()
        second.reply(body="new", headers=FRESH)
        self.assertEqual(after.result().body, b"new")
        first.reply(body="old", headers=FRESH)  # the slower, older one ends last
        self.assertEqual(before.result().body, b"old")
        self.assertEqual(node.get("/two").body, b"new")
        self.assertEqual(self.origin.asked, 2)


class PurgeAgainstFill(Scenario):
    def test_a_purge_between_head_and_body_hits_the_answer_in_flight(self):
        node = self.node()
        asking = node.start_get("/half")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nCache-Tag: app\r\nContent-Length: 6\r\n\r\nold")
        node.wait_for_metric("verge_stores_total", 1)  # its head is here
        self.assertEqual(node.purge("--tag", "app").returncode, 0)
        late = node.start_get("/half")
        self.origin.take().reply(body="newest", headers=FRESH)
        self.assertEqual(late.result().body, b"newest")
        request.send("old")
        self.assertEqual(asking.result().body, b"oldold")
        self.assertEqual(node.get("/half").body, b"newest")


class ClientAgainstOrigin(Scenario):
    def test_a_client_may_leave_in_the_moment_the_origin_answers(self):
        node = self.node()
        for method in ("POST", "GET"):  # the first is fetched for its client alone, the second for the cache
            conn = node.connect()
            conn.sendall(f"{method} /leave HTTP/1.1\r\nHost: site.example\r\nContent-Length: 0\r\n\r\n".encode())
            request = self.origin.take()
            node.signal(signal.SIGSTOP)  # what comes now, it sees at once, in this order
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.close()
            request.reply(body="late", headers={"Cache-Control": "no-store"})
            node.signal(signal.SIGCONT)
            after = node.start_get("/after-" + method)
            self.origin.take().reply(body="well")
            self.assertEqual(after.result().body, b"well")


class NotModifiedAgainstPurge(Scenario):
    def test_a_304_that_was_asked_for_before_a_purge_revives_nothing(self):
        node = self.node()
        first = node.start_get("/n")
        self.origin.take().reply(body="old", headers={"Cache-Control": "max-age=1", "Age": "1", "ETag": '"1"'})
        self.assertEqual(first.result().body, b"old")
        asking = node.start_get("/n")
        validation = self.origin.take()
        self.assertEqual(validation.header("if-none-match"), '"1"')
        self.assertEqual(node.purge("/n").returncode, 0)
        validation.reply(status=304, headers={"Cache-Control": "max-age=60", "ETag": '"1"'})
        self.assertEqual(asking.result().body, b"old")  # for the one who asked before
        later = node.start_get("/n")
        request = self.origin.take()
        self.assertIsNone(request.header("if-none-match"))
        request.reply(body="new", headers=FRESH)
        self.assertEqual(later.result().body, b"new")


class LeaderLost(Scenario):
    def test_before_the_head_the_fetch_goes_on_for_those_who_wait(self):
        node = self.node()
        leader = get(node, "/l")
        request = self.origin.take()
        followers = [node.start_get("/l") for _ in range(5)]
        node.wait_for_metric("verge_connections_total", 6)
        leader.close()
        request.reply(body="all", headers=FRESH)
        self.assertEqual({f.result().body for f in followers}, {b"all"})
        self.assertEqual(self.origin.asked, 1)

    def test_within_the_body_too(self):
        node = self.node()
        leader = get(node, "/l")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\nhalf")
        while not leader.recv(4096).endswith(b"half"):
            pass
        follower = get(node, "/l")
        while not follower.recv(4096).endswith(b"half"):
            pass
        leader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        leader.close()
        request.send("half")
        self.assertEqual(follower.recv(4096), b"half")
        follower.close()
        self.assertEqual(node.get("/l").body, b"halfhalf")
        self.assertEqual(self.origin.asked, 1)

    def test_with_an_answer_that_is_not_shared_each_one_asks_for_himself(self):
        node = self.node()
        leader = get(node, "/l")
        request = self.origin.take()
        follower = node.start_get("/l")
        node.wait_for_metric("verge_connections_total", 2)
        leader.close()
        request.reply(body="mine", headers={"Cache-Control": "private"})
        self.origin.take().reply(body="yours", headers={"Cache-Control": "private"})
        self.assertEqual(follower.result().body, b"yours")

    def test_a_follower_that_leaves_changes_nothing(self):
        node = self.node()
        leader = node.start_get("/l")
        request = self.origin.take()
        follower = get(node, "/l")
        node.wait_for_metric("verge_connections_total", 2)
        follower.close()
        request.reply(body="all", headers=FRESH)
        self.assertEqual(leader.result().body, b"all")


class VariantAddedWhileAnotherIsRead(Scenario):
    def test_the_reader_gets_its_own_to_the_end_and_both_are_kept(self):
        node = self.node()
        vary = {**FRESH, "Vary": "X-Lang"}
        reader = get(node, "/v", "X-Lang: de\r\n")
        slow = self.origin.take()
        slow.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: X-Lang\r\nContent-Length: 8\r\n\r\nerst")
        while not reader.recv(4096).endswith(b"erst"):
            pass
        other = node.start_get("/v", headers={"X-Lang": "en"})
        self.origin.take().reply(body="first", headers=vary)
        self.assertEqual(other.result().body, b"first")
        slow.send("ende")
        self.assertEqual(reader.recv(4096), b"ende")
        reader.close()
        self.assertEqual(node.get("/v", headers={"X-Lang": "de"}).body, b"erstende")
        self.assertEqual(node.get("/v", headers={"X-Lang": "en"}).body, b"first")
        self.assertEqual(self.origin.asked, 2)


if __name__ == "__main__":
    unittest.main()
