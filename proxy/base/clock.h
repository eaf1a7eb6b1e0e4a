// Time as Verge uses it. Decisions take a time as an argument; only the rim asks a Clock.
#pragma once

#include <atomic>
#include <chrono>

namespace verge {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;
using WallTime = std::chrono::sys_time<Millis>; // UTC; what Date, Expires and the store speak
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Millis>; // never steps; timeouts and lifetimes

// Thread-safe. Lives as long as the program (or the test) does.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const noexcept = 0;
  virtual MonoTime mono() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const noexcept override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
  MonoTime mono() const noexcept override {
    return std::chrono::time_point_cast<Millis>(std::chrono::steady_clock::now());
  }
};

// A clock that a test moves by hand; both times move together.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) noexcept : start_(start) {}
  WallTime wall() const noexcept override { return start_ + Millis(moved_.load()); }
  MonoTime mono() const noexcept override { return MonoTime(Millis(moved_.load() + 1'000'000)); }
  void advance(Millis by) noexcept { moved_ += by.count(); }

 private:
  WallTime start_;
  std::atomic<int64_t> moved_{0};
};

} // namespace verge
