// Server side of one HTTP/2 connection on nghttp2: octets in, events out, octets out; no sockets.
// Lifetime: the connection's adapter owns it and destroys it only from the top of the loop, never inside feed().
// Handler callbacks may submit, reset and consume; none may destroy the H2Server. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/base/block.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/limits.h"
#include "proxy/http/message.h"
#include "proxy/http/stream.h"

namespace verge::http {

// A response head made ready for HTTP/2, for any number of streams of one thread.
std::shared_ptr<const H2Head> make_h2_head(const ResponseOut& head);

class H2Server {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // Callbacks come inside feed() and pump() only.
    // A checked head (RFC 9113 8.2, 8.3). end: no body follows. On a malformed request no event comes: the stream is
    // reset, or answered 4xx, by the H2Server itself.
    virtual void on_request(int32_t stream, RequestHead&& head, bool end) = 0;
    virtual void on_data(int32_t stream, std::string_view octets) = 0; // counted against the window until consume()
    virtual void on_data_end(int32_t stream) = 0;
    virtual void on_drained(int32_t stream) = 0; // queued() fell below kLow, or to nothing with more to come
    // The stream is over: response and request complete (code 0), or reset by either side. The last event of a stream.
    virtual void on_stream_closed(int32_t stream, uint32_t code) = 0;
  };
  class Output {
   public:
    virtual ~Output() = default;
    virtual void write(std::string_view octets) = 0; // copied
    virtual void write(Slice slice) = 0;
    virtual bool full() const noexcept = 0; // stop producing for now
  };

  static Result<std::unique_ptr<H2Server>> create(Handler& handler, const Limits& limits);
  virtual ~H2Server() = default;
  H2Server(const H2Server&) = delete;
  H2Server& operator=(const H2Server&) = delete;

  // Error bad_input (side client): the peer broke RFC 9113 or its budget of cheap frames; pump() once more for the
  // GOAWAY, then close. Faults that nghttp2 answers by itself are no error here: the GOAWAY is queued, and after the
  // next pump() done() is true. Streams still open when the connection ends so, or at destruction, get no further
  // event.
  virtual Result<> feed(std::string_view in, MonoTime now) = 0;
  virtual void submit_interim(int32_t stream, const ResponseHead& head) = 0;
  virtual void submit_head(int32_t stream, const ResponseOut& head) = 0;
  // A whole response. To be asked only where window() has room for it: then it leaves with the next pump().
  virtual void submit_ready(int32_t stream, const ReadyResponse& response) = 0;
  // Octets of body that the client's windows let out now, those that wait already taken off.
  virtual size_t window(int32_t stream) const noexcept = 0;
  virtual void submit_body(int32_t stream, Slice slice) = 0;
  virtual void submit_end(int32_t stream) = 0;
  virtual void reset(int32_t stream, uint32_t code) = 0; // RST_STREAM
  virtual size_t queued(int32_t stream) const noexcept = 0;
  virtual void consume(int32_t stream, size_t n) = 0; // opens the window by n
  // Moves ready frames into `out` until it is full or nothing is ready. To be called after feed() and after anything
  // was submitted from outside of it; inside a callback of Handler it does nothing.
  virtual Result<> pump(Output& out) = 0;
  // Graceful: tells the client to open no more streams, takes those that are on the way (until the answer to a PING),
  // then GOAWAY; done() once the last stream has ended. A second call doesn't wait for the PING.
  virtual void shutdown() = 0;
  virtual bool done() const noexcept = 0; // neither wants to read nor to write: close
  virtual size_t open_streams() const noexcept = 0;

  static constexpr size_t kLow = size_t{64} * 1024;

 protected:
  H2Server() = default;
};

} // namespace verge::http
