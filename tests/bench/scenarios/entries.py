"""What a hit costs in a store of ten million responses beside a small one, from memory and from disk, and how soon after a
start the first one comes. fill_store fills them through the cache's own interface: over HTTP it would take an hour."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys

from check import NotComparable, must_hit
from loaded import cpu
from peers.peer import CORE, MIB, Setup
from row import CPU, Metric, Scenario, at_most
from scenarios.growth import ours
from scenarios.store import SCRIPT, first_hit

FILL_STORE = os.path.abspath(os.environ.get("VERGE_FILL_STORE", "build/release/tests/bench/fill_store"))
MANY, SOME, FEW = 10_000_000, 100_000, 1_000
SIZE = 200  # octets of body
MAP_MIB, MEMORY_MIB = 16_384, 16  # so some fifth of SOME lie in memory
DISK_NEEDED = 8 << 30
PREFIX = "/objects/"
TURNS = 9


def body_of(n):
    """What fill_store stores under the n-th URL."""
    line = f"{n * 0x9e3779b97f4a7c15 % (1 << 64):016x}, and so on to the end of this\n"
    return (line * (SIZE // len(line) + 1))[:SIZE].encode()


@contextlib.contextmanager
def store_of(context, responses):
    """A peer that is not launched yet, with so many in its store."""
    peer = type(context.peer)(context.peer.site, Setup(memory=MEMORY_MIB * MIB, disk=MAP_MIB * MIB),
                              f"entries-{responses}/")
    try:
        peer.configure()
        fill = subprocess.run(["taskset", "-c", CORE, FILL_STORE, "fill", os.path.join(peer.directory, "cache"),
                               str(responses), str(SIZE), "--disk", str(MAP_MIB), "--host", f"127.0.0.1:{peer.port}"],
                              stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
        if fill.returncode != 0:
            raise NotComparable(f"fill_store ended with {fill.returncode}: {fill.stderr[-300:]}")
        yield peer
    finally:
        peer.discard()


def launch(context, peer, responses):
    """Seconds to the first hit; and one at each end and in the middle is right."""
    step = max(1, responses // 50)
    took = first_hit(peer, context.origin, ((f"{PREFIX}{n}", body_of(n)) for n in range(step, responses, step)))
    for n in (0, responses // 2, responses - 1):
        must_hit(context.origin, f"http://127.0.0.1:{peer.port}{PREFIX}{n}", body_of(n))
    return took


class Asked:
    """Hits of `count` objects of a peer that holds `responses`, all over it."""

    def __init__(self, context, peer, responses, count):
        self.context, self.peer, self.count = context, peer, count
        self.step = (responses - 1) // count or 1
        for _ in range(2):  # what is found on disk twice comes into memory, as far as there is room
            self.load("each", max(1, count // 10_000))

    def load(self, order, seconds):
        arguments = ["--", order, str(self.count - 1), PREFIX, str(self.step)]
        return cpu(self.peer, self.context.origin,
                   lambda: self.context.generator.wrk(f"http://127.0.0.1:{self.peer.port}/", seconds, script=SCRIPT,
                                                      arguments=arguments), size=SIZE, hits=True)[0][CPU]

    def hit(self):
        return self.load("uniform", 1)


def in_turn(little, much):
    turns = [(little.hit(), much.hit()) for _ in range(TURNS)]
    return [statistics.median(side) for side in zip(*turns)] + [statistics.median(b / a for a, b in turns)]


def entries(context):
    ours(context)
    if not os.access(FILL_STORE, os.X_OK):
        raise NotComparable(f"needs {FILL_STORE} (cmake --build build/release --target fill_store)")
    if (free := shutil.disk_usage(context.peer.site.directory).free) < DISK_NEEDED:
        raise NotComparable(f"needs {DISK_NEEDED >> 30} GiB of disk, {free >> 30} are free")
    with store_of(context, FEW) as few, store_of(context, SOME) as some, store_of(context, MANY) as many:
        launch(context, few, FEW)
        launch(context, some, SOME)
        figures = {"first_hit_s": launch(context, many, MANY)}
        for where, little, responses, count in (("memory", few, FEW, FEW), ("disk", some, SOME, SOME)):
            small, large, times = in_turn(Asked(context, little, responses, count), Asked(context, many, MANY, count))
            figures |= {f"{where}_small": small, f"{where}_large": large, f"{where}_times": times}
        return figures


ALL = [Scenario("grow-entries", entries,
                (Metric("memory_times", "times the CPU of a hit from memory", (at_most(1.3),)),
                 Metric("memory_small", "CPU ms per 1,000, of 1,000 entries"),
                 Metric("memory_large", "CPU ms per 1,000, of 10,000,000"),
                 Metric("disk_times", "times the CPU of a hit from disk", (at_most(1.3),)),
                 Metric("disk_small", "CPU ms per 1,000, of 100,000 entries"),
                 Metric("disk_large", "CPU ms per 1,000, of 10,000,000"),
                 Metric("first_hit_s", "s from start to first hit", (at_most(2.0),))), once=True)]
