"""Runs every peer in turn, round by round, and collects what each scenario gave or why it gave nothing."""

import contextlib
import signal
import sys
from dataclasses import dataclass, field

import certificates
import load
import peers
from check import NotComparable
from context import Context
from origin import Origin
from peers.peer import Site, free_port


@dataclass
class Results:
    """`figures[scenario][peer]` has for each round a dict by the metrics' keys, or None; `refused[scenario][peer]` the
    reasons of the rounds that have none; `notes` what figures lack; `stopped` where it ended before its time."""
    figures: dict
    refused: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    stopped: str = ""

    def of(self, scenario, key):
        """{peer: [figure or None for each round]}"""
        return {peer: [r.get(key) if r else None for r in rounds] for peer, rounds in self.figures[scenario].items()}


def remember(where, scenario, peer, text):
    texts = where.setdefault(scenario, {}).setdefault(peer, [])
    if text not in texts:
        texts.append(text)


def say(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def stoppable():
    """SIGTERM asks for what Ctrl-C does: an end, with the figures that are there by then."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_peer(results, context, scenarios, turn, progress):
    name = context.peer.name
    for scenario in scenarios:
        figures = None
        if not (scenario.once and turn > 0):
            progress(name, scenario.name)
            try:
                figures = scenario.run(context)
            except (NotComparable, load.LoadError, RuntimeError, OSError) as why:
                remember(results.refused, scenario.name, name, str(why).strip() or type(why).__name__)
            if how := context.peer.died():
                figures = None
                remember(results.refused, scenario.name, name, how)
                context.peer.stop()
                context.peer.start()
        for note in context.notes:
            remember(results.notes, scenario.name, name, note)
        context.notes.clear()
        results.figures[scenario.name][name].append(figures)


def measure(options, directory):
    """`options`: rounds, seconds, latency, peers (names) and scenarios (of them). Stopped by a signal, it gives what is
    measured by then: who was not yet asked has no figure in that round."""
    (certificate, key), client_ca, client = certificates.make(directory)
    site = Site(directory, certificate, key, client_ca, free_port())
    results = Results({s.name: {peer: [] for peer in options.peers} for s in options.scenarios})
    total, begun, at = options.rounds * len(options.peers) * len(options.scenarios), 0, "the beginning"

    def progress(peer, scenario):
        nonlocal begun, at
        at = f"round {turn + 1}/{options.rounds}, {peer}, {scenario}"
        say(f"round {turn + 1}/{options.rounds}  {begun / total:4.0%}  {peer:13} {scenario}")
        begun += 1

    origin = Origin(directory, site.origin_port)
    try:
        with stoppable():
            for turn in range(options.rounds):
                for name in options.peers:
                    measure_peer(results, peers.ALL[name](site), origin, client, options, turn, progress)
    except KeyboardInterrupt:
        results.stopped = at
        for rounds in (r for of in results.figures.values() for r in of.values()):
            rounds += [None] * (options.rounds - len(rounds))
    finally:
        origin.stop()
        if sys.stderr.isatty():
            print(file=sys.stderr)
    return results


def measure_peer(results, peer, origin, client, options, turn, progress):
    try:
        peer.start()
        context = Context(peer, origin, options.seconds, client, options.latency)
        try:
            run_peer(results, context, options.scenarios, turn, progress)
        except KeyboardInterrupt:
            load.end_all()  # or the peer would wait for its clients
            raise
        finally:
            context.close()
    except RuntimeError as why:
        for scenario in options.scenarios:
            remember(results.refused, scenario.name, peer.name, str(why))
            results.figures[scenario.name][peer.name].append(None)
    finally:
        peer.discard()
