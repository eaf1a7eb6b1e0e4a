"""A day in the life of a Verge node, between software that others wrote: see README.md.

VERGE_BINARY: the program; VERGE_ARTIFACTS: where logs and screenshots go; VERGE_E2E_KEEP=1 keeps the work folder.
The methods of `Story` run in the order of their numbers, and each starts where the one before it ended.
"""

import base64
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
from support.ceph import Ceph  # noqa: E402
from support.certificates import Certificates  # noqa: E402
from support.clients import Curl, open_page  # noqa: E402
from support.edge import Edge  # noqa: E402
from support.processes import Process, environment, run  # noqa: E402
from support.serverless import Serverless, install_node_modules  # noqa: E402
from support.sns import UNREADY_CERTIFICATE_PATH, Sns, as_posted, header_fields  # noqa: E402

HERE = Path(__file__).resolve().parent
HOST = "www.example.test"
LARGE = 30_000_001
SELF_LIMIT_SECONDS = 840  # below ctest's own limit, which would leave the processes behind


def together(*works):
    """Runs the callables at the same time; the first error is raised when all have ended."""
    errors = []

    def one(work):
        try:
            work()
        except BaseException as e:  # noqa: BLE001 - handed on
            errors.append(e)

    threads = [threading.Thread(target=one, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Story(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        binary = os.environ.get("VERGE_BINARY")
        if not binary or not os.access(binary, os.X_OK):
            raise AssertionError("set VERGE_BINARY to the verge program")
        artifacts = Path(os.environ.get("VERGE_ARTIFACTS", HERE.parents[1] / "artifacts")) / "e2e"
        shutil.rmtree(artifacts, ignore_errors=True)
        artifacts.mkdir(parents=True)
        work = Path(tempfile.mkdtemp(prefix="verge-e2e-"))
        if not os.environ.get("VERGE_E2E_KEEP"):
            cls.addClassCleanup(shutil.rmtree, work, ignore_errors=True)
        cls.artifacts, cls.work = artifacts, work
        cls.addClassCleanup(Process.stop_all)

        cls.ceph = Ceph(work / "ceph", artifacts)
        cls.serverless = Serverless(HERE, work / "functions", artifacts)

        def node_side():
            install_node_modules(HERE)
            cls.serverless.start()
            for version in ("1", "2"):
                cls.build_app(version)

        def certificates():
            cls.certificates = Certificates(work / "edge", HOST)

        together(cls.ceph.start, node_side, certificates)
        cls.sns = Sns(cls.certificates)
        cls.addClassCleanup(cls.sns.stop)
        cls.edge = Edge(binary, HOST, cls.certificates, artifacts, s3=cls.ceph.endpoint, serverless=cls.serverless,
                        sns=cls.sns)
        cls.addClassCleanup(cls.keep_access_log)
        cls.ceph.aws("s3api", "create-bucket", "--bucket", "site")
        cls.edge.start()
        cls.curl = Curl(cls.edge)

    @classmethod
    def keep_access_log(cls):
        if cls.edge.access_log.exists():
            shutil.copy(cls.edge.access_log, cls.artifacts / "access.log")

    @classmethod
    def build_app(cls, version):
        run([HERE / "node_modules/.bin/vite", "build", HERE / "app", "--outDir", cls.dist(version), "--emptyOutDir"],
            env=environment(APP_VERSION=version))

    @classmethod
    def dist(cls, version):
        return cls.work / f"dist-{version}"

    def deploy(self, version):
        """As a deploy script does: hashed assets for ever, the page for as long as no deploy says otherwise."""
        dist = self.dist(version)
        self.ceph.aws("s3", "sync", str(dist / "assets"), "s3://site/assets", "--cache-control",
                      "public, max-age=31536000, immutable")
        # Not sync, which takes a page of equal length for the same page if it was built before the last upload.
        self.ceph.aws("s3", "cp", str(dist), "s3://site", "--recursive", "--exclude", "assets/*", "--cache-control",
                      "public, max-age=0, s-maxage=86400")

    def open_page(self, screenshot):
        page = open_page(HERE, self.edge, self.artifacts / screenshot)
        self.assertEqual(page["problems"], [], page)
        return page

    def assert_page(self, page, version):
        self.assertIn(f"Harbour, version {version}", page["text"])
        self.assertIn(f"High tide at 12 o'clock ({version})", page["text"])
        self.assertIn("API says ahoy", page["text"])
        self.assertEqual(page["colour"], "rgb(0, 102, 204)", "the style sheet is in effect")
        for response in page["responses"]:
            self.assertEqual((response["status"], response["protocol"]), (200, "h2"), response)

    def assert_page_from_cache(self, version, screenshot):
        before = self.edge.origin_requests()
        page = self.open_page(screenshot)
        self.assert_page(page, version)
        for response in page["responses"]:
            self.assertIn("verge; hit", response["headers"].get("cache-status", ""), response)
        self.assertEqual(self.edge.origin_requests(), before, "no origin was asked")

    def judge(self, message):
        """The validators that others wrote accept the message, so it is not only our own reading of the rule."""
        file = self.work / "message.json"
        file.write_bytes(as_posted(message))
        run(["node", HERE / "judge_sns.mjs", file, self.sns.port, self.certificates.path("ca.pem")])

    def post(self, message, **more):
        """Posts what SNS would post; returns the status."""
        body = self.work / "posted"
        body.write_bytes(as_posted(message))
        answer = self.curl("/_verge/sns", "--data-binary", f"@{body}", http="1.1",
                           headers={**header_fields(message), **more})
        return answer.status

    def applied(self):
        return self.edge.metric("verge_sns_messages_total", result="applied")

    # The site

    def test_01_a_deployed_app_renders_in_the_browser(self):
        self.deploy("1")
        self.assert_page(self.open_page("version-1.png"), "1")

    def test_02_the_second_load_comes_from_the_cache(self):
        self.assert_page_from_cache("1", "version-1-cached.png")

    def test_03_curl_gets_the_same_octets_whatever_it_speaks(self):
        expected = (self.dist("1") / "index.html").read_bytes()
        for http in ("1.1", "2"):
            for tls in (True, False):
                with self.subTest(http=http, tls=tls):
                    answer = self.curl("/", http=http, tls=tls)
                    self.assertEqual((answer.status, answer.protocol), (200, http))
                    self.assertEqual(answer.body, expected)
                    self.assertEqual(answer.get("content-type"), "text/html")
                    self.assertEqual(answer.get("cache-control"), "public, max-age=0, s-maxage=86400")
        self.assertTrue(self.curl("/").hit)

    def test_04_nghttp_speaks_http2_over_tls_and_by_prior_knowledge(self):
        for url in (f"https://127.0.0.1:{self.edge.https}/", f"http://127.0.0.1:{self.edge.http}/"):
            with self.subTest(url=url):
                output = run(["nghttp", "--verbose", "--no-verify-peer", url]).stdout.decode()
                self.assertIn(":status: 200", output)
                self.assertIn("cache-status: verge", output)
                self.assertIn("<title>Harbour</title>", output)

    def test_05_head_ranges_and_conditions_are_answered_from_what_is_stored(self):
        asset = next(self.dist("1").glob("assets/index-*.js"))
        path, octets = f"/assets/{asset.name}", asset.read_bytes()
        whole = self.curl(path)
        self.assertTrue(whole.hit)
        self.assertEqual(whole.body, octets)
        before = self.edge.origin_requests()
        for http in ("1.1", "2"):
            with self.subTest(http=http):
                head = self.curl(path, "--head", http=http)
                self.assertEqual((head.status, head.get("content-length"), head.body), (200, str(len(octets)), b""))
                self.assertEqual(head.get("etag"), whole.get("etag"))
                part = self.curl(path, "--range", "10-19", http=http)
                self.assertEqual((part.status, part.body), (206, octets[10:20]))
                self.assertEqual(part.get("content-range"), f"bytes 10-19/{len(octets)}")
                tail = self.curl(path, "--range", "-7", http=http)
                self.assertEqual((tail.status, tail.body), (206, octets[-7:]))
                beyond = self.curl(path, "--range", f"{len(octets)}-", http=http)
                self.assertEqual((beyond.status, beyond.get("content-range")), (416, f"bytes */{len(octets)}"))
                known = self.curl(path, http=http, headers={"If-None-Match": whole.get("etag")})
                self.assertEqual((known.status, known.body), (304, b""))
        self.assertEqual(self.edge.origin_requests(), before)

    def test_06_the_gateways_own_fields_and_errors_stay_behind_the_node(self):
        answer = self.curl("/")
        self.assertEqual([n for n, _ in answer.headers if n.startswith("x-amz")], [])
        missing = self.curl("/no/such/file.txt")
        self.assertEqual(missing.status, 404)
        for word in (b"NoSuchKey", b"<?xml", b"site", b"RequestId"):
            self.assertNotIn(word, missing.body)

    def test_07_a_wrong_secret_is_a_502_that_tells_nothing(self):
        answer = self.curl("/wrong-secret/index.html")
        self.assertEqual(answer.status, 502)
        for word in (b"SignatureDoesNotMatch", b"AccessDenied", b"<?xml", b"not-the-secret", b"VERGETESTKEY"):
            self.assertNotIn(word, answer.body)

    def test_08_an_origin_that_nobody_answers_for_is_a_502(self):
        answer = self.curl("/nobody/here")
        self.assertEqual(answer.status, 502)
        self.assertNotIn(b"127.0.0.1", answer.body)

    def test_09_a_large_object_comes_through_whole_and_is_kept(self):
        file = self.work / "large"
        file.write_bytes(os.urandom(LARGE))
        self.ceph.aws("s3", "cp", str(file), "s3://site/large.bin", "--cache-control", "max-age=86400")
        before = self.edge.origin_requests()
        # From the origin, from its answer on the way to the disk or from there: of that only the last is a hit.
        for http in ("1.1", "2", "1.1"):
            self.assert_large(self.curl("/large.bin", http=http))
        self.assertEqual(self.edge.origin_requests(), before + 1)

    def assert_large(self, answer):
        self.assertEqual((answer.status, answer.get("content-length")), (200, str(LARGE)))
        self.assertTrue(answer.body == (self.work / "large").read_bytes(), "the same octets")

    def assert_large_from_cache(self):
        """After a restart it is on disk, and is too large for the memory tier."""
        octets, middle = (self.work / "large").read_bytes(), LARGE // 2
        for http in ("1.1", "2"):
            whole = self.curl("/large.bin", http=http)
            self.assert_large(whole)
            self.assertTrue(whole.hit)
            part = self.curl("/large.bin", "--range", f"{middle}-{middle + 999_999}", http=http)
            self.assertEqual((part.status, part.hit), (206, True))
            self.assertTrue(part.body == octets[middle:middle + 1_000_000], "the same octets in the middle")

    # Restarts

    def test_10_after_a_graceful_restart_it_still_comes_from_the_cache(self):
        self.assertEqual(self.edge.drain(), 0)
        self.edge.start()
        self.assert_page_from_cache("1", "version-1-restarted.png")
        self.assert_large_from_cache()
        self.assertEqual(self.edge.origin_requests(), 0)

    def test_11_after_kill_minus_9_it_still_comes_from_the_cache(self):
        self.edge.kill()
        self.edge.start()
        self.assert_page_from_cache("1", "version-1-killed.png")
        self.assert_large_from_cache()
        self.assertEqual(self.edge.origin_requests(), 0)

    # Deploys

    def test_20_the_node_confirms_a_subscription_to_a_listed_topic_itself(self):
        message = self.sns.confirmation(token="the-token")
        self.judge(message)
        self.assertEqual(self.post(message), 200)
        self.assertEqual([(q["TopicArn"], q["Token"]) for q in self.sns.confirmed],
                         [(message["TopicArn"], "the-token")], "built by the node, not taken from SubscribeURL")

    def test_21_nobody_else_confirms_anything(self):
        foreign = self.sns.confirmation(topic="arn:aws:sns:eu-west-1:123456789012:others")
        self.assertEqual(self.post(foreign), 403)
        self.assertEqual(self.post({**self.sns.confirmation(), "Token": "another"}), 403)
        self.assertEqual(len(self.sns.confirmed), 1)

    def test_22_a_new_version_waits_for_its_notification(self):
        self.deploy("2")
        self.assert_page_from_cache("1", "version-1-before-notification.png")

    def test_23_forged_messages_are_refused_and_change_nothing(self):
        purge = {"paths": ["/*"]}
        good = self.sns.notification(purge)
        forged = {
            "unsigned": {k: v for k, v in good.items() if not k.startswith("Sign")},
            "signed with the word EXAMPLE": {**good, "Signature": "EXAMPLE"},
            "another topic": self.sns.notification(purge, topic="arn:aws:sns:eu-west-1:123456789012:others"),
            "its text changed": {**good, "Message": json.dumps({"paths": ["/", "/*"]})},
            "its time changed": {**good, "Timestamp": "2026-01-01T00:00:00.000Z"},
            "a subject added": {**good, "Subject": "hello"},
            "two hours old": self.sns.notification(purge, age=7_200),
            "from the future": self.sns.notification(purge, age=-3_600),
            "certificate of another host": {**good, "SigningCertURL": good["SigningCertURL"].replace(
                "127.0.0.1", "localhost")},
            "certificate of another path": {**good, "SigningCertURL": self.sns.origin + "/mine.pem"},
        }
        applied = self.applied()
        for why, message in forged.items():
            with self.subTest(why):
                self.assertEqual(self.post(message), 403)
        with self.subTest("raw delivery"):
            self.assertEqual(self.post(good, **{"x-amz-sns-rawdelivery": "true"}), 403)
        with self.subTest("header fields of another message"):
            self.assertEqual(self.post({**good, "Type": "Notification"}, **{"x-amz-sns-message-id": "another"}), 403)
        self.assertEqual(self.applied(), applied)
        self.assert_page_from_cache("1", "version-1-after-forgeries.png")

    def test_24_the_very_next_load_after_the_notification_shows_the_new_version(self):
        message = self.sns.notification({"paths": ["/", "/index.html"]}, subject="Deployed: Hafen öffnet")
        self.judge(message)
        applied = self.applied()
        self.assertEqual(self.post(message), 200)
        self.assertEqual(self.applied(), applied + 1)
        self.assert_page(self.open_page("version-2.png"), "2")
        self.assertEqual(self.post(message), 200, "SNS delivers at least once: a duplicate is fine")
        self.assertEqual(self.applied(), applied + 1, "and is not applied again")
        self.assert_page_from_cache("2", "version-2-cached.png")

    def test_25_signature_version_1_counts_too(self):
        self.assertTrue(self.curl("/icon.svg").hit)
        message = self.sns.notification({"paths": ["/icon.svg"]}, version="1")
        self.judge(message)
        self.assertEqual(self.post(message), 200)
        self.assertFalse(self.curl("/icon.svg").hit)

    def test_26_the_signing_certificate_was_fetched_once_a_process(self):
        mine = self.sns.certificate_fetches
        self.assertEqual(self.post(self.sns.notification({"paths": ["/nothing-there"]})), 200)
        self.assertEqual(self.sns.certificate_fetches, mine)

    def test_27_what_cannot_be_decided_yet_is_sent_again(self):
        message = self.sns.notification({"paths": ["/icon.svg"]})
        self.curl("/icon.svg")
        undecided = {**message, "SigningCertURL": self.sns.origin + UNREADY_CERTIFICATE_PATH}
        self.assertEqual(self.post(undecided), 503)
        self.assertTrue(self.curl("/icon.svg").hit)
        self.assertEqual(self.post(message), 200)
        self.assertFalse(self.curl("/icon.svg").hit)

    def test_28_an_event_record_that_the_storage_wrote_drops_the_object(self):
        events = []

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self):
                events.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Endpoint)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        push = {"push-endpoint": f"http://127.0.0.1:{server.server_address[1]}/"}
        topic = json.loads(self.ceph.aws("sns", "create-topic", "--name", "changes", "--attributes",
                                         json.dumps(push), "--output", "json"))["TopicArn"]
        self.ceph.aws("s3api", "put-bucket-notification-configuration", "--bucket", "site",
                      "--notification-configuration", json.dumps({"TopicConfigurations": [
                          {"Id": "changes", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}))
        key = "data/high tide+low.txt"
        path = "/data/" + urllib.parse.quote("high tide+low.txt", safe="+")
        self.put(key, "low")
        self.assertEqual(self.curl(path).body, b"low")
        self.put(key, "high")
        answer = self.curl(path)
        self.assertEqual((answer.body, answer.hit), (b"low", True))
        self.assertGreaterEqual(len(events), 2, "the gateway pushes before it answers the upload")
        self.assertEqual(self.post(self.sns.notification(events[-1].decode(), subject="Amazon S3 Notification")), 200)
        self.assertEqual(self.curl(path).body, b"high")

        self.put(key, "ebb")
        aws_record = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
                                   "eventName": "ObjectCreated:Put", "s3": {
                                       "s3SchemaVersion": "1.0", "bucket": {"name": "site"},
                                       "object": {"key": "data/high+tide%2Blow.txt", "size": 3}}}]}
        self.assertTrue(self.curl(path).hit)
        self.assertEqual(self.post(self.sns.notification(aws_record, subject="Amazon S3 Notification")), 200)
        self.assertEqual(self.curl(path).body, b"ebb", "AWS writes the key form-encoded, Ceph as it is")

    def test_29_the_storage_itself_tells_the_node_what_changed(self):
        """The gateway posts its own records to the node: nobody signs them, the path is the proof."""
        topic = json.loads(self.ceph.aws("sns", "create-topic", "--name", "node", "--attributes",
                                         json.dumps({"push-endpoint": self.edge.push_url}), "--output",
                                         "json"))["TopicArn"]
        self.ceph.aws("s3api", "create-bucket", "--bucket", "told")
        self.ceph.aws("s3api", "put-bucket-notification-configuration", "--bucket", "told",
                      "--notification-configuration", json.dumps({"TopicConfigurations": [
                          {"Id": "node", "TopicArn": topic,
                           "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]}))
        urls = {key: ["/told/site/" + urllib.parse.quote(key, safe="/+&=")] for key in
                ("plain.txt", "high tide.txt", "a+b & c=d.txt", "Grüße ☃.txt", "50%.txt", "docs/index.html")}
        urls["a+b & c=d.txt"].append("/told/site/" + urllib.parse.quote("a+b & c=d.txt"))  # all encoded
        urls["docs/index.html"].append("/told/site/docs/")
        paths = [path for each in urls.values() for path in each]
        self.told(1, lambda: self.put("told/untouched.txt", "still here", bucket="told"))
        self.assertEqual(self.curl("/told/untouched.txt").body, b"still here")

        for text in ("first", "second"):
            folder = self.work / "told"
            for key in urls:
                (folder / key).parent.mkdir(parents=True, exist_ok=True)
                (folder / key).write_text(text)
            self.told(len(urls), lambda: self.ceph.aws("s3", "cp", str(folder), "s3://told/told/site", "--recursive",
                                                       "--cache-control", "max-age=3600"))
            for path in paths:
                with self.subTest(path=path, text=text):
                    fresh, again = self.curl(path), self.curl(path)
                    self.assertEqual((fresh.body, fresh.hit, again.hit), (text.encode(), False, True))
        self.told(len(urls), lambda: self.ceph.aws("s3", "rm", "s3://told/told/site", "--recursive"))
        for path in paths:
            with self.subTest(path=path, text="removed"):
                self.assertEqual(self.curl(path).status, 404)

        answer = self.curl("/told/untouched.txt")
        self.assertEqual((answer.body, answer.hit), (b"still here", True))
        self.assertEqual(json.loads(self.edge.ask_admin("/purges"))["purges"][0]["source"], "push")
        self.assertEqual(self.edge.metric("verge_push_refused_total"), 0)
        guessed = self.curl("/_verge/events/" + "0" * 32, "--data-binary", "{}", http="1.1")
        self.assertNotEqual(guessed.status, 200, "another path is no proof")

    def told(self, count, change):
        """Makes a change in the bucket and waits until the gateway's `count` records of it have purged."""
        def purged():
            return self.edge.metric("verge_purges_total", source="push", result="applied")

        before = purged()
        change()
        self.edge.wait_until(lambda: purged() == before + count)

    def put(self, key, text, bucket="site"):
        file = self.work / "object"
        file.write_text(text)
        self.ceph.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(file),
                      "--cache-control", "max-age=3600", "--content-type", "text/plain")

    # The API

    def ids(self, path, count=2, *options, **more):
        """The numbers that `count` answers carry: equal ones are one and the same answer of the function."""
        answers = [self.curl(path, *options, **more) for _ in range(count)]
        for answer in answers:
            self.assertEqual(answer.status, 200, answer)
        return len({answer.json()["id"] for answer in answers}), answers[-1]

    def test_30_public_answers_are_cached_by_their_cache_control(self):
        for path in ("/api/public?a=1", "/rest/public?a=1"):
            with self.subTest(path):
                different, last = self.ids(path, 3)
                self.assertEqual((different, last.hit), (1, True))
                self.assertEqual(last.get("cache-control"), "public, max-age=3600")
                self.assertTrue(last.get("age").isdigit())
        self.assertNotEqual(self.curl("/api/public?a=1").json(), self.curl("/api/public?a=2").json())

    def test_31_private_answers_never_are(self):
        for path in ("/api/private", "/api/no-store"):
            with self.subTest(path):
                different, last = self.ids(path, 3)
                self.assertEqual((different, last.hit), (3, False))
                self.assertIn("verge; fwd=", last.get("cache-status"))

    def test_32_a_post_reaches_the_function_each_time(self):
        for path in ("/api/echo", "/rest/echo", "/fn/echo"):
            with self.subTest(path):
                different, last = self.ids(path, 2, "--data-binary", '{"catch": "blåhaj"}', headers={
                    "Content-Type": "application/json"})
                self.assertEqual((different, last.hit), (2, False))
                event = last.json()["event"]
                self.assertEqual(json.loads(event["body"]), {"catch": "blåhaj"})

    def test_33_the_gateways_see_the_clients_request(self):
        event = self.curl("/api/echo?fish=cod&fish=eel", headers={"X-Harbour": "Kiel"}).json()["event"]
        self.assertEqual(event["version"], "2.0")
        self.assertEqual(event["rawPath"], "/api/echo")
        self.assertEqual(event["rawQueryString"], "fish=cod&fish=eel")
        self.assertEqual(event["headers"]["x-harbour"], "Kiel")
        self.assertEqual(event["headers"]["host"], urllib.parse.urlsplit(self.serverless.http_api).netloc)
        event = self.curl("/rest/echo?fish=cod&fish=eel").json()["event"]
        self.assertEqual((event["path"], event["httpMethod"]), ("/rest/echo", "GET"))
        self.assertEqual(event["multiValueQueryStringParameters"], {"fish": ["cod", "eel"]})

    def test_34_cookies_come_through_and_such_answers_are_not_shared(self):
        for path in ("/api/login", "/fn/login"):
            with self.subTest(path):
                answers = [self.curl(path) for _ in range(2)]
                for answer in answers:
                    self.assertEqual(answer.status, 200)
                    # serverless-offline writes the attributes in an order of its own.
                    self.assertEqual(sorted(sorted(c.split("; ")) for c in answer.all("set-cookie")),
                                     [["HttpOnly", "Path=/", "session=abc"], ["Path=/", "theme=dark"]])
                    self.assertFalse(answer.hit)
                self.assertNotEqual(answers[0].body, answers[1].body)

    def test_35_a_long_body_reaches_the_function(self):
        sent = self.work / "text"
        sent.write_text("0123456789" * 50_000)
        for http in ("1.1", "2"):
            for path in ("/api/echo", "/fn/echo"):
                with self.subTest(path, http=http):
                    event = self.curl(path, "--data-binary", f"@{sent}", http=http,
                                      headers={"Content-Type": "text/plain"}).json()["event"]
                    self.assertTrue(event["body"] == sent.read_text())

    # Functions without a gateway

    def test_40_the_node_makes_the_event_itself(self):
        answer = self.curl("/fn/echo/a%20b?fish=cod&fish=eel", headers={"Cookie": "a=1; b=2", "X-Harbour": "Kiel"},
                           http="1.1")
        self.assertEqual((answer.status, answer.get("content-type")), (200, "application/json"))
        event = answer.json()["event"]
        self.assertEqual((event["version"], event["routeKey"], event["isBase64Encoded"]), ("2.0", "$default", False))
        self.assertEqual((event["rawPath"], event["rawQueryString"]), ("/fn/echo/a%20b", "fish=cod&fish=eel"))
        self.assertEqual(event["queryStringParameters"], {"fish": "cod,eel"})
        self.assertEqual(event["cookies"], ["a=1", "b=2"])
        self.assertEqual(event["headers"]["x-harbour"], "Kiel")
        context = event["requestContext"]
        self.assertEqual((context["http"]["method"], context["http"]["path"]), ("GET", "/fn/echo/a%20b"))
        self.assertEqual((context["http"]["sourceIp"], context["http"]["protocol"]), ("127.0.0.1", "HTTP/1.1"))
        self.assertNotIn("authentication", context)

    def test_41_octets_survive_both_ways(self):
        octets = bytes(range(256))
        sent = self.work / "octets"
        sent.write_bytes(octets)
        event = self.curl("/fn/echo", "--data-binary", f"@{sent}", headers={
            "Content-Type": "application/octet-stream"}).json()["event"]
        self.assertTrue(event["isBase64Encoded"])
        self.assertEqual(base64.b64decode(event["body"]), octets)
        first, second = self.curl("/fn/image"), self.curl("/fn/image", http="1.1")
        self.assertEqual((first.body, first.get("content-type")), (octets, "image/x-test"))
        self.assertEqual((second.body, second.hit), (octets, True))

    def test_42_an_error_in_the_function_is_a_502_that_tells_nothing(self):
        for _ in range(2):
            answer = self.curl("/fn/fails")
            self.assertEqual((answer.status, answer.hit), (502, False))
            self.assertNotIn(b"secret inside", answer.body)
            self.assertNotIn(b"errorMessage", answer.body)

    def test_43_the_function_sees_the_clients_certificate(self):
        for http in ("1.1", "2"):
            with self.subTest(http=http):
                event = self.curl("/fn/echo", "--request", "POST", certificate="alice", http=http).json()["event"]
                shown = event["requestContext"]["authentication"]["clientCert"]
                self.assertIn("CN=alice", shown["subjectDN"])
                self.assertIn("CN=Test Authority", shown["issuerDN"])
                self.assertIn("BEGIN CERTIFICATE", shown["clientCertPem"])
                self.assertTrue(shown["serialNumber"] and shown["validity"]["notAfter"].endswith("GMT"))

    def test_44_a_certificate_of_strangers_is_refused_in_the_handshake(self):
        self.assertIsNone(self.curl("/fn/echo", certificate="mallory", http="1.1", check=False))

    # The operator

    def test_50_the_purge_command_drops_paths_tags_and_all(self):
        first = self.curl("/api/public?p=1").json()
        self.assertEqual(self.curl("/api/public?p=1").json(), first)
        seen = [first]
        for arguments in (["/api/public*"], ["--tag", "api"], [f"https://{HOST}:{self.edge.https}/api/public?p=1"],
                          ["--all"]):
            with self.subTest(arguments):
                self.edge.purge(*arguments)
                fresh = self.curl("/api/public?p=1")
                self.assertFalse(fresh.hit)
                self.assertNotIn(fresh.json(), seen)
                self.assertTrue(self.curl("/api/public?p=1").hit)
                seen.append(fresh.json())
        self.edge.purge("--tag", "of-nothing")
        self.assertTrue(self.curl("/api/public?p=1").hit)
        self.assertEqual(self.edge.purge(check=False).returncode, 2, "nothing to purge was named")

    def test_51_a_purge_outlives_a_kill(self):
        asset = next(self.dist("2").glob("assets/index-*.js"))
        path = f"/assets/{asset.name}"
        self.curl(path)
        self.assertTrue(self.curl(path).hit)
        self.edge.purge(path)
        self.edge.kill()
        self.edge.start()
        self.assertFalse(self.curl(path).hit)

    def test_52_unknown_hosts_and_nonsense_are_turned_away(self):
        stranger = self.curl("/", headers={"Host": "somebody.else.test"}, http="1.1")
        self.assertEqual(stranger.status, 421)
        self.assertEqual(self.curl("/", headers={"Content-Length": "5", "Transfer-Encoding": "chunked"},
                                   http="1.1").status, 400)

    def test_53_metrics_tell_what_happened(self):
        self.curl("/icon.svg")
        before = self.edge.metric("verge_requests_total", status="200", cache="hit")
        self.assertTrue(self.curl("/icon.svg").hit)
        self.assertEqual(self.edge.metric("verge_requests_total", status="200", cache="hit"), before + 1)
        self.assertGreater(self.edge.metric("verge_sent_bytes_total"), 0)
        self.assertGreater(self.edge.metric("verge_request_seconds_count"), 0)
        self.assertEqual(self.edge.ask_admin("/healthz"), "ok\n")

    def test_54_the_access_log_has_a_line_of_json_for_each_request(self):
        self.assertEqual(self.curl("/icon.svg?logged=in-full").status, 200)
        self.assertEqual(self.edge.drain(), 0)
        lines = [json.loads(line) for line in self.edge.access_log.read_text().splitlines()]
        self.assertEqual([(line["status"], line["cache"]) for line in lines if line["uri"] == "/icon.svg?logged=*"],
                         [(200, "miss")], "values of queries are not logged")
        self.assertNotIn("only-known-to-this-test", self.edge.access_log.read_text() + self.edge.log_text())


def give_up(number, _):
    # Of all exceptions this is the one that unittest does not take for a failed test and go on.
    raise KeyboardInterrupt(f"longer than {SELF_LIMIT_SECONDS} s" if number == signal.SIGALRM else "told to end")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, give_up)
    signal.alarm(SELF_LIMIT_SECONDS)
    try:
        unittest.main(verbosity=2)
    finally:
        Story.doClassCleanups()
