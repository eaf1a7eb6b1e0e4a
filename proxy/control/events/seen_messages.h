// SeenMessages: MessageIds that were dealt with, for as long as SNS may repeat them; kept across restarts, so that one
// does not replay them. A purge done twice only costs hits; a subscription confirmed again by an old message could undo
// what its owner ended since. Control loop only.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "cache/cache.h"
#include "proxy/base/clock.h"
#include "proxy/base/executor.h"

namespace verge::control {

class SeenMessages {
 public:
  // Loads what an earlier run left. `window`: how long a message is remembered.
  SeenMessages(cache::Cache& cache, Millis window, WallTime now);
  enum class State : uint8_t { unknown, in_progress, done };
  State state(const std::string& id) const;
  void begin(const std::string& id) { known_[id] = State::in_progress; }
  void forget(const std::string& id) { known_.erase(id); } // it failed: the next try counts
  // Remembers it on disk too; `then` runs on `loop` when that is done or was given up (a message dealt with twice only
  // costs hits).
  void finish(const std::string& id, WallTime now, Executor& loop, std::function<void()> then);

 private:
  void prune(WallTime now);
  cache::Cache& cache_;
  Millis window_;
  std::unordered_map<std::string, State> known_;
  std::deque<std::pair<WallTime, std::string>> by_age_; // done ones, oldest first
};

} // namespace verge::control
