"""The model of fleet_model.py against plain counting, and against what must hold whatever the figures are."""

import collections
import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import fleet_model as model  # noqa: E402



def row(scenario, figure, metric="cpu_ms_per_1000"):
    return {"scenario": scenario, "metric": metric, "median": {"verge": figure}}


RESULTS = [row(f"{kind}-{size}-{protocol}", cost)
           for kind, size, cost in (("hit", "1k", 10), ("hit", "10k", 20), ("hit", "100k", 120), ("hit", "1m", 1100),
                                    ("miss", "1k", 40), ("miss", "100k", 200))
           for protocol in ("tls-h1", "tls-h2")]
RESULTS += [row("304-h1", 9), row("handshake-full", 700), row("handshake-resumed", 600),
            row("idle-tls", 16, "kb_per_connection")]
EXTRA = {"disk_hit_factor": 1.5, "store_seconds": 25e-6, "store_byte_seconds": 1.4e-9, "entry_bytes": 60, "contention": 0.0}
COSTS = model.costs_from(RESULTS, EXTRA)
WORK = model.Workload(objects=100_000)
MACHINE = model.Machine()


class Caches(unittest.TestCase):
    def test_popularity_adds_up_to_one_and_counts_every_object(self):
        for exponent in (0.6, 0.9, 1.0, 1.3):
            bins = model.zipf_bins(12_345, exponent)
            self.assertAlmostEqual(sum(b.count * b.each for b in bins), 1.0)
            self.assertEqual(sum(b.count for b in bins), 12_345)

    def test_che_agrees_with_an_lru_that_is_run(self):
        objects, room, dice = 2000, 200, random.Random(7)
        weights = [n ** -0.9 for n in range(1, objects + 1)]
        cache, hits, counted = collections.OrderedDict(), 0, 0
        for turn, name in enumerate(dice.choices(range(objects), weights, k=120_000)):
            held = name in cache
            cache[name] = True
            cache.move_to_end(name)
            if len(cache) > room:
                cache.popitem(last=False)
            if turn > 20_000:
                counted, hits = counted + 1, hits + held
        self.assertAlmostEqual(model.found(model.zipf_bins(objects, 0.9), room), hits / counted, delta=0.01)

    def test_what_fits_is_found_and_nothing_is_found_in_no_room(self):
        bins = model.zipf_bins(1000, 0.9)
        self.assertEqual(model.found(bins, 1000), 1.0)
        self.assertLess(model.found(bins, 0.001), 0.01)

    def test_short_lifetimes_make_hits_into_validations(self):
        bins = model.zipf_bins(1000, 0.9)
        fresh, stale = model.fresh_and_found(bins, 1000, 100.0, 3600.0)
        self.assertAlmostEqual(fresh + stale, 1.0)
        less, more = model.fresh_and_found(bins, 1000, 100.0, 1.0)
        self.assertLess(less, fresh)
        self.assertGreater(more, stale)


class Nodes(unittest.TestCase):
    def test_costs_lie_on_the_measured_points_and_between_them(self):
        curve = COSTS.hit["tls-h2"]
        self.assertAlmostEqual(model.interpolate(curve, 1000), 10e-6)
        self.assertAlmostEqual(model.interpolate(curve, 55_000), 70e-6)
        self.assertAlmostEqual(model.interpolate(curve, 10), 10e-6)
        self.assertGreater(model.interpolate(curve, 2_000_000), 1100e-6)

    def test_at_its_capacity_one_resource_is_full_and_none_is_over(self):
        best = model.node_capacity(COSTS, WORK, MACHINE)
        self.assertAlmostEqual(max(best.used.values()), 1.0, delta=0.001)

    def test_the_first_bottleneck_is_what_there_is_least_of(self):
        slow = dataclasses.replace(MACHINE, network_bits=1e9)
        self.assertEqual(model.node_capacity(COSTS, WORK, slow).first, "network out")
        fast = dataclasses.replace(MACHINE, network_bits=1e13)
        self.assertEqual(model.node_capacity(COSTS, WORK, fast).first, "cpu of the loops")

    def test_more_cores_never_carry_less(self):
        rates = [model.node_capacity(COSTS, WORK, dataclasses.replace(MACHINE, cores=n)).rate for n in (2, 8, 64)]
        self.assertEqual(rates, sorted(rates))

    def test_a_row_that_was_not_measured_is_named(self):
        with self.assertRaisesRegex(model.MissingCost, "handshake-full"):
            model.costs_from([r for r in RESULTS if r["scenario"] != "handshake-full"], EXTRA)

    def test_a_queue_waits_longer_the_more_it_is_used(self):
        idle, busy = (model.waiting(used, [1e-5, 5e-5], 3, 20_000) for used in (0.3, 0.9))
        self.assertLess(idle[1], busy[1])

    def test_chance_makes_loops_uneven_the_less_the_more_connections_there_are(self):
        few, many = (model.imbalance(n, 16, 5) for n in (100, 10_000))
        self.assertGreater(few, many)
        self.assertGreater(many, 1.0)


class Fleets(unittest.TestCase):
    def test_every_node_stands_somewhere(self):
        places = model.fleet(30, 200, 1)
        self.assertEqual(sum(p.nodes for p in places), 200)
        self.assertGreaterEqual(min(p.nodes for p in places), 2)
        self.assertAlmostEqual(sum(p.weight for p in places), 1.0)

    def test_too_few_nodes_are_refused(self):
        with self.assertRaises(ValueError):
            model.fleet(30, 59, 1)

    def test_no_place_is_over_at_the_fleets_capacity_at_any_hour(self):
        places = model.fleet(30, 200, 1)
        whole, full, when = model.fleet_capacity(places, 1000.0)
        at_most = max(whole * p.share(hour) / p.nodes for p in places for hour in range(24))
        self.assertAlmostEqual(at_most, 1000.0)
        self.assertAlmostEqual(whole * places[full].share(when) / places[full].nodes, 1000.0)

    def test_after_a_purge_each_node_asks_once_for_each_object(self):
        work = dataclasses.replace(WORK, objects=500, passed=0.0)
        storm = model.after_purge(work, 1000.0, 10, 200)
        self.assertTrue(all(b <= a + 1e-9 for a, b in zip(storm, storm[1:])))
        self.assertAlmostEqual(sum(storm), 10 * 500, delta=5)


class Program(unittest.TestCase):
    def run_with(self, measured):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(measured, file)
            file.flush()
            return subprocess.run([sys.executable, os.path.join(HERE, "fleet.py"), "--costs", file.name, "--objects", "20000"],
                                  capture_output=True, text=True, check=False)

    def test_it_names_the_first_bottleneck_of_node_and_fleet(self):
        done = self.run_with({"rows": RESULTS, "model": EXTRA})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"First bottleneck of a node: [a-z ]+\. Of the fleet: [a-z ]+")

    def test_it_says_what_is_missing(self):
        done = self.run_with({"rows": [], "model": EXTRA})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("hit-1k-tls-h1", done.stderr)


if __name__ == "__main__":
    unittest.main()
