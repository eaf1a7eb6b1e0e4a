#include "proxy/pipeline/ready.h"

#include <xxhash.h>

#include <algorithm>

#include "cache/policy/freshness.h"
#include "cache/policy/validation.h"
#include "proxy/base/log.h"
#include "proxy/base/request_id.h"
#include "proxy/http/grammar.h"
#include "proxy/http/h1_writer.h"
#include "proxy/http/h2_server.h"
#include "proxy/pipeline/exchange.h"
#include "proxy/pipeline/log.h"
#include "proxy/pipeline/remarks.h"

namespace verge::pipeline {
namespace {

// Hits that are told to the Entry at once; from then on so many at a time.
constexpr uint64_t kToldTogether = 64;

uint64_t hash_of(const http::RequestHead& r) noexcept {
  const uint64_t host = XXH3_64bits_withSeed(r.authority.data(), r.authority.size(), r.scheme.size());
  const uint64_t path = XXH3_64bits_withSeed(r.path.data(), r.path.size(), host);
  return r.has_query ? XXH3_64bits_withSeed(r.query.data(), r.query.size(), path) : path;
}

// Fields by which a client says what it would take; see rooms key, lookup and shape.
constexpr http::Headers::Names<6> kWishes(std::array<std::string_view, 6>{
    "cache-control", "pragma", "range", "if-match", "if-unmodified-since", "if-range"});
// Those by which it says what it has.
constexpr http::Headers::Names<2> kConditions(std::array<std::string_view, 2>{"if-none-match", "if-modified-since"});

// Asks for what is stored, for its head, or whether it is still good; for nothing else.
bool is_plain(const http::RequestHead& r) noexcept {
  return (r.is("GET") || r.is("HEAD")) && !r.has_body && !r.headers.has_any(kWishes);
}

enum class Form : uint8_t { whole, head_only, not_modified };

// Precondition: is_plain(request), and `stored` is the head of a 200.
Form form_of(const http::RequestHead& request, const cache::StoredHead& stored, WallTime now) {
  if (request.headers.has_any(kConditions) &&
      policy::evaluate_preconditions(request, stored.headers, now) == policy::Precondition::not_modified) {
    return Form::not_modified;
  }
  return request.is("GET") ? Form::whole : Form::head_only;
}

} // namespace

struct ReadyAnswers::Answer {
  Answer(const Exchange& ex, cache::RamKept k)
      : scheme(ex.request.scheme),
        authority(ex.request.authority),
        path(ex.request.path),
        query(ex.request.query),
        has_query(ex.request.has_query),
        kept(std::move(k)),
        route(ex.route) {
    if (route->status_field == config::StatusField::key) status_key = ex.key.text;
    cache::Reader reader(kept.entry, ex.services.loop, [] {}, 0, UINT64_MAX);
    if (reader.next(body, http::kReadyBytes) != cache::Reader::Next::slice) body = {};
    if (body.block) body.block = BlockRef::lend(body.block);
  }
  ~Answer() { kept.entry->count_hit(untold_hits); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  bool is_for(const http::RequestHead& r) const noexcept {
    return r.path == path && r.authority == authority && r.query == query && r.has_query == has_query &&
           r.scheme == scheme;
  }
  const cache::StoredHead& head() const noexcept { return kept.entry->settled_head(); }

  void count_hit() noexcept {
    if (kept.entry->hits() < kToldTogether) return kept.entry->count_hit();
    if (++untold_hits == kToldTogether) kept.entry->count_hit(std::exchange(untold_hits, 0));
  }

  struct Text {
    Seconds age{0}, ttl{0};
    std::string h1;
    std::shared_ptr<const http::H2Head> h2; // null: not made yet
  };
  // Its head as of `now_age`: Age and ttl change once a second.
  const Text& text(Form form, Millis now_age) {
    Text& text = texts[static_cast<size_t>(form)];
    const auto age = std::chrono::duration_cast<Seconds>(now_age);
    const auto ttl = std::chrono::duration_cast<Seconds>(head().freshness.lifetime - now_age);
    if (text.h2 && age == text.age && ttl == text.ttl) return text;
    text.age = age;
    text.ttl = ttl;
    http::ResponseOut out;
    http::Headers not_modified;
    if (form == Form::not_modified) {
      policy::make_not_modified(not_modified, head().headers);
      out.status = 304;
      out.fields = &not_modified;
    } else {
      out.fields = &head().headers;
      out.h1_text = head().h1_text;
      out.content_length = body.size;
    }
    out.no_body = form != Form::whole;
    add_age(out.extra, now_age);
    if (route->status_field != config::StatusField::off) {
      add_cache_status(out.extra, memory_hit(now_age, head().freshness.lifetime, status_key));
    }
    text.h1.clear();
    http::write_response_head(text.h1, out, out.no_body ? http::Framing::none : http::Framing::length, true);
    text.h2 = http::make_h2_head(out);
    return text;
  }

  const std::string scheme, authority, path, query;
  const bool has_query;
  const cache::RamKept kept;
  const Route* const route;
  std::string status_key; // empty: Cache-Status says no key
  Slice body;             // lent to this loop
  uint64_t untold_hits = 0;
  std::array<Text, 3> texts; // by Form
};

ReadyAnswers::ReadyAnswers() = default;
ReadyAnswers::~ReadyAnswers() = default;

void ReadyAnswers::use(const LoopSnapshot* snapshot) {
  snapshot_ = snapshot;
  for (Slot& slot : slots_) slot = {};
}

bool ReadyAnswers::find(Services& services, const Connected& client, const http::RequestHead& request,
                        http::ReadyResponse& out) {
  const uint64_t hash = hash_of(request);
  Slot& slot = slots_[hash % kSlots];
  if (slot.hash != hash || !slot.answer || !is_plain(request) || log::enabled(log::Level::debug)) return false;
  Answer& answer = *slot.answer;
  if (!answer.is_for(request)) return false;
  if (services.cache.epochs().reception() != cache::Reception::current) return false;      // the rooms tell of it
  if (!client.sni.empty() && client.sni != http::host_of(request.authority)) return false; // room gate
  const auto& head = answer.head();
  const auto now = services.clock.wall();
  const Millis age = policy::current_age(head.freshness, head.response_time, now);
  if (age >= head.freshness.lifetime || !services.cache.still(answer.kept)) return false;

  slot.last = 0;
  const Form form = form_of(request, head, now);
  const auto& text = answer.text(form, age);
  answer.count_hit();
  out.h1_head = text.h1;
  out.h2_head = text.h2;
  if (form == Form::whole) out.body = answer.body;
  // Its time is that of this call, which is next to none.
  log_ended(services, client, request,
            {.id = services.access_log != nullptr ? new_request_id() : 0,
             .route = answer.route,
             .status = form == Form::not_modified ? 304 : 200,
             .result = CacheResult::hit,
             .bytes_sent = out.body.size});
  return true;
}

void ReadyAnswers::offer(Exchange& ex) {
  const auto& r = ex.response;
  const auto& rules = ex.route->rules;
  const bool of_memory = ex.answer.result == CacheResult::hit && ex.found.tier == cache::Tier::ram && !ex.found.soft;
  if (!of_memory || ex.snapshot.get() != snapshot_ || r.head->status != 200 || !is_plain(ex.request)) return;
  const uint64_t length = ex.answer.entry->length();
  if (length == 0 || length > http::kReadyBytes || r.head->no_body) return;
  if (r.head->freshness.always_validate || ex.slices || ex.ranged) return;
  if (!ex.route->key.url_only() || !rules.enabled || rules.refresh_ahead.on()) return;

  const uint64_t hash = hash_of(ex.request);
  Slot& slot = slots_[hash % kSlots];
  if (slot.answer && slot.answer->is_for(ex.request) && slot.answer->kept.entry == ex.answer.entry &&
      ex.services.cache.holds(slot.answer->kept)) {
    return;
  }
  if (std::exchange(slot.last, hash) != hash) return;
  auto kept = ex.services.cache.keep(ex.key.text, ex.answer.entry, ex.services.ram_front);
  if (!kept) return;
  auto answer = std::make_unique<Answer>(ex, std::move(*kept));
  if (answer->body.size != length) return;
  slot.answer = std::move(answer);
  slot.hash = hash;
  drop_one_gone(ex.services);
}

// What is not asked for any more would keep its memory until its slot is wanted: one slot is looked at for each that is
// filled.
void ReadyAnswers::drop_one_gone(Services& services) {
  next_look_ = (next_look_ + 1) % kSlots;
  auto& answer = slots_[next_look_].answer;
  if (answer && !services.cache.holds(answer->kept)) answer.reset();
}

} // namespace verge::pipeline
