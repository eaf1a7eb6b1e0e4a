#include "proxy/pipeline/head_update.h"

#include "cache/policy/reflection.h"
#include "cache/policy/selection.h"
#include "cache/policy/vary.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/forward.h"

namespace verge::pipeline {
namespace {

// What one client's HEAD made the origin say must not become what others are shown.
bool reflected_by_head(const Exchange& ex, const cache::StoredHead& said, const cache::StoredHead& stored) {
  const auto sent = forwarded_headers(ex.request, ex.route->forward, false);
  const auto wanted = policy::unkeyed_values(sent, ex.route->forward.always, stored.vary_fields, stored.key);
  return policy::ReflectionSearch(wanted).in_head(said.headers).has_value();
}

} // namespace

void update_after_head(Exchange& ex, const Outcome& answer) {
  if (!ex.request.is("HEAD") || !ex.found.entry || ex.found.entry->state() != cache::EntryState::complete) return;
  const auto stored = ex.found.entry->head();
  const auto said = answer.entry->head();
  if (stored->status != 200) return;
  if (ex.route->refuse_reflections && reflected_by_head(ex, *said, *stored)) return;
  const auto says =
      policy::head_says(stored->headers, stored->content_length, answer.status, said->headers, answer.declared_length);
  if (says == policy::HeadSays::nothing) return;
  if (says == policy::HeadSays::same) {
    http::ResponseHead head;
    head.status = 200;
    head.headers = said->headers;
    auto fresh = freshen(*stored, head, answer.entry->seq(), said->request_time, said->response_time, ex.route->rules);
    http::RequestHead as_get = ex.request;
    as_get.method = "GET";
    http::ResponseHead merged;
    merged.status = fresh->status;
    merged.headers = fresh->headers;
    if (policy::may_store(as_get, merged, fresh->freshness, ex.route->rules) == policy::StoreVerdict::store &&
        policy::vary_fields(fresh->headers) == stored->vary_fields) {
      ex.services.cache.refresh(ex.found.entry, std::move(fresh));
      return;
    }
  }
  // From now on it is stale, whatever was left of its lifetime; the windows for stale answers begin now.
  auto stale = std::make_shared<cache::StoredHead>(*stored);
  const auto age = policy::current_age(stored->freshness, stored->response_time, ex.services.clock.wall());
  if (age >= stored->freshness.lifetime) return;
  stale->freshness.lifetime = age;
  ex.services.cache.refresh(ex.found.entry, std::move(stale));
}

} // namespace verge::pipeline
