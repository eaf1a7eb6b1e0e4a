#include "proxy/control/tools/purge_doors.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "origin/aws/digest.h"
#include "origin/aws/sigv4.h"
#include "tests/proxy/control/support/sns_world.h"

namespace verge::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct PurgeDoorsTest : SnsWorld {
  PurgeDoorsTest() {
    config::CloudFront cloudfront;
    cloudfront.keys = {{"AKIAALL", "secret", "", {}}, {"AKIABLOG", "secret", "", {{}, {"/blog/*"}, {}, false}}};
    cloudfront.distributions = {{"E1", {"E1", {"www.example.com"}}}};
    options_.cloudfront = cloudfront;
    options_.tokens = {{"deploy", "t-all", "", {}},
                       {"blog", "t-blog", "", {{}, {"/blog/*"}, {}, false}},
                       {"shop", "t-shop", "", {{"shop.example"}, {}, {}, false}},
                       {"gentle", "t-soft", "", {{}, {}, {}, true}}};
    options_.fastly.services = {{"SU1", {"SU1", {"www.example.com", "b.example"}}}};
    options_.cloudflare.zones = {{"z1", {"z1", {"www.example.com"}}}};
    open_doors();
  }
  void open_doors() { doors = PurgeDoors::create(options_, "", *engine, *cache, *loop, clock).value(); }

  http::RequestHead head(const std::string& method, const std::string& target, const Fields& fields) {
    http::RequestHead out;
    out.method = method;
    out.authority = "127.0.0.1:9090";
    const auto mark = target.find('?');
    out.path = target.substr(0, mark);
    out.has_query = mark != std::string::npos;
    if (out.has_query) out.query = target.substr(mark + 1);
    for (const auto& [name, value] : fields) {
      if (name == "host") {
        out.authority = value;
      } else {
        out.headers.add(name, value);
      }
    }
    return out;
  }
  Reply ask(const http::RequestHead& q, std::optional<std::string> body = "") {
    EXPECT_TRUE(doors->wants(q)) << q.method << " " << q.path;
    std::optional<Reply> out;
    doors->answer(q, std::move(body), [&out](Reply r) { out = std::move(r); });
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return out ? *out : Reply{};
  }
  Reply ask(const std::string& method, const std::string& target, Fields fields, const std::string& body = "") {
    return ask(head(method, target, fields), body);
  }
  const Fields all{{"fastly-key", "t-all"}};
  const Fields bearer{{"authorization", "Bearer t-all"}};
  std::vector<std::string> last() const { return engine->log().latest().front().names; }

  http::RequestHead signed_head(const std::string& method, const std::string& target, const std::string& body,
                                const std::string& key = "AKIAALL", const std::string& secret = "secret") {
    auto out = head(method, target, {});
    origin::aws::Signer signer("us-east-1", "cloudfront", origin::aws::PathRule::normalized, false);
    origin::aws::Credentials credentials;
    credentials.access_key_id = key;
    credentials.secret_access_key = secret;
    const auto hash = origin::aws::hex(origin::aws::sha256(body));
    const auto fields =
        signer.sign({out.method, out.path, out.query, out.authority, hash, &out.headers}, credentials, clock.wall());
    for (const auto& field : fields) out.headers.add(field.name, field.value);
    return out;
  }
  Reply cloudfront(const std::string& method, const std::string& target, const std::string& body = "",
                   const std::string& key = "AKIAALL", const std::string& secret = "secret") {
    return ask(signed_head(method, target, body, key, secret), body);
  }
  static std::string batch(const std::string& path, const std::string& reference) {
    return "<InvalidationBatch><CallerReference>" + reference +
           "</CallerReference><Paths><Quantity>1</Quantity><Items><Path>" + path +
           "</Path></Items></Paths></InvalidationBatch>";
  }
  static std::string element(const std::string& text, const std::string& name) {
    const auto at = text.find("<" + name + ">") + name.size() + 2;
    return text.substr(at, text.find("</", at) - at);
  }

  config::Invalidation options_;
  std::unique_ptr<PurgeDoors> doors;
};
constexpr const char* kList = "/2020-05-31/distribution/E1/invalidation";

TEST_F(PurgeDoorsTest, PurgeNamesAUrlByHostAndPath) {
  const auto reply = ask("PURGE", "/a?b=1", {{"host", "www.example.com"}, {"fastly-key", "t-all"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(json::parse(reply.body)["status"], "ok");
  EXPECT_EQ(last(), std::vector<std::string>{"https://www.example.com/a?b=1"});
  EXPECT_TRUE(purged("https://www.example.com/a?b=1"));
  EXPECT_FALSE(purged("https://www.example.com/a"));
  EXPECT_EQ(engine->log().latest().front().source, "purge-method deploy");
}

TEST_F(PurgeDoorsTest, APurgeSentToTheNodesAddressHoldsOnEveryHost) {
  ask("PURGE", "/a", all);
  EXPECT_EQ(last(), std::vector<std::string>{"/a"});
  ask("PURGE", "/img/*", all);
  EXPECT_EQ(last(), std::vector<std::string>{"/img/*"});
}

TEST_F(PurgeDoorsTest, SoftPurgesMarkStale) {
  ask("PURGE", "/a", {{"host", "www.example.com"}, {"fastly-key", "t-soft"}, {"fastly-soft-purge", "1"}});
  EXPECT_EQ(verdict("https://www.example.com/a"), cache::Verdict::stale);
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "t-soft"}}).status, 403) << "soft only";
}

TEST_F(PurgeDoorsTest, PurgeAndPurgekeysTakeTagsByHeader) {
  ask("PURGE", "/", {{"fastly-key", "t-all"}, {"xkey", "a B"}});
  EXPECT_EQ(last(), (std::vector<std::string>{"#a", "#b"}));
  ask("PURGEKEYS", "/", {{"fastly-key", "t-all"}, {"xkey-softpurge", "a,c"}});
  EXPECT_EQ(last(), (std::vector<std::string>{"#a", "#c"}));
  EXPECT_TRUE(engine->log().latest().front().soft);
  EXPECT_EQ(ask("PURGEKEYS", "/", all).status, 400);
}

TEST_F(PurgeDoorsTest, BanTakesPathsExpressionsAndTags) {
  const auto ban = [&](const std::string& path, Fields fields) {
    fields.emplace_back("fastly-key", "t-all");
    const auto reply = ask("BAN", path, std::move(fields));
    return reply.status == 200 ? last() : std::vector<std::string>{std::to_string(reply.status)};
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(ban("/a", {{"host", "www.example.com"}}), List{"https://www.example.com/a"});
  EXPECT_EQ(ban("/img/.*", {{"host", "www.example.com"}}), List{"https://www.example.com/img/*"});
  EXPECT_EQ(ban("/", {{"x-url", "^/news/.*"}, {"x-host", "^www\\.example\\.com$"}}),
            List{"https://www.example.com/news/*"});
  EXPECT_EQ(ban("/", {{"host", "www.example.com"}, {"x-ban-url", "\\.css$"}, {"x-ban-host", ".*"}}), List{"/*.css"});
  EXPECT_EQ(ban("/", {{"x-cache-tags", "(a|b)(,.+)?$"}}), (List{"#a", "#b"}));
  EXPECT_EQ(ban("/", {{"x-url", "^/(a|b)$"}}), List{"400"});
}

TEST_F(PurgeDoorsTest, WithoutARightTokenNothingIsDone) {
  EXPECT_EQ(ask("PURGE", "/a", {}).status, 401);
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "t-al"}}).status, 401);
  EXPECT_EQ(ask("POST", "/service/SU1/purge_all", {{"authorization", "Basic t-all"}}).status, 401);
  const auto reply = ask("POST", "/client/v4/zones/z1/purge_cache", {}, R"({"purge_everything": true})");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(json::parse(reply.body)["success"], false);
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "t-all"}, {"origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(PurgeDoorsTest, WhoIsLimitedToAPrefixMayNotPurgeAllAndIsToldWhy) {
  const auto reply = ask("PURGE", "/*", {{"fastly-key", "t-blog"}});
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.body,
              HasSubstr("purge-method blog may not do that: \\\"/*\\\" reaches beyond allow.paths [/blog/*]"));
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(ask("PURGE", "/blog/x", {{"fastly-key", "t-blog"}}).status, 200);
}

TEST_F(PurgeDoorsTest, WhoIsLimitedToAHostMeansThatHost) {
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "t-shop"}}).status, 200);
  EXPECT_EQ(last(), std::vector<std::string>{"https://shop.example/a"});
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "t-shop"}, {"host", "www.example.com"}}).status, 403);
}

TEST_F(PurgeDoorsTest, FastlyPurgesKeysOfAServiceOnItsHosts) {
  const auto one = ask("POST", "/service/SU1/purge/Home%20", all);
  EXPECT_EQ(one.status, 400) << "no key holds a space";
  const auto key = ask("POST", "/service/SU1/purge/Home", all);
  EXPECT_EQ(json::parse(key.body)["status"], "ok");
  EXPECT_EQ(last(), (std::vector<std::string>{"#home on www.example.com", "#home on b.example"}));
  Fields fields = all;
  fields.emplace_back("surrogate-key", "a b");
  EXPECT_EQ(json::parse(ask("POST", "/service/SU1/purge", fields).body).size(), 2U);
  EXPECT_TRUE(json::parse(ask("POST", "/service/SU1/purge", all, R"({"surrogate_keys": ["x"]})").body).contains("x"));
  EXPECT_EQ(ask("POST", "/service/SU1/purge_all", all).status, 200);
  EXPECT_EQ(last(), (std::vector<std::string>{"https://www.example.com/*", "https://b.example/*"}));
  EXPECT_EQ(ask("POST", "/purge/www.example.com/a?b", all).status, 200);
  EXPECT_EQ(last(), std::vector<std::string>{"https://www.example.com/a?b"});
}

TEST_F(PurgeDoorsTest, FastlySaysWhatIsWrongInItsOwnForm) {
  for (const auto& [target, status] : std::vector<std::pair<std::string, int>>{{"/service/other/purge_all", 404},
                                                                               {"/service/SU1/purge", 400},
                                                                               {"/service/SU1/nothing", 400},
                                                                               {"/service//purge_all", 400},
                                                                               {"/purge/a", 400}}) {
    const auto reply = ask("POST", target, all);
    EXPECT_EQ(reply.status, status) << target;
    EXPECT_TRUE(json::parse(reply.body).contains("msg")) << target;
  }
  EXPECT_EQ(ask("GET", "/service/SU1/purge_all", all).status, 400);
  EXPECT_EQ(ask(head("POST", "/service/SU1/purge", all), std::nullopt).status, 413);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(PurgeDoorsTest, CloudflarePurgesFilesPrefixesTagsAndHosts) {
  const auto reply =
      ask("POST", "/client/v4/zones/z1/purge_cache", bearer,
          R"({"files": ["https://www.example.com/a", {"url": "https://www.example.com/b", "headers": {}}],
                             "prefixes": ["www.example.com/blog"], "tags": ["Home"]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto answer = json::parse(reply.body);
  EXPECT_EQ(answer["success"], true);
  EXPECT_EQ(answer["errors"], json::array());
  EXPECT_EQ(answer["result"]["id"].get<std::string>().size(), 32U);
  EXPECT_EQ(last(), (std::vector<std::string>{"https://www.example.com/a", "https://www.example.com/b",
                                              "https://www.example.com/blog*", "#home on www.example.com"}));
  EXPECT_EQ(ask("POST", "/client/v4/zones/z1/purge_cache", bearer, R"({"purge_everything": true})").status, 200);
  EXPECT_EQ(last(), std::vector<std::string>{"https://www.example.com/*"});
  EXPECT_EQ(ask("POST", "/client/v4/zones/z1/purge_cache", bearer, R"({"hosts": ["www.example.com"]})").status, 200);
  EXPECT_EQ(last(), std::vector<std::string>{"https://www.example.com/*"});
}

TEST_F(PurgeDoorsTest, CloudflareSaysWhatIsWrongInItsOwnForm) {
  for (const char* body :
       {"", "[]", "{}", R"({"purge_everything": false})", R"({"files": "x"})", R"({"files": [1]})",
        R"({"files": ["/a"]})", R"({"file": ["https://www.example.com/a"]})", R"({"hosts": ["a/b"]})",
        R"({"tags": ["a b"]})", R"({"prefixes": ["www.example.com/a?b"]})"}) {
    const auto reply = ask("POST", "/client/v4/zones/z1/purge_cache", bearer, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(json::parse(reply.body)["errors"].size(), 1U) << body;
  }
  EXPECT_EQ(ask("POST", "/client/v4/zones/z2/purge_cache", bearer, R"({"tags": ["a"]})").status, 404);
  EXPECT_EQ(ask("POST", "/client/v4/zones/z1/purge_cache", bearer, R"({"hosts": ["other.example"]})").status, 403);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(PurgeDoorsTest, AnAnswerNotOnDiskIsNotGiven) {
  cache->failing = true;
  EXPECT_EQ(ask("PURGE", "/a", all).status, 503);
  EXPECT_EQ(cloudfront("POST", kList, batch("/a", "r")).status, 503);
}

TEST_F(PurgeDoorsTest, CloudFrontCreatesGetsAndLists) {
  const auto made = cloudfront("POST", kList, batch("/img/*", "r-1"));
  ASSERT_EQ(made.status, 201) << made.body;
  const auto id = element(made.body, "Id");
  EXPECT_THAT(std::string(*made.fields.get("location")), testing::EndsWith("/distribution/E1/invalidation/" + id));
  EXPECT_EQ(element(made.body, "Status"), "Completed");
  EXPECT_TRUE(purged("https://www.example.com/img/a?x"));
  EXPECT_FALSE(purged("https://b.example/img/a")) << "the distribution's hosts only";
  EXPECT_EQ(engine->log().latest().front().source, "cloudfront AKIAALL E1");
  EXPECT_EQ(engine->log().latest().front().id, id);
  const auto got = cloudfront("GET", std::string(kList) + "/" + id);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, made.body);
  const auto list = cloudfront("GET", kList);
  EXPECT_EQ(element(list.body, "Quantity"), "1");
  EXPECT_THAT(list.body, HasSubstr(id));
}

// So a client's second try, here or at another node, is known for what it is.
TEST_F(PurgeDoorsTest, TheSameBatchHasTheSameIdEverywhere) {
  const auto id = element(cloudfront("POST", kList, batch("/a", "r-1")).body, "Id");
  EXPECT_THAT(id, testing::MatchesRegex("I[A-Z0-9]{13}"));
  EXPECT_NE(element(cloudfront("POST", kList, batch("/a", "r-2")).body, "Id"), id);
  doors.reset();
  open_cache("");
  open_doors(); // as another node
  cache->failing = true;
  EXPECT_EQ(cloudfront("POST", kList, batch("/a", "r-1")).status, 503);
  cache->failing = false;
  EXPECT_EQ(element(cloudfront("POST", kList, batch("/a", "r-1")).body, "Id"), id);
  EXPECT_EQ(element(cloudfront("GET", kList).body, "Quantity"), "1");
}

// ---- With a fleet

struct FleetDoorsTest : PurgeDoorsTest {
  FleetDoorsTest() {
    node.answer = [this](const std::string&) {
      json out = {{"node", "edge-2"}, {"instance", "x"}, {"purges", json::array()}};
      if (const auto* row = engine->log().find(has)) {
        out["purges"].push_back({{"id", has}, {"content", row->content}, {"seq", 4}, {"applied_at", 1}});
      }
      return response(200, out.dump());
    };
    reopen("");
  }
  ~FleetDoorsTest() override { close(); }
  void close() {
    doors.reset();
    fleet.reset();
    settle();
  }
  // As after a restart.
  void reopen(const std::string& folder) {
    close();
    cache->flush();
    settle();
    open_cache(folder);
    config::Fleet mine;
    mine.name = "edge-1";
    mine.nodes = {node.url()};
    mine.token = "t-fleet";
    fleet = Fleet::create(mine, *engine, *cache, {*loop, *resolver}).value();
    doors = PurgeDoors::create(options_, "", *engine, *cache, *loop, clock, fleet.get()).value();
    ASSERT_TRUE(until([&] { return fleet->state() == "fleet: 2 of 2 nodes answer"; }));
  }
  std::string has; // what the other node has applied
  LoopServer node{*loop, false};
  std::unique_ptr<Fleet> fleet;
};

TEST_F(FleetDoorsTest, AnInvalidationIsCompletedWhenEveryNodeHasIt) {
  char folder[] = "/tmp/verge-doors-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  reopen(folder);
  const auto made = cloudfront("POST", kList, batch("/a", "r-1"));
  const auto id = element(made.body, "Id"), one = std::string(kList) + "/" + id;
  EXPECT_EQ(element(made.body, "Status"), "InProgress");
  EXPECT_EQ(element(cloudfront("GET", one).body, "Status"), "InProgress");
  EXPECT_EQ(element(cloudfront("GET", kList).body, "Status"), "InProgress");
  reopen(folder);
  EXPECT_EQ(element(cloudfront("GET", one).body, "Status"), "InProgress") << "after a restart it is asked again";
  has = id;
  EXPECT_TRUE(until([&] {
    advance(Millis(300));
    return element(cloudfront("GET", one).body, "Status") == "Completed";
  }));
  EXPECT_EQ(element(cloudfront("GET", kList).body, "Status"), "Completed");
  EXPECT_EQ(element(cloudfront("POST", kList, batch("/a", "r-1")).body, "Status"), "Completed");
  has.clear();
  reopen(folder);
  EXPECT_EQ(element(cloudfront("GET", one).body, "Status"), "Completed") << "it stays so";
  close();
  open_cache("");
  std::filesystem::remove_all(folder);
}

TEST_F(FleetDoorsTest, WhatWasAppliedIsToldToNodesAndToWhoMayPurge) {
  EXPECT_EQ(ask("GET", "/purges/p-1", {}).status, 401);
  EXPECT_EQ(ask("GET", "/purges?id=p-1", {{"authorization", "Bearer wrong"}}).status, 401);
  EXPECT_EQ(ask("GET", "/purges?id=p-1", {{"authorization", "Bearer t-fleet"}}).status, 200);
  EXPECT_EQ(ask("GET", "/purges/p-1", {{"authorization", "Bearer t-blog"}}).status, 404);
  EXPECT_EQ(ask("PURGE", "/a", {{"authorization", "Bearer t-fleet"}}).status, 401) << "for reading only";
  EXPECT_FALSE(doors->wants(head("GET", "/purges", {}))) << "the whole list is the admin's";
}

TEST_F(PurgeDoorsTest, CloudFrontListsPageByPageNewestFirst) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(element(cloudfront("POST", kList, batch("/a", "r-" + std::to_string(i))).body, "Id"));
  }
  const auto first = cloudfront("GET", std::string(kList) + "?MaxItems=2");
  EXPECT_EQ(element(first.body, "NextMarker"), ids[1]);
  const auto second = cloudfront("GET", std::string(kList) + "?MaxItems=2&Marker=" + ids[1]);
  EXPECT_EQ(element(second.body, "IsTruncated"), "false");
  EXPECT_THAT(second.body, HasSubstr(ids[0]));
  EXPECT_EQ(cloudfront("GET", std::string(kList) + "?Marker=nowhere").status, 400);
  EXPECT_EQ(cloudfront("GET", std::string(kList) + "?MaxItems=x").status, 400);
}

TEST_F(PurgeDoorsTest, ACallerReferenceIsKnownAgainAfterARestart) {
  char folder[] = "/tmp/verge-doors-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  doors.reset();
  open_cache(folder);
  open_doors();
  const auto made = cloudfront("POST", kList, batch("/a", "r-1"));
  ASSERT_EQ(made.status, 201);
  cache->flush();
  settle();
  doors.reset();
  open_cache(folder);
  open_doors();
  const auto again = cloudfront("POST", kList, batch("/a", "r-1"));
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, made.body);
  EXPECT_EQ(cache->invalidations, 0) << "nothing new";
  const auto other = cloudfront("POST", kList, batch("/b", "r-1"));
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(element(other.body, "Code"), "InvalidationBatchAlreadyExists");
  doors.reset();
  open_cache("");
  std::filesystem::remove_all(folder);
}

TEST_F(PurgeDoorsTest, CloudFrontSaysWhatIsWrongInItsOwnForm) {
  const auto code = [&](const Reply& reply) {
    return std::to_string(reply.status) + " " + element(reply.body, "Code");
  };
  EXPECT_EQ(code(cloudfront("POST", "/2020-05-31/distribution/E2/invalidation", batch("/a", "r"))),
            "404 NoSuchDistribution");
  EXPECT_EQ(code(cloudfront("POST", "/2020-05-31/distribution-tenant/dt/invalidation", batch("/a", "r"))),
            "404 EntityNotFound");
  EXPECT_EQ(code(cloudfront("GET", std::string(kList) + "/I0")), "404 NoSuchInvalidation");
  EXPECT_EQ(code(cloudfront("GET", "/2020-05-31/distribution")), "404 NoSuchResource");
  EXPECT_EQ(code(cloudfront("DELETE", kList)), "405 MethodNotAllowed");
  EXPECT_EQ(code(cloudfront("POST", kList)), "400 MissingBody");
  EXPECT_EQ(code(cloudfront("POST", kList, batch("a", "r"))), "400 InvalidArgument");
  EXPECT_EQ(code(cloudfront("POST", kList, batch("/a", "r"), "AKIAALL", "wrong")), "403 SignatureDoesNotMatch");
  EXPECT_EQ(code(cloudfront("POST", kList, batch("/a", "r"), "AKIANOBODY")), "403 InvalidClientTokenId");
  EXPECT_EQ(code(ask("POST", kList, all, batch("/a", "r"))), "403 MissingAuthenticationToken")
      << "a token is no signature";
  EXPECT_EQ(code(ask(signed_head("POST", kList, ""), std::nullopt)), "413 BatchTooLarge");
  const auto denied = cloudfront("POST", kList, batch("/*", "r"), "AKIABLOG");
  EXPECT_EQ(code(denied), "403 AccessDenied");
  EXPECT_THAT(denied.body, HasSubstr("cloudfront AKIABLOG E1 may not do that"));
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(cloudfront("POST", kList, batch("/blog/*", "r"), "AKIABLOG").status, 201);
}

TEST_F(PurgeDoorsTest, SecretsMayLieInFiles) {
  char folder[] = "/tmp/verge-secret-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = std::string(folder) + "/token";
  std::ofstream(file) << "from-file\n";
  options_.tokens.push_back({"filed", "", file, {}});
  open_doors();
  EXPECT_EQ(ask("PURGE", "/a", {{"fastly-key", "from-file"}}).status, 200);
  std::ofstream(file) << "two words\n";
  EXPECT_FALSE(PurgeDoors::create(options_, "", *engine, *cache, *loop, clock));
  std::filesystem::remove_all(folder);
  const auto gone = PurgeDoors::create(options_, "", *engine, *cache, *loop, clock);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().what, HasSubstr("filed"));
}

} // namespace
} // namespace verge::control
