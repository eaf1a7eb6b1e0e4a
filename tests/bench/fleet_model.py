"""What a node and a fleet would carry, worked out from measured costs. Pure: numbers in, numbers out.

Caches are worked out by Che's approximation (Che, Tung, Wang 2002: an object is held if it was asked for within one
characteristic time, the same for all), for LRU, which the RAM tier never falls below (hit_ratio.cc). Loops are queues of
their own: a connection stays on the loop that took it. All rates are per second, all costs in CPU seconds of one core.
"""

import bisect
import dataclasses
import heapq
import math
import random
import statistics

SIZES = {"1k": 1000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}


class MissingCost(Exception):
    """The measurements lack a row that the model needs."""


@dataclasses.dataclass(frozen=True)
class Workload:
    """Who asks for what. `zipf`: popularity of the n-th object falls as n^-zipf."""
    objects: int = 5_000_000
    zipf: float = 0.9
    median_bytes: float = 12_000.0
    sigma: float = 1.5           # of the sizes' logarithm
    most_bytes: float = 10e6
    passed: float = 0.10         # of the requests are never cacheable (an API's answers)
    conditional: float = 0.10    # of the hits are answered 304
    lifetime: float = 3600.0     # seconds a response stays fresh
    h2: float = 0.8              # of the requests; the others TLS HTTP/1.1
    requests_per_connection: float = 12.0
    resumed: float = 0.5         # of the connections
    connection_seconds: float = 75.0


@dataclasses.dataclass(frozen=True)
class Machine:
    cores: int = 64
    memory_bytes: float = 256e9
    network_bits: float = 25e9
    disk_bytes: float = 4e12
    disk_write_bytes: float = 1e9  # a second
    keep_free: float = 0.3         # of each resource, for bursts


@dataclasses.dataclass(frozen=True)
class Costs:
    """Measured, in CPU seconds of one core unless said otherwise. hit and miss: by protocol, (octets, seconds) rising."""
    hit: dict
    miss: dict
    not_modified: float
    handshake_full: float
    handshake_resumed: float
    idle_bytes: float          # memory of an idle TLS connection
    disk_hit_factor: float     # a hit from the disk tier against one from RAM
    store_seconds: float       # of the one writing thread, for each object stored
    store_byte_seconds: float  # of the one writing thread, for each octet stored
    entry_bytes: float         # memory for each object on disk
    contention: float          # CPU per request with 2 workers / with 1, less 1


def median_of(rows, scenario, metric="cpu_ms_per_1000", peer="verge"):
    for row in rows:
        if (row["scenario"], row["metric"]) == (scenario, metric) and row["median"].get(peer) is not None:
            return row["median"][peer]
    raise MissingCost(f"no {metric} of {scenario} for {peer}: measure it with --scenarios {scenario} --json")


def costs_from(results, extra):
    """Of the rows that tests/bench/run --json wrote; `extra` has what its scenarios do not measure, by Costs' names."""
    ms = 1e-6  # CPU ms per 1,000 requests -> seconds a request

    def curve(kind, sizes, protocol):
        return tuple((SIZES[s], median_of(results, f"{kind}-{s}-{protocol}") * ms) for s in sizes)
    return Costs(hit={p: curve("hit", SIZES, p) for p in ("tls-h1", "tls-h2")},
                 miss={p: curve("miss", ("1k", "100k"), "tls-h1") for p in ("tls-h1", "tls-h2")},
                 not_modified=median_of(results, "304-h1") * ms,
                 handshake_full=median_of(results, "handshake-full") * ms,
                 handshake_resumed=median_of(results, "handshake-resumed") * ms,
                 idle_bytes=median_of(results, "idle-tls", "kb_per_connection") * 1024, **extra)


def interpolate(curve, octets):
    """Along the measured points; beyond the last one at its slope, below the first one flat."""
    xs = [x for x, _ in curve]
    if octets <= xs[0]:
        return curve[0][1]
    at = min(bisect.bisect_left(xs, octets), len(xs) - 1)
    (x0, y0), (x1, y1) = curve[at - 1], curve[at]
    return y0 + (y1 - y0) * (octets - x0) / (x1 - x0)


@dataclasses.dataclass(frozen=True)
class Bin:
    """Neighbours in popularity, taken as alike: how many, and how likely a request is for one of them."""
    count: float
    each: float


def zipf_bins(objects, exponent, bins=400):
    edges = sorted({round(math.exp(math.log(objects + 1) * i / bins)) for i in range(bins + 1)} | {1, objects + 1})
    mass = [sum(n ** -exponent for n in range(a, b)) if b - a < 50 else
            ((b - 0.5) ** (1 - exponent) - (a - 0.5) ** (1 - exponent)) / (1 - exponent) if exponent != 1 else
            math.log((b - 0.5) / (a - 0.5)) for a, b in zip(edges, edges[1:])]
    total = sum(mass)
    return [Bin(b - a, m / total / (b - a)) for (a, b), m in zip(zip(edges, edges[1:]), mass)]


def held_after(bins, requests):
    """Expected number of different objects among so many requests."""
    return sum(b.count * -math.expm1(-b.each * requests) for b in bins)


def characteristic(bins, room):
    """Requests within which an object must be asked for again to be found in a cache of `room` objects; inf: all fit."""
    if room >= sum(b.count for b in bins):
        return math.inf
    low, high = 0.0, 1.0
    while held_after(bins, high) < room:
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if held_after(bins, middle) < room else (low, middle)
    return high


def found(bins, room):
    """Share of requests that such a cache answers, by Che."""
    window = characteristic(bins, room)
    if math.isinf(window):
        return 1.0
    return sum(b.count * b.each * -math.expm1(-b.each * window) for b in bins)


def fresh_and_found(bins, room, rate, lifetime):
    """Shares of requests at `rate`: (found and fresh, found but to be validated)."""
    window = characteristic(bins, room)
    fresh = stale = 0.0
    for b in bins:
        held = 1.0 if math.isinf(window) else -math.expm1(-b.each * window)
        asked = b.each * rate * lifetime
        share = b.count * b.each * held
        fresh += share * asked / (1 + asked)
        stale += share / (1 + asked)
    return fresh, stale


def size_points(work, points=15):
    """Sizes that stand for equal shares of the requests."""
    normal = statistics.NormalDist()
    return [min(work.median_bytes * math.exp(work.sigma * normal.inv_cdf((i + 0.5) / points)), work.most_bytes)
            for i in range(points)]


def cpu_per_request(costs, work, shares):
    """Of the loops; `shares`: (ram, disk, validated, missed) of the cacheable requests."""
    ram, disk, validated, missed = shares
    total = 0.0
    sizes = size_points(work)
    for protocol, of in (("tls-h2", work.h2), ("tls-h1", 1 - work.h2)):
        hit = statistics.fmean(interpolate(costs.hit[protocol], s) for s in sizes)
        miss = statistics.fmean(interpolate(costs.miss[protocol], s) for s in sizes)
        small = costs.miss[protocol][0][1]
        whole = hit * (1 - work.conditional) + costs.not_modified * work.conditional
        cached = (ram + disk * costs.disk_hit_factor) * whole + validated * (small + hit) + missed * miss
        total += of * ((1 - work.passed) * cached + work.passed * small)
    handshake = work.resumed * costs.handshake_resumed + (1 - work.resumed) * costs.handshake_full
    return total + handshake / work.requests_per_connection


@dataclasses.dataclass
class NodeLoad:
    """A node at a rate: what each resource is used to, 1 being all of it."""
    rate: float
    used: dict
    shares: tuple       # ram, disk, validated, missed of the cacheable requests
    cpu_seconds: float  # a request, on the loops

    @property
    def first(self):
        return max(self.used, key=self.used.get)


def node_at(rate, costs, work, machine):
    bins = zipf_bins(work.objects, work.zipf)
    mean = statistics.fmean(size_points(work))
    connections = rate / work.requests_per_connection * work.connection_seconds
    on_disk = min(work.objects, machine.disk_bytes / (mean * 1.1))
    free = machine.memory_bytes * (1 - machine.keep_free) - connections * costs.idle_bytes - on_disk * costs.entry_bytes
    in_ram = max(0.0, free / mean)
    cacheable = rate * (1 - work.passed)
    ram = found(bins, in_ram)
    fresh, validated = fresh_and_found(bins, max(on_disk, in_ram), cacheable, work.lifetime)
    whole = fresh + validated
    ram = min(ram, whole) * fresh / whole if whole else 0.0
    missed = 1 - whole
    shares = (ram, fresh - ram, validated, missed)
    loops = machine.cores - 1  # one core is left to the writing thread, the readers and the kernel
    cpu = cpu_per_request(costs, work, shares) * (1 + costs.contention * (loops - 1))
    stored = cacheable * missed
    answered = rate * mean * (1 - work.conditional)
    limit = 1 - machine.keep_free
    used = {"cpu of the loops": rate * cpu / (loops * limit),
            "the writing thread": stored * (costs.store_seconds + mean * costs.store_byte_seconds) / limit,
            "network out": answered * 8 / (machine.network_bits * limit),
            "network in": rate * mean * (work.passed + (1 - work.passed) * missed) * 8 / (machine.network_bits * limit),
            "disk writes": stored * mean * 1.1 / (machine.disk_write_bytes * limit),
            "memory": (connections * costs.idle_bytes + on_disk * costs.entry_bytes) / (machine.memory_bytes * limit)}
    return NodeLoad(rate, used, shares, cpu)


def node_capacity(costs, work, machine):
    """The highest rate at which nothing is used beyond what is to be kept free."""
    low, high = 0.0, 1000.0
    while max(node_at(high, costs, work, machine).used.values()) < 1:
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if max(node_at(middle, costs, work, machine).used.values()) < 1 else (low, middle)
    return node_at(low, costs, work, machine)


def imbalance(connections, loops, seed, tail=1.5, rounds=20):
    """The busiest loop's load / the mean, when connections of very different rates (Pareto) fall on loops by chance."""
    dice = random.Random(seed)
    seen = []
    for _ in range(rounds):
        load = [0.0] * loops
        for _ in range(connections):
            load[dice.randrange(loops)] += min(dice.paretovariate(tail), 1000.0)
        seen.append(max(load) * loops / sum(load))
    return statistics.fmean(seen)


def waiting(utilisation, service, seed, requests=200_000):
    """Seconds from arrival to answer on one loop, by simulation of its queue: (median, p99). `service`: drawn from."""
    dice = random.Random(seed)
    mean = statistics.fmean(service)
    wait, out = 0.0, []
    for _ in range(requests):
        spent = dice.choice(service)
        out.append(wait + spent)
        wait = max(0.0, wait + spent - dice.expovariate(utilisation / mean))
    out.sort()
    return out[len(out) // 2], out[len(out) * 99 // 100]


@dataclasses.dataclass
class Place:
    weight: float  # of all users
    offset: float  # hours from UTC
    nodes: int = 0

    def share(self, hour):
        """Of the fleet's mean load, at an hour UTC: busiest at 20 o'clock local time, a quarter of that at 8."""
        return self.weight * (1 + 0.6 * math.cos((hour + self.offset - 20) * math.pi / 12))


def fleet(places, nodes, seed):
    """Places of uneven size around the world, their nodes by size, at least two each."""
    if nodes < 2 * places:
        raise ValueError(f"{places} places want at least {2 * places} nodes")
    dice = random.Random(seed)
    out = [Place((n + 1) ** -0.7, dice.choice((-8, -6, -5, -3, 0, 1, 2, 3, 5.5, 8, 9, 10))) for n in range(places)]
    total = sum(p.weight for p in out)
    for p in out:
        p.weight /= total
        p.nodes = 2
    heap = [(-p.weight / p.nodes, n) for n, p in enumerate(out)]
    heapq.heapify(heap)
    for _ in range(nodes - 2 * places):
        _, n = heapq.heappop(heap)
        out[n].nodes += 1
        heapq.heappush(heap, (-out[n].weight / out[n].nodes, n))
    return out


def fleet_capacity(places, node_rate):
    """(mean rate of the whole fleet over a day, the place that is full first, at which hour UTC)."""
    loads = [(p.share(hour) / p.nodes, n, hour) for n, p in enumerate(places) for hour in range(24)]
    worst, n, hour = max(loads)
    return node_rate / worst, n, hour


def after_purge(work, node_rate, nodes, seconds):
    """Requests a second that the origin gets from the whole fleet in each of the seconds after all was purged hard;
    a node asks once for each object (it collapses), nodes do not share."""
    bins = zipf_bins(work.objects, work.zipf)
    cacheable = node_rate * (1 - work.passed)
    new = [held_after(bins, cacheable * t) for t in range(seconds + 1)]
    return [nodes * (b - a + node_rate * work.passed) for a, b in zip(new, new[1:])]
