// A cache over a fake disk (or none), a clock that is moved by hand, one loop, and short ways to fetch into it.
#pragma once

#include <gtest/gtest.h>

#include "cache/core.h"
#include "tests/cache/fake_disk.h"

namespace verge::cache::testing {

using namespace std::chrono_literals;

inline constexpr std::string_view kKey = "https://a.example/x";

class CacheFixture : public ::testing::Test {
 protected:
  // Makes the cache. `disk_` is null without one.
  void start(bool with_disk, CacheOptions options = {}) {
    auto disk = with_disk ? std::make_unique<FakeDisk>() : nullptr;
    disk_ = disk.get();
    cache_ = make_cache(options, clock_, std::make_unique<Epochs>(), std::move(disk));
  }
  Cache::Join join(std::string_view key = kKey) {
    return cache_->join(key, loop_, [this] { ++resumed_; }, [this] { ++abandoned_; });
  }
  std::unique_ptr<Fill> lead(std::string_view key = kKey) {
    auto joined = join(key);
    EXPECT_TRUE(joined.fill);
    return std::move(joined.fill);
  }
  // A head that is fresh for a minute.
  std::shared_ptr<StoredHead> head(std::optional<uint64_t> length = {}, std::string_view key = kKey) {
    auto h = make_head(std::string(key), length);
    h->response_time = clock_.wall();
    h->freshness.lifetime = 60s;
    h->seq = cache_->epochs().current();
    return h;
  }
  // Fetches and stores, as far as the cache lets it.
  void store(std::string_view body, std::string_view key = kKey) {
    auto fill = lead(key);
    fill->open_storing(head(body.size(), key));
    fill->append(body);
    fill->complete();
    if (disk_ != nullptr) disk_->write();
    loop_.run();
  }
  Cache::Lookup lookup(std::string_view key = kKey) {
    std::optional<Cache::Lookup> later;
    Cache::Lookup found = cache_->lookup(key, {}, loop_, [&](Cache::Lookup l) { later = std::move(l); });
    if (!found.pending) return found;
    EXPECT_FALSE(later) << "never inside";
    loop_.run();
    EXPECT_TRUE(later);
    return later ? std::move(*later) : Cache::Lookup{};
  }
  std::unique_ptr<Reader> reader(const EntryRef& entry) {
    return std::make_unique<Reader>(entry, loop_, nullptr, 0, UINT64_MAX);
  }
  // The whole body; "(wait)" or "(failed)" at the end if that is how it ended.
  std::string body_of(const EntryRef& entry) {
    if (!entry) return "(none)";
    Reader r(entry, loop_, nullptr, 0, UINT64_MAX);
    std::string body;
    switch (drain(r, body)) {
      case Reader::Next::wait: return body + "(wait)";
      case Reader::Next::failed: return body + "(failed)";
      default: return body;
    }
  }
  uint64_t purge(std::string_view target, bool soft = false) {
    Invalidation command;
    command.targets.push_back(*parse_target(target));
    return purge(std::move(command), soft);
  }
  uint64_t purge_tag(std::string tag) {
    Invalidation command;
    command.targets.push_back({Target::Kind::tag, "", std::move(tag)});
    return purge(std::move(command), false);
  }
  uint64_t purge(Invalidation command, bool soft) {
    uint64_t seq = 0;
    command.soft = soft;
    cache_->invalidate(std::move(command), loop_, [&](Result<uint64_t> done) { seq = done.value_or(0); });
    EXPECT_EQ(seq, 0u) << "never inside";
    loop_.run();
    return seq;
  }

  ManualClock clock_{WallTime(1'000'000s)};
  ManualExecutor loop_;
  FakeDisk* disk_ = nullptr;
  std::unique_ptr<Cache> cache_;
  int resumed_ = 0, abandoned_ = 0;
};

} // namespace verge::cache::testing
