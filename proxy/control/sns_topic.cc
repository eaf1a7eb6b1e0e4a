#include "proxy/control/sns_topic.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace verge::control {
namespace {

struct Partition {
  std::string_view name, suffix;
};
constexpr std::array<Partition, 8> kPartitions = {{
    {"aws", "amazonaws.com"},
    {"aws-cn", "amazonaws.com.cn"},
    {"aws-us-gov", "amazonaws.com"},
    {"aws-eusc", "amazonaws.eu"},
    {"aws-iso", "c2s.ic.gov"},
    {"aws-iso-b", "sc2s.sgov.gov"},
    {"aws-iso-e", "cloud.adc-e.uk"},
    {"aws-iso-f", "csp.hci.ic.gov"},
}};

// Regions whose messages are signed under a name of their own.
constexpr std::array<std::string_view, 18> kOwnName = {
    "ap-east-1",      "ap-east-2",      "ap-south-2",   "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "me-south-1",   "me-central-1",   "eu-south-1",     "eu-south-2",
    "eu-central-2",   "af-south-1",     "il-central-1", "ca-west-1",      "mx-central-1",   "eusc-de-east-1"};

bool all_of(std::string_view s, bool (*ok)(char)) { return !s.empty() && std::all_of(s.begin(), s.end(), ok); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_region_char(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::string_view suffix_of(const Topic& topic) {
  const auto it = std::find_if(kPartitions.begin(), kPartitions.end(),
                               [&](const Partition& p) { return p.name == topic.partition; });
  return it == kPartitions.end() ? std::string_view{} : it->suffix;
}

} // namespace

Result<Topic> parse_topic_arn(std::string_view arn) {
  std::array<std::string_view, 6> parts;
  std::string_view rest = arn;
  for (size_t i = 0; i < 5; ++i) {
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      return fail(Errc::bad_input, fmt::format("\"{}\" is not a topic ARN (arn:aws:sns:REGION:ACCOUNT:NAME)", arn));
    }
    parts[i] = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  parts[5] = rest;
  if (parts[0] != "arn" || parts[2] != "sns" || !all_of(parts[3], is_region_char) || parts[4].size() != 12 ||
      !all_of(parts[4], is_digit) || !all_of(parts[5], is_name_char)) {
    return fail(Errc::bad_input, fmt::format("\"{}\" is not a topic ARN (arn:aws:sns:REGION:ACCOUNT:NAME)", arn));
  }
  Topic topic{std::string(parts[1]), std::string(parts[3]), std::string(parts[4]), std::string(parts[5])};
  if (suffix_of(topic).empty()) {
    return fail(Errc::bad_input, fmt::format("\"{}\": AWS partition \"{}\" is not known", arn, topic.partition));
  }
  return topic;
}

std::string sns_host(const Topic& topic) { return fmt::format("sns.{}.{}", topic.region, suffix_of(topic)); }

std::vector<std::string> signing_certificate_names(const Topic& topic) {
  const auto suffix = suffix_of(topic);
  if (topic.partition == "aws-cn") return {fmt::format("sns-{}.{}", topic.region, suffix)};
  if (topic.partition == "aws-us-gov") return {"sns-us-gov-west-1.amazonaws.com"};
  if (topic.partition == "aws-iso") return {fmt::format("sns-us-iso-east-1.{}", suffix)};
  if (topic.partition == "aws-iso-b") return {fmt::format("sns-us-isob-east-1.{}", suffix)};
  if (topic.partition == "aws-iso-e" || topic.partition == "aws-iso-f" ||
      std::find(kOwnName.begin(), kOwnName.end(), topic.region) != kOwnName.end()) {
    return {fmt::format("sns-signing.{}.{}", topic.region, suffix)};
  }
  return {fmt::format("sns.{}", suffix)};
}

Result<std::string> signing_certificate_path(std::string_view url, const Topic& topic, std::string_view origin) {
  const std::string expected = origin.empty() ? "https://" + sns_host(topic) : std::string(origin);
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::refused, fmt::format("SigningCertURL {} expected at {}", why, expected), Side::client);
  };
  if (!url.starts_with(expected)) return refuse("is elsewhere,");
  const std::string_view path = url.substr(expected.size());
  constexpr std::string_view kBegin = "/SimpleNotificationService-", kEnd = ".pem";
  constexpr size_t kHexDigits = 32;
  if (path.size() != kBegin.size() + kHexDigits + kEnd.size() || !path.starts_with(kBegin) || !path.ends_with(kEnd) ||
      !all_of(path.substr(kBegin.size(), kHexDigits), is_hex)) {
    return refuse("does not name a signing certificate,");
  }
  return std::string(path);
}

} // namespace verge::control
