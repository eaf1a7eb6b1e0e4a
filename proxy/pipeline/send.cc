// send: the head, then Blocks while the client takes them.
#include "proxy/base/log.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

constexpr size_t kSliceBytes = 65'536; // octets taken from a Reader at once

} // namespace

Step send(Exchange& ex) {
  auto& r = ex.response;
  if (!ex.head_sent) {
    ex.head_sent = true;
    if (r.body) {
      ex.reader = std::make_unique<cache::Reader>(ex.answer.entry, ex.services.loop, ex.wake_task(), r.first, r.last);
    } else if (!ex.answer.stored) {
      // A passing Entry whose body nobody reads (HEAD): a Reader that comes and goes lets its Fetching end.
      cache::Reader(ex.answer.entry, ex.services.loop, [] {}, 0, UINT64_MAX);
    }
    ex.client.send_head(r.out);
    if (!r.body) return Step::next();
  }
  const size_t high = ex.snapshot->snapshot->config().limits.output_buffer;
  while (ex.client.queued() < high) {
    Slice slice;
    switch (ex.reader->next(slice, kSliceBytes)) {
      case cache::Reader::Next::slice:
        ex.bytes_sent += slice.size;
        ex.client.send_body(std::move(slice));
        break;
      case cache::Reader::Next::wait: return Step::wait();
      case cache::Reader::Next::end:
        ex.reader.reset();
        ex.client.send_end();
        return Step::next();
      case cache::Reader::Next::failed:
        log::warn("exchange", "{} cut: {}", ex.request_id, ex.reader->error().what);
        ex.answer.detail = "cut";
        ex.reader.reset();
        ex.client.abort();
        return Step::next();
    }
  }
  return Step::wait();
}

} // namespace verge::pipeline
