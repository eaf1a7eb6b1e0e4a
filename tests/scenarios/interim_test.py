"""1xx answers: handed on as they come, and early hints out of what is stored."""

import subprocess
import unittest

from harness import PATIENCE, Scenario

LINKS = "</a.css>; rel=preload; as=style, </next>; rel=next"


class Interim(Scenario):
    def curl(self, node, path, *arguments):
        """Every head that a client gets, one text."""
        return subprocess.Popen(
            ["curl", "-sS", "-o", "/dev/null", "-D", "-", "-H", "Host: site.example", *arguments,
             f"http://127.0.0.1:{node.ports[0]}{path}"], stdout=subprocess.PIPE, text=True)

    def heads(self, curl):
        return curl.communicate(timeout=PATIENCE)[0].replace("\r", "").lower()

    def test_102_and_103_go_through_in_both_protocols(self):
        node = self.node()
        for n, protocol in enumerate(("--http1.1", "--http2-prior-knowledge")):
            asking = self.curl(node, f"/{n}", protocol)
            request = self.origin.take()
            request.send("HTTP/1.1 102 Processing\r\n\r\n")
            request.send(f"HTTP/1.1 103 Early Hints\r\nLink: {LINKS}\r\n\r\n")
            request.reply(body="done")
            heads = self.heads(asking)
            self.assertRegex(heads, r"(?s)http/[\d.]+ 102.*http/[\d.]+ 103.*link: </a.css>.*http/[\d.]+ 200")

    def test_an_http_1_0_client_gets_none(self):
        node = self.node(route=", cache: {early_hints: on}")
        asking = self.curl(node, "/", "--http1.0")
        request = self.origin.take()
        request.send("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
        request.reply(body="done", headers={"Cache-Control": "max-age=1", "Age": "1", "ETag": "\"1\"", "Link": LINKS})
        self.assertNotIn(" 103", self.heads(asking))
        asking = self.curl(node, "/", "--http1.0")
        self.origin.take().reply(body="done")
        self.assertNotIn(" 103", self.heads(asking))

    def stale(self, node):
        first = node.start_get("/p")
        self.origin.take().reply(body="old", headers={"Cache-Control": "max-age=1", "Age": "1", "ETag": "\"1\"", "Link": LINKS})
        first.result()

    def test_links_of_a_stale_response_go_out_before_the_origin_has_answered(self):
        node = self.node()
        self.stale(node)
        asking = self.curl(node, "/p", "--http2-prior-knowledge")
        request = self.origin.take()
        early = ""
        while "103" not in early or "link" not in early.lower():  # the origin is still holding its answer
            line = asking.stdout.readline()
            self.assertTrue(line, early)
            early += line
        self.assertNotIn("rel=next", early)
        request.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n")  # no news
        request.reply(body="new")
        self.assertNotIn(" 103", self.heads(asking))

    def test_to_http_1_1_only_where_the_route_says_so(self):
        for route, expected in (("", False), (", cache: {early_hints: on}", True), (", cache: {early_hints: off}", False)):
            node = self.node(route=route)
            self.stale(node)
            asking = self.curl(node, "/p", "--http1.1")
            self.origin.take().reply(body="new")
            self.assertEqual(" 103" in self.heads(asking), expected, route)


if __name__ == "__main__":
    unittest.main()
