#include "proxy/control/events/stack_event.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/control/json_text.h"

namespace verge::control {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The key that a line begins with, without its ='. Empty: none.
std::string_view key_at(std::string_view line) {
  size_t n = 0;
  while (n < line.size() && letter(line[n])) ++n;
  return line.substr(n).starts_with("='") ? line.substr(0, n) : std::string_view{};
}

// Where the value ends that `text` begins with: at a ' before the end, or before a line with a key.
size_t value_end(std::string_view text) {
  for (size_t at = text.find('\''); at != text.npos; at = text.find('\'', at + 1)) {
    const auto rest = text.substr(at + 1);
    if (rest.empty() || rest == "\n") return at;
    if (rest.starts_with('\n') && !key_at(rest.substr(1)).empty()) return at;
  }
  return text.npos;
}

} // namespace

bool is_stack_event(std::string_view text) { return text.starts_with("StackId='"); }

Result<nlohmann::json> parse_stack_event(std::string_view text) {
  const auto bad = [](std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); };
  nlohmann::json out = nlohmann::json::object();
  while (!text.empty()) {
    const auto key = key_at(text);
    if (key.empty()) return bad("a CloudFormation notification with a line that is not Key='Value'");
    text.remove_prefix(key.size() + 2);
    const size_t end = value_end(text);
    if (end == text.npos) return bad(fmt::format("a CloudFormation notification whose {} does not end", key));
    const bool fresh = out.emplace(std::string(key), std::string(text.substr(0, end))).second;
    if (!fresh) return bad(fmt::format("a CloudFormation notification with {} twice", key));
    text.remove_prefix(std::min(text.size(), end + 2)); // the ' and the line feed
  }
  return out;
}

bool is_end_of_stack(const nlohmann::json& event) {
  const auto status = text_at(event, "ResourceStatus");
  return text_at(event, "ResourceType") == "AWS::CloudFormation::Stack" &&
         text_at(event, "PhysicalResourceId") == text_at(event, "StackId") &&
         (status.ends_with("_COMPLETE") || status.ends_with("_FAILED"));
}

} // namespace verge::control
