#include "proxy/pipeline/unsafe.h"

#include <algorithm>
#include <array>
#include <vector>

#include "cache/policy/groups.h"
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

void invalidate(cache::Cache& cache, Executor& loop, std::vector<cache::Target> targets, const std::string& key) {
  cache::Invalidation command;
  command.targets = std::move(targets);
  command.source = "unsafe method";
  cache.invalidate(std::move(command), loop, [key](Result<uint64_t> done) {
    if (!done) log::warn("exchange", "invalidating {} is not durable: {}", key, done.error().what);
  });
}

cache::Target group_target(std::string group) { return {cache::Target::Kind::tag, {}, std::move(group)}; }

// A stored response's URL, and the groups that it is in. Others of a group take no further groups with them.
std::vector<cache::Target> targets_of(const std::string& key, const cache::EntryRef& entry) {
  const auto parts = policy::key_parts(key);
  std::vector<cache::Target> out;
  out.push_back({cache::Target::Kind::exact, std::string(parts.host), std::string(parts.path_and_query)});
  if (!entry) return out;
  const auto head = entry->head();
  for (const std::string& tag : head->tags) {
    if (policy::is_group(tag)) out.push_back(group_target(tag));
  }
  return out;
}

// Only where something is stored: an API that takes a thousand POSTs a second must not write as many epochs. Where more
// than the URL is in the key, or any slice may be stored, nobody knows the keys: then always.
void invalidate_if_stored(Exchange& ex, const std::string& key, bool known) {
  auto& cache = ex.services.cache;
  auto& loop = ex.services.loop;
  if (!known) return invalidate(cache, loop, targets_of(key, nullptr), key);
  const auto act = [&cache, &loop, key](const cache::Cache::Lookup& found) {
    if (found.entry || found.other_variants) invalidate(cache, loop, targets_of(key, found.entry), key);
  };
  for (const auto& stored : {key, key + std::string(policy::kPartKey)}) {
    const auto found = cache.lookup(stored, ex.request.headers, loop, act, &ex.services.ram_front);
    if (!found.pending) act(found);
  }
}

void invalidate_groups(Exchange& ex, const cache::StoredHead& response) {
  const auto origin = policy::origin_of_key(ex.key.text);
  auto groups = policy::invalidated_groups(response.headers, origin);
  if (groups.empty()) groups = policy::invalidated_groups(response.control, origin); // where it is stripped
  if (groups.empty()) return;
  std::vector<cache::Target> targets;
  for (std::string& group : groups) targets.push_back(group_target(std::move(group)));
  invalidate(ex.services.cache, ex.services.loop, std::move(targets), ex.key.text);
}

} // namespace

void invalidate_after_unsafe(Exchange& ex, int origin_status, const cache::StoredHead& response) {
  if (safe(ex.request) || !ex.route->rules.enabled) return;
  if (ex.route->rules.answers_by_body(ex.request.method)) return; // the route says that it only asks
  invalidate_groups(ex, response);
  if (origin_status < 200 || origin_status >= 400) return;
  invalidate_if_stored(ex, ex.key.text, ex.route->key.url_only() && ex.route->rules.slice == 0);
  for (const std::string_view name : {"location", "content-location"}) {
    const auto reference = response.headers.get(name);
    if (!reference) continue;
    const auto key = policy::same_origin_key(ex.request, *reference);
    if (key && *key != ex.key.text)
      invalidate_if_stored(ex, *key, !ex.snapshot->snapshot->has_key_rules() && ex.route->rules.slice == 0);
  }
}

} // namespace verge::pipeline
