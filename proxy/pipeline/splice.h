// Splice: what a Fetching of less than the whole does with a stored part: its octets go into the Fill before and behind
// those that the origin sends, so that whoever reads the Entry sees one body. Loop thread only; owned by the Fetching.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cache/cache.h"
#include "cache/policy/partial.h"

namespace verge::pipeline {

class Splice {
 public:
  enum class Pumped : uint8_t { done, wait, failed };

  // `held`: where the part lies in the body; `fresh`: what the origin sends; `wake`: pump() may go on.
  Splice(cache::EntryRef part, const policy::ByteRange& held, const policy::ByteRange& fresh, Executor& loop,
         std::function<void()> wake)
      : part_(std::move(part)), held_(held), fresh_(fresh), loop_(loop), wake_(std::move(wake)) {
    if (held.first < fresh.first) read(0, fresh.first - held.first - 1);
  }

  bool before() const noexcept { return reader_ != nullptr && !behind_; } // the origin's octets must wait
  // The origin has sent all: what of the part lies behind it is next.
  void turn_behind() {
    behind_ = true;
    if (held_.last > fresh_.last) read(fresh_.last + 1 - held_.first, held_.last - held_.first);
  }
  bool behind() const noexcept { return behind_; }

  Pumped pump(cache::Fill& fill) {
    while (reader_) {
      Slice slice;
      switch (reader_->next(slice, 65'536)) {
        case cache::Reader::Next::slice:
          if (!fill.append(slice.view())) return Pumped::wait;
          break;
        case cache::Reader::Next::wait: return Pumped::wait;
        case cache::Reader::Next::end: reader_.reset(); break;
        case cache::Reader::Next::failed: return Pumped::failed;
      }
    }
    return Pumped::done;
  }

  std::string held_back; // what the origin sent meanwhile: at most what it had on the way when it was paused
  bool ended = false;    // and that was all

 private:
  void read(uint64_t first, uint64_t last) {
    reader_ = std::make_unique<cache::Reader>(part_, loop_, wake_, first, last);
  }

  cache::EntryRef part_;
  policy::ByteRange held_, fresh_;
  Executor& loop_;
  std::function<void()> wake_;
  std::unique_ptr<cache::Reader> reader_;
  bool behind_ = false;
};

} // namespace verge::pipeline
