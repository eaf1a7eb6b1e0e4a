#include "proxy/control/admin.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "proxy/base/metrics.h"
#include "proxy/control/inspect_reply.h"
#include "proxy/control/inspect_request.h"
#include "proxy/control/purge_count.h"
#include "proxy/control/purge_request.h"
#include "proxy/control/small_exchange.h"
#include "proxy/control/tools/purge_callers.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

std::string json_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Reply problem(int status, std::string_view what) { return {status, "application/json", json_text({{"error", what}})}; }

} // namespace

struct AdminApi::Impl {
  cache::Cache& cache;
  PurgeEngine& engine;
  PurgeDoors& doors;
  net::EventLoop& loop;
  std::string token;
  AdminHooks hooks;
};

namespace {

using Answer = SmallExchange::Answer;

// Applied, and said so, with what it took.
void apply(PurgeEngine& engine, const Clock& clock, const PurgeCaller& caller, cache::Invalidation what,
           Answer answer) {
  const size_t targets = what.targets.size();
  const bool soft = what.soft;
  PurgeCommand command{.door = Door::admin, .who = caller.name == "admin" ? "" : caller.name, .event = ""};
  command.what = std::move(what);
  command.limits = caller.limits;
  const auto begun = clock.micros();
  engine.apply(std::move(command),
               [&clock, begun, targets, soft, answer = std::move(answer)](Result<Purged> done) mutable {
                 if (!done) {
                   const auto code = done.error().code;
                   const int status = code == Errc::refused     ? 403
                                      : code == Errc::bad_input ? 409
                                      : code == Errc::too_large ? 413
                                                                : 503;
                   return answer(problem(status, done.error().what));
                 }
                 answer({200, "application/json",
                         json_text({{"id", done->id},
                                    {"seq", done->seq},
                                    {"targets", targets},
                                    {"soft", soft},
                                    {"applied_us", done->applied_us},
                                    {"ms", static_cast<double>(clock.micros() - begun) / 1'000}})});
               });
}

void purge(PurgeEngine& engine, cache::Cache& cache, net::EventLoop& loop, const PurgeCaller& caller,
           Result<AdminPurge> asked, Answer answer) {
  if (!asked) return answer(problem(400, asked.error().what));
  if (!asked->dry_run) return apply(engine, loop.clock(), caller, std::move(asked->what), std::move(answer));
  const size_t targets = asked->what.targets.size();
  const bool soft = asked->what.soft;
  count_purge(cache, loop, asked->what, [targets, soft, answer = std::move(answer)](uint64_t entries) mutable {
    answer({200, "application/json",
            json_text({{"dry_run", true}, {"targets", targets}, {"soft", soft}, {"entries", entries}})});
  });
}

// `fleet` may be null.
Reply purges(const PurgeLog& log, Fleet* fleet, WallTime now) {
  auto list = nlohmann::json::array();
  for (const auto& row : log.latest()) {
    nlohmann::json out = {
        {"seq", row.seq},
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::floor<Seconds>(row.time)))},
        {"age", std::chrono::floor<Seconds>(now - row.time).count()},
        {"source", row.source},
        {"targets", row.targets},
        {"names", row.names},
        {"soft", row.soft},
        {"applied_us", row.applied_us}};
    if (!row.event.empty()) out["event"] = row.event;
    if (!row.id.empty()) out["id"] = row.id;
    if (fleet != nullptr && !row.id.empty()) {
      if (auto summary = fleet->summary(row.id); !summary.is_null()) out["fleet"] = std::move(summary);
    }
    list.push_back(std::move(out));
  }
  return {200, "application/json", json_text({{"purges", std::move(list)}})};
}

void why(AdminHooks& hooks, net::EventLoop& loop, std::string_view body, Answer answer) {
  auto head = parse_why(body);
  if (!head) return answer(problem(400, head.error().what));
  hooks.why(std::move(*head), [&loop, answer = std::move(answer)](std::string json) mutable {
    loop.post([json = std::move(json), answer = std::move(answer)]() mutable {
      answer({200, "application/json", std::move(json)});
    });
  });
}

void entries(cache::Cache& cache, net::EventLoop& loop, std::string_view body, Answer answer) {
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

void entry(cache::Cache& cache, net::EventLoop& loop, std::string_view body, Answer answer) {
  const auto key = parse_entry(body);
  if (!key) return answer(problem(400, key.error().what));
  cache.inspect(*key, loop, [answer = std::move(answer)](const std::vector<cache::Listed>& known) mutable {
    auto rows = nlohmann::json::array();
    for (const auto& row : known) rows.push_back(entry_json(row));
    answer({200, "application/json", json_text({{"entries", std::move(rows)}})});
  });
}

void reload(AdminHooks& hooks, net::EventLoop& loop, Answer answer) {
  hooks.reload([&loop, answer = std::move(answer)](Result<> done) mutable {
    loop.post([done = std::move(done), answer = std::move(answer)]() mutable {
      answer(done ? Reply{200, "application/json", "{\"reloaded\":true}\n"} : problem(409, done.error().what));
    });
  });
}

} // namespace

AdminApi::AdminApi(cache::Cache& cache, PurgeEngine& engine, PurgeDoors& doors, net::EventLoop& loop, std::string token,
                   AdminHooks hooks)
    : impl_(std::make_unique<Impl>(cache, engine, doors, loop, std::move(token), std::move(hooks))) {}
AdminApi::~AdminApi() = default;

std::unique_ptr<http::StreamHandler> AdminApi::handle(http::ClientStream& client, http::RequestHead&& head) {
  auto work = [impl = impl_.get()](const http::RequestHead& q, std::optional<std::string> gathered, Answer answer) {
    // Without an admin token this address is this machine's alone, and what nodes ask is for reading.
    auto* fleet = impl->doors.fleet();
    if (fleet != nullptr && impl->token.empty() && Fleet::wants(q)) return fleet->answer(q, std::move(answer));
    if (impl->doors.wants(q)) return impl->doors.answer(q, std::move(gathered), std::move(answer));
    if (!gathered) {
      return answer(problem(413, fmt::format("the body is larger than {} octets", SmallExchange::kBodyLimit)));
    }
    const std::string& body = *gathered;
    const bool reading = q.is("GET") || q.is("HEAD");
    const auto needs = [&](std::string_view method) -> bool {
      if (method == "GET" ? reading : q.is(method)) return false;
      auto r = problem(405, fmt::format("{} takes {}", q.path, method));
      r.fields.add("allow", method == "GET" ? "GET, HEAD" : method);
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
      std::string text = ready ? "ready\n" : ready.error().what + "\n";
      if (impl->hooks.state) text += impl->hooks.state();
      return answer({ready ? 200 : 503, "text/plain; charset=utf-8", std::move(text)});
    }
    const auto unauthorized = [](std::string_view what) {
      auto r = problem(401, what);
      r.fields.add("www-authenticate", "Bearer");
      return r;
    };
    const auto caller = impl->doors.callers().find(q.headers);
    const std::string authorization = q.headers.joined("authorization");
    const bool may_all = impl->token.empty() || same_secret(bearer_token(authorization), impl->token);
    // Who holds a token of invalidation.tokens may purge here too, within its limits.
    if (!may_all && !(q.path == "/purge" && caller)) {
      return answer(unauthorized("the admin token is missing or wrong: Authorization: Bearer <admin.token>"));
    }
    // Any page a browser shows may post to a loopback address; no page of ours does.
    if (!reading && q.headers.has("origin")) return answer(problem(403, "not for web pages"));
    if (q.path == "/metrics") {
      if (!needs("GET")) answer({200, "text/plain; version=0.0.4; charset=utf-8", metrics::render()});
      return;
    }
    if (q.path == "/purge") {
      if (needs("POST")) return;
      // Without an admin token this address is this machine's alone; who shows a token nevertheless has its limits.
      const auto who = caller ? *caller : PurgeCaller{};
      return purge(impl->engine, impl->cache, impl->loop, who, parse_admin_purge(body, impl->hooks.sites()),
                   std::move(answer));
    }
    if (q.path == "/purges") {
      if (!needs("GET")) answer(purges(impl->engine.log(), impl->doors.fleet(), impl->loop.wall()));
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
  return std::make_unique<SmallExchange>(client, std::move(head), std::move(work));
}

} // namespace verge::control
