"""HAProxy with its cache in shared memory, one thread for each worker."""

import os
import resource
import signal

from peers.peer import MIB, Peer


class HAProxy(Peer):
    name = "haproxy"
    programs = ("haproxy",)
    cannot_disk = "HAProxy's cache is in memory only"
    cannot_keep = "HAProxy's cache is in memory only"
    cannot_purge = "HAProxy has no purge"

    def configure(self):
        self.write_pem("both.pem", self.certificate, self.key)
        connections = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000
        mtls = f" ca-file {self.site.client_ca} verify required" if self.setup.mtls else ""
        self.write("haproxy.cfg", f"""
global
  nbthread {self.setup.workers}
  maxconn {min(30000, connections)}
  ulimit-n {connections + 900}
  no strict-limits
  ssl-default-bind-options ssl-min-ver TLSv1.2
  tune.ssl.cachesize 100000
  tune.h2.max-concurrent-streams 128
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 60s
  timeout http-keep-alive 600s
  http-reuse always
cache c
  total-max-size {min(4095, max(1, self.setup.memory // MIB))}
  max-object-size 10000000
  max-age 86400
frontend clients
  bind 127.0.0.1:{self.port} backlog 4096
  bind 127.0.0.1:{self.tls_port} ssl crt {self.directory}/both.pem alpn h2,http/1.1 backlog 4096{mtls}
  http-request cache-use c unless {{ path_beg /miss/ /pass/ }}
  http-response cache-store c
  default_backend app
backend app
  server origin 127.0.0.1:{self.origin_port} pool-max-conn 64
""")

    def launch(self):
        self.spawn("haproxy", "-W", "-db", "-f", os.path.join(self.directory, "haproxy.cfg"))

    def reload(self):
        self.processes[0].send_signal(signal.SIGUSR2)
