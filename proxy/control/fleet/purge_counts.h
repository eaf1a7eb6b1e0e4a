// PurgeCounts: how many stored responses a purge hit, counted when somebody wants to know. Control loop only; the work
// is a reader thread's, one purge at a time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cache/cache.h"
#include "proxy/base/executor.h"

namespace verge::control {

class PurgeCounts {
 public:
  static constexpr size_t kKept = 100, kTargets = 100'000; // of the latest purges; beyond either the oldest go
  // `counted` is called on the loop when a count is there. Both outlive the counts.
  PurgeCounts(cache::Cache& cache, Executor& loop, std::function<void(const std::string& id)> counted)
      : cache_(cache), loop_(loop), counted_(std::move(counted)), life_(std::make_shared<PurgeCounts*>(this)) {}
  PurgeCounts(const PurgeCounts&) = delete;
  PurgeCounts& operator=(const PurgeCounts&) = delete;
  ~PurgeCounts() { *life_ = nullptr; }

  // A purge that was applied: what it would take to count it.
  void keep(const std::string& id, uint64_t seq, std::shared_ptr<const cache::Invalidation> what);
  // None: not known, or not yet.
  std::optional<uint64_t> of(const std::string& id) const;
  // Counts it, if it is among those kept and was not.
  void want(const std::string& id);

 private:
  struct Row {
    std::string id;
    uint64_t seq = 0;
    std::shared_ptr<const cache::Invalidation> what;
    bool wanted = false;
    std::optional<uint64_t> entries;
  };
  Row* find(const std::string& id);
  void next();

  cache::Cache& cache_;
  Executor& loop_;
  std::function<void(const std::string&)> counted_;
  std::deque<Row> rows_; // the latest first
  size_t targets_ = 0;
  bool counting_ = false;
  std::shared_ptr<PurgeCounts*> life_; // holds null once this is gone
};

} // namespace verge::control
