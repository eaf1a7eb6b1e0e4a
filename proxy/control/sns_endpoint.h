// The SNS endpoint on the public listener: verifies, applies and acknowledges notifications.
#pragma once

#include <memory>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/http/intercept.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"

namespace verge::control {

class SnsEndpoint : public http::Intercept {
 public:
  // Work is done on `loop` (the control loop). All references outlive the endpoint. Error config: the certificate_ca
  // can't be read.
  static Result<std::unique_ptr<SnsEndpoint>> create(const config::Sns& options, cache::Cache& cache,
                                                     net::EventLoop& loop, net::Resolver& resolver, const Clock& clock);
};

} // namespace verge::control
