"""What the cache may not keep: misses over each protocol, and requests that pass through with a body."""

import os

from check import must_serve
from loaded import cpu, curl_arguments, plain_load, url
from origin import SIZES
from row import Scenario, load_metrics, of_best

BEST_PROXY = ("nginx", "haproxy")
POST = ("wrk.method = 'POST'; wrk.body = string.rep('b', 1000)\n"
        "wrk.headers['Content-Type'] = 'application/octet-stream'\n")


def miss(size, protocol):
    def measure(context):
        path = f"/miss/x/{size}"
        must_serve(url(context.peer, path, protocol), context.origin.body(size), *curl_arguments(protocol))
        return plain_load(context, path, protocol, size=SIZES[size], hits=False)
    return measure


def passed(protocol):
    """POST of 1 KB, answered with 1 KB."""
    def measure(context):
        address = url(context.peer, "/pass/1k", protocol)
        must_serve(address, context.origin.pass_body, "-d", "b" * 1000)
        script = os.path.join(context.peer.site.directory, "post.lua")
        with open(script, "w") as file:
            file.write(POST)
        return cpu(context.peer, context.origin, lambda: context.generator.wrk(address, context.seconds, script=script),
                   size=len(context.origin.pass_body), hits=False)[0]
    return measure


ALL = [Scenario(f"miss-{size}-{protocol}", miss(size, protocol), load_metrics(of_best(1.0, BEST_PROXY)))
       for protocol in ("h1", "tls-h1", "tls-h2") for size in ("1k", "100k")]
ALL += [Scenario(f"pass-1k-{protocol}", passed(protocol), load_metrics(of_best(1.0, BEST_PROXY))[:2])
        for protocol in ("h1", "tls-h1")]
