// What a Fetching does while its response is on trial; see trial.h.
#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/pipeline/counters.h"
#include "proxy/pipeline/fetching.h"

namespace verge::pipeline {
namespace {

std::string note_of(const Plan& plan, const std::string& repeats) {
  counters::reflection();
  log::warn("cache", "{} {}{} is not stored: the answer reflects {}, which is not in its key", plan.client_head->method,
            plan.client_head->authority, plan.client_head->path, repeats);
  return "reflects " + repeats;
}

// Our own address tells nothing about the client.
bool loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

} // namespace

Trial::Trial(policy::ReflectionSearch search, std::optional<uint64_t> length)
    : search_(std::move(search)), length_(length) {}
Trial::~Trial() = default;

Trial::Finding Trial::see(std::string_view octets, bool end) {
  const bool first = searched_ == 0;
  octets = octets.substr(0, kLookAt - seen_.size());
  const uint64_t here = seen_.size() + octets.size();
  const bool over = end || here == kLookAt || (length_ && here >= *length_);
  if (first && over) { // the whole of it in one piece, as mostly
    auto repeats = search_.in_body(octets);
    return {true, std::move(repeats)};
  }
  seen_ += octets;
  if (!over && !first) return {};
  const size_t from = searched_ - std::min(searched_, policy::ReflectionSearch::kOverlap);
  auto repeats = search_.in_body(std::string_view(seen_).substr(from));
  searched_ = seen_.size();
  const bool found = repeats.has_value();
  return {over || found, std::move(repeats)};
}

policy::ReflectionSearch search_for(const Plan& plan, const cache::StoredHead& head) {
  auto wanted = policy::unkeyed_values(plan.origin_headers, plan.route->forward.always, head.vary_fields, head.key);
  for (auto& u : policy::unkeyed_parameters(plan.client_head->query, head.key)) wanted.push_back(std::move(u));
  if (const auto& address = plan.client.address; !address.empty() && !loopback(address)) {
    policy::Unkeyed own;
    own.name = "the client's address";
    own.value = address;
    wanted.push_back(std::move(own));
  }
  return policy::ReflectionSearch(wanted);
}

std::string reflected_in(const Plan& plan, const http::ResponseHead& not_modified, const cache::StoredHead& stored) {
  if (!plan.route->refuse_reflections) return {};
  const auto repeats = search_for(plan, stored).in_head(not_modified.headers);
  return repeats ? note_of(plan, *repeats) : std::string();
}

bool Fetching::on_trial(const http::ResponseHead& head, Outcome& outcome, Admission& admitted) {
  if (admitted.verdict != policy::StoreVerdict::store || !plan_.route->refuse_reflections) return false;
  auto search = search_for(plan_, *admitted.head);
  if (search.empty()) return false;
  if (const auto repeats = search.in_head(head.headers)) {
    auto as_came = head;
    admitted = admit(*plan_.client_head, std::move(as_came), "", fill_->entry()->seq(), request_time_,
                     services_.clock.wall(), plan_.route->rules);
    admitted.verdict = policy::StoreVerdict::reflects;
    outcome.note = note_of(plan_, *repeats);
    return false;
  }
  const bool no_body = http::status_without_body(head.status) || head.content_length == 0;
  // Octets that are spliced to stored ones were looked at when the first of them came.
  if (no_body || splice_ || !search.for_body() || !policy::is_readable(head.headers)) return false;
  trial_ = std::make_unique<Trial>(std::move(search), head.content_length);
  trial_->held = std::make_unique<Trial::Held>();
  auto& held = *trial_->held;
  held.outcome = std::make_unique<Outcome>(std::move(outcome));
  held.admitted = std::move(admitted);
  held.as_came = head;
  held.alarm = services_.alarms.after(Trial::kHold, [life = life_] {
    if (life->self != nullptr && life->self->trial_ && life->self->trial_->held) life->self->judged({});
  });
  return true;
}

void Fetching::look_at(std::string_view octets, bool end) { judged(trial_->see(octets, end)); }

void Fetching::judged(Trial::Finding finding) {
  std::string note = finding.repeats ? note_of(plan_, *finding.repeats) : std::string();
  const auto held = std::exchange(trial_->held, nullptr);
  if (finding.over) trial_.reset();
  if (!held) {
    if (finding.over) fill_->settle(!finding.repeats);
    return;
  }
  if (finding.repeats) {
    held->admitted = admit(*plan_.client_head, std::move(held->as_came), "", fill_->entry()->seq(), request_time_,
                           services_.clock.wall(), plan_.route->rules);
    held->admitted.verdict = policy::StoreVerdict::reflects;
    held->outcome->note = std::move(note);
  }
  open(std::move(*held->outcome), std::move(held->admitted), !finding.over);
}

} // namespace verge::pipeline
