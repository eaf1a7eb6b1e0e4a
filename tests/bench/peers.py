"""The servers that are compared, each set up as an expert would for an edge cache on one core: one worker, the set in
memory, ECDSA P-256, TLS 1.3 and 1.2, HTTP/2, logs off (Verge is also measured with its access log on)."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

SERVER_CORE = "0"
PATIENCE = 20.0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def children(pid):
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in file.read().split():
                    out += [int(child)] + children(int(child))
    except OSError:
        pass
    return out


class Peer:
    """One server under test. `port` is cleartext, `tls_port` TLS with h2 and http/1.1 by ALPN."""

    name = "?"

    def __init__(self, directory, certificate, key, origin_port):
        self.directory = os.path.join(directory, self.name.replace("+", "-"))
        os.makedirs(self.directory, exist_ok=True)
        self.certificate, self.key, self.origin_port = certificate, key, origin_port
        self.port, self.tls_port = free_port(), free_port()
        self.processes = []

    @classmethod
    def missing(cls):
        """The programs it needs and that are not here."""
        return [p for p in cls.programs if not shutil.which(p)]

    programs = ()

    def spawn(self, *command, **kwargs):
        log = open(os.path.join(self.directory, "output.log"), "ab")
        process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *command], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, cwd=self.directory, **kwargs)
        log.close()
        self.processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def pids(self):
        out = []
        for process in self.processes:
            out += [process.pid] + children(process.pid)
        return out

    def cpu_seconds(self):
        """User and system time of all its processes so far."""
        ticks = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_kb(self):
        """Private memory of all its processes (PSS), so that shared pages count once."""
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith(("Pss_Anon", "Private_Dirty"))
                                 and line.startswith("Pss_Anon"))
            except OSError:
                pass
        return total

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                    answer.read()
                return
            except OSError:
                if self.processes[-1].poll() not in (None, 0):
                    break
                time.sleep(0.05)
        with open(os.path.join(self.directory, "output.log"), errors="replace") as file:
            raise RuntimeError(f"{self.name} does not answer on port {self.port}:\n{file.read()[-2000:]}")

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Verge(Peer):
    name = "verge"
    access_log = "off"
    binary = os.environ.get("VERGE_BINARY", "build/release/verge")

    @classmethod
    def missing(cls):
        return [] if os.access(cls.binary, os.X_OK) else [cls.binary + " (cmake --build build/release)"]

    def start(self):
        shutil.rmtree(os.path.join(self.directory, "cache"), ignore_errors=True)
        config = self.write("verge.yaml", f"""
listen:
  - address: 127.0.0.1:{self.port}
  - address: 127.0.0.1:{self.tls_port}
    tls: {{certificates: [{{chain: {self.certificate}, key: {self.key}}}]}}
workers: 1
cache: {{path: ./cache, disk: 4GiB, memory: 1GiB}}
origins: {{app: {{type: http, url: "http://127.0.0.1:{self.origin_port}"}}}}
sites: [{{hosts: ["*"], routes: [{{match: "/large/*", origin: app, cache: {{slice: 8MiB}}}}, {{match: "/*", origin: app}}]}}]
access_log: {self.access_log}
limits: {{connections: 20000, send_timeout: 10m}}
""")
        self.spawn(os.path.abspath(self.binary), "serve", "-c", config)
        self.wait_ready()


class VergeLogging(Verge):
    name = "verge+log"
    access_log = "{path: access.log, format: json}"


class Nginx(Peer):
    name = "nginx"
    programs = ("nginx",)

    def start(self):
        config = self.write("nginx.conf", f"""
daemon off; master_process on; worker_processes 1; pid {self.directory}/pid; error_log {self.directory}/error.log error;
user root;
events {{ worker_connections 30000; multi_accept on; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600s;
  open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;
  proxy_cache_path {self.directory}/cache levels=1:2 keys_zone=c:100m max_size=4g inactive=1d use_temp_path=off;
  proxy_temp_path {self.directory}/tmp; client_body_temp_path {self.directory}/body; send_timeout 10m;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_tickets on;
  ssl_certificate {self.certificate}; ssl_certificate_key {self.key};
  upstream app {{ server 127.0.0.1:{self.origin_port}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096; listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096;
    http2_max_concurrent_streams 128; http2_max_requests 100000000;
    # What is never cached would only queue behind the cache's lock: an expert routes it past the cache.
    location /miss/ {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }}
    location /large/ {{
      slice 8m; proxy_set_header Range $slice_range; proxy_cache_key $scheme$host$request_uri$slice_range;
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_cache c; proxy_cache_lock on;
    }}
    location / {{
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_cache c; proxy_cache_lock on; proxy_cache_lock_timeout 60s;
      proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504; proxy_cache_background_update on;
      proxy_cache_key $scheme$host$request_uri; add_header X-Cache $upstream_cache_status;
    }}
  }}
}}
""")
        self.spawn("nginx", "-c", config, "-e", os.path.join(self.directory, "error.log"))
        self.wait_ready()


ALL = {peer.name: peer for peer in (Verge, VergeLogging, Nginx)}
