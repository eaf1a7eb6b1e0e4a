// SQS in JSON: what its calls say and what their answers mean. Pure. Source: the SQS API reference, "AWS JSON
// protocol".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::control {

inline constexpr size_t kSqsBatch = 10; // messages a call may be about

struct SqsMessage {
  std::string id, receipt, body;
};

// One message of a batch that a call could not be done for.
struct SqsFailure {
  size_t index = 0; // into what was asked
  std::string code;
};

// Bodies of ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch. At most kSqsBatch receipts.
std::string sqs_receive(std::string_view queue, Seconds wait, Seconds visibility);
std::string sqs_delete(std::string_view queue, const std::vector<std::string>& receipts);
std::string sqs_extend(std::string_view queue, const std::vector<std::string>& receipts, Seconds visibility);

// Error bad_input (side origin): the answer is not SQS's.
Result<std::vector<SqsMessage>> parse_sqs_messages(std::string_view answer);
// Those that failed; all others are done.
Result<std::vector<SqsFailure>> parse_sqs_batch(std::string_view answer);

// What an answer that isn't 200 says: "QueueDoesNotExist: The specified queue does not exist". Not whole if it is long.
struct SqsFault {
  std::string what;
  bool throttled = false; // too much asked for: wait, nothing is wrong
};
SqsFault parse_sqs_fault(int status, std::string_view answer);

// What follows "://" and the host: "/123456789012/name". For people.
std::string_view name_of_queue(std::string_view url);

// How a queue is polled by a node that is to know within `bound` whether it has read all: how long a call waits for a
// message, and how long what was given out stays hidden.
struct PollTimes {
  Seconds wait, visibility;
  // After that whatever was given out to a call that nobody heard the end of is given out again.
  Millis hidden() const noexcept { return wait + visibility; }
};
PollTimes poll_times(Millis bound) noexcept;

// How long to wait after so many failures in a row: doubled each time from half a second to 30 s, then between half and
// all of it, so that nodes that failed together don't come back together. `chance` from 0 to 1.
Millis sqs_pause(unsigned failures, double chance);

} // namespace verge::control
