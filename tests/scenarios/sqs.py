"""SQS as far as a poller sees it, in JSON: it checks signatures, hides what it gave out, and answers as a scenario says."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY, SECRET, REGION = "AKIAEXAMPLE", "a/secret+of/tests", "eu-west-1"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature_of(method, path, headers, body, credential, signed):
    """Signature Version 4 from the General Reference; `headers`: lower-case names."""
    _, date, region, service, end = credential.split("/")
    canonical = "\n".join([method, path, ""] + [f"{name}:{headers[name].strip()}" for name in signed.split(";")] +
                          ["", signed, hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join([date, region, service, end]),
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = _hmac(("AWS4" + SECRET).encode(), date)
    for part in (region, service, end):
        key = _hmac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Sqs:
    def __init__(self):
        self.changed = threading.Condition()
        self.visible = []  # (id, body), oldest first
        self.given = {}  # receipt: (id, body)
        self.deleted, self.extended, self.unsigned, self.calls = [], [], [], []
        self.faults = []  # (status, body) for the next calls for messages
        self.keep = set()  # ids whose next deletion fails
        self.down = False  # every call is answered 503
        self.stopping = False
        self.polls_ended = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = service.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/x-amz-json-1.0")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # nodes are killed
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.queue = f"https://sqs.{REGION}.amazonaws.com/123456789012/node-1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def config(self, more=""):
        return (f'{{queue: "{self.queue}", endpoint: "{self.url}", credentials: {{access_key_id: {KEY}, '
                f'secret_access_key: "{SECRET}"}}{more}}}')

    def stop(self):
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    # --- as a scenario uses it ---

    def send(self, body, message_id=None):
        text = body if isinstance(body, str) else json.dumps(body)
        message_id = message_id or str(uuid.uuid4())
        with self.changed:
            self.visible.append((message_id, text))
            self.changed.notify_all()
        return message_id

    def show_again(self):
        """What was given out and not deleted becomes visible, as when its visibility ends."""
        with self.changed:
            self.visible += self.given.values()
            self.given.clear()
            self.changed.notify_all()

    def end_polls(self):
        """Calls that wait for messages now are answered without any."""
        with self.changed:
            self.polls_ended += 1
            self.changed.notify_all()

    def fail_next(self, status, code):
        with self.changed:
            self.faults.append((status, {"__type": f"com.amazonaws.sqs#{code}", "message": "said the scenario"}))

    def go(self, down):
        """Down: no call is done any more; the one that waits for messages ends with that as well."""
        with self.changed:
            self.down = down
            self.changed.notify_all()

    def wait(self, condition, patience=30.0):
        with self.changed:
            if not self.changed.wait_for(condition, patience):
                raise AssertionError(f"waited in vain; {self.calls=} {self.deleted=} {self.given=} {self.unsigned=}")

    def wait_deleted(self, *ids):
        self.wait(lambda: set(ids) <= set(self.deleted))

    # --- as the node does ---

    def answer(self, path, headers, body):
        fields = dict(part.strip().split("=", 1) for part in
                      headers.get("authorization", "").removeprefix("AWS4-HMAC-SHA256 ").split(",") if "=" in part)
        wanted = None
        if {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
            wanted = signature_of("POST", path, headers, body, fields["Credential"], fields["SignedHeaders"])
        good = (wanted == fields.get("Signature") and fields.get("Credential", "").startswith(KEY + "/") and
                f"/{REGION}/sqs/" in fields.get("Credential", ""))
        action = headers.get("x-amz-target", "").removeprefix("AmazonSQS.")
        asked = json.loads(body)
        with self.changed:
            self.calls.append(action)
            self.changed.notify_all()
            if not good:
                self.unsigned.append(headers)
                return 403, {"__type": "com.amazonaws.sqs#InvalidSignature", "message": "not signed"}
            if asked["QueueUrl"] != self.queue or headers["content-type"] != "application/x-amz-json-1.0":
                return 400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}
            if self.down:
                return 503, {"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "said the scenario"}
            return getattr(self, action)(asked)

    def ReceiveMessage(self, asked):
        if self.faults:
            return self.faults.pop(0)
        until = time.monotonic() + asked["WaitTimeSeconds"]
        ended = self.polls_ended
        self.changed.wait_for(lambda: self.visible or self.stopping or self.down or self.polls_ended != ended,
                              max(0, until - time.monotonic()))
        if self.down:
            return 503, {"__type": "com.amazonaws.sqs#ServiceUnavailable", "message": "said the scenario"}
        if self.polls_ended != ended:
            return 200, {}
        taken, self.visible = self.visible[:asked["MaxNumberOfMessages"]], self.visible[asked["MaxNumberOfMessages"]:]
        if not taken:
            return 200, {}
        messages = []
        for message_id, text in taken:
            receipt = str(uuid.uuid4())
            self.given[receipt] = (message_id, text)
            messages.append({"MessageId": message_id, "ReceiptHandle": receipt, "Body": text,
                             "MD5OfBody": hashlib.md5(text.encode()).hexdigest()})
        self.changed.notify_all()
        return 200, {"Messages": messages}

    def DeleteMessageBatch(self, asked):
        good, failed = [], []
        for entry in asked["Entries"]:
            message = self.given.get(entry["ReceiptHandle"])
            if message is None or message[0] in self.keep:
                if message is not None:
                    self.keep.discard(message[0])
                failed.append({"Id": entry["Id"], "SenderFault": message is None, "Code": "InternalError"})
                continue
            del self.given[entry["ReceiptHandle"]]
            self.deleted.append(message[0])
            good.append({"Id": entry["Id"]})
        self.changed.notify_all()
        return 200, {"Successful": good, "Failed": failed}

    def ChangeMessageVisibilityBatch(self, asked):
        self.extended += [entry["ReceiptHandle"] for entry in asked["Entries"]]
        self.changed.notify_all()
        return 200, {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}
