"""The node under test: its configuration, its process, what its admin address tells."""

import re
import secrets
import signal
import urllib.request

from .ceph import ACCESS_KEY, REGION, SECRET_KEY
from .processes import Process, environment, free_ports, run
from .sns import TOPIC

CONFIG = """
listen:
  - address: 127.0.0.1:{https}
    tls:
      certificates: [{{chain: edge.pem, key: edge.key}}]
      client_auth: {{mode: optional, ca: ca.pem}}
  - address: 127.0.0.1:{http}
workers: 2
cache: {{path: ../cache, disk: 256MiB, memory: 32MiB}}
origins:
  web:
    type: s3
    bucket: site
    region: {region}
    endpoint: "{s3}"
    credentials: {{access_key_id: "${{S3_KEY}}", secret_access_key: "${{S3_SECRET}}"}}
  told: # of changes in it, by the storage
    type: s3
    bucket: told
    region: {region}
    endpoint: "{s3}"
    credentials: {{access_key_id: "${{S3_KEY}}", secret_access_key: "${{S3_SECRET}}"}}
  wrong-secret:
    type: s3
    bucket: site
    region: {region}
    endpoint: "{s3}"
    credentials: {{access_key_id: "${{S3_KEY}}", secret_access_key: not-the-secret}}
  http-api: {{type: api-gateway, url: "{http_api}"}}
  rest-api: {{type: api-gateway, url: "{rest_api}"}}
  echo: {{type: lambda, function: edge-dev-echo, region: {region}, endpoint: "{fn}", credentials: {any}}}
  image: {{type: lambda, function: edge-dev-image, region: {region}, endpoint: "{fn}", credentials: {any}}}
  login: {{type: lambda, function: edge-dev-login, region: {region}, endpoint: "{fn}", credentials: {any}}}
  fails: {{type: lambda, function: edge-dev-fails, region: {region}, endpoint: "{fn}", credentials: {any}}}
  nobody: {{type: http, url: "http://127.0.0.1:{closed}"}}
sites:
  - hosts: [{host}, "127.0.0.1"]
    routes:
      - {{match: "/api/*", origin: http-api, cache: {{tags: [api]}}}}
      - {{match: "/rest/*", origin: rest-api}}
      - {{match: "/fn/echo*", origin: echo}}
      - {{match: "/fn/image", origin: image}}
      - {{match: "/fn/login", origin: login}}
      - {{match: "/fn/fails", origin: fails}}
      - {{match: "/wrong-secret/*", origin: wrong-secret}}
      - {{match: "/nobody/*", origin: nobody}}
      - {{match: "/told/*", origin: told}}
      - {{match: "/*", origin: web, cache: {{ttl: {{default: 60s, min: 0s, max: 1y}}}}}}
invalidation:
  sns:
    topics: ["{topic}"]
    certificate_origin: "{sns}"
    certificate_ca: ca.pem
    confirm_endpoint: "{sns}"
  push: {{path: {push}}}
admin: {{address: 127.0.0.1:{admin}}}
access_log: {{path: access.log, format: json}}
"""


class Edge:
    """Ports stay the same over restarts, as they do in life."""

    def __init__(self, binary, host, certificates, logs, *, s3, serverless, sns):
        self.binary, self.host, self.certificates, self._logs = binary, host, certificates, logs
        self.https, self.http, self.admin, closed = free_ports(4)
        self.config = certificates.path("verge.yaml")
        self.access_log = certificates.path("access.log")
        push = f"/_verge/events/{secrets.token_hex(16)}"  # the path is the proof
        self.push_url = f"http://127.0.0.1:{self.http}{push}"
        self.config.write_text(CONFIG.format(
            https=self.https, http=self.http, admin=self.admin, region=REGION, s3=s3, host=host, closed=closed,
            http_api=serverless.http_api, rest_api=serverless.rest_api, fn=serverless.lambda_endpoint,
            any="{access_key_id: any, secret_access_key: any}", topic=TOPIC, sns=sns.origin, push=push))
        self._env = environment(S3_KEY=ACCESS_KEY, S3_SECRET=SECRET_KEY)
        self._process = None

    def start(self):
        self._process = Process("verge", [self.binary, "serve", "-c", self.config], self._logs, env=self._env)
        expected = [f"listening on 127.0.0.1:{self.https}", f"listening on 127.0.0.1:{self.http}",
                    f"admin on 127.0.0.1:{self.admin}"]
        self._process.wait_ready(lambda: all(line in self._process.output() for line in expected) and self._ready())

    def _ready(self):
        try:
            return self.ask_admin("/readyz") == "ready\n"
        except OSError:
            return False

    def wait_until(self, condition):
        """Asks again and again while the node runs."""
        self._process.wait_ready(condition)

    def drain(self):
        """SIGTERM; returns the exit code."""
        self._process.signal(signal.SIGTERM)
        return self._process.wait()

    def kill(self):
        self._process.signal(signal.SIGKILL)
        self._process.wait()

    def log_text(self):
        """All that the program wrote, in all its runs."""
        return self._process.log.read_text()

    def ask_admin(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=30) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        """The sum of all series of that name that carry these labels; 0 if there are none."""
        total = 0.0
        for line in self.ask_admin("/metrics").splitlines():
            series = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if not series or series[1] != name:
                continue
            has = dict(re.findall(r'(\w+)="([^"]*)"', series[2] or ""))
            if all(has.get(k) == v for k, v in labels.items()):
                total += float(series[3])
        return total

    def origin_requests(self):
        return self.metric("verge_origin_requests_total")

    def purge(self, *arguments, check=True):
        return run([self.binary, "purge", "-c", self.config, *arguments], env=self._env, check=check)
