#include "proxy/pipeline/explain.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cache/policy/groups.h"
#include "cache/policy/select.h"
#include "cache/policy/validation.h"
#include "config/units.h"
#include "proxy/pipeline/exchange.h"
#include "proxy/pipeline/no_client.h"
#include "proxy/pipeline/verdict_words.h"
#include "proxy/pipeline/verdicts.h"

namespace verge::pipeline {
namespace {

using cache::Listed;
using policy::Forward;
using policy::LifetimeSource;
using policy::Use;

std::string shown(Millis duration) {
  return duration < Millis{0} ? "-" + config::format_duration(-duration) : config::format_duration(duration);
}
// Ages are told in whole seconds.
std::string in_seconds(Millis duration) { return shown(std::chrono::floor<Seconds>(duration)); }

std::string clock_time(WallTime t) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::floor<Seconds>(t)));
}

std::string target_text(const cache::Target& t) {
  switch (t.kind) {
    case cache::Target::Kind::all: return t.host.empty() ? "everything" : "everything of " + t.host;
    case cache::Target::Kind::tag:
      if (policy::is_group(t.value)) return "cache group " + t.value;
      return "tag " + t.value + (t.host.empty() ? "" : " of " + t.host);
    case cache::Target::Kind::exact: return "URL " + t.host + t.value;
    case cache::Target::Kind::pattern: return "pattern " + t.host + t.value;
  }
  return "?";
}

struct Source {
  std::string_view text, rfc, field;
};
Source source_of(LifetimeSource source) {
  switch (source) {
    case LifetimeSource::s_maxage: return {"the origin's s-maxage", "RFC 9111 section 5.2.2.10", ""};
    case LifetimeSource::max_age: return {"the origin's max-age", "RFC 9111 section 5.2.2.1", ""};
    case LifetimeSource::expires: return {"the origin's Expires less its Date", "RFC 9111 section 5.3", ""};
    case LifetimeSource::heuristic:
      return {"a tenth of the time since Last-Modified", "RFC 9111 section 4.2.2", "cache.heuristic"};
    case LifetimeSource::negative:
      return {"the route, for errors of this status", "RFC 9111 section 4.2.2", "cache.negative"};
    case LifetimeSource::route: return {"the route", "RFC 9111 section 4.2.1", "cache.ttl.default"};
    case LifetimeSource::none: break;
  }
  return {"nothing", "RFC 9111 section 4.2.1", "cache.ttl.default"};
}

// Owns itself through the callbacks it waits for.
class Walk : public std::enable_shared_from_this<Walk> {
 public:
  Walk(Services& services, std::shared_ptr<LoopSnapshot> snapshot, http::RequestHead&& head,
       std::move_only_function<void(Explanation)> done)
      : connected_{.address = "", .scheme = head.scheme, .sni = {}, .tls_version = {}, .tls_client = {}},
        exchange_(std::make_unique<Exchange>(services, std::move(snapshot), client_, connected_, std::move(head))),
        done_(std::move(done)) {}

  void start() {
    auto& ex = *exchange_;
    if (ex.services.intercept != nullptr && ex.services.intercept->wants(ex.request.path)) {
      add("intake", fmt::format("{} is the node's own path for notifications: no route is asked", ex.request.path), "",
          "invalidation.sns.path");
      return finish("own");
    }
    ex.stop_before(Room::join, [self = shared_from_this()] { self->walked(); });
    ex.begin();
  }

 private:
  void add(std::string room, std::string text, std::string rfc = "", std::string config = "") {
    out_.steps.push_back({std::move(room), std::move(text), std::move(rfc), std::move(config)});
  }
  // "edge.yaml:14 cache.ttl.default" where the file says it; else whose default it is.
  std::string row(std::string_view field) const {
    if (field.empty() || exchange_->route == nullptr) return "";
    const auto& config = exchange_->snapshot->snapshot->config();
    const auto it = config.lines.find(fmt::format("{}.{}", exchange_->route->config_path, field));
    if (it == config.lines.end()) return fmt::format("default of {}", field);
    return fmt::format("{}:{} {}", config.file, it->second, field);
  }
  std::string route_row() const {
    const auto& config = exchange_->snapshot->snapshot->config();
    const auto it = config.lines.find(exchange_->route->config_path);
    return it == config.lines.end() ? "" : fmt::format("{}:{}", config.file, it->second);
  }

  void walked() {
    auto& ex = *exchange_;
    if (ex.route != nullptr) {
      add("route",
          fmt::format("{}{} is taken by the route {}; its origin is {}", ex.request.authority, ex.request.path,
                      ex.route->match, ex.route->origin),
          "", route_row());
    }
    if (ex.status != 0) return answered();
    ex.services.cache.inspect(ex.key.text, ex.services.loop,
                              [self = shared_from_this()](std::vector<Listed> known) { self->tell(known); });
  }

  // A room answered by itself: the rest is never asked.
  void answered() {
    const auto& ex = *exchange_;
    const auto& why = ex.answer.detail;
    if (why == "unknown-host") {
      add("route", fmt::format("no site has the host {}", ex.request.authority), "RFC 9110 section 15.5.20",
          "sites[].hosts");
    } else if (why == "no-route") {
      add("route", fmt::format("no route of the site matches {}", ex.request.path), "", "sites[].routes[].match");
    } else if (why == "only-if-cached") {
      add("lookup", "nothing stored may answer, and the request forbids to ask the origin (only-if-cached)",
          "RFC 9111 section 5.2.1.7", row("cache.client_cache_control"));
    } else {
      add("answer", fmt::format("the node answers {} by itself: {}", ex.status, why));
    }
    finish(std::to_string(ex.status));
  }

  void tell(const std::vector<Listed>& known) {
    tell_key();
    if (!exchange_->key.look) return finish("pass");
    tell_known(known);
    if (exchange_->found.entry) {
      tell_freshness();
    } else {
      add("join",
          fmt::format("the origin {} is asked ({})", exchange_->route->origin, to_string(exchange_->found.forward)),
          "RFC 9211 section 2.2");
      tell_last_verdict();
      finish("miss");
    }
  }

  void tell_key() {
    const auto& ex = *exchange_;
    if (ex.key.look) {
      add("key", fmt::format("the key is {}", ex.key.text), "RFC 9111 section 2");
      return;
    }
    switch (ex.key.why_not) {
      case Forward::method:
        add("key", fmt::format("{} is not answered from the cache: the origin is asked", ex.request.method),
            "RFC 9111 section 4", row("cache"));
        break;
      case Forward::request:
        add("key", "If-Match and If-Unmodified-Since are for the origin: it is asked", "RFC 9111 section 4.3.2");
        break;
      default:
        if (ex.route->rules.enabled) {
          add("key", "a request with a body may get an answer that depends on it: the origin is asked",
              "RFC 9110 section 9.3.1");
        } else {
          add("key", "the route stores nothing: the origin is asked", "", row("cache"));
        }
    }
  }

  // What is stored under the key, and whether an invalidation ended it.
  void tell_known(const std::vector<Listed>& known) {
    const auto& ex = *exchange_;
    if (known.empty()) {
      add("lookup",
          ex.found.other_variants ? "only other variants are stored under this key"
                                  : "nothing is stored under this key",
          ex.found.other_variants ? "RFC 9111 section 4.1" : "RFC 9111 section 4");
    }
    for (const Listed& row : known) {
      const auto& head = *row.head;
      const bool selected = policy::selects(head.vary_fields, head.vary_values, head.headers, ex.request.headers);
      std::string text = fmt::format("stored {}: status {}, {} octets, {}{}{}", clock_time(head.response_time),
                                     head.status, row.length, row.in_ram ? "in memory" : "on disk",
                                     row.in_ram && row.body_id != 0 ? " and on disk" : "",
                                     head.tags.empty() ? "" : fmt::format(", tags {}", fmt::join(head.tags, " ")));
      if (!head.vary_fields.empty()) {
        text += fmt::format("; varies with {}: this request {} it", fmt::join(head.vary_fields, ", "),
                            selected ? "selects" : "does not select");
      }
      add("lookup", std::move(text), head.vary_fields.empty() ? "RFC 9111 section 4" : "RFC 9111 section 4.1");
      if (row.verdict == cache::Verdict::live) continue;
      if (row.verdict == cache::Verdict::guarded) {
        add("lookup", "guarded: an invalidation may cover it that this node has not read; the origin is asked first",
            "", "invalidation.guard.after");
        continue;
      }
      const bool dead = row.verdict == cache::Verdict::dead;
      add("lookup",
          row.blame
              ? fmt::format("{} by sequence {} ({}); it was fetched at sequence {}", dead ? "dropped" : "marked stale",
                            dead ? row.blame->hard : row.blame->soft, target_text(row.blame->target), head.seq)
              : fmt::format("{} by an invalidation after sequence {}", dead ? "dropped" : "marked stale", head.seq),
          "RFC 9111 section 4.4");
    }
  }

  void tell_freshness() {
    const auto& ex = *exchange_;
    const auto& found = ex.found;
    const auto head = found.entry->head();
    const auto& f = head->freshness;
    const auto resident = found.age - f.initial_age;
    add("lookup",
        fmt::format("its age is {}: {} when it came, {} since", in_seconds(found.age), in_seconds(f.initial_age),
                    in_seconds(resident)),
        "RFC 9111 section 4.2.3");
    const Source source = source_of(f.source);
    std::string lifetime = fmt::format("its lifetime is {} from {}", shown(f.lifetime), source.text);
    if (f.lifetime == ex.route->rules.ttl_max) lifetime += ", the most the route allows";
    add("lookup", std::move(lifetime), std::string(source.rfc),
        f.lifetime == ex.route->rules.ttl_max ? row("cache.ttl.max") : row(source.field));
    const auto left = f.lifetime - found.age;
    if (f.always_validate) {
      add("lookup", "the origin said no-cache: it is never used without asking", "RFC 9111 section 5.2.2.4");
    } else if (left > Millis{0}) {
      add("lookup", fmt::format("fresh for {} more", in_seconds(left)), "RFC 9111 section 4.2");
    } else {
      add("lookup", fmt::format("stale for {}", in_seconds(-left)), "RFC 9111 section 4.2.4");
    }
    decide(left);
  }

  void decide(Millis left) {
    const auto& ex = *exchange_;
    const auto& found = ex.found;
    const auto head = found.entry->head();
    const auto& f = head->freshness;
    if (found.use == Use::fresh) {
      add("join", "it is the answer: the origin is not asked", "RFC 9111 section 4");
      return finish("hit");
    }
    if (found.use == Use::stale_revalidate) {
      add("join",
          fmt::format("it is the answer though stale, and the origin is asked behind it (stale-while-revalidate {})",
                      shown(f.stale_while_revalidate)),
          "RFC 5861 section 3", row("cache.stale_while_revalidate"));
      return finish("stale");
    }
    if (found.forward == Forward::request) {
      add("lookup", "the request's own Cache-Control or Pragma asks for validation", "RFC 9111 section 5.2.1",
          row("cache.client_cache_control"));
    }
    const bool validator = policy::has_validator(head->headers);
    add("join",
        fmt::format("the origin {} is asked {}", ex.route->origin,
                    validator ? "with its validator (If-None-Match, If-Modified-Since); 304 makes it fresh again"
                              : "for a new one: it has neither ETag nor Last-Modified"),
        "RFC 9111 section 4.3");
    if (policy::may_serve_stale_on_error(f, found.stale_age(), true)) {
      add("join",
          fmt::format("should the origin fail, it is the answer for {} more (stale-if-error)",
                      in_seconds(f.stale_if_error + left)),
          "RFC 5861 section 4", row("cache.stale_if_error"));
    } else if (policy::may_serve_stale_on_error(f, found.stale_age(), false)) {
      add("join", "should the origin not answer at all, it is the answer", "RFC 9111 section 4.2.4");
    }
    finish("revalidate");
  }

  void tell_last_verdict() {
    const auto& ex = *exchange_;
    const auto last = ex.services.verdicts != nullptr ? ex.services.verdicts->find(ex.key.text) : std::nullopt;
    if (!last) return;
    const auto words = words_of(last->verdict);
    add("storing",
        fmt::format("the last answer ({}, status {}) was not stored: {}{}", clock_time(last->time), last->status,
                    words.text, last->detail.empty() ? "" : " (" + last->detail + ")"),
        std::string(words.rfc), row(words.field));
  }

  void finish(std::string outcome) {
    out_.outcome = std::move(outcome);
    done_(std::move(out_));
  }

  NoClient client_;
  Connected connected_;
  std::unique_ptr<Exchange> exchange_;
  std::move_only_function<void(Explanation)> done_;
  Explanation out_;
};

} // namespace

void explain(Services& services, std::shared_ptr<LoopSnapshot> snapshot, http::RequestHead head,
             std::move_only_function<void(Explanation)> done) {
  std::make_shared<Walk>(services, std::move(snapshot), std::move(head), std::move(done))->start();
}

} // namespace verge::pipeline
