// What a reader made of some octets, as text to compare: the same for every way of splitting the input.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/h1_reader.h"

namespace verge::http {

inline std::string fields_of(const Headers& headers) {
  std::string out;
  for (const Field f : headers) out.append("  ").append(f.name).append(": ").append(f.value).append("\n");
  return out;
}

inline std::string describe(const RequestHead& h) {
  std::string out =
      h.method + " " + h.scheme + "://" + h.authority + h.target() + " " + std::string(to_string(h.version));
  if (h.content_length) out += " length=" + std::to_string(*h.content_length);
  if (h.has_body) out += " body";
  if (h.expect_continue) out += " expect";
  return out + "\n" + fields_of(h.headers);
}

inline std::string describe(const ResponseHead& h) {
  std::string out = std::to_string(h.status);
  if (h.content_length) out += " length=" + std::to_string(*h.content_length);
  return out + "\n" + fields_of(h.headers);
}

// Hands `wire` to a reader in pieces, as a connection does: what was not consumed stays in front of the next piece.
// `cuts` are offsets where pieces end.
template <class Step>
void in_pieces(std::string_view wire, const std::vector<size_t>& cuts, Step step) {
  std::string pending;
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t to = i < cuts.size() ? cuts[i] : wire.size();
    pending.append(wire.substr(at, to - at));
    at = to;
    std::string_view in = pending;
    if (!step(in)) return;
    pending.erase(0, pending.size() - in.size());
  }
}

// All messages of a connection; ends with "error N: why" or, at the end of the octets, with what is left.
inline std::string read_requests(std::string_view wire, const std::vector<size_t>& cuts, const Limits& limits = {},
                                 bool tls = false) {
  H1RequestReader reader(limits, tls);
  std::string out, body;
  bool failed = false;
  in_pieces(wire, cuts, [&](std::string_view& in) {
    for (;;) {
      const auto event = reader.next(in);
      if (!event) {
        failed = true;
        out += "body=" + body + "\nerror " + std::to_string(reader.error_status()) + ": " + event.error().what + "\n";
        return false;
      }
      switch (*event) {
        case H1Event::need_more: return true;
        case H1Event::head: out += describe(reader.head()); break;
        case H1Event::body: body += reader.body(); break;
        case H1Event::end:
          out += "body=" + body + "\n" + fields_of(reader.trailers()) + (reader.keep_alive() ? "keep\n" : "close\n");
          body.clear();
          reader.reset();
          break;
      }
    }
  });
  if (!failed) out += (reader.idle() ? "idle" : "unfinished body=" + body) + "\n";
  return out;
}

// One response to `method`; `closed`: the origin closes after the last octet.
inline std::string read_response(std::string_view wire, const std::vector<size_t>& cuts,
                                 std::string_view method = "GET", bool closed = false, const Limits& limits = {}) {
  H1ResponseReader reader(limits);
  reader.expect(method);
  std::string out, body;
  size_t consumed = 0;
  bool over = false;
  const auto drain = [&](std::string_view& in) {
    for (;;) {
      const size_t before = in.size();
      const auto event = reader.next(in);
      consumed += before - in.size();
      if (!event) {
        out += "body=" + body + "\nerror: " + event.error().what + "\n";
        over = true;
        return false;
      }
      switch (*event) {
        case H1Event::need_more: return true;
        case H1Event::head: out += describe(reader.head()); break;
        case H1Event::body: body += reader.body(); break;
        case H1Event::end:
          if (reader.head().status < 200) {
            reader.reset_interim();
            break;
          }
          out += "body=" + body + "\n" + fields_of(reader.trailers()) + (reader.keep_alive() ? "keep\n" : "close\n");
          over = true;
          return false;
      }
    }
  };
  in_pieces(wire, cuts, drain);
  if (!over && closed) {
    const auto end = reader.eof();
    std::string_view none;
    if (!end) return out + "body=" + body + "\nerror: " + end.error().what + "\n";
    drain(none);
  }
  if (!over) return out + "unfinished body=" + body + "\n";
  if (consumed < wire.size() && out.find("error") == std::string::npos) {
    out += "left=" + std::string(wire.substr(consumed)) + "\n";
  }
  return out;
}

inline std::vector<size_t> every_byte(std::string_view wire) {
  std::vector<size_t> cuts;
  for (size_t i = 1; i < wire.size(); ++i) cuts.push_back(i);
  return cuts;
}

} // namespace verge::http
