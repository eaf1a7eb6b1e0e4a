#include "proxy/pipeline/ranged.h"

#include "cache/policy/freshness.h"
#include "cache/policy/validation.h"
#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {
namespace {

std::string part_key(const Exchange& ex) { return ex.key.text + std::string(policy::kPartKey); }

// Octets behind which reading along costs less than asking for a range of its own.
uint64_t near_octets(const Exchange& ex) { return ex.snapshot->snapshot->config().cache.memory_object; }

// Does this stored part answer the request alone?
bool answers_alone(const Exchange& ex, const cache::Cache::Lookup& found, bool fresh) {
  const auto head = found.entry->head();
  const auto content = policy::parse_content_range(head->headers.get("content-range").value_or(""));
  if (head->status != 206 || !content) return false;
  const auto now = ex.services.clock.wall();
  if (!ex.request.headers.has("range")) {
    // RFC 9111 section 4.3.2: the client's own validator is the stored one, so it needs no octets.
    return fresh &&
           policy::evaluate_preconditions(ex.request, head->headers, now) == policy::Precondition::not_modified;
  }
  if (!fresh && !policy::single_range(ex.request.headers)) return false; // one range is asked about at a time
  return policy::decide_from_part(ex.request.headers, head->headers, *content, now).has_value();
}

bool is_fresh(const Exchange& ex, const cache::Cache::Lookup& found) {
  const auto head = found.entry->head();
  const auto age = policy::current_age(head->freshness, head->response_time, ex.services.clock.wall());
  return found.verdict == cache::Verdict::live &&
         policy::decide_use(head->freshness, age, {}, ex.route->rules) == policy::Use::fresh;
}

} // namespace

PartFound look_for_part(Exchange& ex) {
  if (!ex.request.is("GET") || !ex.key.store || ex.alone) return {};
  // A part would save octets of a whole that can be stored: this key's can't.
  if (!ex.request.headers.has("range")) ex.found.uncacheable = ex.services.cache.known_uncacheable(ex.key.text);
  if (ex.found.uncacheable) return {};
  if (!ex.ranged) ex.ranged = std::make_unique<Ranged>();
  auto& r = *ex.ranged;
  if (!r.looked_up) {
    auto found = ex.services.cache.lookup(part_key(ex), ex.request.headers, ex.services.loop,
                                          ex.alive([](Exchange& e, cache::Cache::Lookup l) {
                                            if (!e.ranged) return;
                                            l.pending = false;
                                            e.ranged->looked_up = std::move(l);
                                            e.wake();
                                          }),
                                          &ex.services.ram_front);
    if (found.pending) return {true, nullptr};
    r.looked_up = std::move(found);
  }
  if (!r.looked_up->entry) return {};
  if (answers_alone(ex, *r.looked_up, is_fresh(ex, *r.looked_up))) return {false, &*r.looked_up};
  r.part = r.looked_up->entry;
  return {};
}

std::unique_ptr<RangePlan> plan_range(Exchange& ex) {
  if (!ex.ranged) return nullptr;
  auto& r = *ex.ranged;
  r.flight.clear();
  if (!r.part && !ex.request.headers.has("range")) return nullptr;
  const auto now = ex.services.clock.wall();
  auto plan = std::make_unique<RangePlan>();
  plan->combine_limit = near_octets(ex);
  if (ex.request.headers.has("range")) {
    const auto asked = policy::single_range(ex.request.headers);
    if (!asked || ex.services.whole_only.knows(ex.key.text, ex.services.clock.mono())) return nullptr;
    plan->asked = *asked;
    plan->part = ex.found.entry && ex.found.entry->head()->status == 206 ? ex.found.entry : r.part;
    r.flight = part_key(ex) + "=" + policy::range_value(*asked);
    // The origin knows which version it has; equal requests share only if they ask the same of it.
    if (ex.request.headers.count("if-range") == 1) {
      plan->if_range = *ex.request.headers.get("if-range");
      r.flight += "\nif-range=" + plan->if_range;
    }
    return plan;
  }
  const auto head = r.part->head();
  const auto content = policy::parse_content_range(head->headers.get("content-range").value_or(""));
  const auto validator = policy::strong_validator(head->headers, now);
  if (!content || content->range.first != 0 || validator.empty()) return nullptr;
  plan->kind = RangePlan::Kind::rest;
  plan->asked.first = content->range.last + 1;
  plan->if_range = validator;
  plan->part = r.part;
  ex.found.forward = policy::Forward::partial;
  return plan;
}

cache::EntryRef reads_along(Exchange& ex) {
  if (!ex.ranged || ex.ranged->flight.empty()) return nullptr;
  const auto asked = policy::single_range(ex.request.headers);
  if (!asked) return nullptr;
  auto flying = ex.services.cache.flying(ex.key.text);
  if (!flying) return nullptr;
  uint64_t first = asked->first.value_or(0);
  if (!asked->first) {
    const auto head = flying->head();
    const auto length = head ? head->content_length : std::nullopt;
    if (!length) return nullptr;
    first = *length - std::min(*length, *asked->last);
  }
  const uint64_t come = flying->length();
  return first <= come || first - come <= near_octets(ex) ? flying : nullptr;
}

bool part_came_to_rest(Exchange& ex) {
  if (!ex.ranged || ex.ranged->flight.empty()) return false;
  const auto entry = ex.services.cache.arrived(part_key(ex), ex.request.headers, ex.services.ram_front);
  if (!entry || entry == ex.ranged->part || entry == ex.found.entry) return false;
  const cache::Cache::Lookup found{.entry = entry, .tier = cache::Tier::ram};
  return is_fresh(ex, found) && answers_alone(ex, found, true);
}

} // namespace verge::pipeline
