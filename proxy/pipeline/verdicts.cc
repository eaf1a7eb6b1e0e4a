#include "proxy/pipeline/verdicts.h"

#include <functional>

namespace verge::pipeline {

Verdicts::Verdicts() : shards_(kShards) {}

void Verdicts::note(std::string_view key, WallTime time, policy::StoreVerdict verdict, int status,
                    std::string_view detail) {
  if (key.size() > kLongestKey) return;
  const size_t hash = std::hash<std::string_view>{}(key);
  Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  Row& row = shard.rows[hash / kShards % kSlots];
  row.key.assign(key);
  row.time = time;
  row.verdict = verdict;
  row.status = status;
  row.detail.assign(detail);
}

std::optional<Verdicts::Row> Verdicts::find(std::string_view key) const {
  const size_t hash = std::hash<std::string_view>{}(key);
  const Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  const Row& row = shard.rows[hash / kShards % kSlots];
  if (row.status == 0 || row.key != key) return std::nullopt;
  return row;
}

} // namespace verge::pipeline
