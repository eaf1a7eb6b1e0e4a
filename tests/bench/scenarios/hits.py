"""Cached hits over each protocol, 304 to a validator, and a range out of a stored object of 1 GiB."""

import subprocess

from check import NotComparable, fetch, must_hit
from loaded import cpu, curl_arguments, plain_load, url
from origin import LARGE, MARK, SIZES
from peers.peer import Setup
from row import Scenario, load_metrics, of_best, of_lean

PROTOCOLS = ("h1", "tls-h1", "tls-h2")
GOALS = {"1k": (of_best(0.8), of_lean(1.3)), "10k": (of_best(0.8), of_lean(1.3)),
         "100k": (of_best(0.8), of_lean(1.05)), "1m": (of_best(0.8), of_lean(1.05))}
RANGE = 100_000
# Requests a second over HTTP/2: about half of nginx's most.
EQUAL = {"1k": 14_000, "10k": 11_000, "100k": 2_400, "1m": 280}


def equal(size, protocol):
    return EQUAL[size] if protocol == "tls-h2" else None


def hit(size, protocol):
    def measure(context):
        address, body = url(context.peer, f"/{size}", protocol), context.origin.body(size)
        must_hit(context.origin, address, body, *curl_arguments(protocol))
        return plain_load(context, f"/{size}", protocol, size=SIZES[size], hits=True, equal=equal(size, protocol))
    return measure


def not_modified(context):
    """All requests carry the validator of what is stored."""
    address, body = url(context.peer, "/1k", "h1"), context.origin.body("1k")
    must_hit(context.origin, address, body)
    head = subprocess.run(["curl", "-s", "-D", "-", "-o", "/dev/null", address], capture_output=True, text=True,
                          check=True).stdout
    etags = [line.split(":", 1)[1].strip() for line in head.splitlines() if line.lower().startswith("etag:")]
    if not etags:
        raise NotComparable("its answer has no ETag")
    validator = f"If-None-Match: {etags[0]}"
    status, got = fetch(address, "-H", validator)
    if status != 304 or got:
        raise NotComparable(f"status {status} to its own ETag")

    return cpu(context.peer, context.origin,
               lambda: context.generator.not_modified(address, context.seconds, validator), size=0, hits=True)[0]


def range_of_large(context):
    """100 KB out of the middle of 1 GiB that is stored whole."""
    with context.with_own(Setup(memory=3 << 30, disk=4 << 30)) as peer:
        address = url(peer, "/1g", "h1")
        stored = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", address],
                                capture_output=True, text=True, check=False).stdout
        if stored != f"200 {LARGE}":
            raise NotComparable(f"1 GiB came as {stored}")
        at = LARGE // 2
        asked = f"Range: bytes={at}-{at + RANGE - 1}"
        right = at.to_bytes(8, "big") + bytes(RANGE - 8)
        must_hit(context.origin, address, right, "-H", asked, status=206)
        return cpu(peer, context.origin, lambda: context.generator.wrk(address, context.seconds, headers=[asked]),
                   size=RANGE, hits=True)[0]


ALL = [Scenario(f"hit-{size}-{protocol}", hit(size, protocol),
                load_metrics(*GOALS[size], p99=(of_best(1.0),) if protocol == "tls-h2" else (),
                             equal=equal(size, protocol)))
       for protocol in PROTOCOLS for size in GOALS]
ALL.append(Scenario("304-h1", not_modified, load_metrics(of_best(0.8), of_lean(1.3))[:2]))
ALL.append(Scenario("range-1g-h1", range_of_large, load_metrics(of_best(0.8), of_lean(1.05))[:2]))
