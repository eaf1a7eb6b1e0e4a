#include "cache/policy/cache_status.h"

#include <gtest/gtest.h>

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

TEST(CacheStatus, OfAHit) {
  EXPECT_EQ(format({.hit = true, .forward_status = {}, .ttl = 42s}, "verge"), "verge; hit; ttl=42");
}

TEST(CacheStatus, OfAMissThatWasStored) {
  EXPECT_EQ(format({.forward = Forward::uri_miss, .forward_status = 200, .ttl = {}, .stored = true}, "verge"),
            "verge; fwd=uri-miss; fwd-status=200; stored");
}

TEST(CacheStatus, OfAStaleResponseThatWasValidated) {
  EXPECT_EQ(format({.forward = Forward::stale,
                    .forward_status = 304,
                    .ttl = 60s,
                    .stored = true,
                    .collapsed = true,
                    .detail = "lmdb"},
                   "verge"),
            "verge; fwd=stale; fwd-status=304; ttl=60; stored; collapsed; detail=lmdb");
}

TEST(CacheStatus, AStaleHitHasANegativeTtl) {
  EXPECT_EQ(format({.hit = true, .forward_status = {}, .ttl = -30s}, "verge"), "verge; hit; ttl=-30");
}

TEST(CacheStatus, AHitIsNeverForwarded) {
  EXPECT_EQ(
      format(
          {.hit = true, .forward = Forward::stale, .forward_status = 200, .ttl = {}, .stored = true, .collapsed = true},
          "verge"),
      "verge; hit");
}

TEST(CacheStatus, EachReasonIsTheWordOfRfc9211) {
  const std::pair<Forward, std::string_view> words[] = {
      {Forward::none, ""},       {Forward::bypass, "bypass"},     {Forward::method, "method"},
      {Forward::miss, "miss"},   {Forward::uri_miss, "uri-miss"}, {Forward::vary_miss, "vary-miss"},
      {Forward::stale, "stale"}, {Forward::request, "request"},   {Forward::partial, "partial"}};
  for (const auto& [forward, word] : words) EXPECT_EQ(to_string(forward), word);
}

TEST(CacheStatus, TheDetailIsATokenOrAString) {
  CacheStatus s{.hit = true, .forward_status = {}, .ttl = {}, .detail = "set-cookie"};
  EXPECT_EQ(format(s, "verge"), "verge; hit; detail=set-cookie");
  s.detail = "two words";
  EXPECT_EQ(format(s, "verge"), "verge; hit; detail=\"two words\"");
  s.detail = "a\"b\\c\n\xc3\xbc";
  EXPECT_EQ(format(s, "verge"), "verge; hit; detail=\"a\\\"b\\\\c???\"");
  s.detail = "1st";
  EXPECT_EQ(format(s, "verge"), "verge; hit; detail=\"1st\"");
}

TEST(CacheStatus, TheKeyIsAlwaysAString) {
  CacheStatus s;
  s.hit = true;
  s.key = "https://a.example/x?a=\"b\"";
  EXPECT_EQ(format(s, "verge"), R"(verge; hit; key="https://a.example/x?a=\"b\"")");
  s.key = "token";
  EXPECT_EQ(format(s, "verge"), R"(verge; hit; key="token")");
  s.key = "https://a.example/\nheader:x=1";
  EXPECT_EQ(format(s, "verge"), R"(verge; hit; key="https://a.example/?header:x=1")");
}

TEST(CacheStatus, TheNameIsATokenOrAString) {
  EXPECT_EQ(format({.hit = true, .forward_status = {}, .ttl = {}}, "edge-1.example.net"), "edge-1.example.net; hit");
  EXPECT_EQ(format({.hit = true, .forward_status = {}, .ttl = {}}, "edge one"), "\"edge one\"; hit");
  EXPECT_EQ(format({.hit = true, .forward_status = {}, .ttl = {}}, ""), "\"\"; hit");
}

} // namespace
} // namespace verge::policy
