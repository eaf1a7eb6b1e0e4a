"""Runs the benchmark for a moment, with what tests/run installs: that it comes to figures, whatever they are."""

import json
import os
import re
import subprocess
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import runner
import scenarios
from scenarios import carried, entries, purges

SCENARIOS = {"hit-1k-tls-h2": "cpu_ms_per_1000", "handshake-full": "cpu_ms_per_1000", "herd-1000": "ms_to_last"}


class Smoke(unittest.TestCase):
    @unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), "it puts servers on core 0 and load on core 1")
    def test_a_short_run_comes_to_figures_of_both(self):
        with tempfile.TemporaryDirectory() as directory:
            out, drawing = os.path.join(directory, "out.json"), os.path.join(directory, "out.svg")
            command = [sys.executable, os.path.join(HERE, "run.py"), "--rounds", "1", "--seconds", "1",
                       "--peers", "verge,nginx", "--scenarios", ",".join(SCENARIOS), "--json", out, "--svg", drawing]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(out) as file:
                said = json.load(file)
            medians = {(r["scenario"], r["metric"]): r["median"] for r in said["rows"]}
            for scenario, metric in SCENARIOS.items():
                for peer in ("verge", "nginx"):
                    self.assertGreater(medians[(scenario, metric)][peer] or 0, 0, f"{scenario} {peer}\n{done.stdout}")
            self.assertEqual(medians[("herd-1000", "origin_requests")]["verge"], 1)
            xml.etree.ElementTree.parse(drawing)

    @unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), "it puts servers on core 0 and load on core 1")
    def test_purges_are_timed_in_a_store_and_across_a_fleet(self):
        small = [mock.patch.dict(purges.COUNTS, {"tagged": 500, "half": 2_000, "rest": 1_500}),
                 mock.patch.multiple(purges, TURNS=1, BEFORE=1.0, AFTER=1.0),
                 mock.patch.multiple(carried, PUBLISHES=3, ALONE=2)]
        chosen = [s for name, s in scenarios.ALL.items() if name.startswith(("purge-1m", "purge-fleet"))]
        options = types.SimpleNamespace(rounds=1, seconds=1, latency=True, peers=["verge"], scenarios=chosen)
        for patch in small:
            patch.start()
            self.addCleanup(patch.stop)
        with tempfile.TemporaryDirectory() as directory:
            results = runner.measure(options, directory)
        self.assertEqual(results.refused, {})
        self.assertEqual(len(chosen), 5)
        for scenario in chosen:
            figures = results.figures[scenario.name]["verge"][0]
            self.assertEqual({key for key, value in figures.items() if value is None}, set(), scenario.name)

    @unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), "it puts servers on core 0 and load on core 1")
    def test_hits_are_held_against_those_of_a_small_store(self):
        chosen = [scenarios.ALL["grow-entries"]]
        options = types.SimpleNamespace(rounds=1, seconds=1, latency=False, peers=["verge"], scenarios=chosen)
        with mock.patch.multiple(entries, MANY=20_000, SOME=2_000, FEW=200, TURNS=1, DISK_NEEDED=1 << 28), \
                tempfile.TemporaryDirectory() as directory:
            results = runner.measure(options, directory)
        self.assertEqual(results.refused, {})
        figures = results.figures["grow-entries"]["verge"][0]
        self.assertEqual([m.key for m in chosen[0].metrics if not figures.get(m.key)], [])

    def test_what_the_command_builds_is_in_a_fresh_release_build(self):
        root = os.path.dirname(os.path.dirname(HERE))
        with open(os.path.join(HERE, "run")) as file:
            targets = re.search(r"--target (.+?) >", file.read())[1].split()
        with tempfile.TemporaryDirectory() as directory:
            for command in (["cmake", "--preset", "release", "-B", directory],
                            ["cmake", "--build", directory, "--target", *targets, "--", "-n"]):
                done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    unittest.main()
