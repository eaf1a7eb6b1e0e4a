"""Load generators on the other core, and what they say. Each returns (requests done, errors, p50 ms, p99 ms)."""

import re
import subprocess

CORE = "1"


class LoadError(Exception):
    pass


def run(command):
    done = subprocess.run(["taskset", "-c", CORE, *command], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise LoadError(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]


def wrk(url, seconds, connections=32, headers=()):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    out = run([*command, url])
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    errors = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", out))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    percentile = dict(re.findall(r"(50|99)%\s+([\d.]+\w+)", out))
    return requests, errors + (int(bad.group(1)) if bad else 0), milliseconds(percentile["50"]), milliseconds(percentile["99"])


def h2load(url, seconds, connections=8, streams=32):
    out = run(["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", url])
    requests = int(re.search(r"requests: (\d+) total", out).group(1))
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", out).groups()
    status = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out).groups()
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+(\S+)", out)
    done = int(counts[0])
    return (done or requests, int(counts[1]) + int(counts[2]) + int(counts[3]) + int(status[2]) + int(status[3]),
            milliseconds(mean.group(1)) if mean else 0.0, 0.0)


def handshakes(port, seconds, resume):
    """openssl s_time: connections of one request each. Returns (connections, errors, 0, 0)."""
    out = run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-reuse" if resume else "-new", "-time", str(seconds),
               "-www", "/1k"])
    counts = re.findall(r"(\d+) connections in [\d.]+ real seconds", out)
    return int(counts[-1]), 0, 0.0, 0.0
