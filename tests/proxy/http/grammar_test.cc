#include "proxy/http/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http/message.h"

namespace verge::http {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;

TEST(Grammar, ATokenIsOneOrMoreTchars) {
  EXPECT_TRUE(is_token("GET"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const auto& bad : {""s, "a b"s, "a:"s, "a\t"s, "\x80"s, "a\0"s, "(a)"s, "a/b"s, "\"a\""s, "a,b"s, "a;"s}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
}

TEST(Grammar, AFieldValueHasNoControlsButTab) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a b\tc"));
  EXPECT_TRUE(is_field_value("caf\xc3\xa9 in a long enough value"));
  // Wherever the octet lies, for the check goes by words of eight.
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'\0', '\r', '\n', '\x01', '\x1f', '\x7f'}) {
        std::string s(size, 'x');
        s[at] = c;
        EXPECT_FALSE(is_field_value(s)) << at << " of " << size << " " << static_cast<int>(c);
      }
      std::string s(size, '\xff');
      if (at != 0 && at != size - 1) s[at] = '\t';
      EXPECT_TRUE(is_field_value(s)) << at << " of " << size;
    }
  }
}

TEST(Grammar, AFieldValueHasNoWhiteSpaceAtItsEnds) {
  EXPECT_FALSE(is_field_value(" a"));
  EXPECT_FALSE(is_field_value("a "));
  EXPECT_FALSE(is_field_value("\ta"));
  EXPECT_FALSE(is_field_value(" "));
}

TEST(Grammar, AnAuthorityIsAHostAndPerhapsAPort) {
  for (const auto* good : {"example.com", "example.com:8080", "example.com:", "127.0.0.1", "[::1]", "[2001:db8::1]:443",
                           "xn--bcher-kva.example", "a_b.example", "localhost:0", "a%41.example", "h:65535"}) {
    EXPECT_TRUE(is_authority(good)) << good;
  }
}

TEST(Grammar, AnAuthorityWithAnythingElseIsRefused) {
  for (const auto& bad : {""s,
                          ":80"s,
                          "a b"s,
                          "a@b"s,
                          "user:pw@host"s,
                          "a/b"s,
                          "a?b"s,
                          "a#b"s,
                          "a\\b"s,
                          "a,b"s,
                          "a:b"s,
                          "a:65536"s,
                          "a:999999"s,
                          "a:-1"s,
                          "a:80:80"s,
                          "[::1"s,
                          "[]"s,
                          "[::g]"s,
                          "[1.2.3.4]"s,
                          "::1"s,
                          "[::1]x"s,
                          "[::1]:x"s,
                          "a\0"s,
                          "a\x7f"s,
                          "caf\xc3\xa9"s,
                          "a%4"s,
                          "a%zz"s,
                          "a\tb"s,
                          "[fe80::1%25eth0]"s,
                          "a:+80"s,
                          "http://a"s,
                          "<a>"s}) {
    EXPECT_FALSE(is_authority(bad)) << bad;
  }
}

TEST(Grammar, ATargetIsAPathOfVisibleAsciiWithoutFragment) {
  for (const auto* good : {"/", "/a?b", "*", "/%00", "/a|b", "//x", "/?#"}) {
    EXPECT_EQ(is_target(good), std::string_view(good).find('#') == std::string_view::npos) << good;
  }
  for (const auto& bad : {""s, "a"s, "/a b"s, "/a\t"s, "/\x80"s, "/a#b"s, "**"s, "/\x7f"s, "/a\0"s}) {
    EXPECT_FALSE(is_target(bad)) << bad;
  }
}

TEST(Grammar, ListsAreCutAtCommasOutsideOfQuotes) {
  EXPECT_THAT(list_members("a, b ,\tc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(list_members(", ,a,,b,"), ElementsAre("a", "b"));
  EXPECT_THAT(list_members("a=\"x,y\", b"), ElementsAre("a=\"x,y\"", "b"));
  EXPECT_THAT(list_members("\"a\\\",b\", c"), ElementsAre("\"a\\\",b\"", "c"));
  EXPECT_TRUE(list_members("").empty());
  EXPECT_TRUE(list_members(" , ").empty());
}

TEST(Grammar, DigitsFit63Bits) {
  EXPECT_EQ(parse_digits("0"), 0u);
  EXPECT_EQ(parse_digits("007"), 7u);
  EXPECT_EQ(parse_digits("9223372036854775807"), 9223372036854775807u);
  for (const auto* bad :
       {"", "+1", "-1", "1 ", " 1", "0x1", "1,1", "9223372036854775808", "18446744073709551617", "1.0"}) {
    EXPECT_FALSE(parse_digits(bad)) << bad;
  }
}

TEST(Grammar, AuthoritiesAreSplitIntoHostAndPort) {
  EXPECT_EQ(split_authority("a:80").host, "a");
  EXPECT_EQ(split_authority("a:80").port, 80);
  EXPECT_EQ(split_authority("a").port, std::nullopt);
  EXPECT_EQ(split_authority("a:").port, std::nullopt);
  EXPECT_EQ(split_authority("[::1]:8443").host, "[::1]");
  EXPECT_EQ(split_authority("[::1]:8443").port, 8443);
  EXPECT_EQ(split_authority("[::1]").host, "[::1]");
}

TEST(Grammar, HopByHopFieldsAndWhatConnectionNominatesAreRemoved) {
  Headers h;
  h.add("Connection", "close, X-Foo");
  h.add("connection", "x-bar,,Authorization, cache-control, cookie, host, content-length, set-cookie");
  for (const auto* name : {"x-foo", "x-bar", "x-baz", "authorization", "cache-control", "cookie", "host",
                           "content-length", "set-cookie", "keep-alive", "proxy-connection", "proxy-authenticate",
                           "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}) {
    h.add(name, "1");
  }
  remove_hop_by_hop(h);
  std::vector<std::string> left;
  for (const Field f : h) left.emplace_back(f.name);
  EXPECT_THAT(left,
              ElementsAre("x-baz", "authorization", "cache-control", "cookie", "host", "content-length", "set-cookie"));
}

TEST(Grammar, ReasonPhrasesAreThoseOfTheRegistry) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(599), "Unknown");
  EXPECT_EQ(to_string(Version::http10), "HTTP/1.0");
  EXPECT_EQ(to_string(Version::http2), "HTTP/2.0");
}

} // namespace
} // namespace verge::http
