"""The purge APIs of other tools on the admin address and on one of their own, and verge purge beside them."""

import http.client
import json
import subprocess
import unittest

from harness import PATIENCE, VERGE, Answer, Scenario

FRESH = {"Cache-Control": "max-age=600", "ETag": '"a"', "Surrogate-Key": "page all"}
MORE = """
invalidation:
  listen: 127.0.0.1:0
  tokens:
    - {name: deploy, token: t-deploy}
    - {name: blog, token: t-blog, allow: {paths: ["/blog/*"]}}
  fastly: {services: {SU1: {hosts: [site.example]}}}
  cloudflare: {zones: {z1: {hosts: [site.example]}}}
  cloudfront:
    keys: [{id: AKIAEXAMPLE, secret: secret}]
    distributions: {E1: {hosts: [site.example]}}
"""
DEPLOY = {"Fastly-Key": "t-deploy", "Host": "site.example"}


class PurgeApi(Scenario):
    def purge_node(self):
        node = self.node(more=MORE)
        node.purge_port = int(node.matches(r"purge APIs on .*:(\d+)$")[0].group(1))
        return node

    def tool(self, node, method, path, headers, body=None):
        conn = http.client.HTTPConnection("127.0.0.1", node.purge_port, timeout=PATIENCE)
        conn.request(method, path, body=body, headers=headers)
        response = conn.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        conn.close()
        return answer

    def fill(self, node, path):
        got = node.start_get(path)
        self.origin.take().reply(body=b"body", headers=FRESH)
        return got.result()

    def stored(self, node, path):
        return self.outcome(node, path) == "hit"

    def outcome(self, node, path):
        done = subprocess.run([VERGE, "why", "--json", "--admin", f"127.0.0.1:{node.admin_port}",
                               f"http://site.example{path}"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        return json.loads(done.stdout)["outcome"]

    def test_every_tool_drops_what_it_names_and_nothing_else(self):
        node = self.purge_node()
        ways = {
            "PURGE": lambda: self.tool(node, "PURGE", "/one", DEPLOY),
            "BAN": lambda: self.tool(node, "BAN", "/", {**DEPLOY, "X-Url": "^/on.$"}),
            "Fastly": lambda: self.tool(node, "POST", "/purge/site.example/one", DEPLOY),
            "Cloudflare": lambda: self.tool(node, "POST", "/client/v4/zones/z1/purge_cache",
                                            {"Authorization": "Bearer t-deploy"},
                                            json.dumps({"files": ["http://site.example/one"]})),
            "admin": lambda: node.admin("/purge", "POST", json.dumps({"paths": ["/one"]})),
        }
        self.fill(node, "/two")
        for name, way in ways.items():
            with self.subTest(name):
                self.fill(node, "/one")
                answer = way()
                self.assertEqual(answer.status, 200, answer.body)
                self.assertFalse(self.stored(node, "/one"))
                self.assertTrue(self.stored(node, "/two"))

    def test_a_soft_purge_by_key_marks_stale(self):
        node = self.purge_node()
        self.fill(node, "/a")
        answer = self.tool(node, "POST", "/service/SU1/purge/page", {**DEPLOY, "Fastly-Soft-Purge": "1"})
        self.assertEqual(json.loads(answer.body)["status"], "ok")
        got = node.start_get("/a")
        revalidation = self.origin.take()
        self.assertEqual(revalidation.header("if-none-match"), '"a"')
        revalidation.reply(304, headers=FRESH)
        self.assertEqual(got.result().body, b"body")

    def test_the_public_address_has_none_of_them(self):
        node = self.purge_node()
        self.fill(node, "/one")
        for method, path in (("PURGE", "/one"), ("BAN", "/one"), ("PURGEKEYS", "/one")):
            public = node.start_get(path, method=method, headers={"Fastly-Key": "t-deploy"})
            self.origin.take().reply(status=405)
            self.assertEqual(public.result().status, 405)
        got = node.start_get("/2020-05-31/distribution/E1/invalidation")
        self.origin.take().reply(status=404)
        self.assertEqual(got.result().status, 404)
        self.assertEqual(node.metric('verge_purges_total{source="purge-method",result="applied"}'), 0)

    def test_limits_and_tokens_hold_and_are_named(self):
        node = self.purge_node()
        self.fill(node, "/one")
        self.assertEqual(self.tool(node, "PURGE", "/one", {"Host": "site.example"}).status, 401)
        refused = self.tool(node, "PURGE", "/*", {"Host": "site.example", "Fastly-Key": "t-blog"})
        self.assertEqual(refused.status, 403)
        self.assertIn("purge-method blog may not do that", json.loads(refused.body)["msg"])
        self.assertIn("allow.paths [/blog/*]", json.loads(refused.body)["msg"])
        node.wait_for("purge: refused: purge-method blog may not do that")
        self.assertEqual(node.metric('verge_purges_total{source="purge-method",result="refused_path"}'), 1)
        self.assertEqual(node.metric('verge_purge_requests_refused_total{reason="unauthorized"}'), 1)
        by_cli = subprocess.run([VERGE, "purge", "--admin", f"127.0.0.1:{node.admin_port}", "--token", "t-blog", "--all"],
                                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(by_cli.returncode, 1)
        self.assertIn("admin blog may not do that", by_cli.stderr)
        unsigned = self.tool(node, "POST", "/2020-05-31/distribution/E1/invalidation", DEPLOY, "<InvalidationBatch/>")
        self.assertEqual(unsigned.status, 403)
        self.assertIn(b"<Code>MissingAuthenticationToken</Code>", unsigned.body)
        self.assertTrue(self.stored(node, "/one"))

    def test_the_address_of_the_apis_serves_nothing_else(self):
        node = self.purge_node()
        for path in ("/purge", "/metrics", "/"):
            self.assertEqual(self.tool(node, "GET", path, {"Host": "site.example"}).status, 404, path)

    def test_dry_run_counts_wait_tells_node_by_node_and_purges_survive_a_restart(self):
        node = self.purge_node()
        for path in ("/a", "/b", "/img/c"):
            self.fill(node, path)
        node.wait_for_metric("verge_cache_disk_entries", 3)
        dry = node.purge("--dry-run", "--tag", "page")
        self.assertEqual(dry.stdout, "dry run: 1 tag would drop 3 stored responses\n", dry.stderr)
        self.assertTrue(self.stored(node, "/a"))
        self.assertIn("would drop 1 stored response\n", node.purge("--dry-run", "/img/*").stdout)
        waited = node.purge("--wait", "/img/*").stdout
        self.assertRegex(waited, r"NODE +SEQUENCE APPLIED +MS +ENTRIES\n\S+ +\d+ \S+ +[0-9.]+ +1\nslowest: \S+, [0-9.]+ ms\n")
        self.assertFalse(self.stored(node, "/img/c"))
        self.assertIn("would drop 0 stored", node.purge("--dry-run", "/img/*").stdout)
        self.assertEqual(node.purge("--site", "*").returncode, 0)
        self.assertFalse(self.stored(node, "/a"))
        self.assertIn("there is no site", node.purge("--site", "other.example").stderr)
        node.stop()
        node.start()
        listed = subprocess.run([VERGE, "purges", "--admin", f"127.0.0.1:{node.admin_port}"], capture_output=True, text=True,
                                timeout=PATIENCE, check=True).stdout
        self.assertRegex(listed, r"SEQUENCE +AGE KIND  NODES +SOURCE +TARGETS\n +\d+ +\d+s hard  - +admin +/\*\n"
                                 r" +\d+ +\d+s hard  - +admin +/img/\*\n")


if __name__ == "__main__":
    unittest.main()
