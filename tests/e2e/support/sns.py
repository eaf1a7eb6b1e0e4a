"""The SNS service's part: messages signed as it signs them, its certificate over HTTPS, its ConfirmSubscription.

Shapes and the text that is signed: SNS developer guide, "HTTP/HTTPS notification JSON format" and "Verifying the
signatures of Amazon SNS messages".
"""

import datetime
import json
import ssl
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .certificates import SNS_CERTIFICATE_PATH

REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:deploys"
UNREADY_CERTIFICATE_PATH = "/SimpleNotificationService-ffffffffffffffffffffffffffffffff.pem"
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class Sns:
    def __init__(self, certificates):
        self._certificates = certificates
        self.confirmed = []  # the queries of ConfirmSubscription, taken apart
        self.certificate_fetches = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(url.query)
                if url.path == SNS_CERTIFICATE_PATH:
                    service.certificate_fetches += 1
                    self._answer(200, certificates.path("sns.pem").read_bytes(), "application/x-x509-ca-cert")
                elif url.path == UNREADY_CERTIFICATE_PATH:
                    self._answer(503, b"", "text/plain")
                elif query.get("Action") == ["ConfirmSubscription"]:
                    service.confirmed.append({k: v[0] for k, v in query.items()})
                    self._answer(200, b"<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>" +
                                 TOPIC.encode() + b":1</SubscriptionArn></ConfirmSubscriptionResult>"
                                 b"</ConfirmSubscriptionResponse>", "text/xml")
                else:
                    self._answer(404, b"", "text/plain")

            def _answer(self, status, body, content_type):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.path("aws.pem"), certificates.path("aws.key"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.origin = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def notification(self, message, *, subject=None, topic=TOPIC, age=0, version="2"):
        """A signed Notification; `message` is text, or what becomes JSON; `age` in seconds."""
        text = message if isinstance(message, str) else json.dumps(message)
        body = {"Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": topic, "Message": text,
                "Timestamp": _timestamp(age), "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe"}
        if subject is not None:
            body["Subject"] = subject
        return self._signed(body, version)

    def confirmation(self, *, topic=TOPIC, token="2336412f37fb687f"):
        return self._signed({
            "Type": "SubscriptionConfirmation", "MessageId": str(uuid.uuid4()), "TopicArn": topic, "Token": token,
            "Message": f"You have chosen to subscribe to the topic {topic}.", "Timestamp": _timestamp(0),
            # A wrong address on purpose: the node builds its own from the listed topic.
            "SubscribeURL": f"{self.origin}/never?Action=ConfirmSubscription&TopicArn={topic}&Token=stolen"}, "2")

    def _signed(self, body, version):
        text = "".join(f"{name}\n{body[name]}\n" for name in SIGNED[body["Type"]] if name in body)
        body["SignatureVersion"] = version
        body["Signature"] = self._certificates.sign(text, "sha1" if version == "1" else "sha256")
        body["SigningCertURL"] = self.origin + SNS_CERTIFICATE_PATH
        return body


def header_fields(body):
    return {"User-Agent": "Amazon Simple Notification Service Agent", "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": body["Type"], "x-amz-sns-message-id": body["MessageId"],
            "x-amz-sns-topic-arn": body["TopicArn"], "Accept-Encoding": "gzip,deflate"}


def as_posted(body):
    """The octets as SNS writes them: over several lines, a space on both sides of each colon."""
    lines = (f"  {json.dumps(name)} : {json.dumps(value, ensure_ascii=False)}" for name, value in body.items())
    return ("{\n" + ",\n".join(lines) + "\n}").encode()


def _timestamp(age):
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    return then.strftime("%Y-%m-%dT%H:%M:%S.") + f"{then.microsecond // 1000:03d}Z"
