// SmallExchange: one request on an address of the operator's, with a small body in and a small body out: gathers the
// body, has it worked on, answers, perhaps later. Control loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/http/headers.h"
#include "proxy/http/stream.h"

namespace verge::control {

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  http::Headers fields = {}; // besides Content-Type and Cache-Control: no-store
};

class SmallExchange final : public http::StreamHandler {
 public:
  static constexpr size_t kBodyLimit = 1 << 20; // octets
  using Answer = std::move_only_function<void(Reply)>;
  // `body`: none when it is larger than kBodyLimit. `answer` may be called once, at any time, even when the client has
  // gone.
  using Work =
      std::move_only_function<void(const http::RequestHead& head, std::optional<std::string> body, Answer answer)>;

  SmallExchange(http::ClientStream& client, http::RequestHead&& head, Work work);
  ~SmallExchange() override;
  void begin() override;
  void on_body(std::string_view octets) override;
  void on_body_end() override;
  void on_writable() override {}
  void on_finished() override {}
  void on_cut() override { cut_ = true; }

 private:
  void go(std::optional<std::string> body);
  void reply(Reply r);

  http::ClientStream& client_;
  http::RequestHead head_;
  Work work_;
  std::string body_;
  bool too_large_ = false, cut_ = false;
  std::shared_ptr<SmallExchange*> life_; // holds null once this is gone
};

} // namespace verge::control
