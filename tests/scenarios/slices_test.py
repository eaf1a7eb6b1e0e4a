"""Slicing: a large body is fetched and stored in pieces, on demand."""

import http.client
import re
import subprocess
import unittest

from harness import PATIENCE, Scenario

SLICE = 64 << 10
BODY = bytes((i * 7 + i // 251) % 256 for i in range(4 * SLICE + 1000))  # five slices, the last one short
OTHER = BODY[::-1]
FRESH = {"Cache-Control": "max-age=60"}
V1 = {**FRESH, "ETag": '"v1"'}
V2 = {**FRESH, "ETag": '"v2"'}


def range_of(request):
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("range") or "")
    return (int(found.group(1)), int(found.group(2) or 1 << 60)) if found else None


def serve(request, body=BODY, headers=V1):
    """What an origin that knows ranges answers."""
    wanted = range_of(request)
    if request.header("if-none-match") and request.header("if-none-match") == headers.get("ETag"):
        return request.reply(status=304, headers=headers)
    if not wanted or (request.header("if-range") and request.header("if-range") != headers.get("ETag")):
        return request.reply(body=body, headers=headers)
    first, last = wanted[0], min(wanted[1], len(body) - 1)
    if first >= len(body):
        return request.reply(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    return request.reply(status=206, body=body[first:last + 1],
                         headers={**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"})


class Slices(Scenario):
    def setUp(self):
        super().setUp()
        self.served = []  # the slices that the origin was asked for
        self.version = (BODY, V1)

    def sliced(self, **kwargs):
        return self.node(route=", cache: {slice: 64KiB}", **kwargs)

    def automatic(self):
        def answer(request):
            wanted = range_of(request)
            self.served.append(wanted[0] // SLICE if wanted else None)
            serve(request, *self.version)
        self.origin.auto = answer

    def take(self, index):
        request = self.origin.take()
        self.assertEqual(request.header("range"), f"bytes={index * SLICE}-{(index + 1) * SLICE - 1}")
        return request

    def test_a_body_is_fetched_in_slices_and_read_as_one(self):
        self.automatic()
        node = self.sliced()
        answer = node.get("/v")
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (200, BODY, None))
        self.assertEqual(int(answer["content-length"]), len(BODY))
        self.assertEqual(self.served, [0, 1, 2, 3, 4])
        node.wait_for_metric("verge_cache_ram_entries", 5)
        answer = node.get("/v")
        self.assertEqual(answer.body, BODY)
        self.assertIn("hit", answer["cache-status"])
        self.assertEqual(len(self.served), 5)

    def test_a_seek_fetches_only_the_slices_it_needs(self):
        self.automatic()
        node = self.sliced()
        first, last = 2 * SLICE + 5, 3 * SLICE + 9
        answer = node.get("/v", headers={"Range": f"bytes={first}-{last}"})
        self.assertEqual((answer.status, answer.body), (206, BODY[first:last + 1]))
        self.assertEqual(answer["content-range"], f"bytes {first}-{last}/{len(BODY)}")
        self.assertEqual(self.served, [2, 3])
        node.wait_for_metric("verge_cache_ram_entries", 2)
        answer = node.get("/v", headers={"Range": f"bytes={3 * SLICE}-"})
        self.assertEqual(answer.body, BODY[3 * SLICE:])
        self.assertEqual(self.served, [2, 3, 4])
        self.assertIn("fwd=partial", answer["cache-status"])
        self.assertEqual(node.get("/v").body, BODY)
        self.assertEqual(sorted(self.served), [0, 1, 2, 3, 4])

    def test_the_end_of_a_body_whose_length_is_not_known(self):
        self.automatic()
        node = self.sliced()
        answer = node.get("/v", headers={"Range": "bytes=-500"})
        self.assertEqual((answer.status, answer.body), (206, BODY[-500:]))
        self.assertEqual(self.served, [0, 4])

    def test_several_ranges_and_http2(self):
        self.automatic()
        node = self.sliced()
        ranges = f"{3 * SLICE - 2}-{3 * SLICE + 1},10-19,-5"
        answer = node.get("/v", headers={"Range": "bytes=" + ranges})
        self.assertEqual((answer.status, int(answer["content-length"])), (206, len(answer.body)))
        for first, last in ((10, 19), (3 * SLICE - 2, 3 * SLICE + 1), (len(BODY) - 5, len(BODY) - 1)):
            part = f"Content-Range: bytes {first}-{last}/{len(BODY)}\r\n\r\n".encode() + BODY[first:last + 1] + b"\r\n--"
            self.assertIn(part, answer.body)
        url = f"http://127.0.0.1:{node.ports[0]}/v"
        got = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", url], capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual(got.stdout, BODY)
        got = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-r", ranges, url], capture_output=True,
                             timeout=PATIENCE, check=True)
        self.assertEqual(len(got.stdout), len(answer.body))

    def test_the_next_slice_is_fetched_while_one_is_sent(self):
        node = self.sliced()
        asked = node.start_get("/v")
        serve(self.take(0))
        ahead = self.take(1)
        self.assertEqual(ahead.header("if-range"), '"v1"')
        serve(ahead)
        for index in (2, 3, 4):
            serve(self.take(index))
        self.assertEqual(asked.result().body, BODY)

    def test_conditions_and_head_are_answered_from_the_first_slice(self):
        self.automatic()
        node = self.sliced()
        node.get("/v")
        node.wait_for_metric("verge_cache_ram_entries", 5)
        self.served.clear()
        head = node.get("/v", method="HEAD")
        self.assertEqual((head.status, head["content-length"], head["content-range"]), (200, str(len(BODY)), None))
        self.assertEqual(node.get("/v", headers={"If-None-Match": '"v1"'}).status, 304)
        self.assertEqual(node.get("/v", headers={"Range": "bytes=5-9", "If-Range": '"v1"'}).body, BODY[5:10])
        self.assertEqual(self.served, [])
        behind = node.get("/v", headers={"Range": f"bytes={len(BODY)}-"})
        self.assertEqual((behind.status, behind["content-range"]), (416, f"bytes */{len(BODY)}"))
        self.assertEqual(node.get("/v", headers={"Range": "bytes=5-9", "If-Range": '"v0"'}).body, BODY)

    def test_a_range_behind_the_last_slice_gets_the_origins_416(self):
        self.automatic()
        node = self.sliced()
        answer = node.get("/v", headers={"Range": f"bytes={9 * SLICE}-"})
        self.assertEqual((answer.status, answer["content-range"]), (416, f"bytes */{len(BODY)}"))

    def test_a_small_object_is_stored_whole(self):
        for body in (b"small", b"x" * SLICE):
            self.origin.auto = None
            node = self.sliced()
            asked = node.start_get("/s", headers={"Range": "bytes=1-3"})
            serve(self.take(0), body)
            self.assertEqual(asked.result().body, body[1:4])
            asked = self.origin.asked
            answer = node.get("/s")
            self.assertEqual((answer.status, answer.body), (200, body))
            self.assertIn("hit", answer["cache-status"])
            self.assertEqual(self.origin.asked, asked)

    def test_an_empty_object(self):
        self.version = (b"", V1)
        self.automatic()
        node = self.sliced()
        answer = node.get("/e")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(self.served, [0, None])

    def test_an_origin_that_knows_no_ranges_is_asked_for_the_whole_and_not_tried_each_time(self):
        node = self.sliced()
        node.stop()  # each loop finds out for itself: one of them here
        node.write_config(self.config(route=", cache: {slice: 64KiB}").replace("workers: 2", "workers: 1"))
        node.start()
        asked = node.start_get("/w", headers={"Range": "bytes=10-19"})
        self.take(0).reply(body=BODY, headers={"ETag": '"v1"', "Cache-Control": "max-age=0"})
        self.assertEqual(asked.result().body, BODY[10:20])
        self.assertEqual(node.purge("http://site.example/w").returncode, 0)
        asked = node.start_get("/w")
        request = self.origin.take()
        self.assertIsNone(request.header("range"))
        request.reply(body=BODY, headers=V1)
        self.assertEqual(asked.result().body, BODY)

    def test_an_origin_without_a_strong_validator_is_asked_in_the_ordinary_way(self):
        for headers in (FRESH, {**FRESH, "ETag": 'W/"v1"'}):
            node = self.sliced()
            asked = node.start_get("/w")
            serve(self.take(0), headers=headers)
            request = self.origin.take()
            self.assertIsNone(request.header("range"))
            request.reply(body=BODY, headers=headers)
            self.assertEqual(asked.result().body, BODY)
            asked = node.start_get("/x", headers={"Range": f"bytes={SLICE}-{SLICE + 9}"})
            serve(self.take(1), headers=headers)
            request = self.origin.take()
            self.assertEqual(request.header("range"), f"bytes={SLICE}-{SLICE + 9}")
            serve(request, headers=headers)
            self.assertEqual(asked.result().body, BODY[SLICE:SLICE + 10])
            node.stop()

    def test_a_private_body_is_not_sliced(self):
        node = self.sliced()
        asked = node.start_get("/me", headers={"Range": "bytes=5-9", "If-None-Match": '"x"'})
        private = {"Cache-Control": "private", "ETag": '"v1"'}
        serve(self.take(0), headers=private)
        request = self.origin.take()
        self.assertEqual((request.header("range"), request.header("if-none-match")), ("bytes=5-9", '"x"'))
        serve(request, headers=private)
        answer = asked.result()
        self.assertEqual((answer.status, answer.body, answer["content-range"]), (206, BODY[5:10], f"bytes 5-9/{len(BODY)}"))
        self.assertIn("detail=", answer["cache-status"])

    def test_an_object_that_changes_in_the_middle_is_cut_and_never_mixed(self):
        for changed in ("206", "200", "404"):
            node = self.sliced()
            asked = node.start_get("/v")
            serve(self.take(0))
            for _ in range(2):  # the one fetched ahead, and the client's own
                request = self.take(1)
                if changed == "206":
                    request.reply(status=206, body=OTHER[SLICE:2 * SLICE],
                                  headers={**V2, "Content-Range": f"bytes {SLICE}-{2 * SLICE - 1}/{len(BODY)}"})
                elif changed == "200":
                    request.reply(body=OTHER[:100], headers=V2)
                else:
                    request.reply(status=404, headers=FRESH)
            with self.assertRaises(http.client.IncompleteRead) as cut:
                asked.result()
            self.assertEqual(cut.exception.partial, BODY[:SLICE])
            self.origin.auto = lambda request: serve(request, OTHER, V2)
            answer = node.get("/v")
            self.assertEqual((answer.status, answer.body), (200, OTHER))
            self.origin.auto = None
            node.stop()

    def test_a_stored_slice_of_another_version_is_fetched_anew(self):
        self.version = (BODY, {"Cache-Control": "max-age=1000", "ETag": '"v1"'})
        self.automatic()
        node = self.sliced()
        node.get("/v", headers={"Range": f"bytes={SLICE}-"})
        self.version = (OTHER, V2)
        answer = node.get("/v")  # slice 0 is the new one; those of the old one do not fit it
        self.assertEqual(answer.body, OTHER)
        self.assertEqual(node.get("/v").body, OTHER)

    def test_stale_slices_are_validated_each_for_itself(self):
        self.version = (BODY, {"Cache-Control": "max-age=0", "ETag": '"v1"'})
        self.automatic()
        node = self.sliced()
        node.get("/v", headers={"Range": f"bytes=0-{2 * SLICE - 1}"})
        self.served.clear()
        bodies = []

        def fresh(request):
            bodies.append((range_of(request)[0] // SLICE, request.header("if-none-match")))
            serve(request)
        self.origin.auto = fresh
        self.assertEqual(node.get("/v", headers={"Range": f"bytes=0-{2 * SLICE - 1}"}).body, BODY[:2 * SLICE])
        self.assertEqual(bodies, [(0, '"v1"'), (1, '"v1"')])
        self.assertIn("hit", node.get("/v", headers={"Range": f"bytes=0-{2 * SLICE - 1}"})["cache-status"])

    def test_a_purge_takes_all_slices(self):
        node = self.sliced()
        for purge in (["http://site.example/v"], ["http://site.example/*"], ["--tag", "film"]):
            self.origin.auto = None
            self.automatic()
            self.version = (BODY, {**V1, "Cache-Tag": "film"})
            node.get("/v")
            self.served.clear()
            self.assertEqual(node.purge(*purge).returncode, 0, purge)
            self.version = (OTHER, V2)
            self.assertEqual(node.get("/v").body, OTHER)
            self.assertEqual(self.served, [0, 1, 2, 3, 4])
            self.assertEqual(node.purge("http://site.example/v").returncode, 0)

    def test_a_post_drops_the_slices(self):
        self.automatic()
        node = self.sliced()
        node.get("/v", headers={"Range": f"bytes={SLICE}-{SLICE + 9}"})
        node.get("/v", method="POST", body=b"x")
        self.served.clear()
        node.get("/v", headers={"Range": f"bytes={SLICE}-{SLICE + 9}"})
        self.assertEqual(self.served, [1])

    def test_a_purge_between_two_slices_has_the_rest_fetched_anew(self):
        node = self.sliced()
        asked = node.start_get("/v", headers={"Range": f"bytes=0-{3 * SLICE - 1}"})
        serve(self.take(0))
        ahead = self.take(1)
        self.assertEqual(node.purge("http://site.example/v").returncode, 0)
        self.automatic()
        serve(ahead)
        self.assertEqual(asked.result().body, BODY[:3 * SLICE])
        self.assertIn(2, self.served)
        self.version = (OTHER, V2)
        self.assertEqual(node.get("/v", headers={"Range": "bytes=0-9"}).body, OTHER[:10])

    def test_many_clients_share_each_slice(self):
        node = self.sliced()
        clients = [node.start_get("/v") for _ in range(8)]
        first = self.take(0)
        self.automatic()
        serve(first)
        for client in clients:
            self.assertEqual(client.result().body, BODY)
        self.assertEqual(sorted(self.served), [1, 2, 3, 4])

    def test_a_slice_that_the_origin_cuts_short_cuts_the_answer_and_is_not_stored(self):
        node = self.sliced()
        asked = node.start_get("/v")
        serve(self.take(0))
        request = self.take(1)
        request.send(f"HTTP/1.1 206 Partial Content\r\nContent-Length: {SLICE}\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n"
                     f"Content-Range: bytes {SLICE}-{2 * SLICE - 1}/{len(BODY)}\r\n\r\n".encode() + BODY[SLICE:SLICE + 100])
        serve(self.take(2))
        request.close()
        with self.assertRaises(http.client.IncompleteRead):
            asked.result()
        self.automatic()
        self.assertEqual(node.get("/v").body, BODY)
        self.assertIn(1, self.served)
        self.assertNotIn(0, self.served)

    def test_a_slice_with_other_octets_than_asked_is_not_stored(self):
        node = self.sliced()
        asked = node.start_get("/v")
        request = self.take(0)
        request.reply(status=206, body=BODY[:10], headers={**V1, "Content-Range": f"bytes 0-9/{len(BODY)}"})
        request = self.origin.take()
        self.assertIsNone(request.header("range"))
        request.reply(body=BODY, headers=V1)
        self.assertEqual(asked.result().body, BODY)

    def test_slices_outlive_a_restart_and_are_not_stored_twice(self):
        self.automatic()
        node = self.sliced()
        node.get("/v")
        node.stop()
        node.start()
        self.assertEqual(node.get("/v").body, BODY)
        self.assertEqual(node.get("/v", headers={"Range": "bytes=100000-200000"}).body, BODY[100000:200001])
        self.assertEqual(len(self.served), 5)
        self.assertEqual(node.metric("verge_stores_total"), 0)

    def test_an_error_of_the_origin_is_shown_as_it_is(self):
        node = self.sliced()
        asked = node.start_get("/no")
        self.take(0).reply(status=404, body="none", headers=FRESH)
        self.assertEqual((asked.result().status, node.get("/no").body), (404, b"none"))

    def test_the_log_and_the_field_tell_what_came_from_where(self):
        self.automatic()
        node = self.sliced()
        answer = node.get("/v", headers={"Range": "bytes=0-9"})
        self.assertIn("fwd=uri-miss; fwd-status=206", answer["cache-status"])
        self.assertIn("stored", answer["cache-status"])
        node.wait_for_metric("verge_cache_ram_entries", 1)  # the client has its ten octets before the slice is all here
        self.assertIn("fwd=partial", node.get("/v")["cache-status"])
        node.wait_for_metric("verge_cache_ram_entries", 5)
        node.get("/v")
        for said, count in (("miss", 1), ("partial", 1), ("hit", 1)):
            status = 206 if said == "miss" else 200
            node.wait_for_metric(f'verge_requests_total{{status="{status}",cache="{said}"}}', count)


if __name__ == "__main__":
    unittest.main(verbosity=2)
