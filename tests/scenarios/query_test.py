"""Answers to QUERY and POST, where a route says that they are stored under their bodies."""

import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60", "ETag": '"a"'}
BOTH = ", cache: {methods: [GET, HEAD, QUERY, POST], key_body: 1KiB}"
JSON = {"Content-Type": "application/json"}


class Query(Scenario):
    def automatic(self, headers=FRESH):
        self.bodies = []

        def answer(request):
            self.bodies.append((request.method, request.body))
            request.reply(body=b"answer to " + request.body[:40], headers=headers)
        self.origin.auto = answer

    def ask(self, node, method, body, headers=JSON, path="/search"):
        return node.get(path, method=method, body=body, headers=headers)

    def test_the_same_question_is_asked_once_and_another_anew(self):
        self.automatic()
        node = self.node(BOTH)
        for method in ("QUERY", "POST"):
            first = self.ask(node, method, b'{"q": 1}')
            self.assertEqual(first.body, b'answer to {"q": 1}')
            self.assertIn("stored", first["Cache-Status"])
            again = self.ask(node, method, b'{"q": 1}')
            self.assertEqual((again.body, again["Cache-Status"].split(";")[1].strip()), (first.body, "hit"))
            self.assertEqual(self.ask(node, method, b'{"q": 2}').body, b'answer to {"q": 2}')
            self.assertIn("fwd", self.ask(node, method, b'{"q": 1}', {"Content-Type": "text/plain"})["Cache-Status"])
        self.assertEqual(self.bodies, [(m, b) for m in ("QUERY", "POST") for b in (b'{"q": 1}', b'{"q": 2}', b'{"q": 1}')])

    def test_neither_answers_a_get_nor_the_other(self):
        self.automatic()
        node = self.node(BOTH)
        self.ask(node, "QUERY", b"x")
        self.assertIn("fwd", self.ask(node, "POST", b"x")["Cache-Status"])
        self.assertIn("fwd", node.get("/search")["Cache-Status"])
        self.assertEqual([method for method, _ in self.bodies], ["QUERY", "POST", "GET"])

    def test_without_the_route_s_word_both_pass(self):
        self.automatic()
        node = self.node()
        for method in ("QUERY", "POST"):
            for _ in range(2):
                self.assertIn("fwd=method", self.ask(node, method, b"x")["Cache-Status"])
        self.assertEqual(len(self.bodies), 4)

    def test_a_body_beyond_the_limit_passes_whole(self):
        self.automatic()
        node = self.node(BOTH)
        large = b"y" * 300_000
        for _ in range(2):
            answer = self.ask(node, "QUERY", large)
            self.assertIn("fwd=bypass", answer["Cache-Status"])
        self.assertEqual(self.bodies, [("QUERY", large), ("QUERY", large)])

    def test_many_who_ask_the_same_wait_for_one(self):
        node = self.node(BOTH)
        asking = [node.start_get("/s", method="QUERY", body=b"same", headers=JSON) for _ in range(20)]
        request = self.origin.take()
        self.assertEqual(request.body, b"same")
        request.reply(body=b"one", headers=FRESH)
        self.assertEqual({a.result().body for a in asking}, {b"one"})
        self.assertEqual(self.origin.asked, 1)

    def test_a_stale_answer_to_query_is_validated_with_its_body(self):
        node = self.node(BOTH)
        got = node.start_get("/s", method="QUERY", body=b"q", headers=JSON)
        self.origin.take().reply(body=b"old", headers={"Cache-Control": "max-age=0", "ETag": '"v"'})
        got.result()
        got = node.start_get("/s", method="QUERY", body=b"q", headers=JSON)
        request = self.origin.take()
        self.assertEqual((request.method, request.body, request.header("if-none-match")), ("QUERY", b"q", '"v"'))
        request.reply(304, headers={"Cache-Control": "max-age=60", "ETag": '"v"'}, reason="Not Modified")
        self.assertEqual(got.result().body, b"old")

    def test_an_answer_to_post_needs_explicit_freshness(self):
        self.automatic({"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"})
        node = self.node(BOTH)
        for _ in range(2):
            self.assertIn("no-freshness", self.ask(node, "POST", b"x")["Cache-Status"])
        self.assertEqual(len(self.bodies), 2)

    def test_neither_drops_what_is_stored_and_a_purge_drops_theirs(self):
        self.automatic()
        node = self.node(BOTH)
        node.get("/search")
        self.ask(node, "QUERY", b"x")
        self.ask(node, "POST", b"x")
        self.assertIn("hit", node.get("/search")["Cache-Status"])
        self.assertEqual(node.purge("http://site.example/search").returncode, 0)
        for answer in (node.get("/search"), self.ask(node, "QUERY", b"x"), self.ask(node, "POST", b"x")):
            self.assertIn("fwd", answer["Cache-Status"])

    def test_options_passes_and_is_never_stored(self):
        self.automatic()
        node = self.node(BOTH)
        for _ in range(2):
            self.assertIn("fwd=method", node.get("/search", method="OPTIONS")["Cache-Status"])
        self.assertEqual([method for method, _ in self.bodies], ["OPTIONS", "OPTIONS"])


if __name__ == "__main__":
    unittest.main()
