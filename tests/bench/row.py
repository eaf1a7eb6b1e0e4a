"""What a scenario is: how it is run, which figures it gives, and what each figure is held against. Lower is better in
all that has a goal."""

from dataclasses import dataclass
from typing import Callable

import stats

CACHES = ("nginx", "haproxy", "varnish", "trafficserver")
DISK_CACHES = ("nginx", "trafficserver")
LEAN = "h2o"  # has no cache: the reference of what a lean server can do
OURS = "verge"


@dataclass(frozen=True)
class Goal:
    """At most `most` times the best of `peers`; or times our own figure in the scenario `row`; or, with neither, at
    most `most` in the figure's own unit."""
    most: float
    peers: tuple = ()
    row: str = ""

    def __str__(self):
        if self.row:
            return f"at most {self.most:g} of {self.row}"
        if not self.peers:
            return f"at most {self.most:g}"
        name = {CACHES: "best cache", DISK_CACHES: "best disk cache"}.get(self.peers, " and ".join(self.peers))
        return f"at most {self.most:g} of {name}"


def of_best(most, peers=CACHES):
    return Goal(most, peers)


def of_lean(most):
    return Goal(most, (LEAN,))


def of_row(most, row):
    return Goal(most, row=row)


def at_most(most):
    return Goal(most)


@dataclass(frozen=True)
class Metric:
    key: str
    unit: str
    goals: tuple = ()
    lower_is_better: bool = True


@dataclass(frozen=True)
class Scenario:
    """`run(context)` gives a dict by the metrics' keys, or raises NotComparable. `once`: only in the first round."""
    name: str
    run: Callable
    metrics: tuple
    once: bool = False
    about: str = ""


@dataclass(frozen=True)
class Verdict:
    """How one goal came out. `met` is None where there is nothing to hold it against."""
    goal: Goal
    met: bool | None
    ratio: stats.Ratio | None = None


def judge(goal, figures, others=lambda row: {}):
    """`figures` is {peer: [a figure or None for each round]}; `others` gives the same of another scenario."""
    ours = figures.get(OURS, [])
    middle = stats.median(ours)
    if middle is None:
        return Verdict(goal, None)
    if goal.row:
        found = stats.ratio(ours, others(goal.row).get(OURS, []), goal.row)
        return Verdict(goal, found.middle <= goal.most, found) if found else Verdict(goal, None)
    if not goal.peers:
        return Verdict(goal, middle <= goal.most)
    against = stats.best(figures, goal.peers)
    if against is None:
        return Verdict(goal, None)
    found = stats.ratio(ours, figures[against], against)
    return Verdict(goal, found.middle <= goal.most, found) if found else Verdict(goal, None)


CPU = "cpu_ms_per_1000"


def load_metrics(*goals, p99=(), equal=None):
    """The figures of a scenario that is a load of requests; `equal`: requests a second that all are asked alike."""
    out = (Metric(CPU, "CPU ms per 1,000 requests", goals),
           Metric("requests_per_cpu_second", "requests per CPU second", (), False),
           Metric("p50_ms", "ms, p50 at half load"),
           Metric("p99_ms", "ms, p99 at half load", tuple(p99)),
           Metric("p999_ms", "ms, p99.9 at half load"))
    return out + ((Metric("p99_equal_ms", f"ms, p99 at {equal:,} requests/s", tuple(p99)),) if equal else ())
