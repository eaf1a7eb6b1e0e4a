"""nginx with its disk cache in the page cache, open files remembered, and TLS sessions shared and by ticket."""

import os
import signal

from peers.peer import Peer


class Nginx(Peer):
    name = "nginx"
    programs = ("nginx",)
    cannot_purge = "nginx as Debian ships it has no purge"

    def configure(self):
        self.empty("cache")
        d = self.directory
        mtls = f"ssl_client_certificate {self.site.client_ca}; ssl_verify_client on;" if self.setup.mtls else ""
        to_app = ('proxy_pass http://app; proxy_http_version 1.1; '
                  'proxy_set_header Connection ""; proxy_set_header Host $host;')
        self.write("nginx.conf", f"""
daemon off; master_process on; worker_processes {self.setup.workers}; pid {d}/pid; error_log {d}/error.log error;
user root; worker_rlimit_nofile 20000;
events {{ worker_connections 19000; multi_accept on; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600s;
  open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;
  proxy_cache_path {d}/cache levels=1:2 keys_zone=c:256m max_size={self.setup.disk >> 20}m inactive=1d
                   use_temp_path=off;
  proxy_temp_path {d}/tmp; client_body_temp_path {d}/body; send_timeout 10m;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_tickets on;
  ssl_certificate {self.certificate}; ssl_certificate_key {self.key};
  upstream app {{ server 127.0.0.1:{self.origin_port}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096; listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096; {mtls}
    http2_max_concurrent_streams 128; http2_max_requests 100000000;
    # What is never cached would only queue behind the cache's lock: an expert routes it past the cache.
    location /miss/ {{ {to_app} }}
    location /pass/ {{ {to_app} }}
    location /large/ {{
      slice 8m; proxy_set_header Range $slice_range; proxy_cache_key $scheme$host$request_uri$slice_range;
      {to_app}
      proxy_cache c; proxy_cache_lock on;
    }}
    location / {{
      {to_app}
      proxy_cache c; proxy_cache_lock on; proxy_cache_lock_timeout 60s;
      proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
      proxy_cache_background_update on;
      proxy_cache_key $scheme$host$request_uri; add_header X-Cache $upstream_cache_status;
    }}
  }}
}}
""")

    def launch(self):
        self.spawn("nginx", "-c", os.path.join(self.directory, "nginx.conf"),
                   "-e", os.path.join(self.directory, "error.log"))

    def disk_octets(self):
        return self.folder_octets("cache")

    def reload(self):
        self.processes[0].send_signal(signal.SIGHUP)
