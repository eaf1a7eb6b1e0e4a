// Result<T> and Error: what every fallible function in Verge returns. Traffic, disk, config and peers may fail; our own
// broken invariants assert instead.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace verge {

enum class Errc : uint8_t { bad_input, too_large, timeout, refused, closed, tls, not_found, storage, config, internal };

// Who caused it. Decides between 4xx, 502/504 and 500.
enum class Side : uint8_t { client, origin, self };

// Whether trying again can help. `safe`: no byte was sent yet.
enum class Retry : uint8_t { never, if_idempotent, safe };

struct Error {
  Errc code = Errc::internal;
  Side side = Side::self;
  Retry retry = Retry::never;
  std::string what; // for the log, never for the client: "connect 10.0.3.7:443: timed out after 3s"

  // Adds the caller's view in front: "origin api-eu: connect 10.0.3.7:443: ...".
  Error&& in(std::string_view context) && {
    what.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string what, Side side = Side::self, Retry retry = Retry::never) {
  return std::unexpected(Error{code, side, retry, std::move(what)});
}

} // namespace verge
