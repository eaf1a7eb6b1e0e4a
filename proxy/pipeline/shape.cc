// shape: the response as it goes out: 304, 206, HEAD; Age, Cache-Status.
#include "cache/policy/partial.h"
#include "cache/policy/validation.h"
#include "proxy/pipeline/ready.h"
#include "proxy/pipeline/remarks.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

using policy::Precondition;
using policy::RangeVerdict;

std::string_view tier_detail(cache::Tier tier) {
  switch (tier) {
    case cache::Tier::ram: return "ram";
    case cache::Tier::disk: return "lmdb";
    case cache::Tier::none: return {};
  }
  return {};
}

policy::CacheStatus cache_status(const Exchange& ex, const cache::StoredHead& head, Millis age) {
  const auto& a = ex.answer;
  policy::CacheStatus s;
  s.forward_status = a.origin_status;
  s.collapsed = a.collapsed;
  s.detail = a.detail;
  const auto ttl = std::chrono::duration_cast<Seconds>(head.freshness.lifetime - age);
  switch (a.result) {
    case CacheResult::hit:
      s.hit = true;
      s.ttl = ttl;
      if (s.detail.empty()) s.detail = tier_detail(ex.found.tier);
      break;
    case CacheResult::stale:
      // Answered from the store; the origin was asked (and failed) or is being asked behind this answer.
      s.hit = true;
      s.ttl = ttl;
      break;
    default:
      s.forward = ex.found.forward;
      s.stored = a.stored && !a.collapsed;
      if (a.stored) s.ttl = ttl;
      break;
  }
  return s;
}

// One range as it is, several as multipart/byteranges. Returns the status to send.
int send_ranges(Shaped& r, const std::vector<policy::ByteRange>& ranges, std::optional<uint64_t> complete) {
  if (ranges.size() == 1) {
    r.first = ranges.front().first;
    r.last = ranges.front().last;
    r.out.extra.add("content-range", policy::content_range(ranges.front(), complete));
    r.out.content_length = ranges.front().size();
    return 206;
  }
  const std::string boundary = new_boundary();
  r.plan = multipart(ranges, complete, r.head->headers.get("content-type").value_or(""), boundary);
  r.own_fields = r.head->headers;
  r.own_fields.remove("content-range");
  r.own_fields.set("content-type", "multipart/byteranges; boundary=" + boundary);
  r.out.fields = &r.own_fields;
  r.out.h1_text = {};
  r.out.content_length = r.plan.length();
  return 206;
}

int unsatisfiable(Shaped& r, uint64_t length) {
  r.own_fields.clear();
  r.out.fields = &r.own_fields;
  r.out.h1_text = {};
  r.out.extra.add("content-range", policy::content_range_unsatisfied(length));
  r.out.content_length = 0;
  r.body = false;
  return 416;
}

// The octets that were asked for as far as the part has them.
policy::ByteRange part_of_answer(const Exchange& ex, const policy::ContentRange& part) {
  const auto asked = policy::single_range(ex.request.headers);
  if (!asked || !asked->first || *asked->first < part.range.first || *asked->first > part.range.last) return part.range;
  return {*asked->first, std::min(part.range.last, asked->last.value_or(part.range.last))};
}

// A stored 200 or part answers the client's own conditions and Range. `length`: of the complete body. Returns the
// status to send.
int apply_conditions(Exchange& ex, const cache::StoredHead& head, std::optional<uint64_t> length,
                     const std::optional<policy::ContentRange>& part) {
  auto& r = ex.response;
  const auto now = ex.services.clock.wall();
  if (head.status != 200 && !part && !ex.slices) return head.status;
  switch (policy::evaluate_preconditions(ex.request, head.headers, now)) {
    case Precondition::not_modified:
      policy::make_not_modified(r.own_fields, head.headers);
      r.out.fields = &r.own_fields;
      r.out.h1_text = {};
      r.body = false;
      return 304;
    case Precondition::failed:
      r.own_fields.clear();
      r.own_fields.add("content-type", "text/plain; charset=utf-8");
      r.out.fields = &r.own_fields;
      r.out.h1_text = {};
      r.out.content_length = 0;
      r.body = false;
      return 412;
    case Precondition::proceed: break;
  }
  if (part) {
    r.own_fields = head.headers;
    r.own_fields.remove("content-range");
    r.out.fields = &r.own_fields;
    r.out.h1_text = {};
    auto decision = policy::decide_from_part(ex.request.headers, head.headers, *part, now);
    // What the origin sent to this very request: it may be less than was asked for (RFC 9110 section 15.3.7).
    if (!decision) decision = {RangeVerdict::partial, {part_of_answer(ex, *part)}};
    if (decision->verdict == RangeVerdict::partial) return send_ranges(r, decision->ranges, length);
    return unsatisfiable(r, *length);
  }
  if (!length || !ex.request.is("GET") || !ex.request.headers.has("range")) return 200;
  const auto decision = policy::decide_range(ex.request.headers, head.headers, *length, now);
  switch (decision.verdict) {
    case RangeVerdict::whole: return 200;
    case RangeVerdict::unsatisfiable: return unsatisfiable(r, *length);
    case RangeVerdict::partial: break;
  }
  return send_ranges(r, decision.ranges, length);
}

// Fields that the store doesn't keep but the one who asked gets.
void add_first_only(Exchange& ex, const cache::StoredHead& head) {
  auto& r = ex.response;
  if (r.out.fields == &head.headers) r.own_fields = head.headers;
  for (const http::Field field : ex.answer.first_only) r.own_fields.add(field.name, field.value);
  r.out.fields = &r.own_fields;
  r.out.h1_text = {};
}

// The first slice stands for the whole body.
void shape_slices(Exchange& ex, const cache::StoredHead& head) {
  auto& r = ex.response;
  const auto& s = *ex.slices;
  r.own_fields = head.headers;
  r.own_fields.remove("content-range");
  r.out.fields = &r.own_fields;
  r.out.h1_text = {};
  r.out.content_length = s.complete;
  r.first = 0;
  r.last = s.complete - 1;
  r.offset = s.index * s.size;
  r.out.status = apply_conditions(ex, head, s.complete, std::nullopt);
  const bool begins_here = r.body && r.plan.empty() && r.first / s.size == s.index;
  if (begins_here && fetch_ahead(ex) && ex.answer.result == CacheResult::hit) {
    ex.answer.result = CacheResult::partial;
    ex.found.forward = policy::Forward::partial;
  }
}

} // namespace

Step shape(Exchange& ex) {
  auto& r = ex.response;
  if (ex.slices) {
    switch (take_slice(ex)) {
      case SliceTaken::first: break;
      case SliceTaken::next: return Step::next();
      case SliceTaken::none: ex.slices.reset(); break;
      case SliceTaken::changed: return give_up_version(ex);
    }
  }
  const auto& entry = ex.answer.entry;
  if (ex.answer.result != CacheResult::miss) entry->count_hit();
  r.head = entry->head();
  const auto& head = *r.head;
  std::optional<uint64_t> length = head.content_length;
  if (!length && entry->state() == cache::EntryState::complete) length = entry->length();

  r.out.fields = &head.headers;
  r.out.h1_text = head.h1_text;
  r.out.content_length = length;
  r.body = !ex.request.is("HEAD") && !http::status_without_body(head.status);
  r.out.status = head.status;
  if (ex.slices) {
    length = ex.slices->complete;
    shape_slices(ex, head);
  } else if (ex.answer.stored) {
    std::optional<policy::ContentRange> part;
    if (head.status == 206) part = policy::parse_content_range(head.headers.get("content-range").value_or(""));
    if (part) {
      length = part->complete;
      r.offset = part->range.first;
    }
    r.out.status = apply_conditions(ex, head, length, part);
  } else if (!r.body) {
    r.out.content_length = ex.answer.declared_length;
  }
  if (!ex.answer.first_only.empty() && r.out.status != 412 && r.out.status != 416) add_first_only(ex, head);
  if (r.out.status == 304 || r.out.status == 204) r.out.content_length.reset();
  if (r.body && length && *length == 0) r.body = false;
  r.out.no_body = !r.body;

  const auto age = policy::current_age(head.freshness, head.response_time, ex.services.clock.wall());
  // Age says "not from the origin just now" (RFC 9111 section 5.1), so a first answer has it only if it came with one.
  if (ex.answer.stored &&
      (ex.answer.result != CacheResult::miss || ex.answer.collapsed || head.freshness.initial_age >= Seconds(1))) {
    add_age(r.out.extra, age);
  }
  if (ex.route->status_field != config::StatusField::off) {
    auto status = cache_status(ex, head, age);
    if (ex.route->status_field == config::StatusField::key) status.key = ex.key.text;
    add_cache_status(r.out.extra, status);
  }
  ex.status = r.out.status;
  ex.services.ready.offer(ex);
  return Step::next();
}

} // namespace verge::pipeline
