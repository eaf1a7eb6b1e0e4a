#include "proxy/pipeline/unsafe.h"

#include "cache/policy/key.h"
#include "cache/policy/reference.h"
#include "proxy/base/log.h"

namespace verge::pipeline {
namespace {

bool safe(const http::RequestHead& q) { return q.is("GET") || q.is("HEAD") || q.is("OPTIONS") || q.is("TRACE"); }

void invalidate(cache::Cache& cache, Executor& loop, const std::string& key) {
  const auto parts = policy::key_parts(key);
  cache::Invalidation command;
  command.targets.push_back({cache::Target::Kind::exact, std::string(parts.host), std::string(parts.path_and_query)});
  command.source = "unsafe method";
  cache.invalidate(std::move(command), loop, [key](Result<uint64_t> done) {
    if (!done) log::warn("exchange", "invalidating {} is not durable: {}", key, done.error().what);
  });
}

// Only where something is stored: an API that takes a thousand POSTs a second must not write as many epochs.
void invalidate_if_stored(Exchange& ex, const std::string& key) {
  auto& cache = ex.services.cache;
  auto& loop = ex.services.loop;
  auto found = cache.lookup(key, ex.request.headers, loop, [&cache, &loop, key](cache::Cache::Lookup late) {
    if (late.entry || late.other_variants) invalidate(cache, loop, key);
  });
  if (!found.pending && (found.entry || found.other_variants)) invalidate(cache, loop, key);
}

} // namespace

void invalidate_after_unsafe(Exchange& ex, int origin_status, const http::Headers& response) {
  if (safe(ex.request) || origin_status < 200 || origin_status >= 400 || !ex.route->rules.enabled) return;
  invalidate_if_stored(ex, ex.key.text);
  for (const std::string_view name : {"location", "content-location"}) {
    const auto reference = response.get(name);
    if (!reference) continue;
    const auto key = policy::same_origin_key(ex.request, *reference);
    if (key && *key != ex.key.text) invalidate_if_stored(ex, *key);
  }
}

} // namespace verge::pipeline
