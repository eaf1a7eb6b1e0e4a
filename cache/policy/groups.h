// Cache groups (RFC 9875): stored responses of one origin that an answer to an unsafe request can invalidate together.
// Inside they are tags of a form that no tag has, so that epochs, RAM and disk know nothing new. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

// Groups of a field beyond these are ignored; section 2 asks for 32 and 32 at least.
inline constexpr size_t kMaxGroups = 64;
inline constexpr size_t kMaxGroupOctets = 256;

// "https://www.example.com:8443" of a key text: groups never reach beyond scheme, host and port (section 2.1).
std::string_view origin_of_key(std::string_view key_text) noexcept;

// The groups that a field names, each as "<origin> <group>", without doubles: of Cache-Groups those a response belongs
// to, of Cache-Group-Invalidation those it invalidates. A group keeps its case. None when the field is no List of
// Strings: then it is as if it were not there.
std::vector<std::string> response_groups(const http::Headers& headers, std::string_view origin);
std::vector<std::string> invalidated_groups(const http::Headers& headers, std::string_view origin);

// Is this a group? Tags are visible ASCII; a group has a space behind its origin.
inline bool is_group(std::string_view tag) noexcept { return tag.find(' ') != std::string_view::npos; }

} // namespace verge::policy
