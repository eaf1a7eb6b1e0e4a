#include "proxy/pipeline/stale.h"

#include <fmt/core.h>

#include "proxy/pipeline/failing.h"
#include "proxy/pipeline/plan.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {

cache::EntryRef refresh_behind(Exchange& ex) {
  auto* failing = ex.services.failing;
  if (failing != nullptr && !failing->may_probe(ex.route->origin)) return nullptr;
  Plan plan = make_plan(ex, true);
  plan.behind = true;
  if (ex.request.is("HEAD")) plan.client_head->method = "GET"; // a HEAD found it, but it's the whole that is stored
  auto fetching = std::make_unique<Fetching>(ex.services, std::move(plan), nullptr);
  auto joined =
      ex.services.cache.join(flight_of(ex), ex.services.loop, fetching->resume_task(), fetching->abandoned_task());
  if (!joined.fill) return nullptr;
  cache::EntryRef entry = joined.fill->entry();
  Fetching::start(std::move(fetching), std::move(joined.fill));
  return entry;
}

// The answer's detail, and that the node may not have read every invalidation, where that is so.
void tell_reception(Exchange& ex) {
  auto& a = ex.answer;
  const auto reception = ex.services.cache.epochs().reception();
  if (reception == cache::Reception::current) return;
  const bool guarded = reception == cache::Reception::guarded;
  if (guarded && !ex.found.guarded) return; // it is younger than the guard
  const std::string_view word = guarded ? "guarded" : "cut-off";
  a.note = a.detail.empty() ? std::string(word) : fmt::format("{}, {}", a.detail, word);
  a.detail = a.note;
}

Step serve_stale(Exchange& ex, std::string_view detail) {
  ex.answer.entry = ex.found.entry;
  ex.answer.stored = true;
  ex.answer.result = CacheResult::stale;
  ex.answer.detail = detail;
  tell_reception(ex);
  return Step::next();
}

bool may_show_stale(const Exchange& ex, bool origin_answered) {
  if (ex.found.guarded && ex.found.unproved > ex.snapshot->snapshot->config().invalidation.guard.stale_if_error) {
    return false;
  }
  return ex.found.entry &&
         policy::may_serve_stale_on_error(ex.found.entry->head()->freshness, ex.found.stale_age(), origin_answered);
}

Step origin_failed(Exchange& ex, const Error& error) {
  if (may_show_stale(ex, false)) return serve_stale(ex, "origin-failed");
  if (error.side == Side::client && error.code == Errc::too_large) return Step::answer(413, "too-large");
  if (error.code == Errc::timeout) return Step::answer(504, "origin-timeout");
  return Step::answer(502, error.code == Errc::refused ? "origin-refused" : "origin-failed");
}

bool known_to_fail(const Exchange& ex) {
  return ex.services.failing != nullptr && may_show_stale(ex, true) &&
         ex.services.failing->is_failing(ex.route->origin, ex.key.text);
}

void watch_patience(Exchange& ex) {
  const Millis patience = ex.route->waiting.stale_if_slow;
  if (patience <= Millis{0} || ex.patience || !may_show_stale(ex, true)) return;
  ex.patience = ex.services.alarms.after(patience, ex.alive([](Exchange& e) {
    e.impatient = true;
    e.wake();
  }));
}

Step out_of_patience(Exchange& ex) {
  ex.patience.reset();
  ex.impatient = false;
  if (ex.services.failing != nullptr) {
    ex.services.failing->origin_failed(ex.route->origin, ex.route->waiting.fail_timeout);
  }
  if (ex.fetching != nullptr) std::exchange(ex.fetching, nullptr)->detach();
  ex.following.reset();
  ex.follow_alarm.reset();
  return serve_stale(ex, "stale-if-slow");
}

} // namespace verge::pipeline
