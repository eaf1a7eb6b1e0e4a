"""The benchmark's own tests: its arithmetic, its goals, its drawing, and that it refuses to compare a peer that does
not serve what it should. Nothing here depends on how long something takes."""

import dataclasses
import http.server
import os
import signal
import sys
import tempfile
import threading
import time
import types
import unittest
import urllib.request
import xml.etree.ElementTree
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check
import load
import peers
import report
import row
import runner
import scenarios
import stats
import svg
from context import Context
from row import CACHES, CPU, Metric, Scenario, at_most, judge, of_best, of_lean, of_row
from scenarios import purges


class Percentiles(unittest.TestCase):
    def test_is_the_least_value_that_enough_do_not_exceed(self):
        values = list(range(1, 101))
        self.assertEqual([stats.percentile(values, s) for s in (0, 0.5, 0.99, 0.999, 1)], [1, 50, 99, 100, 100])
        self.assertEqual(stats.percentile([7], 0.5), 7)

    def test_of_nothing_is_a_mistake(self):
        self.assertRaises(ValueError, stats.percentile, [], 0.5)

    def test_a_long_wait_counts_for_the_requests_it_held_back(self):
        self.assertEqual(stats.corrected([1, 1, 45], 10), [1, 1, 15, 25, 35, 45])

    def test_waits_shorter_than_the_interval_stay_as_they_are(self):
        self.assertEqual(stats.corrected([9, 3, 10], 10), [3, 9, 10])

    def test_an_interval_of_nothing_is_a_mistake(self):
        self.assertRaises(ValueError, stats.corrected, [1], 0)


class Ratios(unittest.TestCase):
    def test_pairs_round_by_round_and_gives_the_spread(self):
        found = stats.ratio([10, 12, 30], [10, 10, 20], "nginx")
        self.assertEqual((found.middle, found.least, found.most, found.of), (1.2, 1.0, 1.5, "nginx"))

    def test_a_round_that_lacks_one_side_is_left_out(self):
        found = stats.ratio([None, 5, 8], [3, None, 4], "x")
        self.assertEqual((found.middle, found.least, found.most), (2, 2, 2))
        self.assertIsNone(stats.ratio([None, 5], [3, None], "x"))

    def test_nothing_is_no_fraction_of_nothing(self):
        self.assertEqual(stats.ratio([0], [0], "x").middle, 1.0)
        self.assertEqual(stats.ratio([1], [0], "x").middle, float("inf"))

    def test_the_best_is_the_least_median_of_those_with_figures(self):
        figures = {"nginx": [5, 9, 6], "haproxy": [None, 5, None], "varnish": [None, None, None]}
        self.assertEqual(stats.best(figures, CACHES), "haproxy")
        self.assertEqual(stats.best(figures, ("nginx", "varnish")), "nginx")
        self.assertIsNone(stats.best(figures, ("varnish", "trafficserver")))


class Goals(unittest.TestCase):
    FIGURES = {"verge": [8, 9, 10], "nginx": [10, 10, 10], "haproxy": [20, 20, 20], "h2o": [6, 6, 6]}

    def test_is_held_against_the_best_cache_and_not_against_the_server_without_one(self):
        found = judge(of_best(0.9), self.FIGURES)
        self.assertTrue(found.met)
        self.assertEqual((found.ratio.of, found.ratio.middle), ("nginx", 0.9))
        self.assertFalse(judge(of_best(0.89), self.FIGURES).met)

    def test_is_held_against_the_lean_server_where_it_says_so(self):
        self.assertTrue(judge(of_lean(1.5), self.FIGURES).met)
        self.assertFalse(judge(of_lean(1.3), self.FIGURES).met)

    def test_may_be_a_figure_of_its_own(self):
        self.assertTrue(judge(at_most(9), self.FIGURES).met)
        self.assertFalse(judge(at_most(8.9), self.FIGURES).met)

    def test_may_be_another_row_of_ours(self):
        others = {"ram": {"verge": [6, 6, 5]}}
        self.assertTrue(judge(of_row(1.5, "ram"), self.FIGURES, others.get).met)
        self.assertFalse(judge(of_row(1.4, "ram"), self.FIGURES, others.get).met)

    def test_stays_open_without_figures_on_both_sides(self):
        self.assertIsNone(judge(of_best(1), {"verge": [1], "nginx": [None]}).met)
        self.assertIsNone(judge(of_best(1), {"nginx": [1]}).met)
        self.assertIsNone(judge(of_row(1, "gone"), self.FIGURES, lambda _: {}).met)

    def test_every_scenario_says_what_it_gives(self):
        for name, scenario in scenarios.ALL.items():
            self.assertEqual(name, scenario.name)
            keys = [metric.key for metric in scenario.metrics]
            self.assertEqual(len(keys), len(set(keys)), name)
            for goal in (goal for metric in scenario.metrics for goal in metric.goals):
                self.assertGreaterEqual(goal.most, 0)
                self.assertTrue(not goal.row or goal.row in scenarios.ALL, goal.row)


WRK = """Running 2s test @ http://127.0.0.1:1/
  12999 requests in 2.00s, 13.46MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 1596
Requests/sec:   6494.61
"""
H2LOAD = """finished in 3.31s, 7252.96 req/s, 8.58MB/s
requests: 24000 total, 24000 started, 24000 done, 23990 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 23990 2xx, 0 3xx, 0 4xx, 10 5xx
traffic: 28.38MB (29760000) total, 4.33MB (4536000) headers (space savings 0.00%), 22.89MB (24000000) data
"""


class Generators(unittest.TestCase):
    def test_all_faults_that_wrk_names_count(self):
        seen = load.read_wrk(WRK, 32)
        self.assertEqual((seen.requests, seen.errors, seen.seconds, seen.in_flight), (12999, 1600, 2.0, 32))
        self.assertEqual(seen.octets, int(13.46 * 1024 * 1024))

    def test_a_status_of_fault_counts_once_with_h2load(self):
        seen = load.read_h2load(H2LOAD, 0)
        self.assertEqual((seen.requests, seen.errors, seen.octets), (23990, 10, 24000000))

    def test_a_steady_rate_leaves_the_generator_most_of_its_core(self):
        done = load.Load(requests=10_000, errors=0, octets=0, seconds=1, in_flight=0)
        self.assertEqual(load.steady_rate(done), 5_000)
        slow_peer, fast_peer = dataclasses.replace(done, spent=0.3), dataclasses.replace(done, spent=1.0)
        self.assertEqual(load.steady_rate(slow_peer), 5_000)
        self.assertEqual(load.steady_rate(fast_peer), 2_500)

    def test_percentiles_are_of_what_began_in_the_span(self):
        rows = [(at, 200, 1000 if at < 50 else 9000) for at in range(100)]
        steady = load.Steady(load.Load(100, 0, 0, 1, 0), 100, 1e6, rows)
        self.assertEqual(steady.percentiles((0.5, 0.99)), [1, 9])
        self.assertEqual(steady.percentiles((0.99,), 0, 50), [1])


class FakeServer:
    """An HTTP server by a function of the path to (status, body); it counts what it is asked."""

    def __init__(self, answer):
        self.count, fake = 0, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake.count += 1
                status, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


REQUESTS = 120


class FakeGenerator:
    """REQUESTS requests, one after the other."""

    @staticmethod
    def full(url, _protocol, _seconds):
        errors, octets = 0, 0
        for _ in range(REQUESTS):
            try:
                with urllib.request.urlopen(url, timeout=20) as answer:
                    octets += len(answer.read())
            except urllib.error.HTTPError:
                errors += 1
        return load.Load(REQUESTS, errors, octets, 1.0, 1)


class Refusals(unittest.TestCase):
    BODY = bytes(range(250)) * 4

    def setUp(self):
        self.origin_server = FakeServer(lambda path: (200, self.BODY))
        self.addCleanup(self.origin_server.close)
        self.origin = types.SimpleNamespace(requests=lambda: self.origin_server.count, body=lambda name: self.BODY)
        self.stored = {}

    def ask_origin(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.origin_server.port}{path}", timeout=20) as answer:
            return answer.status, answer.read()

    def cache(self, path):
        """What a cache does."""
        if path not in self.stored:
            self.stored[path] = self.ask_origin(path)
        return self.stored[path]

    def run_against(self, answer, scenario):
        fake = FakeServer(answer)
        self.addCleanup(fake.close)
        spent = iter(range(100))
        peer = types.SimpleNamespace(name="verge", port=fake.port, is_cache=True, cpu_seconds=lambda: next(spent))
        context = Context(peer, self.origin, 1, None, latency=False, generator=FakeGenerator)
        return scenarios.ALL[scenario].run(context)

    def refused(self, answer, scenario, why):
        with self.assertRaisesRegex(check.NotComparable, why):
            self.run_against(answer, scenario)

    def test_a_cache_that_hits_is_compared(self):
        figures = self.run_against(self.cache, "hit-1k-h1")
        self.assertEqual(figures[CPU], 1e6 / REQUESTS)
        self.assertEqual(self.origin_server.count, 1)

    def test_a_proxy_that_asks_each_time_is_compared_for_misses(self):
        self.assertEqual(self.run_against(self.ask_origin, "miss-1k-h1")[CPU], 1e6 / REQUESTS)

    def test_a_wrong_body_is_refused(self):
        self.refused(lambda path: (200, self.BODY[:-1] + b"x"), "hit-1k-h1", "wrong body of the right length")
        self.refused(lambda path: (200, self.BODY[:500]), "miss-1k-h1", "wrong body: 500 octets instead of 1000")

    def test_a_fault_is_refused(self):
        self.refused(lambda path: (500, b""), "hit-1k-h1", "status 500 instead of 200")

    def test_faults_that_come_under_load_are_refused(self):
        asked = []

        def answer(path):
            asked.append(path)
            return (503, b"") if len(asked) % 30 == 0 else self.cache(path)
        self.refused(answer, "hit-1k-h1", r"4 of 120 requests failed")

    def test_answers_that_are_short_under_load_are_refused(self):
        asked = []

        def answer(path):
            asked.append(path)
            status, body = self.cache(path)
            return status, body if len(asked) < 10 else body[:100]
        self.refused(answer, "hit-1k-h1", "octets instead of 1000")

    def test_what_never_hits_is_refused_as_a_hit(self):
        self.refused(self.ask_origin, "hit-1k-h1", "no hit: it asks the origin each time")

    def test_what_misses_under_load_is_refused_as_a_hit(self):
        asked = []

        def answer(path):
            asked.append(path)
            return self.ask_origin(path) if len(asked) == 60 else self.cache(path)
        self.refused(answer, "hit-1k-h1", "the origin was asked 1 times for 120")

    def test_a_random_set_may_lack_one_in_a_thousand(self):
        done = types.SimpleNamespace(requests=2_000, errors=0, octets=2_000 * 100, in_flight=0)
        check.judge_load(done, 2, size=100, hits=True, tolerated=0.001)
        for asked, tolerated in ((3, 0.001), (1, 0)):
            with self.assertRaisesRegex(check.NotComparable, f"the origin was asked {asked} times for 2000"):
                check.judge_load(done, asked, size=100, hits=True, tolerated=tolerated)

    def test_what_hits_is_refused_as_a_miss(self):
        self.refused(self.cache, "miss-1k-h1", "no misses: the origin was asked 0 times for 120")

    def test_a_peer_that_ends_under_load_is_refused_and_started_again(self):
        ends, done = iter(["it ended by signal 11", None]), []
        peer = types.SimpleNamespace(name="verge", died=lambda: next(ends), stop=lambda: done.append("stop"),
                                     start=lambda: done.append("start"))
        chosen = [Scenario(name, lambda _: {CPU: 1.0}, (Metric(CPU, "ms"),)) for name in ("a", "b")]
        results = runner.Results({s.name: {"verge": []} for s in chosen})
        runner.run_peer(results, Context(peer, self.origin, 1, None), chosen, 0, lambda *_: None)
        self.assertEqual(results.figures, {"a": {"verge": [None]}, "b": {"verge": [{CPU: 1.0}]}})
        self.assertEqual(results.refused, {"a": {"verge": ["it ended by signal 11"]}})
        self.assertEqual(done, ["stop", "start"])

    def test_a_run_that_is_stopped_keeps_what_it_has(self):
        loads = []

        def stop(_):
            loads.append(load.start(["sleep", "60"]))
            os.kill(os.getpid(), signal.SIGTERM)
            self.fail("it went on")

        class Idle:
            name, start, discard, died = "idle", lambda _: None, lambda _: None, lambda _: None

            def __init__(self, _site):
                pass
        chosen = [Scenario(name, run, (Metric(CPU, "ms"),))
                  for name, run in (("a", lambda _: {CPU: 1.0}), ("b", stop), ("c", stop))]
        options = types.SimpleNamespace(rounds=2, seconds=1, latency=False, peers=["idle"], scenarios=chosen)
        with mock.patch.dict(peers.ALL, idle=Idle), tempfile.TemporaryDirectory() as directory:
            results = runner.measure(options, directory)
        self.assertEqual(results.figures, {"a": {"idle": [{CPU: 1.0}, None]}, "b": {"idle": [None, None]},
                                           "c": {"idle": [None, None]}})
        self.assertEqual(results.stopped, "round 1/2, idle, b")
        self.assertEqual([p.returncode for p in loads], [-signal.SIGKILL])
        loads[0].stdout.close()
        said = report.as_json(chosen, results, ["idle"], {}, options)
        self.assertEqual([(r["scenario"], r["median"]) for r in said["rows"]], [("a", {"idle": 1.0})])
        self.assertEqual(said["stopped"], results.stopped)

    def test_the_reason_stands_in_the_table_and_in_the_json(self):
        fake = FakeServer(lambda path: (500, b""))
        self.addCleanup(fake.close)
        peer = types.SimpleNamespace(name="nginx", port=fake.port, is_cache=True, cpu_seconds=lambda: 0, died=lambda: None)
        chosen = [scenarios.ALL["hit-1k-h1"]]
        results = runner.Results({"hit-1k-h1": {"nginx": []}})
        runner.run_peer(results, Context(peer, self.origin, 1, None), chosen, 0, lambda *_: None)
        self.assertEqual(results.figures["hit-1k-h1"]["nginx"], [None])
        self.assertIn("status 500 instead of 200", report.table(chosen, results, ["nginx"]))
        said = report.as_json(chosen, results, ["nginx"], {}, types.SimpleNamespace(rounds=1, seconds=1))
        self.assertEqual(said["not_compared"], {"hit-1k-h1": {"nginx": ["status 500 instead of 200"]}})


class FakeSteady:
    """Asks for each URL once when the load ends, and makes up a request every millisecond."""

    @staticmethod
    def start_steady(urls, _protocol, _rate, seconds, _log):
        return urls, time.time(), seconds

    @staticmethod
    def finish_steady(urls, began, seconds):
        for url in urls:
            with urllib.request.urlopen(url, timeout=20) as answer:
                answer.read()
        rows = [(1e6 * began + 1000 * ms, 200, 1000) for ms in range(int(1000 * seconds))]
        return load.Steady(load.Load(len(rows), 0, 100 * len(rows), seconds, 1), 1000, 1e9, rows)


class PurgeRefusals(unittest.TestCase):
    """A cache that drops by a script what a purge of the prefix /many/half/ tells it to."""

    def setUp(self):
        small = {"tagged": 60, "half": 60, "rest": 120}
        for patch in (mock.patch.dict(purges.COUNTS, small), mock.patch("scenarios.purges.settle", lambda peer: None),
                      mock.patch.multiple(purges, BEFORE=0.1, DURING=0.1, AFTER=0.1)):
            patch.start()
            self.addCleanup(patch.stop)
        self.stored = {purges.path(name, n) for name, count in small.items() for n in range(1, count + 1)}
        self.asked = 0

    def purge(self, drop, status=200):
        def answer(path):
            if path == "/purge":
                self.stored = {p for p in self.stored if not drop(p)}
                return status, b'{"applied_us": 250}'
            self.asked += path not in self.stored
            self.stored.add(path)
            return 200, b"m" * 100

        fake = FakeServer(answer)
        self.addCleanup(fake.close)
        request = (fake.port, "GET", "/purge", None, None)
        peer = types.SimpleNamespace(port=fake.port, purge_many_request=lambda kind, what: request,
                                     site=types.SimpleNamespace(directory="/nowhere"))
        origin = types.SimpleNamespace(requests=lambda: self.asked, many_body=b"m" * 100)
        prefix = next(kind for kind in purges.KINDS if kind.name == "prefix")
        many = purges.Many(peer, 100.0, dict(purges.COUNTS))
        return purges.once(Context(peer, origin, 1, None, generator=FakeSteady), many, prefix, 0)

    def refused(self, why, drop, **more):
        with self.assertRaisesRegex(check.NotComparable, why):
            self.purge(drop, **more)

    def test_one_that_drops_what_it_names_is_timed(self):
        figures = self.purge(lambda path: path.startswith("/many/half/"))
        self.assertEqual(figures["node_ms"], 0.25)
        self.assertEqual((figures["p99_before"], figures["p99_during_times"]), (1, 1))

    def test_one_that_leaves_something_is_refused(self):
        self.refused(r"[1-9]\d* of \d+ purged objects were served still",
                     lambda path: path.startswith("/many/half/") and not path.endswith("5"))

    def test_one_that_drops_more_is_refused(self):
        self.refused("objects went that the purge did not name", lambda path: not path.startswith("/many/rest/"))

    def test_one_that_drops_what_clients_hit_is_refused(self):
        self.refused("amid the purge the origin was asked 50 times instead of 0", lambda path: True)

    def test_one_that_fails_is_refused(self):
        self.refused("status 503 to a purge", lambda path: True, status=503)


def a_run(verge=(8.0, 9.0, 10.0), nginx=(10.0, 10.0, 10.0)):
    """(scenarios, results) of one scenario and two peers."""
    scenario = Scenario("hit", None, (Metric(CPU, "CPU ms <each>", (of_best(0.8), at_most(9.5))),
                                      Metric("kept", "%", (), lower_is_better=False)))
    figures = {"hit": {"verge": [{CPU: v, "kept": 100 - v} for v in verge],
                       "nginx": [{CPU: v} if v else None for v in nginx]}}
    return [scenario], runner.Results(figures)


def said_of(*figures):
    chosen, results = a_run(*figures)
    return report.as_json(chosen, results, ["verge", "nginx"], {}, types.SimpleNamespace(rounds=3, seconds=4))


class Reports(unittest.TestCase):
    def test_the_table_says_what_is_met_and_what_is_missed_and_by_how_much(self):
        chosen, results = a_run()
        text = report.table(chosen, results, ["verge", "nginx"])
        self.assertIn("MISSED: 0.90 (0.80..1.00) of nginx, goal 0.8; met: at most 9.5", text)
        line, missed = report.summary(chosen, results)
        self.assertEqual((line, missed), ("goals: 1 of 2 met", ["hit (CPU ms <each>)"]))

    def test_the_json_has_every_round_paired(self):
        first = said_of((8.0, 9.0, 10.0), (None, 10.0, 12.0))["rows"][0]
        self.assertEqual(first["rounds"], {"verge": [8.0, 9.0, 10.0], "nginx": [None, 10.0, 12.0]})
        self.assertEqual(first["goals"][0]["ratio"],
                         {"of": "nginx", "median": (0.9 + 10 / 12) / 2, "least": 10 / 12, "most": 0.9})

    def test_what_grew_above_a_tenth_is_named_with_how_the_others_moved(self):
        before = said_of()
        self.assertEqual(report.compare(before, said_of((8.0, 9.8, 10.0))), [])
        self.assertEqual(report.compare(before, said_of((12.0, 12.6, 13.0), (20.0, 20.0, 20.0))),
                         ["worse: hit (CPU ms <each>): 9.00 -> 12.6, 1.40 times, the others 2.00"])

    def test_the_drawing_is_xml_with_a_bar_for_each_figure_and_a_line_for_each_goal(self):
        drawn = xml.etree.ElementTree.fromstring(svg.draw(said_of()))
        name = "{http://www.w3.org/2000/svg}"
        bars, lines = drawn.findall(name + "rect"), drawn.findall(name + "line")
        self.assertEqual((len(bars), len(lines)), (2, 2))  # the percentage has no bar: more is better there
        ours, theirs = (float(bar.get("width")) for bar in bars)
        self.assertAlmostEqual(ours / theirs, 0.9, places=2)
        goal = float(bars[1].get("x")) + 0.8 * theirs
        self.assertAlmostEqual(float(lines[0].get("x1")), goal, places=1)
        self.assertIn("CPU ms <each>", [text.text for text in drawn.findall(name + "text")])


if __name__ == "__main__":
    unittest.main()
