"""Pure arithmetic on figures: percentiles, the correction for requests that were not sent while one was waited for,
ratios paired round by round, and whether a goal is met. No I/O."""

import math
import statistics
from dataclasses import dataclass


def percentile(ordered, share):
    """The smallest value of the sorted list `ordered` that at least `share` (0 to 1) of all values do not exceed."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def corrected(latencies, interval):
    """Adds the waits of requests that a connection should have sent while it still waited for an answer.

    A connection sends one request each `interval`. One that waits longer than that sends the next too late, so the next
    looks quicker than it was for who wanted it (coordinated omission). For an answer that took w > interval, those
    requests would have waited w - interval, w - 2 intervals and so on. Same unit in and out; sorted."""
    if interval <= 0:
        raise ValueError("the interval must be positive")
    out = []
    for latency in latencies:
        out.append(latency)
        late = latency - interval
        while late >= interval:
            out.append(late)
            late -= interval
    return sorted(out)


def median(values):
    """Of the rounds that have a figure; None if none has."""
    there = [v for v in values if v is not None]
    return statistics.median(there) if there else None


@dataclass(frozen=True)
class Ratio:
    """Of two peers, paired round by round: the median of the rounds' ratios, the least and the largest of them."""
    middle: float
    least: float
    most: float
    of: str


def ratio(ours, theirs, of):
    """Rounds that lack a figure on either side are left out; None if no round has both. Nothing is a fraction of 0:
    there the ratio is 1 if both are 0, else without limit."""
    each = []
    for a, b in zip(ours, theirs):
        if a is None or b is None:
            continue
        each.append(a / b if b > 0 else 1.0 if a <= 0 else math.inf)
    if not each:
        return None
    return Ratio(statistics.median(each), min(each), max(each), of)


def best(figures, peers):
    """Which of `peers` has the least median; None if none has a figure."""
    there = [p for p in peers if median(figures.get(p, [])) is not None]
    return min(there, key=lambda p: median(figures[p])) if there else None
