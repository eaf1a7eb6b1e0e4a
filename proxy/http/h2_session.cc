#include "proxy/http/h2_session.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace verge::http {
namespace {

using Callbacks = Handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;
using Option = Handle<nghttp2_option, nghttp2_option_del>;

constexpr size_t kHeadsHeld = 16; // heads of full size that all open streams of a connection together may hold
constexpr size_t kBlockSize = 16; // times head_bytes: a header block that decodes to more ends the connection
constexpr std::array<uint8_t, 8> kDrainPing = {'v', 'e', 'r', 'g', 'e', 'b', 'y', 'e'};

std::string_view text(const uint8_t* data, size_t size) noexcept { return {reinterpret_cast<const char*>(data), size}; }

// nghttp2's memory comes and goes with each stream too. It does not tell the size of what it gives back: that stands
// before each piece.
constexpr size_t kSizeRoom = alignof(std::max_align_t);
void* take(size_t n, void*) noexcept {
  auto* piece = static_cast<char*>(pool::take(n + kSizeRoom));
  std::memcpy(piece, &n, sizeof n);
  return piece + kSizeRoom;
}
size_t size_of(void* p) noexcept {
  size_t n = 0;
  std::memcpy(&n, static_cast<char*>(p) - kSizeRoom, sizeof n);
  return n;
}
void give(void* p, void*) noexcept {
  if (p != nullptr) pool::give(static_cast<char*>(p) - kSizeRoom, size_of(p) + kSizeRoom);
}
void* take_zeroed(size_t count, size_t size, void*) noexcept {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* p = take(count * size, nullptr);
  return std::memset(p, 0, count * size);
}
void* take_again(void* p, size_t n, void*) noexcept {
  if (p != nullptr && n <= size_of(p)) return p;
  void* fresh = take(n, nullptr);
  if (p != nullptr) std::memcpy(fresh, p, size_of(p));
  give(p, nullptr);
  return fresh;
}

H2Session& me(void* self) noexcept { return *static_cast<H2Session*>(self); }

} // namespace

Result<std::unique_ptr<H2Server>> H2Server::create(Handler& handler, const Limits& limits) {
  auto session = std::make_unique<H2Session>(handler, limits);
  if (auto opened = session->open(); !opened) return std::unexpected(std::move(opened.error()));
  return session;
}

H2Session::H2Session(Handler& handler, const Limits& limits)
    : handler_(handler), limits_(limits), budget_(limits.h2_cheap_frames), builder_(limits) {}

Result<> H2Session::open() {
  nghttp2_session_callbacks* raw_callbacks = nullptr;
  nghttp2_option* raw_option = nullptr;
  if (nghttp2_session_callbacks_new(&raw_callbacks) != 0) return fail(Errc::internal, "http/2: out of memory");
  const Callbacks callbacks(raw_callbacks);
  if (nghttp2_option_new(&raw_option) != 0) return fail(Errc::internal, "http/2: out of memory");
  const Option option(raw_option);

  auto* c = callbacks.get();
  nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(c, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_send);
  nghttp2_session_callbacks_set_send_data_callback(c, send_data);

  auto* o = option.get();
  nghttp2_option_set_no_auto_window_update(o, 1); // consume() opens the windows
  nghttp2_option_set_no_closed_streams(o, 1);
  nghttp2_option_set_max_send_header_block_length(o, 4 * limits_.head_bytes);
  // nghttp2 counts resets by a clock of its own; H2Budget does it by the time it is given.
  nghttp2_option_set_stream_reset_rate_limit(o, limits_.h2_cheap_frames * uint64_t{2}, limits_.h2_cheap_frames);

  nghttp2_session* raw = nullptr;
  nghttp2_mem memory{nullptr, take, give, take_zeroed, take_again};
  if (nghttp2_session_server_new3(&raw, c, this, o, &memory) != 0) return fail(Errc::internal, "http/2: out of memory");
  session_.reset(raw);

  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.h2_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.h2_stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(limits_.head_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  int rc = nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  if (rc == 0) {
    rc = nghttp2_session_set_local_window_size(raw, NGHTTP2_FLAG_NONE, 0,
                                               static_cast<int32_t>(limits_.h2_connection_window));
  }
  if (rc != 0) return fail(Errc::internal, fmt::format("http/2: {}: check the h2 limits", nghttp2_strerror(rc)));
  return {};
}

Result<> H2Session::die(uint32_t code, std::string what) {
  broken_ = true;
  nghttp2_session_terminate_session(session_.get(), code);
  return fail(Errc::bad_input, "http/2: " + std::move(what), Side::client);
}

Result<> H2Session::feed(std::string_view in, MonoTime now) {
  if (broken_) return fail(Errc::bad_input, "http/2: octets after an error", Side::client);
  budget_.read(in, now);
  if (!budget_.exceeded()) {
    feeding_ = true;
    const ssize_t n = nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(in.data()), in.size());
    feeding_ = false;
    if (n < 0 && n != NGHTTP2_ERR_CALLBACK_FAILURE) {
      const auto code = n == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
      return die(code, nghttp2_strerror(static_cast<int>(n)));
    }
    if (n >= 0) return {};
  }
  if (budget_.exceeded()) return die(NGHTTP2_ENHANCE_YOUR_CALM, "more frames without use than h2_cheap_frames");
  return die(NGHTTP2_ENHANCE_YOUR_CALM, "a header block that decodes to many times head_bytes");
}

H2Session::Stream* H2Session::find(int32_t id) noexcept {
  if (id == found_id_) return found_;
  const auto it = streams_.find(id);
  if (it == streams_.end()) return nullptr;
  found_id_ = id;
  return found_ = &it->second;
}

int H2Session::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; // trailers
  auto& s = me(self);
  s.streams_.try_emplace(frame->hd.stream_id);
  s.building_ = frame->hd.stream_id;
  s.builder_.begin();
  return 0;
}

int H2Session::on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                         const uint8_t* value, size_t value_size, uint8_t, void* self) noexcept {
  auto& s = me(self);
  if (frame->hd.stream_id != s.building_) return 0; // trailers of a request are not used
  s.builder_.add(text(name, name_size), text(value, value_size));
  const bool bomb = s.builder_.decoded() > kBlockSize * s.limits_.head_bytes;
  return bomb ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int H2Session::on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
  auto& s = me(self);
  const int32_t id = frame->hd.stream_id;
  if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
    // The answer to the PING behind our notice: whatever the client sent before it saw the notice has arrived.
    if (s.notice_sent_ && std::equal(kDrainPing.begin(), kDrainPing.end(), frame->ping.opaque_data)) s.shutdown();
    return 0;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  Stream* stream = s.find(id);
  if (stream == nullptr) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS && s.building_ == id) {
    s.building_ = 0;
    return s.finish_request(id, *stream, end);
  }
  if (end && stream->announced && !stream->cut) s.handler_.on_data_end(id);
  return 0;
}

int H2Session::finish_request(int32_t id, Stream& s, bool end) {
  if (const int status = builder_.finish(end); status != 0) {
    budget_.spend();
    answer(id, status);
    return 0;
  }
  if (heads_held_ + builder_.decoded() > kHeadsHeld * limits_.head_bytes) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return 0;
  }
  s.head_size = builder_.decoded();
  heads_held_ += s.head_size;
  s.announced = true;
  handler_.on_request(id, std::move(builder_.head()), end);
  builder_.end();
  return 0;
}

void H2Session::answer(int32_t id, int status) {
  ResponseOut out;
  out.status = status;
  out.content_length = 0;
  out.no_body = true;
  submit_head(id, out);
}

int H2Session::on_data_chunk(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                             void* self) noexcept {
  auto& s = me(self);
  Stream* stream = s.find(id);
  if (stream == nullptr || !stream->announced || stream->cut) {
    nghttp2_session_consume_connection(session, size); // nobody will: the other streams need the window
    return 0;
  }
  stream->unconsumed += size;
  s.handler_.on_data(id, text(data, size));
  return 0;
}

void H2Session::consume(int32_t id, size_t n) {
  Stream* s = find(id);
  if (s == nullptr) return; // what it held was given back when it closed
  n = std::min(n, s->unconsumed);
  if (n == 0) return;
  s->unconsumed -= n;
  nghttp2_session_consume(session_.get(), id, n);
}

int H2Session::on_stream_close(nghttp2_session* session, int32_t id, uint32_t code, void* self) noexcept {
  auto& s = me(self);
  const auto it = s.streams_.find(id);
  if (it == s.streams_.end()) return 0;
  const Stream stream = std::move(it->second);
  s.streams_.erase(it);
  if (id == s.found_id_) {
    s.found_id_ = 0;
    s.found_ = nullptr;
  }
  if (s.building_ == id) s.building_ = 0;
  s.heads_held_ -= stream.head_size;
  s.queued_ -= stream.queued;
  if (stream.unconsumed > 0) nghttp2_session_consume_connection(session, stream.unconsumed);
  if (stream.announced) s.handler_.on_stream_closed(id, code);
  return 0;
}

void H2Session::shutdown() {
  if (goaway_sent_) return;
  if (!notice_sent_) {
    notice_sent_ = true;
    nghttp2_submit_shutdown_notice(session_.get());
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, kDrainPing.data());
    return;
  }
  goaway_sent_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

bool H2Session::done() const noexcept {
  return nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0;
}

} // namespace verge::http
