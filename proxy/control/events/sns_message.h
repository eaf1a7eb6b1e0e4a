// An SNS message as it is posted: taken apart, and the text its signature covers. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::control {

enum class SnsType : uint8_t { notification, subscription_confirmation, unsubscribe_confirmation };

struct SnsMessage {
  SnsType type = SnsType::notification;
  std::string type_text; // as in the body
  std::string message_id, topic_arn, message, timestamp, signature_version, signature, signing_cert_url;
  std::optional<std::string> subject;
  std::string token, subscribe_url; // of the two confirmations
};

// Error bad_input: not one JSON object and nothing behind it, a member twice, a member that is no string, a member
// missing, an unknown Type, a MessageId that is none, more members or deeper nesting than SNS ever writes. Members that
// are not signed are passed over, MessageAttributes among them. Costs no more memory than `json` is long, since nobody
// has proved yet who sent it. Error refused: only what signs it is missing.
Result<SnsMessage> parse_sns_message(std::string_view json);

// "Name\nValue\n" of the signed members in byte order of their names; the Timestamp as it was written.
std::string string_to_sign(const SnsMessage& m);

// "2026-11-21T04:00:00.123Z"; none: not of this form.
std::optional<WallTime> parse_timestamp(std::string_view text) noexcept;

} // namespace verge::control
