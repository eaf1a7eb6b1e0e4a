"""What carries purges between nodes, as a scenario says: a topic that nodes publish to (signatures checked) and a queue
for each node, which gets what was published when, and as often as, the scenario wants."""

import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqs import KEY, REGION, SECRET, Sqs, signature_of

TOPIC = f"arn:aws:sns:{REGION}:123456789012:deploys"


class Topic:
    def __init__(self, nodes):
        self.queues = [Sqs() for _ in range(nodes)]
        self.changed = threading.Condition()
        self.published = []  # messages that were taken
        self.calls = 0
        self.faults = []  # (status, code) for the next calls; None: no answer at all, though taken
        self.cut = set()  # queues that get nothing for now, by number
        self.unsigned = []
        topic = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = topic.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, text = answer
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "text/xml")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def config(self):
        return (f'topic: "{TOPIC}", endpoint: "{self.url}", credentials: {{access_key_id: {KEY}, '
                f'secret_access_key: "{SECRET}"}}')

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        for queue in self.queues:
            queue.stop()

    # --- as a scenario uses it ---

    def fail_next(self, *faults):
        with self.changed:
            self.faults += faults

    def deliver(self, queue, message):
        """Once more, or late: with raw message delivery, so under another id of the queue's own."""
        self.queues[queue].send(message)

    # --- as a node does ---

    def answer(self, path, headers, body):
        fields = dict(part.strip().split("=", 1) for part in
                      headers.get("authorization", "").removeprefix("AWS4-HMAC-SHA256 ").split(",") if "=" in part)
        credential = fields.get("Credential", "")
        good = (credential.startswith(KEY + "/") and f"/{REGION}/sns/" in credential and
                signature_of("POST", path, headers, body, credential, fields["SignedHeaders"]) == fields["Signature"])
        asked = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        with self.changed:
            self.calls += 1
            if not good or asked["TopicArn"] != TOPIC or asked["Action"] != "Publish" or asked["Version"] != "2010-03-31":
                self.unsigned.append(headers)
                return 403, self.error("SignatureDoesNotMatch", "not signed")
            fault = self.faults.pop(0) if self.faults else ()
            if fault:
                return fault[0], self.error(fault[1], "said the scenario")
            self.published.append(asked["Message"])
            for number, queue in enumerate(self.queues):
                if number not in self.cut:
                    queue.send(asked["Message"])
            if fault is None:
                return None
            return 200, ("<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>"
                         f"{uuid.uuid4()}</MessageId></PublishResult></PublishResponse>")

    @staticmethod
    def error(code, message):
        return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
