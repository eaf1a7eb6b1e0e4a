// Many threads find, read, store and purge while the writer turns the store over. For the thread sanitizer above all.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

TEST_F(DiskTest, ReadersAndStorersOfManyThreadsNeverSeeAWrongOctet) {
  options.bytes = 8ull << 20;
  open();
  std::atomic<int> wrong{0}, hits{0};
  const std::string body = make_body(200'000); // each key's body is a beginning of it
  const auto size_of = [](int n) { return static_cast<size_t>(n % 7 == 0 ? 150'000 + n : 500 + n * 31); };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      testing::ManualExecutor mine;
      uint64_t x = static_cast<uint64_t>(t) + 1;
      for (int i = 0; i < 400; ++i) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        const int n = static_cast<int>((x >> 33) % 300);
        if (i % 40 == 0) disk->flush();
        if (t == 0 || i % 4 == 0) {
          disk->store(Entry::complete_from(head_for(key(n)), testing::blocks_of(body.substr(0, size_of(n))), size_of(n),
                                           0, disk.get()));
          continue;
        }
        std::optional<Disk::Lookup> found;
        auto now = disk->find(key(n), {}, mine, [&](Disk::Lookup l) { found = std::move(l); });
        if (!now.pending) found = std::move(now);
        while (!found) mine.run();
        if (!found->entry) continue;
        ++hits;
        std::string got;
        Reader reader(found->entry, mine, [] {}, 0, UINT64_MAX);
        auto next = testing::drain(reader, got);
        while (next == Reader::Next::wait) {
          mine.run();
          next = testing::drain(reader, got);
        }
        if (next != Reader::Next::end || got != body.substr(0, size_of(n))) ++wrong;
      }
    });
  }
  threads.emplace_back([&] {
    testing::ManualExecutor mine;
    for (int i = 0; i < 20; ++i) {
      std::vector<EpochRow> rows;
      const uint64_t seq = epochs->apply({{Target{Target::Kind::tag, "", "t"}}, false, "", ""}, rows);
      std::atomic<bool> done{false};
      disk->persist_epochs(std::move(rows), seq, mine, [&](Result<>) { done = true; });
      while (!done) mine.run();
      disk->stats();
    }
  });
  for (auto& t : threads) t.join();
  disk->flush();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GT(hits.load(), 0);
}

} // namespace
} // namespace verge::cache
