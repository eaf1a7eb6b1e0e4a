"""Load generators, all on the core that the servers do not have: wrk and h2load as fast as the server answers, h2load
at a steady rate, openssl s_time for handshakes."""

import contextlib
import dataclasses
import os
import re
import resource
import subprocess
from dataclasses import dataclass

import stats
from awake import Awake

CORE = "1"
CONNECTIONS, H2_CONNECTIONS, STREAMS = 32, 8, 32


class LoadError(Exception):
    pass


@dataclass(frozen=True)
class Load:
    """What a generator saw. `octets` came over the connections in all (without TLS's own), or of bodies alone;
    `in_flight` is how many requests may have been asked beyond `requests` when it ended; `spent` CPU seconds of the
    generator, 0: not measured."""
    requests: int
    errors: int
    octets: int
    seconds: float
    in_flight: int
    spent: float = 0.0

    @property
    def rate(self):
        return self.requests / self.seconds


_started = []  # those that may still run


def start(command, **kwargs):
    process = subprocess.Popen(["taskset", "-c", CORE, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, **kwargs)
    _started[:] = [p for p in _started if p.poll() is None] + [process]
    return process


def end_all():
    """Ends every load that still runs: nobody waits for it any more."""
    for process in _started:
        if process.poll() is None:
            process.kill()
            process.wait()


def finish(process, timeout=300):
    out, _ = process.communicate(timeout=timeout)
    if process.returncode != 0:
        raise LoadError(f"{' '.join(process.args[3:])}: {out[-500:]}")
    return out


def run(command):
    return finish(start(command))


def octets(text):
    number, unit = re.match(r"([\d.]+)([KMGT]?)B?", text).groups()
    return int(float(number) * 1024 ** "_KMGT".index(unit or "_"))


def read_wrk(out, connections):
    requests, seconds, read = re.search(r"(\d+) requests in ([\d.]+\w+), ([\d.]+\w+) read", out).groups()
    errors = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", out))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    number, unit = re.match(r"([\d.]+)(us|ms|s|m|h)$", seconds).groups()
    took = float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit]
    return Load(int(requests), errors + (int(bad.group(1)) if bad else 0), octets(read), took, connections)


def read_h2load(out, in_flight):
    requests = int(re.search(r"requests: (\d+) total", out).group(1))
    ended = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", out).groups()
    done, *bad = (int(n) for n in ended)
    status = [int(n) for n in re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out).groups()]
    body = int(re.search(r"\((\d+)\) data", out).group(1))
    number, unit = re.search(r"finished in ([\d.]+)(us|ms|s|m),", out).groups()
    seconds = float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]
    # `failed` holds those that a status above 399 made fail, and what was in flight at the end is no fault.
    return Load(done or requests, max(sum(bad), status[2] + status[3]), body, seconds, in_flight)


def wrk(url, seconds, headers=(), script=None, arguments=()):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", script]
    return read_wrk(run([*command, url, *arguments]), CONNECTIONS)


def not_modified(url, seconds, header):
    """Requests with a validator over HTTP/1.1. Not by wrk: it waits for a body where a 304 names a length."""
    out = run(["h2load", "--h1", "-t1", f"-c{CONNECTIONS}", f"-D{seconds}", "-H", header, url])
    done = read_h2load(out, CONNECTIONS)
    other = done.requests - int(re.search(r"(\d+) 3xx", out).group(1))
    return dataclasses.replace(done, errors=max(done.errors, other))


def h2load(url, seconds):
    return read_h2load(run(["h2load", "-t1", f"-c{H2_CONNECTIONS}", f"-m{STREAMS}", f"-D{seconds}", url]),
                       H2_CONNECTIONS * STREAMS)


def full(url, protocol, seconds):
    """As many requests as the server answers: wrk over HTTP/1.1, h2load over HTTP/2. With the CPU seconds it took."""
    before = cpu_seconds()
    done = h2load(url, seconds) if protocol == "tls-h2" else wrk(url, seconds)
    return dataclasses.replace(done, spent=cpu_seconds() - before)


def cpu_seconds():
    """Of all generators that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


EASY = 0.25  # of its core, that a generator takes at a steady rate at most


def steady_rate(done):
    """Half of what was answered in `done`, a full load; less where the generator would take more than EASY of its core
    for that: it would be its waits that are measured."""
    return min(done.rate / 2, EASY * done.requests / done.spent if done.spent else done.rate / 2)


@dataclass(frozen=True)
class Steady:
    """A run at a steady rate. `rows` are (start in microseconds since the epoch, status, microseconds to the end);
    `interval` is how long one connection can wait for an answer before it sends a request late, in microseconds."""
    load: Load
    offered: float
    interval: float
    rows: list

    @property
    def rate(self):
        """Requests a second between the first and the last that began."""
        return (len(self.rows) - 1) / (self.rows[-1][0] - self.rows[0][0]) * 1e6

    def percentiles(self, shares=(0.5, 0.99, 0.999), begin=0, end=None):
        """In ms, of what began between `begin` and `end`; corrected for requests that were sent late."""
        took = [r[2] for r in self.rows if r[0] >= begin and (end is None or r[0] < end)]
        ordered = stats.corrected(took, self.interval)
        return [stats.percentile(ordered, share) / 1000 for share in shares]


SPACING_MS = 5  # between the beginnings of two connections, so that their ticks do not fall together


def read_log(path):
    with open(path) as file:
        return [tuple(int(n) for n in line.split()[:3]) for line in file]


def start_steady(url, protocol, rate, seconds, log, connections=CONNECTIONS):
    """(process, what `finish_steady` needs): `rate` requests a second over `connections`, each at its own beat. `url`
    may be a list: each connection asks for one after the other. The cores are kept awake until it is finished."""
    each = rate / connections
    count = max(1, round(each * seconds)) * connections
    if os.path.exists(log):
        os.unlink(log)
    kind = [f"-m{STREAMS}"] if protocol == "tls-h2" else ["--h1", "-m1"]
    process = start(["h2load", "-t1", f"-c{connections}", "-r1", f"--rate-period={SPACING_MS}ms", f"--rps={each:.3f}",
                     f"-n{count}", f"--log-file={log}", *kind, *([url] if isinstance(url, str) else url)])
    return process, (rate, each, log, connections, STREAMS if protocol == "tls-h2" else 1, Awake())


def finish_steady(process, told):
    rate, each, log, connections, streams, awake = told
    with contextlib.closing(awake):
        load = read_h2load(finish(process), connections)
    rows = sorted(read_log(log))
    # All connections are there from here on; and as long after the last began, the first have had all of theirs.
    begin = rows[0][0] + connections * SPACING_MS * 1000
    end = rows[-1][0] - connections * SPACING_MS * 1000
    kept = [r for r in rows if begin <= r[0] <= end]
    if len(kept) < 100:
        raise LoadError(f"only {len(kept)} of {len(rows)} requests came while all connections were there")
    return Steady(load, rate, 1e6 * streams / each, kept)


def steady(url, protocol, rate, seconds, log):
    return finish_steady(*start_steady(url, protocol, rate, seconds, log))


def handshakes(port, seconds, resume, client=None):
    """openssl s_time: connections of one request each. `client` is a (certificate, key) to show. Returns (Load, how
    many were resumed)."""
    # s_time knows HTTP/1.0 without Host alone: what it puts after the path becomes a field that nobody reads.
    path = f"/1k HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nX-S-Time:"
    shown = ["-cert", client[0], "-key", client[1]] if client else []
    out = run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-reuse" if resume else "-new",
               "-time", str(seconds), "-www", path, *shown])
    count, took, each = re.findall(r"(\d+) connections in (\d+) real seconds, (\d+) bytes", out)[-1]
    marks = re.findall(r"^[r*tSu.]+$", out, re.MULTILINE)
    resumed = max(marks, key=len).count("r") if marks else 0
    return Load(int(count), 0, int(count) * int(each), max(1, int(took)), 1), resumed
