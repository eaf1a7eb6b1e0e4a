#include "proxy/pipeline/head_update.h"

#include "cache/policy/selection.h"
#include "cache/policy/vary.h"
#include "proxy/pipeline/admit.h"

namespace verge::pipeline {

void update_after_head(Exchange& ex, const Outcome& answer) {
  if (!ex.request.is("HEAD") || !ex.found.entry || ex.found.entry->state() != cache::EntryState::complete) return;
  const auto stored = ex.found.entry->head();
  const auto said = answer.entry->head();
  if (stored->status != 200) return;
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
