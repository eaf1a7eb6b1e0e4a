#include "proxy/control/fleet/sns_publish.h"

#include <fmt/core.h>

#include "origin/aws/encoding.h"

namespace verge::control {
namespace {

constexpr size_t kShown = 300; // octets of what SNS said

// The text of the first such element; SNS writes no attributes on these. Empty: there is none.
std::string_view element(std::string_view xml, std::string_view name) {
  const auto open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const auto begin = xml.find(open);
  if (begin == xml.npos) return {};
  xml.remove_prefix(begin + open.size());
  const auto end = xml.find(close);
  return end == xml.npos ? std::string_view{} : xml.substr(0, end);
}

} // namespace

std::string publish_body(std::string_view topic, std::string_view message) {
  return fmt::format("Action=Publish&Version=2010-03-31&TopicArn={}&Message={}",
                     origin::aws::percent_encode(topic, false), origin::aws::percent_encode(message, false));
}

Result<std::string> parse_publish_answer(int status, std::string_view body) {
  const auto id = element(body, "MessageId");
  if (status == 200 && !id.empty() && id.size() <= 128) return std::string(id);
  const auto code = element(body, "Code").substr(0, kShown), message = element(body, "Message").substr(0, kShown);
  if (status == 200 || code.empty()) {
    return fail(
        Errc::bad_input,
        fmt::format("status {} without {}: not an answer of SNS", status, status == 200 ? "a MessageId" : "a code"),
        Side::origin, status >= 500 ? Retry::safe : Retry::never);
  }
  const bool again = status >= 500 || status == 429 || code.find("Throttl") != code.npos;
  return fail(again ? Errc::timeout : Errc::internal, fmt::format("status {} {}: {}", status, code, message),
              Side::origin, again ? Retry::safe : Retry::never);
}

} // namespace verge::control
