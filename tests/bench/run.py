"""Measures Verge beside its peers, in turn, in one run; prints a table and writes JSON. See README.md beside this."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import gated
import peers
from origin import Origin
from others import OTHERS
from scenarios import SCENARIOS, NotComparable

SCENARIOS |= gated.SCENARIOS
ALL = peers.ALL | {peer.name: peer for peer in OTHERS}
NO_CACHE = "h2o"  # the reference of what a lean server can do, not a peer
METRICS = {"idle-tls": [("kb_per_connection", "KB a connection")], "slow-readers": [("grown_mb", "MB grown")],
           "seek-1g": [("first_byte_ms", "ms to the first octet"), ("cpu_ms", "CPU ms a seek"),
                       ("origin_mb", "MiB from the origin")],
           **gated.METRICS}
DEFAULT_METRICS = [("cpu_ms_per_1000", "CPU ms per 1,000 requests")]


def certificate(directory):
    paths = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", paths[1], "-out", paths[0], "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return paths


def measure(options, directory):
    cert, key = certificate(directory)
    origin_port = peers.free_port()
    origin = Origin(directory, origin_port)
    results = {name: {peer: [] for peer in options.peers} for name in options.scenarios}
    try:
        for turn in range(options.rounds):
            for peer_name in options.peers:
                peer = ALL[peer_name](directory, cert, key, origin_port)
                peer.start()
                try:
                    for name in options.scenarios:
                        print(f"\rround {turn + 1}/{options.rounds}  {peer_name:12} {name:20}", end="", file=sys.stderr)
                        try:
                            results[name][peer_name].append(SCENARIOS[name](peer, origin, options.seconds))
                        except NotComparable as why:
                            print(f"\n{peer_name} {name}: not compared: {why}", file=sys.stderr)
                finally:
                    peer.stop()
    finally:
        origin.stop()
        print(file=sys.stderr)
    return results


def ratio(ours, theirs, of):
    by = statistics.median(theirs)
    if by <= 0:
        return "-" + of
    each = [a / b for a, b in zip(ours, theirs) if b > 0]
    spread = f" ({min(each):.2f}..{max(each):.2f})" if each else ""
    return f"{statistics.median(ours) / by:.2f}{of}{spread}"


def table(options, results):
    caches = [p for p in options.peers if not p.startswith("verge") and p != NO_CACHE]
    print(f"{'scenario':20} {'unit':26}" + "".join(f"{p:>12}" for p in options.peers) + "   verge / best cache (min..max), / h2o")
    rows = [(name, *metric) for name in options.scenarios for metric in METRICS.get(name, DEFAULT_METRICS)]
    for name, metric, unit in rows:
        values = {p: [r[metric] for r in results[name][p]] for p in options.peers}
        row = f"{name:20} {unit:26}"
        for p in options.peers:
            row += f"{statistics.median(values[p]):12.1f}" if values[p] else f"{'-':>12}"
        with_values = [p for p in caches if values[p]]
        if values.get("verge") and with_values:
            best = min(with_values, key=lambda p: statistics.median(values[p]))
            row += "   " + ratio(values["verge"], values[best], f" of {best}")
        if values.get("verge") and values.get(NO_CACHE):
            row += "   " + ratio(values["verge"], values[NO_CACHE], f" of {NO_CACHE}")
        print(row)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns for each peer (3)")
    parser.add_argument("--seconds", type=int, default=4, help="of load for each scenario (4)")
    parser.add_argument("--peers", default=",".join(ALL), help="of " + " ".join(ALL))
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="of " + " ".join(SCENARIOS) + "; a prefix takes all")
    parser.add_argument("--json", help="also write every figure to this file")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    wanted = options.scenarios.split(",")
    options.scenarios = [s for s in SCENARIOS if any(s == w or s.startswith(w) for w in wanted)]
    for name in options.peers:
        if name not in ALL:
            parser.error(f"unknown peer {name}; known: {' '.join(ALL)}")
        if missing := ALL[name].missing():
            parser.error(f"{name} needs {', '.join(missing)}")
    if not options.scenarios:
        parser.error("no scenario of that name")
    with tempfile.TemporaryDirectory(prefix="verge-bench-") as directory:
        results = measure(options, directory)
    table(options, results)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"rounds": options.rounds, "seconds": options.seconds, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
