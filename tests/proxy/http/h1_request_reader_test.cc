#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/http/h1_reader.h"
#include "tests/proxy/http/transcript.h"

namespace verge::http {
namespace {

using std::string_literals::operator""s;

std::string head(const std::string& more, const std::string& line = "GET /a HTTP/1.1") {
  return line + "\r\nHost: example.com\r\n" + more + "\r\n";
}

std::string read(const std::string& wire) { return read_requests(wire, {}); }

// The status a request is refused with, 0 when it is taken. However it comes split, the answer must be the same.
int refused(const std::string& wire, const Limits& limits = {}) {
  const std::string whole = read_requests(wire, {}, limits);
  EXPECT_EQ(whole, read_requests(wire, every_byte(wire), limits)) << wire;
  const size_t at = whole.rfind("error ");
  return at == std::string::npos ? 0 : std::stoi(whole.substr(at + 6));
}

TEST(H1Request, APlainGetIsReadWithItsFields) {
  EXPECT_EQ(read("GET /a/b?c=d&e HTTP/1.1\r\nHost: Example.COM:8080\r\nAccept:  text/html \r\nX-Empty:\r\n\r\n"),
            "GET http://example.com:8080/a/b?c=d&e HTTP/1.1\n  accept: text/html\n  x-empty: \nbody=\nkeep\nidle\n");
}

TEST(H1Request, TheSchemeIsThatOfTheConnection) {
  EXPECT_TRUE(read_requests(head(""), {}, {}, true).starts_with("GET https://example.com/a"));
  EXPECT_TRUE(read_requests("GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\n\r\n", {}, {}, true)
                  .starts_with("GET https://example.com/a"));
}

TEST(H1Request, AnEmptyQueryIsNotTheSameAsNone) {
  H1RequestReader reader({}, false);
  const std::string wire = head("", "GET /a? HTTP/1.1");
  std::string_view in = wire;
  ASSERT_EQ(reader.next(in), H1Event::head);
  EXPECT_TRUE(reader.head().has_query);
  EXPECT_EQ(reader.head().target(), "/a?");
}

TEST(H1Request, FramingAndConnectionFieldsAreNotPassedOn) {
  EXPECT_EQ(
      read(head("Content-Length: 0\r\nConnection: keep-alive, X-Mine, Authorization\r\nX-Mine: 1\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: x\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"
                "Proxy-Authorization: x\r\nTrailer: x\r\nAuthorization: Basic x\r\n")),
      "GET http://example.com/a HTTP/1.1 length=0\n  http2-settings: x\n  authorization: Basic x\n"
      "body=\nkeep\nidle\n");
}

TEST(H1Request, BodiesByLengthAndByChunksAreRead) {
  EXPECT_EQ(read(head("Content-Length: 5\r\n", "POST / HTTP/1.1") + "hello"),
            "POST http://example.com/ HTTP/1.1 length=5 body\nbody=hello\nkeep\nidle\n");
  EXPECT_EQ(
      read(head("Transfer-Encoding: Chunked\r\n", "POST / HTTP/1.1") +
           "5\r\nhello\r\n00006;a=b;c=\"d e\"\r\n world\r\nA ;x\r\n0123456789\r\n0\r\nX-Sum: 1\r\nHost: x\r\n\r\n"),
      "POST http://example.com/ HTTP/1.1 body\nbody=hello world0123456789\n  x-sum: 1\nkeep\nidle\n");
}

TEST(H1Request, PipelinedRequestsComeOneAfterTheOther) {
  const std::string wire = head("Content-Length: 2\r\n", "POST /1 HTTP/1.1") + "ab" + head("", "GET /2 HTTP/1.1") +
                           "\r\n" + head("", "GET /3 HTTP/1.1");
  EXPECT_EQ(read(wire),
            "POST http://example.com/1 HTTP/1.1 length=2 body\nbody=ab\nkeep\n"
            "GET http://example.com/2 HTTP/1.1\nbody=\nkeep\n"
            "GET http://example.com/3 HTTP/1.1\nbody=\nkeep\nidle\n");
  H1RequestReader reader({}, false);
  std::string_view in = wire;
  EXPECT_EQ(reader.next(in), H1Event::head);
  EXPECT_EQ(reader.next(in), H1Event::body);
  EXPECT_EQ(reader.next(in), H1Event::end);
  EXPECT_TRUE(in.starts_with("GET /2")) << "what follows stays in the input";
  EXPECT_EQ(reader.next(in), H1Event::need_more) << "until reset";
}

TEST(H1Request, AHeadMovedAwayDoesNotDisturbTheNext) {
  H1RequestReader reader({}, false);
  const std::string wire = head("A: 1\r\n") + head("B: 2\r\n");
  std::string_view in = wire;
  ASSERT_EQ(reader.next(in), H1Event::head);
  const RequestHead first = std::move(reader.head());
  ASSERT_EQ(reader.next(in), H1Event::end);
  reader.reset();
  ASSERT_EQ(reader.next(in), H1Event::head);
  EXPECT_EQ(describe(first), "GET http://example.com/a HTTP/1.1\n  a: 1\n");
  EXPECT_EQ(describe(reader.head()), "GET http://example.com/a HTTP/1.1\n  b: 2\n");
}

TEST(H1Request, KeepAliveGoesByVersionAndConnection) {
  EXPECT_NE(read(head("")).find("keep\n"), std::string::npos);
  EXPECT_NE(read(head("Connection: Close\r\n")).find("close\n"), std::string::npos);
  EXPECT_NE(read(head("Connection: x, close\r\n")).find("close\n"), std::string::npos);
  EXPECT_NE(read(head("", "GET / HTTP/1.0")).find("close\n"), std::string::npos);
  EXPECT_NE(read(head("Connection: Keep-Alive\r\n", "GET / HTTP/1.0")).find("keep\n"), std::string::npos);
  EXPECT_NE(read(head("Connection: keep-alive, close\r\n", "GET / HTTP/1.0")).find("close\n"), std::string::npos);
}

TEST(H1Request, ExpectContinueIsToldApartFromTheFields) {
  EXPECT_EQ(read(head("Expect: 100-Continue\r\nContent-Length: 1\r\n", "PUT / HTTP/1.1") + "x"),
            "PUT http://example.com/ HTTP/1.1 length=1 body expect\nbody=x\nkeep\nidle\n");
  EXPECT_EQ(refused(head("Expect: 200-ok\r\n")), 417);
  EXPECT_EQ(refused(head("Expect: 100-continue, x\r\n")), 417);
  EXPECT_EQ(refused(head("Expect: x\r\n", "GET / HTTP/1.0")), 0) << "HTTP/1.0 has no expectations";
  EXPECT_EQ(read(head("Expect: 100-continue\r\n")).find("expect"), std::string::npos) << "nothing to wait for";
}

TEST(H1Request, TargetsOfEachForm) {
  EXPECT_TRUE(read("GET http://Example.com:80/x?y HTTP/1.1\r\nHost: example.com:80\r\n\r\n")
                  .starts_with("GET http://example.com:80/x?y "));
  EXPECT_TRUE(read("GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET http://a/ "));
  EXPECT_TRUE(read("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET http://a/?q "));
  EXPECT_TRUE(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("OPTIONS http://a* "));
  EXPECT_TRUE(read("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("OPTIONS http://a* "));
  EXPECT_TRUE(read("GET /a HTTP/1.0\r\n\r\n").starts_with("GET http:///a HTTP/1.0")) << "HTTP/1.0 needs no Host";
  EXPECT_TRUE(read("GET http://a/ HTTP/1.0\r\n\r\n").starts_with("GET http://a/ HTTP/1.0"));
  EXPECT_TRUE(read("GET /a HTTP/1.7\r\nHost: a\r\n\r\n").starts_with("GET http://a/a HTTP/1.1")) << "RFC 9110 2.5";
}

TEST(H1Request, OneEmptyLineBeforeARequestIsTolerated) {
  EXPECT_EQ(refused("\r\n" + head("")), 0);
  EXPECT_EQ(refused("\r\n\r\n" + head("")), 400);
  EXPECT_EQ(refused("\n" + head("")), 400);
  EXPECT_EQ(refused("\r" + head("")), 400);
  EXPECT_EQ(refused(" " + head("")), 400);
  H1RequestReader reader({}, false);
  std::string_view in = "\r\n";
  EXPECT_EQ(reader.next(in), H1Event::need_more);
  EXPECT_TRUE(reader.idle());
  in = "G";
  EXPECT_EQ(reader.next(in), H1Event::need_more);
  EXPECT_FALSE(reader.idle());
}

TEST(H1Request, ATlsHelloIsRefusedAtItsFirstOctet) {
  H1RequestReader reader({}, false);
  std::string_view in = "\x16";
  EXPECT_FALSE(reader.next(in).has_value());
  EXPECT_EQ(reader.error_status(), 400);
  EXPECT_FALSE(reader.next(in).has_value()) << "an error is for good";
}

struct Row {
  const char* why;
  std::string wire;
  int status;
};

class Refused : public ::testing::TestWithParam<Row> {};

TEST_P(Refused, HoweverItIsSplit) {
  EXPECT_EQ(refused(GetParam().wire), GetParam().status) << GetParam().why << "\n" << read(GetParam().wire);
}

std::string chunked(const std::string& body) {
  return head("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1") + body;
}

std::string with_host(const std::string& host) { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }

INSTANTIATE_TEST_SUITE_P(
    Lines, Refused,
    ::testing::Values(Row{"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
                      Row{"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
                      Row{"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
                      Row{"bare CR in a field", head("A: b\rc: d\r\n"), 400}, Row{"CR CR LF", head("A: b\r\r\n"), 400},
                      Row{"folded field", head("A: b\r\n c\r\n"), 400},
                      Row{"fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", 400},
                      Row{"space before the colon", head("A : b\r\n"), 400},
                      Row{"tab before the colon", head("A\t: b\r\n"), 400},
                      Row{"Content-Length with a space before the colon", head("Content-Length : 5\r\n"), 400},
                      Row{"NUL in a value", head("A: b\0c\r\n"s), 400},
                      Row{"DEL in a value", head("A: b\x7f\r\n"), 400}, Row{"NUL in a name", head("A\0: b\r\n"s), 400},
                      Row{"empty name", head(": b\r\n"), 400}, Row{"no colon", head("Ab\r\n"), 400},
                      Row{"a name that is no token", head("A(b): c\r\n"), 400},
                      Row{"obs-text in a name", head("\xc3\xa9: c\r\n"), 400}));

INSTANTIATE_TEST_SUITE_P(
    RequestLines, Refused,
    ::testing::Values(
        Row{"HTTP/0.9", "GET /\r\n", 400}, Row{"one word", "GET\r\n\r\n", 400},
        Row{"two spaces", head("", "GET  / HTTP/1.1"), 400},
        Row{"space in the target", head("", "GET /a b HTTP/1.1"), 400},
        Row{"tab as separator", head("", "GET\t/ HTTP/1.1"), 400},
        Row{"space at the end", head("", "GET / HTTP/1.1 "), 400},
        Row{"a method that is no token", head("", "G(T / HTTP/1.1"), 400},
        Row{"a method of 40 octets", head("", std::string(40, 'M') + " / HTTP/1.1"), 501},
        Row{"HTTP/2.0", head("", "GET / HTTP/2.0"), 505}, Row{"HTTP/3", head("", "GET / HTTP/3"), 505},
        Row{"HTTP/0.9 by name", head("", "GET / HTTP/0.9"), 505}, Row{"HTTP/1", head("", "GET / HTTP/1"), 400},
        Row{"HTTP/1.10", head("", "GET / HTTP/1.10"), 400}, Row{"HTTP/01.1", head("", "GET / HTTP/01.1"), 400},
        Row{"lower case", head("", "GET / http/1.1"), 400}, Row{"HTTP/1.x", head("", "GET / HTTP/1.x"), 400},
        Row{"another protocol", head("", "GET / ICY/1.1"), 400}, Row{"HTTP/", head("", "GET / HTTP/"), 400},
        Row{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Row{"fragment", head("", "GET /a#b HTTP/1.1"), 400},
        Row{"obs-text in the target", head("", "GET /\xc3\xa9 HTTP/1.1"), 400},
        Row{"NUL in the target", head("", "GET /\0 HTTP/1.1"s), 400}, Row{"no path", head("", "GET a HTTP/1.1"), 400},
        Row{"* without OPTIONS", head("", "GET * HTTP/1.1"), 400},
        Row{"CONNECT", head("", "CONNECT example.com:443 HTTP/1.1"), 405},
        Row{"CONNECT of a path", head("", "CONNECT / HTTP/1.1"), 405},
        Row{"another scheme", head("", "GET ftp://example.com/ HTTP/1.1"), 400},
        Row{"scheme without authority", head("", "GET http:/a HTTP/1.1"), 400},
        Row{"empty authority", head("", "GET http:///a HTTP/1.1"), 400},
        Row{"userinfo", head("", "GET http://u@example.com/ HTTP/1.1"), 400}));

INSTANTIATE_TEST_SUITE_P(
    Hosts, Refused,
    ::testing::Values(Row{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
                      Row{"two Hosts", head("Host: example.com\r\n"), 400},
                      Row{"two Hosts in HTTP/1.0", head("Host: b\r\n", "GET / HTTP/1.0"), 400},
                      Row{"empty Host", with_host(""), 400}, Row{"a list of Hosts", with_host("a, b"), 400},
                      Row{"a list without space", with_host("a,b"), 400}, Row{"userinfo", with_host("u@a"), 400},
                      Row{"path", with_host("a/b"), 400}, Row{"fragment", with_host("a#b"), 400},
                      Row{"query", with_host("a?b"), 400}, Row{"backslash", with_host("a\\b"), 400},
                      Row{"space", with_host("a b"), 400}, Row{"port of letters", with_host("a:b"), 400},
                      Row{"port above 65535", with_host("a:65536"), 400}, Row{"URI", with_host("http://a"), 400},
                      Row{"half an IPv6 address", with_host("[::1"), 400}, Row{"obs-text", with_host("\xc3\xa9"), 400},
                      Row{"absolute form of another host", head("", "GET http://evil.example/ HTTP/1.1"), 400},
                      Row{"absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
                      Row{"absolute form of another port", head("", "GET http://example.com:81/ HTTP/1.1"), 400}));

INSTANTIATE_TEST_SUITE_P(
    Lengths, Refused,
    ::testing::Values(
        Row{"Content-Length and Transfer-Encoding",
            chunked("").substr(0, 17) + "Content-Length: 5\r\n" + chunked("").substr(17), 400},
        Row{"the other way round", head("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
        Row{"two lengths", head("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
        Row{"the same length twice", head("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        Row{"a list of lengths", head("Content-Length: 5, 5\r\n"), 400},
        Row{"an empty length first", head("Content-Length:\r\nContent-Length: 5\r\n"), 400},
        Row{"empty", head("Content-Length: \r\n"), 400}, Row{"plus", head("Content-Length: +5\r\n"), 400},
        Row{"minus", head("Content-Length: -5\r\n"), 400}, Row{"hex", head("Content-Length: 0x5\r\n"), 400},
        Row{"fraction", head("Content-Length: 5.0\r\n"), 400}, Row{"underscore", head("Content-Length: 1_0\r\n"), 400},
        Row{"64 bits", head("Content-Length: 9223372036854775808\r\n"), 400},
        Row{"overflow", head("Content-Length: 18446744073709551621\r\n"), 400},
        Row{"space inside", head("Content-Length: 5 5\r\n"), 400},
        Row{"HTTP/1.0 with chunked", head("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), 400},
        Row{"chunked twice", head("Transfer-Encoding: chunked, chunked\r\n"), 400},
        Row{"chunked on two lines", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        Row{"chunked not last", head("Transfer-Encoding: chunked, gzip\r\n"), 400},
        Row{"chunked and identity on two lines", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
            400},
        Row{"empty coding", head("Transfer-Encoding:\r\n"), 400},
        Row{"commas only", head("Transfer-Encoding: ,\r\n"), 400},
        Row{"parameter", head("Transfer-Encoding: chunked;q=1\r\n"), 400},
        Row{"quoted", head("Transfer-Encoding: \"chunked\"\r\n"), 400},
        Row{"vertical tab",
            head("Transfer-Encoding: \x0b"
                 "chunked\r\n"),
            400},
        Row{"unknown", head("Transfer-Encoding: xchunked\r\n"), 501},
        Row{"identity", head("Transfer-Encoding: identity\r\n"), 501},
        Row{"gzip, chunked", head("Transfer-Encoding: gzip, chunked\r\n"), 501}));

INSTANTIATE_TEST_SUITE_P(
    Chunks, Refused,
    ::testing::Values(Row{"bare LF after the size", chunked("5\nhello\r\n0\r\n\r\n"), 400},
                      Row{"bare LF after the data", chunked("5\r\nhello\n0\r\n\r\n"), 400},
                      Row{"bare LF in an extension", chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400},
                      Row{"bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400},
                      Row{"bare LF after the last chunk", chunked("0\n\r\n"), 400},
                      Row{"bare LF at the end", chunked("0\r\n\n"), 400}, Row{"no size", chunked("\r\nhello\r\n"), 400},
                      Row{"0x", chunked("0x5\r\nhello\r\n"), 400}, Row{"underscore", chunked("1_0\r\n"), 400},
                      Row{"plus", chunked("+5\r\nhello\r\n"), 400}, Row{"minus", chunked("-5\r\nhello\r\n"), 400},
                      Row{"space before", chunked(" 5\r\nhello\r\n"), 400},
                      Row{"space after", chunked("5 \r\nhello\r\n"), 400},
                      Row{"letters", chunked("5g\r\nhello\r\n"), 400},
                      Row{"17 digits", chunked("00000000000000005\r\nhello\r\n"), 400},
                      Row{"64 bits", chunked("8000000000000000\r\n"), 400},
                      Row{"all ones", chunked("ffffffffffffffff\r\n"), 400},
                      Row{"data longer than the size", chunked("5\r\nhello!\r\n0\r\n\r\n"), 400},
                      Row{"data shorter than the size", chunked("6\r\nhello\r\n0\r\n\r\n"), 400},
                      Row{"a CR alone after the data", chunked("5\r\nhello\rX"), 400},
                      Row{"a trailer that is no field", chunked("0\r\nGET / HTTP/1.1\r\n\r\n"), 400},
                      Row{"a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), 400},
                      Row{"a NUL in an extension", chunked("5;\0\r\nhello\r\n"s), 400}));

TEST(H1Request, LimitsAreKept) {
  Limits limits;
  limits.head_bytes = 300;
  limits.target_bytes = 50;
  limits.fields = 5;
  limits.chunk_ext_bytes = 10;
  limits.trailer_bytes = 20;
  EXPECT_EQ(refused(head("", "GET /" + std::string(49, 'a') + " HTTP/1.1"), limits), 0);
  EXPECT_EQ(refused(head("", "GET /" + std::string(50, 'a') + " HTTP/1.1"), limits), 414);
  EXPECT_EQ(refused("GET /" + std::string(5'000, 'a'), limits), 414) << "before the line has ended";
  EXPECT_EQ(refused(head("A: " + std::string(300, 'a') + "\r\n"), limits), 431);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(5'000, 'a'), limits), 431);
  EXPECT_EQ(refused(head("a:\r\nb:\r\nc:\r\nd:\r\n"), limits), 0);
  EXPECT_EQ(refused(head("a:\r\nb:\r\nc:\r\nd:\r\ne:\r\n"), limits), 431) << "Host counts too";
  const std::string post = head("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1");
  EXPECT_EQ(refused(post + "1;1234\r\na\r\n1;123\r\nb\r\n0\r\n\r\n", limits), 0);
  EXPECT_EQ(refused(post + "1;1234\r\na\r\n1;12345\r\nb\r\n0\r\n\r\n", limits), 400) << "of one body together";
  EXPECT_EQ(refused(post + "0\r\nA: 12345\r\n\r\n", limits), 0);
  EXPECT_EQ(refused(post + "0\r\nA: 12345\r\nB: 12345678\r\n\r\n", limits), 431);
  EXPECT_EQ(refused(post + "0\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\n\r\n", limits), 431);
}

TEST(H1Request, SplittingAtAnyPlaceChangesNothing) {
  const std::vector<std::string> corpus = {
      head("A: b\r\nConnection: x\r\nX: 1\r\n") + head("", "GET /?q HTTP/1.1"),
      head("Content-Length: 10\r\nExpect: 100-continue\r\n", "PUT /x HTTP/1.1") + "0123456789" + head(""),
      chunked("5\r\nhello\r\n3;ext=1\r\nabc\r\n0\r\nT: 1\r\nU: 2\r\n\r\n") + "\r\n" + head(""),
      chunked("1\r\na\r\n00\r\n\r\nG"), "\r\nGET http://a/b HTTP/1.0\r\nHost: a\r\n\r\n\r\n"};
  for (const auto& wire : corpus) {
    const std::string whole = read_requests(wire, {});
    EXPECT_EQ(whole.find("error"), std::string::npos) << whole;
    EXPECT_EQ(whole, read_requests(wire, every_byte(wire)));
    for (size_t cut = 1; cut < wire.size(); ++cut) {
      ASSERT_EQ(whole, read_requests(wire, {cut})) << "cut at " << cut << " of\n" << wire;
    }
  }
}

} // namespace
} // namespace verge::http
