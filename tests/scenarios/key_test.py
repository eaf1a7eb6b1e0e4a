"""What an answer is stored under, and that it depends on nothing else."""

import json
import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60"}


def cache(settings):
    return ", cache: {" + settings + "}"


class Key(Scenario):
    def miss(self, node, path="/", body="x", answer=None, **kwargs):
        """One request that reaches the origin; returns what the origin got and the client's answer."""
        asked = node.start_get(path, **kwargs)
        request = self.origin.take()
        request.reply(body=body, headers={**FRESH, **(answer or {})})
        return request, asked.result()

    def assertHit(self, answer):
        self.assertIn("; hit", answer["cache-status"])

    def test_campaign_parameters_neither_split_the_cache_nor_reach_the_origin(self):
        node = self.node(cache("key: {query: {tracking: drop, sort: true}}"))
        request, _ = self.miss(node, "/p?utm_source=news&b=1&a=2&fbclid=xyz")
        self.assertEqual(request.target, "/p?a=2&b=1")
        self.assertHit(node.get("/p?a=2&b=1&gclid=9"))
        self.assertHit(node.get("/p?b=1&a=2"))
        self.assertEqual(self.origin.asked, 1)

    def test_parameters_that_are_not_allowed_are_not_forwarded(self):
        node = self.node(cache("key: {query: {allow: [page]}}"))
        request, _ = self.miss(node, "/p?callback=evil&page=1")
        self.assertEqual(request.target, "/p?page=1")
        self.assertHit(node.get("/p?page=1&callback=other"))
        request, _ = self.miss(node, "/p?page=2")
        self.assertEqual(request.target, "/p?page=2")

    def test_a_request_that_is_not_for_the_cache_keeps_its_query(self):
        node = self.node(cache("key: {query: none}"))
        asked = node.start_get("/p?x=1", method="POST", body="b")
        request = self.origin.take()
        self.assertEqual(request.target, "/p?x=1")
        request.reply()
        asked.result()

    def test_dropped_parameters_are_forwarded_where_the_route_says_so(self):
        node = self.node(cache("key: {query: {deny: [ref], dropped: forward}}"))
        request, _ = self.miss(node, "/p?ref=a&x=1")
        self.assertEqual(request.target, "/p?ref=a&x=1")
        self.assertHit(node.get("/p?x=1&ref=b"))

    def test_a_field_in_the_key_has_an_answer_for_each_value(self):
        node = self.node(cache("key: {headers: [X-Plan]}"))
        for plan in ("free", "pro"):
            request, _ = self.miss(node, "/p", body=plan, headers={"X-Plan": plan})
            self.assertEqual(request.header("x-plan"), plan)
        self.assertEqual(node.get("/p", headers={"X-Plan": "free"}).body, b"free")
        self.assertEqual(node.get("/p", headers={"X-Plan": "pro"}).body, b"pro")
        self.miss(node, "/p", body="none")
        self.assertEqual(node.get("/p").body, b"none")

    def test_cookies_in_the_key_are_the_only_ones_the_origin_sees(self):
        node = self.node(cache("key: {cookies: [lang]}"))
        request, _ = self.miss(node, "/p", body="de", headers={"Cookie": "session=s3cret; lang=de"})
        self.assertEqual(request.header("cookie"), "lang=de")
        self.assertEqual(node.get("/p", headers={"Cookie": "lang=de; session=other"}).body, b"de")
        request, _ = self.miss(node, "/p", body="none", headers={"Cookie": "session=s3cret"})
        self.assertIsNone(request.header("cookie"))
        asked = node.start_get("/p", method="POST", body="b", headers={"Cookie": "session=s3cret"})
        request = self.origin.take()
        self.assertEqual(request.header("cookie"), "session=s3cret")
        request.reply()
        asked.result()

    def test_vary_on_cookie_looks_at_the_cookies_of_the_key_only(self):
        node = self.node(cache("key: {cookies: [lang]}"))
        self.miss(node, "/p", answer={"Vary": "Cookie"}, headers={"Cookie": "session=1; lang=de"})
        self.assertHit(node.get("/p", headers={"Cookie": "lang=de; session=2"}))

    def test_hosts_that_share_answers_are_one_host_to_the_origin(self):
        node = self.node()
        node.write_config(self.config(cache("key: {host: false, scheme: false}")).replace(
            'hosts: ["*"]', "hosts: [www.example.com, example.com]"))
        self.assertEqual(node.admin("/reload", method="POST").status, 200)
        request, _ = self.miss(node, "/p", host="example.com")
        self.assertEqual(request.header("host"), "www.example.com")
        self.assertEqual(request.header("x-forwarded-proto"), "https")
        self.assertHit(node.get("/p", host="www.example.com"))
        self.assertEqual(node.purge("https://example.com/p").returncode, 0)
        self.miss(node, "/p", host="www.example.com")

    def test_a_purge_of_a_url_as_browsers_show_it_hits_what_is_stored(self):
        node = self.node(cache("key: {query: {tracking: drop, sort: true}, headers: [X-Plan]}"))
        for url in ("http://site.example/p?utm_source=x&b=1&a=2", "/p?b=1&a=2&gclid=7"):
            self.miss(node, "/p?a=2&b=1", headers={"X-Plan": "free"})
            self.assertHit(node.get("/p?b=1&a=2", headers={"X-Plan": "free"}))
            self.assertEqual(node.purge(url).returncode, 0)
            self.miss(node, "/p?a=2&b=1", headers={"X-Plan": "free"})
            node.purge("--all")

    def test_an_unsafe_method_hits_every_answer_of_its_url(self):
        node = self.node(cache("key: {query: {tracking: drop, sort: true}, headers: [X-Plan]}"))
        self.miss(node, "/p?a=2&b=1", headers={"X-Plan": "free"})
        asked = node.start_get("/p?b=1&utm_id=3&a=2", method="DELETE")
        self.origin.take().reply(status=204, reason="No Content")
        asked.result()
        self.miss(node, "/p?a=2&b=1", headers={"X-Plan": "free"})

    def test_a_location_in_the_answer_to_an_unsafe_method_counts_as_its_route_files_it(self):
        node = self.node(cache("key: {query: {tracking: drop, sort: true}}"))
        self.miss(node, "/list?a=2&b=1")
        asked = node.start_get("/add", method="POST", body="x")
        self.origin.take().reply(status=201, reason="Created", headers={"Location": "/list?b=1&a=2&utm_source=x"})
        asked.result()
        self.miss(node, "/list?a=2&b=1")


class Forwarded(Scenario):
    OVERRIDES = ("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix", "Forwarded")

    def ask(self, node, path, headers):
        asked = node.start_get(path, headers=headers)
        request = self.origin.take()
        request.reply(body="x", headers=FRESH)
        asked.result()
        return request

    def test_fields_that_override_the_question_are_dropped_by_default(self):
        node = self.node()
        request = self.ask(node, "/a", {**{name: "/admin" for name in self.OVERRIDES}, "X-Other": "stays"})
        for name in self.OVERRIDES:
            self.assertIsNone(request.header(name.lower()), name)
        self.assertEqual(request.header("x-other"), "stays")
        self.assertEqual(request.header("x-forwarded-host"), "site.example")

    def test_forward_all_puts_them_into_the_key(self):
        node = self.node(", forward: all")
        self.assertEqual(self.ask(node, "/a", {"X-Original-URL": "/admin"}).header("x-original-url"), "/admin")
        self.assertIsNone(self.ask(node, "/a", {}).header("x-original-url"))  # a miss: not the other's answer
        self.assertIn("; hit", node.get("/a", headers={"X-Original-URL": "/admin"})["cache-status"])
        self.assertIn("; hit", node.get("/a")["cache-status"])

    def test_a_list_forwards_what_it_names_and_what_the_request_needs(self):
        node = self.node(', forward: [accept, "x-app-*"], cache: {key: {headers: [x-plan]}}')
        request = self.ask(node, "/a", {"Accept": "text/html", "X-App-Id": "7", "X-Plan": "pro", "X-Other": "no",
                                        "Authorization": "Basic eDp5", "Cookie": "a=b"})
        names = {name for name, _ in request.headers}
        self.assertLessEqual({"accept", "x-app-id", "x-plan", "host"}, names)
        self.assertFalse({"x-other", "authorization", "cookie"} & names)
        asked = node.start_get("/a", method="PUT", body="{}", headers={"Content-Type": "application/json", "If-Match": '"1"'})
        request = self.origin.take()
        self.assertEqual((request.header("content-type"), request.header("if-match")), ("application/json", '"1"'))
        request.reply()
        asked.result()


if __name__ == "__main__":
    unittest.main()
