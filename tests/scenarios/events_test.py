"""What a deploy emits, by a queue of the node's own or posted to it with a proof."""

import base64
import json
import signal
import unittest
import uuid

from harness import Scenario
from sqs import Sqs

FRESH = {"Cache-Control": "max-age=600", "Surrogate-Key": "shop"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:deploys"

RULES = """
  rules:
    - when: {source: [aws.codepipeline], detail: {state: [SUCCEEDED], pipeline: [shop]}}
      purge: {paths: [/shop/*]}
    - when: {StackName: [{prefix: shop-}], ResourceStatus: [UPDATE_COMPLETE]}
      purge: {tags: [shop], soft: true}
"""


def envelope(message, message_id=None, topic=TOPIC):
    return {"Type": "Notification", "MessageId": message_id or str(uuid.uuid4()), "TopicArn": topic,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-11-21T04:00:00.123Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
            "SigningCertURL": "EXAMPLE", "UnsubscribeURL": "EXAMPLE"}


def pipeline(state):
    return {"version": "0", "source": "aws.codepipeline", "detail-type": "CodePipeline Pipeline Execution State Change",
            "detail": {"pipeline": "shop", "state": state, "version": 1}}


class Events(Scenario):
    def setUp(self):
        super().setUp()
        self.version = 1
        self.origin.auto = lambda request: request.reply(body=f"{request.target} {self.version}", headers=FRESH)
        self.sqs = Sqs()
        self.addCleanup(self.sqs.stop)

    def polling(self, more="", rules=RULES, **kwargs):
        return self.node(more=f"invalidation:\n  sqs: [{self.sqs.config(more)}]\n{rules}", **kwargs)

    def seen(self, node, path):
        return node.get(path).body.decode().rsplit(" ", 1)[1]

    def deploy(self, node, *paths):
        """A new version behind what is stored of these paths."""
        self.version = 1
        for path in paths:
            self.assertEqual(self.seen(node, path), "1")
        self.version = 2
        for path in paths:
            self.assertEqual(self.seen(node, path), "1", "stored")


class Queue(Events):
    def test_a_message_is_deleted_when_what_it_asks_for_is_done(self):
        node = self.polling()
        self.deploy(node, "/a", "/b")
        self.sqs.wait_deleted(self.sqs.send(envelope({"paths": ["/a"]})))
        self.assertEqual((self.seen(node, "/a"), self.seen(node, "/b")), ("2", "1"))
        node.wait_for_metric('verge_events_total{source="sqs",result="applied"}', 1)
        node.wait_for_metric('verge_sqs_messages_total{result="deleted"}', 1)
        self.assertEqual(self.sqs.unsigned, [])
        self.assertIn(f"queue {self.sqs.queue}: last polled ", node.admin("/readyz").body.decode())
        self.assertGreater(node.metric(f'verge_sqs_last_poll_timestamp_seconds{{queue="{self.sqs.queue}"}}'), 1.7e9)
        listed = json.loads(node.admin("/purges").body)["purges"][0]
        self.assertEqual(listed["source"], "sqs " + TOPIC)

    def test_raw_message_delivery_works_as_well(self):
        node = self.polling()
        self.deploy(node, "/a", "/shop/x")
        ids = [self.sqs.send({"paths": ["/a"]}), self.sqs.send(pipeline("SUCCEEDED"))]
        self.sqs.wait_deleted(*ids)
        self.assertEqual((self.seen(node, "/a"), self.seen(node, "/shop/x")), ("2", "2"))

    def test_more_than_a_batch_of_messages_is_worked_off(self):
        node = self.polling()
        paths = [f"/p{i}" for i in range(35)]
        self.deploy(node, *paths)
        self.sqs.wait_deleted(*[self.sqs.send(envelope({"paths": [path]})) for path in paths])
        self.assertEqual({self.seen(node, path) for path in paths}, {"2"})
        self.assertLess(self.sqs.calls.count("DeleteMessageBatch"), 35)

    def test_a_message_that_comes_twice_counts_once(self):
        node = self.polling()
        self.deploy(node, "/a")
        message = envelope({"paths": ["/a"]})
        self.sqs.wait_deleted(self.sqs.send(message))
        self.assertEqual(self.seen(node, "/a"), "2")
        asked = self.origin.asked
        self.sqs.wait_deleted(self.sqs.send(message))
        self.assertEqual(self.seen(node, "/a"), "2")
        self.assertEqual(self.origin.asked, asked, "still stored")
        self.assertEqual(node.metric('verge_events_total{source="sqs",result="repeated"}'), 1)

    def test_a_poison_message_is_left_to_the_redrive_policy_and_told_once(self):
        node = self.polling()
        poison = self.sqs.send(envelope({"paths": "/a"}))
        broken = self.sqs.send(json.dumps(envelope({"all": True})).replace('"Message":', '"Massage":'))
        good = self.sqs.send(envelope({"paths": ["/a"]}))
        self.sqs.wait_deleted(good)
        node.wait_for(f"malformed message {poison} of queue .* is left to its redrive policy")
        node.wait_for(f"malformed message {broken} of queue .* Message is missing")
        self.sqs.show_again()
        node.wait_for_metric('verge_sqs_messages_total{result="poison"}', 4)
        self.assertEqual(len(node.matches(f"message {poison} ")), 1)
        self.assertNotIn(poison, self.sqs.deleted)
        self.assertNotIn(broken, self.sqs.deleted)

    def test_only_listed_topics_count_where_topics_are_listed(self):
        node = self.polling(more=f", topics: ['{TOPIC}']")
        self.deploy(node, "/a")
        foreign = self.sqs.send(envelope({"all": True}, topic=TOPIC.replace("123456789012", "210987654321")))
        bare = self.sqs.send({"all": True})
        self.sqs.wait_deleted(self.sqs.send(envelope({"paths": ["/other"]})))
        node.wait_for(f"refused message {foreign} ")
        node.wait_for(f"refused message {bare} ")
        self.assertEqual(self.seen(node, "/a"), "1")

    def test_what_a_source_may_not_name_is_left(self):
        node = self.polling(more=", allow: {paths: ['/blog/*']}")
        self.deploy(node, "/a", "/blog/x")
        refused = self.sqs.send(envelope({"all": True}))
        self.sqs.wait_deleted(self.sqs.send(envelope({"paths": ["/blog/x"]})))
        node.wait_for(f"refused message {refused} ")
        self.assertEqual((self.seen(node, "/a"), self.seen(node, "/blog/x")), ("1", "2"))

    def test_an_event_that_no_rule_fits_is_acknowledged_and_told_once(self):
        node = self.polling()
        self.sqs.wait_deleted(*[self.sqs.send(envelope(pipeline("STARTED"))) for _ in range(3)])
        node.wait_for_metric('verge_events_total{source="sqs",result="unmatched"}', 3)
        self.assertEqual(len(node.matches("no rule fits aws.codepipeline CodePipeline Pipeline Execution")), 1)

    def test_a_stack_event_marks_stale_by_its_rule(self):
        node = self.polling()
        self.deploy(node, "/a")
        stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-prod/1"
        text = (f"StackId='{stack}'\nPhysicalResourceId='{stack}'\nResourceProperties='{{\n}}'\n"
                "ResourceStatus='STATUS'\nResourceType='AWS::CloudFormation::Stack'\nStackName='shop-prod'\n")
        self.sqs.wait_deleted(self.sqs.send(envelope(text.replace("STATUS", "UPDATE_IN_PROGRESS"))))
        self.assertEqual(self.seen(node, "/a"), "1")
        self.sqs.wait_deleted(self.sqs.send(envelope(text.replace("STATUS", "UPDATE_COMPLETE"))))
        self.assertEqual(self.seen(node, "/a"), "2")

    def test_an_older_s3_event_that_comes_later_changes_nothing(self):
        def put(sequencer):
            return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
                "bucket": {"name": "site"}, "object": {"key": "docs/index.html", "sequencer": sequencer}}}]}
        node = self.polling()
        self.deploy(node, "/docs/", "/docs", "/docs/index.html?v=1")
        self.sqs.wait_deleted(self.sqs.send(envelope(put("0055AED6DCD90281E5"))))
        for path in ("/docs/", "/docs", "/docs/index.html?v=1"):
            self.assertEqual(self.seen(node, path), "2", path)
        asked = self.origin.asked
        self.sqs.wait_deleted(self.sqs.send(envelope(put("0055AED6DCD90281E4"))))
        self.assertEqual(self.seen(node, "/docs/"), "2")
        self.assertEqual(self.origin.asked, asked)

    def test_a_message_that_could_not_be_deleted_comes_again_and_is_known(self):
        node = self.polling()
        self.deploy(node, "/a")
        message = envelope({"paths": ["/a"]})
        self.sqs.keep.add("kept")
        self.sqs.send(message, "kept")
        node.wait_for("message kept of queue .* could not be deleted: InternalError; it comes again")
        self.assertEqual(self.seen(node, "/a"), "2")
        self.sqs.show_again()
        self.sqs.wait_deleted("kept")
        self.assertEqual(node.metric('verge_events_total{source="sqs",result="applied"}'), 1)

    def test_throttling_and_faults_are_waited_out(self):
        node = self.polling()
        self.deploy(node, "/a")
        self.sqs.fail_next(400, "RequestThrottled")
        self.sqs.fail_next(500, "InternalFailure")
        self.sqs.wait_deleted(self.sqs.send(envelope({"paths": ["/b"]})))  # ends the poll under way
        self.sqs.wait_deleted(self.sqs.send(envelope({"paths": ["/a"]})))
        self.assertEqual(self.seen(node, "/a"), "2")
        node.wait_for_metric('verge_sqs_polls_total{result="throttled"}', 1)
        node.wait_for_metric('verge_sqs_polls_total{result="failed"}', 1)

    def test_a_node_whose_queue_is_away_serves_and_says_so(self):
        self.sqs.stop()
        node = self.polling()
        node.wait_for(r"sqs: queue .*; polled again in \d+ ms")
        self.assertEqual(self.seen(node, "/a"), "1")
        self.assertIn("not reached yet", node.admin("/readyz").body.decode())

    def test_a_killed_node_finds_what_it_had_not_deleted(self):
        node = self.polling()
        self.deploy(node, "/a")
        self.sqs.keep.add("kept")
        self.sqs.send(envelope({"paths": ["/b"]}), "kept")
        node.wait_for("could not be deleted")
        node.kill()
        self.sqs.end_polls()  # the dead node's
        self.sqs.show_again()
        self.sqs.send(envelope({"paths": ["/a"]}), "missed while down")
        node.start()
        self.sqs.wait_deleted("kept", "missed while down")
        self.assertEqual(self.seen(node, "/a"), "2")

    def test_shutdown_does_not_wait_for_a_long_poll(self):
        node = self.polling()
        self.sqs.wait(lambda: "ReceiveMessage" in self.sqs.calls)
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), 0)

    def test_no_node_starts_without_keys_for_its_queue(self):
        node = self.node(more=f'invalidation:\n  sqs: [{{queue: "{self.sqs.queue}"}}]\n', start=False)
        node.env = {"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_ACCESS_KEY_ID": "", "HOME": "/nonexistent"}
        with self.assertRaises(AssertionError) as failed:
            node.start()
        self.assertIn("invalidation.sqs[0]", str(failed.exception))


class Push(Events):
    def pushing(self, more="user: sns, password: open-sesame", rules=RULES):
        return self.node(more=f"invalidation:\n  push: {{path: /events, {more}}}\n{rules}")

    def post(self, node, body, headers=None, user="sns:open-sesame", path="/events"):
        fields = dict(headers or {})
        if user:
            fields["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        text = body if isinstance(body, str) else json.dumps(body)
        return node.get(path, "POST", headers=fields, body=text)

    def test_raw_delivery_counts_with_the_password_only(self):
        node = self.pushing()
        self.deploy(node, "/a")
        raw = {"x-amz-sns-rawdelivery": "true", "x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "m1"}
        challenged = self.post(node, {"paths": ["/a"]}, raw, user=None)
        self.assertEqual((challenged.status, challenged["www-authenticate"]),
                         (401, 'Basic realm="verge", charset="UTF-8"'))
        self.assertEqual(self.post(node, {"paths": ["/a"]}, raw, user="sns:wrong").status, 401)
        node.wait_for(r"push: refused from .*: no proof, or a wrong one \(message m1\)")
        self.assertEqual(self.seen(node, "/a"), "1")
        self.assertEqual(self.post(node, {"paths": ["/a"]}, raw).status, 200)
        self.assertEqual(self.seen(node, "/a"), "2")
        self.assertEqual(node.metric('verge_push_refused_total{reason="proof"}'), 2)
        self.assertEqual(json.loads(node.admin("/purges").body)["purges"][0]["source"], "push")

    def test_an_api_destination_may_show_a_key(self):
        node = self.pushing("key: k1")
        self.deploy(node, "/shop/x")
        self.assertEqual(self.post(node, pipeline("SUCCEEDED"), {"X-Api-Key": "k2"}, user=None).status, 401)
        self.assertEqual(self.post(node, pipeline("SUCCEEDED"), {"X-Api-Key": "k1"}, user=None).status, 200)
        self.assertEqual(self.seen(node, "/shop/x"), "2")

    def test_a_path_that_nobody_can_guess_is_a_proof(self):
        secret = "/events-0123456789abcdef0123456789abcdef"
        node = self.node(more=f"invalidation:\n  push: {{path: {secret}}}\n")
        self.deploy(node, "/a")
        self.assertEqual(self.post(node, {"paths": ["/a"]}, user=None, path=secret).status, 200)
        self.assertEqual(self.seen(node, "/a"), "2")

    def test_what_is_malformed_too_large_or_beyond_its_limits_changes_nothing(self):
        node = self.pushing("user: sns, password: open-sesame, allow: {paths: ['/blog/*']}")
        self.deploy(node, "/a", "/blog/x")
        self.assertEqual(self.post(node, {"paths": "/a"}).status, 400)
        self.assertEqual(self.post(node, {"all": True}).status, 403)
        self.assertEqual(self.post(node, " " * (1 << 20) + '{"all": true}').status, 413)
        self.assertEqual(node.get("/events", headers={"Authorization": "Basic " + base64.b64encode(
            b"sns:open-sesame").decode()}).status, 405)
        self.assertEqual(self.post(node, envelope({"all": True}), {"x-amz-sns-message-type": "Notification"}).status, 403)
        self.assertEqual((self.seen(node, "/a"), self.seen(node, "/blog/x")), ("1", "1"))
        for reason in ("malformed", "limits", "size", "method", "signed"):
            self.assertEqual(node.metric(f'verge_push_refused_total{{reason="{reason}"}}'), 1, reason)
        self.assertEqual(self.post(node, {"paths": ["/blog/x"]}).status, 200)
        self.assertEqual(self.seen(node, "/blog/x"), "2")

    def test_without_configuration_nobody_listens(self):
        node = self.node()
        self.deploy(node, "/a")
        self.post(node, {"all": True})
        self.assertEqual(self.seen(node, "/a"), "1")


class Reload(Events):
    def test_new_rules_need_a_restart_and_new_buckets_do_not(self):
        node = self.pushing = self.node(more="invalidation:\n  push: {path: /events, key: k}\n")
        with open(node.path) as file:
            text = file.read()
        node.write_config(text + RULES)
        self.assertIn("invalidation changed", json.loads(node.admin("/reload", "POST").body)["error"])
        bucket = 'origins:\n  s3: {type: s3, bucket: site, region: eu-west-1, anonymous: true, prefix: v1/}'
        text = text.replace("origins:", bucket).replace("routes:", "routes:\n      - {match: /s3/*, origin: s3}")
        self.deploy(node, "/a", "/v1/a")
        node.write_config(text)
        self.assertEqual(node.admin("/reload", "POST").status, 200)
        record = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
            "bucket": {"name": "site"}, "object": {"key": "v1/a"}}}]}
        self.assertEqual(node.get("/events", "POST", headers={"X-Api-Key": "k"}, body=json.dumps(record)).status, 200)
        self.assertEqual((self.seen(node, "/a"), self.seen(node, "/v1/a")), ("1", "1"), "only /s3/* is in the bucket")


if __name__ == "__main__":
    unittest.main()
