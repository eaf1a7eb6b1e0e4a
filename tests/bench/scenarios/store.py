"""A store that is filled with many objects of 4 KB: what storing one costs, random hits over them, hits from disk where
the set is larger than the memory, and how it comes back after a stop and after kill -9.

Scenarios of one peer and round share a filled store; whichever comes first fills it."""

import os
import signal
import socket
import time
from dataclasses import dataclass

import load
from check import NotComparable, must_serve
from loaded import cpu
from origin import SIZES
from peers.peer import MIB, PATIENCE, Peer, Setup
from row import CPU, DISK_CACHES, Metric, Scenario, at_most, load_metrics, of_best, of_row

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "objects.lua")
SIZE = SIZES["4k"]
FEW_MIB = 16  # of memory for bodies, where the set is to be larger than that
SYNC_SECONDS = 12  # before a stop: a store may write its directory that late (Traffic Server is set to 10)
TOLERATED = 0.001  # of the objects: HAProxy files them under 32 bits, and of two that collide it keeps one
PROBES = 50  # objects whose octets are looked at


@dataclass
class Filled:
    peer: Peer
    count: int
    figures: dict


def objects(context, peer, order, count, seconds):
    return context.generator.wrk(f"http://127.0.0.1:{peer.port}/", seconds, script=SCRIPT,
                                 arguments=["--", order, str(count)])


def ask_all(origin, peer, count, patience, prefix="/object/", stored=0):
    """Asks for each object once, in order, and stops wrk when as many were asked of the peer's origin, but for those
    `stored` before, or `patience` is over. Returns the seconds it took."""
    objects_of, count = count, count - stored
    asked, began = origin.requests(), time.monotonic()
    process = load.start(["wrk", "-t1", f"-c{load.CONNECTIONS}", f"-d{patience}s", "--timeout", "60s", "-s", SCRIPT,
                          f"http://127.0.0.1:{peer.port}/", "--", "each", str(objects_of), prefix])
    while origin.requests() - asked < count and time.monotonic() - began < patience:
        if process.poll() is not None:
            raise NotComparable(f"wrk ended early: {process.stdout.read()[-200:]}")
        time.sleep(0.02)
    took = time.monotonic() - began
    time.sleep(0.2)  # the last answers are on their way
    process.send_signal(signal.SIGINT)
    seen = load.read_wrk(load.finish(process), load.CONNECTIONS)
    if seen.errors:
        raise NotComparable(f"{seen.errors} of {seen.requests} requests failed")
    if origin.requests() - asked < count:
        raise NotComparable(f"only {origin.requests() - asked} of {count} were fetched in {patience} s")
    if origin.requests() - asked > 1.01 * count:
        raise NotComparable(f"the origin was asked {origin.requests() - asked} times for {count} objects")
    return took


def ask_each(context, peer, count):
    """Asks for each object at least once, as hits."""
    seconds = max(2, count // 10_000)
    for _ in range(4):
        done = objects(context, peer, "each", count, seconds)
        if done.errors:
            raise NotComparable(f"{done.errors} of {done.requests} requests failed")
        if done.requests >= count + load.CONNECTIONS:
            return
        seconds *= 2
    raise NotComparable(f"only {done.requests} of {count} objects were served in {seconds // 2} s")


def fill(context, name, setup, count):
    peer = context.own(setup, name)
    try:
        memory, disk, spent = peer.memory_kb(), peer.disk_octets(), peer.cpu_seconds()
        took = ask_all(context.origin, peer, count, patience=max(60, count // 500))
        settle(peer)
        spent = peer.cpu_seconds() - spent
        kept = min(setup.memory, count * SIZE) if setup.disk_only and peer.holds_hot_in_memory else 0
        figures = {CPU: 1e6 * spent / count, "fill_seconds": took,
                   "memory_per_object": (1024 * (peer.memory_kb() - memory) - kept) / count,
                   "disk_per_object": (peer.disk_octets() - disk) / count if disk is not None else None}
    except BaseException:
        peer.discard()
        raise
    context.kept[name] = Filled(peer, count, figures)
    return context.kept[name]


def settle(peer):
    """Waits until it has no more to write: its processes stand still for half a second."""
    until = time.monotonic() + 30
    before = peer.cpu_seconds()
    while time.monotonic() < until:
        time.sleep(0.5)
        now = peer.cpu_seconds()
        if now - before < 0.02:
            return
        before = now


def filled(context, kind, count):
    """A peer with `count` objects stored; `kind` disk: with memory for few of them, ram: with memory for all."""
    name = f"{kind}-{count}"
    if name not in context.kept:
        on_disk = kind == "disk" and not context.peer.cannot_disk
        memory = FEW_MIB * MIB if on_disk else max(1 << 30, count * 6_000)
        fill(context, name, Setup(memory=memory, disk=max(4 << 30, count * 12_000), disk_only=on_disk), count)
    return context.kept[name]


def probe(context, peer, count):
    """A few objects over the whole set are what the origin has."""
    body = context.origin.body("4k")
    for n in range(1, count + 1, count // PROBES):
        must_serve(f"http://127.0.0.1:{peer.port}/object/{n}", body)


def filling(count):
    def measure(context):
        if not context.peer.is_cache:
            raise NotComparable(context.peer.cannot_disk)
        store = filled(context, "disk", count)
        probe(context, store.peer, count)
        return store.figures
    return measure


def random_hits(kind, order, count):
    def measure(context):
        if not context.peer.is_cache:
            raise NotComparable(context.peer.cannot_disk)
        if kind == "disk" and context.peer.cannot_disk:
            raise NotComparable(context.peer.cannot_disk)
        peer = filled(context, kind, count).peer
        probe(context, peer, count)
        asked = context.origin.requests()
        ask_each(context, peer, count)  # all that belongs in memory is there
        lost = context.origin.requests() - asked
        if lost > TOLERATED * count:
            raise NotComparable(f"{lost} of its objects were not stored")
        if lost:
            context.notes.append(f"{lost} of its objects were not stored")
        return cpu(peer, context.origin, lambda: objects(context, peer, order, count, context.seconds), size=SIZE,
                   hits=True, tolerated=TOLERATED if lost else 0)[0]
    return measure


def get(peer, path):
    """(whether the status is 200, the body) by a connection of its own."""
    with socket.create_connection(("127.0.0.1", peer.port), timeout=5) as conn:
        conn.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while part := conn.recv(1 << 16):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 200"), body


def first_hit(peer, origin, objects_of):
    """Seconds from launching it to the end of the first right answer that did not come from the origin. Asks for
    another of the (path, body) each time: a miss stores it."""
    began = time.monotonic()
    peer.launch()
    answers = 0
    for path, body in objects_of:
        while time.monotonic() - began < PATIENCE:
            asked = origin.requests()
            try:
                well, got = get(peer, path)
            except OSError:
                time.sleep(0.002)
                continue
            took = time.monotonic() - began
            answers += 1
            if well and got == body and origin.requests() == asked:
                return took
            break
    raise NotComparable(f"no hit after its start, in {answers} answers")


def restart(how, count):
    def measure(context):
        if context.peer.cannot_keep:
            raise NotComparable(context.peer.cannot_keep)
        peer = filled(context, "disk", count).peer
        settle(peer)
        time.sleep(SYNC_SECONDS)
        (peer.stop if how == "stop" else peer.kill)()
        asked = context.origin.requests()
        body = context.origin.body("4k")
        took = first_hit(peer, context.origin, ((f"/object/{n}", body) for n in range(1, count, 2)))
        probe(context, peer, count)
        ask_each(context, peer, count)
        lost = context.origin.requests() - asked
        if lost:  # the next one shall find a full store
            context.drop(f"disk-{count}")
        return {"first_hit_s": took, "kept_percent": 100 * (1 - lost / count)}
    return measure


def all_of(count, label, once, first_hit_goal):
    start = (Metric("first_hit_s", "s from start to first hit", (at_most(first_hit_goal),)),
             Metric("kept_percent", "% of the objects still hit", (), False))
    fills = (Metric(CPU, "CPU ms per 1,000 objects", (of_best(0.8, DISK_CACHES),)), Metric("fill_seconds", "s for all"),
             Metric("memory_per_object", "octets of memory an object", (at_most(150),)),
             Metric("disk_per_object", "octets of disk an object", (at_most(4_500),)))
    hits = load_metrics(of_best(0.8, DISK_CACHES), of_best(1.1, ("haproxy",)))[:2]
    return [Scenario(f"fill-{label}", filling(count), fills, once),
            Scenario(f"random-disk-{label}", random_hits("disk", "uniform", count),
                     load_metrics(of_row(1.5, f"random-uniform-{label}"), of_best(0.8, DISK_CACHES))[:2], once),
            Scenario(f"restart-{label}", restart("stop", count), start, once),
            Scenario(f"restart-killed-{label}", restart("kill", count), start, once),
            Scenario(f"random-uniform-{label}", random_hits("ram", "uniform", count), hits, once),
            Scenario(f"random-zipf-{label}", random_hits("ram", "zipf", count), hits, once)]


ALL = all_of(100_000, "100k", False, 0.1) + all_of(1_000_000, "1m", True, 2.0)
