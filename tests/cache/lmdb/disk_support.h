// What the tests of the disk tier share: a directory that goes away, and a store opened in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cache/lmdb/disk.h"
#include "tests/cache/support.h"

namespace verge::cache::testing {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "verge-disk-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  // Names in it that begin like this.
  std::vector<std::string> names(std::string_view prefix) const {
    std::vector<std::string> out;
    for (const auto& item : std::filesystem::directory_iterator(path_)) {
      auto name = item.path().filename().string();
      if (name.starts_with(prefix)) out.push_back(std::move(name));
    }
    return out;
  }

 private:
  std::string path_;
};

struct HeadSpec {
  std::vector<std::string> vary_fields = {};
  std::string vary_values = {};
  Seconds received{1'000};
  uint64_t seq = 1;
  std::vector<std::string> tags = {};
};

inline std::shared_ptr<StoredHead> head_for(const std::string& key, HeadSpec spec = {}) {
  auto head = make_head(key);
  head->headers.add("content-type", "text/plain");
  head->headers.add("etag", "\"" + std::to_string(spec.received.count()) + "\"");
  head->h1_text = "content-type: text/plain\r\netag: \"" + std::to_string(spec.received.count()) + "\"\r\n";
  head->vary_fields = std::move(spec.vary_fields);
  head->vary_values = std::move(spec.vary_values);
  head->request_time = head->response_time = WallTime(spec.received);
  head->freshness.lifetime = Seconds(60);
  head->freshness.source = policy::LifetimeSource::max_age;
  head->seq = spec.seq;
  head->tags = std::move(spec.tags);
  return head;
}

inline std::vector<BlockRef> blocks_of(std::string_view body) {
  std::vector<BlockRef> blocks;
  for (; !body.empty(); body.remove_prefix(std::min(body.size(), kBlockBytes)))
    blocks.push_back(BlockRef::copy_of(body.substr(0, kBlockBytes)));
  return blocks;
}

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() {
    options.path = dir.path() + "/cache";
    options.bytes = 64ull << 20;
    options.batch_time = Millis(1);
  }

  void open() {
    disk.reset(); // the lock is free again
    epochs = std::make_unique<Epochs>();
    auto opened = Disk::open(options, clock, *epochs);
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    disk = std::move(*opened);
  }

  EntryRef entry_of(HeadRef head, std::string_view body) {
    return Entry::complete_from(std::move(head), blocks_of(body), body.size(), 0, disk.get());
  }
  EntryRef put(const std::string& key, std::string_view body, HeadSpec spec = {}) {
    auto entry = entry_of(head_for(key, std::move(spec)), body);
    EXPECT_TRUE(disk->store(entry));
    disk->flush();
    return entry;
  }
  Disk::Lookup find(std::string_view key, const http::Headers& request = {}) {
    std::optional<Disk::Lookup> late;
    auto now = disk->find(key, request, loop, [&](Disk::Lookup l) { late = std::move(l); });
    if (!now.pending) return now;
    while (!late) loop.run();
    return std::move(*late);
  }
  // The whole body as a client would get it, or how it ended.
  std::string body_of(const EntryRef& entry) {
    if (!entry) return "(none)";
    std::string out;
    Reader reader(entry, loop, [] {}, 0, UINT64_MAX);
    while (true) {
      const auto next = drain(reader, out);
      if (next == Reader::Next::end) return out;
      if (next == Reader::Next::failed) return "(failed: " + reader.error().what + ")";
      loop.run();
    }
  }
  std::string get(std::string_view key, const http::Headers& request = {}) { return body_of(find(key, request).entry); }
  static std::string key(int n) { return "https://www.example.com/" + std::to_string(n); }

  TempDir dir;
  DiskOptions options;
  ManualClock clock{WallTime(Seconds(1'000'000))};
  ManualExecutor loop;
  std::unique_ptr<Epochs> epochs;
  std::unique_ptr<Disk> disk;
};

} // namespace verge::cache::testing
