// Counters and histograms, written by one thread each without contention and summed when scraped. Values are static for
// the program's life: declare them at namespace scope in the file that counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace verge::metrics {

inline constexpr size_t kSlots = 64; // threads beyond it share the last; still right, only slower

// This thread's slot.
size_t slot() noexcept;
// Adds to a cell of that slot, which no other thread writes unless it is the shared one.
inline void add_to(std::atomic<uint64_t>& cell, size_t slot, uint64_t n) noexcept {
  if (slot == kSlots - 1) {
    cell.fetch_add(n, std::memory_order_relaxed);
  } else {
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
}

struct alignas(64) Cell {
  std::atomic<uint64_t> value{0};
};

// A rising count. `name` in Prometheus style ("verge_requests_total"), `labels` ready made ("status=\"200\"") or empty.
class Counter {
 public:
  Counter(std::string name, std::string labels, std::string help);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  ~Counter();
  void add(uint64_t n = 1) noexcept {
    const size_t at = slot();
    add_to(cells_[at].value, at, n);
  }
  uint64_t value() const noexcept;

 private:
  std::array<Cell, kSlots> cells_;
};

// A value that is asked for when scraped.
class Gauge {
 public:
  Gauge(std::string name, std::string labels, std::string help, std::function<double()> read);
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;
  ~Gauge();
};

// Durations in seconds with fixed buckets 0.1 ms .. 60 s.
class Histogram {
 public:
  static constexpr std::array<double, 18> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
  Histogram(std::string name, std::string labels, std::string help);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;
  ~Histogram();
  void observe_us(uint64_t micros) noexcept;

 private:
  friend std::string render();
  struct alignas(64) Cells {
    std::array<std::atomic<uint64_t>, kBounds.size() + 1> bucket{};
    std::atomic<uint64_t> sum_us{0};
  };
  std::array<Cells, kSlots> cells_;
};

// All that is registered, in Prometheus text format 0.0.4, families in order of name. Thread-safe.
std::string render();

} // namespace verge::metrics
