// ReaderThreads: where reads go that may have to wait for the disk. Tasks run in order of coming, on any of the
// threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/base/executor.h"

namespace verge::cache {

class ReaderThreads {
 public:
  explicit ReaderThreads(int count) {
    for (int i = 0; i < std::max(count, 1); ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
  // Tasks not begun yet are destroyed unrun.
  ~ReaderThreads() {
    for (auto& t : threads_) t.request_stop();
    wake_.notify_all();
  }
  ReaderThreads(const ReaderThreads&) = delete;
  ReaderThreads& operator=(const ReaderThreads&) = delete;

  void post(Task task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return !tasks_.empty(); }), !stop.stop_requested()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Task> tasks_;
  std::vector<std::jthread> threads_; // last: joined before the rest goes
};

} // namespace verge::cache
