// admit: what becomes of an origin's response head. Pure.
#pragma once

#include <memory>

#include "cache/entry/stored_head.h"
#include "cache/policy/partial.h"
#include "cache/policy/storing.h"
#include "proxy/http/message.h"
#include "proxy/pipeline/snapshot.h"

namespace verge::pipeline {

struct Admission {
  policy::StoreVerdict verdict = policy::StoreVerdict::store;
  std::shared_ptr<cache::StoredHead> head;
  http::Headers first_only; // for the one who asked, not for the store: private="set-cookie"
};

// `seq`: the invalidation sequence when the Fetch was sent. `key` empty: must not be stored. What may be stored is
// copied out of `response`, anything else is moved.
Admission admit(const http::RequestHead& request, http::ResponseHead&& response, const std::string& key, uint64_t seq,
                WallTime request_time, WallTime response_time, const policy::Rules& rules);

// The same for a 206 that may be kept: `holds` says which octets the Entry will have; none: an ordinary response. A
// part is filed under the key and `suffix`, all of the body as the 200 it is. What may not be stored is passed as it
// came.
Admission admit_ranged(const http::RequestHead& request, http::ResponseHead&& response,
                       const std::optional<policy::ContentRange>& holds, std::string_view suffix,
                       const std::string& key, uint64_t seq, WallTime request_time, WallTime response_time,
                       const policy::Rules& rules);

// The head of a stored response after a 304 (RFC 9111 section 4.3.4).
std::shared_ptr<cache::StoredHead> freshen(const cache::StoredHead& stored, const http::ResponseHead& not_modified,
                                           uint64_t seq, WallTime request_time, WallTime response_time,
                                           const policy::Rules& rules);

} // namespace verge::pipeline
