// Writes HTTP/1.1 heads and chunk framing into strings. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/stream.h"

namespace verge::http {

enum class Framing : uint8_t { none, length, chunked, close };

// "GET /a?b HTTP/1.1\r\nhost: ...\r\n ...\r\n\r\n". `authority` is written as Host first. Framing length uses
// head.content_length (0 when it has none); `none` writes no framing field: give a POST without body length 0.
void write_request_head(std::string& out, const RequestHead& head, Framing framing);
// Framing `none`: no body octets follow; writes content-length when head has one (HEAD, 304, an empty 200).
// Status line, fields (h1_text when given, else *fields), extra, framing fields, "connection: close" when !keep_alive,
// "connection: keep-alive" for an HTTP/1.0 client that asked for it.
void write_response_head(std::string& out, const ResponseOut& head, Framing framing, bool keep_alive,
                         Version client = Version::http11);
void write_interim_head(std::string& out, const ResponseHead& head);
// Fields as HTTP/1.1 lines without the empty line: what ResponseOut::h1_text holds.
std::string render_h1_fields(const Headers& fields);
// Is `text` what that would give?
bool renders_as(const Headers& fields, std::string_view text) noexcept;
// "1f\r\n" before `size` octets; "\r\n" after them is the caller's.
std::string chunk_prefix(size_t size);
inline constexpr std::string_view kChunkSuffix = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

} // namespace verge::http
