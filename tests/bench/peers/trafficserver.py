"""Traffic Server with its store in one file and all of the set in its RAM cache."""

import os

from peers.peer import Peer


class TrafficServer(Peer):
    name = "trafficserver"
    holds_hot_in_memory = True
    programs = ("traffic_server",)
    cannot_reload = "traffic_server reloads by its manager only, which is not run here"
    version_arguments = ("--version",)

    @classmethod
    def version(cls):
        return next((line for line in super().version().split("\n") if "Traffic Server" in line), "Traffic Server")

    def configure(self):
        root = self.empty("root")
        own = {name: os.path.join(root, name) for name in ("etc", "data", "var", "run", "log", "cache")}
        for path in own.values():
            os.makedirs(path)
        places = {"prefix": root, "exec_prefix": root, "bindir": "/usr/bin", "sbindir": "/usr/sbin",
                  "sysconfdir": own["etc"], "datadir": own["data"], "includedir": "/usr/include", "libdir": "/usr/lib/trafficserver",
                  "libexecdir": "/usr/lib/trafficserver/modules", "localstatedir": own["var"], "runtimedir": own["run"],
                  "logdir": own["log"], "cachedir": own["cache"]}
        self.runroot = self.write("root/runroot.yaml", "".join(f"{name}: {path}\n" for name, path in places.items()))
        mtls = f"""
CONFIG proxy.config.ssl.client.certification_level INT 2
CONFIG proxy.config.ssl.CA.cert.path STRING {os.path.dirname(self.site.client_ca)}
CONFIG proxy.config.ssl.CA.cert.filename STRING {os.path.basename(self.site.client_ca)}
""" if self.setup.mtls else ""
        self.write("root/etc/records.config", f"""
CONFIG proxy.config.http.server_ports STRING {self.port}:ip-in=127.0.0.1 {self.tls_port}:ssl:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT {self.setup.workers}
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.cache.threads_per_disk INT 4
CONFIG proxy.config.cache.ram_cache.size INT {self.setup.memory}
CONFIG proxy.config.cache.ram_cache_cutoff INT 16777216
CONFIG proxy.config.cache.min_average_object_size INT 4000
CONFIG proxy.config.cache.dir.sync_frequency INT 10
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
{mtls}""")
        self.write("root/etc/remap.config", f"map / http://127.0.0.1:{self.origin_port}/\n")
        self.write("root/etc/storage.config", f"{own['cache']} {self.setup.disk >> 20}M\n")
        self.write("root/etc/ssl_multicert.config", f"dest_ip=* ssl_cert_name={os.path.basename(self.certificate)} "
                                                    f"ssl_key_name={os.path.basename(self.key)}\n")
        self.write("root/etc/ip_allow.yaml", "ip_allow:\n  - {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n")

    def launch(self):
        self.spawn("traffic_server", f"--run-root={self.runroot}")

    def purge_request(self, path):
        return self.port, "PURGE", path, None, f"127.0.0.1:{self.port}"

    def disk_octets(self):
        return self.folder_octets("root/cache")
