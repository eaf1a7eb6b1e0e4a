// The sending half of H2Session: heads, queues of body Slices, DATA frames without a copy.
#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

#include "proxy/http/grammar.h"
#include "proxy/http/h2_session.h"

namespace verge::http {
namespace {

H2Session& me(void* self) noexcept { return *static_cast<H2Session*>(self); }

// Fields that say something about one connection, or about framing, have no place in HTTP/2 (RFC 9113 section 8.2.2).
bool belongs_in_h2(std::string_view name) noexcept {
  switch (kind_of(name)) {
    case FieldKind::content_length:
    case FieldKind::transfer_encoding:
    case FieldKind::connection:
    case FieldKind::hop_by_hop: return name == "proxy-authenticate";
    case FieldKind::end_to_end:
    case FieldKind::host:
    case FieldKind::expect: return true;
  }
  return true;
}

// nghttp2 only reads them, or copies both while it takes the head: the const_cast is never written through.
nghttp2_nv pair(std::string_view name, std::string_view value, uint8_t flags) noexcept {
  const auto octets = [](std::string_view s) { return reinterpret_cast<uint8_t*>(const_cast<char*>(s.data())); };
  return {octets(name), octets(value), name.size(), value.size(), flags};
}

} // namespace

H2Head::H2Head(const ResponseOut& head) {
  text_.add(":status", std::to_string(head.status));
  for (const Headers* fields : {head.fields, &head.extra}) {
    if (fields == nullptr) continue;
    for (const Field f : *fields) {
      if (belongs_in_h2(f.name)) text_.add(f.name, f.value);
    }
  }
  if (head.content_length) text_.add("content-length", std::to_string(*head.content_length));
  fields_.reserve(text_.size());
  for (const Field f : text_) {
    fields_.push_back(pair(f.name, f.value, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE));
  }
}

std::shared_ptr<const H2Head> make_h2_head(const ResponseOut& head) { return std::make_shared<const H2Head>(head); }

void H2Session::add_field(std::string_view name, std::string_view value) {
  fields_.push_back(pair(name, value, NGHTTP2_NV_FLAG_NONE));
}

void H2Session::add_fields(const Headers& fields) {
  for (const Field f : fields) {
    if (belongs_in_h2(f.name)) add_field(f.name, f.value);
  }
}

void H2Session::submit_interim(int32_t id, const ResponseHead& head) {
  Stream* s = find(id);
  if (s == nullptr || s->cut || s->responded || head.status < 100 || head.status > 199) return;
  status_ = std::to_string(head.status);
  fields_.clear();
  add_field(":status", status_);
  add_fields(head.headers);
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, id, nullptr, fields_.data(), fields_.size(), nullptr);
}

void H2Session::submit_head(int32_t id, const ResponseOut& head) {
  Stream* s = find(id);
  if (s == nullptr || s->cut || s->responded) return;
  s->responded = true;
  status_ = std::to_string(head.status);
  fields_.clear();
  add_field(":status", status_);
  if (head.fields != nullptr) add_fields(*head.fields);
  add_fields(head.extra);
  if (head.content_length && head.status >= 200 && head.status != 204) {
    length_ = std::to_string(*head.content_length);
    add_field("content-length", length_);
  }
  s->ended = head.no_body;
  submit_fields(id, fields_, !head.no_body);
}

void H2Session::submit_fields(int32_t id, const std::vector<nghttp2_nv>& fields, bool body) {
  nghttp2_data_provider provider{};
  provider.read_callback = read_body;
  const int rc = nghttp2_submit_response(session_.get(), id, fields.data(), fields.size(), body ? &provider : nullptr);
  if (rc != 0) reset(id, NGHTTP2_INTERNAL_ERROR);
}

void H2Session::submit_ready(int32_t id, const ReadyResponse& response) {
  Stream* s = find(id);
  if (s == nullptr || s->cut || s->responded) return;
  s->responded = s->ended = true;
  s->head = response.h2_head;
  const bool body = response.body.size > 0;
  if (body) {
    s->queued += response.body.size;
    queued_ += response.body.size;
    s->queue.push_back(response.body);
  }
  submit_fields(id, s->head->fields(), body);
}

size_t H2Session::window(int32_t id) const noexcept {
  const int32_t own = nghttp2_session_get_stream_remote_window_size(session_.get(), id);
  const int32_t all = nghttp2_session_get_remote_window_size(session_.get());
  const size_t left = all > 0 && static_cast<size_t>(all) > queued_ ? static_cast<size_t>(all) - queued_ : 0;
  return own > 0 ? std::min(left, static_cast<size_t>(own)) : 0;
}

void H2Session::submit_body(int32_t id, Slice slice) {
  Stream* s = find(id);
  if (s == nullptr || s->cut || s->ended || slice.size == 0) return;
  s->queued += slice.size;
  queued_ += slice.size;
  s->queue.push_back(std::move(slice));
  resume(id, *s);
}

void H2Session::submit_end(int32_t id) {
  Stream* s = find(id);
  if (s == nullptr || s->cut || s->ended) return;
  s->ended = true;
  resume(id, *s);
}

void H2Session::resume(int32_t id, Stream& s) {
  if (!s.deferred) return;
  s.deferred = false;
  nghttp2_session_resume_data(session_.get(), id);
}

void H2Session::reset(int32_t id, uint32_t code) {
  Stream* s = find(id);
  if (s == nullptr || s->cut) return;
  s->cut = true;
  drop_queue(*s);
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, code);
}

void H2Session::drop_queue(Stream& s) noexcept {
  s.queue.clear();
  s.first = 0;
  queued_ -= std::exchange(s.queued, 0);
}

size_t H2Session::queued(int32_t id) const noexcept {
  const auto it = streams_.find(id);
  return it == streams_.end() ? 0 : it->second.queued;
}

ssize_t H2Session::read_body(nghttp2_session*, int32_t id, uint8_t*, size_t length, uint32_t* flags,
                             nghttp2_data_source*, void* self) noexcept {
  Stream* s = me(self).find(id);
  if (s == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (s->cut) return NGHTTP2_ERR_DEFERRED; // never END_STREAM on what was cut: RST_STREAM is on its way
  const size_t n = std::min(length, s->queued);
  if (n == 0 && !s->ended) {
    s->deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (s->ended && n == s->queued) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(n);
}

int H2Session::send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t length,
                         nghttp2_data_source*, void* self) noexcept {
  constexpr size_t kFrameHeader = 9;
  auto& session = me(self);
  assert(session.out_ != nullptr && frame->data.padlen == 0); // we never pad
  if (session.out_->full()) return NGHTTP2_ERR_WOULDBLOCK;
  Stream* s = session.find(frame->hd.stream_id);
  // A reset between read_body and here has dropped what was promised.
  if (s == nullptr || s->queued < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  session.out_->write(std::string_view(reinterpret_cast<const char*>(header), kFrameHeader));
  const bool much = s->queued >= kLow;
  session.write_data(*s, length);
  if ((much && s->queued < kLow) || (s->queued == 0 && !s->ended)) session.drained_.push_back(frame->hd.stream_id);
  return 0;
}

void H2Session::write_data(Stream& s, size_t length) {
  s.queued -= length;
  queued_ -= length;
  while (length > 0) {
    Slice& front = s.queue[s.first];
    if (front.size > length) {
      const auto part = static_cast<uint32_t>(length);
      out_->write(Slice{front.block, front.offset, part});
      front.offset += part;
      front.size -= part;
      break;
    }
    length -= front.size;
    out_->write(std::move(front));
    ++s.first;
  }
  if (s.first == s.queue.size()) {
    s.queue.clear();
    s.first = 0;
  }
}

int H2Session::on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* self) noexcept {
  auto& s = me(self);
  const int32_t id = frame->hd.stream_id;
  switch (frame->hd.type) {
    case NGHTTP2_RST_STREAM: {
      // A reset that the client brought about costs it from its budget ("made you reset"), one of ours does not.
      const Stream* stream = s.find(id);
      const bool ours = stream != nullptr && stream->cut;
      if (!ours && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) s.budget_.spend();
      break;
    }
    case NGHTTP2_DATA: s.budget_.earn_window_updates(frame->hd.length); [[fallthrough]];
    case NGHTTP2_HEADERS:
      // RFC 9113 section 8.1: the answer is whole before the request is; ask the client to stop sending it.
      if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
          nghttp2_session_get_stream_remote_close(session, id) == 0) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
      }
      break;
    default: break;
  }
  return 0;
}

int H2Session::on_frame_not_send(nghttp2_session* session, const nghttp2_frame* frame, int, void* self) noexcept {
  // A head that nghttp2 could not encode: without this the stream would wait for ever.
  if (frame->hd.type == NGHTTP2_HEADERS && me(self).find(frame->hd.stream_id) != nullptr) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
  }
  return 0;
}

Result<> H2Session::pump(Output& out) {
  if (feeding_ || out_ != nullptr) return {}; // nghttp2 can't send from inside its own callbacks
  out_ = &out;
  Result<> result;
  do {
    run_drained();
    while (!out.full()) {
      const uint8_t* data = nullptr;
      const ssize_t n = nghttp2_session_mem_send(session_.get(), &data);
      if (n < 0) {
        result = fail(Errc::internal, std::string("http/2: send: ") + nghttp2_strerror(static_cast<int>(n)));
        break;
      }
      if (n == 0) break;
      out.write(std::string_view(reinterpret_cast<const char*>(data), static_cast<size_t>(n)));
    }
  } while (!drained_.empty() && result && !out.full());
  run_drained();
  out_ = nullptr;
  return result;
}

void H2Session::run_drained() {
  std::vector<int32_t> ids;
  ids.swap(drained_);
  for (const int32_t id : ids) {
    if (find(id) != nullptr) handler_.on_drained(id);
  }
}

} // namespace verge::http
