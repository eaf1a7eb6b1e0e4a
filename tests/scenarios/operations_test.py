"""Starting, reloading, draining, and what goes wrong on the machine."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import unittest

from harness import PATIENCE, VERGE, Node, Scenario

FRESH = {"Cache-Control": "max-age=60"}


def ok(request):
    request.reply(body=b"ok", headers=FRESH)


class CommandLine(unittest.TestCase):
    def run_verge(self, *arguments, **kwargs):
        return subprocess.run([VERGE, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False, **kwargs)

    def test_help_version_and_exit_codes(self):
        self.assertEqual(self.run_verge("version").stdout.split()[0], "verge")
        for command in ("serve", "check", "purge", "version"):
            shown = self.run_verge(command, "--help")
            self.assertEqual(shown.returncode, 0)
            self.assertIn("--help", shown.stdout)
        self.assertEqual(self.run_verge().returncode, 2)
        self.assertEqual(self.run_verge("fly").returncode, 2)
        self.assertEqual(self.run_verge("purge").returncode, 2)
        self.assertEqual(self.run_verge("serve", "-c", "/nonexistent.yaml").returncode, 2)
        refused = self.run_verge("purge", "--admin", "127.0.0.1:1", "/x")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no node answers", refused.stderr)

    def test_check_names_every_fault_with_its_place(self):
        path = f"/tmp/verge-check-{os.getpid()}.yaml"
        with open(path, "w") as file:
            file.write("listen: [{adress: 127.0.0.1:1}]\norigins: {a: {type: http, url: ftp://x}}\n"
                       "sites: [{hosts: ['*'], routes: [{match: '/*', origin: b}]}]\n")
        shown = self.run_verge("check", "-c", path)
        os.unlink(path)
        self.assertEqual(shown.returncode, 2)
        self.assertIn(f"{path}:1:11:", shown.stderr)
        self.assertIn("address", shown.stderr)
        self.assertGreaterEqual(len(shown.stderr.splitlines()), 3, shown.stderr)


class Lifecycle(Scenario):
    def test_sigterm_lets_running_requests_end(self):
        node = self.node()
        running = node.start_get("/slow")
        request = self.origin.take()
        node.signal(signal.SIGTERM)
        node.wait_for("draining")
        with self.assertRaises(OSError):
            node.connect().recv(1)
            raise OSError
        request.reply(body="whole")
        self.assertEqual(running.result().body, b"whole")
        self.assertEqual(node.wait(), 0)

    def test_a_second_sigterm_ends_at_once(self):
        node = self.node()
        node.start_get("/never")
        self.origin.take()
        node.signal(signal.SIGTERM)
        node.wait_for("draining")
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), 1)

    def test_reload_puts_a_new_route_in_force_and_keeps_connections(self):
        self.origin.auto = ok
        node = self.node()
        conn = http.client.HTTPConnection("127.0.0.1", node.ports[0], timeout=PATIENCE)
        conn.request("GET", "/a")
        self.assertEqual(conn.getresponse().read(), b"ok")
        with open(node.path) as file:
            text = file.read()
        node.write_config(text.replace('match: "/*"', 'match: "/new/*"'))
        node.signal(signal.SIGHUP)
        node.wait_for("reloaded")
        conn.request("GET", "/b")
        response = conn.getresponse()
        self.assertEqual((response.status, response.read()[:3]), (404, b"404"))
        self.assertEqual(node.get("/new/x").status, 200)

    def test_a_faulty_reload_changes_nothing(self):
        self.origin.auto = ok
        node = self.node()
        with open(node.path) as file:
            text = file.read()
        node.write_config(text.replace("origin: app", "origin: appp"))
        refused = node.admin("/reload", "POST")
        self.assertEqual(refused.status, 409)
        self.assertIn("app", json.loads(refused.body)["error"])
        self.assertEqual(node.get("/a").status, 200)
        node.write_config(text.replace("workers: 2", "workers: 3"))
        self.assertIn("restart", json.loads(node.admin("/reload", "POST").body)["error"])
        node.write_config(text)
        self.assertEqual(node.admin("/reload", "POST").status, 200)

    def test_health_ready_metrics(self):
        node = self.node()
        self.assertEqual(node.admin("/healthz").status, 200)
        self.assertEqual(node.admin("/readyz").status, 200)
        self.assertEqual(node.admin("/nothing").status, 404)
        self.origin.auto = ok
        node.get("/m")
        node.get("/m")
        text = node.admin("/metrics").body.decode()
        self.assertIn('verge_requests_total{status="200",cache="miss"} 1', text)
        self.assertIn('verge_requests_total{status="200",cache="hit"} 1', text)

    def test_the_access_log_is_json_and_hides_query_values(self):
        self.origin.auto = ok
        node = self.node(start=False)
        text = self.config().replace("access_log: off", "access_log: {path: access.log}")
        node.write_config(text)
        node.start()
        node.get("/l?token=secret&x=1", headers={"Authorization": "Bearer abc", "User-Agent": 'a"b'})
        node.stop()
        with open(os.path.join(node.directory, "access.log")) as file:
            raw = file.read()
        line = json.loads(raw)
        self.assertNotIn("secret", raw)
        self.assertNotIn("abc", raw)
        self.assertEqual((line["status"], line["cache"], line["user_agent"]), (200, "pass", 'a"b'))


class Machine(Scenario):
    def test_a_cache_that_cannot_be_opened_is_a_clear_error(self):
        node = self.node(start=False)
        with open(os.path.join(node.directory, "cache"), "w") as file:
            file.write("a file where the directory should be")
        done = subprocess.run([VERGE, "serve", "-c", node.path], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cache", done.stderr)

    def test_a_second_process_on_the_same_cache_is_refused(self):
        node = self.node()
        other = Node(self.config(), start=False)
        self.addCleanup(other.cleanup)
        with open(other.path) as file:
            text = file.read()
        other.write_config(text.replace("./cache", os.path.join(node.directory, "cache")))
        done = subprocess.run([VERGE, "serve", "-c", other.path], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("process", done.stderr)

    def test_a_port_in_use_is_a_clear_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            node = self.node(start=False)
            node.write_config(self.config().replace("127.0.0.1:0\nworkers", f"127.0.0.1:{taken.getsockname()[1]}\nworkers"))
            done = subprocess.run([VERGE, "serve", "-c", node.path], capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn("in use", done.stderr)

    def test_a_second_node_on_the_same_port_is_refused(self):
        node = self.node()
        other = Node(self.config().replace("127.0.0.1:0\nworkers", f"127.0.0.1:{node.ports[0]}\nworkers"), start=False)
        self.addCleanup(other.cleanup)
        done = subprocess.run([VERGE, "serve", "-c", other.path], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("in use", done.stderr)

    def test_out_of_descriptors_pauses_accepting_and_recovers(self):
        self.origin.auto = ok
        node = self.node(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96)))
        self.assertEqual(node.get("/kept").status, 200)
        clients = [node.connect() for _ in range(150)]  # the kernel takes them; the node can't
        for conn in clients:
            conn.close()
        self.assertEqual(node.get("/kept").status, 200)

    def test_a_full_disk_stops_storing_and_not_serving(self):
        self.origin.auto = lambda r: r.reply(body=os.urandom(400_000), headers=FRESH)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))

        node = self.node(preexec_fn=small_files)
        for n in range(20):
            self.assertEqual(node.get(f"/{n}").status, 200)
        node.wait_for_metric("verge_cache_disk_write_errors", 1)
        self.assertEqual(node.metric("verge_cache_disk_writable"), 0)
        self.assertEqual(node.get("/more").status, 200)

    def test_a_cache_file_that_somebody_cuts_turns_the_disk_off_and_nothing_else(self):
        self.origin.auto = ok
        node = self.node()
        self.assertEqual(node.get("/kept").status, 200)
        self.assertEqual(node.get("/first").status, 200)  # looked for on disk while the file was whole
        node.wait_for_metric("verge_cache_disk_entries", 2)
        os.truncate(os.path.join(node.directory, "cache", "data.mdb"), 8192)
        for n in range(20):
            self.assertEqual(node.get(f"/{n}").body, b"ok")  # not in memory: looked for on disk
        node.wait_for("was cut by somebody else")
        self.assertIn("; hit; ", node.get("/kept")["cache-status"])
        self.assertEqual(node.metric("verge_cache_disk_writable"), 0)


if __name__ == "__main__":
    unittest.main()
