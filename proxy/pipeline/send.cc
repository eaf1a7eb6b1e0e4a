// send: the head, then Blocks while the client takes them.
#include "proxy/base/log.h"
#include "proxy/base/turn.h"
#include "proxy/pipeline/hold.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

constexpr size_t kSliceBytes = 65'536;            // octets taken from a Reader at once
constexpr size_t kMostFromRam = 64 * kBlockBytes; // as many as one system call takes

// Nothing was sent yet and the body can't be had: it left memory before we came, or its chunk on disk is gone or
// damaged. Then it is a miss.
bool start_over(Exchange& ex) {
  if (!ex.answer.stored || ex.fetching != nullptr || ex.alone) return false;
  log::info("exchange", "{} fetched anew: {}", ex.request_id(), ex.reader->error().what);
  ex.reader.reset();
  ex.slices.reset();
  ex.ranged.reset();
  ex.flight.clear();
  ex.answer = {};
  ex.response = {};
  ex.found = {};
  ex.found.forward = policy::Forward::miss;
  ex.alone = true;
  ex.back_to(Room::join);
  return true;
}

void open_reader(Exchange& ex) {
  const auto& r = ex.response;
  uint64_t last = r.last == UINT64_MAX ? r.last : r.last - r.offset;
  if (ex.slices) {
    last = std::min(last, ex.slices->size - 1);
    fetch_ahead(ex);
  }
  // The Reader is ours and wakes nobody once it is gone: a bare reference is enough.
  ex.reader.emplace(ex.answer.entry, ex.services.loop, [&ex] { ex.wake(); }, r.first - r.offset, last);
}

CacheResult result_of(const Slices& s) {
  if (!s.fetched) return CacheResult::hit;
  return s.hit ? CacheResult::partial : CacheResult::miss;
}

// The octets that come next are in another slice than the one in hand.
bool needs_slice(Exchange& ex) { return ex.slices && ex.response.first / ex.slices->size != ex.slices->index; }

// The slice in hand is sent; true: the next one continues it.
bool turn_slice(Exchange& ex) {
  if (!ex.slices) return false;
  const uint64_t next = (ex.slices->index + 1) * ex.slices->size;
  if (next > ex.response.last) return false;
  ex.response.first = next;
  return true;
}

// The next of several ranges; false: there is none.
bool next_piece(Exchange& ex) {
  auto& r = ex.response;
  if (r.plan.at == r.plan.pieces.size()) return false;
  const auto& piece = r.plan.pieces[r.plan.at++];
  r.first = piece.range.first;
  r.last = piece.range.last;
  return true;
}

// Octets that may wait for the client here. Those of a body in memory lie there anyway. What is read from disk goes out
// Block by Block, when the client has taken the one before: however many read slowly, each holds one. Two go together
// first, and as long as they are taken within the turn (`at_once`): that is one system call for both.
size_t most_queued(const Exchange& ex, bool at_once) {
  const cache::Entry& entry = *ex.answer.entry;
  if (entry.in_ram()) return kMostFromRam;
  const bool from_disk = entry.state() == cache::EntryState::complete && entry.body_id() != 0;
  if (!from_disk) return 2 * kBlockBytes;
  return at_once ? kBlockBytes + kBlockBytes / 2 : 1;
}

void send_text(Exchange& ex, const std::string& text) {
  ex.bytes_sent += text.size();
  ex.client.send_body(Slice::copy_of(text));
}

} // namespace

Step send(Exchange& ex) {
  auto& r = ex.response;
  const bool at_once = !ex.head_sent || ex.sent_turn == this_turn;
  ex.sent_turn = this_turn;
  Slice slice;
  if (!ex.head_sent) {
    if (!r.body) {
      ex.head_sent = true;
      // A passing Entry whose body nobody reads (HEAD): a Reader that comes and goes lets its Fetching end.
      if (!ex.answer.stored) cache::Reader(ex.answer.entry, ex.services.loop, [] {}, 0, UINT64_MAX);
      ex.client.send_head(r.out);
      return Step::next();
    }
    if (!ex.reader) {
      if (!r.plan.empty() && r.plan.at == 0) next_piece(ex);
      if (needs_slice(ex)) {
        want_slice(ex, r.first);
        return Step::next();
      }
      open_reader(ex);
    }
    const Held held = hold_back(ex);
    if (held == Held::wait) return Step::wait();
    if (held == Held::broken && fall_back_to_stale(ex)) return Step::next();
    const auto first = ex.held.empty() ? ex.reader->next(slice, kSliceBytes) : cache::Reader::Next::end;
    if (first == cache::Reader::Next::failed && start_over(ex)) return Step::next();
    ex.head_sent = true;
    ex.client.send_head(r.out);
    if (!r.plan.empty()) send_text(ex, r.plan.pieces.front().text);
    for (Slice& early : std::exchange(ex.held, {})) {
      ex.bytes_sent += early.size;
      ex.client.send_body(std::move(early));
    }
    switch (first) {
      case cache::Reader::Next::slice:
        ex.bytes_sent += slice.size;
        ex.client.send_body(std::move(slice));
        break;
      case cache::Reader::Next::wait: return Step::wait();
      case cache::Reader::Next::end:
      case cache::Reader::Next::failed: break; // said again below
    }
  }
  if (!ex.reader) open_reader(ex); // the next slice
  while (ex.client.queued() < most_queued(ex, at_once)) {
    slice = {};
    switch (ex.reader->next(slice, kSliceBytes)) {
      case cache::Reader::Next::slice:
        ex.bytes_sent += slice.size;
        ex.client.send_body(std::move(slice));
        break;
      case cache::Reader::Next::wait: return Step::wait();
      case cache::Reader::Next::end:
        ex.reader.reset();
        if (turn_slice(ex)) {
          want_slice(ex, r.first);
          return Step::next();
        }
        if (next_piece(ex)) {
          send_text(ex, r.plan.pieces[r.plan.at - 1].text);
          if (needs_slice(ex)) {
            want_slice(ex, r.first);
            return Step::next();
          }
          open_reader(ex);
          break;
        }
        if (ex.slices) ex.answer.result = result_of(*ex.slices);
        if (!r.plan.empty()) send_text(ex, r.plan.end);
        ex.client.send_end();
        return Step::next();
      case cache::Reader::Next::failed:
        log::warn("exchange", "{} cut: {}", ex.request_id(), ex.reader->error().what);
        ex.answer.detail = "cut";
        ex.reader.reset();
        ex.client.abort();
        return Step::next();
    }
  }
  return Step::wait();
}

} // namespace verge::pipeline
