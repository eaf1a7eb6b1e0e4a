#include "proxy/http/h1_writer.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstring>

#include "proxy/http/grammar.h"

namespace verge::http {
namespace {

// Fields that this file alone decides; wherever they stand in a list they are left out.
bool is_framing(FieldKind kind) noexcept {
  return kind == FieldKind::content_length || kind == FieldKind::transfer_encoding || kind == FieldKind::connection;
}

constexpr std::string_view kColon = ": ", kEnd = "\r\n";

char* put(char* to, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// All parts of a line, or of several, at once.
template <class... Parts>
void append_all(std::string& out, Parts... parts) {
  const size_t at = out.size();
  out.resize_and_overwrite(at + (parts.size() + ...),
                           [&](char* text, size_t) { // whose size may be more than was asked for: GCC 12
                             char* to = text + at;
                             ((to = put(to, parts)), ...);
                             return static_cast<size_t>(to - text);
                           });
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  append_all(out, name, kColon, value, kEnd);
}

// Those that `wanted` names.
template <class Wanted>
void append_fields(std::string& out, const Headers& fields, Wanted wanted) {
  const size_t at = out.size();
  out.resize_and_overwrite(at + fields.bytes() + fields.size() * (kColon.size() + kEnd.size()),
                           [&](char* text, size_t) {
                             char* to = text + at;
                             for (const Field f : fields) {
                               if (wanted(kind_of(f.name))) to = put(put(put(put(to, f.name), kColon), f.value), kEnd);
                             }
                             return static_cast<size_t>(to - text);
                           });
}

void append_fields(std::string& out, const Headers& fields) {
  append_fields(out, fields, [](FieldKind kind) { return !is_framing(kind); });
}

void append_number(std::string& out, uint64_t n) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), n).ptr;
  out.append(text.data(), end);
}

void append_length(std::string& out, uint64_t n) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), n).ptr;
  append_line(out, "content-length", {text.data(), end});
}

void append_status_line(std::string& out, int status) {
  if (status == 200) { // almost always
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

} // namespace

void write_request_head(std::string& out, const RequestHead& head, Framing framing) {
  out.reserve(out.size() + head.path.size() + head.query.size() + head.authority.size() + head.headers.bytes() +
              head.headers.size() * 4 + 128);
  append_all(out, std::string_view(head.method), std::string_view(" "), std::string_view(head.path),
             std::string_view(head.has_query ? "?" : ""),
             head.has_query ? std::string_view(head.query) : std::string_view(),
             std::string_view(" HTTP/1.1\r\nhost: "), std::string_view(head.authority), kEnd);
  append_fields(out, head.headers, [](FieldKind kind) { return !is_framing(kind) && kind != FieldKind::host; });
  switch (framing) {
    case Framing::length: append_length(out, head.content_length.value_or(0)); break;
    case Framing::chunked: out += "transfer-encoding: chunked\r\n"; break;
    case Framing::none:
    case Framing::close: break;
  }
  out += "\r\n";
}

void write_response_head(std::string& out, const ResponseOut& head, Framing framing, bool keep_alive, Version client) {
  out.reserve(out.size() + head.h1_text.size() + head.extra.bytes() + head.extra.size() * 4 + 160);
  append_status_line(out, head.status);
  if (!head.h1_text.empty()) {
    out += head.h1_text;
  } else if (head.fields != nullptr) {
    append_fields(out, *head.fields);
  }
  append_fields(out, head.extra);
  switch (framing) {
    case Framing::none: // HEAD and 304 may tell the length that GET would have; 1xx and 204 must not
      if (head.content_length && head.status >= 200 && head.status != 204) append_length(out, *head.content_length);
      break;
    case Framing::length: append_length(out, head.content_length.value_or(0)); break;
    case Framing::chunked: out += "transfer-encoding: chunked\r\n"; break;
    case Framing::close: break;
  }
  if (!keep_alive || framing == Framing::close) {
    out += "connection: close\r\n";
  } else if (client == Version::http10) {
    out += "connection: keep-alive\r\n"; // RFC 9112 appendix C.2.2: such a client closes unless told
  }
  out += "\r\n";
}

void write_interim_head(std::string& out, const ResponseHead& head) {
  append_status_line(out, head.status);
  append_fields(out, head.headers);
  out += "\r\n";
}

std::string render_h1_fields(const Headers& fields) {
  std::string out;
  out.reserve(fields.bytes() + fields.size() * 4);
  append_fields(out, fields);
  return out;
}

bool renders_as(const Headers& fields, std::string_view text) noexcept {
  const auto take = [&text](std::string_view part) {
    if (!text.starts_with(part)) return false;
    text.remove_prefix(part.size());
    return true;
  };
  for (const Field f : fields) {
    if (is_framing(kind_of(f.name))) continue;
    if (!take(f.name) || !take(kColon) || !take(f.value) || !take(kEnd)) return false;
  }
  return text.empty();
}

std::string chunk_prefix(size_t size) { return fmt::format("{:x}\r\n", size); }

} // namespace verge::http
