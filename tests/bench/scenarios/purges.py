"""What a purge costs in a store of a million small entries: of one URL, of a tag on a tenth, of a prefix that half of
them have, of everything; and what clients that hit something else notice of it.

The four share one filled store; before each purge, all that it names is stored again."""

import json
import statistics
import time
from dataclasses import dataclass, field

from check import NotComparable, at_rest, judge_load, must_hit
from origin import MANY, TAG
from peers.peer import Peer, Setup
from row import Metric, Scenario, at_most
from scenarios.changes import told_by
from scenarios.store import ask_all, settle

COUNTS = {TAG: 100_000, "half": 500_000, "rest": 400_000}  # objects /many/SET/1 and so on
HOT = 50  # of `rest`: what clients hit meanwhile
PROBES = 50
TURNS = 3
BEFORE, DURING, AFTER = 2.0, 0.5, 2.0  # seconds of hits at half load; `during` begins with the purge
MEMORY, DISK = 3 << 30, 6 << 30


def path(name, n):
    return f"/many/{name}/{n}"


@dataclass
class Many:
    peer: Peer
    rate: float = 0.0  # half of what it can do
    stored: dict = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))  # how many of each set

    def refill(self, origin, names):
        for name in names:
            count = COUNTS[name]
            if self.stored[name] < count:
                ask_all(origin, self.peer, count, max(60, count // 500), f"/many/{name}/", self.stored[name])
                self.stored[name] = count


def hot(peer):
    return [f"http://127.0.0.1:{peer.port}{path('rest', n)}" for n in range(1, HOT + 1)]


def store(context):
    if "many" not in context.kept:
        peer = context.own(Setup(memory=MEMORY, disk=DISK, by_tag=True), "many")
        many = context.kept["many"] = Many(peer)
        many.refill(context.origin, COUNTS)
        settle(peer)
        must_hit(context.origin, hot(peer)[0], context.origin.many_body)
        many.rate = context.generator.wrk(hot(peer)[0], 1).rate / 2
    return context.kept["many"]


@dataclass(frozen=True)
class Kind:
    name: str
    sets: tuple  # that it names, wholly; none: one URL
    what: str = ""

    def request(self, peer, turn):
        return peer.purge_many_request(self.name, self.what) if self.sets else peer.purge_request(self.named(turn)[0])

    def named(self, turn):
        """Some of the paths that it names, over all of each set."""
        if not self.sets:
            return [path("rest", COUNTS["rest"] - turn)]
        return [path(name, n) for name in self.sets for n in spread(name)]

    def others(self):
        return [path(name, n) for name in COUNTS if name not in self.sets for n in spread(name)]


def spread(name):
    """Numbers over all of a set, none of them hot."""
    return range(HOT + 1, COUNTS[name] - TURNS, COUNTS[name] // PROBES)


def asked_for(peer, origin, paths):
    """How many of these the origin is asked for."""
    before = origin.requests()
    for one in paths:
        status, body, _ = told_by(peer.port, "GET", one, host=f"127.0.0.1:{peer.port}")
        if status != 200 or body != origin.many_body:
            raise NotComparable(f"status {status} or a wrong body for {one}")
    return origin.requests() - before


def node_ms(body):
    """From the command's arrival until no lookup finds what it names, as the peer itself tells; None: it does not."""
    try:
        return json.loads(body)["applied_us"] / 1000
    except (ValueError, LookupError, TypeError):
        return None


def once(context, many, kind, turn):
    """One purge of what is stored in full, amid hits at half load."""
    peer, origin = many.peer, context.origin
    many.refill(origin, kind.sets)
    settle(peer)
    named, others = kind.named(turn), kind.others()
    if missing := asked_for(peer, origin, named + others):
        raise NotComparable(f"{missing} of {len(named + others)} objects were not stored")
    asked = at_rest(origin)
    running = context.generator.start_steady(hot(peer), "h1", many.rate, BEFORE + DURING + AFTER, context.log())
    time.sleep(BEFORE)
    begin = time.time()
    status, body, ms = told_by(*kind.request(peer, turn))
    steady = context.generator.finish_steady(*running)
    if status != 200:
        raise NotComparable(f"status {status} to a purge")
    many.stored |= dict.fromkeys(kind.sets, 0)
    again = HOT if "rest" in kind.sets else 0  # hot objects that the purge named as well
    judge_load(steady.load, 0, size=MANY, hits=None)
    if (missed := at_rest(origin) - asked) != again:
        raise NotComparable(f"amid the purge the origin was asked {missed} times instead of {again}")
    if lost := asked_for(peer, origin, others):
        raise NotComparable(f"{lost} of {len(others)} objects went that the purge did not name")
    if (fresh := asked_for(peer, origin, named)) != len(named):
        raise NotComparable(f"{len(named) - fresh} of {len(named)} purged objects were served still")
    for name in kind.sets:  # and stored again
        many.stored[name] = len(spread(name)) + (again if name == "rest" else 0)
    end = begin + DURING
    p50, p99 = zip(*(steady.percentiles((0.5, 0.99), 1e6 * a, 1e6 * b)
                     for a, b in ((0, begin), (begin, end), (end, 1e12))))
    return {"node_ms": node_ms(body), "call_ms": ms, "p99_during_times": p99[1] / p99[0],
            "p99_after_times": p99[2] / p99[0],
            "p50_before": p50[0], "p50_during": p50[1], "p50_after": p50[2],
            "p99_before": p99[0], "p99_during": p99[1], "p99_after": p99[2]}


def purging(kind):
    def measure(context):
        if context.peer.cannot_purge:
            raise NotComparable(context.peer.cannot_purge)
        kind.request(context.peer, 0)  # or it says that it can't
        many = store(context)
        turns = [once(context, many, kind, turn) for turn in range(TURNS)]
        out = {key: statistics.median(turn[key] for turn in turns) for key in turns[0] if key != "node_ms"}
        told = [turn["node_ms"] for turn in turns]
        return out | {"node_ms": None if None in told else max(told)}
    return measure


METRICS = (Metric("node_ms", "ms of the node until nothing purged is served, the slowest", (at_most(1),)),
           Metric("call_ms", "ms for the whole call, with the disk's sync"),
           Metric("p99_during_times", "times the p99 of before, meanwhile", (at_most(1.2),)),
           Metric("p99_after_times", "times the p99 of before, after it", (at_most(1.2),)),
           *(Metric(f"{share}_{when}", f"ms, {share} of hits {when}")
             for share in ("p50", "p99") for when in ("before", "during", "after")))
KINDS = (Kind("url", ()), Kind("tag", (TAG,), TAG), Kind("prefix", ("half",), "/many/half/"),
         Kind("all", tuple(COUNTS)))
ALL = [Scenario(f"purge-1m-{kind.name}", purging(kind), METRICS, once=True) for kind in KINDS]
