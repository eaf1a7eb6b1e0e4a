"""What a cached hit costs where there is much of something beside it, in times of what it costs where there is little:
routes, sites, active purges. A small and a large instance run side by side and are loaded in turn."""

import http.client
import json
import statistics
from dataclasses import replace

from check import NotComparable, must_hit
from loaded import cpu
from peers.peer import Setup
from row import CPU, Metric, Scenario, at_most

ROUTES, SITES, PURGES = 1_000, 10_000, 100_000
AT_ONCE = 2_500  # targets of one purge
TURNS = 3


def ours(context):
    if context.peer.name != "verge":
        raise NotComparable("verge alone is held to this")


def hits(context, peer, seconds):
    address = f"http://127.0.0.1:{peer.port}/1k"
    return cpu(peer, context.origin, lambda: context.generator.wrk(address, seconds), size=1000, hits=True)[0][CPU]


def side_by_side(context, small, large):
    for peer in (small, large):
        must_hit(context.origin, f"http://127.0.0.1:{peer.port}/1k", context.origin.body("1k"))
    seconds = max(1, context.seconds // 2)
    turns = [(hits(context, small, seconds), hits(context, large, seconds)) for _ in range(TURNS)]
    least, most = (statistics.median(side) for side in zip(*turns))
    return {"small": least, "large": most, "times": statistics.median(b / a for a, b in turns)}


def grown(**more):
    def measure(context):
        ours(context)
        with context.with_own(Setup(), "small") as small, context.with_own(replace(Setup(), **more), "large") as large:
            return side_by_side(context, small, large)
    return measure


def purge(peer, targets):
    for first in range(0, len(targets), AT_ONCE):
        conn = http.client.HTTPConnection("127.0.0.1", peer.admin_port, timeout=60)
        conn.request("POST", "/purge", json.dumps({"paths": targets[first:first + AT_ONCE]}))
        answer = conn.getresponse()
        said = answer.read()
        conn.close()
        if answer.status != 200:
            raise NotComparable(f"a purge got {answer.status}: {said[:100]}")


def with_purges(context):
    """Half are patterns, a quarter exact URLs, a quarter inner wildcards: none of what is asked for."""
    ours(context)
    kinds = ("/old/{}/*", "/old/{}.html", "/img/{}/*", "/blog/{}/*/comments")
    with context.with_own(Setup(), "small") as small, context.with_own(Setup(), "large") as large:
        must_hit(context.origin, f"http://127.0.0.1:{large.port}/1k", context.origin.body("1k"))
        purge(large, [kinds[n % 4].format(n) for n in range(PURGES)])
        return side_by_side(context, small, large)


METRICS = (Metric("times", "times the CPU of a hit", (at_most(1.3),)), Metric("small", "CPU ms per 1,000 requests, little"),
           Metric("large", "CPU ms per 1,000 requests, much"))
ALL = [Scenario("grow-routes", grown(routes=ROUTES), METRICS), Scenario("grow-sites", grown(sites=SITES), METRICS),
       Scenario("grow-purges", with_purges, METRICS)]
