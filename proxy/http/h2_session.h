// H2Server on nghttp2. Internal to this folder: the C callbacks and the state behind them. nghttp2 does framing, HPACK,
// stream states and the checks of single fields; here are requests, flow control, the send queues and the budget.
#pragma once

#include <nghttp2/nghttp2.h>

#include <unordered_map>
#include <vector>

#include "proxy/base/handle.h"
#include "proxy/base/pool.h"
#include "proxy/http/h2_budget.h"
#include "proxy/http/h2_request.h"
#include "proxy/http/h2_server.h"

namespace verge::http {

// Not copied by nghttp2: a Stream holds it until it ends.
class H2Head {
 public:
  explicit H2Head(const ResponseOut& head);
  H2Head(const H2Head&) = delete;
  H2Head& operator=(const H2Head&) = delete;
  const std::vector<nghttp2_nv>& fields() const noexcept { return fields_; }

 private:
  Headers text_;
  std::vector<nghttp2_nv> fields_;
};

class H2Session final : public H2Server {
 public:
  H2Session(Handler& handler, const Limits& limits);
  Result<> open();

  Result<> feed(std::string_view in, MonoTime now) override;
  void submit_interim(int32_t stream, const ResponseHead& head) override;
  void submit_head(int32_t stream, const ResponseOut& head) override;
  void submit_ready(int32_t stream, const ReadyResponse& response) override;
  size_t window(int32_t stream) const noexcept override;
  void submit_body(int32_t stream, Slice slice) override;
  void submit_end(int32_t stream) override;
  void reset(int32_t stream, uint32_t code) override;
  size_t queued(int32_t stream) const noexcept override;
  void consume(int32_t stream, size_t n) override;
  Result<> pump(Output& out) override;
  void shutdown() override;
  bool done() const noexcept override;
  size_t open_streams() const noexcept override { return streams_.size(); }

 private:
  struct Stream {
    std::vector<Slice, pool::Allocator<Slice>> queue; // from `first` on; rarely more than a few
    size_t first = 0;
    size_t queued = 0;                  // octets in the queue
    std::shared_ptr<const H2Head> head; // of a response that was ready: nghttp2 reads it when it sends the head
    size_t unconsumed = 0;              // octets of request body given to the handler and not given back
    size_t head_size = 0;               // what the head costs by RFC accounting
    bool announced = false;             // the handler knows it
    bool ended = false;                 // submit_end came
    bool deferred = false;              // nghttp2 waits for resume_data
    bool responded = false;             // the final head was submitted
    bool cut = false;                   // reset by us: nothing more goes out or in
  };
  using Streams = std::unordered_map<int32_t, Stream, std::hash<int32_t>, std::equal_to<>,
                                     pool::Allocator<std::pair<const int32_t, Stream>>>;

  Stream* find(int32_t id) noexcept;
  void drop_queue(Stream& s) noexcept;
  void resume(int32_t id, Stream& s);
  int finish_request(int32_t id, Stream& s, bool end);
  void answer(int32_t id, int status);
  void run_drained();
  void write_data(Stream& s, size_t length);
  void add_fields(const Headers& fields);
  void add_field(std::string_view name, std::string_view value);
  void submit_fields(int32_t id, const std::vector<nghttp2_nv>& fields, bool body);
  Result<> die(uint32_t code, std::string what);

  // nghttp2 calls these with `self`; they look up, check and delegate. Nothing is thrown through them: when memory is
  // gone the process ends.
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept;
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t flags, void* self) noexcept;
  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept;
  static int on_data_chunk(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* data, size_t size,
                           void* self) noexcept;
  static int on_stream_close(nghttp2_session*, int32_t id, uint32_t code, void* self) noexcept;
  static int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept;
  static int on_frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int error, void* self) noexcept;
  static ssize_t read_body(nghttp2_session*, int32_t id, uint8_t* buf, size_t length, uint32_t* flags,
                           nghttp2_data_source*, void* self) noexcept;
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t length,
                       nghttp2_data_source*, void* self) noexcept;

  Handler& handler_;
  Limits limits_;
  H2Budget budget_;
  H2RequestBuilder builder_;
  int32_t building_ = 0;     // the stream whose request head is being decoded
  size_t heads_held_ = 0;    // sum of Stream::head_size
  size_t queued_ = 0;        // sum of Stream::queued
  Output* out_ = nullptr;    // only inside pump()
  bool feeding_ = false;     // inside feed()
  bool broken_ = false;      // no octet is read any more
  bool notice_sent_ = false; // shutdown() was called
  bool goaway_sent_ = false; // the final GOAWAY was submitted
  std::string status_;       // scratch of submit_head
  std::string length_;
  std::vector<nghttp2_nv> fields_;
  std::vector<int32_t> drained_;
  Streams streams_;
  int32_t found_id_ = 0; // what find() gave last: most questions are for one stream several times in a row
  Stream* found_ = nullptr;
  Handle<nghttp2_session, nghttp2_session_del> session_; // last: destroyed first
};

} // namespace verge::http
