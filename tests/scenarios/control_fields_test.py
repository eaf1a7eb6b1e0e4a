"""Fields by which an origin speaks to caches like us: what they do, and that clients don't see them."""

import json
import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60"}


class ForUsAlone(Scenario):
    def fetch(self, node, path, headers, body="x", status=200, ask=None):
        asked = node.start_get(path, headers=ask)
        request = self.origin.take()
        request.reply(status=status, body=body, headers=headers)
        answer = asked.result()
        answer.request = request
        return answer

    def test_our_own_field_goes_before_all_others(self):
        node = self.node()
        first = self.fetch(node, "/a", {"Verge-Cache-Control": "max-age=60", "CDN-Cache-Control": "no-store",
                                        "Surrogate-Control": "no-store", "Cache-Control": "private"})
        self.assertEqual(first["cache-control"], "private")  # the client's own cache goes by that
        self.assertEqual(first["cdn-cache-control"], "no-store")  # another CDN on the way may want it
        self.assertIsNone(first["verge-cache-control"])
        self.assertIsNone(first["surrogate-control"])
        self.assertIn("hit", node.get("/a")["cache-status"])
        self.assertEqual(self.origin.asked, 1)

    def test_the_order_of_the_fields_is_the_routes(self):
        node = self.node(route=", cache: {targets: [Surrogate-Control, acme-cache-control]}")
        answer = self.fetch(node, "/a", {"Verge-Cache-Control": "max-age=60", "Acme-Cache-Control": "no-store", **FRESH})
        self.assertIn("detail=no-store", answer["cache-status"])
        self.fetch(node, "/b", {"Surrogate-Control": "max-age=60", "Acme-Cache-Control": "no-store"})
        self.assertIn("hit", node.get("/b")["cache-status"])

    def test_surrogate_control_with_its_extension_serves_stale_and_refreshes_behind(self):
        node = self.node()
        self.fetch(node, "/s", {"Surrogate-Control": "max-age=0+60, max-age=600;other", "Cache-Control": "no-store"}, "old")
        answer = node.get("/s")
        self.assertEqual(answer.body, b"old")
        self.assertIn("stale-while-revalidate", answer["cache-status"])
        self.origin.take().reply(body="new", headers={"Surrogate-Control": "max-age=60"})
        node.wait_for_metric("verge_stores_total", 2)
        self.assertEqual(node.get("/s").body, b"new")

    def test_a_304_brings_new_tags_though_clients_never_saw_any(self):
        node = self.node()
        first = self.fetch(node, "/t", {"Surrogate-Key": "one two", "Surrogate-Control": "max-age=0",
                                        "Cache-Control": "max-age=600", "ETag": '"1"'}, "body")
        self.assertIsNone(first["surrogate-key"])
        asked = node.start_get("/t")
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"1"')
        request.reply(status=304, reason="Not Modified",
                      headers={"ETag": '"1"', "Surrogate-Key": "three", "Surrogate-Control": "max-age=60"})
        answer = asked.result()
        self.assertEqual(answer.body, b"body")
        self.assertIsNone(answer["surrogate-key"])
        self.assertIn("hit", node.get("/t")["cache-status"])
        node.purge("--tag", "one")
        self.assertIn("hit", node.get("/t")["cache-status"])
        node.purge("--tag", "three")
        self.assertEqual(self.fetch(node, "/t", FRESH, "new").body, b"new")

    def test_tags_and_what_speaks_to_us_outlive_a_restart(self):
        node = self.node()
        self.fetch(node, "/r", {"Cache-Tag": "Home, news", "Verge-Cache-Control": "max-age=600"}, "old")
        node.wait_for_metric("verge_stores_total", 1)
        node.stop()
        node.start()
        answer = node.get("/r")
        self.assertIn("hit", answer["cache-status"])
        self.assertIsNone(answer["cache-tag"])
        node.purge("--tag", "home")
        self.assertEqual(self.fetch(node, "/r", FRESH, "new").body, b"new")

    def test_tag_fields_and_what_is_stripped_are_the_routes(self):
        node = self.node(route=", cache: {tag_headers: {X-Tags: space}, strip: [x-secret]}")
        answer = self.fetch(node, "/x", {**FRESH, "X-Tags": "a b", "Surrogate-Key": "c", "X-Secret": "1"})
        self.assertEqual(answer["x-tags"], "a b")
        self.assertEqual(answer["surrogate-key"], "c")
        self.assertIsNone(answer["x-secret"])
        node.purge("--tag", "c")
        self.assertIn("hit", node.get("/x")["cache-status"])
        node.purge("--tag", "b")
        self.fetch(node, "/x", FRESH)

    def test_an_answer_that_passes_is_stripped_too(self):
        node = self.node()
        answer = self.fetch(node, "/p", {"Cache-Control": "private", "Surrogate-Key": "a", "Warning": '110 - "old"'})
        self.assertIsNone(answer["surrogate-key"])
        self.assertIsNone(answer["warning"])

    def test_a_field_for_the_first_client_reaches_no_other(self):
        node = self.node()
        first = self.fetch(node, "/c", {"Cache-Control": 'max-age=60, private="set-cookie"', "Set-Cookie": "s=1"})
        self.assertEqual(first["set-cookie"], "s=1")
        second = node.get("/c")
        self.assertIn("hit", second["cache-status"])
        self.assertIsNone(second["set-cookie"])

    def test_origins_are_told_of_surrogate_control_where_the_route_wants_it(self):
        node = self.node(route=", cache: {surrogate_capability: true, surrogate_id: edge1}")
        answer = self.fetch(node, "/", {"Surrogate-Control": "max-age=60;edge1, no-store;verge"},
                            ask={"Surrogate-Capability": 'evil="ESI/1.0"'})
        self.assertEqual(answer.request.header("surrogate-capability"), 'edge1="Surrogate/1.0"')
        self.assertIn("hit", node.get("/")["cache-status"])


class Groups(Scenario):
    def store(self, node, path, groups, body="old", host="site.example"):
        asked = node.start_get(path, host=host)
        self.origin.take().reply(body=body, headers={**FRESH, "Cache-Groups": groups})
        self.assertEqual(asked.result()["cache-groups"], groups)

    def send(self, node, path, headers, method="POST", status=200):
        asked = node.start_get(path, method=method, body=b"x")
        self.origin.take().reply(status=status, headers=headers)
        return asked.result()

    def gone(self, node, path, host="site.example"):
        """Asks again and gives the new body; fails if the store still answers."""
        asked = node.start_get(path, host=host)
        self.origin.take().reply(body="new", headers=FRESH)
        self.assertEqual(asked.result().body, b"new")

    def test_an_unsafe_answer_invalidates_the_groups_it_names_of_its_origin_alone(self):
        node = self.node()
        self.store(node, "/a", '"scores", "all"')
        self.store(node, "/b", '"Scores"')
        self.store(node, "/c", '"scores"', host="other.example")
        self.send(node, "/vote", {"Cache-Group-Invalidation": '"scores"'})
        self.gone(node, "/a")
        self.assertIn("hit", node.get("/b")["cache-status"])  # groups know case
        self.assertIn("hit", node.get("/c", host="other.example")["cache-status"])

    def test_a_safe_answer_and_a_field_that_does_not_parse_invalidate_nothing(self):
        node = self.node()
        self.store(node, "/a", '"g"')
        asked = node.start_get("/other")
        self.origin.take().reply(headers={**FRESH, "Cache-Group-Invalidation": '"g"'})
        asked.result()
        self.send(node, "/vote", {"Cache-Group-Invalidation": "g, *"})
        self.assertIn("hit", node.get("/a")["cache-status"])

    def test_an_error_that_names_groups_invalidates_them(self):
        node = self.node()
        self.store(node, "/a", '"g"')
        self.send(node, "/vote", {"Cache-Group-Invalidation": '"g"'}, status=500)
        self.gone(node, "/a")

    def test_what_shares_a_group_with_an_invalidated_response_goes_with_it_and_no_further(self):
        node = self.node()
        self.store(node, "/a", '"g"')
        self.store(node, "/b", '"g", "h"')
        self.store(node, "/c", '"h"')
        self.send(node, "/a", {})
        self.gone(node, "/b")
        self.assertIn("hit", node.get("/c")["cache-status"])  # it does not cascade

    def test_no_tag_purges_a_group(self):
        node = self.node()
        self.store(node, "/a", '"g"')
        for tag in ("g", "http://site.example"):
            self.assertEqual(node.admin("/purge", "POST", json.dumps({"tags": [tag]})).status, 200)
        refused = node.admin("/purge", "POST", json.dumps({"tags": ["http://site.example g"]}))
        self.assertEqual(refused.status, 400)
        self.assertIn("hit", node.get("/a")["cache-status"])

    def test_groups_are_invalidated_on_disk_too(self):
        node = self.node()
        self.store(node, "/a", '"g"')
        node.wait_for_metric("verge_stores_total", 1)
        self.send(node, "/vote", {"Cache-Group-Invalidation": '"g"'})
        node.stop()
        node.start()
        self.gone(node, "/a")


class Negative(Scenario):
    def test_errors_are_kept_as_long_as_the_route_says(self):
        node = self.node(route=", cache: {negative: {404: 60s, 5xx: 60s, 410: 0s}}")
        for path, status in (("/404", 404), ("/503", 503)):
            asked = node.start_get(path)
            self.origin.take().reply(status=status, body="no")
            self.assertEqual(asked.result().status, status)
            again = node.get(path)
            self.assertEqual((again.status, again.body), (status, b"no"))
            self.assertIn("hit", again["cache-status"])
        for _ in range(2):
            asked = node.start_get("/410")
            self.origin.take().reply(status=410, body="gone")
            asked.result()

    def test_what_the_origin_forbids_is_not_kept(self):
        node = self.node(route=", cache: {negative: {4xx: 60s}}")
        for _ in range(2):
            asked = node.start_get("/p")
            self.origin.take().reply(status=404, headers={"Cache-Control": "private"})
            asked.result()
            asked = node.start_get("/a", headers={"Authorization": "Basic eDp5"})
            self.origin.take().reply(status=403)
            asked.result()
        self.assertEqual(self.origin.asked, 4)


class Directives(Scenario):
    def test_only_the_listed_ones_of_a_client_count(self):
        node = self.node(route=", cache: {client_cache_control: [max-age, only-if-cached]}")
        asked = node.start_get("/a", headers={"Cache-Control": "no-store"})
        self.origin.take().reply(body="old", headers=FRESH)
        asked.result()
        for ignored in ({"Cache-Control": "no-cache"}, {"Pragma": "no-cache"}, {"Cache-Control": "min-fresh=600"}):
            self.assertIn("hit", node.get("/a", headers=ignored)["cache-status"])
        self.assertEqual(node.get("/other", headers={"Cache-Control": "only-if-cached"}).status, 504)
        asked = node.start_get("/a", headers={"Cache-Control": "max-age=0"})
        self.origin.take().reply(body="new", headers=FRESH)
        self.assertEqual(asked.result().body, b"new")

    def test_a_reload_of_something_immutable_is_a_hit(self):
        node = self.node()
        asked = node.start_get("/app.3f2a.js")
        self.origin.take().reply(body="js", headers={"Cache-Control": "max-age=600, immutable"})
        asked.result()
        self.assertIn("hit", node.get("/app.3f2a.js", headers={"Cache-Control": "max-age=0"})["cache-status"])
        asked = node.start_get("/app.3f2a.js", headers={"Cache-Control": "no-cache"})
        self.origin.take().reply(body="js", headers=FRESH)
        self.assertNotIn("; hit", asked.result()["cache-status"])


if __name__ == "__main__":
    unittest.main()
