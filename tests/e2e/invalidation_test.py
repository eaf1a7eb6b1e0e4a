"""The tools that people already have, against a node's purge APIs: the AWS CLI and the AWS SDK for JavaScript."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))
sys.path.insert(0, str(HERE))

from harness import Origin, Node  # noqa: E402  (the path above leads to it)
from support.serverless import install_node_modules  # noqa: E402

CONFIG = """
listen: [{{address: 127.0.0.1:0}}]
cache: {{path: ./cache, disk: 64MiB, memory: 16MiB}}
origins: {{app: {{type: http, url: "{url}"}}}}
sites: [{{hosts: ["*"], routes: [{{match: "/*", origin: app}}]}}]
admin: {{address: 127.0.0.1:0}}
invalidation:
  cloudfront:
    keys:
      - {{id: AKIAEXAMPLE, secret: "${{EDGE_SECRET}}"}}
      - {{id: AKIABLOG, secret: "${{EDGE_SECRET}}", allow: {{paths: ["/blog/*"]}}}}
    distributions: {{E1: {{hosts: [site.example]}}, "dt_1": {{hosts: [tenant.example]}}}}
access_log: off
"""


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.node = Node(CONFIG.format(url=cls.origin.url), env={"EDGE_SECRET": "edge/secret+1"})
        cls.addClassCleanup(cls.node.cleanup)
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        cls.home = home.name

    def environment(self, key="AKIAEXAMPLE", secret="edge/secret+1", token=None):
        env = {"PATH": os.environ["PATH"], "HOME": self.home, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
               "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
        if token:
            env["AWS_SESSION_TOKEN"] = token
        return env

    def aws(self, *arguments, **who):
        return subprocess.run(["aws", "--endpoint-url", f"http://127.0.0.1:{self.node.admin_port}", "--output", "json",
                               "cloudfront", *arguments], env=self.environment(**who), capture_output=True, text=True,
                              timeout=90, check=False)

    def good(self, *arguments, **who):
        done = self.aws(*arguments, **who)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def fill(self, path, host="site.example", headers=None):
        got = self.node.start_get(path, host=host)
        self.origin.take().reply(body=b"body", headers={"Cache-Control": "max-age=600", **(headers or {})})
        self.assertEqual(got.result().body, b"body")
        asked = self.origin.asked
        self.assertEqual(self.node.get(path, host=host).body, b"body")
        self.assertEqual(self.origin.asked, asked, "stored")

    def assert_gone(self, path, host="site.example"):
        self.fill(path, host)  # only a request that the origin sees can be filled

    def test_the_cli_creates_waits_gets_and_lists(self):
        self.fill("/img/a.png?v=1")
        made = self.good("create-invalidation", "--distribution-id", "E1", "--paths", "/img/*", "/a b/\u00fc.html")
        invalidation = made["Invalidation"]
        self.assertEqual(invalidation["InvalidationBatch"]["Paths"]["Items"], ["/img/*", "/a b/\u00fc.html"])
        self.assertTrue(made["Location"].endswith("/invalidation/" + invalidation["Id"]))
        self.assert_gone("/img/a.png?v=1")
        self.good("wait", "invalidation-completed", "--distribution-id", "E1", "--id", invalidation["Id"])
        got = self.good("get-invalidation", "--distribution-id", "E1", "--id", invalidation["Id"])
        self.assertEqual(got["Invalidation"], invalidation)
        for _ in range(3):
            self.good("create-invalidation", "--distribution-id", "E1", "--paths", "/x")
        listed = self.good("list-invalidations", "--distribution-id", "E1", "--page-size", "2")
        ids = [item["Id"] for item in listed["InvalidationList"]["Items"]]
        self.assertIn(invalidation["Id"], ids)
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreaterEqual(len(ids), 4)

    def test_the_cli_purges_by_tag(self):
        self.fill("/tagged", headers={"Cache-Tag": "Product:TV"})
        self.good("create-invalidation", "--distribution-id", "E1", "--paths", "#product:tv")
        self.assert_gone("/tagged")

    def test_a_caller_reference_counts_once(self):
        batch = {"CallerReference": "deploy-7", "Paths": {"Quantity": 1, "Items": ["/once"]}}
        arguments = ("create-invalidation", "--distribution-id", "E1", "--invalidation-batch")
        first = self.good(*arguments, json.dumps(batch))
        self.fill("/once")
        again = self.good(*arguments, json.dumps(batch))
        self.assertEqual(again["Invalidation"]["Id"], first["Invalidation"]["Id"])
        asked = self.origin.asked
        self.node.get("/once")
        self.assertEqual(self.origin.asked, asked, "not purged again")
        batch["Paths"]["Items"] = ["/other"]
        other = self.aws(*arguments, json.dumps(batch))
        self.assertIn("(InvalidationBatchAlreadyExists)", other.stderr)

    def test_the_cli_is_told_why_it_may_not(self):
        create = ("create-invalidation", "--distribution-id", "E1", "--paths", "/*")
        for who, code in (({"secret": "wrong"}, "SignatureDoesNotMatch"), ({"key": "AKIANOBODY"}, "InvalidClientTokenId"),
                          ({"token": "temporary"}, "InvalidClientTokenId"), ({"key": "AKIABLOG"}, "AccessDenied")):
            done = self.aws(*create, **who)
            self.assertNotEqual(done.returncode, 0, who)
            self.assertIn(f"({code})", done.stderr, who)
        for arguments, code in ((("create-invalidation", "--distribution-id", "E2", "--paths", "/a"), "NoSuchDistribution"),
                                (("get-invalidation", "--distribution-id", "E1", "--id", "I0"), "NoSuchInvalidation"),
                                (("create-invalidation", "--distribution-id", "E1", "--paths", "/a*b"), "InvalidArgument")):
            done = self.aws(*arguments)
            self.assertIn(f"({code})", done.stderr)

    def test_the_javascript_sdk(self):
        install_node_modules(HERE)
        self.fill("/sdk")
        self.fill("/tenant", host="tenant.example")
        done = subprocess.run(["node", "--no-warnings", str(HERE / "cloudfront.mjs"),
                               f"http://127.0.0.1:{self.node.admin_port}"], cwd=HERE, env=self.environment(),
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["status"], "Completed")
        self.assertEqual(told["waited"], "SUCCESS")
        self.assertEqual(told["again"], told["id"])
        self.assertIn(told["id"], told["listed"])
        self.assertEqual(told["fault"], "NoSuchDistribution")
        self.assert_gone("/sdk")
        self.assert_gone("/tenant", host="tenant.example")


if __name__ == "__main__":
    unittest.main()
