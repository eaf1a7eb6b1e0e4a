#include "proxy/control/events/sqs_body.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/control/events/sns_message.h"
#include "proxy/control/json_text.h"

namespace verge::control {

Result<SqsBody> parse_sqs_body(std::string_view body, const std::vector<std::string>& topics) {
  const auto object = nlohmann::json::parse(body, nullptr, false);
  const bool envelope = !text_at(object, "Type").empty() && !text_at(object, "TopicArn").empty();
  if (!envelope) {
    if (!topics.empty()) return fail(Errc::refused, "it has no envelope of a listed topic", Side::client);
    return SqsBody{std::string(body), {}, {}};
  }
  auto message = parse_sns_message(body);
  if (!message) {
    message.error().code = Errc::bad_input; // one without signature members is malformed here: SNS always writes them
    return std::unexpected(std::move(message.error()));
  }
  if (message->type != SnsType::notification) return fail(Errc::bad_input, "no notification", Side::client);
  if (!topics.empty() && std::ranges::find(topics, message->topic_arn) == topics.end()) {
    return fail(Errc::refused, fmt::format("topic {} is not listed", message->topic_arn.substr(0, 200)), Side::client);
  }
  return SqsBody{std::move(message->message), std::move(message->topic_arn), std::move(message->message_id)};
}

} // namespace verge::control
