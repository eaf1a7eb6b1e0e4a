// What an HTTP/2 client must not do, and what it must not get us to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/http/h2_client.h"

namespace verge::http {
namespace {

using Fields = H2Client::Fields;
using ::testing::ElementsAre;

ResponseOut empty() {
  ResponseOut out;
  out.no_body = true;
  out.content_length = 0;
  return out;
}

struct Malformed {
  const char* why;
  Fields fields;
};
class MalformedH2 : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedH2, IsResetOrAnswered4xxAndNeverServed) {
  H2Client c;
  const int32_t bad = c.request(GetParam().fields);
  ASSERT_TRUE(c.exchange());
  EXPECT_TRUE(c.recorder.streams.empty()) << GetParam().why;
  const auto& answer = c.answers[bad];
  ASSERT_TRUE(answer.closed) << GetParam().why;
  const bool told = !answer.heads.empty() && answer.heads[0].starts_with(":status=4");
  EXPECT_TRUE(told || answer.code == NGHTTP2_PROTOCOL_ERROR) << GetParam().why;
  EXPECT_EQ(c.server->open_streams(), 0u);
  const int32_t good = c.get();
  ASSERT_TRUE(c.exchange());
  EXPECT_TRUE(c.recorder.streams.contains(good)) << "the connection goes on after: " << GetParam().why;
}

Fields with(const Fields& more) {
  Fields out = {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/"}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}
Fields at(const std::string& authority, const std::string& path = "/", const std::string& scheme = "https",
          const std::string& method = "GET") {
  return {{":method", method}, {":scheme", scheme}, {":authority", authority}, {":path", path}};
}

INSTANTIATE_TEST_SUITE_P(
    Table, MalformedH2,
    ::testing::Values(
        Malformed{"no method", {{":scheme", "https"}, {":authority", "a"}, {":path", "/"}}},
        Malformed{"no scheme", {{":method", "GET"}, {":authority", "a"}, {":path", "/"}}},
        Malformed{"no path", {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}}},
        Malformed{"no authority", {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}},
        Malformed{"empty path", at("a", "")}, Malformed{"path without slash", at("a", "b")},
        Malformed{"fragment", at("a", "/b#c")}, Malformed{"space in the path", at("a", "/b c")},
        Malformed{"obs-text in the path", at("a", "/\xc3\xa9")}, Malformed{"* with GET", at("a", "*")},
        Malformed{"absolute path", at("a", "https://a/")}, Malformed{"another scheme", at("a", "/", "ftp")},
        Malformed{"empty scheme", at("a", "/", "")}, Malformed{"userinfo", at("u@a")},
        Malformed{"empty authority", at("")}, Malformed{"authority with path", at("a/b")},
        Malformed{"authority with space", at("a b")}, Malformed{"bad port", at("a:b")},
        Malformed{"a list of hosts", at("a,b")}, Malformed{"method with space", at("a", "/", "https", "G T")},
        Malformed{"empty method", at("a", "/", "https", "")}, Malformed{"two paths", with({{":path", "/b"}})},
        Malformed{"two methods", with({{":method", "GET"}})},
        Malformed{"an unknown pseudo-field", with({{":foo", "1"}})}, Malformed{"a status", with({{":status", "200"}})},
        Malformed{"a pseudo-field after fields",
                  {{":method", "GET"}, {"a", "b"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}}},
        Malformed{"Host of another name", with({{"host", "evil.example"}})},
        Malformed{"Host twice", with({{"host", "example.com"}, {"host", "example.com"}})},
        Malformed{"connection", with({{"connection", "close"}})}, Malformed{"keep-alive", with({{"keep-alive", "5"}})},
        Malformed{"proxy-connection", with({{"proxy-connection", "x"}})},
        Malformed{"transfer-encoding", with({{"transfer-encoding", "chunked"}})},
        Malformed{"upgrade", with({{"upgrade", "h2c"}})}, Malformed{"te other than trailers", with({{"te", "gzip"}})},
        Malformed{"NUL in a value", with({{"a", std::string("b\0c", 3)}})},
        Malformed{"CRLF in a value", with({{"a", "b\r\nc: d"}})}, Malformed{"LF in a value", with({{"a", "b\nc"}})},
        Malformed{"space before a value", with({{"a", " b"}})}, Malformed{"space after a value", with({{"a", "b "}})},
        Malformed{"colon in a name", with({{"a:b", "c"}})}, Malformed{"space in a name", with({{"a b", "c"}})},
        Malformed{"CRLF in a name", with({{"a\r\nb", "c"}})}, Malformed{"an empty name", with({{"", "c"}})},
        Malformed{"a length that is no number", with({{"content-length", "x"}})},
        Malformed{"two lengths", with({{"content-length", "0"}, {"content-length", "0"}})},
        Malformed{"an empty length", with({{"content-length", ""}})},
        Malformed{"a length without body", with({{"content-length", "5"}})},
        Malformed{"an expectation we can't meet", with({{"expect", "200-ok"}})},
        Malformed{"CONNECT", {{":method", "CONNECT"}, {":authority", "a:443"}}}));

TEST(H2Abuse, UpperCaseNamesAreMalformed) {
  H2Client c;
  ASSERT_TRUE(c.exchange());
  // GET https://a/ in static table references, then a literal "A: b"; nghttp2 as a client would lower it.
  const std::string block = std::string(
                                "\x82\x87\x84\x41\x01"
                                "a") +
                            std::string(
                                "\x00\x01"
                                "A\x01"
                                "b",
                                5);
  ASSERT_TRUE(c.feed(H2Client::frame(NGHTTP2_HEADERS, 0x5, 1, block)));
  EXPECT_TRUE(c.recorder.streams.empty());
}

TEST(H2Abuse, ABodyOfAnotherLengthThanSaidIsReset) {
  for (const auto* length : {"3", "5"}) {
    H2Client c;
    H2Client::Body body{"four"};
    const int32_t id = c.post(body, {{"content-length", length}});
    ASSERT_TRUE(c.exchange());
    EXPECT_TRUE(c.answers[id].closed) << length;
    EXPECT_EQ(c.answers[id].code, static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR));
    ASSERT_TRUE(c.recorder.streams.contains(id));
    EXPECT_FALSE(c.recorder.streams.at(id).ended) << "a body that is not what was said is never whole";
    EXPECT_EQ(c.recorder.streams.at(id).closed, 1);
  }
}

TEST(H2Abuse, TooManyFieldsOrTooLargeAHeadIsAnswered431) {
  Limits limits;
  limits.head_bytes = 2'000;
  limits.fields = 10;
  const auto status = [&](const Fields& more) {
    H2Client c(limits);
    const int32_t id = c.get("/", more);
    EXPECT_TRUE(c.exchange());
    if (c.recorder.streams.contains(id)) return std::string("served");
    EXPECT_TRUE(c.answers[id].closed);
    return c.answers[id].heads.empty() ? std::string("reset") : c.answers[id].heads[0];
  };
  EXPECT_EQ(status(Fields(10, {"a", "b"})), "served");
  EXPECT_EQ(status(Fields(11, {"a", "b"})), ":status=431;content-length=0;");
  EXPECT_EQ(status(Fields(11, {"cookie", "a=b"})), ":status=431;content-length=0;") << "crumbs count";
  EXPECT_EQ(status({{"a", std::string(1'500, 'x')}}), "served");
  EXPECT_EQ(status({{"a", std::string(2'000, 'x')}}), ":status=431;content-length=0;");
}

TEST(H2Abuse, ATargetThatIsTooLongIsAnswered414) {
  Limits limits;
  limits.target_bytes = 100;
  H2Client c(limits);
  const int32_t id = c.get("/" + std::string(100, 'x'));
  ASSERT_TRUE(c.exchange());
  EXPECT_THAT(c.answers[id].heads, ElementsAre(":status=414;content-length=0;"));
}

// A head of which one octet on the wire becomes 4,000 in memory.
std::string bomb(int32_t id, size_t references) {
  std::string block(
      "\x82\x87\x84\x41\x01"
      "a",
      6);
  block += std::string(
               "\x40\x01"
               "x",
               3) +
           std::string("\x7f\xa1\x1e", 3) + std::string(4'000, 'y');
  block += std::string(references, '\xbe');
  std::string out;
  bool first = true;
  while (!block.empty() || first) {
    const size_t n = std::min<size_t>(block.size(), 16'384);
    const bool last = n == block.size();
    out += H2Client::frame(first ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
                           static_cast<uint8_t>((first ? 1 : 0) | (last ? 4 : 0)), id, block.substr(0, n));
    block.erase(0, n);
    first = false;
  }
  return out;
}

TEST(H2Abuse, AHeaderBombIsAnswered431OrEndsTheConnection) {
  H2Client c;
  ASSERT_TRUE(c.exchange());
  ASSERT_TRUE(c.feed(bomb(1, 60))); // 244,000 octets: over the limit, within reason
  ASSERT_TRUE(c.server->pump(c.pipe));
  EXPECT_TRUE(c.recorder.streams.empty());
  const auto result = c.feed(bomb(3, 30'000)); // 120 MB
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_input);
  EXPECT_EQ(result.error().side, Side::client);
  EXPECT_TRUE(c.recorder.streams.empty());
  ASSERT_TRUE(c.server->pump(c.pipe));
  EXPECT_TRUE(c.server->done());
}

TEST(H2Abuse, AllOpenHeadsTogetherAreBounded) {
  Limits limits;
  limits.head_bytes = 10'000;
  H2Client c(limits);
  for (int i = 0; i < 40; ++i) c.get("/", {{"a", std::string(9'000, 'x')}});
  ASSERT_TRUE(c.exchange());
  EXPECT_EQ(c.recorder.streams.size(), 17u);
  const int32_t first = c.recorder.streams.begin()->first;
  c.server->submit_head(first, empty());
  ASSERT_TRUE(c.exchange());
  const int32_t next = c.get("/", {{"a", std::string(9'000, 'x')}});
  ASSERT_TRUE(c.exchange());
  EXPECT_TRUE(c.recorder.streams.contains(next)) << "what has ended counts no more";
}

// Feeds `make(i)` until the server has enough; how many it took.
template <class Make>
int taken(H2Client& c, int most, Make make) {
  EXPECT_TRUE(c.exchange());
  for (int i = 0; i < most; ++i) {
    if (!c.feed(make(i))) {
      EXPECT_TRUE(c.server->pump(c.pipe));
      c.deliver();
      EXPECT_FALSE(c.goaways.empty());
      EXPECT_EQ(c.goaways.back().second, static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
      EXPECT_TRUE(c.server->done());
      return i;
    }
    EXPECT_TRUE(c.server->pump(c.pipe));
    c.pipe.octets.clear();
  }
  return most;
}

Limits calm() {
  Limits limits;
  limits.h2_cheap_frames = 100;
  return limits;
}

std::string request_frame(int32_t id, bool end = true) {
  return H2Client::frame(NGHTTP2_HEADERS, end ? 0x5 : 0x4, id,
                         std::string("\x82\x87\x84\x41\x01"
                                     "a",
                                     6));
}

TEST(H2Abuse, RapidResetEndsTheConnection) {
  H2Client c(calm());
  const int n = taken(c, 1'000, [](int i) {
    const int32_t id = 2 * i + 1;
    return request_frame(id) + H2Client::frame(NGHTTP2_RST_STREAM, 0, id, std::string("\0\0\0\x08", 4));
  });
  EXPECT_GE(n, 90);
  EXPECT_LE(n, 101);
}

TEST(H2Abuse, ResetsThatTheClientProvokesCountToo) {
  H2Client c(calm());
  const int n = taken(c, 1'000, [](int i) { // a window above 31 bits makes us reset the stream
    const int32_t id = 2 * i + 1;
    return request_frame(id) + H2Client::frame(NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff");
  });
  EXPECT_LE(n, 110);
}

TEST(H2Abuse, MalformedRequestsCountToo) {
  H2Client c(calm());
  const int n = taken(c, 1'000, [](int i) { // no authority
    return H2Client::frame(NGHTTP2_HEADERS, 0x5, 2 * i + 1, std::string("\x82\x87\x84", 3));
  });
  EXPECT_LE(n, 110);
}

TEST(H2Abuse, FloodsOfFramesWithoutUseEndTheConnection) {
  struct Flood {
    const char* why;
    std::function<std::string(int)> make;
  };
  const std::string zeros(8, '\0');
  const std::vector<Flood> floods = {
      {"PING", [&](int) { return H2Client::frame(NGHTTP2_PING, 0, 0, zeros); }},
      {"PING answers", [&](int) { return H2Client::frame(NGHTTP2_PING, 1, 0, zeros); }},
      {"SETTINGS", [](int) { return H2Client::frame(NGHTTP2_SETTINGS, 0, 0, ""); }},
      {"PRIORITY", [](int) { return H2Client::frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\x03\x01", 5)); }},
      {"unknown frames", [](int) { return H2Client::frame(0xbe, 0, 0, "x"); }},
      {"WINDOW_UPDATE", [](int) { return H2Client::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\0\0\0\x01", 4)); }},
      {"empty DATA", [](int i) { return i == 0 ? request_frame(1, false) : H2Client::frame(NGHTTP2_DATA, 0, 1, ""); }},
      {"DATA of padding",
       [](int i) {
         return i == 0 ? request_frame(1, false) : H2Client::frame(NGHTTP2_DATA, 8, 1, std::string("\x02\0\0", 3));
       }},
  };
  for (const auto& flood : floods) {
    H2Client c(calm());
    const int n = taken(c, 1'000, flood.make);
    EXPECT_LE(n, 110) << flood.why;
    EXPECT_GE(n, 90) << flood.why;
  }
}

TEST(H2Abuse, TheBudgetIsForTenSeconds) {
  H2Client c(calm());
  const std::string ping = H2Client::frame(NGHTTP2_PING, 0, 0, std::string(8, '\0'));
  ASSERT_TRUE(c.exchange());
  for (int span = 0; span < 5; ++span) {
    for (int i = 0; i < 90; ++i) ASSERT_TRUE(c.feed(ping)) << span;
    ASSERT_TRUE(c.server->pump(c.pipe));
    c.pipe.octets.clear();
    c.now += Seconds(10);
  }
}

TEST(H2Abuse, WindowUpdatesOfAClientThatTakesDataAreFree) {
  H2Client c(calm());
  const std::string block(16'384, 'x');
  c.recorder.request = [&](int32_t id) {
    ResponseOut out;
    c.server->submit_head(id, out);
  };
  const int32_t id = c.get();
  ASSERT_TRUE(c.exchange());
  for (int i = 0; i < 500; ++i) {
    c.server->submit_body(id, Slice::copy_of(block));
    ASSERT_TRUE(c.exchange());
    const std::string more("\0\0\x40\0", 4);
    ASSERT_TRUE(c.feed(H2Client::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, more))) << i;
    ASSERT_TRUE(c.feed(H2Client::frame(NGHTTP2_WINDOW_UPDATE, 0, id, more))) << i;
    c.take(id, block.size());
    c.output(); // its own updates, which we replaced
  }
}

TEST(H2Abuse, WhatIsNoHttp2EndsTheConnection) {
  H2Client c;
  const auto result = c.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_input);
  EXPECT_FALSE(c.feed("more"));
}

TEST(H2Abuse, AProtocolErrorIsToldByGoawayAndThenTheConnectionIsDone) {
  H2Client c;
  ASSERT_TRUE(c.exchange());
  (void)c.feed(H2Client::frame(NGHTTP2_DATA, 0, 0, "data on stream 0"));
  ASSERT_TRUE(c.server->pump(c.pipe));
  c.deliver();
  ASSERT_EQ(c.goaways.size(), 1u);
  EXPECT_EQ(c.goaways[0].second, static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR));
  EXPECT_TRUE(c.server->done());
}

TEST(H2Abuse, ManyStreamsStalledOnAClosedWindowHoldNoCopies) {
  H2Client c({}, {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const Slice shared = Slice::copy_of(std::string(60'000, 'x'));
  c.recorder.request = [&](int32_t id) {
    c.server->submit_head(id, ResponseOut{});
    c.server->submit_body(id, shared);
    c.server->submit_end(id);
  };
  for (int i = 0; i < 128; ++i) c.get();
  ASSERT_TRUE(c.exchange());
  EXPECT_EQ(c.pipe.slices, 0u);
  for (const auto& [id, seen] : c.recorder.streams) EXPECT_EQ(c.server->queued(id), 60'000u);
  EXPECT_EQ(c.recorder.streams.size(), 128u);
}

} // namespace
} // namespace verge::http
