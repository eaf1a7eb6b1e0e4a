"""Three nodes with a queue each under one topic (npm fauxqs): what one node's API takes reaches all, and is proved, to
`verge purge --wait` and to `aws cloudfront wait invalidation-completed`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "scenarios"))

from harness import PATIENCE, VERGE, Background, Node, Origin  # noqa: E402  (the paths above lead to them)
from support.carrier import Carrier  # noqa: E402
from support.processes import free_ports  # noqa: E402

CONFIG = """
listen: [{{address: 127.0.0.1:0}}]
workers: 1
cache: {{path: ./cache, disk: 64MiB, memory: 8MiB}}
origins:
  app: {{type: http, url: "{origin}"}}
sites: [{{hosts: ["*"], routes: [{{match: "/*", origin: app}}]}}]
admin: {{address: "127.0.0.1:{port}"}}
invalidation:
  cloudfront: {{keys: [{{id: AKIAEXAMPLE, secret: edge-secret}}]}}
  sqs:
    - queue: "{queue}"
      endpoint: "{endpoint}"
      region: us-east-1
      credentials: {{access_key_id: AKIAEXAMPLE, secret_access_key: secret}}
fleet:
  name: edge-{number}
  nodes: [{nodes}]
  down_after: 20s
  topic: "{topic}"
  endpoint: "{endpoint}"
  credentials: {{access_key_id: AKIAEXAMPLE, secret_access_key: secret}}
"""


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.carrier = Carrier()
        cls.addClassCleanup(cls.carrier.stop)
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        cls.home = home.name

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.version = 1
        self.origin.auto = lambda request: request.reply(body=f"{self.version}", headers={"Cache-Control": "max-age=600"})
        queues = self.carrier.ask(queues=self.id().rsplit(".", 1)[-1], raw=[False, True, False])["queues"]
        ports = free_ports(3)
        self.nodes = []
        for number, (port, queue) in enumerate(zip(ports, queues), 1):
            node = Node(CONFIG.format(origin=self.origin.url, port=port, queue=queue, number=number,
                                      nodes=", ".join(f'"127.0.0.1:{p}"' for p in ports), topic=self.carrier.topic,
                                      endpoint=self.carrier.endpoint))
            self.addCleanup(node.cleanup)
            self.nodes.append(node)
        for node in self.nodes:
            node.wait_for_metric('verge_fleet_nodes{state="live"}', 3)
        self.assertEqual(self.seen(), ["1"] * 3)

    def seen(self, path="/a"):
        return [node.get(path).body.decode() for node in self.nodes]

    def aws(self, node, *arguments):
        env = {"PATH": os.environ["PATH"], "HOME": self.home, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
               "AWS_SECRET_ACCESS_KEY": "edge-secret", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
               "AWS_EC2_METADATA_DISABLED": "true"}
        done = subprocess.run(["aws", "--endpoint-url", f"http://127.0.0.1:{node.admin_port}", "--output", "json",
                               "cloudfront", *arguments], env=env, capture_output=True, text=True, timeout=90, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["Invalidation"] if done.stdout.strip() else None

    def test_purge_wait_returns_when_all_three_have_it(self):
        for node in self.nodes:
            node.wait_for_metric("verge_cache_disk_entries", 1)
        self.version = 2
        done = self.nodes[1].purge("--wait", "--id", "deploy-1", "/a")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.seen(), ["2"] * 3)
        for number in (1, 2, 3):
            self.assertRegex(done.stdout, rf"\nedge-{number} +\d+ \S+Z +[0-9.]+ +1\n")
        for node in self.nodes:
            listed = json.loads(node.admin("/purges").body)["purges"]
            self.assertEqual([row["id"] for row in listed], ["deploy-1"], "once, on the node that published it too")

    def test_the_cli_of_aws_waits_for_all_nodes(self):
        os.kill(self.nodes[2].process.pid, signal.SIGSTOP)  # alive a moment ago, and silent now
        self.version = 2
        made = self.aws(self.nodes[0], "create-invalidation", "--distribution-id", "E1", "--paths", "/*")
        self.assertEqual(made["Status"], "InProgress")
        os.kill(self.nodes[2].process.pid, signal.SIGCONT)
        self.aws(self.nodes[0], "wait", "invalidation-completed", "--distribution-id", "E1", "--id", made["Id"])
        self.assertEqual(self.seen(), ["2"] * 3)
        got = self.aws(self.nodes[0], "get-invalidation", "--distribution-id", "E1", "--id", made["Id"])
        self.assertEqual(got["Status"], "Completed")
        for node in self.nodes:
            self.assertEqual(node.admin(f"/purges/{made['Id']}").status, 200)

    def test_what_was_published_by_hand_is_proved_by_its_id(self):
        self.version = 2
        message = self.carrier.ask(publish=json.dumps({"paths": ["/a"], "id": "by-hand"}))
        self.assertTrue(message)
        waiting = Background(lambda: subprocess.run(
            [VERGE, "purges", "--admin", f"127.0.0.1:{self.nodes[0].admin_port}", "--wait", "by-hand", "--timeout", "25"],
            capture_output=True, text=True, timeout=PATIENCE, check=False))
        done = waiting.result()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.seen(), ["2"] * 3)


if __name__ == "__main__":
    unittest.main()
