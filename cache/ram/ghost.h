// Ghost: hashes of what left the small queue lately, or was read from disk and not taken. What comes again while it is
// remembered goes straight to the main queue.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

namespace verge::cache {

class Ghost {
 public:
  // Remembers `hash`, at most `limit` of them; the oldest are forgotten.
  void add(uint64_t hash, size_t limit) {
    order_.push_back({hash, ++turn_});
    last_[hash] = turn_;
    while (order_.size() > limit) forget_oldest();
  }
  bool remembers(uint64_t hash) const { return last_.contains(hash); }
  // True if it was remembered; it is no longer.
  bool take(uint64_t hash) { return last_.erase(hash) != 0; }
  size_t size() const noexcept { return last_.size(); }

 private:
  struct Seen {
    uint64_t hash, turn;
  };
  void forget_oldest() {
    const Seen seen = order_.front();
    order_.pop_front();
    const auto it = last_.find(seen.hash);
    if (it != last_.end() && it->second == seen.turn) last_.erase(it); // else it was taken, or seen again since
  }
  std::deque<Seen> order_;
  std::unordered_map<uint64_t, uint64_t> last_; // hash -> turn
  uint64_t turn_ = 0;
};

} // namespace verge::cache
