// H2Adapter: HTTP/2 on one connection: any number of exchanges side by side.
#pragma once

#include <memory>
#include <unordered_map>

#include "proxy/base/pool.h"
#include "proxy/http/h2_server.h"
#include "proxy/server/protocol.h"

namespace verge::server {

class H2Adapter final : public Protocol, public http::H2Server::Handler, private http::H2Server::Output {
 public:
  // Error internal: no memory for the session.
  static Result<std::unique_ptr<H2Adapter>> create(net::Connection& connection, const pipeline::Connected& client,
                                                   std::shared_ptr<const ConnectionSettings> settings);
  ~H2Adapter() override;

  void on_input() override;
  void on_writable() override;
  void on_flushed() override;
  void on_closed() override;
  void drain() override;

  void on_request(int32_t id, http::RequestHead&& head, bool end) override;
  void on_data(int32_t id, std::string_view octets) override;
  void on_data_end(int32_t id) override;
  void on_drained(int32_t id) override;
  void on_stream_closed(int32_t id, uint32_t code) override;

 private:
  class Stream;
  H2Adapter(net::Connection& connection, const pipeline::Connected& client,
            std::shared_ptr<const ConnectionSettings> settings);
  void write(std::string_view octets) override;
  void write(Slice slice) override;
  bool full() const noexcept override;

  void pump_soon(); // once at the end of this turn: frames of all streams leave together
  void pump();
  void close();
  void watch();
  void on_timer();
  void check_stalled();

  net::Connection& connection_;
  const pipeline::Connected& client_;
  std::shared_ptr<const ConnectionSettings> settings_;
  std::unordered_map<int32_t, std::unique_ptr<Stream>, std::hash<int32_t>, std::equal_to<>,
                     pool::Allocator<std::pair<const int32_t, std::unique_ptr<Stream>>>>
      streams_;
  net::Timer timer_;
  uint64_t written_at_watch_ = 0;
  bool pump_queued_ = false;
  bool closing_ = false;
  bool seen_request_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<http::H2Server> session_; // last: destroyed first, so no callback sees a dead map
};

} // namespace verge::server
