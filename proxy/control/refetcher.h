// Refetcher: after an invalidation that asks for it, fetches what was asked for often again, at a bounded pace. Control
// loop only.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_set>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class Refetcher {
 public:
  // What became of one: see the metric verge_refetches_total.
  enum class Result : uint8_t { fetched, fresh, skipped, ended };
  // Fetches it on a loop that serves; `done` runs on any thread.
  using Fetch = std::function<void(cache::HeadRef head, std::move_only_function<void(Result)> done)>;

  // All outlive the Refetcher, and the Refetcher whatever runs on `loop`.
  Refetcher(const config::Refetch& options, cache::Cache& cache, net::EventLoop& loop, Fetch fetch);
  Refetcher(const Refetcher&) = delete;
  Refetcher& operator=(const Refetcher&) = delete;

  // `command` was applied as `seq`. What is still to be fetched for an earlier one that this one names as well is not
  // fetched for that any more.
  void begin(cache::Invalidation command, uint64_t seq);
  void stop();

 private:
  struct Item {
    cache::HeadRef head;
    uint64_t seq; // of the invalidation that ended it
  };
  static std::string name_of(const cache::StoredHead& head) { return head.key + "\n" + head.vary_values; }
  void turn();
  void count(Result result);

  const config::Refetch options_;
  cache::Cache& cache_;
  net::EventLoop& loop_;
  const Fetch fetch_;
  std::deque<Item> waiting_;
  std::unordered_set<std::string> known_; // those that wait
  uint32_t running_ = 0;
  double allowance_ = 0; // of fetches that may begin now
  MonoTime last_{};
  net::Timer tick_;
  bool stopped_ = false;
};

} // namespace verge::control
