#include "proxy/pipeline/keyed_targets.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verge::pipeline {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

// One site of two hosts: /s/* sorts and drops tracking, /shared/* shares its answers between hosts, the rest is plain.
std::shared_ptr<const Snapshot> compiled() {
  auto c = std::make_shared<config::Config>();
  c->origins["web"].name = "web";
  const auto route = [](std::string match) {
    config::Route r;
    r.match = std::move(match);
    r.origin = "web";
    return r;
  };
  auto sorted = route("/s/*"), shared = route("/shared/*");
  sorted.cache.key.query.drop_tracking = true;
  sorted.cache.key.query.sort = true;
  shared.cache.key.host = false;
  c->sites.push_back({{"www.example.com", "example.com"}, {sorted, shared, route("/*")}});
  c->sites.push_back({{"*"}, {route("/*")}});
  return Snapshot::compile(c);
}

std::vector<std::string> keyed(std::string_view text) {
  std::vector<cache::Target> targets{cache::parse_target(text).value()};
  add_keyed_targets(*compiled(), targets);
  std::vector<std::string> out;
  for (const auto& t : targets) out.push_back(fmt::format("{}|{}", t.host, t.value));
  return out;
}

TEST(KeyedTargets, AUrlIsAlsoNamedAsItsRouteFilesIt) {
  EXPECT_THAT(keyed("https://www.example.com/s/p?utm_source=x&b=1&a=2"),
              ElementsAre("www.example.com|/s/p?utm_source=x&b=1&a=2", "www.example.com|/s/p?a=2&b=1"));
}

TEST(KeyedTargets, AUrlOfAPlainRouteStaysAlone) {
  EXPECT_THAT(keyed("https://www.example.com/p?utm_source=x&b=1&a=2"),
              ElementsAre("www.example.com|/p?utm_source=x&b=1&a=2"));
  EXPECT_THAT(keyed("https://other.example/s/p?b=1&a=2"), ElementsAre("other.example|/s/p?b=1&a=2"));
}

TEST(KeyedTargets, APathWithoutAHostIsNamedAsEachSiteFilesIt) {
  EXPECT_THAT(keyed("/s/p?b=1&a=2"), ElementsAre("|/s/p?b=1&a=2", "|/s/p?a=2&b=1"));
}

TEST(KeyedTargets, AHostThatSharesItsAnswersIsNamedByTheOneThatStandsForIt) {
  EXPECT_THAT(keyed("https://example.com/shared/a"), ElementsAre("example.com|/shared/a", "www.example.com|/shared/a"));
  EXPECT_THAT(keyed("https://example.com/shared/*"),
              UnorderedElementsAre("example.com|/shared/*", "www.example.com|/shared/*"));
  EXPECT_THAT(keyed("https://example.com/*"), UnorderedElementsAre("example.com|", "www.example.com|"));
  EXPECT_THAT(keyed("https://www.example.com/shared/a"), ElementsAre("www.example.com|/shared/a"));
}

} // namespace
} // namespace verge::pipeline
