#include "proxy/pipeline/slices.h"

#include "cache/policy/freshness.h"
#include "cache/policy/key.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/exchange.h"
#include "proxy/pipeline/forward.h"
#include "proxy/pipeline/plan.h"

namespace verge::pipeline {
namespace {

void set_index(Exchange& ex, uint64_t index) {
  ex.flight.clear();
  ex.slices->index = index;
  ex.slices->key = ex.key.text + policy::slice_key(index);
}

std::unique_ptr<RangePlan> plan_of(const Exchange& ex, uint64_t index) {
  const auto& s = *ex.slices;
  auto plan = std::make_unique<RangePlan>();
  plan->kind = RangePlan::Kind::slice;
  plan->suffix = policy::slice_key(index);
  plan->index = index;
  plan->slice_size = s.size;
  const auto range = policy::slice_range(index, s.size, std::nullopt);
  plan->asked = {range.first, range.last};
  if (s.version) {
    plan->version = s.version;
    plan->if_range = policy::strong_validator(s.version->headers, ex.services.clock.wall());
  } else {
    plan->own_fields = forwarded_headers(ex.request, ex.route->forward, false);
  }
  return plan;
}

bool is_fresh(const Exchange& ex, const cache::EntryRef& entry) {
  const auto head = entry->head();
  const auto age = policy::current_age(head->freshness, head->response_time, ex.services.clock.wall());
  return policy::decide_use(head->freshness, age, {}, ex.route->rules) == policy::Use::fresh;
}

std::optional<policy::ContentRange> content_of(const cache::StoredHead& head) {
  if (head.status != 206) return std::nullopt;
  return policy::parse_content_range(head.headers.get("content-range").value_or(""));
}

// Nobody waits for it yet: the client comes to it when it has read what is before.
void fetch_slice(Exchange& ex, uint64_t index, const cache::EntryRef& stale) {
  auto plan = make_plan(ex, true);
  plan.stale = stale;
  plan.ranged = plan_of(ex, index);
  auto fetching = std::make_unique<Fetching>(ex.services, std::move(plan), nullptr);
  auto joined = ex.services.cache.join(ex.key.text + policy::slice_key(index), ex.services.loop,
                                       fetching->resume_task(), fetching->abandoned_task());
  if (joined.fill) Fetching::start(std::move(fetching), std::move(joined.fill));
}

// Fetches slice `index` unless what was found of it will do. True: it is fetched.
bool fetch_if_missing(Exchange& ex, uint64_t index, const cache::Cache::Lookup& found) {
  const bool usable = found.entry && fits_slices(ex, found.entry);
  if (usable && found.verdict == cache::Verdict::live && is_fresh(ex, found.entry)) return false;
  ex.slices->ahead = index;
  fetch_slice(ex, index, usable ? found.entry : nullptr);
  return true;
}

void note(Exchange& ex) {
  auto& s = *ex.slices;
  const bool stored = ex.answer.result == CacheResult::hit || ex.answer.result == CacheResult::stale;
  (stored && s.index != s.ahead ? s.hit : s.fetched) = true;
}

} // namespace

bool begin_slices(Exchange& ex) {
  if (ex.slices || ex.route->rules.slice == 0 || ex.alone) return false;
  const bool head = ex.request.is("HEAD");
  if (!ex.request.is("GET") && !head) return false;
  if (ex.services.unsliceable.knows(ex.key.text, ex.services.clock.mono())) return false;
  ex.slices = std::make_unique<Slices>();
  ex.slices->size = ex.route->rules.slice;
  set_index(ex, head ? 0 : policy::first_wanted(ex.request.headers) / ex.slices->size);
  return true;
}

bool fits_slices(const Exchange& ex, const cache::EntryRef& entry) {
  const auto& s = *ex.slices;
  const auto head = entry->head();
  const auto content = content_of(*head);
  if (!content || content->range.first % s.size != 0) return false;
  const auto wanted = policy::slice_range(content->range.first / s.size, s.size, content->complete);
  if (content->range.last != wanted.last) return false; // of another slice size
  return !s.version || policy::same_version(s.version->headers, head->headers, ex.services.clock.wall());
}

std::unique_ptr<RangePlan> plan_slice(Exchange& ex) { return plan_of(ex, ex.slices->index); }

bool slice_came_to_rest(Exchange& ex) {
  const auto entry = ex.services.cache.arrived(ex.slices->key, ex.request.headers, ex.services.ram_front);
  return entry && entry != ex.found.entry && fits_slices(ex, entry) && is_fresh(ex, entry);
}

SliceTaken take_slice(Exchange& ex) {
  auto& s = *ex.slices;
  const auto head = ex.answer.entry->head();
  const auto content = content_of(*head);
  const bool is_slice = content && content->complete && content->range.first == s.index * s.size &&
                        content->range.last == policy::slice_range(s.index, s.size, content->complete).last;
  if (!s.version) {
    if (!is_slice || !ex.answer.stored) return SliceTaken::none;
    s.version = head;
    s.complete = *content->complete;
    note(ex);
    return SliceTaken::first;
  }
  if (is_slice && fits_slices(ex, ex.answer.entry)) {
    ex.response.offset = content->range.first;
    note(ex);
    return SliceTaken::next;
  }
  drop_slices(ex.services, ex.key.text, head->headers);
  return SliceTaken::changed;
}

bool fetch_ahead(Exchange& ex) {
  const auto& s = *ex.slices;
  const uint64_t next = s.index + 1;
  if (!ex.answer.stored || s.ahead == next || next * s.size > std::min(ex.response.last, s.complete - 1)) return false;
  auto found = ex.services.cache.lookup(ex.key.text + policy::slice_key(next), ex.request.headers, ex.services.loop,
                                        ex.alive([next](Exchange& e, const cache::Cache::Lookup& late) {
                                          if (e.slices && e.slices->version) fetch_if_missing(e, next, late);
                                        }),
                                        &ex.services.ram_front);
  return !found.pending && fetch_if_missing(ex, next, found);
}

void want_slice(Exchange& ex, uint64_t position) {
  // The slice in hand may still be coming: it is stored without us.
  if (ex.fetching != nullptr) std::exchange(ex.fetching, nullptr)->detach();
  set_index(ex, position / ex.slices->size);
  ex.looked_up.reset();
  ex.answer.entry.reset();
  ex.alone = false;
  ex.join_tries = 0;
  ex.back_to(Room::lookup);
}

Step give_up_version(Exchange& ex) {
  if (ex.head_sent || ++ex.join_tries > 2) return Step::answer(502, "changed");
  ex.slices.reset();
  ex.flight.clear();
  ex.looked_up.reset();
  ex.answer = {};
  ex.response = {};
  ex.back_to(Room::lookup);
  return Step::next();
}

void drop_slices(Services& services, const std::string& key, const http::Headers& newer) {
  const auto now = services.clock.mono();
  std::string version = key;
  for (const std::string_view name : {"etag", "last-modified"}) version += '\n' + newer.joined(name);
  if (services.changed.knows(version, now)) return;
  services.changed.remember(version, now);
  const auto parts = policy::key_parts(key);
  cache::Invalidation command;
  command.targets.push_back({cache::Target::Kind::exact, std::string(parts.host), std::string(parts.path_and_query)});
  command.source = "another version between slices";
  log::warn("origin", "{} changed while it was sent in slices", key);
  services.cache.invalidate(std::move(command), services.loop, [key](Result<uint64_t> done) {
    if (!done) log::warn("exchange", "invalidating {} is not durable: {}", key, done.error().what);
  });
}

} // namespace verge::pipeline
