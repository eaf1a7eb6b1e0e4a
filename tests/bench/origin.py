"""The origin behind every peer: nginx with files made ready, on the load generator's core. `/1k /10k /100k /1m` are
cacheable; `/miss/...` never is; `/100m` is for slow
readers; `/large/...` is 1 GiB of which only the beginning of each MiB is not zero."""

import os
import signal
import subprocess

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "100m": 100_000_000}
LARGE, MARK = 1 << 30, 1 << 20


class Origin:
    def __init__(self, directory, port):
        self.directory, self.port = os.path.join(directory, "origin"), port
        files = os.path.join(self.directory, "files")
        os.makedirs(files, exist_ok=True)
        for name, size in SIZES.items():
            with open(os.path.join(files, name), "wb") as file:
                left = size
                while left > 0:
                    file.write(os.urandom(min(left, 1 << 20)))
                    left -= 1 << 20
                file.truncate(size)
        with open(os.path.join(files, "1g"), "wb") as file: # sparse: takes no disk but for the marks
            for at in range(0, LARGE, MARK):
                file.seek(at)
                file.write(at.to_bytes(8, "big"))
            file.truncate(LARGE)
        with open(os.path.join(files, "ready"), "wb") as file:
            file.write(b"ready\n")
        config = os.path.join(self.directory, "nginx.conf")
        with open(config, "w") as file:
            file.write(f"""
daemon off; worker_processes 1; pid {self.directory}/pid; error_log {self.directory}/error.log error; user root;
events {{ worker_connections 10000; }}
http {{
  log_format octets $body_bytes_sent;
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=10000 inactive=600s;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {files}; default_type application/octet-stream;
    location / {{ add_header Cache-Control "public, max-age=86400"; }}
    location /miss/ {{ rewrite ^/miss/[^/]*/(.*)$ /$1 break; add_header Cache-Control "no-store"; }}
    location /large/ {{
      rewrite ^ /1g break; add_header Cache-Control "public, max-age=86400"; access_log {self.directory}/large.log octets;
    }}
    location /object/ {{ rewrite ^ /4k break; add_header Cache-Control "public, max-age=86400"; }}
  }}
}}
""")
        with open(os.path.join(files, "4k"), "wb") as file:
            file.write(os.urandom(4_000))
        self.process = subprocess.Popen(["taskset", "-c", "1", "nginx", "-c", config, "-e", f"{self.directory}/error.log"])

    def large_octets(self):
        """What it has sent of the large object so far."""
        with open(os.path.join(self.directory, "large.log")) as file:
            return sum(int(line) for line in file)

    def body(self, name):
        with open(os.path.join(self.directory, "files", name), "rb") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
