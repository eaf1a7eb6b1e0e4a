"""What invalidations leave to be done: commands that are forgotten, and responses that are fetched again."""

import json
import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=6000", "ETag": '"v1"'}


class Forgotten(Scenario):
    def setUp(self):
        super().setUp()
        self.origin.auto = lambda request: request.reply(body=request.target, headers=FRESH)

    def test_commands_are_kept_while_something_stored_is_older_and_forgotten_then(self):
        node = self.node(more="invalidation: {forget: 1s}\n")
        node.get("/old")
        node.wait_for_metric("verge_cache_disk_entries", 1)
        for i in range(20):
            node.purge(f"/gone/{i}/*")
        self.assertEqual(node.metric("verge_purges_active"), 20)
        node.stop()  # they are there after a restart as well
        node.start()
        self.assertEqual(node.metric("verge_purges_active"), 20)
        self.assertIn("; hit; ", node.get("/old")["cache-status"])
        self.assertEqual(node.metric("verge_purges_forgotten_total"), 0)
        node.purge("/old")
        node.wait_for_metric("verge_purges_forgotten_total", 21)
        self.assertEqual(node.metric("verge_purges_active"), 0)
        node.kill()
        node.start()
        self.assertNotIn("; hit; ", node.get("/old")["cache-status"], "it stays dead though its command is forgotten")
        self.assertIn("; hit; ", node.get("/old")["cache-status"])


class Refetched(Scenario):
    def hot(self, node, *paths):
        self.origin.auto = lambda request: request.reply(body="v1", headers=FRESH)
        for path in paths:
            for _ in range(3):
                self.assertEqual(node.get(path).body, b"v1")
        self.origin.auto = None
        self.origin.asked = 0

    def test_what_was_hot_is_fetched_again_before_anybody_asks(self):
        node = self.node()
        self.hot(node, "/a", "/b")
        self.origin.auto = lambda request: request.reply(body="v1", headers=FRESH)
        node.get("/never-again")
        self.origin.auto, self.origin.asked = None, 0
        purged = node.purge("--refetch", "/*")
        self.assertEqual(purged.returncode, 0, purged.stderr)
        requests = [self.origin.take(), self.origin.take()]
        self.assertEqual({r.target for r in requests}, {"/a", "/b"})
        for request in requests:
            request.reply(body="v2", headers=FRESH)
        node.wait_for_metric('verge_refetches_total{result="fetched"}', 2)
        for path in ("/a", "/b"):
            answer = node.get(path)
            self.assertEqual(answer.body, b"v2")
            self.assertIn("; hit; ", answer["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_without_the_wish_nothing_is_fetched(self):
        node = self.node()
        self.hot(node, "/a")
        node.purge("/*")
        node.purge("--refetch", "/*")  # whose fetch is the only one
        self.origin.take().reply(body="v2", headers=FRESH)
        node.wait_for_metric('verge_refetches_total{result="fetched"}', 1)
        self.assertTrue(self.origin.none_waiting())
        self.assertEqual(self.origin.asked, 1)

    def test_clients_that_ask_meanwhile_share_the_fetch(self):
        node = self.node()
        self.hot(node, "/a")
        node.purge("--refetch", "/a")
        request = self.origin.take()
        clients = [node.start_get("/a") for _ in range(16)]
        node.wait_for_metric("verge_cache_flights", 1)
        request.reply(body="v2", headers=FRESH)
        self.assertEqual([c.result().body for c in clients], [b"v2"] * 16)
        self.assertEqual(self.origin.asked, 1)

    def test_a_soft_purge_validates(self):
        node = self.node()
        self.hot(node, "/a")
        node.purge("--refetch", "--soft", "/a")
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"v1"')
        request.reply(status=304, headers=FRESH)
        node.wait_for_metric('verge_refetches_total{result="fetched"}', 1)
        self.assertIn("; hit; ", node.get("/a")["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_a_later_purge_of_the_same_ends_what_still_waits(self):
        node = self.node(more="invalidation: {refetch: {at_once: 1, per_second: 100}}\n")
        self.hot(node, "/a", "/b", "/c")
        node.purge("--refetch", "/*")
        first = self.origin.take()
        node.purge("/*")
        first.reply(body="v2", headers=FRESH)
        node.wait_for_metric('verge_refetches_total{result="ended"}', 2)
        self.assertEqual(self.origin.asked, 1)
        self.assertEqual(node.metric('verge_refetches_total{result="fetched"}'), 1)
        again = node.start_get(first.target)
        self.origin.take().reply(body="v3", headers=FRESH)
        self.assertEqual(again.result().body, b"v3", "what was fetched before the later purge is not used")

    def test_no_more_than_configured_are_under_way(self):
        node = self.node(more="invalidation: {refetch: {at_once: 2, per_second: 1000, most: 4}}\n")
        paths = [f"/p{i}" for i in range(6)]
        self.hot(node, *paths)
        node.purge("--refetch", "/*")
        seen = []
        waiting = [self.origin.take(), self.origin.take()]
        while waiting:
            self.assertTrue(self.origin.none_waiting(), "two are under way")
            request = waiting.pop(0)
            seen.append(request.target)
            request.reply(body="v2", headers=FRESH)
            if len(seen) + len(waiting) < 4:
                waiting.append(self.origin.take())
        node.wait_for_metric('verge_refetches_total{result="fetched"}', 4)
        self.assertEqual(len(set(seen)), 4)

    def test_a_message_may_ask_for_it_too_and_the_configuration_for_all(self):
        node = self.node(more="invalidation: {refetch: {by_default: true}}\n")
        self.hot(node, "/a")
        node.admin("/purge", "POST", json.dumps({"paths": ["/a"]}))
        self.origin.take().reply(body="v2", headers=FRESH)
        node.wait_for_metric('verge_refetches_total{result="fetched"}', 1)
        for _ in range(2):
            node.get("/a")
        node.admin("/purge", "POST", json.dumps({"paths": ["/a"], "refetch": False}))
        self.assertEqual(node.metric('verge_refetches_total{result="fetched"}'), 1)
        self.assertTrue(self.origin.none_waiting())


if __name__ == "__main__":
    unittest.main()
