// SearchRules: what the responses of each path last said in No-Vary-Search, so that a request with another query finds
// what answers it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "cache/policy/search.h"

namespace verge::cache {

// Thread-safe. While no path has a rule, asking costs one atomic load.
class SearchRules {
 public:
  static constexpr size_t kMost = 65'536; // paths; the oldest is forgotten

  bool empty() const noexcept { return count_.load(std::memory_order_acquire) == 0; }

  struct Filed {
    std::string key; // where to look
    uint64_t since;  // what was fetched before this seq may have missed an invalidation that named another URL
  };
  // Where what answers `key_text` is filed, if its path has a rule.
  std::optional<Filed> find(std::string_view key_text) const;

  // The path of `key_text` has this rule from now on. `seq`: the current one. A rule that was known already keeps its
  // own.
  void learn(std::string_view key_text, const policy::SearchRule& rule, uint64_t seq);
  void forget(std::string_view key_text);

  // An invalidation that names one URL covers all that is equivalent to it: adds their common key's URL.
  void cover(std::vector<Target>& targets) const;

 private:
  struct Known {
    std::shared_ptr<const policy::SearchRule> rule;
    uint64_t since;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Known, Hash, std::equal_to<>> rules_; // by host + path
  std::deque<std::string> order_;
  std::atomic<size_t> count_{0};
};

} // namespace verge::cache
