// PurgeLog: the latest purges of this process, whatever way they came, for GET /purges. Like metrics there is one.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/base/clock.h"

namespace verge::control {

struct PurgeRow {
  uint64_t seq = 0;
  WallTime time{};    // when it was durable
  std::string source; // "sns arn:...", "admin"
  size_t targets = 0;
  bool soft = false;
};

// Thread-safe.
class PurgeLog {
 public:
  static constexpr size_t kKept = 100;
  static PurgeLog& get();
  void add(PurgeRow row);               // the oldest goes when there are kKept
  std::vector<PurgeRow> latest() const; // newest first

 private:
  mutable std::mutex mutex_; // guards rows_
  std::deque<PurgeRow> rows_;
};

} // namespace verge::control
