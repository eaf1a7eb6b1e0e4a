// What a peer may make us hold or do. Every row has a config field (limits:) with this default.
#pragma once

#include <cstddef>
#include <cstdint>

namespace verge::http {

struct Limits {
  size_t head_bytes = 65'536;     // request line and fields (HTTP/2: RFC 9113 10.5.1 accounting, 32 a field)
  size_t fields = 100;            // field lines in a head
  size_t target_bytes = 16'384;   // request target
  size_t chunk_ext_bytes = 4'096; // chunk extensions of one body together
  size_t trailer_bytes = 8'192;
  uint32_t h2_streams = 128;          // concurrent streams a connection
  uint32_t h2_stream_window = 65'535; // octets of request body a stream may have on the way
  uint32_t h2_connection_window = 1'048'576;
  uint32_t h2_cheap_frames = 1'000; // PING, SETTINGS, empty DATA, PRIORITY, RST, WINDOW_UPDATE above need: a 10 s span
};

} // namespace verge::http
