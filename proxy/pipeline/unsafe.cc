#include "proxy/pipeline/unsafe.h"

#include <algorithm>
#include <array>

#include "cache/policy/key.h"
#include "cache/policy/partial.h"
#include "cache/policy/reference.h"
#include "proxy/base/log.h"

namespace verge::pipeline {
namespace {

// RFC 9110 section 9.2.1 and the methods that are registered as safe since.
bool safe(const http::RequestHead& q) {
  constexpr std::array<std::string_view, 8> kSafe = {"GET",      "HEAD",   "OPTIONS", "TRACE",
                                                     "PROPFIND", "REPORT", "SEARCH",  "QUERY"};
  return std::ranges::find(kSafe, q.method) != kSafe.end();
}

void invalidate(cache::Cache& cache, Executor& loop, const std::string& key) {
  const auto parts = policy::key_parts(key);
  cache::Invalidation command;
  command.targets.push_back({cache::Target::Kind::exact, std::string(parts.host), std::string(parts.path_and_query)});
  command.source = "unsafe method";
  cache.invalidate(std::move(command), loop, [key](Result<uint64_t> done) {
    if (!done) log::warn("exchange", "invalidating {} is not durable: {}", key, done.error().what);
  });
}

// Only where something is stored: an API that takes a thousand POSTs a second must not write as many epochs. Where more
// than the URL is in the key, or any slice may be stored, nobody knows the keys: then always.
void invalidate_if_stored(Exchange& ex, const std::string& key, bool known) {
  auto& cache = ex.services.cache;
  auto& loop = ex.services.loop;
  if (!known) return invalidate(cache, loop, key);
  for (const auto& stored : {key, key + std::string(policy::kPartKey)}) {
    auto found = cache.lookup(stored, ex.request.headers, loop, [&cache, &loop, key](cache::Cache::Lookup late) {
      if (late.entry || late.other_variants) invalidate(cache, loop, key);
    });
    if (!found.pending && (found.entry || found.other_variants)) return invalidate(cache, loop, key);
  }
}

} // namespace

void invalidate_after_unsafe(Exchange& ex, int origin_status, const http::Headers& response) {
  if (safe(ex.request) || origin_status < 200 || origin_status >= 400 || !ex.route->rules.enabled) return;
  invalidate_if_stored(ex, ex.key.text, ex.route->key.url_only() && ex.route->rules.slice == 0);
  for (const std::string_view name : {"location", "content-location"}) {
    const auto reference = response.get(name);
    if (!reference) continue;
    const auto key = policy::same_origin_key(ex.request, *reference);
    if (key && *key != ex.key.text)
      invalidate_if_stored(ex, *key, !ex.snapshot->snapshot->has_key_rules() && ex.route->rules.slice == 0);
  }
}

} // namespace verge::pipeline
