#include "proxy/control/sns_message.h"

#include <fmt/core.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

namespace verge::control {
namespace {

using nlohmann::json;

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

// Takes one member that must be there and be a string.
Result<> take(const json& object, const char* name, std::string& into) {
  const auto it = object.find(name);
  if (it == object.end()) return bad(fmt::format("{} is missing", name));
  if (!it->is_string()) return bad(fmt::format("{} is not a string", name));
  into = it->get<std::string>();
  return {};
}

std::optional<int> digits(std::string_view s) noexcept {
  int n = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

} // namespace

Result<SnsMessage> parse_sns_message(std::string_view text) {
  std::set<std::string> seen;
  bool twice = false;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) twice |= !seen.insert(parsed.get<std::string>()).second;
    return true;
  };
  const auto object = json::parse(text, watch, false);
  if (object.is_discarded() || !object.is_object()) return bad("the body is not a JSON object");
  if (twice) return bad("a member stands twice");

  SnsMessage m;
  using Member = std::pair<const char*, std::string*>;
  for (const auto& [name, into] : {Member{"Type", &m.type_text}, Member{"MessageId", &m.message_id},
                                   Member{"TopicArn", &m.topic_arn}, Member{"Message", &m.message},
                                   Member{"Timestamp", &m.timestamp}, Member{"SignatureVersion", &m.signature_version},
                                   Member{"Signature", &m.signature}, Member{"SigningCertURL", &m.signing_cert_url}}) {
    if (auto taken = take(object, name, *into); !taken) return std::unexpected(std::move(taken.error()));
  }
  if (m.type_text == "Notification") {
    m.type = SnsType::notification;
  } else if (m.type_text == "SubscriptionConfirmation") {
    m.type = SnsType::subscription_confirmation;
  } else if (m.type_text == "UnsubscribeConfirmation") {
    m.type = SnsType::unsubscribe_confirmation;
  } else {
    return bad(fmt::format("unknown Type \"{}\"", m.type_text));
  }
  if (m.type == SnsType::notification) {
    const auto it = object.find("Subject");
    if (it != object.end() && !it->is_null()) {
      if (!it->is_string()) return bad("Subject is not a string");
      m.subject = it->get<std::string>();
    }
  } else {
    if (auto taken = take(object, "Token", m.token); !taken) return std::unexpected(std::move(taken.error()));
    if (auto taken = take(object, "SubscribeURL", m.subscribe_url); !taken) {
      return std::unexpected(std::move(taken.error()));
    }
  }
  return m;
}

std::string string_to_sign(const SnsMessage& m) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append("\n").append(value).append("\n");
  };
  add("Message", m.message);
  add("MessageId", m.message_id);
  if (m.type == SnsType::notification) {
    if (m.subject) add("Subject", *m.subject);
  } else {
    add("SubscribeURL", m.subscribe_url);
  }
  add("Timestamp", m.timestamp);
  if (m.type != SnsType::notification) add("Token", m.token);
  add("TopicArn", m.topic_arn);
  add("Type", m.type_text);
  return out;
}

std::optional<WallTime> parse_timestamp(std::string_view t) noexcept {
  // YYYY-MM-DDThh:mm:ss[.mmm]Z
  if (t.size() != 24 && t.size() != 20) return std::nullopt;
  if (t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' || t.back() != 'Z')
    return std::nullopt;
  const auto year = digits(t.substr(0, 4)), month = digits(t.substr(5, 2)), day = digits(t.substr(8, 2));
  const auto hour = digits(t.substr(11, 2)), minute = digits(t.substr(14, 2)), second = digits(t.substr(17, 2));
  std::optional<int> millis = 0;
  if (t.size() == 24) {
    if (t[19] != '.') return std::nullopt;
    millis = digits(t.substr(20, 3));
  }
  if (!year || !month || !day || !hour || !minute || !second || !millis) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         Seconds(*second) + Millis(*millis);
}

} // namespace verge::control
