"""Cache poisoning by request fields that are not in the key: what an answer repeats of them is never shared."""

import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60"}


class Reflection(Scenario):
    def ask(self, node, path="/", body="x", answer=None, headers=None, **kwargs):
        asked = node.start_get(path, headers=headers, **kwargs)
        request = self.origin.take()
        request.reply(body=body, headers={**FRESH, **(answer or {})})
        return asked.result()

    def assertPoisonless(self, node, path, what, clean="clean"):
        """The last answer was not kept: the next client's request reaches the origin, and that answer is kept."""
        answer = self.ask(node, path, body=clean)
        self.assertEqual(answer.body, clean.encode(), what)
        self.assertIn("stored", answer["cache-status"], what)
        self.assertIn("; hit", node.get(path)["cache-status"], what)

    def test_a_field_repeated_in_the_body_is_not_shared(self):
        node = self.node()
        forms = {
            "as sent": "evil.example/x?a=1&b=<2>",
            "html": "evil.example/x?a=1&amp;b=&lt;2&gt;",
            "percent": "evil.example%2Fx%3Fa%3D1%26b%3D%3C2%3E",
            "script": "evil.example\\/x?a=1\\u0026b=\\u003c2\\u003e",
            "upper": "EVIL.EXAMPLE/X?A=1&B=<2>",
        }
        for i, (name, shown) in enumerate(forms.items()):
            answer = self.ask(node, f"/b{i}", body=f"<script src='//{shown}'>", headers={"X-Host-Name": forms["as sent"]})
            self.assertIn('detail="reflects x-host-name"', answer["cache-status"], name)
            self.assertPoisonless(node, f"/b{i}", name)
        self.assertEqual(node.metric("verge_reflections_total"), len(forms))
        node.wait_for("is not stored: the answer reflects x-host-name, which is not in its key")

    def test_a_field_repeated_in_the_head_is_not_shared(self):
        node = self.node()
        answer = self.ask(node, "/h", answer={"Location": "https://evil.example/"}, headers={"X-Target": "evil.example"})
        self.assertIn('detail="reflects x-target"', answer["cache-status"])
        self.assertPoisonless(node, "/h", "head")

    def test_an_allowed_origin_without_vary_is_not_shared(self):
        node = self.node()
        headers = {"Origin": "https://app.example"}
        self.ask(node, "/cors", answer={"Access-Control-Allow-Origin": "https://app.example"}, headers=headers)
        self.assertPoisonless(node, "/cors", "cors")
        self.ask(node, "/vary", answer={"Access-Control-Allow-Origin": "https://app.example", "Vary": "Origin"},
                 headers=headers)
        self.assertIn("; hit", node.get("/vary", headers=headers)["cache-status"])

    def test_a_cookie_that_is_repeated_is_not_shared(self):
        node = self.node()
        answer = self.ask(node, "/c", body="Hello mallory", headers={"Cookie": "theme=dark; user=mallory"})
        self.assertIn('detail="reflects cookie user"', answer["cache-status"])
        self.assertPoisonless(node, "/c", "cookie")

    def test_an_override_field_never_reaches_the_origin(self):
        node = self.node()
        asked = node.start_get("/o", headers={"X-Forwarded-Host": "evil.example", "X-Original-URL": "/admin"})
        request = self.origin.take()
        self.assertEqual(request.header("x-forwarded-host"), "site.example")
        self.assertIsNone(request.header("x-original-url"))
        request.reply(body="x", headers=FRESH)
        asked.result()
        self.assertIn("; hit", node.get("/o")["cache-status"])

    def test_the_body_of_a_get_poisons_nothing(self):
        node = self.node()
        asked = node.start_get("/g", method="GET", body="evil=1")
        self.origin.take().reply(body="evil", headers=FRESH)
        asked.result()
        self.assertPoisonless(node, "/g", "get body")

    def test_others_do_not_read_along_before_the_first_block_was_looked_at(self):
        node = self.node()
        leader = node.start_get("/late", headers={"X-Canary": "canary-12345"})
        request = self.origin.take()
        request.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 40\r\n\r\nfirst part, ")
        node.wait_for_metric("verge_stores_total", 1)
        other = node.start_get("/late")
        request.send("then canary-12345".ljust(28))
        self.assertIn(b"canary-12345", leader.result().body)
        again = self.origin.take()
        again.reply(body="clean", headers=FRESH)
        self.assertEqual(other.result().body, b"clean")

    def test_what_everybody_sends_does_not_count(self):
        node = self.node()
        headers = {"Accept": "text/html", "Accept-Language": "de-DE", "Accept-Encoding": "gzip, deflate",
                   "Cache-Control": "max-age=3600", "X-Requested-With": "XMLHttpRequest", "Sec-Fetch-Site": "same-origin",
                   "Referer": "http://site.example/list", "Cookie": "theme=dark"}
        body = "<html lang='de-DE'><a href='http://site.example/list'>gzip, deflate XMLHttpRequest same-origin dark"
        self.ask(node, "/u", body=body, answer={"Content-Type": "text/html"}, headers=headers)
        self.assertIn("; hit", node.get("/u", headers={})["cache-status"])

    def test_a_parameter_outside_the_key_that_is_repeated_is_not_shared(self):
        node = self.node(", cache: {key: {query: {deny: [ref], dropped: forward}}}")
        answer = self.ask(node, "/q?ref=evil.example&a=1", body="from evil.example")
        self.assertIn('detail="reflects parameter ref"', answer["cache-status"])
        self.assertPoisonless(node, "/q?a=1", "parameter")

    def test_no_vary_search_excuses_no_parameter_that_is_repeated(self):
        node = self.node()
        nvs = {"No-Vary-Search": 'params=("ref")'}
        answer = self.ask(node, "/n?ref=evil.example&a=1", body="from evil.example", answer=nvs)
        self.assertIn('detail="reflects parameter ref"', answer["cache-status"])
        self.assertPoisonless(node, "/n?a=1", "no-vary-search")

    def test_no_vary_search_is_heeded_after_a_trial(self):
        node = self.node()
        self.ask(node, "/t?ref=news-letter&a=1", answer={"No-Vary-Search": 'params=("ref")'}, headers={"X-Canary": "canary-12345"})
        self.assertIn("; hit", node.get("/t?a=1&ref=elsewhere")["cache-status"])

    def test_a_head_that_repeats_a_field_freshens_nothing(self):
        node = self.node()
        stored = {"Cache-Control": "max-age=0", "ETag": '"1"'}
        self.ask(node, "/head", body="x", answer=stored)
        asked = node.start_get("/head", method="HEAD", headers={"X-Target": "evil.example"})
        self.origin.take().reply(body="x", headers={**FRESH, "ETag": '"1"', "X-Link": "https://evil.example/"})
        asked.result()
        asked = node.start_get("/head")
        self.origin.take().reply(status=304, reason="Not Modified", headers={"ETag": '"1"'})
        self.assertIsNone(asked.result()["x-link"])

    def test_a_304_that_repeats_a_field_freshens_nothing(self):
        node = self.node()
        self.ask(node, "/304", body="x", answer={"Cache-Control": "max-age=0", "ETag": '"1"'})
        asked = node.start_get("/304", headers={"X-Target": "evil.example"})
        self.origin.take().reply(status=304, reason="Not Modified",
                                 headers={**FRESH, "ETag": '"1"', "X-Link": "https://evil.example/"})
        asked.result()
        asked = node.start_get("/304")
        self.origin.take().reply(status=304, reason="Not Modified", headers={**FRESH, "ETag": '"1"'})
        self.assertIsNone(asked.result()["x-link"])
        self.assertIn("; hit", node.get("/304")["cache-status"])

    def test_a_route_may_allow_it(self):
        node = self.node(", cache: {reflection: allow}")
        self.ask(node, "/a", body="says evil.example", headers={"X-Target": "evil.example"})
        self.assertIn("; hit", node.get("/a")["cache-status"])


if __name__ == "__main__":
    unittest.main()
