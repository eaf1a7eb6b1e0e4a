// The SNS endpoint on the public listener: verifies, applies and acknowledges notifications.
#pragma once

#include <memory>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/control/events/event_taker.h"
#include "proxy/http/intercept.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"

namespace verge::control {

class SnsEndpoint : public http::Intercept {
 public:
  // Work is done on `loop` (the control loop). All references outlive the endpoint, as does every Executor given to
  // handle() until its answer has come. Destroy it on the loop's thread, or when the loop runs no more: messages under
  // way are then dropped unanswered, and SNS sends them again. Error config: the certificate_ca can't be read, a path
  // of `allow` is none.
  //
  // Answers: 200 dealt with, and durable; 400 malformed; 403 not from a listed topic, or not provably, or beyond
  // `allow`; 405; 503 can't be decided or written now. SNS tries again after 503 only.
  static Result<std::unique_ptr<SnsEndpoint>> create(const config::Sns& options, cache::Cache& cache, EventTaker& taker,
                                                     net::EventLoop& loop, net::Resolver& resolver, const Clock& clock);
};

} // namespace verge::control
