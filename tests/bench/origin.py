"""The origin behind every peer: nginx with files made ready, on the load generator's core. It counts what it is asked.

`/1k /10k /100k /1m /1g` are cacheable, `/100m` is for slow readers, `/object/N` is 4,000 octets whatever N;
`/many/SET/N` is MANY octets, and tagged where SET is `tagged`; `/miss/x/1k` may never be stored; `/pass/1k` answers
any method; `/large/...` is 1 GiB under many names. The 1 GiB is a sparse file: only the beginning of each MiB, its own
place as a number, is not zero."""

import os
import signal
import subprocess
import urllib.request

SIZES = {"1k": 1_000, "4k": 4_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "100m": 100_000_000}
LARGE, MARK = 1 << 30, 1 << 20
MANY, TAG = 100, "tagged"
CORE = "1"


class Origin:
    def __init__(self, directory, port):
        self.directory, self.port = os.path.join(directory, "origin"), port
        self._own = 0
        files = os.path.join(self.directory, "files")
        os.makedirs(files, exist_ok=True)
        for name, size in SIZES.items():
            with open(os.path.join(files, name), "wb") as file:
                left = size
                while left > 0:
                    file.write(os.urandom(min(left, 1 << 20)))
                    left -= 1 << 20
                file.truncate(size)
        with open(os.path.join(files, "1g"), "wb") as file:
            for at in range(0, LARGE, MARK):
                file.seek(at)
                file.write(at.to_bytes(8, "big"))
            file.truncate(LARGE)
        with open(os.path.join(files, "ready"), "wb") as file:
            file.write(b"ready\n")
        self.pass_body, self.many_body = b"p" * SIZES["1k"], b"m" * MANY
        config = os.path.join(self.directory, "nginx.conf")
        with open(config, "w") as file:
            file.write(f"""
daemon off; worker_processes 1; pid {self.directory}/pid; error_log {self.directory}/error.log error; user root;
events {{ worker_connections 10000; }}
http {{
  log_format octets $body_bytes_sent;
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=10000 inactive=600s;
  client_body_temp_path {self.directory}/body;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {files}; default_type application/octet-stream;
    location / {{ add_header Cache-Control "public, max-age=86400"; }}
    location = /status {{ stub_status; }}
    location /miss/ {{ rewrite ^/miss/[^/]*/(.*)$ /$1 break; add_header Cache-Control "no-store"; }}
    location /pass/ {{ mirror /void; error_page 404 405 = @pass; }}  # mirror: the body is read before the answer begins
    location = /void {{ internal; return 204; }}
    location @pass {{ add_header Cache-Control "no-store"; return 200 "{self.pass_body.decode()}"; }}
    location /large/ {{
      rewrite ^ /1g break; add_header Cache-Control "public, max-age=86400";
      access_log {self.directory}/large.log octets;
    }}
    location /many/ {{ add_header Cache-Control "public, max-age=86400"; return 200 "{self.many_body.decode()}"; }}
    location /many/{TAG}/ {{
      add_header Cache-Control "public, max-age=86400"; add_header Surrogate-Key "{TAG}"; add_header xkey "{TAG}";
      return 200 "{self.many_body.decode()}";
    }}
    location /object/ {{ rewrite ^ /4k break; add_header Cache-Control "public, max-age=86400"; }}
  }}
}}
""")
        self.process = subprocess.Popen(["taskset", "-c", CORE, "nginx", "-c", config, "-e",
                                         f"{self.directory}/error.log"])

    def requests(self):
        """How often it was asked so far, by others than this."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=10) as answer:
            text = answer.read().decode()
        self._own += 1
        return int(text.split("\n")[2].split()[2]) - self._own

    def large_octets(self):
        """What it has sent of the large object so far."""
        with open(os.path.join(self.directory, "large.log")) as file:
            return sum(int(line) for line in file)

    def body(self, name):
        with open(os.path.join(self.directory, "files", name), "rb") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
