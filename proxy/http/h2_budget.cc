#include "proxy/http/h2_budget.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace verge::http {

void H2Budget::earn_window_updates(size_t octets_sent) noexcept {
  constexpr size_t kMost = 16'384;
  updates_ = static_cast<uint32_t>(std::min(updates_ + 2 + octets_sent / 1'024, kMost));
}

void H2Budget::read(std::string_view octets, MonoTime now) noexcept {
  if (!begun_ || now - start_ >= kSpan) {
    begun_ = true;
    start_ = now;
    if (!exceeded()) spent_ = 0;
  }
  while (!octets.empty()) {
    const size_t skipped = std::min(skip_, octets.size());
    skip_ -= skipped;
    octets.remove_prefix(skipped);
    const size_t n = std::min(kFrameHeader - have_, octets.size());
    if (n == 0) return;
    std::memcpy(header_.data() + have_, octets.data(), n);
    octets.remove_prefix(n);
    have_ += n;
    if (have_ < kFrameHeader) return;
    have_ = 0;
    skip_ = size_t{header_[0]} << 16 | size_t{header_[1]} << 8 | size_t{header_[2]};
    count(header_[3], header_[4], skip_);
  }
}

void H2Budget::count(uint8_t type, uint8_t flags, size_t length) noexcept {
  constexpr size_t kMostPadding = 256; // a padded DATA frame that may hold nothing else
  switch (type) {
    case NGHTTP2_DATA: {
      const bool padding = (flags & NGHTTP2_FLAG_PADDED) != 0 && length <= kMostPadding;
      if ((flags & NGHTTP2_FLAG_END_STREAM) == 0 && (length == 0 || padding)) spend();
      break;
    }
    case NGHTTP2_HEADERS: earn_window_updates(0); break;
    case NGHTTP2_WINDOW_UPDATE:
      if (updates_ > 0) {
        --updates_;
      } else {
        spend();
      }
      break;
    default: spend(); // PING, SETTINGS, RST_STREAM, PRIORITY, CONTINUATION, GOAWAY and what we don't know
  }
}

} // namespace verge::http
