#include "proxy/pipeline/fetching.h"

#include <utility>

#include "cache/policy/validation.h"
#include "cache/policy/vary.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/counters.h"
#include "proxy/pipeline/truncated.h"
#include "proxy/pipeline/verdicts.h"

namespace verge::pipeline {

Fetching::Fetching(Services& services, Plan plan, Leader* leader)
    : services_(services), plan_(std::move(plan)), leader_(leader), life_(std::make_shared<Life>(Life{this})) {}

Fetching::~Fetching() { life_->self = nullptr; }

Task Fetching::resume_task() {
  return [life = life_] {
    if (life->self == nullptr) return;
    if (life->self->splice_ && (life->self->splice_->before() || life->self->splice_->behind())) {
      life->self->pump();
    } else if (life->self->fetch_) {
      life->self->fetch_->resume();
    }
  };
}

Task Fetching::abandoned_task() {
  return [life = life_] {
    if (life->self == nullptr) return;
    // Nobody reads and it can't be stored: what is still to come is of no use.
    life->self->fill_->fail(Error{Errc::closed, Side::client, Retry::never, "every reader left"});
    life->self->finish();
  };
}

Fetching& Fetching::start(std::unique_ptr<Fetching> self, std::unique_ptr<cache::Fill> fill) {
  Fetching& f = *self;
  f.fill_ = std::move(fill);
  f.services_.fetchings.emplace(&f, std::move(self));
  f.send(f.plan_.stale != nullptr);
  return f;
}

void Fetching::send(bool conditional) {
  conditional_ = conditional;
  origin::FetchRequest request;
  request.head = plan_.client_head;
  request.head.headers = plan_.origin_headers;
  if (conditional) policy::set_conditions(request.head.headers, plan_.stale->head()->headers);
  if (plan_.ranged) set_range(request.head.headers);
  request.client = plan_.client;
  request_time_ = services_.clock.wall();
  counters::origin_request();
  auto& origin = *plan_.snapshot->origins[plan_.route->origin_index];
  fetch_ = origin.fetch(std::move(request), *this);
}

void Fetching::detach() {
  leader_ = nullptr;
  plan_.client.tls = nullptr; // belonged to the client's connection
  // Before the head nobody knows whether it can be stored; a GET for the cache goes on, all else is cancelled.
  if (!opened_ && !finished_ && plan_.key.empty()) {
    fill_->fail(Error{Errc::closed, Side::client, Retry::never, "the client left"});
    finish();
  }
}

bool Fetching::send_body(std::string_view octets) { return !fetch_ || fetch_->send_body(octets); }
void Fetching::end_body() {
  if (fetch_) fetch_->end_body();
}

void Fetching::on_interim(http::ResponseHead&& head) {
  if (leader_ != nullptr) leader_->on_interim_head(head);
}

void Fetching::on_head(http::ResponseHead&& head) {
  if (conditional_) {
    if (head.status == 304) return on_not_modified(std::move(head));
    const auto stale = plan_.stale->head();
    const auto age = policy::current_age(stale->freshness, stale->response_time, services_.clock.wall());
    if (head.status >= 500 && policy::may_serve_stale_on_error(stale->freshness, age, true)) {
      counters::origin_error(plan_.route->origin, "status");
      Outcome o;
      o.kind = Outcome::Kind::origin_5xx;
      o.entry = plan_.stale;
      o.status = head.status;
      fill_->fail(
          Error{Errc::bad_input, Side::origin, Retry::never, "the origin answered " + std::to_string(head.status)});
      tell(std::move(o));
      return finish();
    }
  }
  if (plan_.ranged && !range_came(head)) return;
  Outcome o;
  o.kind = Outcome::Kind::opened;
  o.status = head.status;
  o.declared_length = head.content_length;
  auto admitted = admit_ranged(plan_.client_head, std::move(head), holds_,
                               plan_.ranged ? std::string_view(plan_.ranged->suffix) : std::string_view(), plan_.key,
                               fill_->entry()->seq(), request_time_, services_.clock.wall(), plan_.route->rules);
  o.verdict = admitted.verdict;
  storing_ = admitted.verdict == policy::StoreVerdict::store;
  opened_ = true;
  if (storing_) {
    fill_->open_storing(std::move(admitted.head));
    counters::store();
  } else {
    if (services_.verdicts != nullptr && !plan_.key.empty()) {
      services_.verdicts->note(plan_.key, services_.clock.wall(), o.verdict, o.status);
    }
    fill_->open_passing(std::move(admitted.head));
  }
  o.entry = fill_->entry();
  if (!storing_ && o.entry->head()->status == 206) splice_.reset(); // passed as it came
  if (splice_ && splice_->before()) fetch_->pause();
  tell(std::move(o));
  if (splice_ && splice_->before()) pump();
}

void Fetching::ask_again() {
  services_.loop.post([life = life_] {
    if (life->self != nullptr && !life->self->finished_) life->self->send(false);
  });
  fetch_.reset();
}

void Fetching::on_not_modified(http::ResponseHead&& head) {
  const auto stored = plan_.stale->head();
  if (!policy::freshens(stored->headers, head.headers)) {
    // The 304 speaks of another version than ours (RFC 9111 section 4.3.4): it selects nothing. Ask without condition.
    return ask_again();
  }
  auto fresh = freshen(*stored, head, fill_->entry()->seq(), request_time_, services_.clock.wall(), plan_.route->rules);
  http::ResponseHead as_stored;
  as_stored.status = fresh->status == 206 ? 200 : fresh->status; // a part is stored as its whole would be
  as_stored.headers = fresh->headers;
  auto verdict = policy::may_store(plan_.client_head, as_stored, fresh->freshness, plan_.route->rules);
  // Another Vary makes it another variant than the one it is stored as.
  if (policy::vary_fields(fresh->headers) != stored->vary_fields) verdict = policy::StoreVerdict::vary_star;
  Outcome o;
  o.kind = Outcome::Kind::refreshed;
  o.verdict = verdict;
  o.status = 304;
  o.entry = services_.cache.refresh(plan_.stale, std::move(fresh));
  if (verdict != policy::StoreVerdict::store) services_.cache.erase(o.entry); // still this client's answer
  opened_ = true;
  fill_->abandon();
  tell(std::move(o));
  finish();
}

void Fetching::on_data(std::string_view octets) {
  if (finished_) return;
  if (splice_ && splice_->before()) {
    splice_->held_back += octets;
    return fetch_->pause();
  }
  if (!fill_->append(octets)) fetch_->pause();
  if (fill_->entry()->state() == cache::EntryState::failed) finish(); // more than was declared: nothing can use it
}

void Fetching::on_end() {
  if (finished_) return;
  if (splice_ && splice_->before()) {
    splice_->ended = true;
    return;
  }
  end_of_body();
}

void Fetching::on_error(Error error) {
  if (finished_) return;
  counters::origin_error(plan_.route->origin, error.code == Errc::timeout   ? "timeout"
                                              : error.code == Errc::refused ? "refused"
                                                                            : "broken");
  log::warn("origin", "{} {}{}: {}", plan_.client_head.method, plan_.client_head.authority, plan_.client_head.path,
            error.what);
  if (storing_) keep_truncated(services_, *fill_->entry());
  fill_->fail(error);
  if (!opened_) {
    Outcome o;
    o.error = std::move(error);
    tell(std::move(o));
  }
  finish();
}

void Fetching::on_request_writable() {
  if (leader_ != nullptr) leader_->on_request_body_writable();
}

void Fetching::tell(Outcome outcome) {
  if (leader_ != nullptr) leader_->on_outcome(std::move(outcome));
}

void Fetching::finish() {
  if (finished_) return;
  finished_ = true;
  if (auto* leader = std::exchange(leader_, nullptr)) leader->on_fetching_done();
  services_.loop.post([life = life_] {
    if (life->self != nullptr) life->self->services_.fetchings.erase(life->self);
  });
}

} // namespace verge::pipeline
