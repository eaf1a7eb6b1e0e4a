#include "proxy/pipeline/unsafe.h"

#include "cache/policy/key.h"
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

} // namespace

void invalidate_after_unsafe(Exchange& ex, int origin_status) {
  if (safe(ex.request) || origin_status < 200 || origin_status >= 400 || !ex.route->rules.enabled) return;
  // Only where something is stored: an API that takes a thousand POSTs a second must not write as many epochs.
  auto& cache = ex.services.cache;
  auto& loop = ex.services.loop;
  auto found = cache.lookup(ex.key.text, ex.request.headers, loop,
                            [&cache, &loop, key = ex.key.text](cache::Cache::Lookup late) {
                              if (late.entry || late.other_variants) invalidate(cache, loop, key);
                            });
  if (!found.pending && (found.entry || found.other_variants)) invalidate(cache, loop, ex.key.text);
}

} // namespace verge::pipeline
