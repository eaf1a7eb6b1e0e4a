// The counterpart for tests of H2Server: an nghttp2 client session joined to it in memory, and a Handler that writes
// down what it sees. Octets cross only in exchange(), so a test decides what happens between them.
#pragma once

#include <nghttp2/nghttp2.h>

#include <gtest/gtest.h>
#include <algorithm>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/handle.h"
#include "proxy/http/h2_server.h"
#include "tests/proxy/http/transcript.h"

namespace verge::http {

struct Recorder : H2Server::Handler {
  struct Seen {
    RequestHead head;
    std::string body;
    bool end_with_head = false;
    bool ended = false;
    int drained = 0;
    int closed = 0;
    uint32_t code = 0;
  };
  std::map<int32_t, Seen> streams;
  std::function<void(int32_t)> request = [](int32_t) {};
  std::function<void(int32_t, std::string_view)> data = [](int32_t, std::string_view) {};
  std::function<void(int32_t)> drained = [](int32_t) {};

  void on_request(int32_t id, RequestHead&& head, bool end) override {
    EXPECT_FALSE(streams.contains(id));
    streams[id].head = std::move(head);
    streams[id].end_with_head = end;
    request(id);
  }
  void on_data(int32_t id, std::string_view octets) override {
    EXPECT_EQ(streams.at(id).closed, 0);
    streams.at(id).body += octets;
    data(id, octets);
  }
  void on_data_end(int32_t id) override {
    EXPECT_FALSE(streams.at(id).end_with_head);
    streams.at(id).ended = true;
  }
  void on_drained(int32_t id) override {
    ++streams.at(id).drained;
    drained(id);
  }
  void on_stream_closed(int32_t id, uint32_t code) override {
    ++streams.at(id).closed;
    streams.at(id).code = code;
  }
};

// Takes what the server writes. `room`: how many octets until it says full.
struct Pipe : H2Server::Output {
  std::string octets;
  size_t room = SIZE_MAX;
  size_t slices = 0; // octets that came as Slices, not copied
  void write(std::string_view s) override { octets += s; }
  void write(Slice slice) override {
    octets += slice.view();
    slices += slice.size;
  }
  bool full() const noexcept override { return octets.size() >= room; }
};

class H2Client {
 public:
  struct Answer {
    std::vector<std::string> heads; // ":status=200;a=b;" each
    std::string body;
    bool end = false;
    bool closed = false;
    uint32_t code = 0;
  };
  struct Body {
    std::string octets;
    size_t sent = 0;
    bool end = true;
  };

  explicit H2Client(const Limits& limits = {}, std::vector<nghttp2_settings_entry> settings = {}) {
    server = H2Server::create(recorder, limits).value();
    nghttp2_session_callbacks* c = nullptr;
    nghttp2_session_callbacks_new(&c);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, [](auto*, auto* f, void* self) {
      static_cast<H2Client*>(self)->answers[f->hd.stream_id].heads.emplace_back();
      return 0;
    });
    nghttp2_session_callbacks_set_on_header_callback(
        c, [](auto*, auto* f, const uint8_t* n, size_t ns, const uint8_t* v, size_t vs, uint8_t, void* self) {
          auto& out = static_cast<H2Client*>(self)->answers[f->hd.stream_id].heads.back();
          out.append(reinterpret_cast<const char*>(n), ns).append("=");
          out.append(reinterpret_cast<const char*>(v), vs).append(";");
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        c, [](auto*, uint8_t, int32_t id, const uint8_t* d, size_t n, void* self) {
          static_cast<H2Client*>(self)->answers[id].body.append(reinterpret_cast<const char*>(d), n);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, [](auto*, auto* f, void* self) {
      auto& me = *static_cast<H2Client*>(self);
      ++me.frames[f->hd.type];
      if (f->hd.type == NGHTTP2_GOAWAY) me.goaways.push_back({f->goaway.last_stream_id, f->goaway.error_code});
      if (f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) {
        if ((f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) me.answers[f->hd.stream_id].end = true;
      }
      return 0;
    });
    nghttp2_session_callbacks_set_on_stream_close_callback(c, [](auto*, int32_t id, uint32_t code, void* self) {
      auto& answer = static_cast<H2Client*>(self)->answers[id];
      answer.closed = true;
      answer.code = code;
      return 0;
    });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_http_messaging(option, 1); // so that it sends what it must not
    nghttp2_session* raw = nullptr;
    nghttp2_session_client_new2(&raw, c, this, option);
    session.reset(raw);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(c);
    nghttp2_submit_settings(raw, 0, settings.data(), settings.size());
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  // Sends a request; with `body` null END_STREAM goes with the head. Returns the stream.
  int32_t request(const Fields& fields, Body* body = nullptr) {
    std::vector<nghttp2_nv> nv;
    for (const auto& [n, v] : fields) {
      const auto u = [](const std::string& s) { return reinterpret_cast<uint8_t*>(const_cast<char*>(s.data())); };
      nv.push_back({u(n), u(v), n.size(), v.size(), NGHTTP2_NV_FLAG_NO_INDEX});
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = body;
    provider.read_callback = [](auto*, int32_t, uint8_t* buf, size_t length, uint32_t* flags,
                                nghttp2_data_source* source, void*) -> ssize_t {
      auto& b = *static_cast<Body*>(source->ptr);
      const size_t n = std::min(length, b.octets.size() - b.sent);
      if (n == 0 && !b.end) return NGHTTP2_ERR_DEFERRED;
      std::copy_n(b.octets.data() + b.sent, n, buf);
      b.sent += n;
      if (b.end && b.sent == b.octets.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(n);
    };
    return nghttp2_submit_request(session.get(), nullptr, nv.data(), nv.size(), body != nullptr ? &provider : nullptr,
                                  nullptr);
  }
  int32_t get(const std::string& path = "/", const Fields& more = {}) {
    Fields fields = {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", path}};
    fields.insert(fields.end(), more.begin(), more.end());
    return request(fields);
  }
  int32_t post(Body& body, const Fields& more = {}) {
    Fields fields = {{":method", "POST"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return request(fields, &body);
  }

  // What the client wants to send now.
  std::string output() {
    std::string out;
    const uint8_t* data = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session.get(), &data)) > 0;) {
      out.append(reinterpret_cast<const char*>(data), static_cast<size_t>(n));
    }
    return out;
  }
  Result<> feed(std::string_view octets) { return server->feed(octets, now); }
  void deliver() {
    const auto n = nghttp2_session_mem_recv(session.get(), reinterpret_cast<const uint8_t*>(pipe.octets.data()),
                                            pipe.octets.size());
    EXPECT_EQ(n, static_cast<ssize_t>(pipe.octets.size()));
    pipe.octets.clear();
  }
  // Lets octets cross both ways until neither side has more to say. The error of feed(), if there was one.
  Result<> exchange() {
    Result<> result;
    for (;;) {
      const std::string out = output();
      if (!out.empty() && result) result = feed(out);
      EXPECT_TRUE(server->pump(pipe).has_value());
      const bool quiet = out.empty() && pipe.octets.empty();
      deliver();
      if (quiet) return result;
    }
  }
  // Opens the client's windows for what it has received.
  void take(int32_t id, size_t n) { nghttp2_session_consume(session.get(), id, n); }
  // A frame as octets.
  static std::string frame(uint8_t type, uint8_t flags, int32_t id, std::string_view payload) {
    std::string out;
    const auto n = static_cast<uint32_t>(payload.size()), s = static_cast<uint32_t>(id);
    for (const uint32_t byte : {n >> 16, n >> 8, n, uint32_t{type}, uint32_t{flags}, s >> 24, s >> 16, s >> 8, s}) {
      out += static_cast<char>(byte & 0xff);
    }
    return out.append(payload);
  }

  Recorder recorder;
  std::unique_ptr<H2Server> server;
  Pipe pipe;
  MonoTime now{Millis(1'000'000)};
  std::map<int32_t, Answer> answers;
  std::map<int, int> frames;
  std::vector<std::pair<int32_t, uint32_t>> goaways;
  Handle<nghttp2_session, nghttp2_session_del> session;
};

} // namespace verge::http
