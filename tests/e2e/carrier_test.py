"""A deploy's message on its way from SNS to two nodes by queues that others wrote (npm fauxqs, published to by the AWS
SDK): one queue with SNS's envelopes, one with raw message delivery."""

import json
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "scenarios"))

from harness import PATIENCE, Node, Origin  # noqa: E402  (the paths above lead to them)
from support.carrier import Carrier as SnsToSqs  # noqa: E402

CONFIG = """
listen: [{{address: 127.0.0.1:0}}]
workers: 1
cache: {{path: ./cache, disk: 64MiB, memory: 8MiB}}
origins:
  app: {{type: http, url: "{origin}"}}
sites: [{{hosts: ["*"], routes: [{{match: "/*", origin: app}}]}}]
admin: {{address: 127.0.0.1:0}}
invalidation:
  sqs:
    - queue: "{queue}"
      endpoint: "{endpoint}"
      region: us-east-1
      credentials: {{access_key_id: AKIAEXAMPLE, secret_access_key: secret}}
  rules:
    - when: {{source: [aws.codepipeline], detail: {{state: [SUCCEEDED]}}}}
      purge: {{paths: [/shop/*]}}
"""


class Carrier(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.carrier = SnsToSqs()
        cls.addClassCleanup(cls.carrier.stop)

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.version = 1
        self.origin.auto = lambda request: request.reply(body=f"{self.version}", headers={"Cache-Control": "max-age=600"})
        self.nodes = []
        self.queues = self.ask(queues=self.id().rsplit(".", 1)[-1])["queues"]
        for queue in self.queues:
            node = Node(CONFIG.format(origin=self.origin.url, queue=queue, endpoint=self.carrier.endpoint))
            self.addCleanup(node.cleanup)
            self.nodes.append(node)

    def ask(self, **what):
        return self.carrier.ask(**what)

    def publish(self, message):
        return self.ask(publish=message if isinstance(message, str) else json.dumps(message))

    def seen(self, path):
        return [node.get(path).body.decode() for node in self.nodes]

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.01)

    def events(self, result):
        return [node.metric(f'verge_events_total{{source="sqs",result="{result}"}}') for node in self.nodes]

    def test_1_every_node_takes_what_was_published_once(self):
        self.assertEqual(self.seen("/a") + self.seen("/shop/x"), ["1"] * 4)
        self.version = 2
        self.publish({"paths": ["/a"]})
        self.until(lambda: self.events("applied") == [1, 1])
        self.assertEqual(self.seen("/a") + self.seen("/shop/x"), ["2", "2", "1", "1"])
        self.publish({"source": "aws.codepipeline", "detail-type": "CodePipeline Pipeline Execution State Change",
                      "detail": {"pipeline": "shop", "state": "SUCCEEDED"}})
        self.until(lambda: self.events("applied") == [2, 2])
        self.assertEqual(self.seen("/shop/x"), ["2", "2"])
        for queue in self.queues:
            self.until(lambda q=queue: self.ask(left=q) == [0, 0])

    def test_2_what_came_while_a_node_was_down_is_there_when_it_starts(self):
        self.assertEqual(self.seen("/b"), ["1", "1"])
        for node in self.nodes:
            node.kill()
        self.version = 2
        for i in range(25):
            self.publish({"paths": [f"/other/{i}"]})
        self.publish({"paths": ["/b"]})
        for node in self.nodes:
            node.start()
        self.until(lambda: self.events("applied") == [26, 26])
        self.assertEqual(self.seen("/b"), ["2", "2"])
        for queue in self.queues:
            self.until(lambda q=queue: self.ask(left=q) == [0, 0])

    def test_3_a_poison_message_stays_and_the_others_pass_it(self):
        self.publish({"paths": "/not-a-list"})
        self.publish({"paths": ["/c"]})
        self.until(lambda: self.events("applied") == [1, 1] and self.events("malformed") == [1, 1])
        for queue in self.queues:
            self.until(lambda q=queue: self.ask(left=q) == [0, 1])


if __name__ == "__main__":
    unittest.main()
