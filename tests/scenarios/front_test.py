"""The front as raw octets and real clients meet it: what is refused, how, and what goes on afterwards."""

import os
import subprocess
import unittest

from harness import Scenario

FRESH = {"Cache-Control": "max-age=60"}


def ok(request):
    request.reply(body=b"ok", headers=FRESH)


class Refusals(Scenario):
    def setUp(self):
        super().setUp()
        self.origin.auto = ok
        self.under_test = self.node()

    def status(self, octets):
        answer = self.under_test.raw(octets)
        self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer)
        return int(answer[9:12]), answer

    def test_what_is_malformed_or_ambiguous_is_400_and_the_connection_ends(self):
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        for name, octets in {
            "no host": b"GET / HTTP/1.1\r\n\r\n",
            "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "bad host": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "length and chunked": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two lengths": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            "negative length": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n",
            "chunked twice": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "space before colon": b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            "folding": b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
            "bare LF": b"GET / HTTP/1.1\nHost: h\n\n",
            "NUL": b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
            "empty name": b"GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
            "fragment": b"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n",
            "space in target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
            "bad percent": b"GET /%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "above the root": b"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        }.items():
            with self.subTest(name):
                status, answer = self.status(octets + smuggled if b"close" not in octets else octets)
                self.assertEqual(status, 400, answer)
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1)  # nothing behind it was answered
        self.assertEqual(self.origin.asked, 0)

    def test_sizes_and_versions(self):
        for expected, octets in (
                (431, b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"),
                (431, b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 150 + b"\r\n"),
                (414, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n"),
                (505, b"GET / HTTP/3.0\r\nHost: h\r\n\r\n"),
                (501, b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
                (417, b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"),
                (405, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")):
            with self.subTest(expected):
                self.assertEqual(self.status(octets)[0], expected)

    def test_pipelined_requests_are_answered_in_order(self):
        answer = self.under_test.raw(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n" * 3 +
                                     b"GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 4)

    def test_http_1_0_is_answered_and_closed(self):
        answer = self.under_test.raw(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"))
        self.assertTrue(answer.endswith(b"ok"))

    def test_a_purge_method_on_the_public_port_does_nothing(self):
        self.under_test.get("/p")
        self.under_test.raw(b"PURGE /p HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
        self.assertEqual(self.under_test.raw(b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")[-2:], b"ok")


class Routing(Scenario):
    def test_unknown_host_and_no_route(self):
        self.origin.auto = ok
        node = self.node()
        with open(node.path) as file:
            text = file.read()
        node.stop()
        node.write_config(text.replace('["*"]', '[www.example.com, "*.example.org"]').replace('"/*"', '"/app/*"'))
        node.start()
        for host, path, status in (("www.example.com", "/app/x", 200), ("WWW.EXAMPLE.COM", "/app/x", 200),
                                   ("a.example.org", "/app/", 200), ("a.b.example.org", "/app/", 200),
                                   ("example.org", "/app/", 421), ("evil.example", "/app/", 421),
                                   ("www.example.com", "/other", 404), ("www.example.com", "/app/../other", 404)):
            self.assertEqual(node.get(path, host=host).status, status, (host, path))


class Origins(Scenario):
    def error(self, node, path="/x"):
        answer = node.get(path)
        self.assertNotIn(b"127.0.0.1", answer.body)
        self.assertLess(len(answer.body), 200)
        return answer.status

    def test_refused_and_nonsense_are_502_and_silence_is_504(self):
        node = self.node(origin=", timeouts: {first_byte: 300ms, between_bytes: 300ms}")
        self.origin.auto = lambda r: r.send(b"\x00\x01nonsense\r\n\r\n")
        self.assertEqual(self.error(node), 502)
        self.origin.auto = lambda r: r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
        self.assertEqual(self.error(node), 502)
        self.origin.auto = lambda r: None
        self.assertEqual(self.error(node), 504)
        self.origin.stop()
        self.assertEqual(self.error(node), 502)

    def test_a_post_is_never_sent_twice(self):
        node = self.node()
        self.origin.auto = ok
        node.get("/warm")  # a kept connection
        self.origin.auto = lambda r: r.close()
        before = self.origin.asked
        self.assertEqual(node.get("/p", method="POST", body=b"x").status, 502)
        self.assertEqual(self.origin.asked, before + 1)


class Tls(Scenario):
    def setUp(self):
        super().setUp()
        self.origin.auto = ok
        self.tls = self.node(start=False)
        d = self.tls.directory
        self.self_signed(d)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.pem", "-days", "2", "-subj", "/CN=Test CA"],
                       check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        f"{d}/client.key", "-out", f"{d}/client.csr", "-subj", "/CN=alice"], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", f"{d}/client.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key",
                        "-CAcreateserial", "-days", "2", "-out", f"{d}/client.pem"], check=True, capture_output=True)
        listeners = "\n".join(
            f"  - address: 127.0.0.1:0{' ' * n}\n    tls: {{certificates: [{{chain: cert.pem, key: key.pem}}], "
            f"client_auth: {{mode: {mode}{', ca: ca.pem' if mode != 'off' else ''}}}}}"
            for n, mode in enumerate(("off", "optional", "required")))
        text = self.config().replace("  - address: 127.0.0.1:0\n", listeners + "\n")
        # Distinct texts for distinct listeners on port 0.
        for n, ip in enumerate(("127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0")):
            text = text.replace(f"127.0.0.1:0{' ' * n}\n", ip + "\n", 1) if n else text
        self.tls.write_config(text)
        self.tls.start()

    def curl(self, *arguments, listener=0, host="localhost"):
        d = self.tls.directory
        ip = f"127.0.0.{listener + 1}"
        port = self.tls.ports[listener]
        return subprocess.run(["curl", "-sS", "-i", "--cacert", f"{d}/cert.pem", "--resolve", f"{host}:{port}:{ip}",
                               *arguments, f"https://{host}:{port}/x"], capture_output=True, text=True, check=False)

    def test_both_protocols_over_tls(self):
        self.assertTrue(self.curl("--http2").stdout.startswith("HTTP/2 200"))
        self.assertTrue(self.curl("--http1.1").stdout.startswith("HTTP/1.1 200"))
        self.assertTrue(self.curl("--http1.1", "--tls-max", "1.2").stdout.startswith("HTTP/1.1 200"))
        self.assertNotEqual(self.curl("--tls-max", "1.1").returncode, 0)

    def test_client_certificates(self):
        d = self.tls.directory
        with_certificate = ("--cert", f"{d}/client.pem", "--key", f"{d}/client.key")
        self.assertIn("200", self.curl(listener=1).stdout[:12])
        self.assertIn("200", self.curl(*with_certificate, listener=1).stdout[:12])
        self.assertIn("200", self.curl(*with_certificate, listener=2).stdout[:12])
        self.assertNotEqual(self.curl(listener=2).returncode, 0)
        # One that our CA did not sign.
        foreign = ("--cert", f"{d}/cert.pem", "--key", f"{d}/key.pem")
        self.assertNotEqual(self.curl(*foreign, listener=2).returncode, 0)

    def test_a_client_that_came_before_is_known_until_a_reload_takes_its_ca_away(self):
        d = self.tls.directory
        with_certificate = ("--cert", f"{d}/client.pem", "--key", f"{d}/client.key")
        for _ in range(3):
            self.assertIn("200", self.curl(*with_certificate, listener=2).stdout[:12])
        self.assertEqual(self.tls.metric('verge_tls_client_verified_total{from="chain"}'), 1)
        self.assertEqual(self.tls.metric('verge_tls_client_verified_total{from="memory"}'), 2)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.pem", "-days", "2", "-subj", "/CN=Test CA"],
                       check=True, capture_output=True)
        self.assertEqual(self.tls.admin("/reload", "POST").status, 200)
        refused = self.curl(*with_certificate, listener=2)
        self.assertNotEqual(refused.returncode, 0)
        self.assertNotIn("200", refused.stdout)
        self.assertEqual(self.tls.metric('verge_tls_client_verified_total{from="memory"}'), 2)

    def test_a_host_that_sni_did_not_name_is_421_behind_client_certificates(self):
        answer = self.curl("-H", "Host: other.example", listener=1)
        self.assertIn("421", answer.stdout[:12])

    def test_nghttp_and_h2load(self):
        port = self.tls.ports[0]
        shown = subprocess.run(["nghttp", "-nv", f"https://127.0.0.1:{port}/x"], capture_output=True, text=True, check=True)
        self.assertIn(":status: 200", shown.stdout)
        load = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "16", f"https://127.0.0.1:{port}/x"],
                              capture_output=True, text=True, check=True)
        self.assertIn("2000 succeeded, 0 failed", load.stdout)

    def test_cleartext_http2_by_prior_knowledge(self):
        node = self.node()
        answer = subprocess.run(["curl", "-sS", "-i", "--http2-prior-knowledge", f"http://127.0.0.1:{node.ports[0]}/x"],
                                capture_output=True, text=True, check=True)
        self.assertTrue(answer.stdout.startswith("HTTP/2 200"))

    def test_an_upload_over_http2(self):
        path = os.path.join(self.tls.directory, "body")
        with open(path, "wb") as file:
            file.write(os.urandom(3_000_000))
        seen = []
        self.origin.auto = lambda r: (seen.append(len(r.body)), r.reply(body=b"taken"))
        answer = self.curl("--http2", "--data-binary", f"@{path}")
        self.assertIn("HTTP/2 200", answer.stdout)
        self.assertEqual(seen, [3_000_000])


if __name__ == "__main__":
    unittest.main()
