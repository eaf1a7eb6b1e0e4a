#include "proxy/pipeline/hold.h"

#include "proxy/base/log.h"
#include "proxy/pipeline/stale.h"

namespace verge::pipeline {
namespace {

constexpr size_t kSliceBytes = 65'536;

bool from_origin(const Exchange& ex) {
  return !ex.slices && ex.answer.entry != ex.found.entry &&
         (ex.answer.result == CacheResult::miss || ex.answer.result == CacheResult::pass);
}

} // namespace

Held hold_back(Exchange& ex) {
  if (!from_origin(ex) || !may_show_stale(ex, true)) return Held::go;
  const auto length = ex.response.out.content_length;
  const bool whole = length && *length <= kHeldWhole;
  if (!whole && !ex.held.empty()) return Held::go;
  for (;;) {
    Slice slice;
    switch (ex.reader->next(slice, kSliceBytes)) {
      case cache::Reader::Next::slice:
        ex.held.push_back(std::move(slice));
        if (!whole) return Held::go;
        break;
      case cache::Reader::Next::wait: return Held::wait;
      case cache::Reader::Next::end: return Held::go;
      case cache::Reader::Next::failed: return Held::broken;
    }
  }
}

bool fall_back_to_stale(Exchange& ex) {
  if (!from_origin(ex) || !may_show_stale(ex, true)) return false;
  log::warn("exchange", "{} answered stale: {}", ex.request_id(), ex.reader->error().what);
  ex.reader.reset();
  ex.held.clear();
  const auto status = ex.answer.origin_status;
  ex.answer = {};
  ex.answer.origin_status = status;
  ex.response = {};
  serve_stale(ex, "stale-if-error");
  ex.back_to(Room::shape);
  return true;
}

} // namespace verge::pipeline
