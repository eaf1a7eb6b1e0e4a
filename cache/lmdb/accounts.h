// Accounts: what each site's responses take on disk, to the octet, and which of them are beyond the site's quota.
//
// Nothing may be deleted but at the old end, so a quota is kept as an invalidation is: by a number. Responses get
// rising ids; a site that grows beyond its quota has its cut moved up, over its own oldest, and what lies below is not
// found any more, gets no second chance, and dies when its turn at the old end comes. Until then it still takes room in
// the file; what counts is what can be served.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace verge::cache {

// One site's. A value; the writer works on copies until they are committed.
class Account {
 public:
  uint64_t entries() const noexcept { return entries_; }
  uint64_t bytes() const noexcept { return bytes_; }
  uint64_t cut() const noexcept { return cut_; } // responses with lower ids are out of use
  // `quota`: 0 for none. Beyond it the oldest go, in steps of about a thirty-second of it.
  void add(uint64_t id, uint64_t bytes, uint64_t quota);
  void remove(uint64_t id, uint64_t bytes); // nothing if it is below the cut
  void trim(uint64_t quota);

  std::string encode() const;
  static std::optional<Account> decode(std::string_view value);

 private:
  struct Span { // the responses with ids from `first` on, up to the next span's
    uint64_t first = 0, entries = 0, bytes = 0;
  };
  static constexpr size_t kMostSpans = 64;
  Span* span_of(uint64_t id);
  void merge_neighbours();

  uint64_t cut_ = 0, entries_ = 0, bytes_ = 0;
  std::vector<Span> spans_; // oldest first
};

struct SiteUse {
  uint64_t site = 0, entries = 0, bytes = 0;
};

// All of them, as last committed. Thread-safe.
class Accounts {
 public:
  Account get(uint64_t site) const;
  void put(uint64_t site, Account account);
  void clear();
  std::vector<SiteUse> uses() const;

  void set_quotas(std::unordered_map<uint64_t, uint64_t> quotas);
  uint64_t quota(uint64_t site) const; // 0: none
  std::vector<uint64_t> sites() const;

  // Is this response beyond its site's quota? One atomic load while no site is.
  bool is_cut(uint64_t site, uint64_t id) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<uint64_t, Account> accounts_;
  std::unordered_map<uint64_t, uint64_t> quotas_;
  std::atomic<bool> any_cut_{false};
};

} // namespace verge::cache
