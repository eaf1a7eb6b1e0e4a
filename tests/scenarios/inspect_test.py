"""verge why, ls and get: what a node says of its store must be what it then does."""

import json
import subprocess
import unittest

from harness import PATIENCE, VERGE, Scenario

FRESH = {"Cache-Control": "max-age=60", "ETag": '"a"'}


class Inspect(Scenario):
    def ask(self, node, command, *arguments):
        return subprocess.run([VERGE, command, "--admin", f"127.0.0.1:{node.admin_port}", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def why(self, node, path, *arguments):
        done = self.ask(node, "why", "--json", f"http://site.example{path}", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def steps(self, answer, room):
        return " | ".join(f"{s['text']} ({s.get('rfc', '')}; {s.get('config', '')})" for s in answer["steps"]
                          if s["room"] == room)

    def fill(self, node, path, headers=FRESH):
        got = node.start_get(path)
        self.origin.take().reply(body=b"body", headers=headers)
        return got.result()

    def test_why_foretells_miss_then_hit_and_asks_nobody(self):
        node = self.node()
        miss = self.why(node, "/a")
        self.assertEqual(miss["outcome"], "miss")
        self.assertIn("nothing is stored", self.steps(miss, "lookup"))
        self.assertEqual(self.origin.asked, 0)
        self.fill(node, "/a")
        hit = self.why(node, "/a")
        self.assertEqual(hit["outcome"], "hit")
        self.assertIn("lifetime is 1m from the origin's max-age", self.steps(hit, "lookup"))
        self.assertIn("RFC 9111 section 4.2.3", self.steps(hit, "lookup"))
        self.assertIn(f"{node.path}:", self.steps(hit, "route"))
        self.assertIn("hit", node.get("/a")["Cache-Status"])
        self.assertEqual(self.origin.asked, 1)

    def test_why_names_the_invalidation_that_ended_it(self):
        node = self.node()
        self.fill(node, "/img/a.png")
        node.wait_for_metric("verge_cache_disk_entries", 1)  # the dead leave memory when they are met
        self.assertEqual(node.purge("/img/*").returncode, 0)
        gone = self.why(node, "/img/a.png")
        self.assertEqual(gone["outcome"], "miss")
        self.assertIn("dropped by sequence 2 (pattern /img/*); it was fetched at sequence 1", self.steps(gone, "lookup"))

    def test_why_tells_why_the_last_answer_was_not_stored_and_which_line_decides(self):
        node = self.node(route=", cache: {set_cookie: skip}")
        self.fill(node, "/c", {"Cache-Control": "max-age=60", "Set-Cookie": "a=1"})
        told = self.steps(self.why(node, "/c"), "storing")
        self.assertIn("it sets a cookie", told)
        with open(node.path) as file:
            line = next(i for i, text in enumerate(file, 1) if "set_cookie" in text)
        self.assertIn(f"{node.path}:{line} cache.set_cookie", told)
        self.fill(node, "/p", {"Cache-Control": "private, max-age=60"})
        self.assertIn("the origin said private (RFC 9111 section 5.2.2.7", self.steps(self.why(node, "/p"), "storing"))

    def test_why_follows_the_request_that_is_given(self):
        node = self.node()
        self.vary(node)
        same = self.why(node, "/v", "-H", "Accept-Language: de")
        self.assertEqual(same["outcome"], "hit")
        other = self.why(node, "/v", "-H", "Accept-Language: fr")
        self.assertEqual(other["outcome"], "miss")
        self.assertIn("this request does not select it", self.steps(other, "lookup"))
        self.assertEqual(self.why(node, "/v", "-X", "POST")["outcome"], "pass")
        reload = self.why(node, "/v", "-H", "Accept-Language: de", "-H", "Cache-Control: no-cache")
        self.assertEqual(reload["outcome"], "revalidate")
        self.assertIn("cache.client_cache_control", self.steps(reload, "lookup"))
        only = self.why(node, "/nothing", "-H", "Cache-Control: only-if-cached")
        self.assertEqual(only["outcome"], "504")

    def vary(self, node):
        got = node.start_get("/v", headers={"Accept-Language": "de"})
        self.origin.take().reply(body=b"body", headers={**FRESH, "Vary": "Accept-Language"})
        got.result()

    def test_ls_and_get_show_what_is_stored(self):
        node = self.node(route=", cache: {tags: [shop]}")
        self.fill(node, "/a")
        self.fill(node, "/img/b")
        node.get("/a")
        node.wait_for_metric("verge_cache_disk_entries", 2)
        rows = [json.loads(line) for line in self.ask(node, "ls", "--json").stdout.splitlines()]
        self.assertEqual([row["key"] for row in rows], ["http://site.example/a", "http://site.example/img/b"])
        self.assertEqual([row["hits"] for row in rows], [1, 0])
        self.assertEqual(rows[0]["size"], 4)
        self.assertEqual(rows[0]["tags"], ["shop"])
        self.assertEqual(rows[0]["tiers"], ["ram", "disk"])
        self.assertEqual(rows[0]["state"], "fresh")
        self.assertTrue(50 < rows[0]["ttl"] <= 60)
        only = self.ask(node, "ls", "/img/*").stdout.splitlines()
        self.assertEqual(len(only), 2, only)  # the heading and one row
        self.assertIn("http://site.example/img/b  [shop]", only[1])
        self.assertEqual(len(self.ask(node, "ls", "--tag", "other", "--json").stdout.splitlines()), 0)
        self.assertEqual(len(self.ask(node, "ls", "--limit", "1", "--json").stdout.splitlines()), 1)

        shown = self.ask(node, "get", "--key", "http://site.example/a")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn('> etag: "a"', shown.stdout)
        self.assertIn("lifetime       60 s from max-age", shown.stdout)
        node.purge("--tag", "shop")
        self.assertIn("invalidated    by sequence 2: tag shop", self.ask(node, "get", "http://site.example/a").stdout)
        self.assertIn("invalidated", self.ask(node, "ls").stdout)

    def test_pages_of_many_entries_come_whole(self):
        node = self.node()
        self.origin.auto = lambda request: request.reply(body=b"x", headers=FRESH)
        for i in range(30):
            node.get(f"/{i}")
        node.wait_for_metric("verge_cache_disk_entries", 30)
        first = json.loads(node.admin("/entries", "POST", json.dumps({"limit": 20})).body)
        rest = json.loads(node.admin("/entries", "POST", json.dumps({"limit": 20, "after": first["next"]})).body)
        self.assertEqual(len(first["entries"]), 20)
        self.assertEqual(len({e["key"] for e in first["entries"] + rest["entries"]}), 30)
        self.assertNotIn("next", rest)

    def test_cache_status_tells_the_key_or_nothing_as_the_route_says(self):
        self.origin.auto = lambda request: request.reply(body=b"x", headers=FRESH)
        self.assertIn('; key="http://site.example/a?b=1"', self.node(route=", cache: {cache_status: key}").get("/a?b=1")["Cache-Status"])
        self.assertIsNone(self.node(route=", cache: {cache_status: off}").get("/a")["Cache-Status"])
        self.assertNotIn("key=", self.node().get("/a")["Cache-Status"])

    def test_what_is_wrong_with_a_question_is_said(self):
        node = self.node()
        for arguments, code, text in [
            (("why", "/a"), 2, "is not a whole URL"),
            (("why", "http://x/", "-H", "nonsense"), 2, "is not a header field"),
            (("get", "http://site.example/none"), 1, "nothing is stored under"),
            (("get", "none"), 2, "must be a key"),
            (("ls", "http://"), 2, "pattern"),
        ]:
            done = self.ask(node, *arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr))
            self.assertIn(text, done.stderr)
        unknown = self.ask(node, "why", "--json", "http://site.example/%00")
        self.assertEqual(json.loads(unknown.stdout)["outcome"], "400")


if __name__ == "__main__":
    unittest.main()
