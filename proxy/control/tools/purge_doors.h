// PurgeDoors: the purge APIs of other tools, on the admin address and on invalidation.listen, never on a public one:
// PURGE and BAN, Fastly's, Cloudflare's, CloudFront's. Each reads its own form (ToolApi, CloudFrontApi); checking who
// calls, what for, and applying is the same for all. What the fleet's nodes ask each other is answered here as well.
// Control loop only.
#pragma once

#include <memory>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/control/fleet/fleet.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/small_exchange.h"
#include "proxy/control/tools/cloudfront_api.h"
#include "proxy/control/tools/purge_callers.h"
#include "proxy/control/tools/purge_scope.h"
#include "proxy/control/tools/tool_api.h"

namespace verge::control {

class PurgeDoors {
 public:
  // The last five outlive the doors, and the doors whatever runs on `loop`; `fleet` null: this node tells nobody what
  // it applied. Error config: a secret's file can't be
  // read, a path of an `allow` is none.
  static Result<std::unique_ptr<PurgeDoors>> create(const config::Invalidation& options, const std::string& admin_token,
                                                    PurgeEngine& engine, cache::Cache& cache, Executor& loop,
                                                    const Clock& clock, Fleet* fleet = nullptr);
  PurgeDoors(const PurgeDoors&) = delete;
  PurgeDoors& operator=(const PurgeDoors&) = delete;

  bool wants(const http::RequestHead& head) const;
  // A request that one of them wants; anything else is 404. `body`: see SmallExchange.
  void answer(const http::RequestHead& head, std::optional<std::string> body, SmallExchange::Answer answer);
  std::unique_ptr<http::StreamHandler> handle(http::ClientStream& client, http::RequestHead&& head);

  const PurgeCallers& callers() const noexcept { return callers_; }
  Fleet* fleet() const noexcept { return fleet_; }

 private:
  PurgeDoors(PurgeCallers callers, PurgeEngine& engine, Fleet* fleet)
      : callers_(std::move(callers)), engine_(engine), fleet_(fleet) {}
  void answer_node(const http::RequestHead& head, SmallExchange::Answer answer);
  void answer(const ToolApi& api, const http::RequestHead& head, std::optional<std::string> body,
              SmallExchange::Answer answer);

  PurgeCallers callers_;
  PurgeEngine& engine_;
  Fleet* fleet_;
  PurgeScopes services_, zones_;
  std::unique_ptr<CloudFrontApi> cloudfront_; // null: not configured
};

} // namespace verge::control
