#include "proxy/control/events/event_match.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/glob.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

using config::EventPattern;
using config::EventTest;
using Kind = EventTest::Kind;
using nlohmann::json;

bool compares(Kind kind, std::string_view wanted, std::string_view value) {
  switch (kind) {
    case Kind::equals: return value == wanted;
    case Kind::equals_ignore_case: return http::iequals(value, wanted);
    case Kind::prefix: return value.starts_with(wanted);
    case Kind::suffix: return value.ends_with(wanted);
    case Kind::wildcard: return glob_match(wanted, value);
    case Kind::exists:
    case Kind::anything_but: break;
  }
  return false;
}

// A value that is no list. None: the event has no such field.
bool holds(const EventTest& test, const json* value) {
  if (test.kind == Kind::exists) return test.exists == (value != nullptr);
  if (value == nullptr || value->is_object()) return false;
  const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
  if (test.kind == Kind::anything_but) {
    return std::ranges::none_of(test.values, [&](const auto& v) { return compares(test.but, v, text); });
  }
  return std::ranges::any_of(test.values, [&](const auto& v) { return compares(test.kind, v, text); });
}

bool fits_value(const EventPattern& pattern, const json* value) {
  if (value != nullptr && value->is_array() && !value->empty()) {
    return std::ranges::any_of(*value, [&](const json& item) { return fits_value(pattern, &item); });
  }
  if (value != nullptr && value->is_array()) value = nullptr; // an empty list has no value
  if (pattern.fields.empty()) return std::ranges::any_of(pattern.any, [&](const auto& t) { return holds(t, value); });
  return std::ranges::all_of(pattern.fields, [&](const auto& field) {
    if (value == nullptr || !value->is_object()) return fits_value(field.second, nullptr);
    const auto it = value->find(field.first);
    return fits_value(field.second, it == value->end() ? nullptr : &*it);
  });
}

} // namespace

bool fits(const EventPattern& pattern, const json& event) { return event.is_object() && fits_value(pattern, &event); }

} // namespace verge::control
