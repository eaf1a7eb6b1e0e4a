// Failing: which origins and which keys failed a moment ago, so that those who may get a stale response get it at once
// and not after a timeout of their own. An origin that gave no answer at all (refused, timed out) is remembered as a
// whole, any other failure (5xx, broken off) for its key alone. Whatever the origin answers well makes it forgotten.
//
// Thread-safe; one for all loops. Asked only where a stored response is stale, never for a hit.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::pipeline {

class Failing {
 public:
  static constexpr size_t kMostKeys = 65'536;
  static constexpr Millis kProbeEvery{1'000};

  explicit Failing(const Clock& clock) : clock_(clock) {}

  // What an origin failed with counts for `memory` from now on; 0: not at all.
  void origin_failed(std::string_view origin, Millis memory);
  void key_failed(std::string_view key, Millis memory);
  void failed(std::string_view origin, std::string_view key, const Error& error, Millis memory);
  // It answered this key, with no 5xx.
  void answered(std::string_view origin, std::string_view key);

  bool is_failing(std::string_view origin, std::string_view key) const;
  // May a refresh behind a stale answer be sent? An origin that does not answer is asked once in kProbeEvery only: else
  // each stale key would hold one of its connections until the timeout.
  bool may_probe(std::string_view origin);

 private:
  struct OriginState {
    MonoTime until{};
    MonoTime probed{};
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  const Clock& clock_;
  std::atomic<bool> any_{false}; // else nothing is remembered, as nearly always: an answer takes no lock then
  mutable std::mutex mutex_;
  std::unordered_map<std::string, OriginState, Hash, std::equal_to<>> origins_; // as many as are configured
  std::unordered_map<size_t, MonoTime> keys_;           // by hash: two keys that share one cost a stale answer
  std::deque<std::pair<size_t, MonoTime>> keys_by_age_; // those since forgotten or renewed are passed over
};

} // namespace verge::pipeline
