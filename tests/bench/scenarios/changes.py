"""What an operator does to a node that serves: purges, and reloads of its configuration, while clients go on asking;
and a second worker."""

import http.client
import threading
import time

import load
import stats
from check import NotComparable, judge_load, must_hit
from loaded import cpu, url
from origin import SIZES
from peers.peer import CORE, Setup
from row import CPU, Metric, Scenario, at_most

PURGED, EACH_MS = 400, 10  # objects that are stored for it; pause between two purges
RELOADS = 3
CLIENTS, CLIENT_RATE = 16, 40  # of the load by which reloads are watched: clients, requests a second of each


def answer_to(port, method, path, body=None, host=None):
    """(status, milliseconds) on a connection of its own, as a tool of an operator would."""
    status, _, ms = told_by(port, method, path, body, host)
    return status, ms


def told_by(port, method, path, body=None, host=None):
    """(status, body, milliseconds)"""
    began = time.monotonic()
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        conn.request(method, path, body=body, headers={"Host": host} if host else {})
        reply = conn.getresponse()
        said = reply.read()
        return reply.status, said, 1000 * (time.monotonic() - began)
    finally:
        conn.close()


def purge(context):
    """A third of the time hits alone, a third while other URLs are purged one by one, a third again hits alone."""
    peer, origin = context.peer, context.origin
    if peer.cannot_purge:
        raise NotComparable(peer.cannot_purge)
    address = url(peer, "/1k", "h1")
    must_hit(origin, address, origin.body("1k"))
    for n in range(1, PURGED + 1):
        answer_to(peer.port, "GET", f"/object/{n}", host=f"127.0.0.1:{peer.port}")
    rate = context.generator.wrk(address, 1).rate / 2
    third = max(1.0, context.seconds / 2)
    running = context.generator.start_steady(address, "h1", rate, 3 * third + 0.5, context.log())
    time.sleep(third + 0.3)
    took, begin = [], time.time()
    for n in range(1, PURGED + 1):
        if time.time() - begin > third:
            break
        status, ms = answer_to(*peer.purge_request(f"/object/{n}"))
        if status != 200:
            raise NotComparable(f"status {status} to a purge")
        took.append(ms)
        time.sleep(EACH_MS / 1000)
    end = time.time()
    steady = context.generator.finish_steady(*running)
    judge_load(steady.load, 0, size=SIZES["1k"], hits=None)
    still_there(peer, origin, len(took))
    p99 = [steady.percentiles((0.99,), 1e6 * a, 1e6 * b)[0] for a, b in ((0, begin), (begin, end), (end, 1e12))]
    return {"purge_ms": stats.median(took), "p99_during": p99[1], "p99_before": p99[0], "p99_after": p99[2]}


def still_there(peer, origin, count):
    """Purges took effect: what was purged is asked for anew."""
    asked = origin.requests()
    for n in range(1, count + 1):
        answer_to(peer.port, "GET", f"/object/{n}", host=f"127.0.0.1:{peer.port}")
    if origin.requests() - asked != count:
        raise NotComparable(f"{count - (origin.requests() - asked)} of {count} purged objects were served still")


class Watcher:
    """One client that asks at its own beat over a connection that it keeps. When that closes before an answer begins,
    it asks once more on a new one, as browsers do; what fails then is an error."""

    def __init__(self, port, body, rate, until):
        self.port, self.body, self.rate, self.until = port, body, rate, until
        self.waits, self.errors, self.retried, self.why = [], 0, 0, ""
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _ask(self, conn):
        conn.request("GET", "/1k", headers={"Host": f"127.0.0.1:{self.port}"})
        reply = conn.getresponse()
        if reply.read() != self.body or reply.status != 200:
            raise http.client.HTTPException(f"status {reply.status} or a wrong body")

    def _run(self):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        due = time.time()
        while due < self.until:
            time.sleep(max(0.0, due - time.time()))
            for attempt in (1, 2):
                try:
                    self._ask(conn)
                    self.waits.append((due, 1000 * (time.time() - due)))  # from when it was to be sent
                    break
                except (OSError, http.client.HTTPException) as why:
                    conn.close()
                    closed = isinstance(why, (ConnectionError, http.client.CannotSendRequest))
                    if attempt == 1 and closed:
                        self.retried += 1
                    else:
                        self.errors, self.why = self.errors + 1, repr(why)
                        break
            due += 1 / self.rate
        conn.close()


def reload(context):
    """A third of the time as it is, a third with RELOADS reloads, a third again as it is."""
    if context.peer.cannot_reload:
        raise NotComparable(context.peer.cannot_reload)
    origin = context.origin
    with context.with_own(Setup(), "reload") as peer:
        must_hit(origin, url(peer, "/1k", "h1"), origin.body("1k"))
        third = max(2.0, context.seconds / 2)
        begin, asked = time.time(), origin.requests()
        clients = [Watcher(peer.port, origin.body("1k"), CLIENT_RATE, begin + 3 * third) for _ in range(CLIENTS)]
        for client in clients:
            client.thread.start()
        time.sleep(third)
        for _ in range(RELOADS):
            peer.reload()
            time.sleep(third / RELOADS)
        for client in clients:
            client.thread.join()
        asked = origin.requests() - asked
    waits = sorted(wait for client in clients for wait in client.waits)
    before = sorted(ms for due, ms in waits if due < begin + third)
    during = sorted(ms for due, ms in waits if begin + third <= due < begin + 2 * third)
    if len(before) < 100 or len(during) < 100:
        raise NotComparable(f"only {len(waits)} answers")
    errors = sum(client.errors for client in clients)
    if errors:
        context.notes.append(next(client.why for client in clients if client.errors))
    return {"errors": errors, "retried": sum(client.retried for client in clients), "origin_requests": asked,
            "p99_during": stats.percentile(during, 0.99), "p99_before": stats.percentile(before, 0.99)}


def workers(context):
    """The same load with one worker and with two, on both cores, where the load runs as well."""
    out = {}
    for count in (1, 2):
        with context.with_own(Setup(workers=count, cores=f"{CORE},{load.CORE}"), "workers") as peer:
            address = url(peer, "/1k", "h1")
            must_hit(context.origin, address, context.origin.body("1k"))
            out[count] = cpu(peer, context.origin, lambda: context.generator.wrk(address, context.seconds),
                             size=SIZES["1k"], hits=True)[0][CPU]
    return {"one": out[1], "two": out[2], "growth": out[2] / out[1]}


ALL = [Scenario("purge", purge,
                (Metric("purge_ms", "ms for a purge"), Metric("p99_during", "ms, p99 of hits during purges"),
                 Metric("p99_before", "ms, p99 of hits before"), Metric("p99_after", "ms, p99 of hits after"))),
       Scenario("reload", reload,
                (Metric("errors", "failed requests", (at_most(0),)), Metric("retried", "retried requests"),
                 Metric("origin_requests", "origin requests"), Metric("p99_during", "ms, p99 during reloads"),
                 Metric("p99_before", "ms, p99 before"))),
       Scenario("workers", workers,
                (Metric("growth", "times, CPU a request by 2 workers"), Metric("one", "CPU ms per 1,000, 1 worker"),
                 Metric("two", "CPU ms per 1,000, 2 workers")))]
