"""What all peers have in common: processes on the server's core, their CPU time and memory, start and stop."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass

from check import NotComparable

CORE = "0"
PATIENCE = 20.0
MIB = 1 << 20


def free_ports(count):
    """So many different ones: each is held until all are found."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def free_port():
    return free_ports(1)[0]


@dataclass(frozen=True)
class Site:
    """What all peers are given alike. `client_ca` signs the certificates of clients."""
    directory: str
    certificate: str
    key: str
    client_ca: str
    origin_port: int


@dataclass(frozen=True)
class Setup:
    """How a peer is set up. `memory` is for bodies in RAM, `disk` for a disk cache, in octets; `disk_only`: a set larger
    than `memory` is to be served; `by_tag`: what is stored must be found by its tags and prefixes; `mtls`: clients must
    show a certificate; `routes`, `sites`: so many more that nobody asks for (Verge alone)."""
    workers: int = 1
    memory: int = 1 << 30
    disk: int = 4 << 30
    disk_only: bool = False
    by_tag: bool = False
    mtls: bool = False
    cores: str = CORE
    routes: int = 0
    sites: int = 0


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
    """One server under test. `port` is cleartext, `tls_port` TLS with h2 and http/1.1 by ALPN, `admin_port` for what only
    its owner asks. A class that lacks something says why in its `cannot_...`; a scenario that needs it leaves the peer
    out with these words."""

    name = "?"
    programs = ()
    version_arguments = ("-v",)
    is_cache = True
    holds_hot_in_memory = False  # beside a store on disk, up to Setup.memory
    cannot_mtls = None  # check certificates of clients
    cannot_disk = None  # serve a set larger than its memory
    cannot_keep = None  # keep what is stored over a restart
    cannot_purge = None
    cannot_reload = None

    def __init__(self, site, setup=Setup(), under=""):
        self.site, self.setup = site, setup
        self.directory = os.path.join(site.directory, under + self.name.replace("+", "-"))
        os.makedirs(self.directory, exist_ok=True)
        self.certificate, self.key, self.origin_port = site.certificate, site.key, site.origin_port
        self.port, self.tls_port, self.admin_port = free_ports(3)
        self.processes = []
        if setup.mtls and self.cannot_mtls:
            raise NotComparable(self.cannot_mtls)
        if setup.disk_only and self.cannot_disk:
            raise NotComparable(self.cannot_disk)

    @classmethod
    def missing(cls):
        """The programs it needs and that are not here."""
        return [p for p in cls.programs if not shutil.which(p)]

    @classmethod
    def version(cls):
        done = subprocess.run([cls.programs[0], *cls.version_arguments], capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip().split("\n")[0]

    def configure(self):
        """Writes its configuration, beginning with an empty store."""
        raise NotImplementedError

    def launch(self):
        """Starts its processes on the configuration that is there and the store as it is."""
        raise NotImplementedError

    def start(self):
        self.configure()
        self.launch()
        self.wait_ready()

    def spawn(self, *command, **kwargs):
        with open(os.path.join(self.directory, "output.log"), "ab") as log:
            process = subprocess.Popen(["taskset", "-c", self.setup.cores, *command], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, cwd=self.directory, **kwargs)
        self.processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def write_pem(self, name, *paths):
        return self.write(name, "".join(open(path).read() for path in paths))

    def empty(self, name):
        """A folder of its own with nothing in it."""
        path = os.path.join(self.directory, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
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
        """Memory of all its processes that is no file's: anonymous and shared, each page counted once (PSS)."""
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith(("Pss_Anon", "Pss_Shmem")))
            except OSError:
                pass
        return total

    def purge_request(self, path):
        """(port, method, target, body, host) of the request that purges this path."""
        raise NotComparable(self.cannot_purge)

    def purge_many_request(self, kind, what):
        """The same for all that is stored: `kind` is tag, prefix (of paths) or all (`what` means nothing)."""
        raise NotComparable(self.cannot_purge or f"{self.name} purges one URL at a time")

    def disk_octets(self):
        """What its store takes on disk; None if it has none there."""
        return None

    def folder_octets(self, name):
        total = 0
        for where, _, files in os.walk(os.path.join(self.directory, name)):
            for file in files:
                try:
                    total += os.stat(os.path.join(where, file)).st_blocks * 512
                except OSError:
                    pass
        return total

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.setup.mtls:  # the cleartext port is open as well, but says nothing about the other
                    socket.create_connection(("127.0.0.1", self.tls_port), timeout=2).close()
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2) as answer:
                    answer.read()
                return
            except OSError:
                if self.processes[-1].poll() not in (None, 0):
                    break
                time.sleep(0.05)
        with open(os.path.join(self.directory, "output.log"), errors="replace") as file:
            raise RuntimeError(f"{self.name} does not answer on port {self.port}:\n{file.read()[-2000:]}")

    def died(self):
        """How a process of it ended that should run: a text, or None."""
        for process in self.processes:
            if (code := process.poll()) is not None:
                return f"it ended by signal {-code}" if code < 0 else f"it ended with status {code}"
        return None

    def stop(self):
        """Ends it as an operator would."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def kill(self):
        """Ends all its processes with no chance to write anything."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.processes:
            process.wait()
        self.processes = []

    def discard(self):
        """Ends it and drops its files."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
