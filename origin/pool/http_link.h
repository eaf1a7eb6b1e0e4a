// HttpLink: one connection to an origin, with the one who uses it at the moment: an exchange, or the pool while it
// rests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "origin/pool/endpoint.h"
#include "proxy/net/connection.h"

namespace verge::origin {

// Loop thread only. Owned by its user through a unique_ptr and ended by bury(), since a Connection must not die inside
// its own callback. A link without a user drops every event.
class HttpLink final : private net::Connection::Handler {
 public:
  // What the user hears; the same words as net::Connection::Handler.
  class User {
   public:
    virtual void on_link_open() = 0;
    virtual void on_link_input() = 0;
    virtual void on_link_writable() = 0;
    virtual void on_link_flushed() = 0;
    virtual void on_link_closed(const Error& error) = 0;

   protected:
    ~User() = default;
  };

  // Begins to connect; the user hears on_link_open or on_link_closed later, never inside this call.
  static std::unique_ptr<HttpLink> connect(net::EventLoop& loop, const HttpEndpoint& endpoint, std::string address,
                                           Millis timeout, const std::shared_ptr<net::ClientTls>& tls, User& user);
  HttpLink(const HttpLink&) = delete;
  HttpLink& operator=(const HttpLink&) = delete;
  ~HttpLink() = default;

  // Takes the link from its user and closes it at the end of the loop's turn.
  static void bury(std::unique_ptr<HttpLink> link);

  void set_user(User* user) noexcept { user_ = user; }
  net::Connection& connection() noexcept { return *connection_; }
  const std::string& name() const noexcept { return name_; } // "10.0.3.7:443", for error texts
  bool used_before() const noexcept { return responses_ > 0; }
  void count_response() noexcept { ++responses_; }

 private:
  HttpLink(User& user, std::string name) : user_(&user), name_(std::move(name)) {}
  void on_open(net::Connection&) override;
  void on_input(net::Connection&) override;
  void on_writable(net::Connection&) override;
  void on_flushed(net::Connection&) override;
  void on_closed(net::Connection&, const Error& error) override;

  User* user_;
  std::string name_;
  uint64_t responses_ = 0;
  std::unique_ptr<net::Connection> connection_; // last: it calls us
};

} // namespace verge::origin
