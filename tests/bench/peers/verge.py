"""Verge: set in memory and on disk, as it comes; its access log off, or on in a row of its own."""

import json
import os
import signal
import subprocess

from peers.peer import MIB, Peer


class Verge(Peer):
    name = "verge"
    holds_hot_in_memory = True
    access_log = "off"
    binary = os.path.abspath(os.environ.get("VERGE_BINARY", "build/release/verge"))

    @classmethod
    def missing(cls):
        return [] if os.access(cls.binary, os.X_OK) else [cls.binary + " (cmake --build build/release)"]

    @classmethod
    def version(cls):
        return subprocess.run([cls.binary, "version"], capture_output=True, text=True, check=False).stdout.strip()

    def configure(self):
        self.empty("cache")
        client_auth = f", client_auth: {{mode: required, ca: {self.site.client_ca}}}" if self.setup.mtls else ""
        routes = "".join(f'{{match: "/route{n}/*", origin: app}}, ' for n in range(self.setup.routes))
        sites = "".join(f', {{hosts: [site{n}.example.com], routes: [{{match: "/*", origin: app}}]}}' for n in range(self.setup.sites))
        self.write("verge.yaml", f"""
listen:
  - address: 127.0.0.1:{self.port}
  - address: 127.0.0.1:{self.tls_port}
    tls: {{certificates: [{{chain: {self.certificate}, key: {self.key}}}]{client_auth}}}
workers: {self.setup.workers}
cache: {{path: ./cache, disk: {self.setup.disk // MIB}MiB, memory: {self.setup.memory // MIB}MiB}}
origins: {{app: {{type: http, url: "http://127.0.0.1:{self.origin_port}"}}}}
sites: [{{hosts: ["*"], routes: [{routes}{{match: "/large/*", origin: app, cache: {{slice: 8MiB}}}}, {{match: "/*", origin: app}}]}}{sites}]
access_log: {self.access_log}
admin: {{address: 127.0.0.1:{self.admin_port}}}
limits: {{connections: 20000, send_timeout: 10m}}
""")

    def launch(self):
        self.spawn(self.binary, "serve", "-c", os.path.join(self.directory, "verge.yaml"))

    def purge_request(self, path):
        return self.admin_port, "POST", "/purge", json.dumps({"paths": [path]}), None

    def purge_many_request(self, kind, what):
        body = {"tag": {"tags": [what]}, "prefix": {"paths": [f"{what}*"]}, "all": {"all": True}}[kind]
        return self.admin_port, "POST", "/purge", json.dumps(body), None

    def reload(self):
        self.processes[0].send_signal(signal.SIGHUP)

    def disk_octets(self):
        return self.folder_octets("cache")


class VergeLogging(Verge):
    name = "verge+log"
    access_log = "{path: access.log, format: json}"
