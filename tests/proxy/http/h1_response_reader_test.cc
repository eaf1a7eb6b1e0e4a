#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/http/h1_reader.h"
#include "tests/proxy/http/transcript.h"

namespace verge::http {
namespace {

using std::string_literals::operator""s;

std::string read(const std::string& wire, std::string_view method = "GET", bool closed = false) {
  const std::string whole = read_response(wire, {}, method, closed);
  EXPECT_EQ(whole, read_response(wire, every_byte(wire), method, closed)) << "split at every octet:\n" << wire;
  return whole;
}

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

TEST(H1Response, BodiesByLengthChunksAndClose) {
  EXPECT_EQ(read(ok("Content-Length: 5\r\nETag: \"x\"\r\n", "hello")),
            "200 length=5\n  etag: \"x\"\nbody=hello\nkeep\n");
  EXPECT_EQ(read(ok("Content-Length: 0\r\n")), "200 length=0\nbody=\nkeep\n");
  EXPECT_EQ(read(ok("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nT: 1\r\n\r\n")),
            "200\nbody=abc\n  t: 1\nkeep\n");
  EXPECT_EQ(read(ok("A: b\r\n", "all of it"), "GET", true), "200\n  a: b\nbody=all of it\nclose\n");
  EXPECT_EQ(read(ok("A: b\r\n", "so far")), "200\n  a: b\nunfinished body=so far\n");
}

TEST(H1Response, SomeResponsesHaveNoBodyWhateverTheySay) {
  EXPECT_EQ(read(ok("Content-Length: 5\r\n"), "HEAD"), "200 length=5\nbody=\nkeep\n");
  EXPECT_EQ(read(ok("Transfer-Encoding: chunked\r\n"), "HEAD"), "200\nbody=\nkeep\n");
  EXPECT_EQ(read(ok(""), "HEAD"), "200\nbody=\nkeep\n");
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "304 length=5\nbody=\nkeep\n");
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n"), "204\nbody=\nkeep\n");
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), "204\nbody=\nclose\n") << "not to be trusted";
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"), "204\nbody=\nclose\n");
}

TEST(H1Response, ABodyWhereNoneMayBeStaysInTheInputForThePoolToSee) {
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\n\r\nhello"), "304\nbody=\nkeep\nleft=hello\n");
  EXPECT_EQ(read(ok("Content-Length: 2\r\n", "abHTTP/1.1 200")), "200 length=2\nbody=ab\nkeep\nleft=HTTP/1.1 200\n");
  EXPECT_EQ(read(ok("Content-Length: 5\r\n", "hello"), "HEAD"), "200 length=5\nbody=\nkeep\nleft=hello\n");
}

TEST(H1Response, InterimHeadsComeBeforeTheFinalOne) {
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
                 ok("Content-Length: 1\r\n", "a")),
            "100\n103\n  link: x\n200 length=1\nbody=a\nkeep\n");
}

TEST(H1Response, EndlessInterimHeadsAreRefused) {
  std::string wire;
  for (int i = 0; i < 100; ++i) wire += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_NE(read(wire).find("error"), std::string::npos);
}

TEST(H1Response, KeepAliveGoesByVersionAndConnection) {
  EXPECT_NE(read(ok("Content-Length: 0\r\nConnection: close\r\n")).find("close\n"), std::string::npos);
  EXPECT_NE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").find("close\n"), std::string::npos);
  EXPECT_NE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").find("keep\n"),
            std::string::npos);
}

TEST(H1Response, HopByHopFieldsAreNotPassedOn) {
  EXPECT_EQ(read(ok("Connection: keep-alive, X-Mine, Vary\r\nX-Mine: 1\r\nVary: a\r\nKeep-Alive: 1\r\nUpgrade: h2\r\n"
                    "Proxy-Authenticate: x\r\nTrailer: x\r\nContent-Length: 0\r\nServer: y\r\n")),
            "200 length=0\n  vary: a\n  server: y\nbody=\nkeep\n");
}

TEST(H1Response, TheReasonMayBeMissingOrAnything) {
  EXPECT_EQ(read("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), "200 length=0\nbody=\nkeep\n");
  EXPECT_EQ(read("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), "200 length=0\nbody=\nkeep\n");
  EXPECT_EQ(read("HTTP/1.1 200 Alles gut \xc3\xa9\r\nContent-Length: 0\r\n\r\n"), "200 length=0\nbody=\nkeep\n");
}

TEST(H1Response, ACutMessageIsNeverWhole) {
  for (const auto& wire :
       {""s, "HT"s, "HTTP/1.1 200 OK\r\nContent-Le"s, ok("Content-Length: 5\r\n", "hell"), ok("Content-Length: 5\r\n"),
        ok("Transfer-Encoding: chunked\r\n"), ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
        ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r"), "HTTP/1.1 100 Continue\r\n\r\n"s}) {
    const std::string got = read(wire, "GET", true);
    EXPECT_NE(got.find("error"), std::string::npos) << wire << got;
  }
}

TEST(H1Response, OnlyAConnectionThatDiedBeforeTheFirstOctetMayBeTriedAgain) {
  H1ResponseReader reader({});
  reader.expect("GET");
  const auto silent = reader.eof();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Errc::closed);
  EXPECT_EQ(silent.error().side, Side::origin);
  EXPECT_EQ(silent.error().retry, Retry::if_idempotent);
  for (const auto* wire : {"H", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    reader.expect("GET");
    std::string_view in = wire;
    while (reader.next(in) != H1Event::need_more) {
      if (reader.head().status == 100 && in.empty()) reader.reset_interim();
    }
    const auto cut = reader.eof();
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().retry, Retry::never) << wire;
  }
}

TEST(H1Response, OneReaderServesOneResponseAfterTheOther) {
  H1ResponseReader reader({});
  const std::string wire =
      ok("Content-Length: 1\r\n", "a") + ok("Content-Length: 1\r\n") + ok("Content-Length: 1\r\n", "b");
  std::string_view in = wire;
  for (const auto* method : {"GET", "HEAD", "GET"}) {
    reader.expect(method);
    ASSERT_EQ(reader.next(in), H1Event::head);
    if (method[0] == 'G') {
      ASSERT_EQ(reader.next(in), H1Event::body);
    }
    ASSERT_EQ(reader.next(in), H1Event::end);
    EXPECT_TRUE(reader.keep_alive());
  }
  EXPECT_TRUE(in.empty());
}

struct Lie {
  const char* why;
  std::string wire;
};
class LyingOrigin : public ::testing::TestWithParam<Lie> {};

TEST_P(LyingOrigin, IsFoundOut) {
  const std::string got = read(GetParam().wire, "GET", true);
  EXPECT_NE(got.find("error"), std::string::npos) << GetParam().why << "\n" << got;
  H1ResponseReader reader({});
  reader.expect("GET");
  std::string_view in = GetParam().wire;
  Result<H1Event> event;
  while ((event = reader.next(in)) && *event != H1Event::need_more) {
  }
  ASSERT_FALSE(event) << "an error before the end of the connection";
  EXPECT_EQ(event.error().side, Side::origin);
  EXPECT_FALSE(reader.keep_alive());
}

INSTANTIATE_TEST_SUITE_P(
    Table, LyingOrigin,
    ::testing::Values(
        Lie{"negative length", ok("Content-Length: -1\r\n", "x")},
        Lie{"overflowing length", ok("Content-Length: 18446744073709551617\r\n", "x")},
        Lie{"length of letters", ok("Content-Length: x\r\n", "x")}, Lie{"empty length", ok("Content-Length:\r\n", "x")},
        Lie{"differing lengths", ok("Content-Length: 1\r\nContent-Length: 2\r\n", "xy")},
        Lie{"repeated length", ok("Content-Length: 1\r\nContent-Length: 1\r\n", "x")},
        Lie{"listed length", ok("Content-Length: 1, 1\r\n", "x")},
        Lie{"both framings", ok("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n")},
        Lie{"unknown coding", ok("Transfer-Encoding: gzip\r\n", "x")},
        Lie{"gzip before chunked", ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        Lie{"chunked twice", ok("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
        Lie{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Lie{"bare LF in the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"},
        Lie{"bare LF in a field", ok("Content-Length: 0\n")}, Lie{"folded field", ok("A: b\r\n c\r\n")},
        Lie{"space before the colon", ok("A : b\r\n")}, Lie{"NUL in a value", ok("A: b\0\r\n"s)},
        Lie{"bare LF in a chunk size", ok("Transfer-Encoding: chunked\r\n", "1\nx\r\n0\r\n\r\n")},
        Lie{"chunk size with 0x", ok("Transfer-Encoding: chunked\r\n", "0x1\r\nx\r\n0\r\n\r\n")},
        Lie{"chunk longer than its size", ok("Transfer-Encoding: chunked\r\n", "1\r\nxyz\r\n0\r\n\r\n")},
        Lie{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"}, Lie{"no HTTP", "hello there, this is no HTTP\r\n\r\n"},
        Lie{"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
        Lie{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
        Lie{"a status below 100", "HTTP/1.1 099 OK\r\n\r\n"}, Lie{"a status above 599", "HTTP/1.1 600 OK\r\n\r\n"},
        Lie{"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"}, Lie{"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
        Lie{"switching protocols unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}));

TEST(H1Response, LimitsAreKept) {
  Limits limits;
  limits.head_bytes = 200;
  limits.fields = 3;
  const auto error = [&](const std::string& wire) {
    const auto got = read_response(wire, {}, "GET", false, limits);
    EXPECT_EQ(got, read_response(wire, every_byte(wire), "GET", false, limits));
    return got.find("error") != std::string::npos;
  };
  EXPECT_FALSE(error(ok("a:\r\nb:\r\nc:\r\n")));
  EXPECT_TRUE(error(ok("a:\r\nb:\r\nc:\r\nd:\r\n")));
  EXPECT_TRUE(error(ok("a: " + std::string(200, 'x') + "\r\n")));
  EXPECT_TRUE(error("HTTP/1.1 200 " + std::string(1'000, 'x')));
}

TEST(H1Response, SplittingAtAnyPlaceChangesNothing) {
  const std::vector<std::string> corpus = {ok("Content-Length: 5\r\nA: b\r\n", "hello"),
                                           ok("Transfer-Encoding: chunked\r\n", "3;x\r\nabc\r\n0\r\nT: 1\r\n\r\nmore"),
                                           "HTTP/1.1 100 Continue\r\n\r\n" + ok("", "until the end"),
                                           "HTTP/1.0 404 Not Found\r\n\r\n"};
  for (const auto& wire : corpus) {
    const std::string whole = read_response(wire, {}, "GET", true);
    for (size_t cut = 1; cut < wire.size(); ++cut) {
      ASSERT_EQ(whole, read_response(wire, {cut}, "GET", true)) << "cut at " << cut << " of\n" << wire;
    }
  }
}

} // namespace
} // namespace verge::http
