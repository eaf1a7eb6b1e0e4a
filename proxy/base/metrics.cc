#include "proxy/base/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

namespace verge::metrics {
namespace {

struct Row {
  const void* owner;
  std::string name, labels, help, type;
  std::function<void(std::string& out, const Row&)> write;
};

struct Registry {
  std::mutex mutex;
  std::vector<Row> rows;
};

// Never destroyed: counters at namespace scope of other files unregister at exit, in unknown order.
Registry& registry() {
  static auto* r = new Registry;
  return *r;
}

void enroll(Row row) {
  auto& r = registry();
  const std::lock_guard lock(r.mutex);
  r.rows.push_back(std::move(row));
}

void withdraw(const void* owner) {
  auto& r = registry();
  const std::lock_guard lock(r.mutex);
  std::erase_if(r.rows, [owner](const Row& row) { return row.owner == owner; });
}

std::string series(const Row& row, std::string_view suffix, std::string_view more = "") {
  std::string labels = row.labels;
  if (!more.empty()) labels += (labels.empty() ? "" : ",") + std::string(more);
  return row.name + std::string(suffix) + (labels.empty() ? "" : "{" + labels + "}");
}

} // namespace

size_t slot() noexcept {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = std::min(next.fetch_add(1), kSlots - 1);
  return mine;
}

Counter::Counter(std::string name, std::string labels, std::string help) {
  enroll({this, std::move(name), std::move(labels), std::move(help), "counter",
          [this](std::string& out, const Row& row) { out += fmt::format("{} {}\n", series(row, ""), value()); }});
}
Counter::~Counter() { withdraw(this); }

uint64_t Counter::value() const noexcept {
  uint64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

Gauge::Gauge(std::string name, std::string labels, std::string help, std::function<double()> read) {
  enroll({this, std::move(name), std::move(labels), std::move(help), "gauge",
          [read = std::move(read)](std::string& out, const Row& row) {
            out += fmt::format("{} {}\n", series(row, ""), read());
          }});
}
Gauge::~Gauge() { withdraw(this); }

Histogram::Histogram(std::string name, std::string labels, std::string help) {
  enroll({this, std::move(name), std::move(labels), std::move(help), "histogram",
          [this](std::string& out, const Row& row) {
            std::array<uint64_t, kBounds.size() + 1> sums{};
            uint64_t sum_us = 0;
            for (const auto& cells : cells_) {
              for (size_t i = 0; i < sums.size(); ++i) sums[i] += cells.bucket[i].load(std::memory_order_relaxed);
              sum_us += cells.sum_us.load(std::memory_order_relaxed);
            }
            uint64_t total = 0;
            for (size_t i = 0; i < sums.size(); ++i) {
              total += sums[i];
              const std::string le = i < kBounds.size() ? fmt::format("le=\"{}\"", kBounds[i]) : "le=\"+Inf\"";
              out += fmt::format("{} {}\n", series(row, "_bucket", le), total);
            }
            out += fmt::format("{} {}\n", series(row, "_sum"), static_cast<double>(sum_us) / 1e6);
            out += fmt::format("{} {}\n", series(row, "_count"), total);
          }});
}
Histogram::~Histogram() { withdraw(this); }

void Histogram::observe_us(uint64_t micros) noexcept {
  const size_t mine = slot();
  auto& cells = cells_[mine];
  const double seconds = static_cast<double>(micros) / 1e6;
  size_t at = 0; // most are short: the first bounds decide
  while (at < kBounds.size() && kBounds[at] < seconds) ++at;
  add_to(cells.bucket[at], mine, 1);
  add_to(cells.sum_us, mine, micros);
}

std::string render() {
  auto& r = registry();
  const std::lock_guard lock(r.mutex);
  std::map<std::string_view, std::vector<const Row*>> families;
  for (const auto& row : r.rows) families[row.name].push_back(&row);
  std::string out;
  for (const auto& [name, rows] : families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, rows.front()->help, name, rows.front()->type);
    for (const Row* row : rows) row->write(out, *row);
  }
  return out;
}

} // namespace verge::metrics
