"""Whether a peer served what it should. What it did not serve right, it is not compared by."""

import hashlib
import subprocess
import time


class NotComparable(Exception):
    """The peer did not serve what it should: its figure would say nothing."""


def fetch(url, *arguments):
    """(status, body) by curl; status 0: no answer."""
    done = subprocess.run(["curl", "-sk", "--max-time", "60", "-w", "\n%{http_code}", "-o", "-", *arguments, url],
                          capture_output=True, check=False)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status or 0), body


def must_serve(url, body, *arguments, status=200):
    got_status, got = fetch(url, *arguments)
    if got_status == 0:
        raise NotComparable("no answer")
    if got_status != status:
        raise NotComparable(f"status {got_status} instead of {status}")
    if hashlib.sha256(got).digest() != hashlib.sha256(body).digest():
        raise NotComparable(f"a wrong body: {len(got)} octets instead of {len(body)}" if len(got) != len(body)
                            else "a wrong body of the right length")


def must_hit(origin, url, body, *arguments, tries=5, status=200):
    """Asks until the peer answers rightly without the origin, as a cache does once it has stored."""
    for _ in range(tries):
        before = origin.requests()
        must_serve(url, body, *arguments, status=status)
        if origin.requests() == before:
            return
    raise NotComparable("no hit: it asks the origin each time")


def at_rest(origin, patience=5.0):
    """Waits until the origin is asked no more: what clients gave up may still be on its way there. Returns how often it
    was asked so far."""
    until, last = time.monotonic() + patience, origin.requests()
    while time.monotonic() < until:
        time.sleep(0.05)
        now = origin.requests()
        if now == last:
            return now
        last = now
    return last


def judge_load(load, origin_asked, *, size, hits, least=100, tolerated=0):
    """What a run of load must look like. `load` is a load.Load, `origin_asked` how often the origin was asked in that
    time, `size` the octets of an answer's body, `hits` True: no request may reach the origin, False: each must once,
    None: neither is held (a server without a cache); `least`
    requests make a figure; `tolerated`: the share of hits that may reach the origin."""
    if load.errors:
        raise NotComparable(f"{load.errors} of {load.requests} requests failed")
    if load.requests < least:
        raise NotComparable(f"only {load.requests} requests were answered")
    if load.octets < 0.99 * load.requests * size:
        raise NotComparable(f"answers of {load.octets / load.requests:.0f} octets instead of {size}")
    if load.octets > 1.01 * (load.requests + load.in_flight) * (size + 1200):
        raise NotComparable(f"answers of {load.octets / load.requests:.0f} octets where {size} were right")
    if hits and origin_asked > tolerated * load.requests:
        raise NotComparable(f"no hits: the origin was asked {origin_asked} times for {load.requests} requests")
    if hits is False and origin_asked < 0.999 * load.requests:
        raise NotComparable(f"no misses: the origin was asked {origin_asked} times for {load.requests} requests")
    if hits is False and origin_asked > 1.01 * load.requests + load.in_flight:
        raise NotComparable(f"the origin was asked {origin_asked} times for {load.requests} requests")
