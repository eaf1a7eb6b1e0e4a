#include "proxy/pipeline/admit.h"

#include <algorithm>
#include <iterator>

#include "cache/policy/groups.h"
#include "cache/policy/http_date.h"
#include "cache/policy/search.h"
#include "cache/policy/validation.h"
#include "cache/policy/vary.h"
#include "proxy/base/pool.h"
#include "proxy/http/h1_writer.h"

namespace verge::pipeline {
namespace {

bool has_body(const http::RequestHead& request, int status) {
  return !request.is("HEAD") && !http::status_without_body(status);
}

// Its tags, and the groups that it shares with others of its origin.
std::vector<std::string> tags_of(const http::Headers& headers, std::string_view key, const policy::Rules& rules) {
  auto tags = policy::response_tags(headers, rules);
  auto groups = policy::response_groups(headers, policy::origin_of_key(key));
  std::ranges::move(groups, std::back_inserter(tags));
  return tags;
}

// What is stored is filed under its URL, or under what No-Vary-Search makes of that.
void file(cache::StoredHead& head, const std::string& url, const policy::Rules& rules) {
  const auto rule = rules.no_vary_search ? policy::search_rule(head.headers) : std::nullopt;
  head.key = rule ? policy::search_key(url, *rule) : url;
  head.url = rule ? url : std::string();
}

} // namespace

Admission admit(const http::RequestHead& request, http::ResponseHead&& response, const std::string& key, uint64_t seq,
                WallTime request_time, WallTime response_time, const policy::Rules& rules) {
  Admission out;
  out.head = pool::make_shared<cache::StoredHead>();
  auto& h = *out.head;
  h.status = response.status;
  h.request_time = request_time;
  h.response_time = response_time;
  h.seq = seq;
  h.request_had_authorization = request.headers.has("authorization");
  const auto directives = policy::response_directives(response.headers, rules);
  if (has_body(request, response.status)) h.content_length = response.content_length;
  out.verdict = policy::forbids_storing(request, response, directives, rules);
  if (out.verdict == policy::StoreVerdict::store) { // else nobody asks how long it lasts
    h.freshness = policy::freshness(response, directives, request_time, response_time, rules);
    out.verdict = policy::may_store(request, response, directives, h.freshness, rules);
  }
  if (key.empty() && out.verdict == policy::StoreVerdict::store) out.verdict = policy::StoreVerdict::method;
  if (response.content_length && *response.content_length > rules.max_object &&
      out.verdict == policy::StoreVerdict::store) {
    out.verdict = policy::StoreVerdict::too_large;
  }
  if (out.verdict == policy::StoreVerdict::store) {
    h.vary_fields = policy::vary_fields(response.headers).value_or(std::vector<std::string>{});
    h.vary_values = policy::vary_key(h.vary_fields, request.headers);
    h.tags = tags_of(response.headers, key, rules);
    h.headers = policy::storable_headers(response, rules);
    out.first_only = policy::first_answer_fields(response, rules);
    h.headers.remove("age"); // worked out anew for every answer
    h.site = rules.site;
    file(h, key, rules);
  } else {
    h.headers = std::move(response.headers);
  }
  h.control = policy::take_control_fields(h.headers, rules);
  // RFC 9110 section 6.6.1: a recipient with a clock that gets a response without Date records when it came.
  if (!h.headers.has("date")) h.headers.add("date", policy::format_http_date(response_time));
  if (out.verdict == policy::StoreVerdict::store) h.h1_text = http::render_h1_fields(h.headers); // else it is sent once
  return out;
}

Admission admit_ranged(const http::RequestHead& request, http::ResponseHead&& response,
                       const std::optional<policy::ContentRange>& holds, std::string_view suffix,
                       const std::string& key, uint64_t seq, WallTime request_time, WallTime response_time,
                       const policy::Rules& rules) {
  if (!holds) return admit(request, std::move(response), key, seq, request_time, response_time, rules);
  const bool whole = policy::is_complete(*holds);
  http::ResponseHead as_whole;
  as_whole.status = 200;
  as_whole.headers = response.headers;
  as_whole.headers.remove("content-range");
  as_whole.content_length = holds->range.size();
  if (!whole) as_whole.headers.add("content-range", policy::content_range(holds->range, holds->complete));
  const std::string filed = whole || key.empty() ? key : key + std::string(suffix);
  auto out = admit(request, std::move(as_whole), filed, seq, request_time, response_time, rules);
  if (out.verdict != policy::StoreVerdict::store && !(whole && !request.headers.has("range"))) {
    const auto verdict = out.verdict;
    out = admit(request, std::move(response), key, seq, request_time, response_time, rules);
    out.verdict = verdict;
    return out;
  }
  if (!whole) out.head->status = 206;
  return out;
}

std::shared_ptr<cache::StoredHead> freshen(const cache::StoredHead& stored, const http::ResponseHead& not_modified,
                                           uint64_t seq, WallTime request_time, WallTime response_time,
                                           const policy::Rules& rules) {
  auto out = std::make_shared<cache::StoredHead>(stored);
  http::ResponseHead merged;
  merged.status = stored.status;
  merged.headers = policy::freshened(cache::all_fields(stored), not_modified.headers);
  merged.content_length = stored.content_length;
  // A 304 without Date was made just now; the stored Date would make it look as old as the body.
  if (!not_modified.headers.has("date")) merged.headers.set("date", policy::format_http_date(response_time));
  // Age is not stored; the 304's own counts for this response.
  if (const auto age = not_modified.headers.get("age")) merged.headers.set("age", *age);
  out->freshness = policy::freshness(merged, request_time, response_time, rules);
  out->headers = policy::storable_headers(merged, rules);
  out->headers.remove("age");
  file(*out, stored.url.empty() ? stored.key : stored.url, rules);
  out->control = policy::take_control_fields(out->headers, rules);
  out->tags = tags_of(merged.headers, stored.key, rules);
  out->request_time = request_time;
  out->response_time = response_time;
  out->seq = seq;
  out->h1_text = http::render_h1_fields(out->headers);
  return out;
}

} // namespace verge::pipeline
