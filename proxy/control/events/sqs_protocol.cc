#include "proxy/control/events/sqs_protocol.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "proxy/control/json_text.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr size_t kShown = 200; // octets of what SQS said

std::string batch(std::string_view queue, const std::vector<std::string>& receipts, const json& more) {
  auto entries = json::array();
  for (size_t i = 0; i < receipts.size(); ++i) {
    json entry = {{"Id", fmt::format("{}", i)}, {"ReceiptHandle", receipts[i]}};
    entry.update(more);
    entries.push_back(std::move(entry));
  }
  return json{{"QueueUrl", queue}, {"Entries", std::move(entries)}}.dump();
}

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::origin); }

} // namespace

std::string sqs_receive(std::string_view queue, Seconds wait, Seconds visibility) {
  return json{{"QueueUrl", queue},
              {"MaxNumberOfMessages", kSqsBatch},
              {"WaitTimeSeconds", wait.count()},
              {"VisibilityTimeout", visibility.count()}}
      .dump();
}

std::string sqs_delete(std::string_view queue, const std::vector<std::string>& receipts) {
  return batch(queue, receipts, json::object());
}

std::string sqs_extend(std::string_view queue, const std::vector<std::string>& receipts, Seconds visibility) {
  return batch(queue, receipts, {{"VisibilityTimeout", visibility.count()}});
}

Result<std::vector<SqsMessage>> parse_sqs_messages(std::string_view answer) {
  const auto object = json::parse(answer, nullptr, false);
  if (!object.is_object()) return bad("SQS answered ReceiveMessage with what is no JSON object");
  std::vector<SqsMessage> out;
  const json& messages = member_of(object, "Messages");
  if (messages.is_null()) return out; // none within the wait
  if (!messages.is_array()) return bad("SQS answered ReceiveMessage with Messages that are no list");
  for (const auto& message : messages) {
    SqsMessage one{std::string(text_at(message, "MessageId")), std::string(text_at(message, "ReceiptHandle")),
                   std::string(text_at(message, "Body"))};
    if (one.id.empty() || one.receipt.empty()) return bad("SQS gave out a message without MessageId or ReceiptHandle");
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<SqsFailure>> parse_sqs_batch(std::string_view answer) {
  const auto object = json::parse(answer, nullptr, false);
  if (!object.is_object()) return bad("SQS answered a batch with what is no JSON object");
  std::vector<SqsFailure> out;
  for (const auto& entry : member_of(object, "Failed")) {
    const auto id = text_at(entry, "Id");
    SqsFailure failure;
    const auto [end, code] = std::from_chars(id.data(), id.data() + id.size(), failure.index);
    if (id.empty() || code != std::errc{} || end != id.data() + id.size() || failure.index >= kSqsBatch) {
      return bad("SQS answered a batch with an Id that was not asked for");
    }
    failure.code = text_at(entry, "Code").substr(0, kShown);
    out.push_back(std::move(failure));
  }
  return out;
}

SqsFault parse_sqs_fault(int status, std::string_view answer) {
  const auto object = json::parse(answer, nullptr, false);
  auto code = text_at(object, "__type");
  if (const auto hash = code.rfind('#'); hash != code.npos) code.remove_prefix(hash + 1);
  auto message = text_at(object, "message");
  if (message.empty()) message = text_at(object, "Message");
  SqsFault out;
  out.what = fmt::format("status {} {}: {}", status, code.substr(0, kShown), message.substr(0, kShown));
  out.throttled = status == 429 || status == 503 || code.find("Throttl") != code.npos ||
                  code.find("OverLimit") != code.npos || code.find("TooManyRequests") != code.npos;
  return out;
}

std::string_view name_of_queue(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  return url.substr(std::min(url.find('/'), url.size()));
}

PollTimes poll_times(Millis bound) noexcept {
  const auto whole = std::chrono::floor<Seconds>(bound);
  return {std::clamp(whole / 6, Seconds(1), Seconds(20)), std::clamp(whole / 4, Seconds(3), Seconds(15))};
}

Millis sqs_pause(unsigned failures, double chance) {
  constexpr double kFirst = 500, kLongest = 30'000;
  double whole = kFirst;
  for (unsigned i = 1; i < failures && whole < kLongest; ++i) whole *= 2;
  whole = std::min(whole, kLongest);
  return Millis(static_cast<int64_t>(whole / 2 * (1 + std::clamp(chance, 0.0, 1.0))));
}

} // namespace verge::control
