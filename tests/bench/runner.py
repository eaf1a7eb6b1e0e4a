"""Runs every peer in turn, round by round, and collects what each scenario gave or why it gave nothing."""

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
    reasons of the rounds that have none; `notes` what figures lack."""
    figures: dict
    refused: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)

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
    """`options`: rounds, seconds, latency, peers (names) and scenarios (of them)."""
    (certificate, key), client_ca, client = certificates.make(directory)
    site = Site(directory, certificate, key, client_ca, free_port())
    results = Results({s.name: {peer: [] for peer in options.peers} for s in options.scenarios})
    total, done = options.rounds * len(options.peers) * len(options.scenarios), 0

    def progress(peer, scenario):
        say(f"round {turn + 1}/{options.rounds}  {done / total:4.0%}  {peer:13} {scenario}")

    origin = Origin(directory, site.origin_port)
    try:
        for turn in range(options.rounds):
            for name in options.peers:
                peer = peers.ALL[name](site)
                try:
                    peer.start()
                    context = Context(peer, origin, options.seconds, client, options.latency)
                    try:
                        run_peer(results, context, options.scenarios, turn, progress)
                    finally:
                        context.close()
                except RuntimeError as why:
                    for scenario in options.scenarios:
                        remember(results.refused, scenario.name, name, str(why))
                        results.figures[scenario.name][name].append(None)
                finally:
                    peer.discard()
                done += len(options.scenarios)
    finally:
        origin.stop()
        if sys.stderr.isatty():
            print(file=sys.stderr)
    return results
