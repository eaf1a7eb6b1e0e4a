#include "proxy/pipeline/counters.h"

#include <fmt/core.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "proxy/base/metrics.h"

namespace verge::pipeline {

std::string_view to_string(CacheResult r) noexcept {
  switch (r) {
    case CacheResult::none: return "none";
    case CacheResult::hit: return "hit";
    case CacheResult::miss: return "miss";
    case CacheResult::stale: return "stale";
    case CacheResult::revalidated: return "revalidated";
    case CacheResult::pass: return "pass";
    case CacheResult::error: return "error";
    case CacheResult::partial: return "partial";
  }
  return "none";
}

namespace counters {
namespace {

constexpr size_t kResults = 8;
constexpr size_t kStatuses = 1000;

metrics::Counter g_bytes_sent("verge_sent_bytes_total", "", "Octets of response bodies sent to clients.");
metrics::Counter g_bytes_received("verge_received_bytes_total", "", "Octets of request bodies received from clients.");
metrics::Counter g_origin_requests("verge_origin_requests_total", "", "Fetches sent to origins.");
metrics::Counter g_stores("verge_stores_total", "", "Responses admitted to the cache.");
metrics::Counter g_reflections("verge_reflections_total", "",
                               "Responses not stored because they repeat a request field that is not in their key.");
metrics::Histogram g_seconds("verge_request_seconds", "", "Time from a request's head to the end of its response.");

// One counter for each (status, cache result) that occurs, made at its first use and never removed.
std::array<std::atomic<metrics::Counter*>, kStatuses * kResults> g_requests{};

metrics::Counter& requests(int status, CacheResult result) {
  const auto s = static_cast<size_t>(status >= 0 && status < 1000 ? status : 0);
  auto& cell = g_requests[s * kResults + static_cast<size_t>(result)];
  auto* counter = cell.load(std::memory_order_acquire);
  if (counter == nullptr) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    counter = cell.load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter =
          new metrics::Counter("verge_requests_total", fmt::format("status=\"{}\",cache=\"{}\"", s, to_string(result)),
                               "Requests answered, by status and cache result.");
      cell.store(counter, std::memory_order_release);
    }
  }
  return *counter;
}

} // namespace

void request(int status, CacheResult result, uint64_t bytes_sent, uint64_t bytes_received, uint64_t micros) {
  requests(status, result).add();
  if (bytes_sent > 0) g_bytes_sent.add(bytes_sent);
  if (bytes_received > 0) g_bytes_received.add(bytes_received);
  g_seconds.observe_us(micros);
}

void origin_request() { g_origin_requests.add(); }
void store() { g_stores.add(); }
void reflection() { g_reflections.add(); }

void origin_error(std::string_view origin, std::string_view reason) {
  // Errors are rare: a map under a lock is enough.
  static std::mutex mutex;
  static auto* by_label = new std::map<std::string, std::unique_ptr<metrics::Counter>>;
  const std::string labels = fmt::format("origin=\"{}\",reason=\"{}\"", origin, reason);
  const std::lock_guard lock(mutex);
  auto& counter = (*by_label)[labels];
  if (!counter) {
    counter = std::make_unique<metrics::Counter>(
        "verge_origin_errors_total", labels, "Fetches that failed or were answered 5xx while stale could be shown.");
  }
  counter->add();
}

} // namespace counters
} // namespace verge::pipeline
