// The cache over a real disk tier, across a restart.
#include <unistd.h>

#include <filesystem>
#include <future>

#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

class OpenTest : public CacheFixture {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "verge-open-test-" + std::to_string(::getpid());
    std::filesystem::remove_all(path_);
    restart();
  }
  void TearDown() override {
    cache_.reset();
    std::filesystem::remove_all(path_);
  }
  void restart() {
    cache_.reset();
    CacheOptions options;
    options.disk.path = path_;
    options.disk.bytes = 256ull << 20;
    auto opened = Cache::open(options, clock_);
    ASSERT_TRUE(opened) << opened.error().what;
    cache_ = std::move(*opened);
  }
  // Fetches at the pace the cache sets, its executor run whenever it says wait.
  void fetch(std::string_view body, std::optional<uint64_t> length, std::string_view key) {
    auto fill = lead(key);
    fill->open_storing(head(length, key));
    for (size_t at = 0; at < body.size(); at += 50'000) {
      const int resumed = resumed_;
      if (fill->append(body.substr(at, 50'000))) continue;
      cache_->flush();
      loop_.run();
      EXPECT_GT(resumed_, resumed);
    }
    fill->complete();
    cache_->flush();
    loop_.run();
    EXPECT_EQ(cache_->stats().flights, 0u);
  }
  // Waits for cold reads as a client would: until its Reader is woken.
  std::string read(std::string_view key) {
    std::optional<Cache::Lookup> found;
    std::promise<void> looked;
    thread_.post([&] {
      auto now = cache_->lookup(key, {}, thread_, [&](Cache::Lookup later) {
        found = std::move(later);
        looked.set_value();
      });
      if (now.pending) return;
      found = std::move(now);
      looked.set_value();
    });
    looked.get_future().wait();
    if (!found->entry) return "(none)";
    std::promise<void> done;
    std::string body;
    std::unique_ptr<Reader> reader;
    const auto step = [&] {
      switch (drain(*reader, body)) {
        case Reader::Next::wait: return;
        case Reader::Next::failed: body += "(failed)"; break;
        default: break;
      }
      reader.reset();
      done.set_value();
    };
    thread_.post([&] {
      reader = std::make_unique<Reader>(found->entry, thread_, step, 0, UINT64_MAX);
      step();
    });
    done.get_future().wait();
    return body;
  }
  ThreadExecutor thread_; // outlives the cache: TearDown()
  std::string path_;
};

TEST_F(OpenTest, WhatWasStoredIsThereAfterARestart) {
  const std::string small = make_body(1'000), middle = make_body(300'000), large = make_body(9'000'000);
  fetch(small, small.size(), "https://a.example/small");
  fetch(middle, {}, "https://a.example/middle");
  fetch(large, large.size(), "https://a.example/large");
  fetch(large, {}, "https://a.example/unknown");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(read("https://a.example/small"), small);
    EXPECT_EQ(read("https://a.example/middle"), middle);
    EXPECT_TRUE(read("https://a.example/large") == large);
    EXPECT_TRUE(read("https://a.example/unknown") == large);
    restart();
  }
}

TEST_F(OpenTest, APurgeIsThereAfterARestart) {
  fetch("hello", 5, "https://a.example/x");
  std::promise<bool> durable;
  Invalidation command;
  command.targets.push_back(*parse_target("/x"));
  cache_->invalidate(command, thread_, [&](Result<uint64_t> done) { durable.set_value(done.has_value()); });
  EXPECT_TRUE(durable.get_future().get());
  restart();
  EXPECT_EQ(read("https://a.example/x"), "(none)");
  fetch("again", 5, "https://a.example/x");
  restart();
  EXPECT_EQ(read("https://a.example/x"), "again");
}

TEST_F(OpenTest, AFetchThatBrokeOffLeavesNothing) {
  const std::string body = make_body(3'000'000);
  auto fill = lead();
  fill->open_storing(head(body.size() + 1));
  fill->append(body);
  cache_->flush();
  fill.reset();
  cache_->flush();
  EXPECT_EQ(read(kKey), "(none)");
  restart();
  EXPECT_EQ(read(kKey), "(none)");
}

} // namespace
} // namespace verge::cache
