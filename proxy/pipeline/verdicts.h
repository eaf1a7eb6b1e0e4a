// Verdicts: why the latest answers that might have been stored were not, for `verge why`. Bounded; thread-safe.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/storing.h"
#include "proxy/base/clock.h"

namespace verge::pipeline {

class Verdicts {
 public:
  static constexpr size_t kShards = 16, kSlots = 256; // of a shard; a key takes another's place in its slot
  static constexpr size_t kLongestKey = 2'048;        // longer ones are not remembered

  struct Row {
    std::string key;
    WallTime time{};
    policy::StoreVerdict verdict = policy::StoreVerdict::store;
    int status = 0;     // the origin's
    std::string detail; // "reflects x-forwarded-host", where there is more to say than the verdict
  };

  Verdicts();
  void note(std::string_view key, WallTime time, policy::StoreVerdict verdict, int status,
            std::string_view detail = {});
  std::optional<Row> find(std::string_view key) const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::vector<Row> rows{kSlots};
  };
  std::vector<Shard> shards_;
};

} // namespace verge::pipeline
