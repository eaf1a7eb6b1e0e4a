"""Programs the test runs around the node: started in process groups of their own, ended by those, logged to files."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

# A node that tests/run took from npm, where Debian's is too old, goes before Debian's.
NEWER_NODE = sorted(Path(__file__).resolve().parents[3].glob("build/node/node_modules/node-linux-*/bin"))
PATH = ":".join([*map(str, NEWER_NODE), "/usr/bin:/bin:/usr/sbin:/sbin", os.environ.get("PATH", "")])
READY_SECONDS = 240  # for a loaded machine; nothing is concluded from how long something takes


def environment(**more):
    """A small environment: nothing of the user's AWS or npm settings gets in."""
    keep = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "TMPDIR", "NODE_EXTRA_CA_CERTS")
            or k.lower().endswith("_proxy") or k.startswith(("ASAN_", "UBSAN_", "TSAN_"))}
    return {**keep, "PATH": PATH, "LC_ALL": "C.UTF-8", **more}


def run(argv, *, timeout=300, check=True, env=None, cwd=None, stdin=None):
    """Runs a program to its end and returns the CompletedProcess with octets; an error shows what it printed."""
    argv = [str(a) for a in argv]
    with subprocess.Popen(argv, env=env or environment(), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                          start_new_session=True) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if check and process.returncode != 0:
        raise AssertionError(f"{' '.join(argv)} ended with {process.returncode}:\n"
                             f"{out.decode(errors='replace')[-4000:]}\n{err.decode(errors='replace')[-4000:]}")
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def free_ports(count):
    """`count` neighbouring ports that are free now, outside the range from which the kernel picks for clients."""
    for _ in range(1000):
        base = random.randrange(20_000, 30_000)
        held = []
        try:
            for port in range(base, base + count):
                s = socket.socket()
                held.append(s)
                s.bind(("127.0.0.1", port))
            return list(range(base, base + count))
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise AssertionError(f"no {count} free ports next to each other")


class Process:
    """A program that runs until it is stopped."""

    _all = []
    _lock = threading.Lock()
    _closed = False

    def __init__(self, name, argv, log_folder, *, env=None, cwd=None):
        self.name = name
        self.log = Path(log_folder) / f"{name}.log"
        with Process._lock, open(self.log, "ab") as log:
            if Process._closed:
                raise AssertionError(f"{name} is not started any more: the test is over")
            Process._all.append(self)
            self.log_begin = log.tell()
            self._popen = subprocess.Popen([str(a) for a in argv], env=env or environment(), cwd=cwd, stdout=log,
                                           stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                           start_new_session=True)

    @classmethod
    def stop_all(cls):
        """Ends what still runs, in the reverse order, and lets nothing start after it."""
        with cls._lock:
            cls._closed = True
        for process in reversed(cls._all):
            process.stop()

    def output(self):
        with open(self.log, "rb") as log:
            log.seek(self.log_begin)
            return log.read().decode(errors="replace")

    def wait_ready(self, ready, seconds=READY_SECONDS):
        """Asks `ready()` until it says something true; an error if the program ends or takes far too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = ready()
            if answer:
                return answer
            if self._popen.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self._popen.returncode}:\n{self.output()[-4000:]}")
            time.sleep(0.1)
        raise AssertionError(f"{self.name} was not ready in {seconds} s:\n{self.output()[-4000:]}")

    def signal(self, number):
        os.kill(self._popen.pid, number)

    def wait(self, timeout=60):
        return self._popen.wait(timeout)

    def stop(self):
        """Ends the program and all it started; harmless if it has ended."""
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            try:
                os.killpg(self._popen.pid, number)
            except ProcessLookupError:
                break
            try:
                self._popen.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self._popen.poll()


def accepts(port):
    """Whether something listens on that port of the loopback."""
    with socket.socket() as s:
        s.settimeout(5)
        return s.connect_ex(("127.0.0.1", port)) == 0
