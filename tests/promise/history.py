"""What happened in a run, and whether it keeps the promise: once a node has acknowledged an invalidation, no request that
begins after that gets from it a response which the origin produced before the invalidation was given. Pure.

Times are of one monotonic clock. A version counts up for each URL whenever its content changes.
"""

import bisect
import dataclasses


@dataclasses.dataclass(frozen=True)
class Response:
    node: int
    url: str
    version: int
    began: float  # before its request was sent
    ended: float


@dataclasses.dataclass
class Invalidation:
    """A hard one. `versions` is what each URL that it covers had when it was given: nothing older may follow."""
    name: str
    versions: dict
    given: float
    acknowledged: dict = dataclasses.field(default_factory=dict)  # node -> when


@dataclasses.dataclass(frozen=True)
class Violation:
    response: Response
    invalidation: Invalidation

    def __str__(self):
        r, i = self.response, self.invalidation
        return (f"node {r.node} answered {r.url} with version {r.version} to a request that began at {r.began:.6f}, though it "
                f"had acknowledged {i.name} at {i.acknowledged[r.node]:.6f}, when version {i.versions[r.url]} was there")


class Floor:
    """For one URL on one node: the least version that a request may get which begins at a time."""

    def __init__(self, invalidations):
        self.times, self.least = [], []
        highest, by = -1, None
        for when, version, invalidation in sorted(invalidations, key=lambda i: (i[0], i[1])):
            if version > highest:
                highest, by = version, invalidation
            self.times.append(when)
            self.least.append((highest, by))

    def at(self, began):
        """(version, the invalidation that asks for it); acknowledged at that very moment counts as not yet."""
        n = bisect.bisect_left(self.times, began)
        return self.least[n - 1] if n else (-1, None)


def violations(responses, invalidations):
    of = {}
    for i in invalidations:
        for node, when in i.acknowledged.items():
            for url, version in i.versions.items():
                of.setdefault((node, url), []).append((when, version, i))
    floors = {where: Floor(list_) for where, list_ in of.items()}
    out = []
    for r in responses:
        if (r.node, r.url) in floors:
            least, by = floors[r.node, r.url].at(r.began)
            if r.version < least:
                out.append(Violation(r, by))
    return out
