#include "proxy/control/admin.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <openssl/crypto.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/metrics.h"
#include "proxy/control/inspect_reply.h"
#include "proxy/control/inspect_request.h"
#include "proxy/control/purge_request.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

constexpr size_t kBodyLimit = 1 << 20;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow = {}; // for 405
};

std::string json_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Reply problem(int status, std::string_view what) { return {status, "application/json", json_text({{"error", what}})}; }

// "Bearer <token>", the scheme in any case (RFC 9110 section 11.1). Takes the same time wherever it differs.
bool is_bearer(std::string_view field, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!http::iequals(field.substr(0, kScheme.size()), kScheme)) return false;
  field.remove_prefix(kScheme.size());
  return field.size() == token.size() && CRYPTO_memcmp(field.data(), token.data(), token.size()) == 0;
}

} // namespace

struct AdminApi::Impl {
  cache::Cache& cache;
  PurgeEngine& engine;
  net::EventLoop& loop;
  std::string token;
  AdminHooks hooks;
};

namespace {

// One admin request: gathers the small body, then answers, perhaps later.
class AdminRequest final : public http::StreamHandler {
 public:
  using Answer = std::move_only_function<void(Reply)>;
  using Work = std::move_only_function<void(const http::RequestHead& head, std::string body, Answer answer)>;

  AdminRequest(http::ClientStream& client, http::RequestHead&& head, Work work)
      : client_(client), head_(std::move(head)), work_(std::move(work)), life_(std::make_shared<AdminRequest*>(this)) {}
  ~AdminRequest() override { *life_ = nullptr; }

  void begin() override {
    if (head_.has_body) {
      client_.want_body();
    } else {
      go();
    }
  }
  void on_body(std::string_view octets) override {
    client_.body_consumed(octets.size());
    if (too_large_) return;
    if (body_.size() + octets.size() > kBodyLimit) {
      too_large_ = true;
      return reply(problem(413, fmt::format("the body is larger than {} octets", kBodyLimit)));
    }
    body_ += octets;
  }
  void on_body_end() override {
    if (!too_large_) go();
  }
  void on_writable() override {}
  void on_finished() override {}
  void on_cut() override { cut_ = true; }

 private:
  void go() {
    work_(head_, std::move(body_), [life = life_](Reply r) {
      if (*life != nullptr) (*life)->reply(std::move(r));
    });
  }
  void reply(Reply r) {
    if (cut_) return;
    http::Headers fields;
    fields.add("content-type", r.content_type);
    fields.add("cache-control", "no-store");
    if (!r.allow.empty()) fields.add("allow", r.allow);
    if (r.status == 401) fields.add("www-authenticate", "Bearer");
    http::ResponseOut out;
    out.status = r.status;
    out.fields = &fields;
    out.content_length = r.body.size();
    out.no_body = head_.is("HEAD") || r.body.empty();
    client_.send_head(out);
    if (out.no_body) return;
    client_.send_body(Slice::copy_of(r.body));
    client_.send_end();
  }

  http::ClientStream& client_;
  http::RequestHead head_;
  Work work_;
  std::string body_;
  bool too_large_ = false, cut_ = false;
  std::shared_ptr<AdminRequest*> life_; // loop thread only
};

void purge(PurgeEngine& engine, std::string_view body, AdminRequest::Answer answer) {
  auto what = parse_purge(body);
  if (!what) return answer(problem(400, what.error().what));
  const size_t targets = what->targets.size();
  const bool soft = what->soft;
  engine.apply({.door = Door::admin, .who = "", .what = std::move(*what)}, [targets, soft, answer = std::move(answer)](
                                                                               Result<Purged> done) mutable {
    if (done)
      return answer({200, "application/json", json_text({{"seq", done->seq}, {"targets", targets}, {"soft", soft}})});
    answer(done.error().code == Errc::refused
               ? problem(403, done.error().what)
               : problem(503, "applied on this node, but it could not be written to disk; try again"));
  });
}

Reply purges(const PurgeLog& log) {
  auto list = nlohmann::json::array();
  for (const auto& row : log.latest()) {
    nlohmann::json out = {
        {"seq", row.seq},
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::floor<Seconds>(row.time)))},
        {"source", row.source},
        {"targets", row.targets},
        {"names", row.names},
        {"soft", row.soft}};
    if (!row.event.empty()) out["event"] = row.event;
    if (!row.id.empty()) out["id"] = row.id;
    list.push_back(std::move(out));
  }
  return {200, "application/json", json_text({{"purges", std::move(list)}})};
}

void why(AdminHooks& hooks, net::EventLoop& loop, std::string_view body, AdminRequest::Answer answer) {
  auto head = parse_why(body);
  if (!head) return answer(problem(400, head.error().what));
  hooks.why(std::move(*head), [&loop, answer = std::move(answer)](std::string json) mutable {
    loop.post([json = std::move(json), answer = std::move(answer)]() mutable {
      answer({200, "application/json", std::move(json)});
    });
  });
}

void entries(cache::Cache& cache, net::EventLoop& loop, std::string_view body, AdminRequest::Answer answer) {
  auto request = parse_list(body);
  if (!request) return answer(problem(400, request.error().what));
  auto wanted = [pattern = request->pattern, tag = request->tag](const cache::StoredHead& head) {
    return (!pattern || cache::covers(*pattern, head.key, head.tags)) &&
           (!tag || cache::covers(*tag, head.key, head.tags));
  };
  cache.list(request->after, request->limit, std::move(wanted), loop,
             [answer = std::move(answer)](const cache::Listing& page) mutable {
               auto rows = nlohmann::json::array();
               for (const auto& row : page.entries) rows.push_back(row_json(row));
               nlohmann::json out = {{"entries", std::move(rows)}};
               if (page.next != 0) out["next"] = page.next;
               answer({200, "application/json", json_text(out)});
             });
}

void entry(cache::Cache& cache, net::EventLoop& loop, std::string_view body, AdminRequest::Answer answer) {
  const auto key = parse_entry(body);
  if (!key) return answer(problem(400, key.error().what));
  cache.inspect(*key, loop, [answer = std::move(answer)](const std::vector<cache::Listed>& known) mutable {
    auto rows = nlohmann::json::array();
    for (const auto& row : known) rows.push_back(entry_json(row));
    answer({200, "application/json", json_text({{"entries", std::move(rows)}})});
  });
}

void reload(AdminHooks& hooks, net::EventLoop& loop, AdminRequest::Answer answer) {
  hooks.reload([&loop, answer = std::move(answer)](Result<> done) mutable {
    loop.post([done = std::move(done), answer = std::move(answer)]() mutable {
      answer(done ? Reply{200, "application/json", "{\"reloaded\":true}\n"} : problem(409, done.error().what));
    });
  });
}

} // namespace

AdminApi::AdminApi(cache::Cache& cache, PurgeEngine& engine, net::EventLoop& loop, std::string token, AdminHooks hooks)
    : impl_(std::make_unique<Impl>(cache, engine, loop, std::move(token), std::move(hooks))) {}
AdminApi::~AdminApi() = default;

std::unique_ptr<http::StreamHandler> AdminApi::handle(http::ClientStream& client, http::RequestHead&& head) {
  auto work = [impl = impl_.get()](const http::RequestHead& q, std::string body, AdminRequest::Answer answer) {
    const bool reading = q.is("GET") || q.is("HEAD");
    const auto needs = [&](std::string_view method) -> bool {
      if (method == "GET" ? reading : q.is(method)) return false;
      auto r = problem(405, fmt::format("{} takes {}", q.path, method));
      r.allow = method == "GET" ? "GET, HEAD" : std::string(method);
      answer(std::move(r));
      return true;
    };
    if (q.path == "/healthz") {
      if (!needs("GET")) answer({200, "text/plain; charset=utf-8", "ok\n"});
      return;
    }
    if (q.path == "/readyz") {
      if (needs("GET")) return;
      const auto ready = impl->hooks.ready();
      return answer(ready ? Reply{200, "text/plain; charset=utf-8", "ready\n"}
                          : Reply{503, "text/plain; charset=utf-8", ready.error().what + "\n"});
    }
    if (!impl->token.empty() && !is_bearer(q.headers.joined("authorization"), impl->token)) {
      return answer(problem(401, "the admin token is missing or wrong: Authorization: Bearer <admin.token>"));
    }
    // Any page a browser shows may post to a loopback address; no page of ours does.
    if (!reading && q.headers.has("origin")) return answer(problem(403, "not for web pages"));
    if (q.path == "/metrics") {
      if (!needs("GET")) answer({200, "text/plain; version=0.0.4; charset=utf-8", metrics::render()});
      return;
    }
    if (q.path == "/purge") {
      if (!needs("POST")) purge(impl->engine, body, std::move(answer));
      return;
    }
    if (q.path == "/purges") {
      if (!needs("GET")) answer(purges(impl->engine.log()));
      return;
    }
    if (q.path == "/why") {
      if (!needs("POST")) why(impl->hooks, impl->loop, body, std::move(answer));
      return;
    }
    if (q.path == "/entries") {
      if (!needs("POST")) entries(impl->cache, impl->loop, body, std::move(answer));
      return;
    }
    if (q.path == "/entry") {
      if (!needs("POST")) entry(impl->cache, impl->loop, body, std::move(answer));
      return;
    }
    if (q.path == "/reload") {
      if (!needs("POST")) reload(impl->hooks, impl->loop, std::move(answer));
      return;
    }
    answer(problem(
        404, "no such resource; there are /healthz /readyz /metrics /purge /purges /why /entries /entry /reload"));
  };
  return std::make_unique<AdminRequest>(client, std::move(head), std::move(work));
}

} // namespace verge::control
