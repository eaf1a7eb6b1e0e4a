// Reading JSON that others wrote: a member that is missing is null, a text that is none is empty.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace verge::control {

inline const nlohmann::json& member_of(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it != object.end() ? *it : kNull;
}

// Valid as long as `object`.
inline std::string_view text_at(const nlohmann::json& object, const char* name) {
  const auto& value = member_of(object, name);
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view{};
}

} // namespace verge::control
