// What the pipeline counts for /metrics. Thread-safe; one relaxed add each.
#pragma once

#include <cstdint>
#include <string_view>

namespace verge::pipeline {

// The word for a response in log, metrics and dashboards, as nginx's $upstream_cache_status users know it.
enum class CacheResult : uint8_t { none, hit, miss, stale, revalidated, pass, error, partial };
std::string_view to_string(CacheResult r) noexcept;

namespace counters {

void request(int status, CacheResult result, uint64_t bytes_sent, uint64_t bytes_received, uint64_t micros);
void origin_request();
void origin_error(std::string_view origin, std::string_view reason); // reason: timeout, refused, broken, status
void store();
void reflection(); // a response was not stored for what it repeats

} // namespace counters
} // namespace verge::pipeline
