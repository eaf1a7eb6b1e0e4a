#include "proxy/control/fleet/fleet.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "origin/aws/encoding.h"
#include "origin/pool/endpoint.h"
#include "proxy/base/log.h"
#include "proxy/control/fleet/sns_publish.h"
#include "proxy/control/purge_id.h"
#include "proxy/control/purge_request.h"
#include "proxy/control/tools/purge_callers.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr Millis kTick{1'000};
constexpr std::string_view kPurges = "/purges", kNodes = "/nodes";

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }
Reply problem(int status, std::string_view what) { return {status, "application/json", text_of({{"error", what}})}; }

json row_json(const FleetTracker::Row& row) {
  json out = {{"node", row.node}, {"state", to_string(row.state)}};
  if (!row.address.empty()) out["address"] = row.address;
  if (!row.why.empty()) out["why"] = row.why;
  if (row.applied) {
    out["seq"] = row.applied->seq;
    out["applied_at"] = row.applied->at.time_since_epoch().count();
    out["ms"] = static_cast<double>(row.applied->after_us) / 1'000;
    if (row.applied->entries) out["entries"] = *row.applied->entries;
  }
  return out;
}

} // namespace

Fleet::Fleet(const config::Fleet& options, PurgeEngine& engine, cache::Cache& cache,
             const origin::OriginContext& context, std::string token)
    : options_(options),
      engine_(engine),
      context_(context),
      loop_(context.loop),
      token_(std::move(token)),
      instance_(new_purge_id()),
      tracker_(options.name, instance_, {options.down_after, options.count_timeout, options.remembered}),
      counts_(cache, context.loop,
              [this](const std::string& id) {
                if (const auto entries = counts_.of(id)) tracker_.count_here(id, *entries);
                news();
              }),
      waiting_(context.loop),
      tick_(context.loop, [this] { tick(); }),
      resolve_(context.loop, [this] { resolve(); }),
      life_(std::make_shared<Fleet*>(this)) {}

Result<std::unique_ptr<Fleet>> Fleet::create(const config::Fleet& options, PurgeEngine& engine, cache::Cache& cache,
                                             const origin::OriginContext& context) {
  auto token = read_secret(options.token, options.token_file);
  if (!token) return std::unexpected(std::move(token.error()).in("fleet.token_file"));
  auto out = std::unique_ptr<Fleet>(new Fleet(options, engine, cache, context, std::move(*token)));
  if (auto opened = out->open(); !opened) return std::unexpected(std::move(opened.error()).in("fleet"));
  engine.carry_with(out.get());
  return out;
}

Fleet::~Fleet() {
  engine_.carry_with(nullptr);
  *life_ = nullptr;
}

Result<> Fleet::open() {
  if (!options_.nodes.empty() || !options_.dns.empty() || !options_.tls_ca.empty()) {
    net::ClientTlsOptions tls;
    tls.ca = options_.tls_ca;
    auto made = net::ClientTls::create(tls);
    if (!made) return std::unexpected(std::move(made.error()).in("tls_ca"));
    tls_ = std::move(*made);
  }
  if (!options_.topic.empty()) {
    auto publisher = SnsPublisher::create(options_, context_);
    if (!publisher) return std::unexpected(std::move(publisher.error()).in("topic"));
    publisher_ = std::move(*publisher);
  }
  std::vector<std::pair<std::string, std::string>> nodes;
  for (const auto& node : options_.nodes) nodes.emplace_back(node, "");
  if (auto used = use(nodes); !used) return used;
  if (!options_.dns.empty()) resolve();
  if (nodes.empty() && options_.dns.empty()) return {};
  if (!publisher_) {
    log::warn("fleet", "fleet.topic is not set: purges that this node's APIs take stay on this node");
  }
  tick_.start(kTick);
  const auto gauge = [this](const char* state, const std::atomic<size_t>& value) {
    gauges_.push_back(std::make_unique<metrics::Gauge>(
        "verge_fleet_nodes", fmt::format("state=\"{}\"", state),
        "Nodes of the fleet, this one among them, by whether they answer: live, down, or not asked for long enough: "
        "unknown.",
        [&value] { return double(value.load(std::memory_order_relaxed)); }));
  };
  gauge("live", live_);
  gauge("down", down_);
  gauge("unknown", unknown_);
  return {};
}

// ---- who belongs to it

Result<> Fleet::use(const std::vector<std::pair<std::string, std::string>>& nodes) {
  std::vector<std::string> addresses;
  for (const auto& [address, ip] : nodes) addresses.push_back(address);
  tracker_.set_nodes(addresses, now());
  for (auto it = peers_.begin(); it != peers_.end();) {
    if (std::ranges::find(addresses, it->first) != addresses.end()) {
      ++it;
      continue;
    }
    loop_.defer([gone = std::shared_ptr<Peer>(std::move(it->second))] {});
    it = peers_.erase(it);
  }
  for (const auto& [address, ip] : nodes) {
    if (peers_.contains(address)) continue;
    const std::string& where = options_.dns.empty() ? address : options_.dns;
    auto endpoint = origin::parse_http_url(where.find("://") == std::string::npos ? "http://" + where : where, nullptr);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()).in("nodes"));
    auto tls = endpoint->tls ? tls_ : nullptr;
    peers_[address] = std::make_unique<Peer>(
        PeerOptions{address, std::move(*endpoint), ip, std::move(tls), token_, options_.down_after}, context_, tracker_,
        [this] { news(); });
  }
  return {};
}

// Each address of the name is a node. While the name can't be resolved, those known stay.
void Fleet::resolve() {
  const auto endpoint = origin::parse_http_url(
      options_.dns.find("://") == std::string::npos ? "http://" + options_.dns : options_.dns, nullptr);
  resolve_.start(options_.resolve_interval);
  if (!endpoint) return; // the configuration's check took it
  context_.resolver.resolve(
      endpoint->host, loop_, [life = life_, port = endpoint->port](Result<std::vector<std::string>> found) {
        auto* self = *life;
        if (self == nullptr) return;
        if (!found) return log::warn("fleet", "fleet.dns: {}", found.error().what);
        std::vector<std::pair<std::string, std::string>> nodes;
        for (const auto& ip : *found) {
          nodes.emplace_back(
              ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port),
              ip);
        }
        if (auto used = self->use(nodes); !used) log::warn("fleet", "fleet.dns: {}", used.error().what);
        self->news();
      });
}

// ---- purges on their way

Result<> Fleet::can_carry(const cache::Invalidation& what) const {
  if (!publisher_) return {};
  const auto octets = purge_message(what, fmt::format("{} {}", options_.name, what.source)).size();
  if (octets <= kSnsMessageBytes) return {};
  return fail(
      Errc::too_large,
      fmt::format("{} targets make a message of {} octets, more than the {} that SNS takes; nothing was purged. "
                  "Name fewer at once, or a pattern or a tag",
                  what.targets.size(), octets, kSnsMessageBytes),
      Side::client);
}

void Fleet::applied(const PurgeRow& row, std::shared_ptr<const cache::Invalidation> what) {
  if (!row.id.empty()) counts_.keep(row.id, row.seq, std::move(what));
  news();
}

void Fleet::track(const PurgeRow& row, bool taken_here) {
  const AppliedPurge here{taken_here ? row.content : "", row.seq, row.time, row.took_us, counts_.of(row.id)};
  tracker_.begin(row.id, now() - std::chrono::floor<Millis>(std::chrono::microseconds(row.took_us)), here);
  for (auto& [address, peer] : peers_) peer->poke();
}

void Fleet::carry(const PurgeRow& row, const cache::Invalidation& what, Carried done) {
  track(row, true);
  if (!publisher_) {
    tracker_.unsent(row.id, peers_.empty() ? "" : "fleet.topic is not set");
    return done({});
  }
  const auto key = row.id + " " + row.content;
  if (published_.contains(key)) return done({});
  publisher_->publish(purge_message(what, fmt::format("{} {}", options_.name, what.source)),
                      [this, key, id = row.id, done = std::move(done)](Result<std::string> message) mutable { // ours
                        if (message) remember_published(key);
                        published(id, message, done);
                      });
}

void Fleet::remember_published(const std::string& key) {
  if (published_.insert(key).second) published_order_.push_back(key);
  while (published_order_.size() > options_.remembered) {
    published_.erase(published_order_.front());
    published_order_.pop_front();
  }
}

void Fleet::published(const std::string& id, const Result<std::string>& message, Carried& done) {
  if (!message) {
    tracker_.unsent(id, "not published: " + message.error().what);
    news();
    return done(fail(
        Errc::closed,
        fmt::format("applied on this node as id {}, but not published to {}, so the other nodes may not have it: {}. "
                    "When that is mended, send it again; with the same id or CallerReference nothing is done twice",
                    id, publisher_->topic(), message.error().what),
        Side::origin));
  }
  log::debug("fleet", "purge id={} is published as {}", id, *message);
  tracker_.unsent(id, "");
  for (auto& [address, peer] : peers_) peer->poke();
  news();
  done({});
}

bool Fleet::completed(const std::string& id) {
  if (!tracker_.knows(id)) {
    const auto* row = engine_.log().find(id); // from before a restart
    if (row == nullptr) return true;
    track(*row, true);
  }
  return tracker_.completed(id, now());
}

json Fleet::summary(const std::string& id) {
  const auto status = tracker_.status(id, now());
  if (!status) return nullptr;
  auto waiting = json::array(), down = json::array();
  size_t applied = 0;
  for (const auto& row : status->rows) {
    if (row.state == FleetTracker::State::applied) ++applied;
    if (row.state == FleetTracker::State::down) down.push_back(row.node);
    if (row.state == FleetTracker::State::waiting || row.state == FleetTracker::State::unsent)
      waiting.push_back(row.node);
  }
  json out = {{"state", to_string(status->state)}, {"applied", applied}, {"nodes", status->rows.size()}};
  if (!waiting.empty()) out["waiting"] = std::move(waiting);
  if (!down.empty()) out["down"] = std::move(down);
  return out;
}

std::string Fleet::state() const {
  if (peers_.empty()) return {};
  const auto count = tracker_.count(now());
  return fmt::format("fleet: {} of {} nodes answer", count.live + 1, count.live + count.down + count.unknown + 1);
}

void Fleet::news() {
  const auto count = tracker_.count(now());
  live_.store(count.live + 1, std::memory_order_relaxed);
  down_.store(count.down, std::memory_order_relaxed);
  unknown_.store(count.unknown, std::memory_order_relaxed);
  waiting_.look();
}

// Time passes: nodes are found to be down, purges to be late.
void Fleet::tick() {
  for (const auto& id : tracker_.late(now() - options_.wait_timeout, now())) {
    std::vector<std::string> names;
    const auto status = tracker_.status(id, now());
    for (const auto& row : status->rows) {
      if (row.state == FleetTracker::State::waiting) names.push_back(row.node);
    }
    log::warn("fleet", "purge id={} is not applied by {}, which {} alive; do they get what is published to {}?", id,
              fmt::join(names, ", "), names.size() == 1 ? "is" : "are", options_.topic);
  }
  news();
  tick_.start(kTick);
}

// ---- what is told

bool Fleet::wants(const http::RequestHead& head) {
  return (head.path == kPurges && head.has_query) || head.path.starts_with("/purges/");
}

bool Fleet::admits(std::string_view token) const { return !token_.empty() && same_secret(token, token_); }

void Fleet::answer(const http::RequestHead& head, SmallExchange::Answer done) {
  if (!head.is("GET") && !head.is("HEAD")) {
    auto r = problem(405, fmt::format("{} takes GET", head.path.substr(0, 200)));
    r.fields.add("allow", "GET, HEAD");
    return done(std::move(r));
  }
  auto question = parse_question(head.query, options_.wait_limit);
  if (!question) return done(problem(400, question.error().what));
  if (head.path == kPurges) {
    for (const auto& id : question->counts) counts_.want(id);
    const auto q = std::make_shared<const PurgeQuestion>(std::move(*question));
    const auto ready = [this, q] {
      return std::ranges::any_of(q->ids, [&](const auto& id) { return engine_.log().find(id) != nullptr; }) ||
             std::ranges::any_of(q->counts, [&](const auto& id) { return counts_.of(id).has_value(); });
    };
    return waiting_.add(q->wait, ready, [this, q] { return several(*q); }, std::move(done));
  }
  std::string_view path = std::string_view(head.path).substr(kPurges.size() + 1);
  const bool of_fleet = path.ends_with(kNodes);
  if (of_fleet) path.remove_suffix(kNodes.size());
  const auto id = origin::aws::percent_decode(path);
  if (!is_purge_id(id)) return done(problem(400, fmt::format("\"{}\" is not a purge's id", id.substr(0, 200))));
  const bool count = !question->counts.empty(); // count=true
  if (count) counts_.want(id);
  if (!of_fleet) {
    const auto ready = [this, id, count] { return engine_.log().find(id) != nullptr && (!count || counts_.of(id)); };
    return waiting_.add(question->wait, ready, [this, id] { return one(id); }, std::move(done));
  }
  if (const auto* row = engine_.log().find(id); row != nullptr && !tracker_.knows(id)) track(*row, false);
  if (count) {
    tracker_.want_counts(id);
    for (auto& [address, peer] : peers_) peer->poke();
  }
  const auto ready = [this, id] {
    tracker_.completed(id, now());
    const auto status = tracker_.status(id, now());
    return status && status->settled;
  };
  waiting_.add(question->wait, ready, [this, id] { return nodes(id); }, std::move(done));
}

Reply Fleet::one(const std::string& id) const {
  const auto* row = engine_.log().find(id);
  if (row == nullptr) {
    return problem(
        404, fmt::format("node {} has not applied a purge with id {}, or no longer remembers it", options_.name, id));
  }
  auto out = purge_json(*row, counts_.of(id));
  out["node"] = options_.name;
  return {200, "application/json", text_of(out)};
}

Reply Fleet::several(const PurgeQuestion& question) const {
  auto purges = json::array();
  const auto add = [&](const std::string& id) {
    if (const auto* row = engine_.log().find(id)) purges.push_back(purge_json(*row, counts_.of(id)));
  };
  for (const auto& id : question.ids) add(id);
  for (const auto& id : question.counts) {
    if (std::ranges::find(question.ids, id) == question.ids.end()) add(id);
  }
  return {200, "application/json",
          text_of({{"node", options_.name}, {"instance", instance_}, {"purges", std::move(purges)}})};
}

Reply Fleet::nodes(const std::string& id) {
  tracker_.completed(id, now());
  const auto status = tracker_.status(id, now());
  if (!status) {
    return problem(404, fmt::format("node {} knows no purge with id {}; is its id right, and was it taken lately?",
                                    options_.name, id));
  }
  auto rows = json::array();
  for (const auto& row : status->rows) rows.push_back(row_json(row));
  json out = {{"id", id},
              {"state", to_string(status->state)},
              {"settled", status->settled},
              {"wait_timeout", options_.wait_timeout.count()},
              {"nodes", std::move(rows)}};
  if (!status->unsent.empty()) out["unsent"] = status->unsent;
  return {200, "application/json", text_of(out)};
}

} // namespace verge::control
