#include "proxy/control/tools/purge_doors.h"

#include <fmt/core.h>

#include <array>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::control {
namespace {

constexpr std::array<const ToolApi*, 3> kTools = {&kPurgeMethodApi, &kFastlyApi, &kCloudflareApi};

// One family: the text stands at every row.
metrics::Counter counter(const char* labels) {
  return {"verge_purge_requests_refused_total", labels,
          "Requests to the purge APIs that were refused before it came to limits: unauthorized, malformed, from a web "
          "page, too large, or for an unknown service or zone."};
}
metrics::Counter g_unauthorized = counter("reason=\"unauthorized\"");
metrics::Counter g_malformed = counter("reason=\"malformed\"");
metrics::Counter g_web_page = counter("reason=\"web_page\"");
metrics::Counter g_too_large = counter("reason=\"too_large\"");
metrics::Counter g_unknown = counter("reason=\"unknown_id\"");

const ToolApi* tool_for(const http::RequestHead& head) {
  for (const auto* tool : kTools) {
    if (tool->wants(head)) return tool;
  }
  return nullptr;
}

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::bad_input: return 400;
    case Errc::refused: return 403;
    case Errc::not_found: return 404;
    case Errc::too_large: return 413;
    default: return 503;
  }
}

} // namespace

Result<std::unique_ptr<PurgeDoors>> PurgeDoors::create(const config::Invalidation& options,
                                                       const std::string& admin_token, PurgeEngine& engine,
                                                       cache::Cache& cache, Executor& loop, const Clock& clock,
                                                       Fleet* fleet) {
  auto callers = PurgeCallers::create(options.tokens, admin_token);
  if (!callers) return std::unexpected(std::move(callers.error()));
  auto out = std::unique_ptr<PurgeDoors>(new PurgeDoors(std::move(*callers), engine, fleet));
  out->services_ = options.fastly.services;
  out->zones_ = options.cloudflare.zones;
  if (options.cloudfront) {
    auto api = CloudFrontApi::create(*options.cloudfront, engine, cache, loop, clock, fleet);
    if (!api) return std::unexpected(std::move(api.error()).in("invalidation.cloudfront"));
    out->cloudfront_ = std::move(*api);
  }
  return out;
}

bool PurgeDoors::wants(const http::RequestHead& head) const {
  return tool_for(head) != nullptr || (cloudfront_ && cloudfront_->wants(head)) ||
         (fleet_ != nullptr && Fleet::wants(head));
}

void PurgeDoors::answer(const http::RequestHead& head, std::optional<std::string> body, SmallExchange::Answer done) {
  if (const auto* tool = tool_for(head)) return answer(*tool, head, std::move(body), std::move(done));
  if (cloudfront_ && cloudfront_->wants(head)) return cloudfront_->answer(head, std::move(body), std::move(done));
  if (fleet_ != nullptr && Fleet::wants(head)) return answer_node(head, std::move(done));
  done({404, "application/json",
        "{\"error\":\"no such resource: this address takes PURGE, BAN and purge APIs only\"}\n"});
}

// Who may purge may ask, and so may the nodes.
void PurgeDoors::answer_node(const http::RequestHead& head, SmallExchange::Answer done) {
  const std::string authorization = head.headers.joined("authorization");
  if (!callers_.find(head.headers) && !fleet_->admits(bearer_token(authorization))) {
    g_unauthorized.add();
    log::warn("purge", "{} {} is refused: no token, or a wrong one", head.method, head.path.substr(0, 200));
    Reply reply{
        401, "application/json",
        "{\"error\":\"the token is missing or wrong: Authorization: Bearer, with admin.token, fleet.token or one of "
        "invalidation.tokens\"}\n"};
    reply.fields.add("www-authenticate", "Bearer");
    return done(std::move(reply));
  }
  fleet_->answer(head, std::move(done));
}

void PurgeDoors::answer(const ToolApi& api, const http::RequestHead& head, std::optional<std::string> body,
                        SmallExchange::Answer done) {
  const auto refuse = [&](metrics::Counter& reason, int status, std::string_view what) {
    reason.add();
    log::warn("purge", "{} {} is refused: {}", to_string(api.door), head.path.substr(0, 200), what);
    done(api.problem(status, what));
  };
  // Any page a browser shows may post to a loopback address; no page of ours does.
  if (head.headers.has("origin")) return refuse(g_web_page, 403, "not for web pages");
  const auto caller = callers_.find(head.headers);
  if (!caller) return refuse(g_unauthorized, 401, "the token is missing or wrong: Fastly-Key or Authorization: Bearer");
  if (!body)
    return refuse(g_too_large, 413, fmt::format("the body is larger than {} octets", SmallExchange::kBodyLimit));
  auto purge = api.parse(head, *body);
  if (!purge) return refuse(g_malformed, status_of(purge.error()), purge.error().what);
  const auto& scopes = api.door == Door::fastly ? services_ : zones_;
  const auto scope = scope_of(scopes, purge->scope, caller->limits);
  if (!scope) return refuse(g_unknown, 404, scope.error().what);
  if (auto bound = bind_hosts(purge->what.targets, *scope); !bound) return refuse(g_unknown, 403, bound.error().what);
  if (purge->what.targets.size() > kMostToolTargets) {
    return refuse(g_too_large, 413,
                  fmt::format("{} targets are more than the {} of one command; use a pattern or a tag",
                              purge->what.targets.size(), kMostToolTargets));
  }
  PurgeCommand command{.door = api.door, .who = caller->name, .event = "", .what = purge->what};
  command.limits = caller->limits;
  engine_.apply(std::move(command),
                [&api, purge = std::move(*purge), done = std::move(done)](Result<Purged> applied) mutable {
                  if (applied) return done(api.done(purge, applied->id));
                  done(api.problem(status_of(applied.error()), applied.error().what));
                });
}

std::unique_ptr<http::StreamHandler> PurgeDoors::handle(http::ClientStream& client, http::RequestHead&& head) {
  return std::make_unique<SmallExchange>(
      client, std::move(head), [this](const http::RequestHead& q, std::optional<std::string> body, auto done) {
        answer(q, std::move(body), std::move(done));
      });
}

} // namespace verge::control
