#include "proxy/pipeline/exchange.h"

#include <fmt/core.h>

#include "proxy/base/log.h"
#include "proxy/pipeline/early.h"
#include "proxy/pipeline/log.h"
#include "proxy/pipeline/remarks.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

constexpr size_t kCollectedTogether = 4; // bodies of the largest size that one loop gathers at once

// What each request fills again: kept with its memory for the thread's next ones.
struct Buffers {
  std::string key, flight;
  http::Headers extra, own_fields;
};
thread_local pool::Spares<Buffers> spare_buffers;

} // namespace

Exchange::Exchange(Services& s, std::shared_ptr<LoopSnapshot> snap, http::ClientStream& c, const Connected& conn,
                   http::RequestHead&& head)
    : services(s),
      snapshot(std::move(snap)),
      client(c),
      connection(conn),
      request(std::move(head)),
      started_us(s.clock.micros()),
      id_(new_request_id()) {
  Buffers buffers = spare_buffers.take();
  key.text = std::move(buffers.key);
  flight = std::move(buffers.flight);
  response.out.extra = std::move(buffers.extra);
  response.own_fields = std::move(buffers.own_fields);
}

Exchange::~Exchange() {
  if (life_) life_->self = nullptr;
  release_collected();
  release_gathered(*this);
  if (fetching != nullptr) fetching->detach();
  keep_buffers();
}

void Exchange::keep_buffers() {
  constexpr size_t kMost = 4'096; // octets: what is larger is not the usual request's
  http::give_back(std::move(request));
  if (key.text.capacity() > kMost || flight.capacity() > kMost || response.own_fields.capacity() > kMost) return;
  key.text.clear();
  flight.clear();
  response.out.extra.clear();
  response.own_fields.clear();
  spare_buffers.keep(
      {std::move(key.text), std::move(flight), std::move(response.out.extra), std::move(response.own_fields)});
}

std::shared_ptr<Exchange::Life>& Exchange::life() {
  if (!life_) life_ = pool::make_shared<Life>(Life{this});
  return life_;
}

Task Exchange::wake_task() {
  return [weak = std::weak_ptr<Life>(life())] {
    if (const auto l = weak.lock()) l->self->wake();
  };
}

void Exchange::begin() {
  body_ended = !request.has_body;
  run();
}

void Exchange::run() {
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  do {
    again_ = false;
    while (room_ < end_) {
      const RoomRow& row = kRooms[static_cast<size_t>(room_)];
      const Step step = row.run(*this);
      if (log::enabled(log::Level::debug)) {
        log::debug("exchange", "{} {} {}", request_id(), to_string(row.room),
                   step.kind == Step::Kind::next     ? std::string("next")
                   : step.kind == Step::Kind::answer ? fmt::format("answer {} {}", step.status, step.detail)
                                                     : std::string("wait"));
      }
      if (step.kind == Step::Kind::wait) break;
      if (step.kind == Step::Kind::answer) {
        send_answer(step.status, step.detail);
        room_ = Room::log;
      } else if (room_ == row.room) { // else the room sent us back
        room_ = static_cast<Room>(static_cast<uint8_t>(room_) + 1);
      }
    }
  } while (again_ && room_ < end_);
  running_ = false;
  if (stopped_ && room_ >= end_) std::exchange(stopped_, {})();
}

void Exchange::send_answer(int code, std::string_view detail) {
  status = code;
  answer.detail = detail;
  if (answer.result == CacheResult::none && !reply) answer.result = CacheResult::error; // a reply is our own word
  if (head_sent) { // too late for a page: the client must see that it is cut
    client.abort();
    return;
  }
  http::Headers fields;
  std::string body;
  if (reply) {
    fields.add("content-type", reply->content_type);
    if (!reply->challenge.empty()) fields.add("www-authenticate", reply->challenge);
    body = std::move(reply->body);
  } else {
    // Says what a stranger may know, and the id by which the operator finds the rest in the log.
    fields.add("content-type", "text/plain; charset=utf-8");
    body = fmt::format("{} {}\nrequest {}\n", code, http::reason_phrase(code), request_id());
  }
  fields.add("cache-control", "no-store");
  if (code == 405 && !reply) fields.add("allow", "GET, HEAD");
  http::ResponseOut out;
  out.status = code;
  out.fields = &fields;
  if (route == nullptr || route->status_field != config::StatusField::off) {
    policy::CacheStatus cs;
    cs.forward = found.forward;
    cs.forward_status = answer.origin_status;
    cs.detail = detail;
    add_cache_status(out.extra, cs);
  }
  out.content_length = body.size();
  out.no_body = request.is("HEAD") || body.empty() || http::status_without_body(code);
  client.send_head(out);
  head_sent = true;
  if (!out.no_body) {
    bytes_sent += body.size();
    client.send_body(Slice::copy_of(body));
    client.send_end();
  }
}

// --- from the client ---

void Exchange::on_body(std::string_view octets) {
  bytes_received += octets.size();
  if (collecting) {
    collect(octets);
    return client.body_consumed(octets.size());
  }
  if (gather(*this, octets)) {
    client.body_consumed(octets.size());
    if (keyed->gave_up) wake();
    return;
  }
  // Without a Fetch the answer is decided: what still comes is read and dropped by the adapter's measure.
  if (fetching == nullptr) return client.body_consumed(octets.size());
  unconsumed_ += octets.size();
  if (fetching->send_body(octets)) on_request_body_writable();
}

// The body of a request that the node answers itself. Anybody may post one: all together are bounded too.
void Exchange::collect(std::string_view octets) {
  if (reply) return;
  const size_t limit = services.intercept->body_limit();
  const bool too_large = collected_body.size() + octets.size() > limit;
  if (too_large || services.collected_bytes + octets.size() > kCollectedTogether * limit) {
    reply = http::Reply{too_large ? 413 : 503, "text/plain; charset=utf-8", too_large ? "too large\n" : "try again\n"};
    if (too_large) services.intercept->too_large(request, connection.address);
    release_collected();
    return wake();
  }
  services.collected_bytes += octets.size();
  collected_body += octets;
}

void Exchange::release_collected() {
  services.collected_bytes -= collected_body.size();
  collected_body = {};
}

void Exchange::on_body_end() {
  body_ended = true;
  if (collecting || (keyed && !keyed->gave_up)) return wake();
  if (fetching != nullptr) fetching->end_body();
}

void Exchange::on_request_body_writable() {
  if (unconsumed_ > 0) client.body_consumed(std::exchange(unconsumed_, 0));
}

void Exchange::on_writable() {
  if (room_ == Room::send) run();
}

void Exchange::on_finished() { write_log(); }

void Exchange::on_cut() {
  if (room_ < Room::gone) {
    room_ = Room::gone;
    if (!logged) {
      if (status == 0) status = 499; // nginx's word for a client that left before it was answered
      write_log();
    }
  }
  reader.reset();
  if (fetching != nullptr) std::exchange(fetching, nullptr)->detach();
}

// --- from the Fetching ---

void Exchange::on_interim_head(const http::ResponseHead& head) { forward_interim(*this, head); }

void Exchange::on_outcome(Outcome&& o) {
  outcome = std::move(o);
  run();
}

void Exchange::on_fetching_done() {
  fetching = nullptr;
  on_request_body_writable(); // nobody takes the rest: let the adapter drain it
}

void Exchange::write_log() {
  if (logged) return;
  logged = true;
  const bool cut = room_ == Room::gone;
  room_ = Room::gone;
  log_ended(services, connection, request,
            {id_, route, status, answer.result, answer.detail, answer.origin_status.value_or(0), bytes_sent,
             bytes_received, services.clock.micros() - started_us, !cut});
}

} // namespace verge::pipeline
