// join: found fresh: take it. Else be the one who fetches, or wait for the one who does.
#include "proxy/pipeline/join.h"

#include "cache/policy/freshness.h"
#include "proxy/pipeline/early.h"
#include "proxy/pipeline/follow.h"
#include "proxy/pipeline/head_update.h"
#include "proxy/pipeline/plan.h"
#include "proxy/pipeline/ranged.h"
#include "proxy/pipeline/rooms.h"
#include "proxy/pipeline/slices.h"
#include "proxy/pipeline/stale.h"
#include "proxy/pipeline/unsafe.h"

namespace verge::pipeline {
namespace {

using policy::Use;

Step settle(Exchange& ex, Outcome&& o) {
  auto& a = ex.answer;
  if (o.status != 0) a.origin_status = o.status;
  switch (o.kind) {
    case Outcome::Kind::opened:
      update_after_head(ex, o);
      a.entry = std::move(o.entry);
      a.verdict = o.verdict;
      a.stored = o.verdict == policy::StoreVerdict::store;
      a.declared_length = o.declared_length;
      a.result = a.stored ? CacheResult::miss : CacheResult::pass;
      if (!a.stored && ex.key.store) a.detail = policy::to_string(o.verdict);
      a.note = std::move(o.note);
      if (!a.note.empty()) a.detail = a.note;
      a.first_only = std::move(o.first_only);
      if (ex.found.guarded) tell_reception(ex);
      invalidate_after_unsafe(ex, o.status, *a.entry->head());
      return Step::next();
    case Outcome::Kind::refreshed:
      a.entry = std::move(o.entry);
      a.result = CacheResult::revalidated;
      if (ex.found.guarded) tell_reception(ex);
      return Step::next();
    case Outcome::Kind::origin_5xx: return serve_stale(ex, "stale-if-error");
    case Outcome::Kind::failed:
      if (ex.slices && o.error.code == Errc::closed && o.error.side == Side::self) return give_up_version(ex);
      return origin_failed(ex, o.error);
  }
  return Step::answer(500, "join");
}

// True: the walk goes back to lookup, which will find it.
bool came_to_rest(Exchange& ex) {
  if (ex.join_tries >= kMostTries) return false;
  const bool begun = ex.slices && ex.slices->version;
  const auto whole =
      begun ? nullptr : ex.services.cache.arrived(ex.key.text, ex.request.headers, ex.services.ram_front);
  if (whole && whole != ex.found.entry) {
    ex.slices.reset();
  } else if (!(ex.slices ? slice_came_to_rest(ex) : part_came_to_rest(ex))) {
    return false;
  }
  ++ex.join_tries;
  look_again(ex);
  return true;
}

// Is each use of what is stored to be validated by itself? Then nobody waits for another's validation.
bool for_itself(const Exchange& ex) {
  if (!ex.found.entry || (ex.slices && ex.slices->ahead == ex.slices->index)) return false; // we sent that one
  const auto head = ex.found.entry->head();
  return head->freshness.always_validate || head->freshness.lifetime <= Millis{0};
}

} // namespace

Step fetch(Exchange& ex) {
  bool share = ex.key.store && !ex.alone;
  std::unique_ptr<Fetching> fetching;
  std::unique_ptr<cache::Fill> fill;
  if (share) {
    fetching = std::make_unique<Fetching>(ex.services, make_plan(ex, true), &ex);
    if (auto whole = reads_along(ex)) return begin_following(ex, std::move(whole));
    if (ex.flight.empty()) name_flight(ex, ex.flight);
    auto joined =
        ex.services.cache.join(ex.flight, ex.services.loop, fetching->resume_task(), fetching->abandoned_task(),
                               ex.flight == ex.key.text ? ex.found.uncacheable : std::nullopt);
    fill = std::move(joined.fill);
    if (!fill) {
      if (!for_itself(ex)) return begin_following(ex, std::move(joined.entry));
      share = false;
    } else if (came_to_rest(ex)) {
      // Whoever fetched it may have ended just between our lookup and our join: then it is not asked for twice.
      fill->abandon();
      return Step::next();
    }
  }
  if (!share) {
    if (ex.slices && !ex.slices->version) ex.slices.reset(); // HEAD, or for this client alone
    fetching = std::make_unique<Fetching>(ex.services, make_plan(ex, false), &ex);
    fill = ex.services.cache.solo(ex.services.loop, fetching->resume_task(), fetching->abandoned_task());
  }
  ex.fetching = &Fetching::start(std::move(fetching), std::move(fill));
  if (share) watch_patience(ex);
  if (ex.request.has_body) ex.client.want_body();
  send_early_hints(ex);
  return Step::wait();
}

Step join(Exchange& ex) {
  if (ex.outcome) {
    Outcome o = std::move(*ex.outcome);
    ex.outcome.reset();
    ex.patience.reset();
    return settle(ex, std::move(o));
  }
  if (ex.impatient && may_show_stale(ex, true)) return out_of_patience(ex);
  if (ex.following) return follow(ex);
  if (ex.fetching != nullptr) return Step::wait();
  if (ex.found.entry && ex.found.use == Use::fresh) {
    if (ex.found.refresh_due) refresh_behind(ex);
    ex.answer.entry = ex.found.entry;
    ex.answer.result = CacheResult::hit;
    tell_reception(ex);
    return Step::next();
  }
  if (ex.found.entry && ex.found.use == Use::stale_revalidate) {
    refresh_behind(ex);
    return serve_stale(ex, "stale-while-revalidate");
  }
  if (ex.key.store && known_to_fail(ex)) {
    refresh_behind(ex);
    return serve_stale(ex, "stale-if-error");
  }
  return fetch(ex);
}

} // namespace verge::pipeline
