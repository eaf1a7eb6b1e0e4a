#include "cache/policy/key.h"

#include <gtest/gtest.h>

namespace verge::policy {
namespace {

std::string normal(std::string_view raw) {
  const auto path = normal_path(raw);
  return path ? *path : "error: " + path.error().what;
}

TEST(NormalPath, LeavesANormalOneAsItIs) {
  for (const std::string_view path : {"/", "/a/b", "/a//b", "//", "/a/", "/.well-known/x", "/a..b", "/...", "/a.",
                                      "/!$&'()*+,;=:@-._~", "/a%2Fb", "/%20%C3%BC", "/a/.b", "/a/..b", "/a/b..", "*"}) {
    EXPECT_EQ(normal(path), path);
  }
}

TEST(NormalPath, RemovesDotSegments) { // the example of RFC 3986 section 5.2.4, and the ends
  EXPECT_EQ(normal("/a/b/c/./../../g"), "/a/g");
  EXPECT_EQ(normal("/."), "/");
  EXPECT_EQ(normal("/./"), "/");
  EXPECT_EQ(normal("/a/."), "/a/");
  EXPECT_EQ(normal("/a/.."), "/");
  EXPECT_EQ(normal("/a/../"), "/");
  EXPECT_EQ(normal("/a/b/.."), "/a/");
  EXPECT_EQ(normal("/a/./b"), "/a/b");
  EXPECT_EQ(normal("/a//../b"), "/a/b");
  EXPECT_EQ(normal("//.."), "/");
}

TEST(NormalPath, SeesDotsThatAreEncoded) {
  EXPECT_EQ(normal("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(normal("/a/.%2e/b"), "/b");
  EXPECT_EQ(normal("/%2e/b"), "/b");
}

TEST(NormalPath, DecodesUnreservedOctetsAndRaisesHexDigits) {
  EXPECT_EQ(normal("/%61%7E%2d%5F%30"), "/a~-_0");
  EXPECT_EQ(normal("/%c3%bc%2f%3a"), "/%C3%BC%2F%3A");
  EXPECT_EQ(normal("/%2561"), "/%2561"); // once only
}

TEST(NormalPath, EncodesWhatMustBe) {
  EXPECT_EQ(normal("/a b\"<>\\^`{|}[]"), "/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D");
  EXPECT_EQ(normal("/\xc3\xbc\x7f"), "/%C3%BC%7F");
}

TEST(NormalPath, ABackslashIsNoSlash) { EXPECT_EQ(normal("/a\\..\\b"), "/a%5C..%5Cb"); }

TEST(NormalPath, RefusesWhatLeadsAboveTheRoot) {
  for (const std::string_view path : {"/..", "/../a", "/a/../..", "/a/../../b", "/%2e%2e/a", "/./../a"}) {
    const auto r = normal_path(path);
    ASSERT_FALSE(r) << path;
    EXPECT_EQ(r.error().code, Errc::bad_input);
    EXPECT_EQ(r.error().side, Side::client);
  }
}

TEST(NormalPath, RefusesBrokenEscapesAndNul) {
  using namespace std::string_view_literals;
  for (const std::string_view path : {"/%"sv, "/%4"sv, "/%zz"sv, "/%4g"sv, "/a%"sv, "/%00"sv, "/a\0b"sv, "/%%41"sv}) {
    ASSERT_FALSE(normal_path(path)) << path;
    EXPECT_EQ(normal_path(path).error().code, Errc::bad_input);
  }
}

TEST(NormalPath, RefusesWhatIsNoPath) {
  EXPECT_FALSE(normal_path(""));
  EXPECT_FALSE(normal_path("a/b"));
}

TEST(KeyText, IsTheUri) {
  EXPECT_EQ(key_text("https", "www.example.com", "/a/b", true, "x=1"), "https://www.example.com/a/b?x=1");
  EXPECT_EQ(key_text("http", "www.example.com:8080", "/", false, ""), "http://www.example.com:8080/");
}

TEST(KeyText, LeavesTheSchemesOwnPortOut) {
  EXPECT_EQ(key_text("https", "a.example:443", "/", false, ""), "https://a.example/");
  EXPECT_EQ(key_text("http", "a.example:80", "/", false, ""), "http://a.example/");
  EXPECT_EQ(key_text("http", "a.example:443", "/", false, ""), "http://a.example:443/");
  EXPECT_EQ(key_text("https", "a.example:80", "/", false, ""), "https://a.example:80/");
  EXPECT_EQ(key_text("https", "a.example:", "/", false, ""), "https://a.example/");
  EXPECT_EQ(key_text("https", "a.example:0443", "/", false, ""), "https://a.example/");
}

TEST(KeyText, KnowsTheColonsOfAnAddress) {
  EXPECT_EQ(key_text("https", "[::1]", "/", false, ""), "https://[::1]/");
  EXPECT_EQ(key_text("https", "[::1]:443", "/", false, ""), "https://[::1]/");
  EXPECT_EQ(key_text("https", "[2001:DB8::443]:8443", "/", false, ""), "https://[2001:db8::443]:8443/");
}

TEST(KeyText, HostsKnowNoCaseAndPathsDo) {
  EXPECT_EQ(key_text("https", "WWW.Example.COM", "/A", true, "B"), "https://www.example.com/A?B");
}

TEST(KeyText, AnEmptyQueryIsNotNoQuery) {
  EXPECT_NE(key_text("https", "a", "/", true, ""), key_text("https", "a", "/", false, ""));
}

TEST(KeyParts, AreTheHostAndThePathWithItsQuery) {
  const auto parts = key_parts("https://www.example.com:8443/a/b?u=http://x:1/");
  EXPECT_EQ(parts.host, "www.example.com");
  EXPECT_EQ(parts.path_and_query, "/a/b?u=http://x:1/");
  EXPECT_EQ(key_parts("https://[::1]:8443/a").host, "[::1]");
  EXPECT_EQ(key_parts("https://[::1]/a").host, "[::1]");
  EXPECT_EQ(key_parts("https://a/?x").path_and_query, "/?x");
}

TEST(KeyParts, EndWhereWhatIsNotTheUrlBegins) {
  EXPECT_EQ(key_parts("https://a/b?x\nheader:accept=*").path_and_query, "/b?x");
  EXPECT_EQ(key_parts("https://a/\nslice=3").host, "a");
}

} // namespace
} // namespace verge::policy
