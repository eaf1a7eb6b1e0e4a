#include "proxy/pipeline/snapshot.h"

#include <gtest/gtest.h>

#include "cache/policy/storing.h"
#include "config/checks.h"

namespace verge::pipeline {
namespace {

std::shared_ptr<const Snapshot> compiled() {
  auto c = std::make_shared<config::Config>();
  c->origins["api"].name = "api";
  c->origins["web"].name = "web";
  const auto route = [](std::string match, std::string origin) {
    config::Route r;
    r.match = std::move(match);
    r.origin = std::move(origin);
    return r;
  };
  c->sites.push_back({{"www.example.com"}, {route("/api/*", "api"), route("/*", "web")}});
  c->sites.push_back({{"*.example.com"}, {route("/*", "web")}});
  c->sites.push_back({{"*.eu.example.com"}, {route("/*.js", "api")}});
  return Snapshot::compile(c);
}

TEST(Snapshot, TakesTheExactHostBeforeAWildcard) {
  const auto s = compiled();
  ASSERT_NE(s->site("www.example.com"), nullptr);
  EXPECT_EQ(s->site("www.example.com")->routes.size(), 2u);
  EXPECT_EQ(s->site("other.example.com")->routes.size(), 1u);
}

TEST(Snapshot, TakesTheLongestWildcard) {
  const auto s = compiled();
  EXPECT_EQ(s->site("a.eu.example.com")->routes.front().match, "/*.js");
  EXPECT_EQ(s->site("a.us.example.com")->routes.front().match, "/*");
}

TEST(Snapshot, AWildcardDoesNotCoverItsOwnDomainNorAnEmptyLabel) {
  const auto s = compiled();
  EXPECT_EQ(s->site("example.com"), nullptr);
  EXPECT_EQ(s->site(".example.com"), nullptr);
}

TEST(Snapshot, HasNoSiteForAnUnknownHostWithoutAStar) { EXPECT_EQ(compiled()->site("evil.example"), nullptr); }

TEST(Snapshot, TakesTheFirstRouteThatMatches) {
  const auto s = compiled();
  const auto* site = s->site("www.example.com");
  EXPECT_EQ(Snapshot::route(*site, "/api/x")->origin, "api");
  EXPECT_EQ(Snapshot::route(*site, "/apix")->origin, "web");
  EXPECT_EQ(Snapshot::route(*s->site("a.eu.example.com"), "/x.css"), nullptr);
  EXPECT_EQ(s->origins().at(Snapshot::route(*site, "/api/x")->origin_index)->name, "api");
}

policy::Rules rules_with(config::RouteCache cache) {
  auto c = std::make_shared<config::Config>();
  c->origins["web"].name = "web";
  config::Route route;
  route.match = "/*";
  route.origin = "web";
  route.cache = std::move(cache);
  c->sites.push_back({{"*"}, {route}});
  const auto s = Snapshot::compile(c);
  return Snapshot::route(*s->site("any"), "/")->rules;
}

TEST(Snapshot, TheDefaultsOfConfigAndPolicyAreTheSame) {
  const auto rules = rules_with({});
  const policy::Rules plain;
  EXPECT_EQ(rules.honoured, plain.honoured);
  EXPECT_EQ(rules.targets, plain.targets);
  EXPECT_EQ(rules.surrogate_id, plain.surrogate_id);
  EXPECT_EQ(rules.tag_headers, plain.tag_headers);
  EXPECT_EQ(rules.strip, plain.strip);
  EXPECT_EQ(rules.negative, plain.negative);
}

TEST(Snapshot, WhatIsStrippedFollowsTheTagHeadersUnlessItIsSaid) {
  config::RouteCache cache;
  cache.tag_headers = {{"x-tags", ' '}};
  EXPECT_EQ(rules_with(cache).strip, (std::vector<std::string>{"verge-cache-control", "surrogate-control", "x-tags"}));
  cache.strip.emplace();
  EXPECT_TRUE(rules_with(cache).strip.empty());
}

TEST(Snapshot, TheConfigRefusesANegativeTtlWherePolicyNeverStores) {
  for (int status = 400; status < 600; ++status) {
    EXPECT_EQ(config::answers_one_request(status), policy::about_the_request(status)) << status;
  }
}

} // namespace
} // namespace verge::pipeline
