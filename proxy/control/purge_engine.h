// PurgeEngine: the one way by which every source invalidates. A command is held against its source's limits, applied,
// made durable, counted, logged and listed; only then may its sender be told so. Control loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_limits.h"
#include "proxy/control/purge_log.h"

namespace verge::control {

// The ways in: the first word of a purge's source, and its label in metrics.
enum class Door : uint8_t { admin, sns, sqs, push, cloudfront, fastly, cloudflare, purge_method, guard };
std::string_view to_string(Door door) noexcept;
// An API of this node's: what it takes, no carrier brings to the other nodes unless this one has it carried.
bool is_api(Door door) noexcept;

struct PurgeCommand {
  Door door = Door::admin;
  std::string who;                     // topic, key or token, by name: never a secret; empty: it has none
  std::string event = {};              // see PurgeRow
  cache::Invalidation what = {};       // `source` is filled in from `door` and `who`
  const PurgeLimits* limits = nullptr; // used inside apply() only; null: none
};

struct Purged {
  uint64_t seq = 0;
  WallTime time{};         // when it took effect
  bool repeated = false;   // its id was known: applied then, not now
  std::string id = {};     // of the purge; an API's always has one
  uint64_t applied_us = 0; // see PurgeRow
};

// The fleet as the engine sees it. Control loop only.
class PurgeCarrier {
 public:
  virtual ~PurgeCarrier() = default;
  // Asked before anything is done. Error too_large (side client): it can't be carried as it is.
  virtual Result<> can_carry(const cache::Invalidation& what) const = 0;
  // Told of every purge when it is durable on this node.
  virtual void applied(const PurgeRow& row, std::shared_ptr<const cache::Invalidation> what) = 0;
  // Of those that an API took: brings it to the other nodes, unless that was done. `done` runs on the loop, perhaps
  // before this returns. Errors say what to mend; doing it again is harmless.
  using Carried = std::move_only_function<void(Result<>)>;
  virtual void carry(const PurgeRow& row, const cache::Invalidation& what, Carried done) = 0;
};

class PurgeEngine {
 public:
  // All outlive the engine, and the engine whatever runs on `loop`.
  PurgeEngine(cache::Cache& cache, Executor& loop, const Clock& clock);
  PurgeEngine(const PurgeEngine&) = delete;
  PurgeEngine& operator=(const PurgeEngine&) = delete;

  // `done` runs on the loop, perhaps before this returns. Errors: refused (side client): beyond the source's limits,
  // and `what` names limit and source; nothing was changed. too_large, bad_input (side client): the same.
  // storage: applied on this
  // node, but not on disk; any other: on disk here, but not carried to the other nodes: do not acknowledge. `what` is
  // for the sender. The same command with the same id (what.id) is one: while PurgeLog knows it, it is done already.
  using Done = std::move_only_function<void(Result<Purged>)>;
  void apply(PurgeCommand command, Done done);
  // From here on; it outlives the engine's use. Null: none.
  void carry_with(PurgeCarrier* carrier) noexcept { carrier_ = carrier; }

  // What happens after a command that asks for its responses to be fetched again, or, `by_default`, that does not say
  // it must not be so. `command` is durable.
  using Refetch = std::function<void(cache::Invalidation command, uint64_t seq)>;
  void refetch_with(Refetch refetch, bool by_default) {
    refetch_ = std::move(refetch);
    refetch_by_default_ = by_default;
  }

  const PurgeLog& log() const noexcept { return log_; }

 private:
  using Command = std::shared_ptr<const cache::Invalidation>;
  void durable(PurgeRow row, const Command& what, bool api, const std::string& key);
  void carry(const PurgeRow& row, const cache::Invalidation& what, bool api, bool repeated, const std::string& key);
  void settle(const std::string& key, Result<Purged> done);

  cache::Cache& cache_;
  Executor& loop_;
  const Clock& clock_;
  PurgeLog log_;
  PurgeCarrier* carrier_ = nullptr;
  std::map<std::string, std::vector<Done>> under_way_; // by id and content; who waits for the same
  uint64_t unnamed_ = 0;
  Refetch refetch_; // null: nothing is
  bool refetch_by_default_ = false;
};

} // namespace verge::control
