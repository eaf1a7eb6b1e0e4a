#include "proxy/control/admin.h"

#include <nlohmann/json.hpp>

#include "proxy/control/purge_id.h"
#include "tests/proxy/control/support/sns_world.h"

namespace verge::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

// Writes down what it is told to send.
struct FakeClient final : http::ClientStream {
  int status = 0;
  http::Headers fields;
  std::string body;
  std::optional<uint64_t> length;
  bool ended = false, no_body = false, wanted = false;
  size_t consumed = 0;

  void send_interim(const http::ResponseHead&) override {}
  void send_head(const http::ResponseOut& head) override {
    EXPECT_EQ(status, 0) << "two heads";
    status = head.status;
    fields = *head.fields;
    length = head.content_length;
    ended = no_body = head.no_body;
  }
  void send_body(Slice slice) override { body += slice.view(); }
  void send_end() override { ended = true; }
  void abort() override {}
  size_t queued() const noexcept override { return 0; }
  void body_consumed(size_t n) override { consumed += n; }
  void want_body() override { wanted = true; }
  void close_after() override {}
  std::string_view remote_address() const noexcept override { return "127.0.0.1"; }
};

struct AdminTest : SnsWorld {
  std::unique_ptr<AdminApi> make(const std::string& token = "") {
    AdminHooks hooks;
    hooks.ready = [this]() -> Result<> {
      if (draining) return fail(Errc::refused, "draining");
      return {};
    };
    hooks.reload = [this](std::move_only_function<void(Result<>)> done) { done(reloaded); };
    hooks.sites = [] {
      return std::vector<std::vector<std::string>>{{"www.example.com", "*.example.org"}, {"shop.example"}};
    };
    doors = PurgeDoors::create(purges, token, *engine, *cache, *loop, clock).value();
    return std::make_unique<AdminApi>(*cache, *engine, *doors, *loop, token, std::move(hooks));
  }
  FakeClient ask(AdminApi& api, const std::string& method, const std::string& path, const std::string& body = "",
                 const http::Headers& fields = {}) {
    FakeClient client;
    http::RequestHead head;
    head.method = method;
    head.path = path;
    head.headers = fields;
    head.has_body = !body.empty();
    const auto handler = api.handle(client, std::move(head));
    handler->begin();
    if (!body.empty()) {
      EXPECT_TRUE(client.wanted) << "100 Continue";
      handler->on_body(body.substr(0, body.size() / 2));
      handler->on_body(body.substr(body.size() / 2));
      EXPECT_EQ(client.consumed, body.size());
      handler->on_body_end();
    }
    EXPECT_TRUE(until([&] { return client.ended; }));
    if (!client.no_body) {
      EXPECT_EQ(client.length, client.body.size());
    }
    return client;
  }
  bool draining = false;
  Result<> reloaded;
  config::Invalidation purges;
  std::unique_ptr<PurgeDoors> doors;
};

TEST_F(AdminTest, TellsHealthAndReadiness) {
  auto api = make("secret"); // probes need no token
  EXPECT_EQ(ask(*api, "GET", "/healthz").body, "ok\n");
  EXPECT_EQ(ask(*api, "GET", "/readyz").status, 200);
  draining = true;
  const auto client = ask(*api, "GET", "/readyz");
  EXPECT_EQ(client.status, 503);
  EXPECT_EQ(client.body, "draining\n");
  EXPECT_EQ(ask(*api, "GET", "/healthz").status, 200);
}

TEST_F(AdminTest, AnswersHeadWithoutABody) {
  const auto client = ask(*make(), "HEAD", "/healthz");
  EXPECT_EQ(client.status, 200);
  EXPECT_TRUE(client.no_body);
  EXPECT_EQ(client.length, 3U);
  EXPECT_EQ(client.body, "");
}

TEST_F(AdminTest, GivesMetricsAsPrometheusReadsThem) {
  const auto client = ask(*make(), "GET", "/metrics");
  EXPECT_THAT(std::string(*client.fields.get("content-type")), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(client.body, HasSubstr("# TYPE verge_sns_messages_total counter"));
}

TEST_F(AdminTest, PurgesAndListsWhatWasPurged) {
  auto api = make();
  const auto client = ask(*api, "POST", "/purge", R"({"paths": ["/a", "/b/*"], "tags": ["t"], "soft": true})");
  ASSERT_EQ(client.status, 200) << client.body;
  const auto answer = json::parse(client.body);
  EXPECT_EQ(answer["seq"], cache->epochs().current());
  EXPECT_EQ(answer["targets"], 3);
  EXPECT_EQ(answer["soft"], true);
  EXPECT_TRUE(is_purge_id(answer["id"].get<std::string>()));
  EXPECT_EQ(verdict("https://www.example.com/b/c"), cache::Verdict::stale);
  EXPECT_EQ(ask(*api, "POST", "/purge", R"({"all": true})").status, 200);
  EXPECT_TRUE(purged("https://www.example.com/x"));

  const auto list = json::parse(ask(*api, "GET", "/purges").body)["purges"];
  EXPECT_EQ(list[0]["seq"], answer["seq"].get<uint64_t>() + 1);
  EXPECT_EQ(list[0]["soft"], false);
  EXPECT_EQ(list[1], (json{{"seq", answer["seq"]},
                           {"time", time().substr(0, 19) + "Z"},
                           {"age", 0},
                           {"source", "admin"},
                           {"targets", 3},
                           {"names", {"/a", "/b/*", "#t"}},
                           {"id", answer["id"]},
                           {"soft", true},
                           {"applied_us", 0}})); // the clock stands still
}

TEST_F(AdminTest, SaysWhatIsWrongWithAPurge) {
  const auto client = ask(*make(), "POST", "/purge", R"({"path": "/a"})");
  EXPECT_EQ(client.status, 400);
  EXPECT_THAT(json::parse(client.body)["error"].get<std::string>(), HasSubstr("unknown member \"path\""));
  EXPECT_EQ(ask(*make(), "POST", "/purge").status, 400);
  EXPECT_EQ(ask(*make(), "POST", "/purge", std::string((1 << 20) + 1, ' ')).status, 413);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(AdminTest, DoesNotAcknowledgeAPurgeThatIsNotDurable) {
  cache->failing = true;
  EXPECT_EQ(ask(*make(), "POST", "/purge", R"({"all": true})").status, 503);
}

TEST_F(AdminTest, AsksForItsToken) {
  auto api = make("secret");
  http::Headers fields;
  for (const char* value : {"", "secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret",
                            "Bearer secret, Bearer secret"}) {
    fields.set("authorization", value);
    for (const char* path : {"/metrics", "/purges", "/nowhere"}) {
      const auto client = ask(*api, "GET", path, "", fields);
      EXPECT_EQ(client.status, 401) << value;
      EXPECT_EQ(client.fields.get("www-authenticate"), "Bearer");
    }
    EXPECT_EQ(ask(*api, "POST", "/purge", R"({"all": true})", fields).status, 401) << value;
  }
  EXPECT_EQ(cache->invalidations, 0);
  for (const char* value : {"Bearer secret", "bearer secret"}) {
    fields.set("authorization", value);
    EXPECT_EQ(ask(*api, "POST", "/purge", R"({"all": true})", fields).status, 200);
  }
}

TEST_F(AdminTest, TakesNoPostFromAWebPage) {
  http::Headers fields;
  fields.add("origin", "https://evil.example");
  EXPECT_EQ(ask(*make(), "POST", "/purge", R"({"all": true})", fields).status, 403);
  EXPECT_EQ(ask(*make(), "POST", "/reload", "", fields).status, 403);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(AdminTest, NamesTheMethodThatAResourceTakes) {
  auto api = make();
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/purges"}) {
    const auto client = ask(*api, "DELETE", path);
    EXPECT_EQ(client.status, 405) << path;
    EXPECT_EQ(client.fields.get("allow"), "GET, HEAD");
  }
  for (const char* path : {"/purge", "/reload"}) {
    const auto client = ask(*api, "GET", path);
    EXPECT_EQ(client.status, 405) << path;
    EXPECT_EQ(client.fields.get("allow"), "POST");
  }
  EXPECT_EQ(ask(*api, "GET", "/").status, 404);
}

TEST_F(AdminTest, ReloadsAndTellsEveryFault) {
  auto api = make();
  EXPECT_EQ(ask(*api, "POST", "/reload").status, 200);
  reloaded = fail(Errc::config, "verge.yaml:3:1: unknown key");
  const auto client = ask(*api, "POST", "/reload");
  EXPECT_EQ(client.status, 409);
  EXPECT_EQ(json::parse(client.body)["error"], "verge.yaml:3:1: unknown key");
}

TEST_F(AdminTest, AnswersNobodyWhoHasGone) {
  auto api = make();
  cache->holding = true;
  for (const bool destroyed : {true, false}) {
    FakeClient client;
    http::RequestHead head;
    head.method = "POST";
    head.path = "/purge";
    head.has_body = true;
    auto handler = api->handle(client, std::move(head));
    handler->begin();
    handler->on_body(R"({"all": true})");
    handler->on_body_end();
    destroyed ? handler.reset() : handler->on_cut();
    cache->held.back()();
    settle();
    EXPECT_EQ(client.status, 0);
  }
}

} // namespace
} // namespace verge::control
