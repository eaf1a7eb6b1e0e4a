"""What every scenario stands on: a real verge process between clients and an origin that the scenario scripts.

Nothing here sleeps and hopes: an origin holds its answer until the scenario lets it go, and waiting means waiting for
an event with a deadline that only a broken program reaches.
"""

import http.client
import os
import queue
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

VERGE = os.environ.get("VERGE_BINARY", "build/debug/verge")
PATIENCE = 30.0  # seconds; how long a broken program is waited for
# What a sanitizer says: nodes that are killed at the end of a scenario have no exit code to tell of it.
FINDING = re.compile(r"(WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|runtime error): ")


class Request:
    """One request as the origin got it, and the hand that answers it."""

    def __init__(self, conn, method, target, headers, body):
        self.conn = conn
        self.method = method
        self.target = target
        self.headers = headers  # list of (lower-case name, value)
        self.body = body
        self.closed = threading.Event()

    def header(self, name):
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def send(self, octets):
        self.conn.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))

    def reply(self, status=200, body=b"", headers=(), reason="OK"):
        body = body if isinstance(body, bytes) else body.encode()
        head = f"HTTP/1.1 {status} {reason}\r\n"
        for name, value in dict(headers).items():
            head += f"{name}: {value}\r\n"
        if status not in (204, 304):
            head += f"Content-Length: {len(body)}\r\n"
        self.send(head.encode("latin-1") + b"\r\n" + (b"" if self.method == "HEAD" else body))

    def close(self):
        try:
            self.conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.conn.close()

    def reset(self):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.conn.close()


class Origin:
    """An HTTP/1.1 origin whose every answer the scenario gives: `request = origin.take()`, then `request.reply(...)`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port = self.listener.getsockname()[1]
        self.requests = queue.Queue()
        self.asked = 0
        self.auto = None  # answers every request at once when set
        self.stopping = False
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while not self.stopping:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        stream = conn.makefile("rb")
        try:
            while True:
                line = stream.readline()
                if not line:
                    return
                method, target, _ = line.decode("latin-1").split(" ", 2)
                headers = []
                while True:
                    line = stream.readline().rstrip(b"\r\n")
                    if not line:
                        break
                    name, value = line.decode("latin-1").split(":", 1)
                    headers.append((name.lower(), value.strip()))
                body = b""
                fields = dict(headers)
                if "content-length" in fields:
                    body = stream.read(int(fields["content-length"]))
                elif fields.get("transfer-encoding") == "chunked":
                    while True:
                        size = int(stream.readline(), 16)
                        body += stream.read(size)
                        stream.readline()
                        if size == 0:
                            break
                request = Request(conn, method, target, headers, body)
                self.asked += 1
                if self.auto:
                    self.auto(request)
                else:
                    self.requests.put(request)
        except (OSError, ValueError):
            return

    def take(self):
        """The next request that reached the origin."""
        return self.requests.get(timeout=PATIENCE)

    def none_waiting(self):
        return self.requests.empty()

    def stop(self):
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread, which holds it open
        except OSError:
            pass
        self.listener.close()
        for conn in self.connections:
            try:
                conn.close()
            except OSError:
                pass


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def __getitem__(self, name):
        return self.headers.get(name)


class Background:
    """A request that goes on by itself; `.result()` waits for its answer."""

    def __init__(self, work):
        self._out = queue.Queue()

        def run():
            try:
                self._out.put((work(), None))
            except Exception as error:  # handed to result()
                self._out.put((None, error))

        threading.Thread(target=run, daemon=True).start()

    def result(self):
        value, error = self._out.get(timeout=PATIENCE)
        if error:
            raise error
        return value


class Node:
    """A verge process on ports of its own."""

    def __init__(self, config, directory=None, env=None, start=True, preexec_fn=None):
        self.directory = directory or tempfile.mkdtemp(prefix="verge-scenario-")
        self.owns_directory = directory is None
        self.path = os.path.join(self.directory, "verge.yaml")
        self.env = env
        self.preexec_fn = preexec_fn
        self.process = None
        self.admin_headers = {}
        self.lines = []
        self.findings = []  # the logs of those runs in which a sanitizer found something
        self._reader = None
        self.write_config(config)
        if start:
            self.start()

    def write_config(self, config):
        with open(self.path, "w") as file:
            file.write(config)

    def start(self):
        environment = dict(os.environ)
        environment.update(self.env or {})
        self.process = subprocess.Popen(
            [VERGE, "serve", "-c", self.path], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", env=environment, preexec_fn=self.preexec_fn)
        self.lines = []
        self._line = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(self.process, self.lines, self._line), daemon=True)
        self._reader.start()
        self.wait_for("main: verge .* serves")
        self.ports = [int(m.group(1)) for m in self.matches(r"listening on .*:(\d+)$")]
        admin = self.matches(r"admin on .*:(\d+)$")
        self.admin_port = int(admin[0].group(1)) if admin else None

    def _read(self, process, lines, changed):
        with process.stderr:
            for line in process.stderr:
                with changed:
                    lines.append(line.rstrip("\n"))
                    changed.notify_all()
                if FINDING.search(line):
                    self.findings.append(lines)
        with changed:
            lines.append("--- the process has ended ---")
            changed.notify_all()

    def matches(self, pattern):
        return [m for m in (re.search(pattern, line) for line in self.lines) if m]

    def wait_for(self, pattern):
        """Until the error log has such a line."""
        with self._line:
            found = self._line.wait_for(
                lambda: self.matches(pattern) or (self.lines and self.lines[-1].startswith("--- the process")), PATIENCE)
        if not self.matches(pattern):
            raise AssertionError(f"no line like {pattern!r} in the log ({found=}):\n" + "\n".join(self.lines[-40:]))
        return self.matches(pattern)[0]

    # --- as a client ---

    def get(self, path="/", method="GET", headers=None, body=None, port=0, host="site.example"):
        conn = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=PATIENCE)
        fields = dict(headers or {})
        fields.setdefault("Host", host)  # the same after a restart on another port
        conn.request(method, path, body=body, headers=fields)
        response = conn.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        conn.close()
        return answer

    def start_get(self, path="/", **kwargs):
        return Background(lambda: self.get(path, **kwargs))

    def connect(self, port=0):
        return socket.create_connection(("127.0.0.1", self.ports[port]), timeout=PATIENCE)

    def raw(self, octets, port=0, half_close=False):
        """Sends octets as they are; returns all that comes back until the node closes."""
        conn = self.connect(port)
        try:
            conn.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))
            if half_close:
                conn.shutdown(socket.SHUT_WR)
            out = b""
            while True:
                try:
                    part = conn.recv(65536)
                except ConnectionResetError:
                    return out
                if not part:
                    return out
                out += part
        finally:
            conn.close()

    def admin(self, path, method="GET", body=None, headers=None):
        conn = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        conn.request(method, path, body=body, headers=headers or self.admin_headers)
        response = conn.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        conn.close()
        return answer

    def metric(self, series):
        for line in self.admin("/metrics").body.decode().splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def wait_for_metric(self, series, at_least):
        """Until a counter has reached a value: what it counts happens on other threads."""
        deadline = time.monotonic() + PATIENCE
        while self.metric(series) < at_least:
            if time.monotonic() > deadline:
                raise AssertionError(f"{series} is {self.metric(series)}, waited for {at_least}")
            time.sleep(0.005)

    def purge(self, *arguments):
        return subprocess.run([VERGE, "purge", "--admin", f"127.0.0.1:{self.admin_port}", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    # --- the end ---

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(timeout=PATIENCE)

    def stop(self):
        """Ends it as an operator does; a node that does not end by itself fails the scenario."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGTERM)
            code = self.wait()
            if code != 0:
                raise AssertionError(f"exit code {code}:\n" + "\n".join(self.lines[-60:]))

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def cleanup(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self._reader:
            self._reader.join(PATIENCE)
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        if self.findings:
            lines = self.findings[0]
            first = next(at for at, line in enumerate(lines) if FINDING.search(line))
            raise AssertionError("\n".join(lines[first:first + 100]))


BASE = """
listen:
  - address: 127.0.0.1:0
workers: 2
cache: {{path: ./cache, disk: 256MiB, memory: 32MiB}}
origins:
  app: {{type: http, url: "{url}"{origin}}}
sites:
  - hosts: ["*"]
    routes:
      - {{match: "/*", origin: app{route}}}
admin: {{address: 127.0.0.1:0}}
access_log: off
{more}
"""


class Scenario(unittest.TestCase):
    """A node in front of one scripted origin."""

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)

    def config(self, route="", origin="", more=""):
        return BASE.format(url=self.origin.url, route=route, origin=origin, more=more)

    def node(self, route="", origin="", more="", **kwargs):
        node = Node(self.config(route, origin, more), **kwargs)
        self.addCleanup(node.cleanup)
        return node

    def self_signed(self, directory, name="localhost"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
             os.path.join(directory, "key.pem"), "-out", os.path.join(directory, "cert.pem"), "-days", "2", "-subj",
             f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"],
            check=True, capture_output=True)

    def client_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
