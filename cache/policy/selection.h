// Which of a key's stored responses an origin's answer speaks of: several validators in one conditional request and the
// 304 that selects one of them (RFC 9111 sections 4.3.1, 4.3.3 and 4.3.4), and the answer to a HEAD (4.3.5). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "proxy/http/message.h"

namespace verge::policy {

// As many other variants of a key are offered to the origin at most: each costs octets in every such request.
inline constexpr size_t kMostOffered = 8;

// May this stored response, whose Vary fits another request, be offered for `request`? Only by a strong ETag: a weak
// one is often the same for every coding of a resource (a server that compresses behind its ETag), and then a 304 would
// answer a client with octets that it can't read. For the same reason what is coded is offered only to those who say
// that they accept the coding.
bool may_be_offered(const http::RequestHead& request, const http::Headers& stored);

// Puts our conditions in place of the client's: If-None-Match with the ETags of `selected` (null: none fits the
// request) and of `others`, no double; If-Modified-Since with the Last-Modified of `selected` alone, for a date says
// nothing about another variant. False: there is no validator; nothing was changed but the client's conditions removed.
bool set_conditions(http::Headers& request, const http::Headers* selected,
                    std::span<const http::Headers* const> others);

// Which of the responses that were offered does the 304 freshen? -1: `selected`; n: others[n]; none: it speaks of
// something that we don't have, or doesn't say of which: ask again without condition.
std::optional<int> selected_by(const http::Headers& not_modified, const http::Headers* selected,
                               std::span<const http::Headers* const> others);

// What the answer to a HEAD tells of the stored response to a GET that could have been chosen for it.
enum class HeadSays : uint8_t {
  nothing, // no 200
  same,    // every validator it names is ours, and so is Content-Length if it names one: update the stored fields
  other,   // something differs: the stored response counts as stale
};
HeadSays head_says(const http::Headers& stored, std::optional<uint64_t> stored_length, int status,
                   const http::Headers& answer, std::optional<uint64_t> content_length) noexcept;

} // namespace verge::policy
