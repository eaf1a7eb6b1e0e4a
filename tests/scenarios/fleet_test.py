"""Three nodes, a topic between them, and what a deploy is told of a purge's way to all of them."""

import json
import os
import random
import signal
import socket
import subprocess
import unittest

from fleet_carrier import TOPIC, Topic
from harness import PATIENCE, VERGE, Background, Node, Origin

CONFIG = """
listen: [{{address: 127.0.0.1:0}}]
workers: 1
cache: {{path: ./cache, disk: 64MiB, memory: 8MiB}}
origins:
  app: {{type: http, url: "{origin}"}}
sites: [{{hosts: ["*"], routes: [{{match: "/*", origin: app}}]}}]
admin: {{address: "127.0.0.1:{port}"{admin}}}
invalidation:
  cloudfront: {{keys: [{{id: AKIAEXAMPLE, secret: secret}}]}}
  {sqs}
fleet:
  name: edge-{number}
  nodes: [{nodes}]
  down_after: 5s
  {fleet}
"""


def free_ports(count):
    """Ports that are free now, outside the range from which the kernel picks for clients."""
    for _ in range(1000):
        base = random.randrange(20_000, 30_000)
        held = []
        try:
            for port in range(base, base + count):
                held.append(socket.create_server(("127.0.0.1", port)))
            return list(range(base, base + count))
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise AssertionError("no free ports")


class Fleet(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.version = 1
        self.origin.auto = lambda request: request.reply(body=f"{self.version}", headers={"Cache-Control": "max-age=600"})
        self.topic = Topic(3)
        self.addCleanup(self.topic.stop)
        self.nodes = []

    def start(self, topic=True, fleet="", admin="", count=3):
        ports = free_ports(count)
        nodes = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        for number, port in enumerate(ports):
            node = Node(CONFIG.format(
                origin=self.origin.url, port=port, number=number + 1, nodes=nodes, admin=admin,
                sqs=f"sqs: [{self.topic.queues[number].config()}]" if topic else "",
                fleet=(self.topic.config() + "\n  " if topic else "").replace(", endpoint", "\n  endpoint").replace(
                    ", credentials", "\n  credentials") + fleet))
            self.addCleanup(node.cleanup)
            if admin:
                node.admin_headers = {"Authorization": "Bearer t-admin"}
            self.nodes.append(node)
        for node in self.nodes:
            node.wait_for_metric('verge_fleet_nodes{state="live"}', count)
        return self.nodes

    def fill(self, path="/a"):
        self.assertEqual([node.get(path).body for node in self.nodes], [str(self.version).encode()] * len(self.nodes))

    def seen(self, path="/a"):
        return [node.get(path).body.decode() for node in self.nodes]

    def purges(self, node, *arguments):
        return subprocess.run([VERGE, "purges", "--admin", f"127.0.0.1:{node.admin_port}", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    def applied(self, node, purge, wait=20):
        answer = node.admin(f"/purges/{purge}?wait={wait}")
        return answer.status, json.loads(answer.body)

    # --- the way it shall be

    def test_wait_returns_when_every_node_has_applied_it_and_tells_of_each(self):
        nodes = self.start()
        self.fill("/a")
        self.fill("/b")
        for node in nodes:
            node.wait_for_metric("verge_cache_disk_entries", 2)
        self.version = 2
        done = nodes[0].purge("--wait", "/a")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.seen("/a") + self.seen("/b"), ["2"] * 3 + ["1"] * 3)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^purged 1 path: sequence \d+, [0-9.]+ ms$")
        self.assertRegex(lines[1], r"^NODE +SEQUENCE APPLIED +MS +ENTRIES$")
        for number in (1, 2, 3):
            self.assertRegex(lines[1 + number], rf"^edge-{number} +\d+ \d{{4}}-\S+Z +[0-9.]+ +1$")
        self.assertRegex(lines[5], r"^slowest: edge-[123], [0-9.]+ ms$")
        self.assertRegex(self.purges(nodes[0]), r"hard  3/3 +admin +/a\n")
        self.assertRegex(self.purges(nodes[1]), r"hard  - +sqs \S+ \(taken by edge-1 admin\) /a\n")
        self.assertEqual(self.topic.unsigned, [])
        self.assertEqual(nodes[0].metric('verge_fleet_publishes_total{result="ok"}'), 1)
        self.assertIn("fleet: 3 of 3 nodes answer", nodes[0].admin("/readyz").body.decode())

    def test_a_node_that_published_knows_its_own_message_again(self):
        nodes = self.start()
        purge = json.loads(nodes[0].admin("/purge", "POST", json.dumps({"paths": ["/a"]})).body)
        self.topic.queues[0].wait(lambda: len(self.topic.queues[0].deleted) == 1)
        self.assertEqual(nodes[0].metric('verge_events_total{source="sqs",result="repeated"}'), 1)
        listed = json.loads(nodes[0].admin("/purges").body)["purges"]
        self.assertEqual([row["id"] for row in listed], [purge["id"]])
        self.assertEqual(len(self.topic.published), 1, "what came by a queue is not published again")

    def test_every_tool_reaches_every_node(self):
        nodes = self.start()
        ways = {
            "PURGE": lambda: nodes[1].admin("/a", "PURGE"),
            "Fastly": lambda: nodes[1].admin("/purge/site.example/a", "POST"),
            "Cloudflare": lambda: nodes[1].admin("/client/v4/zones/z/purge_cache", "POST",
                                                 json.dumps({"files": ["http://site.example/a"]})),
            "all of a host": lambda: nodes[1].admin("/purge", "POST", json.dumps({"all": True, "hosts": ["site.example"]})),
        }
        for name, way in ways.items():
            with self.subTest(name):
                self.fill("/a")
                self.version += 1
                self.assertEqual(way().status, 200)
                newest = json.loads(nodes[1].admin("/purges").body)["purges"][0]["id"]
                for node in nodes:
                    self.assertEqual(self.applied(node, newest)[0], 200)
                self.assertEqual(self.seen("/a"), [str(self.version)] * 3)

    def test_a_purge_that_was_published_by_hand_is_proved_too(self):
        nodes = self.start()
        self.fill("/a")
        self.version = 2
        waiting = Background(lambda: subprocess.run(
            [VERGE, "purges", "--admin", f"127.0.0.1:{nodes[2].admin_port}", "--wait", "deploy-9", "--timeout", "25"],
            capture_output=True, text=True, timeout=PATIENCE, check=False))
        for queue in range(3):
            self.topic.deliver(queue, json.dumps({"id": "deploy-9", "paths": ["/a"]}))
        done = waiting.result()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("slowest: edge-", done.stdout)
        self.assertEqual(self.seen("/a"), ["2"] * 3)

    # --- the ways it may go wrong

    def test_a_failed_publish_is_told_and_mended_by_the_same_again(self):
        nodes = self.start(fleet="publish_timeout: 1s")
        self.fill("/a")
        self.version = 2
        self.topic.fail_next((403, "AuthorizationError"))
        done = nodes[0].purge("--wait", "--id", "deploy-1", "/a")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"applied on this node as id deploy-1, but not published to {TOPIC}", done.stderr)
        self.assertIn("status 403 AuthorizationError: said the scenario", done.stderr)
        self.assertEqual(self.seen("/a"), ["2", "1", "1"])
        self.assertRegex(self.purges(nodes[0]), r"1/3 .*waiting: edge-2, edge-3")
        again = nodes[0].purge("--wait", "--id", "deploy-1", "/a")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertEqual(self.seen("/a"), ["2"] * 3)
        self.assertEqual(len(json.loads(nodes[0].admin("/purges").body)["purges"]), 1, "applied once")
        self.assertEqual(nodes[0].metric('verge_fleet_publishes_total{result="failed"}'), 1)
        third = nodes[0].purge("--wait", "--id", "deploy-1", "/a")
        self.assertEqual(third.returncode, 0)
        self.assertEqual(len(self.topic.published), 1, "nothing is published twice that is known to be out")

    def test_a_publish_whose_answer_is_lost_counts_once(self):
        nodes = self.start()
        self.fill("/a")
        self.version = 2
        self.topic.fail_next((500, "InternalError"), None)
        done = nodes[0].purge("--wait", "/a")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(self.topic.published), 2)
        for number, queue in enumerate(self.topic.queues):
            queue.wait(lambda q=queue: len(q.deleted) == 2)
            self.assertEqual(len(json.loads(nodes[number].admin("/purges").body)["purges"]), 1)

    def test_a_node_that_is_down_is_named_and_gets_it_later(self):
        nodes = self.start()
        self.fill("/a")
        nodes[2].kill()
        self.topic.queues[2].end_polls()
        nodes[0].wait_for_metric('verge_fleet_nodes{state="down"}', 1)
        self.version = 2
        done = nodes[0].purge("--wait", "/a")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, rf"^verge purge: down: (edge-3|127\.0\.0\.1:{nodes[2].admin_port}) \(.*refused.*\)\n$")
        self.assertRegex(done.stdout, r"\nedge-3 +- down +- +-\n")
        self.assertEqual(nodes[0].admin("/readyz").status, 200, "peers don't count")
        self.assertRegex(self.purges(nodes[0]), r"2/3 .*; down: edge-3")
        nodes[2].start()
        purge = json.loads(nodes[0].admin("/purges").body)["purges"][0]["id"]
        self.assertEqual(self.applied(nodes[2], purge)[0], 200)
        self.assertEqual(nodes[2].get("/a").body, b"2")
        nodes[0].wait_for_metric('verge_fleet_nodes{state="live"}', 3)
        waited = self.purges(nodes[0], "--wait", purge)
        self.assertRegex(waited, r"\nedge-3 +\d+ \d{4}-")

    def test_a_node_that_hangs_is_down_too(self):
        nodes = self.start()
        os.kill(nodes[1].process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, nodes[1].process.pid, signal.SIGCONT)
        done = nodes[0].purge("--wait", "/a")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("edge-2", done.stderr)

    def test_a_node_that_lives_and_gets_nothing_is_waited_for_and_named(self):
        nodes = self.start(fleet="wait_timeout: 1s")
        self.topic.cut.add(2)
        done = nodes[0].purge("--wait", "/a")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"not applied within [0-9.]+ s by edge-3, though alive")
        nodes[0].wait_for(r"fleet: purge id=\S+ is not applied by edge-3, which is alive")
        purge = json.loads(nodes[0].admin("/purges").body)["purges"][0]["id"]
        late = Background(lambda: self.purges(nodes[0], "--wait", purge, "--timeout", "25"))
        self.topic.deliver(2, self.topic.published[0])
        self.assertRegex(late.result(), r"\nedge-3 +\d+ \d{4}-")

    def test_a_message_that_comes_twice_and_late_changes_nothing(self):
        nodes = self.start()
        self.assertEqual(nodes[0].purge("--wait", "/a").returncode, 0)
        self.fill("/a")
        self.version = 2
        for queue in range(3):
            self.topic.deliver(queue, self.topic.published[0])
            self.topic.queues[queue].wait(lambda q=self.topic.queues[queue]: len(q.deleted) == 2)
        self.assertEqual(self.seen("/a"), ["1"] * 3)

    def test_the_same_id_for_something_else_is_refused_and_a_message_is_another_purge(self):
        nodes = self.start()
        self.fill("/a")
        self.assertEqual(nodes[0].purge("--wait", "--id", "build-7", "/other").returncode, 0)
        self.version = 2
        refused = nodes[1].purge("--wait", "--id", "build-7", "/a")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("id build-7 is that of another purge, with other targets", refused.stderr)
        self.assertEqual(self.seen("/a"), ["1"] * 3)
        self.topic.deliver(0, json.dumps({"id": "build-7", "paths": ["/a"]}))
        self.topic.queues[0].wait(lambda: len(self.topic.queues[0].deleted) == 2)
        self.assertEqual(nodes[0].get("/a").body, b"2", "an id that was used can't suppress it")

    def test_without_a_topic_it_says_who_did_not_get_it(self):
        nodes = self.start(topic=False)
        done = nodes[0].purge("--wait", "--id", "deploy-3", "/a")
        self.assertEqual(done.returncode, 4)
        self.assertIn("not applied by edge-2, edge-3: fleet.topic is not set. Set fleet.topic", done.stderr)
        self.assertEqual(nodes[1].purge("--wait", "--id", "deploy-3", "/a").returncode, 4)
        last = nodes[2].purge("--wait", "--id", "deploy-3", "/a")
        self.assertEqual((last.returncode, last.stderr), (0, ""), "each was given it")

    def test_a_node_alone_waits_for_itself(self):
        node = Node(CONFIG.split("fleet:")[0].format(origin=self.origin.url, port=0, admin="", sqs=""))
        self.addCleanup(node.cleanup)
        done = node.purge("--wait", "/a")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"slowest: \S+, [0-9.]+ ms\n$")
        self.assertEqual(self.applied(node, "unknown", 0)[0], 404)

    # --- who may ask

    def test_nodes_read_with_the_fleets_token_and_can_do_nothing_else_by_it(self):
        nodes = self.start(fleet="token: t-fleet", admin=", token: t-admin")
        token = {"Authorization": "Bearer t-fleet"}
        self.assertEqual(nodes[0].admin("/purges?id=x", headers={"Authorization": "Bearer t-other"}).status, 401)
        self.assertEqual(nodes[0].admin("/purges?id=x", headers=token).status, 200)
        for method, path in (("POST", "/purge"), ("PURGE", "/a"), ("GET", "/purges"), ("GET", "/metrics"), ("POST", "/reload")):
            self.assertEqual(nodes[0].admin(path, method, headers=token).status, 401, path)
        self.assertEqual(nodes[0].admin("/purges/x", "POST", headers=token).status, 405)
        for query in ("id=a%20b", "wait=x", "other=1", "id=" + ",".join(["x"] * 101)):
            self.assertEqual(nodes[0].admin("/purges?" + query, headers=token).status, 400, query)


if __name__ == "__main__":
    unittest.main()
