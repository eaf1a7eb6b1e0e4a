// A stream of requests may be anything. However it comes split, what is read is the same; and a head that was taken is
// read back the same after we have written it, so that no origin sees another request than we did.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/http/grammar.h"
#include "proxy/http/h1_reader.h"
#include "proxy/http/h1_writer.h"
#include "tests/proxy/http/transcript.h"

namespace {

using namespace verge::http;

void check(bool ok) {
  if (!ok) std::abort();
}

void check_heads(std::string_view in, const Limits& limits) {
  H1RequestReader reader(limits, false);
  for (;;) {
    const auto event = reader.next(in);
    if (!event || *event == H1Event::need_more) return;
    if (*event == H1Event::end) reader.reset();
    if (*event != H1Event::head) continue;
    RequestHead head = reader.head();
    check(is_token(head.method) && is_target(head.target()));
    check(is_authority(head.authority) || head.version == Version::http10);
    for (const Field f : head.headers) {
      check(is_token(f.name) && is_field_value(f.value) && kind_of(f.name) == FieldKind::end_to_end);
    }
    if (head.authority.empty()) continue; // HTTP/1.0 without Host: never sent on like this
    std::string wire;
    write_request_head(wire, head,
                       head.content_length ? Framing::length
                       : head.has_body     ? Framing::chunked
                                           : Framing::none);
    Limits wide;
    wide.head_bytes = wide.target_bytes = 1'000'000;
    wide.fields = 10'000;
    H1RequestReader again(wide, false);
    std::string_view rest = wire;
    const auto second = again.next(rest);
    check(second && *second == H1Event::head && rest.empty());
    head.version = Version::http11;
    head.expect_continue = false;
    check(describe(again.head()) == describe(head));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  Limits limits;
  if ((data[0] & 1) != 0) {
    limits.head_bytes = 200;
    limits.target_bytes = 40;
    limits.fields = 6;
    limits.chunk_ext_bytes = 12;
    limits.trailer_bytes = 30;
  }
  const std::string whole = read_requests(wire, {}, limits);
  check(whole == read_requests(wire, every_byte(wire), limits));
  check(whole == read_requests(wire, {wire.size() * data[1] / 256}, limits));
  check_heads(wire, limits);
  return 0;
}
