"""TLS records as a client sees them on the wire: short after a rest, so that its first octets can be read early, then
full."""

import ssl
import unittest

from harness import Scenario

FULL, FIRST, TAG = 16_384, 4_096, 17  # TLS 1.3: an octet of type and the tag of AES-GCM


class Records(Scenario):
    def test_the_first_after_a_rest_is_short_and_then_they_are_full(self):
        node = self.node(start=False)
        self.self_signed(node.directory, "site.example")
        node.write_config(self.config().replace("127.0.0.1:0\n", "127.0.0.1:0\n    tls: {certificates: "
                                                "[{chain: cert.pem, key: key.pem}]}\n", 1))
        node.start()
        self.origin.auto = lambda request: request.reply(body=b"b" * 100_000, headers={"Cache-Control": "max-age=3600"})
        self.sizes(node)  # stored from here on, so that the whole is at hand when the answer begins
        self.assertEqual(self.sizes(node)[:4], [FIRST + TAG, FULL + TAG, FULL + TAG, FULL + TAG])

    def sizes(self, node):
        """Of the records of a cached answer on a new connection, the tickets before it left out."""
        with node.connect() as conn:
            got, out, wire = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
            tls = self.client_tls().wrap_bio(got, out, server_hostname="site.example")
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    conn.sendall(out.read())
                    got.write(conn.recv(1 << 20))
            tls.write(b"GET /a HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
            conn.sendall(out.read())
            while piece := conn.recv(1 << 20):
                wire += piece
        sizes, at = [], 0
        while at < len(wire):
            sizes.append(int.from_bytes(wire[at + 3:at + 5], "big"))
            at += 5 + sizes[-1]
        return sizes[next(i for i, size in enumerate(sizes) if size >= FIRST):]


if __name__ == "__main__":
    unittest.main()
