// PurgeEngine: the one way by which every source invalidates. A command is held against its source's limits, applied,
// made durable, counted, logged and listed; only then may its sender be told so. Control loop only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cache/cache.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_limits.h"
#include "proxy/control/purge_log.h"

namespace verge::control {

// The ways in: the first word of a purge's source, and its label in metrics.
enum class Door : uint8_t { admin, sns, sqs, push, cloudfront, fastly, cloudflare, purge_method };
std::string_view to_string(Door door) noexcept;

struct PurgeCommand {
  Door door = Door::admin;
  std::string who;                     // topic, key or token, by name: never a secret; empty: it has none
  std::string event = {};              // see PurgeRow
  cache::Invalidation what = {};       // `source` is filled in from `door` and `who`
  const PurgeLimits* limits = nullptr; // used inside apply() only; null: none
};

struct Purged {
  uint64_t seq = 0;
  WallTime time{};       // when it was durable
  bool repeated = false; // its id was known: applied then, not now
};

class PurgeEngine {
 public:
  // All outlive the engine, and the engine whatever runs on `loop`.
  PurgeEngine(cache::Cache& cache, Executor& loop, const Clock& clock);
  PurgeEngine(const PurgeEngine&) = delete;
  PurgeEngine& operator=(const PurgeEngine&) = delete;

  // `done` runs on the loop, perhaps before this returns. Errors: refused (side client): beyond the source's limits,
  // and `what` names limit and source; nothing was changed. storage: applied on this node, but not on disk: do not
  // acknowledge. A command whose id was applied before (what.id, while PurgeLog knows it) is done already.
  using Done = std::move_only_function<void(Result<Purged>)>;
  void apply(PurgeCommand command, Done done);

  const PurgeLog& log() const noexcept { return log_; }

 private:
  cache::Cache& cache_;
  Executor& loop_;
  const Clock& clock_;
  PurgeLog log_;
};

} // namespace verge::control
