// Intercept: requests on the public listener that the node answers itself (the SNS endpoint), with a small body in and
// a small body out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "proxy/base/executor.h"
#include "proxy/http/message.h"

namespace verge::http {

struct Reply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string challenge = {}; // of a 401: WWW-Authenticate
};

class Intercept {
 public:
  virtual ~Intercept() = default;
  // By path (normal form) alone; the method is the handler's matter. Thread-safe.
  virtual bool wants(std::string_view path) const = 0;
  virtual size_t body_limit() const = 0; // octets; above: 413
  // Such a one came and was answered so. Thread-safe.
  virtual void too_large(const RequestHead& head, std::string_view remote) = 0;
  // `done` is run on `on` with the answer, never inside this call. Thread-safe.
  virtual void handle(RequestHead head, std::string body, std::string remote, Executor& on,
                      std::move_only_function<void(Reply)> done) = 0;
};

} // namespace verge::http
