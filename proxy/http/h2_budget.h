// How much work without use a peer of an HTTP/2 connection may cause (CVE-2019-9511 to 9518, CVE-2023-44487,
// CVE-2025-8671): frames that cost us something and it nothing are counted in spans of 10 s. It reads the frame headers
// itself, since nghttp2 tells nothing of frames that it ignores. No clock inside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/clock.h"

namespace verge::http {

class H2Budget {
 public:
  static constexpr Seconds kSpan{10};

  explicit H2Budget(uint32_t limit) noexcept : limit_(limit) {}

  // Counts what comes in, from the first octet of the connection preface on. `now` decides the span; what was once
  // exceeded stays so.
  void read(std::string_view octets, MonoTime now) noexcept;
  // A request that was refused, or a reset of ours that the peer brought about.
  void spend() noexcept { ++spent_; }
  // A peer that takes our DATA opens windows as it goes, some for every few KB they read: a request and a DATA frame
  // sent allow for two updates and one more for each KiB.
  void earn_window_updates(size_t octets_sent) noexcept;
  bool exceeded() const noexcept { return spent_ > limit_; }

 private:
  static constexpr size_t kPreface = 24, kFrameHeader = 9;
  void count(uint8_t type, uint8_t flags, size_t length) noexcept;
  uint32_t limit_;
  uint32_t spent_ = 0;
  uint32_t updates_ = 0; // WINDOW_UPDATE frames that cost nothing
  bool begun_ = false;
  MonoTime start_;
  size_t skip_ = kPreface; // octets until the next frame header
  size_t have_ = 0;        // octets of a frame header split over inputs
  std::array<uint8_t, kFrameHeader> header_{};
};

} // namespace verge::http
