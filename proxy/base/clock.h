// Time as Verge uses it. Decisions take a time as an argument; only the rim asks a Clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

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
  // The monotonic time in microseconds, for measuring how long something took.
  virtual uint64_t micros() const noexcept { return static_cast<uint64_t>(mono().time_since_epoch().count()) * 1'000; }
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const noexcept override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
  MonoTime mono() const noexcept override {
    return std::chrono::time_point_cast<Millis>(std::chrono::steady_clock::now());
  }
  uint64_t micros() const noexcept override {
    using std::chrono::microseconds, std::chrono::steady_clock;
    return static_cast<uint64_t>(
        std::chrono::duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
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
