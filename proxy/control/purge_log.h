// PurgeLog: the latest purges of this node, whatever way they came; kept in the cache's notes, so that a restart still
// knows them. It is what GET /purges lists, and what a command repeated by its sender is recognised by. Control loop
// only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/clock.h"

namespace verge::control {

struct PurgeRow {
  uint64_t seq = 0;
  WallTime time{};    // when it took effect
  std::string source; // "sns arn:aws:sns:...", "admin", "cloudfront AKIAEXAMPLE"
  std::string event;  // what the sender was told of: "aws.codepipeline site SUCCEEDED"; empty: it says itself
  std::string id;     // the sender's id; empty: none
  size_t targets = 0; // how many
  std::vector<std::string> names; // the first kNames of them, as users write them
  bool soft = false;
  std::string content = {}; // purge_digest() of the command
  uint64_t took_us = 0;     // from the command's arrival until it was durable; after a restart as applied_us
  uint64_t applied_us = 0;  // from the same until no lookup finds what it names; its sync comes after
};

class PurgeLog {
 public:
  static constexpr size_t kKept = 1'000, kNames = 8, kNameOctets = 200;
  // Loads what an earlier run left. The cache outlives the log.
  explicit PurgeLog(cache::Cache& cache);
  // What keeps a row across a restart: goes to disk with the purge's epochs, in one transaction.
  static cache::Note note_of(const PurgeRow& row);
  // The row of a purge that is on disk. The oldest goes when there are kKept.
  void add(PurgeRow row);
  // The latest purge with this id; null: not among those kept. Valid until the next add().
  const PurgeRow* find(const std::string& id) const;
  const std::deque<PurgeRow>& latest() const { return rows_; } // newest first

 private:
  void forget_oldest(std::vector<std::string>& notes);
  cache::Cache& cache_;
  std::deque<PurgeRow> rows_;
  std::unordered_map<std::string, uint64_t> seq_of_; // by id, of rows_
};

// A row as text and back; none: it is not one. Pure.
std::string to_note(const PurgeRow& row);
std::optional<PurgeRow> from_note(std::string_view text);

} // namespace verge::control
