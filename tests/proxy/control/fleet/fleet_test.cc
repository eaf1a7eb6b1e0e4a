#include "proxy/control/fleet/fleet.h"

#include <nlohmann/json.hpp>

#include "tests/proxy/control/support/sns_world.h"

namespace verge::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kClose = "connection: close\r\n"; // the servers here take one request a connection

// A fleet of this node and another, which is a server that answers as a test says, and SNS, which is one too.
struct FleetTest : SnsWorld {
  FleetTest() {
    mine.name = "edge-1";
    mine.credentials.access_key_id = "AKIAEXAMPLE";
    mine.credentials.secret_access_key = "secret";
    mine.endpoint = sns.url();
    node.answer = [this](const std::string&) { return other(); };
    sns.answer = [](const std::string&) { return response(200, "<MessageId>m-1</MessageId>", kClose); };
  }
  ~FleetTest() override {
    fleet.reset();
    settle();
  }
  void open_fleet() { fleet = Fleet::create(mine, *engine, *cache, {*loop, *resolver}).value(); }
  std::string other() const {
    json out = {{"node", "edge-2"}, {"instance", "x"}, {"purges", json::array()}};
    for (const auto& id : has) {
      const auto* row = engine->log().find(id); // of the same targets
      out["purges"].push_back({{"id", id}, {"content", row ? row->content : ""}, {"seq", 4}, {"applied_at", 1}});
    }
    return response(200, out.dump());
  }
  Result<Purged> purge(const std::string& id, const std::string& target = "/a") {
    std::optional<Result<Purged>> out;
    engine->apply({.door = Door::admin, .who = "", .what = {{cache::parse_target(target).value()}, false, "", id}},
                  [&](Result<Purged> done) { out = std::move(done); });
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  std::shared_ptr<std::optional<Reply>> ask(const std::string& path, const std::string& query = "",
                                            const std::string& method = "GET") {
    http::RequestHead head;
    head.method = method;
    head.path = path;
    head.query = query;
    head.has_query = !query.empty();
    EXPECT_TRUE(Fleet::wants(head));
    auto out = std::make_shared<std::optional<Reply>>();
    fleet->answer(head, [out](Reply reply) { *out = std::move(reply); });
    return out;
  }
  json told(const std::string& path, const std::string& query = "") {
    const auto out = ask(path, query);
    EXPECT_TRUE(until([&] { return out->has_value(); }));
    return json::parse((*out)->body);
  }
  static uint64_t published(const std::string& result) {
    const std::string text = metrics::render(), row = "verge_fleet_publishes_total{result=\"" + result + "\"} ";
    const auto at = text.find(row);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + row.size()));
  }

  config::Fleet mine;
  LoopServer node{*loop, false}, sns{*loop, false};
  std::vector<std::string> has; // what the other node has applied
  std::unique_ptr<Fleet> fleet;
};

TEST_F(FleetTest, TellsWhatThisNodeApplied) {
  open_fleet();
  EXPECT_EQ((*ask("/purges/p-1"))->status, 404);
  const auto waiting = ask("/purges/p-1", "wait=5");
  EXPECT_FALSE(*waiting) << "left open";
  const auto done = purge("p-1");
  ASSERT_TRUE(until([&] { return waiting->has_value(); }));
  const auto body = json::parse((*waiting)->body);
  EXPECT_EQ(body["node"], "edge-1");
  EXPECT_EQ(body["id"], "p-1");
  EXPECT_EQ(body["seq"], done->seq);
  EXPECT_EQ(body["applied_at"], clock.wall().time_since_epoch().count());
  EXPECT_TRUE(body["applied_ms"].is_number());
  const auto several = told("/purges", "id=p-0,p-1&count=p-1&wait=5");
  EXPECT_EQ(several["purges"].size(), 1U);
  EXPECT_EQ(several["node"], "edge-1");
  EXPECT_TRUE(until([&] { return told("/purges/p-1")["entries"] == 0; })) << "counted since it was asked for";
}

TEST_F(FleetTest, NobodyWaitsLongerThanTheLimit) {
  mine.wait_limit = Seconds(2);
  open_fleet();
  const auto waiting = ask("/purges", "id=p-1&wait=600");
  EXPECT_FALSE(*waiting);
  advance(Seconds(1));
  EXPECT_FALSE(*waiting);
  advance(Millis(1'100));
  ASSERT_TRUE(*waiting);
  EXPECT_EQ(json::parse((*waiting)->body)["purges"].size(), 0U);
}

TEST_F(FleetTest, ReadsOnlyAndSaysWhatIsWrong) {
  open_fleet();
  EXPECT_EQ((*ask("/purges/p-1", "", "POST"))->status, 405);
  EXPECT_EQ((*ask("/purges/p-1", "wait=soon"))->status, 400);
  EXPECT_EQ((*ask("/purges/a%00b"))->status, 400);
  EXPECT_EQ((*ask("/purges/p-1/nodes"))->status, 404);
}

TEST_F(FleetTest, AsksTheOtherNodeWithTheTokenUntilItHasAppliedIt) {
  mine.nodes = {node.url()};
  mine.token = "t-fleet";
  open_fleet();
  EXPECT_TRUE(fleet->admits("t-fleet"));
  EXPECT_FALSE(fleet->admits("t-other"));
  EXPECT_FALSE(fleet->admits(""));
  ASSERT_TRUE(until([&] { return !node.requests.empty(); }));
  EXPECT_THAT(node.requests[0], StartsWith("GET /purges?id= HTTP/1.1\r\n"));
  EXPECT_THAT(node.requests[0], HasSubstr("authorization: Bearer t-fleet\r\n"));
  ASSERT_TRUE(until([&] { return fleet->state() == "fleet: 2 of 2 nodes answer"; }));
  EXPECT_TRUE(purge("p-1")) << "without a topic nothing is published";
  EXPECT_FALSE(fleet->completed("p-1"));
  EXPECT_EQ(fleet->summary("p-1")["waiting"], json::array({"edge-2"}));
  has = {"p-1", "never-asked"};
  ASSERT_TRUE(until([&] {
    advance(Millis(300));
    return fleet->completed("p-1");
  }));
  EXPECT_EQ(fleet->summary("p-1"), (json{{"state", "applied"}, {"applied", 2}, {"nodes", 2}}));
  EXPECT_TRUE(fleet->completed("from-long-ago"));
  EXPECT_TRUE(fleet->summary("from-long-ago").is_null());
}

TEST_F(FleetTest, ANodeOverTlsIsCheckedAgainstTheAuthority) {
  certificates.answer = [this](const std::string&) { return other(); };
  mine.nodes = {certificates.url()};
  mine.tls_ca = options.certificate_ca;
  open_fleet();
  EXPECT_TRUE(until([&] { return fleet->state() == "fleet: 2 of 2 nodes answer"; }));
  fleet.reset();
  mine.tls_ca.clear();
  open_fleet();
  const auto before = certificates.requests.size();
  for (int i = 0; i < 20; ++i) advance(Millis(500));
  EXPECT_EQ(fleet->state(), "fleet: 1 of 2 nodes answer");
  EXPECT_EQ(certificates.requests.size(), before);
}

TEST_F(FleetTest, EveryAddressOfANameIsANodeAndItIsLookedUpAgain) {
  mine.dns = "edge.internal:" + node.url().substr(node.url().rfind(':') + 1);
  names["edge.internal"] = {"127.0.0.1"};
  mine.down_after = Seconds(3);
  open_fleet();
  ASSERT_TRUE(until([&] { return fleet->state() == "fleet: 2 of 2 nodes answer"; }));
  EXPECT_THAT(node.requests[0], HasSubstr("host: edge.internal:"));
  names["edge.internal"] = {"127.0.0.1", "127.0.0.9"};
  advance(Seconds(31)); // longer than the resolver remembers
  EXPECT_TRUE(until([&] {
    advance(Millis(500));
    return fleet->state() == "fleet: 2 of 3 nodes answer";
  }));
  names["edge.internal"] = {"127.0.0.9"};
  advance(Seconds(31));
  EXPECT_TRUE(until([&] {
    advance(Millis(500));
    return fleet->state() == "fleet: 1 of 2 nodes answer";
  }));
}

TEST_F(FleetTest, PublishesSignedAndOnce) {
  mine.topic = kTopic;
  open_fleet();
  const auto before = published("ok");
  EXPECT_TRUE(purge("p-1"));
  EXPECT_TRUE(purge("p-1")->repeated);
  ASSERT_EQ(sns.requests.size(), 1U);
  EXPECT_THAT(sns.requests[0], StartsWith("POST / HTTP/1.1\r\n"));
  EXPECT_THAT(sns.requests[0], HasSubstr("/eu-west-1/sns/aws4_request"));
  EXPECT_EQ(published("ok"), before + 1);
  EXPECT_TRUE(fleet->completed("p-1")) << "there is no other node";
}

TEST_F(FleetTest, WhatCouldNotBePublishedIsSaidAndGoesOutAtTheNextTry) {
  mine.topic = kTopic;
  open_fleet();
  sns.answer = [](const std::string&) {
    return response(
        403, "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>",
        kClose);
  };
  const auto failed = purge("p-1");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().what,
              HasSubstr("applied on this node as id p-1, but not published to " + std::string(kTopic)));
  EXPECT_THAT(failed.error().what, HasSubstr("status 403 AuthorizationError: no"));
  EXPECT_TRUE(purged("https://www.example.com/a"));
  sns.answer = [](const std::string&) { return response(200, "<MessageId>m-1</MessageId>", kClose); };
  EXPECT_TRUE(purge("p-1")->repeated);
  EXPECT_EQ(sns.requests.size(), 2U);
}

TEST_F(FleetTest, ASilentSnsIsGivenUpInTime) {
  mine.topic = kTopic;
  mine.publish_timeout = Millis(500);
  open_fleet();
  sns.answer = [](const std::string&) { return std::nullopt; };
  std::optional<Result<Purged>> out;
  engine->apply({.door = Door::admin, .who = "", .what = {{cache::parse_target("/a").value()}, false, "", "p-1"}},
                [&](Result<Purged> done) { out = std::move(done); });
  ASSERT_TRUE(until([&] { return !sns.requests.empty(); }));
  EXPECT_FALSE(out);
  ASSERT_TRUE(until([&] {
    advance(Millis(600));
    return out.has_value();
  }));
  EXPECT_THAT(out->error().what, HasSubstr("not published"));
}

TEST_F(FleetTest, MoreThanSnsTakesIsRefusedBeforeAnythingIsDone) {
  mine.topic = kTopic;
  open_fleet();
  cache::Invalidation what;
  for (int i = 0; i < 3'000; ++i) {
    what.targets.push_back(cache::parse_target("/" + std::string(100, 'x') + std::to_string(i)).value());
  }
  std::optional<Result<Purged>> out;
  engine->apply({.door = Door::admin, .who = "", .what = std::move(what)},
                [&](Result<Purged> done) { out = std::move(done); });
  ASSERT_TRUE(out);
  EXPECT_EQ(out->error().code, Errc::too_large);
  EXPECT_THAT(out->error().what, HasSubstr("more than the 262144 that SNS takes; nothing was purged"));
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_TRUE(sns.requests.empty());
}

} // namespace
} // namespace verge::control
