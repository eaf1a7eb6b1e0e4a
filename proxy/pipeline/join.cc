// join: found fresh: take it. Else be the one who fetches, or wait for the one who does.
#include "cache/policy/search.h"
#include "cache/policy/select.h"
#include "cache/policy/validation.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/forward.h"
#include "proxy/pipeline/plan.h"
#include "proxy/pipeline/rooms.h"
#include "proxy/pipeline/unsafe.h"

namespace verge::pipeline {
namespace {

using policy::Use;

constexpr int kMostTries = 3; // times a follower tries to share before it fetches alone

} // namespace

Plan make_plan(Exchange& ex, bool store) {
  Plan plan;
  plan.route = ex.route;
  plan.snapshot = ex.snapshot;
  plan.client_head = ex.request;
  plan.origin_headers = forwarded_headers(ex.request, ex.route->forward, store || ex.slices);
  plan.client.address = ex.connection.address;
  plan.client.scheme = ex.connection.scheme;
  if (ex.key.look) { // the origin is asked what the key names, not what the key leaves out
    policy::to_keyed(ex.route->key, plan.client_head);
    if (!ex.route->key.scheme.empty()) plan.client.scheme = ex.route->key.scheme;
  }
  plan.client.host = plan.client_head.authority;
  plan.client.tls = ex.connection.tls;
  plan.client.request_id = ex.request_id;
  if (store) {
    plan.key = ex.key.text;
    if (ex.found.entry && policy::has_validator(ex.found.entry->head()->headers)) plan.stale = ex.found.entry;
    if (!ex.slices) plan.ranged = plan_range(ex);
  }
  if (ex.slices) plan.ranged = plan_slice(ex);
  return plan;
}

namespace {

// The name under which those who want the same wait for one Fetch.
const std::string& flight_of(const Exchange& ex) {
  if (ex.slices) return ex.slices->key;
  return ex.ranged && !ex.ranged->flight.empty() ? ex.ranged->flight : ex.key.text;
}

// Stale is shown now; the next one shall find it fresh.
void refresh_behind(Exchange& ex) {
  auto fetching = std::make_unique<Fetching>(ex.services, make_plan(ex, true), nullptr);
  auto joined =
      ex.services.cache.join(flight_of(ex), ex.services.loop, fetching->resume_task(), fetching->abandoned_task());
  if (joined.fill) Fetching::start(std::move(fetching), std::move(joined.fill));
}

Step serve_stale(Exchange& ex, std::string_view detail) {
  ex.answer.entry = ex.found.entry;
  ex.answer.stored = true;
  ex.answer.result = CacheResult::stale;
  ex.answer.detail = detail;
  return Step::next();
}

Step failed(Exchange& ex, const Error& error) {
  if (ex.found.entry) {
    const auto head = ex.found.entry->head();
    if (policy::may_serve_stale_on_error(head->freshness, ex.found.stale_age(), false)) {
      return serve_stale(ex, "origin-failed");
    }
  }
  if (error.side == Side::client && error.code == Errc::too_large) return Step::answer(413, "too-large");
  if (error.code == Errc::timeout) return Step::answer(504, "origin-timeout");
  return Step::answer(502, error.code == Errc::refused ? "origin-refused" : "origin-failed");
}

Step settle(Exchange& ex, Outcome&& o) {
  auto& a = ex.answer;
  if (o.status != 0) a.origin_status = o.status;
  switch (o.kind) {
    case Outcome::Kind::opened:
      a.entry = std::move(o.entry);
      a.verdict = o.verdict;
      a.stored = o.verdict == policy::StoreVerdict::store;
      a.declared_length = o.declared_length;
      a.result = a.stored ? CacheResult::miss : CacheResult::pass;
      if (!a.stored && ex.key.store) a.detail = policy::to_string(o.verdict);
      invalidate_after_unsafe(ex, o.status, a.entry->head()->headers);
      return Step::next();
    case Outcome::Kind::refreshed:
      a.entry = std::move(o.entry);
      a.result = CacheResult::revalidated;
      return Step::next();
    case Outcome::Kind::origin_5xx: return serve_stale(ex, "stale-if-error");
    case Outcome::Kind::failed:
      if (ex.slices && o.error.code == Errc::closed && o.error.side == Side::self) return give_up_version(ex);
      return failed(ex, o.error);
  }
  return Step::answer(500, "join");
}

// May a response that another request fetched answer this one too? Only what the store could have given us.
bool shareable(const Exchange& ex, const cache::StoredHead& head) {
  if (!policy::selects(head.vary_fields, head.vary_values, head.headers, ex.request.headers)) return false;
  if (!policy::answers_url(head.key, !head.url.empty(), head.headers, ex.key.text)) return false;
  const auto age = policy::current_age(head.freshness, head.response_time, ex.services.clock.wall());
  return !head.freshness.always_validate && age < head.freshness.lifetime;
}

Step fetch(Exchange& ex);

Step follow(Exchange& ex) {
  const auto entry = ex.following;
  switch (entry->state()) {
    case cache::EntryState::waiting_head:
      if (!ex.follow_expired) return Step::wait();
      ex.following.reset(); // the leader takes too long
      ex.alone = true;
      return fetch(ex);
    case cache::EntryState::open:
    case cache::EntryState::complete:
      ex.following.reset();
      ex.follow_alarm.reset();
      if (!shareable(ex, *entry->head())) {
        ex.alone = true;
        return fetch(ex);
      }
      ex.answer.entry = entry;
      ex.answer.collapsed = true;
      ex.answer.result = CacheResult::miss;
      return Step::next();
    case cache::EntryState::failed: break;
  }
  ex.following.reset();
  ex.follow_alarm.reset();
  const Error error = entry->error();
  if (++ex.join_tries >= kMostTries) ex.alone = true;
  if (error.code == Errc::closed && error.side == Side::self) { // a 304 freshened it: look again
    ex.looked_up.reset();
    ex.back_to(Room::lookup);
    return Step::next();
  }
  // Found private: every one for himself. The leader's client left: the next one leads.
  if (error.code == Errc::refused && error.side == Side::self) return fetch(ex);
  if (error.side == Side::client) return fetch(ex);
  return failed(ex, error);
}

// True: the walk goes back to lookup, which will find it.
bool came_to_rest(Exchange& ex) {
  if (ex.join_tries >= kMostTries) return false;
  const bool begun = ex.slices && ex.slices->version;
  const auto whole = begun ? nullptr : ex.services.cache.arrived(ex.key.text, ex.request.headers);
  if (whole && whole != ex.found.entry) {
    ex.slices.reset();
  } else if (!(ex.slices ? slice_came_to_rest(ex) : part_came_to_rest(ex))) {
    return false;
  }
  ++ex.join_tries;
  ex.looked_up.reset();
  ex.back_to(Room::lookup);
  return true;
}

Step wait_for(Exchange& ex, cache::EntryRef entry) {
  ex.following = std::move(entry);
  ex.follow_expired = false;
  ex.follow_alarm =
      ex.services.alarms.after(ex.snapshot->snapshot->config().limits.follow_timeout, ex.alive([](Exchange& e) {
        e.follow_expired = true;
        e.wake();
      }));
  ex.following->when_opened(ex.services.loop, ex.wake_task());
  return Step::wait();
}

Step fetch(Exchange& ex) {
  const bool share = ex.key.store && !ex.alone;
  if (!share && ex.slices && !ex.slices->version) ex.slices.reset(); // HEAD, or for this client alone
  auto fetching = std::make_unique<Fetching>(ex.services, make_plan(ex, share), &ex);
  std::unique_ptr<cache::Fill> fill;
  if (share) {
    if (auto whole = reads_along(ex)) return wait_for(ex, std::move(whole));
    auto joined =
        ex.services.cache.join(flight_of(ex), ex.services.loop, fetching->resume_task(), fetching->abandoned_task());
    if (!joined.fill) return wait_for(ex, std::move(joined.entry));
    fill = std::move(joined.fill);
    // Whoever fetched it may have ended just between our lookup and our join: then it is here, and not asked for twice.
    if (came_to_rest(ex)) {
      fill->abandon();
      return Step::next();
    }
  } else {
    fill = ex.services.cache.solo(ex.services.loop, fetching->resume_task(), fetching->abandoned_task());
  }
  ex.fetching = &Fetching::start(std::move(fetching), std::move(fill));
  if (ex.request.has_body) ex.client.want_body();
  return Step::wait();
}

} // namespace

Step join(Exchange& ex) {
  if (ex.outcome) {
    Outcome o = std::move(*ex.outcome);
    ex.outcome.reset();
    return settle(ex, std::move(o));
  }
  if (ex.following) return follow(ex);
  if (ex.fetching != nullptr) return Step::wait();
  if (ex.found.entry && ex.found.use == Use::fresh) {
    ex.answer.entry = ex.found.entry;
    ex.answer.result = CacheResult::hit;
    return Step::next();
  }
  if (ex.found.entry && ex.found.use == Use::stale_revalidate) {
    refresh_behind(ex);
    return serve_stale(ex, "stale-while-revalidate");
  }
  return fetch(ex);
}

} // namespace verge::pipeline
