"""Partial content: several ranges, stored parts, their combination and completion."""

import http.client
import re
import subprocess
import unittest

from harness import PATIENCE, Scenario

FRESH = {"Cache-Control": "max-age=60"}
V1 = {**FRESH, "ETag": '"v1"'}
BODY = bytes(range(ord("a"), ord("z") + 1)) * 4  # 104 octets, each with its place


def part(request, first, last, headers, body=BODY, length=None):
    """The origin's 206 with these octets of `body`."""
    complete = len(body) if length is None else length
    request.reply(status=206, reason="Partial Content", body=body[first:last + 1],
                  headers={**headers, "Content-Range": f"bytes {first}-{last}/{complete}"})


def as_asked(request, headers, body=BODY):
    """The 206 that a plain origin gives to the Range of this request; a 416 behind the end, a 200 without Range."""
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.header("range") or "")
    condition = request.header("if-range")
    if not wanted or (condition and condition != headers.get("ETag")):
        return request.reply(body=body, headers=headers)
    if wanted.group(1):
        first = int(wanted.group(1))
        last = min(int(wanted.group(2) or len(body)), len(body) - 1)
    else:
        first, last = max(0, len(body) - int(wanted.group(2))), len(body) - 1
    if first >= len(body):
        return request.reply(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    return part(request, first, last, headers, body)


class SeveralRanges(Scenario):
    def check(self, answer, ranges, body, kind):
        self.assertEqual(answer.status, 206)
        self.assertIsNone(answer["content-range"])
        boundary = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{32})", answer["content-type"]).group(1)
        self.assertEqual(int(answer["content-length"]), len(answer.body))
        expected = b""
        for first, last in ranges:
            expected += (f"\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {first}-{last}/{len(body)}"
                         "\r\n\r\n").encode() + body[first:last + 1]
        expected += f"\r\n--{boundary}--\r\n".encode()
        self.assertEqual(answer.body, expected[2:])
        return boundary

    def test_several_ranges_of_a_stored_body_are_one_multipart_answer(self):
        node = self.node()
        asked = node.start_get("/m")
        self.origin.take().reply(body=BODY, headers={**V1, "Content-Type": "text/x-abc"})
        asked.result()
        one = node.get("/m", headers={"Range": "bytes=0-1, 10-12,-2"})
        b = self.check(one, [(0, 1), (10, 12), (102, 103)], BODY, "text/x-abc")
        two = node.get("/m", headers={"Range": "bytes=0-1,10-12"})
        self.assertNotEqual(b, self.check(two, [(0, 1), (10, 12)], BODY, "text/x-abc"))
        # What touches is one range, and one range is no multipart (RFC 9110 section 15.3.7.2).
        single = node.get("/m", headers={"Range": "bytes=0-4,5-9"})
        self.assertEqual((single.status, single.body, single["content-range"]), (206, BODY[:10], "bytes 0-9/104"))
        self.assertEqual(node.get("/m", headers={"Range": "bytes=0-1,5-6", "If-None-Match": '"v1"'}).status, 304)
        self.assertEqual(node.get("/m", headers={"Range": ",".join(f"{i * 3}-{i * 3}" for i in range(17))}).status, 200)
        self.assertEqual(self.origin.asked, 1)

    def test_several_ranges_of_a_body_on_disk(self):
        body = bytes((i * 7 + i // 251) % 256 for i in range(3 << 20))
        node = self.node()
        asked = node.start_get("/big")
        self.origin.take().reply(body=body, headers={**V1, "Content-Type": "video/x"})
        asked.result()
        answer = node.get("/big", headers={"Range": "bytes=5-70000,1000000-1200000,-65521"})
        self.check(answer, [(5, 70000), (1000000, 1200000), (len(body) - 65521, len(body) - 1)], body, "video/x")
        self.assertEqual(self.origin.asked, 1)

    def test_several_ranges_of_a_body_still_growing(self):
        node = self.node()
        first = node.start_get("/g")
        request = self.origin.take()
        request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nContent-Type: a/b\r\nCache-Control: max-age=60\r\n"
                     "ETag: \"g\"\r\n\r\n".encode() + BODY[:20])
        client = node.connect()
        client.sendall(b"GET /g HTTP/1.1\r\nHost: site.example\r\nRange: bytes=2-4,50-60\r\nConnection: close\r\n\r\n")
        seen = b""
        while b"\r\n\r\ncde" not in seen:
            seen += client.recv(65536)
        request.send(BODY[20:])
        while octets := client.recv(65536):
            seen += octets
        head, _, rest = seen.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
        self.assertEqual(len(rest), length)
        self.assertIn(b"bytes 50-60/104\r\n\r\n" + BODY[50:61] + b"\r\n--", rest)
        self.assertEqual(first.result().body, BODY)
        self.assertEqual(self.origin.asked, 1)

    def test_several_ranges_over_http2(self):
        node = self.node()
        asked = node.start_get("/m", host=f"127.0.0.1:{node.ports[0]}")
        self.origin.take().reply(body=BODY, headers={**V1, "Content-Type": "a/b"})
        asked.result()
        got = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-r", "0-1,5-7",
                              f"http://127.0.0.1:{node.ports[0]}/m"], capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual(got.stdout.count(b"Content-Range: bytes"), 2)
        self.assertIn(b"bytes 5-7/104\r\n\r\nfgh\r\n--", got.stdout)


class Parts(Scenario):
    def fetch_part(self, node, path, wanted, headers=V1, **kwargs):
        asked = node.start_get(path, headers={"Range": wanted, **kwargs})
        request = self.origin.take()
        as_asked(request, headers)
        return asked.result(), request

    def test_a_range_that_is_not_stored_goes_to_the_origin_as_it_is(self):
        node = self.node()
        answer, request = self.fetch_part(node, "/p", "bytes=10-19")
        self.assertEqual(request.header("range"), "bytes=10-19")
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, BODY[10:20], "bytes 10-19/104"))
        self.assertIn("stored", answer["cache-status"])
        for wanted, octets, said in (("bytes=10-19", BODY[10:20], "bytes 10-19/104"), ("bytes=12-13", b"mn", "bytes 12-13/104")):
            answer = node.get("/p", headers={"Range": wanted})
            self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, octets, said))
            self.assertIn("hit", answer["cache-status"])
        self.assertEqual(node.get("/p", headers={"Range": "bytes=104-"}).status, 416)
        self.assertEqual(self.origin.asked, 1)

    def test_suffix_and_open_ranges_are_answered_from_a_stored_end(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=-20")
        for wanted, octets in (("bytes=-5", BODY[-5:]), ("bytes=90-", BODY[90:]), ("bytes=84-85,-1", None)):
            answer = node.get("/p", headers={"Range": wanted})
            self.assertEqual(answer.status, 206)
            if octets:
                self.assertEqual(answer.body, octets)
        self.assertEqual(self.origin.asked, 1)

    def test_parts_of_one_version_are_joined_where_they_touch_or_overlap(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=10-19")
        self.fetch_part(node, "/p", "bytes=20-29")
        self.fetch_part(node, "/p", "bytes=5-12")
        answer = node.get("/p", headers={"Range": "bytes=5-29"})
        self.assertEqual((answer.body, answer["content-range"]), (BODY[5:30], "bytes 5-29/104"))
        self.assertEqual(self.origin.asked, 3)
        self.fetch_part(node, "/p", "bytes=0-50")
        answer, _ = self.fetch_part(node, "/p", "bytes=40-")
        self.assertEqual((answer.status, answer.body), (206, BODY[40:]))
        whole = node.get("/p")  # the parts became the whole
        self.assertEqual((whole.status, whole.body, whole["content-range"]), (200, BODY, None))
        self.assertEqual(self.origin.asked, 5)

    def test_parts_of_two_versions_are_never_joined(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-9")
        for tag in ('"v2"', 'W/"v1"'):
            self.fetch_part(node, "/p", "bytes=10-19", headers={**FRESH, "ETag": tag})
            asked = node.start_get("/p", headers={"Range": "bytes=0-9"})
            as_asked(self.origin.take(), V1)
            asked.result()

    def test_a_206_that_contradicts_itself_is_passed_and_not_kept(self):
        node = self.node()
        for n, headers in enumerate((
                {"Content-Range": "bytes 4-9/10"},  # six octets, five come
                {},
                {"Content-Range": "bytes 0-4/10", "Content-Type": "multipart/byteranges; boundary=x"},
                {"Content-Range": "bytes 5-9/10"},  # not what was asked for
                {"Content-Range": "bytes 4-0/10"}, {"Content-Range": "bytes 0-4/4"})):
            for _ in range(2):
                asked = node.start_get(f"/c{n}", headers={"Range": "bytes=0-4"})
                self.origin.take().reply(status=206, body="01234", headers={**V1, **headers})
                answer = asked.result()
                self.assertEqual((answer.status, answer.body), (206, b"01234"))
                self.assertEqual(answer["content-range"], headers.get("Content-Range"))

    def test_a_206_to_a_request_without_range_is_never_kept(self):
        node = self.node()
        for _ in range(2):
            asked = node.start_get("/c")
            part(self.origin.take(), 0, 9, V1)
            self.assertEqual(asked.result().status, 206)

    def test_a_206_of_another_length_than_it_says_is_cut_and_not_kept(self):
        node = self.node()
        for octets in (b"5\r\n01234\r\n0\r\n\r\n", b"c\r\n0123456789ab\r\n0\r\n\r\n"):
            asked = node.start_get("/c", headers={"Range": "bytes=0-9"})
            self.origin.take().send(b"HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\nETag: \"v1\"\r\n"
                                    b"Cache-Control: max-age=60\r\nContent-Range: bytes 0-9/104\r\n\r\n" + octets)
            with self.assertRaises(Exception):
                asked.result()
        self.fetch_part(node, "/c", "bytes=0-9")

    def test_an_origin_that_knows_no_ranges_is_stored_whole(self):
        node = self.node()
        asked = node.start_get("/w", headers={"Range": "bytes=10-19"})
        self.origin.take().reply(body=BODY, headers=V1)
        answer = asked.result()
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, BODY[10:20], "bytes 10-19/104"))
        self.assertEqual(node.get("/w").body, BODY)
        self.assertEqual(self.origin.asked, 1)

    def test_a_416_of_the_origin_is_passed(self):
        node = self.node()
        for _ in range(2):
            answer, _ = self.fetch_part(node, "/p", "bytes=200-")
            self.assertEqual((answer.status, answer["content-range"]), (416, "bytes */104"))

    def test_equal_range_requests_make_one_fetch(self):
        node = self.node()
        leader = node.start_get("/p", headers={"Range": "bytes=10-19"})
        request = self.origin.take()
        followers = [node.start_get("/p", headers={"Range": "bytes=10-19"}) for _ in range(5)]
        other = node.start_get("/p", headers={"Range": "bytes=40-49"})
        as_asked(self.origin.take(), V1)
        self.assertEqual(other.result().body, BODY[40:50])
        as_asked(request, V1)
        for asked in [leader, *followers]:
            self.assertEqual(asked.result().body, BODY[10:20])
        self.assertEqual(self.origin.asked, 2)

    def test_a_range_goes_on_for_its_followers_when_its_leader_leaves(self):
        node = self.node()
        leader = node.connect()
        leader.sendall(b"GET /p HTTP/1.1\r\nHost: site.example\r\nRange: bytes=10-19\r\n\r\n")
        request = self.origin.take()
        follower = node.start_get("/p", headers={"Range": "bytes=10-19"})
        leader.close()
        as_asked(request, V1)
        self.assertEqual(follower.result().body, BODY[10:20])
        self.assertEqual(self.origin.asked, 1)

    def test_a_range_whose_origin_breaks_off_is_cut_and_asked_for_anew(self):
        node = self.node()
        leader = node.start_get("/p", headers={"Range": "bytes=10-19"})
        request = self.origin.take()
        request.send(f"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 10-19/104\r\n"
                     "Cache-Control: max-age=60\r\n\r\nklm")
        request.close()
        with self.assertRaises(http.client.IncompleteRead):
            leader.result()
        answer, _ = self.fetch_part(node, "/p", "bytes=10-19")
        self.assertEqual(answer.body, BODY[10:20])

    def test_a_range_reads_along_with_the_whole_that_is_under_way(self):
        node = self.node()
        whole = node.start_get("/p")
        request = self.origin.take()
        request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nCache-Control: max-age=60\r\n\r\n".encode() + BODY[:50])
        self.assertEqual(node.get("/p", headers={"Range": "bytes=10-19"}).body, BODY[10:20])
        near = node.start_get("/p", headers={"Range": "bytes=-5"})
        request.send(BODY[50:])
        self.assertEqual(near.result().body, BODY[-5:])
        self.assertEqual(whole.result().body, BODY)
        self.assertEqual(self.origin.asked, 1)

    def test_a_range_far_ahead_of_the_whole_is_asked_for_itself(self):
        node = self.node()
        size = 64 << 20
        whole = node.connect()
        whole.sendall(b"GET /f HTTP/1.1\r\nHost: site.example\r\n\r\n")
        request = self.origin.take()
        request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nCache-Control: max-age=60\r\nETag: \"f\"\r\n\r\n0123")
        self.assertEqual(node.get("/f", headers={"Range": "bytes=0-3"}).body, b"0123")
        far = node.start_get("/f", headers={"Range": f"bytes={size - 4}-"})
        request = self.origin.take()
        self.assertEqual(request.header("range"), f"bytes={size - 4}-")
        request.reply(status=206, body="last", headers={**FRESH, "ETag": '"f"', "Content-Range": f"bytes {size - 4}-{size - 1}/{size}"})
        self.assertEqual(far.result().body, b"last")
        whole.close()

    def test_the_rest_of_a_part_from_the_beginning_is_fetched_for_a_whole(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        asked = node.start_get("/p")
        request = self.origin.take()
        self.assertEqual((request.header("range"), request.header("if-range")), ("bytes=40-", '"v1"'))
        as_asked(request, V1)
        answer = asked.result()
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (200, BODY, None))
        self.assertIn("fwd=partial; fwd-status=206", answer["cache-status"])
        self.assertIn("hit", node.get("/p")["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_a_part_whose_whole_has_changed_is_fetched_anew(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        asked = node.start_get("/p")
        self.origin.take().reply(body="new", headers={**FRESH, "ETag": '"v2"'})
        self.assertEqual(asked.result().body, b"new")
        self.assertEqual(node.get("/p").body, b"new")

    def test_a_rest_of_another_version_is_never_joined(self):
        for headers in ({**FRESH, "ETag": '"v2"'}, FRESH):
            node = self.node()
            self.fetch_part(node, "/p", "bytes=0-39")
            asked = node.start_get("/p")
            part(self.origin.take(), 40, len(BODY) - 1, headers)
            request = self.origin.take()
            self.assertIsNone(request.header("range"))
            request.reply(body="other", headers=headers)
            self.assertEqual(asked.result().body, b"other")
            node.stop()

    def test_a_whole_that_the_origin_cuts_short_is_kept_as_a_part_and_completed(self):
        node = self.node()
        asked = node.start_get("/p")
        request = self.origin.take()
        request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n"
                     "\r\n".encode() + BODY[:50])
        request.close()
        with self.assertRaises(http.client.IncompleteRead) as cut:
            asked.result()
        self.assertEqual(cut.exception.partial, BODY[:50])
        self.assertEqual(node.get("/p", headers={"Range": "bytes=40-49"}).body, BODY[40:50])
        asked = node.start_get("/p")
        request = self.origin.take()
        self.assertEqual((request.header("range"), request.header("if-range")), ("bytes=50-", '"v1"'))
        as_asked(request, V1)
        self.assertEqual(asked.result().body, BODY)
        self.assertIn("hit", node.get("/p")["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_a_whole_that_is_cut_short_without_a_strong_validator_is_not_kept(self):
        node = self.node()
        asked = node.start_get("/p")
        request = self.origin.take()
        request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nETag: W/\"v1\"\r\nCache-Control: max-age=60\r\n"
                     "\r\n".encode() + BODY[:50])
        request.close()
        with self.assertRaises(http.client.IncompleteRead):
            asked.result()
        asked = node.start_get("/p")
        request = self.origin.take()
        self.assertIsNone(request.header("range"))
        request.reply(body=BODY, headers=V1)
        self.assertEqual(asked.result().body, BODY)

    def test_two_clients_complete_one_part_with_one_fetch(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        clients = [node.start_get("/p") for _ in range(4)]
        request = self.origin.take()
        as_asked(request, V1)
        for client in clients:
            self.assertEqual(client.result().body, BODY)
        self.assertEqual(self.origin.asked, 2)

    def test_a_purge_takes_the_parts_with_it(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        self.assertEqual(node.purge("http://site.example/p").returncode, 0)
        self.fetch_part(node, "/p", "bytes=0-9")
        self.assertEqual(self.origin.asked, 2)

    def test_a_post_drops_the_parts(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        asked = node.start_get("/p", method="POST", body=b"x")
        self.origin.take().reply(body="saved")
        asked.result()
        self.fetch_part(node, "/p", "bytes=0-9")

    def test_a_stale_part_is_validated(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39", headers={"Cache-Control": "max-age=0", "ETag": '"v1"'})
        asked = node.start_get("/p", headers={"Range": "bytes=5-9"})
        request = self.origin.take()
        self.assertEqual((request.header("if-none-match"), request.header("range")), ('"v1"', "bytes=5-9"))
        request.reply(status=304, headers=V1)
        answer = asked.result()
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, BODY[5:10], "bytes 5-9/104"))
        self.assertIn("hit", node.get("/p", headers={"Range": "bytes=30-39"})["cache-status"])
        self.assertEqual(self.origin.asked, 2)

    def test_conditions_are_judged_by_a_stored_part(self):
        node = self.node()
        self.fetch_part(node, "/p", "bytes=0-39")
        self.assertEqual(node.get("/p", headers={"If-None-Match": '"v1"'}).status, 304)
        self.assertEqual(node.get("/p", headers={"Range": "bytes=0-1", "If-None-Match": '"v1"'}).status, 304)
        self.assertEqual(node.get("/p", headers={"Range": "bytes=0-1", "If-Range": '"v1"'}).body, b"ab")
        self.assertEqual(self.origin.asked, 1)
        asked = node.start_get("/p", headers={"Range": "bytes=0-1", "If-Range": '"v0"'})
        request = self.origin.take()
        self.assertEqual((request.header("if-range"), request.header("range")), ('"v0"', "bytes=0-1"))
        as_asked(request, V1)
        self.assertEqual(asked.result().body, BODY)

    def test_parts_are_kept_apart_by_vary(self):
        node = self.node()
        headers = {**V1, "Vary": "X-Lang"}
        self.fetch_part(node, "/p", "bytes=0-9", headers=headers, **{"X-Lang": "de"})
        self.fetch_part(node, "/p", "bytes=0-9", headers=headers, **{"X-Lang": "en"})
        self.assertEqual(node.get("/p", headers={"Range": "bytes=0-9", "X-Lang": "de"}).body, BODY[:10])
        self.assertEqual(self.origin.asked, 2)

    def test_a_private_part_is_passed(self):
        node = self.node()
        for _ in range(2):
            answer, _ = self.fetch_part(node, "/p", "bytes=5-9", headers={"Cache-Control": "private", "ETag": '"v1"'})
            self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, BODY[5:10], "bytes 5-9/104"))

    def test_a_part_larger_than_memory_is_stored_on_disk_and_outlives_a_restart(self):
        body = bytes((i * 7 + i // 251) % 256 for i in range(4 << 20))
        node = self.node()
        asked = node.start_get("/p", headers={"Range": "bytes=0-2999999"})
        as_asked(self.origin.take(), V1, body)
        self.assertEqual(asked.result().body, body[:3000000])
        node.stop()
        node.start()
        self.assertEqual(node.get("/p", headers={"Range": "bytes=1000000-2000000"}).body, body[1000000:2000001])
        asked = node.start_get("/p")
        request = self.origin.take()
        self.assertEqual(request.header("range"), "bytes=3000000-")
        as_asked(request, V1, body)
        self.assertEqual(asked.result().body, body)
        self.assertEqual(node.get("/p").body, body)
        self.assertEqual(self.origin.asked, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
