"""What a client sees of the cache, over the real program."""

import json
import os
import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60"}


class Caching(Scenario):
    def test_the_second_request_is_a_hit_with_age_and_status(self):
        node = self.node()
        first = node.start_get("/a")
        self.origin.take().reply(body="one", headers=FRESH)
        self.assertEqual(first.result().body, b"one")
        hit = node.get("/a")
        self.assertEqual(hit.body, b"one")
        self.assertIn("hit", hit["cache-status"])
        self.assertEqual(int(hit["age"]), 0)
        self.assertEqual(self.origin.asked, 1)

    def test_a_private_answer_is_never_shared(self):
        node = self.node()
        for user in (b"alice", b"bob"):
            asked = node.start_get("/me")
            self.origin.take().reply(body=user, headers={"Cache-Control": "private, max-age=60"})
            answer = asked.result()
            self.assertEqual(answer.body, user)
            self.assertIn("detail=private", answer["cache-status"])

    def test_set_cookie_is_not_stored_by_default(self):
        node = self.node()
        for value in (b"1", b"2"):
            asked = node.start_get("/login")
            self.origin.take().reply(body=value, headers={**FRESH, "Set-Cookie": "s=" + value.decode()})
            self.assertEqual(asked.result().body, value)

    def test_an_answer_to_authorization_needs_public(self):
        node = self.node()
        for value in (b"1", b"2"):
            asked = node.start_get("/r", headers={"Authorization": "Basic eDp5"})
            self.origin.take().reply(body=value, headers=FRESH)
            self.assertEqual(asked.result().body, value)

    def test_a_stale_answer_is_validated_and_freshened_by_a_304(self):
        node = self.node()
        asked = node.start_get("/v")
        self.origin.take().reply(body="v1", headers={"Cache-Control": "max-age=0", "ETag": '"1"'})
        asked.result()
        asked = node.start_get("/v")
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"1"')
        request.reply(status=304, reason="Not Modified", headers={"ETag": '"1"', "Cache-Control": "max-age=60", "X-New": "y"})
        answer = asked.result()
        self.assertEqual((answer.status, answer.body), (200, b"v1"))
        self.assertIn("fwd-status=304", answer["cache-status"])
        self.assertEqual(answer["x-new"], "y")
        self.assertIn("hit", node.get("/v")["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_the_clients_own_condition_is_answered_from_the_store(self):
        node = self.node()
        asked = node.start_get("/c", headers={"If-None-Match": '"1"'})
        request = self.origin.take()
        self.assertIsNone(request.header("if-none-match"))  # the cache wants the whole answer
        request.reply(body="body", headers={**FRESH, "ETag": '"1"'})
        self.assertEqual(asked.result().status, 304)
        self.assertEqual(node.get("/c", headers={"If-None-Match": '"1"'}).status, 304)
        self.assertEqual(node.get("/c", headers={"If-None-Match": '"2"'}).status, 200)
        self.assertEqual(self.origin.asked, 1)

    def test_variants_are_kept_apart_by_vary(self):
        node = self.node()
        for language in ("de", "en"):
            asked = node.start_get("/l", headers={"X-Lang": language})
            self.origin.take().reply(body=language, headers={**FRESH, "Vary": "X-Lang"})
            self.assertEqual(asked.result().body, language.encode())
        for language in ("de", "en"):
            answer = node.get("/l", headers={"X-Lang": language})
            self.assertEqual(answer.body, language.encode())
            self.assertIn("hit", answer["cache-status"])
        asked = node.start_get("/l", headers={"X-Lang": "fr"})
        self.origin.take().reply(body="fr", headers={**FRESH, "Vary": "X-Lang"})
        self.assertIn("fwd=vary-miss", asked.result()["cache-status"])

    def test_head_is_answered_from_a_stored_get(self):
        node = self.node()
        asked = node.start_get("/h")
        self.origin.take().reply(body="12345", headers=FRESH)
        asked.result()
        head = node.get("/h", method="HEAD")
        self.assertEqual((head.status, head.body, head["content-length"]), (200, b"", "5"))
        self.assertEqual(self.origin.asked, 1)

    def test_a_range_is_cut_from_the_stored_body(self):
        node = self.node()
        asked = node.start_get("/r")
        self.origin.take().reply(body="0123456789", headers={**FRESH, "ETag": '"r"'})
        asked.result()
        for wanted, status, body, said in (
                ("bytes=2-4", 206, b"234", "bytes 2-4/10"), ("bytes=-3", 206, b"789", "bytes 7-9/10"),
                ("bytes=8-", 206, b"89", "bytes 8-9/10"), ("bytes=20-", 416, b"", "bytes */10"),
                ("lines=1-2", 200, b"0123456789", None)):
            answer = node.get("/r", headers={"Range": wanted})
            self.assertEqual((answer.status, answer.body, answer["content-range"]), (status, body, said), wanted)
        other = node.get("/r", headers={"Range": "bytes=2-4", "If-Range": '"other"'})
        self.assertEqual((other.status, other.body), (200, b"0123456789"))

    def test_a_post_is_passed_and_drops_what_was_stored(self):
        node = self.node()
        asked = node.start_get("/doc")
        self.origin.take().reply(body="old", headers=FRESH)
        asked.result()
        asked = node.start_get("/doc", method="POST", body=b"new text")
        request = self.origin.take()
        self.assertEqual((request.method, request.body), ("POST", b"new text"))
        request.reply(body="saved")
        self.assertEqual(asked.result().body, b"saved")
        asked = node.start_get("/doc")
        self.origin.take().reply(body="new", headers=FRESH)
        self.assertEqual(asked.result().body, b"new")

    def test_only_if_cached_does_not_ask_the_origin(self):
        node = self.node()
        self.assertEqual(node.get("/x", headers={"Cache-Control": "only-if-cached"}).status, 504)
        self.assertEqual(self.origin.asked, 0)

    def test_override_fields_do_not_reach_the_origin(self):
        node = self.node()
        asked = node.start_get("/x", headers={"X-Original-URL": "/admin", "X-Forwarded-Host": "evil.example",
                                              "X-HTTP-Method-Override": "DELETE", "Connection": "x-secret", "X-Secret": "1"})
        request = self.origin.take()
        request.reply(body="ok")
        asked.result()
        self.assertIsNone(request.header("x-original-url"))
        self.assertIsNone(request.header("x-http-method-override"))
        self.assertIsNone(request.header("x-secret"))
        self.assertNotIn("evil.example", str(request.headers))

    def test_a_route_can_be_off(self):
        node = self.node(route=", cache: off")
        for body in (b"1", b"2"):
            asked = node.start_get("/n")
            self.origin.take().reply(body=body, headers=FRESH)
            answer = asked.result()
            self.assertEqual(answer.body, body)
            self.assertIn("fwd=bypass", answer["cache-status"])


class Stale(Scenario):
    def store_stale(self, node, extra=""):
        asked = node.start_get("/s")
        self.origin.take().reply(body="old", headers={"Cache-Control": "max-age=0" + extra, "ETag": '"s"'})
        asked.result()

    def test_stale_while_revalidate_answers_at_once_and_refreshes_behind(self):
        node = self.node()
        self.store_stale(node, ", stale-while-revalidate=60")
        answer = node.get("/s")  # the origin holds its answer: this one can't have waited for it
        self.assertEqual(answer.body, b"old")
        self.assertIn("stale-while-revalidate", answer["cache-status"])
        refresh = self.origin.take()
        self.assertEqual(refresh.header("if-none-match"), '"s"')
        refresh.reply(body="new", headers={"Cache-Control": "max-age=60"})
        node.wait_for_metric("verge_stores_total", 2)
        self.assertEqual(node.get("/s").body, b"new")
        self.assertEqual(self.origin.asked, 2)

    def test_stale_if_error_hides_a_5xx(self):
        node = self.node()
        self.store_stale(node, ", stale-if-error=60")
        asked = node.start_get("/s")
        self.origin.take().reply(status=503, reason="Busy", body="<secret>")
        answer = asked.result()
        self.assertEqual((answer.status, answer.body), (200, b"old"))
        self.assertIn("stale-if-error", answer["cache-status"])

    def test_a_5xx_is_shown_without_stale_if_error(self):
        node = self.node()
        self.store_stale(node)
        asked = node.start_get("/s")
        self.origin.take().reply(status=503, reason="Busy", body="busy")
        self.assertEqual(asked.result().status, 503)

    def test_stale_is_served_when_the_origin_hangs_up(self):
        node = self.node()
        self.store_stale(node)
        self.origin.auto = lambda request: request.close()
        answer = node.get("/s")
        self.assertEqual((answer.status, answer.body), (200, b"old"))

    def test_stale_is_not_served_where_the_origin_forbids_it(self):
        for directive in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=0"):
            node = self.node()
            self.store_stale(node, ", " + directive)
            self.origin.auto = lambda request: request.close()
            self.assertEqual(node.get("/s").status, 502, directive)
            self.origin.auto = None


class Keeping(Scenario):
    def fill(self, node, big):
        for path, body in (("/small", b"small"), ("/big", big)):
            asked = node.start_get(path)
            self.origin.take().reply(body=body, headers=FRESH)
            self.assertEqual(asked.result().body, body)
        node.wait_for_metric("verge_cache_disk_entries", 2)

    def test_a_restart_and_a_kill_keep_what_was_stored(self):
        big = os.urandom(3_000_000)
        node = self.node()
        self.fill(node, big)
        node.stop()
        node.start()
        for path, body in (("/small", b"small"), ("/big", big)):
            answer = node.get(path)
            self.assertEqual(answer.body, body)
            self.assertIn("detail=lmdb", answer["cache-status"])
        node.kill()
        node.start()
        self.assertEqual(node.get("/big").body, big)
        self.assertEqual(self.origin.asked, 2)

    def test_a_purge_survives_a_kill(self):
        node = self.node()
        self.fill(node, b"x" * 100_000)
        self.assertEqual(node.purge("/small").returncode, 0)
        node.kill()
        node.start()
        asked = node.start_get("/small")
        self.origin.take().reply(body="new", headers=FRESH)
        self.assertEqual(asked.result().body, b"new")
        self.assertIn("hit", node.get("/big")["cache-status"])

    def test_a_cut_answer_is_not_stored_and_not_ended_well(self):
        node = self.node()
        conn = node.connect()
        conn.sendall(b"GET /cut HTTP/1.1\r\nHost: h\r\n\r\n")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1000\r\n\r\nhalf")
        request.close()
        got = b""
        while part := conn.recv(65536):
            got += part
        self.assertIn(b"content-length: 1000", got.lower())
        self.assertTrue(got.endswith(b"half"))  # the client sees 4 of 1000 octets: cut
        asked = node.start_get("/cut")
        self.origin.take().reply(body="whole", headers=FRESH)
        self.assertEqual(asked.result().body, b"whole")

    def test_a_foreign_cache_file_is_set_aside(self):
        node = self.node(start=False)
        os.makedirs(os.path.join(node.directory, "cache"))
        with open(os.path.join(node.directory, "cache", "data.mdb"), "wb") as file:
            file.write(b"not LMDB at all" * 1000)
        node.start()
        asked = node.start_get("/a")
        self.origin.take().reply(body="a", headers=FRESH)
        self.assertEqual(asked.result().body, b"a")
        self.assertTrue(node.matches("warn .*set aside"), node.lines)


class Purging(Scenario):
    def ask(self, node, path, body):
        asked = node.start_get(path)
        self.origin.take().reply(body=body, headers={**FRESH, "Surrogate-Key": "home front"})
        self.assertEqual(asked.result().body, body)

    def test_paths_patterns_tags_and_all(self):
        node = self.node()
        for argument, path in (("/a/1", "/a/1"), ("/a/*", "/a/2"), ("--tag=home", "/b"), ("--all", "/c")):
            self.ask(node, path, b"old")
            self.assertIn("hit", node.get(path)["cache-status"])
            done = node.purge(argument)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.ask(node, path, b"new")

    def test_soft_purge_revalidates(self):
        node = self.node()
        asked = node.start_get("/e")
        self.origin.take().reply(body="e", headers={**FRESH, "ETag": '"e"'})
        asked.result()
        self.assertEqual(node.purge("--soft", "/e").returncode, 0)
        asked = node.start_get("/e")
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"e"')
        request.reply(status=304, reason="Not Modified", headers=FRESH)
        self.assertEqual(asked.result().body, b"e")
        self.assertIn("hit", node.get("/e")["cache-status"])

    def test_an_invalidation_while_the_origin_answers_hits_the_answer_in_flight(self):
        node = self.node()
        asked = node.start_get("/app.js")
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\n")
        self.assertEqual(node.purge("/app.js").returncode, 0)
        late = node.start_get("/app.js")  # begun after the purge: must not join the old flight
        fresh = self.origin.take()
        fresh.reply(body="new", headers=FRESH)
        self.assertEqual(late.result().body, b"new")
        request.send("old")
        self.assertEqual(asked.result().body, b"old")  # delivered to the one who asked before
        self.assertEqual(node.get("/app.js").body, b"new")
        self.assertEqual(self.origin.asked, 2)

    def test_bad_purges_say_what_is_wrong(self):
        node = self.node()
        bad = node.admin("/purge", "POST", body=json.dumps({"path": ["/x"]}))
        self.assertEqual(bad.status, 400)
        self.assertIn(b"unknown member", bad.body)
        self.assertEqual(node.admin("/purge").status, 405)
        self.assertEqual(node.purge("no-slash*%zz").returncode, 2)


if __name__ == "__main__":
    unittest.main()
