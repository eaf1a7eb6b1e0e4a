// What the text of a notification asks for: our own purge message, or S3 event records. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"

namespace verge::control {

// None: nothing to purge (a test event, an event that changes nothing, a text of another kind); `reason` says which.
struct Interpreted {
  std::optional<cache::Invalidation> command;
  std::string reason;
};

// An S3 record purges its object's path in the spellings that clients use, with any query; "index.html" its directory
// too. `s3_prefix`: object keys below it become URL paths without it; others are not served here. Error bad_input: it
// is a purge message or an S3 event, but malformed.
Result<Interpreted> interpret_notification(std::string_view text, std::string_view s3_prefix);

} // namespace verge::control
