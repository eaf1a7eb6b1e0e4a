"""The promise, checked over the real program under faults; and the check itself."""

import os
import unittest

import run
from harness import VERGE
from history import Invalidation, Response, violations


def given(versions, acknowledged, name="i"):
    return Invalidation(name, versions, 0.0, acknowledged)


class History(unittest.TestCase):
    def test_an_old_version_after_the_acknowledgement_breaks_the_promise(self):
        found = violations([Response(0, "/a", 1, 5.1, 5.2)], [given({"/a": 2}, {0: 5.0})])
        self.assertEqual(len(found), 1)
        self.assertIn("version 1", str(found[0]))

    def test_a_request_that_began_before_the_acknowledgement_may_get_either(self):
        self.assertEqual(violations([Response(0, "/a", 1, 4.9, 9.0)], [given({"/a": 2}, {0: 5.0})]), [])
        self.assertEqual(violations([Response(0, "/a", 1, 5.0, 9.0)], [given({"/a": 2}, {0: 5.0})]), [])

    def test_a_newer_version_is_always_good(self):
        self.assertEqual(violations([Response(0, "/a", 3, 6, 7)], [given({"/a": 2}, {0: 5.0})]), [])

    def test_another_node_or_another_url_promised_nothing(self):
        self.assertEqual(violations([Response(1, "/a", 1, 6, 7)], [given({"/a": 2}, {0: 5.0})]), [])
        self.assertEqual(violations([Response(0, "/b", 1, 6, 7)], [given({"/a": 2}, {0: 5.0})]), [])

    def test_an_earlier_invalidation_that_is_acknowledged_late_lowers_nothing(self):
        both = [given({"/a": 5}, {0: 2.0}, "later"), given({"/a": 3}, {0: 4.0}, "earlier")]
        self.assertEqual(violations([Response(0, "/a", 5, 6, 7)], both), [])
        found = violations([Response(0, "/a", 4, 6, 7)], both)
        self.assertEqual([v.invalidation.name for v in found], ["later"])


class Promise(unittest.TestCase):
    def test_no_response_is_older_than_what_its_node_acknowledged(self):
        found, it = run.run(seed=20261121)
        self.assertEqual(found, [])
        self.assertGreaterEqual(len(it.responses), 10_000)
        self.assertGreater(it.counts["hits"], 1000)
        self.assertGreater(it.counts["kills"] + it.counts["pauses"], 0)

    def test_it_holds_by_a_queue_on_a_bad_path_while_clocks_step(self):
        found, it = run.run(seed=20261121, carrier="sqs", clock_steps=True)
        self.assertEqual(found, [])
        self.assertGreaterEqual(len(it.responses), 10_000)
        self.assertGreater(it.counts["hits"], 1000)
        for fault in ("twice", "late", "cuts", "steps"):
            self.assertGreater(it.counts[fault], 0, fault)

    def find_without_the_fence(self, **wanted):
        import harness
        harness.VERGE = os.environ["VERGE_UNFENCED"]
        try:
            for seed in range(5):  # a race: almost always in the first
                if run.run(seed=seed, faults=False, **wanted)[0]:
                    return
        finally:
            harness.VERGE = VERGE
        self.fail("a node without its fence passed the check")

    def test_without_the_fence_the_check_finds_it(self):
        self.find_without_the_fence()

    def test_without_the_fence_the_check_finds_it_by_a_queue(self):
        self.find_without_the_fence(carrier="sqs", requests=4_000, invalidations=200)


if __name__ == "__main__":
    unittest.main()
