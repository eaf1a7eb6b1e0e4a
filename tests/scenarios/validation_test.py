"""Asking the origin as little as possible: several validators at once, what a 304 selects, what a HEAD tells; and
answers that contradict what was asked."""

import unittest

from harness import Scenario

STALE = {"Cache-Control": "max-age=1", "Age": "1"}
FRESH = {"Cache-Control": "max-age=60"}


class SeveralValidators(Scenario):
    def store(self, node, lang, etag, more=None, **fields):
        asking = node.start_get("/v", headers={"X-Lang": lang, **fields})
        request = self.origin.take()
        request.reply(body=lang, headers={"Vary": "X-Lang", "ETag": etag, **(more or FRESH)})
        self.assertEqual(asking.result().body, lang.encode())
        return request

    def test_a_variant_that_is_new_is_asked_for_with_the_etags_of_those_we_have(self):
        node = self.node()
        self.store(node, "de", '"de"')
        self.assertEqual(self.store(node, "en", '"en"').header("if-none-match"), '"de"')
        asking = node.start_get("/v", headers={"X-Lang": "de-AT"})
        request = self.origin.take()
        self.assertEqual(set(request.header("if-none-match").split(", ")), {'"de"', '"en"'})
        self.assertIsNone(request.header("if-modified-since"))
        request.reply(status=304, headers={**FRESH, "Vary": "X-Lang", "ETag": '"de"', "X-New": "yes"})
        answer = asking.result()
        self.assertEqual((answer.status, answer.body, answer["x-new"]), (200, b"de", "yes"))
        # The one it selected is freshened, and is what this request gets from now on.
        for lang in ("de", "de-AT"):
            answer = node.get("/v", headers={"X-Lang": lang})
            self.assertEqual((answer.body, answer["x-new"]), (b"de", "yes"))
            self.assertIn("hit", answer["cache-status"])
        self.assertEqual(self.origin.asked, 3)

    def test_a_304_that_names_none_of_ours_is_asked_again_without_condition(self):
        node = self.node()
        self.store(node, "de", '"de"')
        asking = node.start_get("/v", headers={"X-Lang": "fr"})
        self.origin.take().reply(status=304, headers={"ETag": '"other"'})
        request = self.origin.take()
        self.assertIsNone(request.header("if-none-match"))
        request.reply(body="fr", headers={**FRESH, "Vary": "X-Lang"})
        self.assertEqual(asking.result().body, b"fr")

    def test_a_stale_variant_is_validated_beside_the_others(self):
        node = self.node()
        self.store(node, "de", '"1"', STALE)
        self.store(node, "en", '"2"', STALE)
        asking = node.start_get("/v", headers={"X-Lang": "de"})
        request = self.origin.take()
        self.assertEqual(request.header("if-none-match"), '"1", "2"')
        request.reply(status=304, headers={**FRESH, "Vary": "X-Lang", "ETag": '"2"'})
        self.assertEqual(asking.result().body, b"en")

    def test_weak_etags_and_codings_that_are_not_accepted_are_not_offered(self):
        node = self.node()
        self.store(node, "de", 'W/"de"')
        coded = {**FRESH, "Content-Encoding": "gzip"}
        self.store(node, "en", '"gz"', coded, **{"Accept-Encoding": "gzip"})
        asking = node.start_get("/v", headers={"X-Lang": "fr", "Accept-Encoding": "identity"})
        request = self.origin.take()
        self.assertIsNone(request.header("if-none-match"))
        request.reply(body="fr", headers={**FRESH, "Vary": "X-Lang"})
        asking.result()


class Head(Scenario):
    def store(self, node, **more):
        first = node.start_get("/h")
        self.origin.take().reply(body="body", headers={**STALE, "ETag": '"1"', "X-A": "old", **more})
        first.result()

    def head(self, node, status=200, headers=None, length="4"):
        asking = node.start_get("/h", method="HEAD")
        request = self.origin.take()
        self.assertEqual(request.method, "HEAD")
        fields = {"Content-Length": length, **(headers or {})}
        request.send(f"HTTP/1.1 {status} OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n")
        return asking.result()

    def test_the_answer_to_a_head_freshens_the_stored_get(self):
        node = self.node()
        self.store(node)
        self.assertEqual(self.head(node, headers={**FRESH, "ETag": '"1"', "X-A": "new"})["x-a"], "new")
        answer = node.get("/h")
        self.assertEqual((answer.body, answer["x-a"]), (b"body", "new"))
        self.assertIn("hit", answer["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_one_that_differs_makes_it_stale(self):
        for other in ({"headers": {**FRESH, "ETag": '"2"'}}, {"headers": FRESH, "length": "5"}):
            node = self.node()
            first = node.start_get("/h")
            self.origin.take().reply(body="body", headers={**FRESH, "ETag": '"1"'})
            first.result()
            # A client that wants to know for sure has the origin asked although all is fresh.
            asking = node.start_get("/h", method="HEAD", headers={"Cache-Control": "no-cache"})
            request = self.origin.take()
            fields = {"Content-Length": other.get("length", "4"), **other["headers"]}
            request.send("HTTP/1.1 200 OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n")
            asking.result()
            later = node.start_get("/h")
            validation = self.origin.take()
            self.assertEqual(validation.header("if-none-match"), '"1"')
            validation.reply(body="news", headers=FRESH)
            self.assertEqual(later.result().body, b"news")

    def test_an_answer_to_a_head_is_never_stored_for_a_get(self):
        node = self.node()
        self.head(node, headers=FRESH)
        asking = node.start_get("/h")
        self.origin.take().reply(body="body", headers=FRESH)
        self.assertEqual(asking.result().body, b"body")


class Contradictions(Scenario):
    def ask(self, node, answer, path="/c"):
        asking = node.start_get(path)
        request = self.origin.take()
        self.origin.auto = lambda r: r.send(answer)  # a retry gets the same
        request.send(answer)
        got = asking.result()
        self.origin.auto = None
        return got

    def not_stored(self, node, path="/c"):
        asking = node.start_get(path)
        self.origin.take().reply(body="right", headers=FRESH)
        self.assertEqual(asking.result().body, b"right")

    def test_a_304_to_a_request_without_condition_is_a_502(self):
        node = self.node()
        self.assertEqual(self.ask(node, "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n").status, 502)
        node.wait_for("304 to a request without condition")
        self.not_stored(node)

    def test_two_lengths_that_differ_are_a_502(self):
        node = self.node()
        answer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
        self.assertEqual(self.ask(node, answer).status, 502)
        self.not_stored(node)

    def test_a_204_has_no_body_whatever_its_length_says(self):
        node = self.node()
        got = self.ask(node, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
        self.assertEqual((got.body, got["content-length"]), (b"", None))
        self.assertIn(got.status, (204, 502))
        self.not_stored(node)

    def test_octets_beyond_the_length_belong_to_nobody(self):
        node = self.node()
        evil = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nevil"
        got = self.ask(node, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: no-store\r\n\r\ngood" + evil)
        self.assertEqual(got.body, b"good")
        other = node.start_get("/next")
        self.origin.take().reply(body="next")
        self.assertEqual(other.result().body, b"next")

    def test_an_etag_in_the_trailers_changes_nothing(self):
        node = self.node()
        got = self.ask(node, "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\nTransfer-Encoding: chunked"
                             "\r\n\r\n4\r\nbody\r\n0\r\nETag: \"2\"\r\n\r\n")
        self.assertEqual((got.body, got["etag"]), (b"body", '"1"'))
        self.assertEqual(node.get("/c")["etag"], '"1"')


if __name__ == "__main__":
    unittest.main()
