#include "proxy/pipeline/forward.h"

#include <gtest/gtest.h>

#include "proxy/base/glob.h"

namespace verge::pipeline {
namespace {

http::RequestHead with(std::string_view name, std::string_view value) {
  http::RequestHead q;
  q.method = "GET";
  q.headers.add(name, value);
  return q;
}

TEST(Forward, DropsFieldsThatWouldChangeTheQuestion) {
  for (const char* name : {"X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-HTTP-Method",
                           "X-Method-Override", "Forwarded", "X-Forwarded-Host", "X-Forwarded-For", "X-Host"}) {
    EXPECT_TRUE(forwarded_headers(with(name, "x"), ForwardRules{}, false).empty()) << name;
  }
}

TEST(Forward, HandsOnEverythingElse) {
  for (const char* name : {"cookie", "authorization", "accept", "user-agent", "x-amz-date", "foo"}) {
    EXPECT_TRUE(forwarded_headers(with(name, "x"), ForwardRules{}, true).has(name)) << name;
  }
}

TEST(Forward, TakesConditionsOutOnlyWhereTheCacheAnswersThem) {
  for (const char* name : {"if-none-match", "if-modified-since", "range", "if-range"}) {
    EXPECT_FALSE(forwarded_headers(with(name, "x"), ForwardRules{}, true).has(name)) << name;
    EXPECT_TRUE(forwarded_headers(with(name, "x"), ForwardRules{}, false).has(name)) << name;
  }
}

TEST(Glob, StarMatchesAnyRunOfCharacters) {
  EXPECT_TRUE(glob_match("/a/*", "/a/"));
  EXPECT_TRUE(glob_match("/a/*", "/a/b/c"));
  EXPECT_TRUE(glob_match("*.js", "/x/y.js"));
  EXPECT_TRUE(glob_match("/blog/*/comments", "/blog/a/b/comments"));
  EXPECT_FALSE(glob_match("/a/*", "/a"));
  EXPECT_FALSE(glob_match("/a", "/a/"));
  EXPECT_TRUE(glob_match("*", ""));
}

TEST(Glob, ManyStarsCostNoMoreThanTheirProduct) {
  std::string pattern, text(2000, 'a');
  for (int i = 0; i < 500; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", text));
}

TEST(Forward, SaysThatSurrogateControlIsObeyedOnlyWhereTheRouteWantsIt) {
  auto headers = forwarded_headers(with("surrogate-capability", "evil=\"ESI/1.0\""), {}, true);
  announce_surrogate(headers, {});
  EXPECT_EQ(headers.get("surrogate-capability"), "evil=\"ESI/1.0\"");
  policy::Rules rules;
  rules.surrogate_capability = true;
  rules.surrogate_id = "edge1";
  announce_surrogate(headers, rules);
  EXPECT_EQ(headers.joined("surrogate-capability"), "edge1=\"Surrogate/1.0\"");
}

} // namespace
} // namespace verge::pipeline
