"""Measures Verge beside its peers, in turn, in one run; prints a table and what became of the goals. See README.md."""

import argparse
import json
import os
import sys
import tempfile

import load
import peers
import report
import runner
import scenarios
import svg


def picked(parser, text, known, what):
    """The names in `known` that `text` lists; each word is a name or the beginning of some."""
    out = []
    for word in text.split(","):
        found = [word] if word in known else [name for name in known if name.startswith(word)]
        if not found:
            parser.error(f"unknown {what} {word}; known: {' '.join(known)}")
        out += [name for name in found if name not in out]
    return [name for name in known if name in out]


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns for each peer (3)")
    parser.add_argument("--seconds", type=int, default=4, help="of load for each figure (4)")
    parser.add_argument("--peers", default=",".join(peers.ALL), help="of " + " ".join(peers.ALL))
    parser.add_argument("--scenarios", default=",".join(scenarios.ALL),
                        help="of " + " ".join(scenarios.ALL) + "; the beginning of a name takes all that begin so")
    parser.add_argument("--no-latency", dest="latency", action="store_false", help="leave out the waits at half load")
    parser.add_argument("--json", help="write every figure of every round to this file")
    parser.add_argument("--svg", help="draw the medians into this file")
    parser.add_argument("--compare", metavar="JSON",
                        help="name the figures of verge above 1.1 times those of an earlier run")
    parser.add_argument("--check", action="store_true",
                        help="exit with 1 where a goal is missed or a figure became worse")
    options = parser.parse_args()
    options.peers = [p for p in options.peers.split(",")]
    for name in options.peers:
        if name not in peers.ALL:
            parser.error(f"unknown peer {name}; known: {' '.join(peers.ALL)}")
        if missing := peers.ALL[name].missing():
            parser.error(f"{name} needs {', '.join(missing)}")
    options.scenarios = [scenarios.ALL[name]
                         for name in picked(parser, options.scenarios, list(scenarios.ALL), "scenario")]
    return options


def main():
    options = arguments()
    os.sched_setaffinity(0, {int(load.CORE)})  # clients that are written here run where all load does
    earlier = report.read(options.compare) if options.compare else None
    versions = {name: peers.ALL[name].version() for name in options.peers}
    with tempfile.TemporaryDirectory(prefix="verge-bench-") as directory:
        results = runner.measure(options, directory)
    if results.stopped:
        print(f"stopped early, at {results.stopped}: what follows is of what was measured by then\n")
    print(report.table(options.scenarios, results, options.peers))
    line, missed = report.summary(options.scenarios, results)
    print(f"\n{line}" + "".join(f"\n  missed: {name}" for name in missed))
    said = report.as_json(options.scenarios, results, options.peers, versions, options)
    worse = report.compare(earlier, said) if earlier else []
    print("\n".join(worse)) if worse else None
    if options.json:
        with open(options.json, "w") as file:
            json.dump(said, file, indent=1)
    if options.svg:
        with open(options.svg, "w") as file:
            file.write(svg.draw(said))
    if results.stopped:
        return 130
    return 1 if options.check and (missed or worse) else 0


if __name__ == "__main__":
    sys.exit(main())
