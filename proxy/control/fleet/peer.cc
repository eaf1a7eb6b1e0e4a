#include "proxy/control/fleet/peer.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

// One may be left open at the node; the others are for purges that come meanwhile.
constexpr uint32_t kCalls = 4;
constexpr Millis kPause{200}, kGrace{2'000};

config::Timeouts timeouts(Millis limit) {
  config::Timeouts out;
  out.connect = out.first_byte = out.between_bytes = out.head = limit;
  out.idle = limit * 4;
  return out;
}

// Any name leads to one address.
class Pinned final : public net::Resolver {
 public:
  explicit Pinned(std::string ip) : ip_(std::move(ip)) {}
  void resolve(const std::string&, Executor& on, Done done) override {
    on.post([ip = ip_, done = std::move(done)]() mutable { done(std::vector{std::move(ip)}); });
  }

 private:
  std::string ip_;
};

} // namespace

Peer::Peer(PeerOptions options, const origin::OriginContext& context, FleetTracker& tracker, std::function<void()> news)
    : options_(std::move(options)),
      loop_(context.loop),
      tracker_(tracker),
      news_(std::move(news)),
      pinned_(options_.ip.empty() ? nullptr : std::make_unique<Pinned>(options_.ip)),
      client_({context.loop, pinned_ ? *pinned_ : context.resolver}, options_.endpoint, options_.tls,
              timeouts(options_.down_after), kCalls, options_.address),
      pause_(context.loop, [this] { ask(failures_ > 0); }),
      beat_(context.loop, [this] { ask(true); }) {
  ask(true);
}

Peer::~Peer() = default;

void Peer::poke() {
  if (!pause_.running()) ask(false);
}

void Peer::ask(bool even_nothing) {
  if (calls_.size() >= kCalls || (failures_ > 0 && !calls_.empty())) return;
  auto question = tracker_.question(options_.address, asked_, kMostAsked, loop_.mono());
  if (question.empty() && (!even_nothing || !calls_.empty())) return;
  const auto slot = calls_.emplace(calls_.end());
  const Millis wait = question.empty() || question.soon ? Millis(0) : options_.down_after / 2;
  slot->question = {std::move(question.ids), std::move(question.counts), wait};
  slot->begun = loop_.mono();
  asked_.insert(slot->question.ids.begin(), slot->question.ids.end());
  asked_.insert(slot->question.counts.begin(), slot->question.counts.end());
  http::RequestHead head;
  head.method = "GET";
  head.authority = options_.endpoint.authority();
  head.path = "/purges";
  head.query = to_query(slot->question);
  head.has_query = true;
  head.headers.add("user-agent", "verge");
  if (!options_.token.empty()) head.headers.add("authorization", "Bearer " + options_.token);
  const Millis limit = std::min(options_.down_after, wait + kGrace);
  slot->call = SmallCall::send(loop_, client_, std::move(head), {}, limit, kNodeAnswerBytes,
                               [this, slot](Result<SmallCall::Answer> answer) { answered(slot, std::move(answer)); });
}

Result<size_t> Peer::learn(const Call& call, const Result<SmallCall::Answer>& answer) {
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) {
    return fail(Errc::refused, fmt::format("status {}{}", answer->status,
                                           answer->status == 401 ? ": it takes another fleet.token" : ""));
  }
  auto said = parse_node_answer(answer->body);
  if (!said) return std::unexpected(std::move(said.error()));
  const auto now = loop_.mono();
  tracker_.answered(options_.address, said->node, said->instance, now);
  tracker_.asked(options_.address, call.question.ids);
  size_t fresh = 0;
  for (auto& [id, what] : said->purges) {
    const auto was_asked = [&](const std::vector<std::string>& ids) { return std::ranges::find(ids, id) != ids.end(); };
    if (!was_asked(call.question.ids) && !was_asked(call.question.counts)) continue;
    if (tracker_.applied(options_.address, id, what, now)) ++fresh;
  }
  return fresh;
}

void Peer::answered(Slot slot, Result<SmallCall::Answer> answer) {
  Call call = std::move(*slot);
  calls_.erase(slot);
  loop_.defer([dead = std::shared_ptr<SmallCall>(std::move(call.call))] {});
  for (const auto& id : call.question.ids) asked_.erase(id);
  for (const auto& id : call.question.counts) asked_.erase(id);
  const auto fresh = learn(call, answer);
  beat_.start(options_.down_after / 2);
  if (!fresh) {
    const auto why = without_origin(fresh.error().what, options_.address);
    if (failures_++ == 0) log::warn("fleet", "node {}: {}", options_.address, why);
    tracker_.failed(options_.address, why);
    pause_.start(std::min(kPause * (1 << std::min(failures_, 4u)) / 2, options_.down_after / 4));
    return news_();
  }
  if (failures_ > 0) log::info("fleet", "node {} answers", options_.address);
  failures_ = 0;
  // A node that does not wait when asked to must not be asked without end.
  const bool hasty =
      *fresh == 0 && call.question.wait > Millis(0) && loop_.mono() - call.begun < call.question.wait / 2;
  if (hasty) {
    pause_.start(kPause);
  } else if (!pause_.running()) {
    ask(false);
  }
  news_();
}

} // namespace verge::control
