// Holding an answer's beginning back while a stale response could still take its place (RFC 5861 section 4): a body
// that breaks off before the client has seen its head is an error like others. A short body is held until it is whole,
// any other until its first octets are here.
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

inline constexpr uint64_t kHeldWhole = 65'536; // octets of body

enum class Held : uint8_t {
  go,   // send the head, then `ex.held`, then what the Reader still has
  wait, // it will wake us
  broken,
};
// To be called, while the head has not gone out, for an Exchange that has its Reader.
Held hold_back(Exchange& ex);
// The answer is broken and stale may be shown: shapes that one instead. False: it may not.
bool fall_back_to_stale(Exchange& ex);

} // namespace verge::pipeline
