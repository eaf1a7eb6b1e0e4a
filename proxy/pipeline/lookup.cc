// lookup: RAM -> disk -> epochs -> variant -> freshness.
#include "cache/policy/freshness.h"
#include "proxy/pipeline/ranged.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

using policy::Forward;
using policy::Use;

// What to make of a stored response that was found.
void judge(Exchange& ex, const cache::Cache::Lookup& found, const policy::RequestDirectives& asked) {
  auto& f = ex.found;
  const auto& rules = ex.route->rules;
  const auto* head = &found.entry->settled_head();
  f.entry = found.entry;
  f.tier = found.tier;
  f.soft = found.verdict == cache::Verdict::stale;
  f.guarded = found.verdict == cache::Verdict::guarded;
  f.age = policy::current_age(head->freshness, head->response_time, ex.services.clock.wall());
  f.use = policy::decide_use(head->freshness, f.age, asked, rules);
  if (f.guarded) {
    const auto proved = ex.services.cache.epochs().proved();
    f.unproved = std::max(Millis{0}, ex.services.clock.wall() - proved);
    f.use = Use::must_validate; // whatever the origin or the client allows: what may be used stale is not known
  }
  if (f.soft && f.use == Use::fresh) {
    f.use = head->freshness.stale_while_revalidate > Seconds(0) && !head->freshness.never_stale ? Use::stale_revalidate
                                                                                                : Use::must_validate;
  }
  if (f.use == Use::fresh && rules.refresh_ahead.on() && policy::refresh_due(head->freshness, f.age, rules)) {
    // Asked for again: what lies on disk only was asked for when it came, the others count.
    f.refresh_due = f.tier == cache::Tier::disk || f.entry->hits() > 0;
  }
  if (f.use == Use::must_validate) {
    const bool fresh_but_for_the_client =
        !f.soft && !f.guarded && policy::decide_use(head->freshness, f.age, {}, rules) == Use::fresh;
    f.forward = fresh_but_for_the_client ? Forward::request : Forward::stale;
  }
}

} // namespace

Step lookup(Exchange& ex) {
  if (!ex.key.look) {
    ex.found.forward = ex.key.why_not;
    return Step::next();
  }
  if (!ex.looked_up) {
    ex.ranged.reset();
    const std::string& key = ex.slices ? ex.slices->key : ex.key.text;
    auto found = ex.services.cache.held(key, ex.request.headers, ex.services.ram_front);
    if (!found.entry && !found.absent) {
      found = ex.services.cache.lookup(key, ex.request.headers, ex.services.loop,
                                       ex.alive([](Exchange& e, cache::Cache::Lookup l) {
                                         l.pending = false;
                                         e.looked_up = std::move(l);
                                         e.wake();
                                       }),
                                       &ex.services.ram_front);
    }
    if (found.pending) return Step::wait();
    ex.looked_up = std::move(found);
  }
  const auto asked = policy::honoured(policy::request_directives(ex.request.headers), ex.route->rules.honoured);
  ex.found = {};
  if (ex.slices && ex.looked_up->entry && !fits_slices(ex, ex.looked_up->entry)) ex.looked_up->entry.reset();
  if (!ex.looked_up->entry && begin_slices(ex)) {
    ex.looked_up.reset();
    return lookup(ex);
  }
  if (ex.looked_up->entry) {
    judge(ex, *ex.looked_up, asked);
  } else if (ex.slices) {
    ex.found.forward = Forward::uri_miss;
  } else if (const auto part = look_for_part(ex); part.waiting) {
    return Step::wait();
  } else if (part.answers != nullptr) {
    judge(ex, *part.answers, asked);
  } else {
    ex.found.other_variants = ex.looked_up->other_variants;
    ex.found.forward = ex.found.other_variants ? Forward::vary_miss : Forward::uri_miss;
  }
  if (asked.only_if_cached && (!ex.found.entry || ex.found.use == Use::must_validate)) {
    return Step::answer(504, "only-if-cached");
  }
  if (asked.no_store) ex.key.store = false;
  return Step::next();
}

} // namespace verge::pipeline
