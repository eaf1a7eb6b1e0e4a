#include "proxy/pipeline/plan.h"

#include "cache/policy/selection.h"
#include "cache/policy/validation.h"
#include "cache/policy/vary.h"
#include "proxy/pipeline/forward.h"
#include "proxy/pipeline/ranged.h"
#include "proxy/pipeline/slices.h"
#include "proxy/pipeline/stale.h"

namespace verge::pipeline {
namespace {

// The other variants that a 304 may select instead of the one that fits, or where none does.
std::vector<cache::EntryRef> offered(Exchange& ex) {
  const bool may_vary = ex.found.other_variants || (ex.found.entry && !ex.found.entry->head()->vary_fields.empty());
  if (!may_vary) return {};
  auto others = ex.services.cache.variants(ex.key.text, policy::kMostOffered);
  std::erase_if(others, [&](const cache::EntryRef& entry) {
    return entry == ex.found.entry || entry->head()->status != 200 ||
           !policy::may_be_offered(ex.request, entry->head()->headers);
  });
  return others;
}

// Without variants.
const std::string& shared_name(const Exchange& ex) {
  if (ex.slices) return ex.slices->key;
  return ex.ranged && !ex.ranged->flight.empty() ? ex.ranged->flight : ex.key.text;
}

} // namespace

Plan make_plan(Exchange& ex, bool store) {
  Plan plan;
  plan.route = ex.route;
  plan.snapshot = ex.snapshot;
  plan.client_head = http::spare_head(ex.request);
  plan.client.address = ex.connection.address;
  plan.client.scheme = ex.connection.scheme;
  if (ex.key.look) { // the origin is asked what the key names, not what the key leaves out
    policy::to_keyed(ex.route->key, *plan.client_head);
    if (!ex.route->key.scheme.empty()) plan.client.scheme = ex.route->key.scheme;
  }
  plan.client.host = plan.client_head->authority;
  plan.client.tls = ex.connection.tls;
  plan.client.request_id = ex.id();
  if (ex.keyed) {
    plan.body = ex.keyed->octets;
    plan.body_whole = ex.body_ended;
  }
  if (ex.key.look || store) plan.key_text = ex.key.text;
  plan.store = store;
  // One who fetches alone may still validate what is here.
  const bool validate = store || (ex.key.store && ex.found.entry);
  plan.origin_headers = forwarded_headers(ex.request, ex.route->forward, validate || ex.slices);
  announce_surrogate(plan.origin_headers, ex.route->rules);
  // RFC 9110 section 13.1.2: a condition means another thing to POST.
  if (validate && !ex.request.is("POST")) plan.stale = ex.found.entry;
  plan.never_shown = ex.found.guarded && !may_show_stale(ex, true);
  if (ex.slices) {
    plan.ranged = plan_slice(ex);
  } else if (store) {
    plan.ranged = plan_range(ex);
    if (!plan.ranged && !ex.request.is("POST")) plan.offered = offered(ex);
  }
  return plan;
}

std::string flight_of(const Exchange& ex, const cache::StoredHead& other) {
  std::string name = shared_name(ex);
  if (!other.vary_fields.empty()) name += "\nvary=" + policy::vary_key(other.vary_fields, ex.request.headers);
  return name;
}

void name_flight(Exchange& ex, std::string& name) {
  name = shared_name(ex);
  if (ex.found.entry) {
    const auto head = ex.found.entry->head();
    if (!head->vary_fields.empty()) name += "\nvary=" + head->vary_values;
  } else if (ex.found.other_variants) {
    const auto known = ex.services.cache.variants(ex.key.text, 1);
    if (!known.empty()) name = flight_of(ex, *known.front()->head());
  }
}

std::string flight_of(Exchange& ex) {
  std::string name;
  name_flight(ex, name);
  return name;
}

} // namespace verge::pipeline
