"""A node that may have missed invalidations: cut off from its queue, or down for too long."""

import json
import time
import unittest

from harness import PATIENCE, Scenario
from sqs import Sqs

FRESH = {"Cache-Control": "max-age=6000, stale-while-revalidate=6000", "ETag": '"v1"', "Surrogate-Key": "shop"}
AFTER = 3  # seconds, the least that can be configured
GUARDED = 2  # of verge_guard_state


class Guarded(Scenario):
    def setUp(self):
        super().setUp()
        self.sqs = Sqs()
        self.addCleanup(self.sqs.stop)
        self.version = 1
        self.conditional = 0
        self.origin.auto = self.answer

    def answer(self, request):
        if request.header("if-none-match") == f'"v{self.version}"':
            self.conditional += 1
            return request.reply(status=304, headers=self.fields())
        request.reply(body=f"v{self.version}", headers=self.fields())

    def fields(self):
        return FRESH | {"ETag": f'"v{self.version}"'}

    def more(self, guard=f"after: {AFTER}s"):
        return f"invalidation:\n  sqs: [{self.sqs.config()}]\n  guard: {{{guard}}}\n"

    def polling(self, guard=f"after: {AFTER}s", **kwargs):
        node = self.node(more=self.more(guard), **kwargs)
        self.sqs.wait(lambda: "ReceiveMessage" in self.sqs.calls)
        return node

    def state(self, node):
        return node.metric(f'verge_guard_state{{source="{self.sqs.queue}"}}')

    def until_state(self, node, state):
        deadline = time.monotonic() + PATIENCE
        while self.state(node) != state:
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {state=}:\n" + "\n".join(node.lines[-40:]))
            time.sleep(0.01)


class CutOff(Guarded):
    def test_within_the_bound_it_serves_as_usual_and_says_so(self):
        node = self.polling(guard="after: 1h")
        self.assertEqual(node.get("/a").body, b"v1")
        for _ in range(16):  # until it passes no room any more
            self.assertNotIn("cut-off", node.get("/a")["cache-status"])
        self.sqs.go(down=True)
        node.wait_for("guard: .*invalidations may be missing .it could not be read.; serving as usual until")
        answer = node.get("/a")
        self.assertIn("; hit; ", answer["cache-status"])
        self.assertIn("; detail=cut-off", answer["cache-status"])
        self.assertEqual(self.origin.asked, 1)
        self.assertEqual(self.state(node), 1)
        ready = node.admin("/readyz")
        self.assertEqual(ready.status, 200)
        self.assertIn(f"{self.sqs.queue}: cut-off since ", ready.body.decode())
        self.assertIn("waiting until the queue is found empty", ready.body.decode())
        self.sqs.go(down=False)
        node.wait_for("guard: .*every invalidation is read again")
        self.assertNotIn("cut-off", node.get("/a")["cache-status"])
        self.assertNotIn("cut-off", node.admin("/readyz").body.decode())

    def test_beyond_the_bound_it_validates_what_is_older_until_the_queue_is_found_empty(self):
        node = self.polling()
        for path in ("/a", "/b"):
            node.get(path)
        self.sqs.go(down=True)
        node.wait_for("guard: .*: guarded: invalidations may be missing")
        self.assertIn("guarded since ", node.admin("/readyz").body.decode())
        answer = node.get("/a")  # its stale-while-revalidate does not count
        self.assertEqual((answer.body, self.conditional), (b"v1", 1))
        self.assertIn("fwd=stale", answer["cache-status"])
        self.assertIn("detail=guarded", answer["cache-status"])
        why = json.loads(node.admin("/why", "POST", json.dumps({"url": "http://site.example/b"})).body)
        self.assertEqual(why["outcome"], "revalidate")
        self.assertTrue(any(s["text"].startswith("guarded: ") for s in why["steps"]), why)
        self.version = 2
        purge = self.sqs.send({"paths": ["/a", "/b"]})  # which it can't read
        self.assertEqual(node.get("/b").body, b"v2")
        self.sqs.go(down=False)
        self.sqs.wait_deleted(purge)
        node.wait_for("guard: .*every invalidation is read again")
        self.assertEqual(node.get("/a").body, b"v2")
        asked = self.origin.asked
        answer = node.get("/a")
        self.assertIn("; hit; ", answer["cache-status"])
        self.assertNotIn("guarded", answer["cache-status"])
        self.assertEqual(self.origin.asked, asked)
        self.assertGreaterEqual(node.metric("verge_guards_total"), 1)

    def test_once_lifted_what_was_not_asked_for_meanwhile_is_a_hit_again(self):
        node = self.polling()
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        self.sqs.go(down=False)
        node.wait_for("guard: .*every invalidation is read again")
        self.assertIn("; hit; ", node.get("/a")["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_what_is_validated_under_a_guard_is_used_no_longer_than_the_bound(self):
        node = self.polling()
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        node.get("/a")
        deadline = time.monotonic() + PATIENCE
        while self.conditional < 2 and time.monotonic() < deadline:
            node.get("/a")
        self.assertGreaterEqual(self.conditional, 2)

    def test_many_who_ask_for_what_is_guarded_share_one_validation(self):
        node = self.polling(guard="after: 3s, stale_if_error: 0s")
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        self.origin.auto = None
        clients = [node.start_get("/a") for _ in range(8)]
        request = self.origin.take()
        request.reply(status=304, headers=self.fields())
        self.assertEqual([c.result().body for c in clients], [b"v1"] * 8)
        self.assertEqual(self.origin.asked, 2)

    def test_without_origin_it_answers_within_its_own_stale_if_error(self):
        node = self.polling(guard="after: 3s, stale_if_error: 1h")
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        self.origin.auto = lambda request: request.close()
        answer = node.get("/a")
        self.assertEqual((answer.status, answer.body), (200, b"v1"))
        self.assertIn("guarded", answer["cache-status"])

    def test_without_origin_and_beyond_that_it_answers_an_error(self):
        node = self.polling(guard="after: 3s, stale_if_error: 0s")
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        self.origin.auto = lambda request: request.reply(status=503)
        self.assertEqual(node.get("/a").status, 503)
        self.origin.auto = lambda request: request.close()
        self.assertEqual(node.get("/a").status, 502)


class Restarted(Guarded):
    def test_a_short_restart_is_within_the_bound(self):
        node = self.polling(guard="after: 1h")
        node.get("/a")
        node.stop()
        node.start()
        answer = node.get("/a")
        self.assertIn("; hit; ", answer["cache-status"])
        self.assertIn("cut-off", answer["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_what_was_published_while_it_was_down_is_read_before_what_is_older_is_used(self):
        node = self.polling()
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        node.stop()
        self.version = 2
        purge = self.sqs.send({"paths": ["/a"]})
        node.start()
        self.assertTrue(node.matches("guard: .*: guarded: .*the node was down"), "before it serves")
        self.assertEqual(node.get("/a").body, b"v2", "though the queue can't be read")
        self.sqs.go(down=False)
        self.sqs.wait_deleted(purge)
        node.wait_for("guard: .*every invalidation is read again")
        self.assertEqual(json.loads(node.admin("/purges").body)["purges"][0]["source"].split(" ")[0], "sqs")

    def test_after_a_kill_the_gap_is_known_as_well(self):
        node = self.polling()
        node.get("/a")
        node.wait_for_metric("verge_cache_disk_entries", 1)  # an empty store has nothing to guard
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        node.kill()
        node.start()
        self.assertTrue(node.matches("guard: .*: guarded: .*the node was down"))

    def test_without_any_word_of_an_earlier_run_everything_is_marked_stale(self):
        node = self.node()  # no queue: nothing is watched
        node.get("/a")
        node.wait_for_metric("verge_cache_disk_entries", 1)
        node.stop()
        node.write_config(self.config(more=self.more()))
        node.start()
        node.wait_for("guard: .*: guarded: .*no earlier run has left word")
        node.wait_for("guard: .*every invalidation is read again")
        listed = json.loads(node.admin("/purges").body)["purges"][0]
        self.assertEqual((listed["source"], listed["names"], listed["soft"]), (f"guard {self.sqs.queue}", ["/*"], True))
        node.get("/a")
        deadline = time.monotonic() + PATIENCE
        while self.conditional == 0 and time.monotonic() < deadline:
            time.sleep(0.01)  # asked behind the stale answer
        self.assertEqual(self.conditional, 1)

    def test_after_longer_than_the_queue_keeps_messages_everything_is_marked_stale(self):
        node = self.polling(guard="after: 3s, retention: 1s")
        node.get("/a")
        self.sqs.go(down=True)
        self.until_state(node, GUARDED)
        node.stop()
        node.start()
        self.sqs.go(down=False)
        node.wait_for("guard: .*every invalidation is read again")
        listed = json.loads(node.admin("/purges").body)["purges"][0]
        self.assertEqual((listed["source"], listed["names"], listed["soft"]), (f"guard {self.sqs.queue}", ["/*"], True))
        self.assertEqual(node.metric('verge_purges_total{source="guard",result="applied"}'), 1)
        answer = node.get("/a")
        self.assertIn("detail=stale-while-revalidate", answer["cache-status"])

    def test_who_posts_is_given_the_time_to_try_again(self):
        posts = ("invalidation:\n  push: {path: /_events, user: aws, password: secret-of-tests}\n"
                 "  guard: {after: 1h, retry_window: 30m, retry_delay: 1s}\n")
        source = 'verge_guard_state{source="posted events"}'
        node = self.node()
        node.get("/a")
        node.wait_for_metric("verge_cache_disk_entries", 1)
        node.stop()
        node.write_config(self.config(more=posts))
        node.start()
        node.wait_for("guard: posted events: guarded: .*no earlier run has left word")
        node.wait_for("guard: posted events: every invalidation is read again")
        self.assertEqual(json.loads(node.admin("/purges").body)["purges"][0]["source"], "guard posted events")
        node.stop()
        node.start()
        node.wait_for("guard: posted events: invalidations may be missing .the node was down.; serving as usual")
        node.wait_for("guard: posted events: every invalidation is read again")
        self.assertEqual(node.metric(source), 0)
        self.assertEqual(len(json.loads(node.admin("/purges").body)["purges"]), 1, "SNS has not given up")

    def test_an_empty_store_has_missed_nothing(self):
        node = self.polling()
        self.assertEqual(self.state(node), 0)
        self.assertEqual(node.matches("guard: "), [])

    def test_a_node_without_queue_or_topic_is_never_guarded(self):
        node = self.node()
        node.get("/a")
        node.kill()
        node.start()
        self.assertNotIn("cut-off", node.get("/a")["cache-status"])
        self.assertEqual(node.matches("guard: "), [])


if __name__ == "__main__":
    unittest.main()
