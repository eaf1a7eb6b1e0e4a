// What S3 says has changed, in either form it says so: event records (S3 itself, Ceph's gateway, MinIO) and EventBridge
// events. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace verge::control {

// One object that was written or removed.
struct S3Change {
  std::string bucket; // empty: the record doesn't say
  std::string key;    // as the object is named, nothing encoded
  // Hexadecimal digits, in lower case; orders the changes of one key. Empty: none was given.
  std::string sequencer;
};

struct S3Changes {
  std::vector<S3Change> changes;
  std::string others; // which service's records were passed over; empty: none
};

// {"Records": [...]}. Records of events that change no content (ACL, tags, restore) are passed over, and those of other
// services. Error bad_input: Records is no list, or an S3 record has no key.
Result<S3Changes> s3_record_changes(const nlohmann::json& event);

// Is it an EventBridge event of S3's?
bool is_s3_event(const nlohmann::json& event);
// Its one change, or none where it changes no content. Error bad_input: it has no bucket or key.
Result<S3Changes> s3_event_changes(const nlohmann::json& event);

// Did `a` happen before `b`? Both of one key. The shorter counts as filled up with zeros.
bool is_earlier(std::string_view a, std::string_view b);

} // namespace verge::control
