// An origin may send anything. However it comes split, what is read is the same.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/proxy/http/transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace verge::http;
  if (size < 2) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  Limits limits;
  if ((data[0] & 1) != 0) {
    limits.head_bytes = 120;
    limits.fields = 6;
    limits.chunk_ext_bytes = 12;
    limits.trailer_bytes = 30;
  }
  const bool closed = (data[0] & 2) != 0;
  const std::string_view method = (data[0] & 4) != 0 ? "HEAD" : "GET";
  const std::string whole = read_response(wire, {}, method, closed, limits);
  if (whole != read_response(wire, every_byte(wire), method, closed, limits)) std::abort();
  if (whole != read_response(wire, {wire.size() * data[1] / 256}, method, closed, limits)) std::abort();
  return 0;
}
