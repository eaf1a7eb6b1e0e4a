// Fetching of less than the whole: what an origin's answer to our Range is worth, and the stored part beside it.
#include "cache/policy/validation.h"
#include "proxy/base/log.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/fetching.h"

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

bool Fetching::range_came(const http::ResponseHead& head) {
  const auto& r = *plan_.ranged;
  holds_.reset();
  if (head.status != 206) {
    if (r.kind == Kind::rest && (head.status == 412 || head.status == 416)) {
      ask_whole(); // it is not what it was
      return false;
    }
    if (head.status == 200 && r.if_range.empty()) services_.whole_only.remember(plan_.key, services_.clock.mono());
    return true;
  }
  const auto judged = policy::judge_part(head, r.asked);
  if (judged.verdict != policy::PartVerdict::fits) {
    log::info("origin", "{}{}: 206 not kept: {}", plan_.client_head.authority, plan_.client_head.path,
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
