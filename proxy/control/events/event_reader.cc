#include "proxy/control/events/event_reader.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "proxy/control/events/event_match.h"
#include "proxy/control/events/stack_event.h"
#include "proxy/control/json_text.h"
#include "proxy/control/purge_request.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr size_t kShown = 128;                       // octets of a sender's text that people are shown
constexpr std::string_view kOurType = "Verge Purge"; // detail-type of EventBridge events that carry our own message

Meant nothing(std::string why) {
  Meant out;
  out.reason = std::move(why);
  return out;
}

Meant unmatched(std::string kind) {
  Meant out;
  out.reason = "no rule fits " + kind;
  out.event = std::move(kind);
  out.matched = false;
  return out;
}

Result<Meant> own(std::string_view text) {
  auto command = parse_purge(text);
  if (!command) return std::unexpected(std::move(command.error()));
  Meant out;
  if (!command->source.empty()) out.event = "taken by " + command->source;
  out.command = std::move(*command);
  return out;
}

bool is_own(const json& object) {
  return object.contains("paths") || object.contains("tags") || object.contains("all") || object.contains("targets");
}

// Who sent it and what it calls itself, for people.
std::string kind_of(const json& event) {
  const auto source = text_at(event, "source").substr(0, kShown),
             type = text_at(event, "detail-type").substr(0, kShown);
  if (source.empty() && type.empty()) return "a JSON object without source";
  return fmt::format("{}{}{}", source, source.empty() || type.empty() ? "" : " ", type);
}

void add_to(Meant& out, const cache::Invalidation& purge) {
  if (!out.command) {
    out.command = purge;
    return;
  }
  auto& targets = out.command->targets;
  targets.insert(targets.end(), purge.targets.begin(), purge.targets.end());
  out.command->soft &= purge.soft; // what is dropped is stale as well
}

} // namespace

Result<EventReader> EventReader::create(const config::Config& config) {
  std::vector<Rule> rules;
  for (const auto& rule : config.invalidation.rules) {
    json purge = {{"all", rule.purge.all}, {"soft", rule.purge.soft}};
    if (!rule.purge.paths.empty()) purge["paths"] = rule.purge.paths;
    if (!rule.purge.tags.empty()) purge["tags"] = rule.purge.tags;
    if (!rule.purge.hosts.empty()) purge["hosts"] = rule.purge.hosts;
    auto parsed = parse_purge(purge.dump());
    if (!parsed) {
      parsed.error().code = Errc::config;
      return std::unexpected(std::move(parsed.error()).in(fmt::format("invalidation.rules[{}].purge", rules.size())));
    }
    rules.push_back({rule.when, std::move(*parsed)});
  }
  return EventReader(Buckets(config), std::move(rules));
}

bool EventReader::apply_rules(const json& event, Meant& out) const {
  bool any = false;
  for (const auto& rule : rules_) {
    if (!fits(rule.when, event)) continue;
    any = true;
    add_to(out, rule.purge);
  }
  return any;
}

Result<Meant> EventReader::read_stack(std::string_view text) const {
  auto event = parse_stack_event(text);
  if (!event) return std::unexpected(std::move(event.error()));
  if (!is_end_of_stack(*event)) return nothing("CloudFormation is not done with the stack");
  Meant out;
  out.event = fmt::format("CloudFormation {} of stack {}", text_at(*event, "ResourceStatus").substr(0, kShown),
                          text_at(*event, "StackName").substr(0, kShown));
  return apply_rules(*event, out) ? std::move(out) : unmatched(std::move(out.event));
}

void EventReader::add(S3Changes found, std::string_view other_prefix, const Sequencers& known, Meant& out) const {
  cache::Invalidation purge;
  bool late = false;
  if (!found.changes.empty()) {
    const auto& first = found.changes.front();
    out.event = fmt::format("S3 {}/{}", first.bucket, std::string_view(first.key).substr(0, kShown));
    if (found.changes.size() > 1) out.event += fmt::format(" and {} more", found.changes.size() - 1);
  }
  for (auto& change : found.changes) {
    if (known.knows(change)) {
      late = true;
      continue;
    }
    buckets_.add(change.bucket, change.key, other_prefix, purge.targets);
    out.changes.push_back(std::move(change));
  }
  if (!purge.targets.empty()) return add_to(out, purge);
  if (out.command) return;
  out.reason = late ? "S3 events that are older than what was dealt with" : "S3 events that change nothing served here";
}

Result<Meant> EventReader::read(std::string_view text, std::string_view other_prefix, const Sequencers& known) const {
  if (is_stack_event(text)) return read_stack(text);
  const auto event = json::parse(text, nullptr, false);
  if (event.is_discarded() || !event.is_object()) return unmatched("a text that is not a JSON object");
  if (text_at(event, "Event") == "s3:TestEvent") return nothing("S3 test event");
  if (is_own(event)) return own(text);
  if (text_at(event, "detail-type") == kOurType && !text_at(event, "source").starts_with("aws.")) {
    return own(member_of(event, "detail").dump());
  }
  Meant out;
  out.event = kind_of(event);
  const bool ruled = apply_rules(event, out);
  const bool records = event.contains("Records"), s3_event = is_s3_event(event);
  if (!records && !s3_event) return ruled ? std::move(out) : unmatched(std::move(out.event));
  auto found = records ? s3_record_changes(event) : s3_event_changes(event);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!ruled && found->changes.empty() && !found->others.empty()) return unmatched(std::move(found->others));
  add(std::move(*found), other_prefix, known, out);
  return out;
}

} // namespace verge::control
