#include "proxy/pipeline/fetching.h"

#include <fmt/core.h>

#include <utility>

#include "cache/policy/selection.h"
#include "cache/policy/vary.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/contradiction.h"
#include "proxy/pipeline/counters.h"
#include "proxy/pipeline/failing.h"
#include "proxy/pipeline/truncated.h"
#include "proxy/pipeline/verdicts.h"

namespace verge::pipeline {
namespace {

std::vector<const http::Headers*> headers_of(const std::vector<cache::EntryRef>& entries) {
  std::vector<const http::Headers*> out;
  out.reserve(entries.size());
  for (const auto& entry : entries) out.push_back(&entry->head()->headers); // complete: their heads stay
  return out;
}

origin::FetchRequest request_of(const Plan& plan) {
  const http::RequestHead& from = *plan.client_head;
  origin::FetchRequest request{.head = {}, .client = plan.client};
  http::RequestHead& head = request.head;
  head.method = from.method;
  head.scheme = from.scheme;
  head.authority = from.authority;
  head.path = from.path;
  head.query = from.query;
  head.has_query = from.has_query;
  head.version = from.version;
  head.headers.reserve(plan.origin_headers.size() + 8, plan.origin_headers.bytes() + 256); // the origin adds its own
  head.headers = plan.origin_headers;
  head.content_length = from.content_length;
  head.has_body = from.has_body;
  return request;
}

} // namespace

Fetching::Fetching(Services& services, Plan&& plan, Leader* leader)
    : services_(services), plan_(std::move(plan)), leader_(leader), life_(pool::make_shared<Life>(Life{this})) {}

Fetching::~Fetching() {
  life_->self = nullptr;
  http::give_back(std::move(plan_.client_head));
}

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
  f.send(true);
  return f;
}

void Fetching::send(bool conditional) {
  origin::FetchRequest request = request_of(plan_);
  conditional_ = false;
  if (conditional && (plan_.stale || !plan_.offered.empty())) {
    const auto stale = plan_.stale ? plan_.stale->head() : nullptr;
    conditional_ =
        policy::set_conditions(request.head.headers, stale ? &stale->headers : nullptr, headers_of(plan_.offered));
  }
  if (plan_.ranged) set_range(request.head.headers);
  may_be_304_ = is_conditional(request.head);
  request_time_ = services_.clock.wall();
  counters::origin_request();
  auto& origin = *plan_.snapshot->origins[plan_.route->origin_index];
  fetch_ = origin.fetch(std::move(request), *this);
  if (!plan_.body) return;
  // Taken whole whatever it says: it is small.
  if (!plan_.body->empty()) fetch_->send_body(*plan_.body);
  if (plan_.body_whole) fetch_->end_body();
}

void Fetching::detach() {
  leader_ = nullptr;
  plan_.client.tls = nullptr;               // belonged to the client's connection
  const bool unread = untold_ && !storing_; // it was for this leader alone
  untold_.reset();
  // Before the head nobody knows whether it can be stored; a GET for the cache goes on, all else is cancelled.
  if (!finished_ && (unread || (!opened_ && !plan_.store))) {
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
  if (finished_) return; // the client left in the same turn of the loop
  if (const auto fault = contradiction(may_be_304_, head); fault && !plan_.ranged) return on_fault(*fault);
  if (services_.failing != nullptr && !plan_.key_text.empty()) {
    if (head.status < 500) {
      services_.failing->answered(plan_.route->origin, plan_.key_text);
    } else {
      services_.failing->key_failed(plan_.key_text, plan_.route->waiting.fail_timeout);
    }
  }
  if (conditional_ && head.status == 304) return on_not_modified(std::move(head));
  if (head.status >= 500 && keep_stale(head)) return;
  if (plan_.ranged && !range_came(head)) return;
  Outcome o;
  o.kind = Outcome::Kind::opened;
  o.status = head.status;
  o.declared_length = head.content_length;
  auto admitted = admit_ranged(*plan_.client_head, std::move(head), holds_,
                               plan_.ranged ? std::string_view(plan_.ranged->suffix) : std::string_view(), plan_.key(),
                               fill_->entry()->seq(), request_time_, services_.clock.wall(), plan_.route->rules);
  if (!on_trial(head, o, admitted)) open(std::move(o), std::move(admitted));
}

void Fetching::open(Outcome&& o, Admission&& admitted, bool trial) {
  o.verdict = admitted.verdict;
  o.first_only = std::move(admitted.first_only);
  storing_ = admitted.verdict == policy::StoreVerdict::store;
  opened_ = true;
  const bool part = admitted.head->status == 206;
  if (!storing_) {
    if (services_.verdicts != nullptr && plan_.store) {
      services_.verdicts->note(plan_.key(), services_.clock.wall(), o.verdict, o.status);
    }
    fill_->open_passing(std::move(admitted.head));
  } else if (trial) {
    fill_->open_on_trial(std::move(admitted.head));
  } else {
    fill_->open_storing(std::move(admitted.head));
  }
  if (storing_) counters::store();
  o.entry = fill_->entry();
  if (!storing_ && part) splice_.reset(); // passed as it came
  if (trial || splice_) {
    if (splice_ && splice_->before()) fetch_->pause();
    tell(std::move(o));
    if (splice_ && splice_->before()) pump();
    return;
  }
  // What came together with the head is appended first: a small body is complete then, and goes out in one go.
  untold_ = std::move(o);
  services_.loop.post([life = life_] {
    if (life->self != nullptr) life->self->tell_opened();
  });
}

void Fetching::tell_opened() {
  if (!untold_) return;
  Outcome o = std::move(*untold_); // who hears of it may leave us
  untold_.reset();
  tell(std::move(o));
}

void Fetching::ask_again() {
  services_.loop.post([life = life_] {
    if (life->self != nullptr && !life->self->finished_) life->self->send(false);
  });
  fetch_.reset();
}

// An error of the origin while there is something better: true if the stored response stays and answers.
bool Fetching::keep_stale(const http::ResponseHead& head) {
  if (!plan_.stale) return false;
  const auto stale = plan_.stale->head();
  const auto age = policy::current_age(stale->freshness, stale->response_time, services_.clock.wall());
  // RFC 9111 section 4.3.3: a cache may act as if the origin had not answered, and nobody waits for this answer.
  if (!plan_.behind && (plan_.never_shown || !policy::may_serve_stale_on_error(stale->freshness, age, true)))
    return false;
  counters::origin_error(plan_.route->origin, "status");
  Outcome o;
  o.kind = Outcome::Kind::origin_5xx;
  o.entry = plan_.stale;
  o.status = head.status;
  fill_->fail(Error{Errc::bad_input, Side::origin, Retry::never, "the origin answered " + std::to_string(head.status)});
  tell(std::move(o));
  finish();
  return true;
}

void Fetching::on_fault(std::string_view what) {
  fetch_.reset(); // nothing that follows such a head can be believed
  on_error(Error{Errc::bad_input, Side::origin, Retry::never, fmt::format("contradicts itself: {}", what)});
}

void Fetching::on_not_modified(http::ResponseHead&& head) {
  const auto stale = plan_.stale ? plan_.stale->head() : nullptr;
  const auto selected = policy::selected_by(head.headers, stale ? &stale->headers : nullptr, headers_of(plan_.offered));
  if (!selected) {
    // The 304 speaks of another version than ours (RFC 9111 section 4.3.4): it selects nothing. Ask without condition.
    return ask_again();
  }
  const cache::EntryRef entry = *selected < 0 ? plan_.stale : plan_.offered[static_cast<size_t>(*selected)];
  const auto stored = entry->head();
  auto fresh = freshen(*stored, head, fill_->entry()->seq(), request_time_, services_.clock.wall(), plan_.route->rules);
  http::ResponseHead as_stored;
  as_stored.status = fresh->status == 206 ? 200 : fresh->status; // a part is stored as its whole would be
  as_stored.headers = cache::all_fields(*fresh);
  auto verdict = policy::may_store(*plan_.client_head, as_stored, fresh->freshness, plan_.route->rules);
  // Another Vary makes it another variant than the one it is stored as.
  if (policy::vary_fields(fresh->headers) != stored->vary_fields) verdict = policy::StoreVerdict::vary_star;
  auto& cache = services_.cache;
  Outcome o;
  o.kind = Outcome::Kind::refreshed;
  if (verdict == policy::StoreVerdict::store) o.note = reflected_in(plan_, head, *stored);
  if (!o.note.empty()) verdict = policy::StoreVerdict::reflects;
  o.verdict = verdict;
  o.status = 304;
  if (!plan_.store || !o.note.empty()) { // for this client; what is stored stays as it is
    o.entry = cache.with_head(entry, std::move(fresh));
  } else {
    o.entry = cache.refresh(entry, std::move(fresh));
    if (verdict != policy::StoreVerdict::store) {
      cache.erase(o.entry); // still this client's answer
    } else if (*selected >= 0) {
      // RFC 9111 section 4.3.4: that one is freshened, and it is what this request selects from now on as well.
      auto also = std::make_shared<cache::StoredHead>(*o.entry->head());
      also->vary_values = policy::vary_key(also->vary_fields, plan_.client_head->headers);
      o.entry = cache.adopt(o.entry, std::move(also));
    }
  }
  opened_ = true;
  fill_->abandon();
  tell(std::move(o));
  finish();
}

void Fetching::on_data(std::string_view octets) {
  if (finished_) return;
  if (trial_) look_at(octets, false);
  if (splice_ && splice_->before()) {
    splice_->held_back += octets;
    return fetch_->pause();
  }
  if (!fill_->append(octets)) fetch_->pause();
  if (fill_->entry()->state() == cache::EntryState::failed) finish(); // more than was declared: nothing can use it
}

void Fetching::on_end() {
  if (finished_) return;
  if (trial_) look_at({}, true);
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
  log::warn("origin", "{} {}{}: {}", plan_.client_head->method, plan_.client_head->authority, plan_.client_head->path,
            error.what);
  if (services_.failing != nullptr && !plan_.key_text.empty()) {
    const Millis memory = plan_.route->waiting.fail_timeout;
    if (opened_) {
      services_.failing->key_failed(plan_.key_text, memory);
    } else {
      services_.failing->failed(plan_.route->origin, plan_.key_text, error, memory);
    }
  }
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

void Fetching::tell(Outcome&& outcome) {
  if (leader_ != nullptr) leader_->on_outcome(std::move(outcome));
}

void Fetching::finish() {
  if (finished_) return;
  finished_ = true;
  tell_opened();
  if (auto* leader = std::exchange(leader_, nullptr)) leader->on_fetching_done();
  services_.loop.post([life = life_] {
    if (life->self != nullptr) life->self->services_.fetchings.erase(life->self);
  });
}

} // namespace verge::pipeline
