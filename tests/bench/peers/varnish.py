"""Varnish with malloc storage, and Hitch before it for TLS over a socket with the PROXY protocol."""

import os
import shutil
import signal
import subprocess
import time

from peers.peer import MIB, PATIENCE, Peer


# Tags by the vmod xkey of varnish-modules, prefixes by bans on what the object says, which the lurker can work off.
BY_TAG = """
import xkey;
sub vcl_backend_response { set beresp.http.x-url = bereq.url; }
sub vcl_deliver { unset resp.http.x-url; unset resp.http.xkey; }
sub vcl_recv {
  if (req.method == "PURGE" && req.url ~ "^/by-tag/") {
    set req.http.purged = xkey.purge(regsub(req.url, "^/by-tag/", ""));
    return (synth(200));
  }
  if (req.method == "BAN") {
    ban("obj.http.x-url ~ ^" + req.url);
    return (synth(200));
  }
}"""


class Varnish(Peer):
    name = "varnish"
    programs = ("varnishd", "hitch")
    version_arguments = ("-V",)
    cannot_keep = "Varnish's stores do not outlive it"

    def configure(self):
        self.loads = 0
        self.socket = os.path.join(self.directory, "varnish.sock")
        self.write_pem("both.pem", self.key, self.certificate)
        os.chmod(os.path.dirname(self.directory), 0o711)  # hitch does not run as root, and must reach the socket
        self.write("default.vcl", f"""
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{self.origin_port}"; }}
{BY_TAG if self.setup.by_tag else ""}
sub vcl_recv {{
  if (req.method == "PURGE") {{ return (purge); }}
  if (req.url ~ "^/(miss|pass)/") {{ return (pass); }}
}}
""")
        mtls = f'client-verify = required\nclient-verify-ca = "{self.site.client_ca}"' if self.setup.mtls else ""
        self.write("hitch.conf", f"""
frontend = {{ host = "127.0.0.1" port = "{self.tls_port}" }}
backend = "{self.socket}"
pem-file = "{self.directory}/both.pem"
write-proxy-v2 = on
alpn-protos = "h2, http/1.1"
tls-protos = TLSv1.2 TLSv1.3
workers = {self.setup.workers}
backlog = 4096
daemon = off
quiet = on
user = "{"_hitch" if os.geteuid() == 0 else ""}"
{mtls}
""")

    def launch(self):
        shutil.rmtree(os.path.join(self.directory, "work"), ignore_errors=True)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        store = (f"file,{self.directory}/store,{self.setup.disk // MIB}m" if self.setup.disk_only
                 else f"malloc,{self.setup.memory // MIB}m")
        self.spawn("varnishd", "-F", "-j", "none", "-n", os.path.join(self.directory, "work"),
                   "-f", os.path.join(self.directory, "default.vcl"),
                   "-a", f"127.0.0.1:{self.port}", "-a", f"{self.socket},PROXY,mode=666", "-s", store,
                   "-p", "feature=+http2", "-p", "thread_pools=1", "-p", "thread_pool_min=300",
                   "-p", "timeout_idle=600", "-p", "idle_send_timeout=600", "-p", "send_timeout=600",
                   "-p", "vsl_mask=-Backend_health", "-p", "listen_depth=4096", "-p", "timeout_linger=0.1")
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(self.socket) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.spawn("hitch", f"--config={self.directory}/hitch.conf")

    def purge_request(self, path):
        return self.port, "PURGE", path, None, f"127.0.0.1:{self.port}"

    def purge_many_request(self, kind, what):
        method, path = {"tag": ("PURGE", f"/by-tag/{what}"), "prefix": ("BAN", what), "all": ("BAN", "/")}[kind]
        return self.port, method, path, None, f"127.0.0.1:{self.port}"

    def reload(self):
        """Both: the rules of Varnish, and Hitch with its certificates."""
        self.loads += 1
        for words in (["vcl.load", f"again{self.loads}", os.path.join(self.directory, "default.vcl")],
                      ["vcl.use", f"again{self.loads}"]):
            subprocess.run(["varnishadm", "-n", os.path.join(self.directory, "work"), *words], check=True,
                           capture_output=True)
        self.processes[1].send_signal(signal.SIGHUP)

    def disk_octets(self):
        return os.stat(os.path.join(self.directory, "store")).st_blocks * 512 if self.setup.disk_only else None
