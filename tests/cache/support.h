// What the tests of the cache share: executors whose tasks run when the test says so (or on a thread of their own), a
// store of chunks that can be cold, and short ways to make heads and read bodies.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "cache/entry/entry.h"

namespace verge::cache::testing {

// Tasks wait until run() is called.
class ManualExecutor final : public Executor {
 public:
  void post(Task task) override {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  // Runs what waits, and what that posts. Returns how many tasks ran.
  size_t run() {
    size_t n = 0;
    for (;; ++n) {
      Task task;
      {
        std::lock_guard lock(mutex_);
        if (tasks_.empty()) return n;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  size_t waiting() const {
    std::lock_guard lock(mutex_);
    return tasks_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Task> tasks_;
};

// A thread that runs tasks until it is destroyed; those still waiting then are destroyed unrun.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() : thread_([this] { loop(); }) {}
  ~ThreadExecutor() override {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    woken_.notify_one();
    thread_.join();
  }
  void post(Task task) override {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    woken_.notify_one();
  }

 private:
  void loop() {
    for (;;) {
      Task task;
      {
        std::unique_lock lock(mutex_);
        woken_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
        if (ended_) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<Task> tasks_;
  bool ended_ = false;
  std::thread thread_;
};

// Chunks in a map. `cold`: reads wait for answer().
class FakeBodyStore : public BodyStore {
 public:
  Result<BlockRef> read_chunk(uint64_t body_id, uint32_t n, Executor& on, Done done) override {
    std::lock_guard lock(mutex_);
    ++reads;
    if (!cold) return find(body_id, n);
    asked_.push_back({body_id, n, &on, std::move(done)});
    return BlockRef{};
  }
  void pin(uint64_t body_id) override {
    std::lock_guard lock(mutex_);
    ++pins_[body_id];
  }
  void unpin(uint64_t body_id) override {
    std::lock_guard lock(mutex_);
    --pins_[body_id];
  }
  int pins(uint64_t body_id) const {
    std::lock_guard lock(mutex_);
    const auto it = pins_.find(body_id);
    return it == pins_.end() ? 0 : it->second;
  }
  void put(uint64_t body_id, uint32_t n, std::string octets) {
    std::lock_guard lock(mutex_);
    chunks_[{body_id, n}] = std::move(octets);
  }
  // Stores a whole body in chunks; returns how many.
  uint32_t put_body(uint64_t body_id, std::string_view body) {
    uint32_t n = 0;
    for (; uint64_t{n} * kBlockBytes < body.size(); ++n)
      put(body_id, n, std::string(body.substr(n * kBlockBytes, kBlockBytes)));
    return n;
  }
  void lose(uint64_t body_id, uint32_t n) {
    std::lock_guard lock(mutex_);
    chunks_.erase({body_id, n});
  }
  // Answers the cold reads that wait.
  void answer() {
    std::lock_guard lock(mutex_);
    for (auto& a : asked_) {
      a.on->post([block = find(a.body_id, a.n), done = std::move(a.done)]() mutable { done(std::move(block)); });
    }
    asked_.clear();
  }
  bool cold = false;
  int reads = 0;

 private:
  Result<BlockRef> find(uint64_t body_id, uint32_t n) const {
    const auto it = chunks_.find({body_id, n});
    if (it == chunks_.end()) return fail(Errc::not_found, "evicted");
    return BlockRef::copy_of(it->second);
  }
  struct Asked {
    uint64_t body_id;
    uint32_t n;
    Executor* on;
    Done done;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<uint64_t, uint32_t>, std::string> chunks_;
  std::map<uint64_t, int> pins_;
  std::deque<Asked> asked_;
};

inline std::shared_ptr<StoredHead> make_head(std::string key = "https://a.example/x",
                                             std::optional<uint64_t> content_length = {}) {
  auto head = std::make_shared<StoredHead>();
  head->key = std::move(key);
  head->content_length = content_length;
  return head;
}

// A body that differs everywhere, so that a misplaced or doubled piece shows.
inline std::string make_body(size_t size) {
  std::string body(size, '\0');
  uint64_t x = 88172645463325252ull;
  for (char& c : body) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    c = static_cast<char>(x);
  }
  return body;
}

// Reads until the Reader says something other than slice.
inline Reader::Next drain(Reader& reader, std::string& out, size_t max = SIZE_MAX) {
  Slice slice;
  for (;;) {
    const Reader::Next next = reader.next(slice, max);
    if (next != Reader::Next::slice) return next;
    out += slice.view();
  }
}

} // namespace verge::cache::testing
