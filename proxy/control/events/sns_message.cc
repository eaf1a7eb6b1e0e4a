#include "proxy/control/events/sns_message.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

namespace verge::control {
namespace {

using nlohmann::json;

constexpr int kDeepest = 8;              // MessageAttributes need three
constexpr size_t kMostMembers = 32;      // SNS writes at most eleven
constexpr size_t kMessageIdOctets = 128; // SNS writes 36; it becomes part of a key on disk

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

// Takes the top-level members of one object, and of all else only its nesting: nobody has proved yet who sent this, so
// it must not cost more memory than its own length.
class Members final : public nlohmann::json_sax<json> {
 public:
  struct Value {
    enum class Kind : uint8_t { string, null, other };
    Kind kind = Kind::other;
    std::string text; // of a string
  };
  std::map<std::string, Value, std::less<>> found;
  std::string fault; // empty: none

  bool null() override { return scalar(Value::Kind::null); }
  bool boolean(bool) override { return scalar(Value::Kind::other); }
  bool number_integer(number_integer_t) override { return scalar(Value::Kind::other); }
  bool number_unsigned(number_unsigned_t) override { return scalar(Value::Kind::other); }
  bool number_float(number_float_t, const string_t&) override { return scalar(Value::Kind::other); }
  bool binary(binary_t&) override { return scalar(Value::Kind::other); }
  bool string(string_t& text) override {
    if (depth_ == 1) member_->second.text = std::move(text);
    return scalar(Value::Kind::string);
  }
  bool start_object(size_t) override { return enter(true); }
  bool start_array(size_t) override { return enter(false); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    if (found.size() == kMostMembers) return stop(fmt::format("more than {} members", kMostMembers));
    const auto [it, fresh] = found.try_emplace(std::move(name));
    if (!fresh) return stop("a member stands twice");
    member_ = it;
    return true;
  }
  bool parse_error(size_t octet, const std::string&, const json::exception&) override {
    return stop(fmt::format("not JSON at octet {}", octet));
  }

 private:
  bool stop(std::string why) {
    if (fault.empty()) fault = std::move(why);
    return false;
  }
  bool scalar(Value::Kind kind) {
    if (depth_ == 0) return stop("not a JSON object");
    if (depth_ == 1) member_->second.kind = kind;
    return true;
  }
  bool enter(bool object) {
    if (depth_ == 0 && !object) return stop("not a JSON object");
    if (depth_ == kDeepest) return stop(fmt::format("nested deeper than {}", kDeepest));
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
  int depth_ = 0;
  decltype(found)::iterator member_; // the one being read, while depth_ >= 1 and a key was seen
};

// Takes one member that must be there and be a string. Without those of the signature the message is merely unsigned.
Result<> take(Members& from, std::string_view name, std::string& into) {
  const auto it = from.found.find(name);
  if (it == from.found.end()) {
    const bool unsigned_message = name.starts_with("Sign");
    return fail(unsigned_message ? Errc::refused : Errc::bad_input, fmt::format("{} is missing", name), Side::client);
  }
  if (it->second.kind != Members::Value::Kind::string) return bad(fmt::format("{} is not a string", name));
  into = std::move(it->second.text);
  return {};
}

std::optional<SnsType> type_from(std::string_view text) noexcept {
  if (text == "Notification") return SnsType::notification;
  if (text == "SubscriptionConfirmation") return SnsType::subscription_confirmation;
  if (text == "UnsubscribeConfirmation") return SnsType::unsubscribe_confirmation;
  return std::nullopt;
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
  Members members;
  if (!json::sax_parse(text, &members)) return bad("the body is refused: " + members.fault);

  SnsMessage m;
  using Member = std::pair<std::string_view, std::string*>;
  for (const auto& [name, into] : {Member{"Type", &m.type_text}, Member{"MessageId", &m.message_id},
                                   Member{"TopicArn", &m.topic_arn}, Member{"Message", &m.message},
                                   Member{"Timestamp", &m.timestamp}, Member{"SignatureVersion", &m.signature_version},
                                   Member{"Signature", &m.signature}, Member{"SigningCertURL", &m.signing_cert_url}}) {
    if (auto taken = take(members, name, *into); !taken) return std::unexpected(std::move(taken.error()));
  }
  const auto type = type_from(m.type_text);
  if (!type) return bad(fmt::format("unknown Type \"{}\"", m.type_text.substr(0, 40)));
  m.type = *type;
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (m.message_id.empty() || m.message_id.size() > kMessageIdOctets || !std::ranges::all_of(m.message_id, visible)) {
    return bad(fmt::format("MessageId is not 1 to {} visible ASCII characters", kMessageIdOctets));
  }
  if (m.type != SnsType::notification) {
    for (const auto& [name, into] : {Member{"Token", &m.token}, Member{"SubscribeURL", &m.subscribe_url}}) {
      if (auto taken = take(members, name, *into); !taken) return std::unexpected(std::move(taken.error()));
    }
  } else if (const auto it = members.found.find("Subject");
             it != members.found.end() && it->second.kind != Members::Value::Kind::null) {
    if (auto taken = take(members, "Subject", m.subject.emplace()); !taken) {
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
