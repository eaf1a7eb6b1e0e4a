// A process that stores, streams, purges and evicts is killed at random points; whatever the next one finds is whole,
// and what was acknowledged is there. More rounds: VERGE_CRASH_ROUNDS=1000.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <random>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;

// A body that says what it must be: number, size, then octets that follow from both.
std::string told_body(uint64_t number, size_t size) {
  std::string body = std::to_string(number) + " " + std::to_string(size) + "\n";
  uint64_t x = number * 0x9E3779B97F4A7C15u + 1;
  const size_t end = body.size() + size;
  while (body.size() < end) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    body.append(reinterpret_cast<const char*>(&x), std::min<size_t>(sizeof x, end - body.size()));
  }
  return body;
}

// The number, or none if the body is not what it says.
std::optional<uint64_t> number_of(const std::string& body) {
  unsigned long long number = 0, size = 0;
  if (std::sscanf(body.c_str(), "%llu %llu\n", &number, &size) != 2 || size > 10'000'000) return std::nullopt;
  if (body != told_body(number, size)) return std::nullopt;
  return number;
}

class CrashTest : public DiskTest {
 protected:
  static constexpr int kKeys = 200;
  CrashTest() {
    options.bytes = 16ull << 20;
    options.batch_bytes = 256u << 10;
  }

  // What the child does until it is killed. Says "S number" when that one was flushed, "E seq" when that purge was
  // acknowledged.
  [[noreturn]] void live(int pipe, uint64_t number, unsigned seed) {
    open();
    if (!disk) ::_exit(3);
    std::mt19937 random(seed);
    const auto say = [&](char what, uint64_t n) {
      const std::string line = std::string(1, what) + " " + std::to_string(n) + "\n";
      if (::write(pipe, line.data(), line.size()) < 0) ::_exit(4);
    };
    while (true) {
      ++number;
      const size_t size = random() % (random() % 8 == 0 ? 600'000 : 9'000);
      const std::string body = told_body(number, size);
      const auto head = head_for(key(static_cast<int>(number % kKeys)), {.seq = epochs->current()});
      if (random() % 3 == 0) {
        auto entry = std::make_shared<Entry>(epochs->current(), disk.get());
        entry->open(head, Entry::Keep::until_on_disk);
        bool taken = disk->store(entry);
        for (size_t at = 0; at < body.size(); at += 50'000) {
          entry->append(std::string_view(body).substr(at, 50'000));
          disk->poke(entry);
        }
        if (random() % 5 == 0)
          entry->fail({Errc::closed, Side::origin, Retry::never, "cut"});
        else
          entry->complete();
        disk->poke(entry);
        if (!taken) continue;
        if (entry->state() == EntryState::failed) continue;
      } else if (!disk->store(entry_of(head, body))) {
        disk->flush();
        continue;
      }
      if (random() % 4 == 0) {
        disk->flush();
        say('S', number);
      }
      if (random() % 6 == 0) {
        std::vector<EpochRow> rows;
        const auto tag = "t" + std::to_string(random() % 50);
        const uint64_t seq = epochs->apply({{Target{Target::Kind::tag, "", tag}}, false, "", ""}, rows);
        std::optional<Result<>> done;
        disk->persist_epochs(std::move(rows), seq, loop, [&](Result<> r) { done = std::move(r); });
        while (!done) loop.run();
        if (done->has_value()) say('E', seq);
      }
    }
  }
};

TEST_F(CrashTest, WhateverIsFoundAfterAKillIsWholeAndWhatWasAcknowledgedIsThere) {
  const char* asked = std::getenv("VERGE_CRASH_ROUNDS");
  const int rounds = asked != nullptr ? std::atoi(asked) : 30;
  std::mt19937 random(12'345);
  uint64_t number = 0, stored = 0, seq = 1;
  size_t found = 0;
  for (int round = 0; round < rounds; ++round) {
    disk.reset();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      live(ends[1], number, static_cast<unsigned>(round));
    }
    ::close(ends[1]);
    FILE* said = ::fdopen(ends[0], "r");
    char what = 0;
    unsigned long long n = 0;
    const auto listen = [&] {
      if (std::fscanf(said, "%c %llu\n", &what, &n) != 2) return false;
      if (what == 'S') stored = n;
      if (what == 'E') seq = n;
      return true;
    };
    for (auto lines = random() % 40 + 1; lines > 0; --lines) ASSERT_TRUE(listen()) << "the child ended by itself";
    ::kill(child, SIGKILL);
    while (listen()) { // what it said before it was gone
    }
    std::fclose(said);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    open();
    ASSERT_NE(disk, nullptr);
    EXPECT_GE(epochs->current(), seq) << "an acknowledged purge was lost";
    EXPECT_LE(std::filesystem::file_size(options.path + "/data.mdb"), options.bytes);
    uint64_t newest = 0;
    for (int i = 0; i < kKeys; ++i) {
      const auto entry = find(key(i)).entry;
      if (!entry) continue;
      const std::string body = body_of(entry);
      const auto is = number_of(body);
      ASSERT_TRUE(is.has_value()) << "round " << round << ", key " << i << ": " << body.size() << " of "
                                  << entry->length() << " octets, or other ones";
      EXPECT_EQ(*is % kKeys, static_cast<uint64_t>(i));
      newest = std::max(newest, *is);
      ++found;
    }
    EXPECT_GE(newest, stored) << "what was flushed last is not there";
    number = std::max({number, newest, stored});
    EXPECT_TRUE(disk->stats().writable);
  }
  EXPECT_GT(found, static_cast<size_t>(rounds) * 10); // it did look at something
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(options.path), {}),
            3); // data, lock, ours: none set aside
}

} // namespace
} // namespace verge::cache
