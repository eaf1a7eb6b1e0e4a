"""Which stored response answers which request: Vary and No-Vary-Search, over the real program."""

import unittest

from harness import Node, Scenario

FRESH = {"Cache-Control": "max-age=60"}


class Vary(Scenario):
    def fetch(self, node, path, body, response, **request):
        asked = node.start_get(path, **request)
        self.origin.take().reply(body=body, headers={**FRESH, **response})
        self.assertEqual(asked.result().body, body)

    def hit(self, node, path, body, **request):
        answer = node.get(path, **request)
        self.assertEqual(answer.body, body)
        self.assertIn("hit", answer["cache-status"])

    def test_spellings_of_a_language_do_not_multiply_variants(self):
        node = self.node()
        german = {"Vary": "Accept-Language", "Content-Language": "de"}
        self.fetch(node, "/l", b"deutsch", german, headers={"Accept-Language": "de-AT, de;q=0.9"})
        for spelling in ("de", "DE", "de, en;q=0.5", "fr;q=0.5,de", "de;q=0.8, *;q=0.1"):
            self.hit(node, "/l", b"deutsch", headers={"Accept-Language": spelling})
        self.assertEqual(self.origin.asked, 1)
        self.fetch(node, "/l", b"english", {**german, "Content-Language": "en"}, headers={"Accept-Language": "en, de"})
        self.hit(node, "/l", b"deutsch", headers={"Accept-Language": "de"})
        self.hit(node, "/l", b"english", headers={"Accept-Language": "en"})

    def test_a_coding_answers_who_takes_less_and_nobody_who_refuses_it(self):
        node = self.node()
        coded = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
        self.fetch(node, "/c", b"gz", coded, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
        for spelling in ("gzip", "gzip, deflate", "br;q=0.5,gzip"):
            self.hit(node, "/c", b"gz", headers={"Accept-Encoding": spelling})
        self.assertEqual(self.origin.asked, 1)
        self.fetch(node, "/c", b"plain", {"Vary": "Accept-Encoding"}, headers={"Accept-Encoding": "br, gzip;q=0"})
        self.hit(node, "/c", b"plain", headers={"Accept-Encoding": "identity"})

    def test_one_follower_is_given_the_variant_it_likes_best(self):
        node = self.node()
        first = node.start_get("/f", headers={"Accept-Language": "en, de"})
        request = self.origin.take()
        second = node.start_get("/f", headers={"Accept-Language": "de"})
        request.reply(body="deutsch", headers={**FRESH, "Vary": "Accept-Language", "Content-Language": "de"})
        self.assertEqual(first.result().body, b"deutsch")
        self.assertEqual(second.result().body, b"deutsch")
        self.assertEqual(self.origin.asked, 1)

    def test_the_number_of_variants_of_a_key_is_limited(self):
        # In memory alone: when the disk's writer drops one is not seen from here.
        node = Node(self.config().replace("path: ./cache, disk: 256MiB, memory: 32MiB", "path: off, memory: 32MiB, variants: 2"))
        self.addCleanup(node.cleanup)
        for name in (b"1", b"2"):
            self.fetch(node, "/n", name, {"Vary": "X-A"}, headers={"X-A": name.decode()})
        self.hit(node, "/n", b"1", headers={"X-A": "1"})
        self.fetch(node, "/n", b"3", {"Vary": "X-A"}, headers={"X-A": "3"})
        self.hit(node, "/n", b"1", headers={"X-A": "1"})
        self.fetch(node, "/n", b"2", {"Vary": "X-A"}, headers={"X-A": "2"})

    def test_parameters_that_mean_nothing_share_an_answer(self):
        node = self.node()
        rule = {"No-Vary-Search": 'key-order, params=("utm_source")'}
        self.fetch(node, "/p?id=1&utm_source=a", b"one", rule)
        self.hit(node, "/p?utm_source=b&id=1", b"one")
        self.hit(node, "/p?id=1", b"one")
        self.fetch(node, "/p?id=2", b"two", rule)
        self.hit(node, "/p?id=2&utm_source=c", b"two")
        self.assertEqual(self.origin.asked, 2)

    def test_a_purge_of_any_equivalent_url_covers_the_answer(self):
        node = self.node()
        rule = {"No-Vary-Search": 'params=("u")'}
        self.fetch(node, "/q?id=1&u=a", b"old", rule)
        self.hit(node, "/q?id=1&u=b", b"old")
        node.purge("/q?u=never&id=1")
        self.fetch(node, "/q?id=1&u=b", b"new", rule)
        self.hit(node, "/q?id=1&u=a", b"new")

    def test_a_broken_rule_counts_as_none(self):
        node = self.node()
        self.fetch(node, "/b?u=1", b"1", {"No-Vary-Search": "params=(u)"})
        self.fetch(node, "/b?u=2", b"2", {"No-Vary-Search": "params=(u)"})

    def test_a_route_may_ignore_the_field(self):
        node = self.node(route=", cache: {no_vary_search: ignore}")
        self.fetch(node, "/i?u=1", b"1", {"No-Vary-Search": "params"})
        self.fetch(node, "/i?u=2", b"2", {"No-Vary-Search": "params"})

    def test_a_site_keeps_within_its_quota_and_the_account_tells_it(self):
        node = Node(self.config().replace("    routes:", "    quota: 100KiB\n    routes:"))
        self.addCleanup(node.cleanup)
        for i in range(12):
            self.fetch(node, f"/s{i}", b"x" * 20_000, {})
        node.wait_for_metric('verge_stores_total', 12)
        node.wait_for_metric('verge_cache_site_bytes{site="*"}', 80_000)
        self.assertLessEqual(node.metric('verge_cache_site_bytes{site="*"}'), 100 * 1024)


if __name__ == "__main__":
    unittest.main()
