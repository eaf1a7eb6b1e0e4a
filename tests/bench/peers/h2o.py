"""h2o, which has no cache: it serves the origin's files, and passes on what must be asked for."""

import os

from peers.peer import Peer


class H2o(Peer):
    name = "h2o"
    programs = ("h2o",)
    is_cache = False
    cannot_mtls = "h2o as Debian ships it checks no client certificates"
    cannot_reload = "h2o reloads by another program only, which is not run here"
    cannot_disk = cannot_keep = cannot_purge = "h2o has no cache"

    def configure(self):
        files = os.path.join(self.site.directory, "origin", "files")
        to_origin = f"http://127.0.0.1:{self.origin_port}"
        self.write("h2o.conf", f"""
num-threads: {self.setup.workers}
max-connections: 30000
user: root
http2-idle-timeout: 600
http1-request-timeout: 600
listen: {{host: 127.0.0.1, port: {self.port}}}
listen:
  host: 127.0.0.1
  port: {self.tls_port}
  ssl: {{certificate-file: {self.certificate}, key-file: {self.key}, minimum-version: TLSv1.2}}
hosts:
  default:
    paths:
      /miss: {{proxy.reverse.url: "{to_origin}/miss", proxy.timeout.keepalive: 10000}}
      /pass: {{proxy.reverse.url: "{to_origin}/pass", proxy.timeout.keepalive: 10000}}
      /: {{file.dir: {files}, file.send-gzip: OFF}}
""")

    def launch(self):
        self.spawn("h2o", "-m", "worker", "-c", os.path.join(self.directory, "h2o.conf"))
