"""curl and Chromium, as clients of the node."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .processes import environment, run


@dataclass
class Answer:
    status: int
    protocol: str  # "1.1" or "2"
    headers: list = field(default_factory=list)  # (lower-case name, value), in order
    body: bytes = b""

    def all(self, name):
        return [v for n, v in self.headers if n == name]

    def get(self, name):
        return ", ".join(self.all(name))

    @property
    def hit(self):
        return "verge; hit" in self.get("cache-status")

    def json(self):
        return json.loads(self.body)


class Curl:
    def __init__(self, edge):
        self._edge = edge

    def __call__(self, path, *options, http="2", tls=True, headers=None, certificate=None, check=True):
        """One request; `options` are curl's. Over cleartext, HTTP/2 is by prior knowledge."""
        edge = self._edge
        port = edge.https if tls else edge.http
        version = {"1.1": "--http1.1", "2": "--http2" if tls else "--http2-prior-knowledge"}[http]
        argv = ["curl", "--silent", "--show-error", "--max-time", "120", "--noproxy", "*", version, "--path-as-is",
                "--resolve", f"{edge.host}:{port}:127.0.0.1", "--cacert", edge.certificates.path("ca.pem")]
        if certificate:
            argv += ["--cert", edge.certificates.path(f"{certificate}.pem"),
                     "--key", edge.certificates.path(f"{certificate}.key")]
        for name, value in (headers or {}).items():
            argv += ["--header", f"{name}: {value}"]
        with tempfile.TemporaryDirectory() as d:
            head, body = Path(d) / "head", Path(d) / "body"
            body.touch()
            argv += ["--dump-header", head, "--output", body, "--write-out", "%{http_version}", *options,
                     f"{'https' if tls else 'http'}://{edge.host}:{port}{path}"]
            done = run(argv, check=check)
            if done.returncode != 0:
                return None
            octets = body.read_bytes()
            if "--head" in options:  # curl writes the head there too
                octets = octets.removeprefix(head.read_bytes())
            last = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1]
            status_line, *lines = last.split("\r\n")
            fields = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines]
            return Answer(int(status_line.split()[1]), done.stdout.decode(), [(n.lower(), v) for n, v in fields],
                          octets)


def open_page(here, edge, screenshot):
    """The site's first page in Chromium, with an empty browser cache: what browser.mjs saw."""
    done = run(["node", here / "browser.mjs", f"https://{edge.host}:{edge.https}/", edge.host,
                edge.certificates.spki_hash("edge.pem"), screenshot], env=environment(), timeout=240)
    return json.loads(done.stdout)
