#include "proxy/pipeline/follow.h"

#include "cache/policy/search.h"
#include "cache/policy/select.h"
#include "proxy/pipeline/join.h"
#include "proxy/pipeline/plan.h"
#include "proxy/pipeline/rooms.h"
#include "proxy/pipeline/stale.h"

namespace verge::pipeline {
namespace {

bool same_variant(const Exchange& ex, const cache::StoredHead& head) {
  return policy::selects(head.vary_fields, head.vary_values, head.headers, ex.request.headers);
}

bool may_share(const Exchange& ex, const cache::StoredHead& head) {
  const auto& rules = ex.route->rules;
  if (!policy::answers_url(head.key, !head.url.empty(), head.headers, ex.key.text)) return false;
  const auto asked = policy::honoured(policy::request_directives(ex.request.headers), rules.honoured);
  const auto age = policy::current_age(head.freshness, head.response_time, ex.services.clock.wall());
  return policy::may_share(head.freshness, age, ex.flight_had_head, asked, rules);
}

Step share(Exchange& ex, const cache::EntryRef& entry) {
  const auto head = entry->head();
  if (!same_variant(ex, *head)) {
    // Those who wait for the same other variant share a Fetch of their own, and it is stored.
    if (++ex.join_tries >= kMostTries) ex.alone = true;
    ex.flight = flight_of(ex, *head);
    return fetch(ex);
  }
  if (!may_share(ex, *head)) {
    ex.alone = true;
    return fetch(ex);
  }
  ex.patience.reset();
  ex.answer.entry = entry;
  ex.answer.collapsed = true;
  ex.answer.result = CacheResult::miss;
  return Step::next();
}

} // namespace

Step look_again(Exchange& ex) {
  ex.flight.clear();
  ex.looked_up.reset();
  ex.back_to(Room::lookup);
  return Step::next();
}

Step begin_following(Exchange& ex, cache::EntryRef flight) {
  ex.following = std::move(flight);
  ex.flight_had_head = ex.following->state() != cache::EntryState::waiting_head;
  ex.follow_expired = false;
  ex.follow_alarm = ex.services.alarms.after(ex.route->waiting.follow_timeout, ex.alive([](Exchange& e) {
    e.follow_expired = true;
    e.wake();
  }));
  watch_patience(ex);
  ex.following->when_opened(ex.services.loop, ex.wake_task());
  return Step::wait();
}

Step follow(Exchange& ex) {
  const auto entry = ex.following;
  const auto state = entry->state();
  if (state == cache::EntryState::waiting_head && !ex.follow_expired) return Step::wait();
  ex.following.reset();
  ex.follow_alarm.reset();
  if (state == cache::EntryState::waiting_head) { // the leader takes too long
    ex.alone = true;
    return fetch(ex);
  }
  if (state != cache::EntryState::failed) return share(ex, entry);

  const Error error = entry->error();
  if (++ex.join_tries >= kMostTries) ex.alone = true;
  if (error.code == Errc::closed && error.side == Side::self) return look_again(ex); // a 304 freshened it
  // Found private: every one for himself. The leader's client left: the next one leads.
  if (error.code == Errc::refused && error.side == Side::self) return fetch(ex);
  if (error.side == Side::client) return fetch(ex);
  return origin_failed(ex, error);
}

} // namespace verge::pipeline
