#include <gtest/gtest.h>

#include "cache/invalidate/epochs.h"

namespace verge::cache {
namespace {

using Kind = Target::Kind;

void expect_target(std::string_view text, Kind kind, std::string_view host, std::string_view value) {
  const auto t = parse_target(text);
  ASSERT_TRUE(t.has_value()) << text << ": " << t.error().what;
  EXPECT_EQ(t->kind, kind) << text;
  EXPECT_EQ(t->host, host) << text;
  EXPECT_EQ(t->value, value) << text;
}

TEST(ParseTarget, APathIsExactOnEveryHost) {
  expect_target("/index.html", Kind::exact, "", "/index.html");
  expect_target("/a?x=1&y=2", Kind::exact, "", "/a?x=1&y=2");
  expect_target("/", Kind::exact, "", "/");
}

TEST(ParseTarget, AStarMakesAPattern) {
  expect_target("/img/*", Kind::pattern, "", "/img/*");
  expect_target("/img/*/a.png", Kind::pattern, "", "/img/*/a.png");
  expect_target("*.css", Kind::pattern, "", "/*.css");
  expect_target("/a**", Kind::pattern, "", "/a*");
}

TEST(ParseTarget, StarAloneIsAll) {
  expect_target("*", Kind::all, "", "");
  expect_target("/*", Kind::all, "", "");
  expect_target("https://www.example.com/*", Kind::all, "www.example.com", "");
  expect_target("https://*/*", Kind::all, "", "");
}

TEST(ParseTarget, AUrlNamesTheHostInLowerCaseWithoutPortAndSchemeIsIgnored) {
  expect_target("https://WWW.Example.COM/Ab", Kind::exact, "www.example.com", "/Ab");
  expect_target("HTTP://www.example.com:8080/a*", Kind::pattern, "www.example.com", "/a*");
  expect_target("https://[::1]:8443/a", Kind::exact, "[::1]", "/a");
  expect_target("https://www.example.com", Kind::exact, "www.example.com", "/");
  expect_target("https://www.example.com?x=1", Kind::exact, "www.example.com", "/?x=1");
}

TEST(ParseTarget, AHostMayStandWithoutScheme) {
  expect_target("www.example.com/a", Kind::exact, "www.example.com", "/a");
  expect_target("localhost/a", Kind::exact, "localhost", "/a");
  expect_target("localhost:8443/a", Kind::exact, "localhost", "/a");
}

TEST(ParseTarget, ThePathIsBroughtToTheNormalFormOfKeys) {
  expect_target("/a/../b/%7Euser/%2fx", Kind::exact, "", "/b/~user/%2Fx");
  expect_target("https://h.example/x/./*", Kind::pattern, "h.example", "/x/*");
}

TEST(ParseTarget, WhatCannotBeMeantIsRefusedWithAReason) {
  for (const char* text :
       {"", "index.html", "img/a.png", "ftp://h.example/a", "https:///a", "*.example.com/a", "https://*.example.com/a",
        "https://user@h.example/a", "/a b", "/a\n", "/a#top", "/%zz", "/../../a", "h.example:port/a"}) {
    const auto t = parse_target(text);
    ASSERT_FALSE(t.has_value()) << text;
    EXPECT_EQ(t.error().code, Errc::bad_input) << text;
    EXPECT_FALSE(t.error().what.empty()) << text;
  }
  EXPECT_FALSE(parse_target("/" + std::string(9'000, 'a')).has_value());
}

} // namespace
} // namespace verge::cache
