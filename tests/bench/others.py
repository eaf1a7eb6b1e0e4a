"""HAProxy, Varnish with Hitch, Traffic Server and h2o, set up as peers.py says. h2o has no cache: it serves the origin's
files and stands for what a lean server can do."""

import os
import resource
import shutil
import time

from peers import PATIENCE, Peer


class HAProxy(Peer):
    name = "haproxy"
    programs = ("haproxy",)

    def start(self):
        with open(self.certificate) as chain, open(self.key) as key:
            both = self.write("both.pem", chain.read() + key.read())
        config = self.write("haproxy.cfg", f"""
global
  nbthread 1
  maxconn {min(30000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)}
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
  total-max-size 1024
  max-object-size 10000000
  max-age 86400
frontend clients
  bind 127.0.0.1:{self.port} backlog 4096
  bind 127.0.0.1:{self.tls_port} ssl crt {both} alpn h2,http/1.1 backlog 4096
  http-request cache-use c unless {{ path_beg /miss/ }}
  http-response cache-store c
  default_backend app
backend app
  server origin 127.0.0.1:{self.origin_port} pool-max-conn 64
""")
        self.spawn("haproxy", "-W", "-db", "-f", config)
        self.wait_ready()


class Varnish(Peer):
    name = "varnish"
    programs = ("varnishd", "hitch")

    def start(self):
        with open(self.certificate) as chain, open(self.key) as key:
            both = self.write("both.pem", key.read() + chain.read())
        sock = os.path.join(self.directory, "varnish.sock")
        os.chmod(os.path.dirname(self.directory), 0o711)  # hitch does not run as root, and must reach the socket
        vcl = self.write("default.vcl", f"""
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{self.origin_port}"; }}
sub vcl_recv {{ if (req.url ~ "^/miss/") {{ return (pass); }} }}
""")
        shutil.rmtree(os.path.join(self.directory, "work"), ignore_errors=True)
        self.spawn("varnishd", "-F", "-j", "none", "-n", os.path.join(self.directory, "work"), "-f", vcl,
                   "-a", f"127.0.0.1:{self.port}", "-a", f"{sock},PROXY,mode=666", "-s", "malloc,1g",
                   "-p", "feature=+http2", "-p", "thread_pools=1", "-p", "thread_pool_min=300",
                   "-p", "timeout_idle=600", "-p", "idle_send_timeout=600", "-p", "send_timeout=600",
                   "-p", "vsl_mask=-Backend_health", "-p", "listen_depth=4096", "-p", "timeout_linger=0.1")
        config = self.write("hitch.conf", f"""
frontend = {{ host = "127.0.0.1" port = "{self.tls_port}" }}
backend = "{sock}"
pem-file = "{both}"
write-proxy-v2 = on
alpn-protos = "h2, http/1.1"
tls-protos = TLSv1.2 TLSv1.3
workers = 1
backlog = 4096
daemon = off
quiet = on
user = "{"_hitch" if os.geteuid() == 0 else ""}"
""")
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(sock) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.spawn("hitch", f"--config={config}")
        self.wait_ready()


class TrafficServer(Peer):
    name = "trafficserver"
    programs = ("traffic_server",)

    def start(self):
        root = os.path.join(self.directory, "root")
        shutil.rmtree(root, ignore_errors=True)
        own = {name: os.path.join(root, name) for name in ("etc", "data", "var", "run", "log", "cache")}
        for path in own.values():
            os.makedirs(path)
        places = {"prefix": root, "exec_prefix": root, "bindir": "/usr/bin", "sbindir": "/usr/sbin", "sysconfdir": own["etc"],
                  "datadir": own["data"], "includedir": "/usr/include", "libdir": "/usr/lib/trafficserver",
                  "libexecdir": "/usr/lib/trafficserver/modules", "localstatedir": own["var"], "runtimedir": own["run"],
                  "logdir": own["log"], "cachedir": own["cache"]}
        with open(os.path.join(root, "runroot.yaml"), "w") as file:
            file.writelines(f"{name}: {path}\n" for name, path in places.items())

        def put(name, text):
            with open(os.path.join(own["etc"], name), "w") as file:
                file.write(text)

        put("records.config", f"""
CONFIG proxy.config.http.server_ports STRING {self.port}:ip-in=127.0.0.1 {self.tls_port}:ssl:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.cache.threads_per_disk INT 4
CONFIG proxy.config.cache.ram_cache.size INT 1073741824
CONFIG proxy.config.cache.ram_cache_cutoff INT 16777216
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.net.connections_throttle INT 30000
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 600
CONFIG proxy.config.http.transaction_no_activity_timeout_in INT 600
CONFIG proxy.config.http2.max_concurrent_streams_in INT 128
CONFIG proxy.config.http2.max_rst_stream_frames_per_minute INT 100000000
CONFIG proxy.config.http2.max_settings_frames_per_minute INT 100000000
CONFIG proxy.config.http2.stream_error_rate_threshold FLOAT 1.0
CONFIG proxy.config.http.insert_response_via_str INT 0
CONFIG proxy.config.http.insert_request_via_str INT 0
CONFIG proxy.config.http.server_session_sharing.pool STRING thread
CONFIG proxy.config.ssl.server.cert.path STRING {os.path.dirname(self.certificate)}
CONFIG proxy.config.ssl.server.private_key.path STRING {os.path.dirname(self.key)}
CONFIG proxy.config.ssl.session_cache INT 2
""")
        put("remap.config", f"map / http://127.0.0.1:{self.origin_port}/\n")
        put("storage.config", f"{own['cache']} 2G\n")
        put("ssl_multicert.config", f"dest_ip=* ssl_cert_name={os.path.basename(self.certificate)} "
                                    f"ssl_key_name={os.path.basename(self.key)}\n")
        put("ip_allow.yaml", "ip_allow:\n  - {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n")
        self.spawn("traffic_server", f"--run-root={os.path.join(root, 'runroot.yaml')}")
        self.wait_ready()


class H2o(Peer):
    name = "h2o"
    programs = ("h2o",)

    def start(self):
        files = os.path.join(os.path.dirname(self.directory), "origin", "files")
        config = self.write("h2o.conf", f"""
num-threads: 1
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
      /miss: {{proxy.reverse.url: "http://127.0.0.1:{self.origin_port}/miss", proxy.timeout.keepalive: 10000}}
      /: {{file.dir: {files}, file.send-gzip: OFF}}
""")
        self.spawn("h2o", "-m", "worker", "-c", config)
        self.wait_ready()


OTHERS = (HAProxy, Varnish, TrafficServer, H2o)
