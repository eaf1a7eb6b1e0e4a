// An HTTP/2 client may send anything, in any pieces, while we answer in every way there is. Each stream's events come
// in order, the last one once, and nothing that was given back too late or too often does harm.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "proxy/http/grammar.h"
#include "proxy/http/h2_server.h"

namespace {

using namespace verge;
using namespace verge::http;

void check(bool ok) {
  if (!ok) std::abort();
}

struct Application : H2Server::Handler {
  struct Exchange {
    bool ended = false;
    bool closed = false;
  };
  std::map<int32_t, Exchange> exchanges;
  H2Server* server = nullptr;
  Slice block = Slice::copy_of(std::string(70'000, 'x'));

  void on_request(int32_t id, RequestHead&& head, bool end) override {
    check(!exchanges.contains(id));
    check(is_token(head.method) && is_target(head.target()) && is_authority(head.authority));
    for (const Field f : head.headers) check(is_token(f.name) && is_field_value(f.value));
    exchanges[id].ended = end;
    ResponseOut out;
    out.extra.add("age", "1");
    switch (id / 2 % 6) {
      case 0:
        out.no_body = true;
        server->submit_head(id, out);
        break;
      case 1:
        server->submit_head(id, out);
        for (int i = 0; i < 4; ++i) server->submit_body(id, block);
        server->submit_end(id);
        break;
      case 2: server->reset(id, 2); break;
      case 3: {
        ResponseHead hints;
        hints.status = 103;
        server->submit_interim(id, hints);
        server->submit_head(id, out);
        break;
      }
      case 4:
        server->submit_head(id, out);
        server->submit_body(id, block);
        server->reset(id, 8);
        break;
      default: break; // answered when the body has ended
    }
  }
  void on_data(int32_t id, std::string_view octets) override {
    check(exchanges.contains(id) && !exchanges[id].closed && !exchanges[id].ended);
    server->consume(id, octets.size() / 2);
    if (octets.size() > 100) server->reset(id, 11);
  }
  void on_data_end(int32_t id) override {
    check(exchanges.contains(id) && !exchanges[id].closed && !exchanges[id].ended);
    exchanges[id].ended = true;
    server->consume(id, 1'000'000);
    server->submit_head(id, ResponseOut{});
    server->submit_body(id, Slice::copy_of("late"));
    server->submit_end(id);
  }
  void on_drained(int32_t id) override {
    check(exchanges.contains(id) && !exchanges[id].closed);
    server->submit_body(id, block);
  }
  void on_stream_closed(int32_t id, uint32_t) override {
    check(exchanges.contains(id) && !exchanges[id].closed);
    exchanges[id].closed = true;
    server->consume(id, 10);
    server->submit_end(id);
  }
};

struct Wire : H2Server::Output {
  size_t octets = 0, room = 0;
  void write(std::string_view s) override { octets += s.size(); }
  void write(Slice s) override { octets += s.view().size(); }
  bool full() const noexcept override { return octets >= room; }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  Limits limits;
  limits.h2_cheap_frames = 50;
  limits.h2_streams = 8;
  limits.head_bytes = 2'000;
  const size_t step = data[0] == 0 ? size : data[0];
  Application application;
  const auto server = H2Server::create(application, limits).value();
  application.server = server.get();
  MonoTime now{Millis(1)};
  Wire wire;
  std::string_view in(reinterpret_cast<const char*>(data) + 2, size - 2);
  while (!in.empty()) {
    const auto piece = in.substr(0, step);
    in.remove_prefix(piece.size());
    const bool alive = server->feed(piece, now).has_value();
    wire.room = wire.octets + data[1] * 100U;
    check(server->pump(wire).has_value());
    if (!alive) break;
    if (in.size() % 7 == 0) now += Millis(500);
    if (in.size() % 101 == 1) server->shutdown();
  }
  wire.room = SIZE_MAX;
  check(server->pump(wire).has_value());
  return 0;
}
