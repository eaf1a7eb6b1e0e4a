// What a queue's message holds: an event as it was published (raw message delivery, or EventBridge and S3 that send to
// the queue themselves), or SNS's envelope around it. Pure. Who may put messages into the queue is its policy's matter,
// so an envelope's signature plays no part.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace verge::control {

struct SqsBody {
  std::string text;  // the event
  std::string topic; // of the envelope; empty: there was none
  std::string id;    // the envelope's MessageId, the same whatever way it comes
};

// `topics` not empty: only messages in the envelope of one of them. Errors: bad_input: an envelope, but malformed;
// refused: not from a listed topic.
Result<SqsBody> parse_sqs_body(std::string_view body, const std::vector<std::string>& topics);

} // namespace verge::control
