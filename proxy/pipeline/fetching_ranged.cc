// Fetching of less than the whole: what an origin's answer to our Range is worth, and the stored part beside it.
#include "cache/policy/validation.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/fetching.h"
#include "proxy/pipeline/slices.h"

namespace verge::pipeline {

using Kind = RangePlan::Kind;

void Fetching::set_range(http::Headers& headers) const {
  const auto& r = *plan_.ranged;
  headers.set("range", policy::range_value(r.asked));
  if (!r.if_range.empty() && !conditional_) headers.set("if-range", r.if_range);
}

void Fetching::ask_whole() {
  plan_.ranged.reset();
  holds_.reset();
  splice_.reset();
  ask_again();
}

// What the Entry will hold, in octets of the body: what came, with what of the stored part may stand beside it.
void Fetching::join_part(const http::ResponseHead& head, const policy::ContentRange& content) {
  const auto& r = *plan_.ranged;
  holds_ = content;
  if (!r.part) return;
  const auto stored = r.part->head();
  const auto held = policy::parse_content_range(stored->headers.get("content-range").value_or(""));
  if (!held || !policy::same_version(stored->headers, head.headers, services_.clock.wall())) return;
  const auto both = policy::unite(held->range, content.range);
  if (!both) return;
  const policy::ContentRange united{*both, content.complete ? content.complete : held->complete};
  // A larger part is written anew for each that is joined to it: only a whole is worth that at any size.
  if (!policy::is_complete(united) && both->size() > r.combine_limit) return;
  holds_ = united;
  splice_ = std::make_unique<Splice>(r.part, held->range, content.range, services_.loop, [life = life_] {
    if (life->self != nullptr) life->self->pump();
  });
}

// The version that the answer was begun with can't be had any more: it is cut.
void Fetching::slice_lost(const http::ResponseHead& head) {
  if (head.status < 500)
    drop_slices(services_, plan_.store ? plan_.key_text : plan_.ranged->version->key, head.headers);
  const Error error{Errc::closed, Side::self, Retry::safe, "not of the version of the slices before"};
  fill_->fail(error);
  Outcome o;
  o.status = head.status;
  o.error = error;
  tell(std::move(o));
  finish();
}

// In the ordinary way: the client's own range, or the whole.
void Fetching::ask_unsliced() {
  services_.unsliceable.remember(plan_.key(), services_.clock.mono());
  const auto asked = policy::single_range(plan_.client_head->headers);
  if (!asked) return ask_whole();
  auto own = std::make_unique<RangePlan>();
  own->asked = *asked;
  own->if_range = plan_.client_head->headers.get("if-range").value_or("");
  plan_.ranged = std::move(own);
  ask_again();
}

bool Fetching::slice_came(const http::ResponseHead& head) {
  auto& r = *plan_.ranged;
  const bool first = r.version == nullptr;
  if (head.status != 206) {
    if (!first) {
      slice_lost(head);
      return false;
    }
    if (head.status == 416 && !plan_.client_head->headers.has("range")) {
      ask_whole(); // it may be empty
      return false;
    }
    if (head.status == 200) {
      services_.unsliceable.remember(plan_.key(), services_.clock.mono());
      services_.whole_only.remember(plan_.key(), services_.clock.mono());
    }
    return true;
  }
  const auto now = services_.clock.wall();
  const auto verdict = policy::judge_slice(head, r.index, r.slice_size, first ? nullptr : &r.version->headers, now);
  if (verdict == policy::SliceVerdict::fits || verdict == policy::SliceVerdict::whole) {
    holds_ = policy::parse_content_range(*head.headers.get("content-range"));
    if (!first) return true;
    const auto trial = admit_ranged(*plan_.client_head, http::ResponseHead(head), holds_, r.suffix, plan_.key(),
                                    fill_->entry()->seq(), request_time_, now, plan_.route->rules);
    if (trial.verdict == policy::StoreVerdict::store) return true;
    holds_.reset(); // for this client alone: then as it asked
    plan_.origin_headers = std::move(r.own_fields);
    plan_.ranged.reset();
    ask_again();
  } else if (first) {
    ask_unsliced();
  } else {
    slice_lost(head);
  }
  return false;
}

bool Fetching::range_came(const http::ResponseHead& head) {
  const auto& r = *plan_.ranged;
  holds_.reset();
  if (r.kind == Kind::slice) return slice_came(head);
  if (head.status != 206) {
    if (r.kind == Kind::rest && (head.status == 412 || head.status == 416)) {
      ask_whole(); // it is not what it was
      return false;
    }
    if (head.status == 200 && r.if_range.empty()) services_.whole_only.remember(plan_.key(), services_.clock.mono());
    return true;
  }
  const auto judged = policy::judge_part(head, r.asked);
  if (judged.verdict != policy::PartVerdict::fits) {
    log::info("origin", "{}{}: 206 not kept: {}", plan_.client_head->authority, plan_.client_head->path,
              policy::to_string(judged.verdict));
    if (r.kind != Kind::rest) return true;
    ask_whole();
    return false;
  }
  join_part(head, judged.content);
  if (r.kind == Kind::rest && !policy::is_complete(*holds_)) {
    ask_whole();
    return false;
  }
  return true;
}

void Fetching::pump() {
  if (finished_ || !splice_) return;
  switch (splice_->pump(*fill_)) {
    case Splice::Pumped::wait: return;
    case Splice::Pumped::failed:
      fill_->fail(Error{Errc::storage, Side::self, Retry::never, "a stored part can't be read"});
      return finish();
    case Splice::Pumped::done: break;
  }
  if (fill_->entry()->state() == cache::EntryState::failed) return finish();
  if (splice_->behind()) {
    fill_->complete();
    return finish();
  }
  // The part's octets are in: now the origin's.
  const std::string held_back = std::exchange(splice_->held_back, {});
  const bool go_on = held_back.empty() || fill_->append(held_back);
  if (fill_->entry()->state() == cache::EntryState::failed) return finish();
  if (splice_->ended) return end_of_body();
  if (go_on && fetch_) fetch_->resume();
}

void Fetching::end_of_body() {
  if (splice_ && !splice_->behind()) {
    splice_->turn_behind();
    return pump();
  }
  fill_->complete();
  finish();
}

} // namespace verge::pipeline
