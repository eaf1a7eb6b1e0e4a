// key: the cache key; may the cache be asked, may the answer be kept.
#include "cache/policy/key_rules.h"
#include "proxy/pipeline/keyed_body.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {

namespace {

// Waits for the body. What is too large to be part of a key passes.
Step make_key_of_body(Exchange& ex) {
  if (!ex.keyed) {
    ex.keyed = std::make_unique<KeyedBody>();
    if (!ex.body_ended) ex.client.want_body();
  }
  if (!ex.keyed->gave_up && !ex.body_ended) return Step::wait();
  if (ex.keyed->gave_up) {
    ex.key.why_not = policy::Forward::bypass;
    return Step::next();
  }
  ex.key.text += key_of_body(ex);
  ex.key.look = true;
  ex.key.store = true;
  policy::drop_unkeyed_cookies(ex.route->key, ex.request.headers);
  return Step::next();
}

} // namespace

Step make_key(Exchange& ex) {
  const auto& q = ex.request;
  policy::make_key(ex.key.text, ex.route->key, q);
  if (has_keyed_body(ex) && !q.headers.has("if-match") && !q.headers.has("if-unmodified-since")) {
    return make_key_of_body(ex);
  }
  if (!ex.route->rules.enabled) {
    ex.key.why_not = policy::Forward::bypass;
  } else if (!q.is("GET") && !q.is("HEAD")) {
    ex.key.why_not = policy::Forward::method;
  } else if (q.has_body) {
    ex.key.why_not = policy::Forward::bypass; // an answer may depend on the body, which is not in the key
  } else if (q.headers.has("if-match") || q.headers.has("if-unmodified-since")) {
    ex.key.why_not = policy::Forward::request; // conditions for the origin, not for a cache (RFC 9111 section 4.3.2)
  } else {
    ex.key.look = true;
    ex.key.store = q.is("GET");
    policy::drop_unkeyed_cookies(ex.route->key, ex.request.headers);
  }
  return Step::next();
}

} // namespace verge::pipeline
