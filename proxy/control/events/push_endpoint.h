// The door for events that nobody signed: SNS's raw message delivery, EventBridge's API destinations, storage that
// posts its own records. Off unless configured, and then only with a proof (push_proof.h).
#pragma once

#include <memory>

#include "config/config.h"
#include "proxy/control/events/event_taker.h"
#include "proxy/http/intercept.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class PushEndpoint : public http::Intercept {
 public:
  // Work is done on `loop` (the control loop). All outlive the endpoint, as does every Executor given to handle() until
  // its answer has come; it is destroyed on the loop's thread, or when the loop runs no more. `sns` (may be null) gets
  // what SNS signs even where raw delivery is on: a subscription's confirmation. Error config: a path of `allow` is
  // none.
  //
  // Answers: 200 dealt with, and durable, or nothing to do; 400 malformed; 401 no proof; 403 beyond `allow`; 405; 413;
  // 503 not on disk. SNS tries again after 503 only, EventBridge after 401 too.
  static Result<std::unique_ptr<PushEndpoint>> create(const config::Push& options, EventTaker& taker,
                                                      net::EventLoop& loop, http::Intercept* sns);
};

} // namespace verge::control
