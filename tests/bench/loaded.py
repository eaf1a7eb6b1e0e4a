"""One peer under one kind of load: CPU time for each request as fast as it answers, then waits at half of that rate,
and at one that is the same for all."""

import load
from check import NotComparable, at_rest, judge_load
from row import CPU

LEAST_SHARE = 0.95  # of the offered rate, below which a run was not steady


def url(peer, path, protocol):
    scheme, port = ("http", peer.port) if protocol == "h1" else ("https", peer.tls_port)
    return f"{scheme}://127.0.0.1:{port}{path}"


def curl_arguments(protocol):
    return ["--http2"] if protocol == "tls-h2" else ["--http1.1"]


def per_request(load, spent):
    """Figures of `spent` CPU seconds."""
    return {CPU: 1e6 * spent / load.requests, "requests_per_cpu_second": load.requests / spent if spent else None}


def cpu(peer, origin, make, *, size, hits, tolerated=0):
    """Runs `make`, which gives a Load, and judges what came; `tolerated`: the share of hits that may miss. Returns
    (figures, the Load)."""
    asked, before = at_rest(origin), peer.cpu_seconds()
    load = make()
    spent = peer.cpu_seconds() - before
    judge_load(load, origin.requests() - asked, size=size, hits=None if hits and not peer.is_cache else hits,
               tolerated=tolerated)
    return per_request(load, spent), load


def waits(context, address, protocol, rate, *, size, hits):
    """p50, p99 and p99.9 in ms at `rate`; none where it was not kept, with a note of why."""
    asked = at_rest(context.origin)
    steady = context.generator.steady(address, protocol, rate, context.seconds, context.log())
    judge_load(steady.load, context.origin.requests() - asked, size=size,
               hits=None if hits and not context.peer.is_cache else hits)
    wrong = sum(1 for row in steady.rows if row[1] != 200)
    if wrong:
        raise NotComparable(f"{wrong} answers at a steady rate had another status")
    if steady.rate < LEAST_SHARE * steady.offered:
        context.notes.append(f"steady rate: {steady.offered:.0f} requests/s offered, {steady.rate:.0f} answered")
        return None
    return steady.percentiles()


def plain_load(context, path, protocol, *, size, hits, equal=None):
    """A load of one URL on the peer that runs; `equal`: requests a second at which all peers are asked alike."""
    peer, address = context.peer, url(context.peer, path, protocol)
    figures, done = cpu(peer, context.origin, lambda: context.generator.full(address, protocol, context.seconds),
                        size=size, hits=hits)
    if not context.latency:
        return figures
    if half := waits(context, address, protocol, load.steady_rate(done), size=size, hits=hits):
        figures |= dict(zip(("p50_ms", "p99_ms", "p999_ms"), half))
    if equal and (alike := waits(context, address, protocol, equal, size=size, hits=hits)):
        figures["p99_equal_ms"] = alike[1]
    return figures
