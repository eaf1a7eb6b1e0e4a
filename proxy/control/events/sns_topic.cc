#include "proxy/control/events/sns_topic.h"

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

// Regions whose messages are signed under another name than "sns." and the partition's suffix.
struct Signer {
  std::string_view region, name;
};
constexpr std::array<Signer, 27> kSigners = {{
    {"af-south-1", "sns-signing.af-south-1.amazonaws.com"},
    {"ap-east-1", "sns-signing.ap-east-1.amazonaws.com"},
    {"ap-east-2", "sns-signing.ap-east-2.amazonaws.com"},
    {"ap-south-2", "sns-signing.ap-south-2.amazonaws.com"},
    {"ap-southeast-3", "sns-signing.ap-southeast-3.amazonaws.com"},
    {"ap-southeast-4", "sns-signing.ap-southeast-4.amazonaws.com"},
    {"ap-southeast-5", "sns-signing.ap-southeast-5.amazonaws.com"},
    {"ap-southeast-6", "sns-signing.ap-southeast-6.amazonaws.com"},
    {"ap-southeast-7", "sns-signing.ap-southeast-7.amazonaws.com"},
    {"ca-west-1", "sns-signing.ca-west-1.amazonaws.com"},
    {"eu-central-2", "sns-signing.eu-central-2.amazonaws.com"},
    {"eu-south-1", "sns-signing.eu-south-1.amazonaws.com"},
    {"eu-south-2", "sns-signing.eu-south-2.amazonaws.com"},
    {"il-central-1", "sns-signing.il-central-1.amazonaws.com"},
    {"me-central-1", "sns-signing.me-central-1.amazonaws.com"},
    {"me-south-1", "sns-signing.me-south-1.amazonaws.com"},
    {"mx-central-1", "sns-signing.mx-central-1.amazonaws.com"},
    {"cn-north-1", "sns-cn-north-1.amazonaws.com.cn"},
    {"cn-northwest-1", "sns-cn-northwest-1.amazonaws.com.cn"},
    {"us-gov-east-1", "sns-us-gov-west-1.amazonaws.com"}, // signed for by its sister
    {"us-gov-west-1", "sns-us-gov-west-1.amazonaws.com"},
    {"eusc-de-east-1", "sns-signing.eusc-de-east-1.amazonaws.eu"},
    {"us-iso-east-1", "sns-us-iso-east-1.c2s.ic.gov"},
    {"us-isob-east-1", "sns-us-isob-east-1.sc2s.sgov.gov"},
    {"us-isof-east-1", "sns-signing.us-isof-east-1.csp.hci.ic.gov"},
    {"us-isof-south-1", "sns-signing.us-isof-south-1.csp.hci.ic.gov"},
    {"eu-isoe-west-1", "sns-signing.eu-isoe-west-1.cloud.adc-e.uk"},
}};

constexpr size_t kNameOctets = 256;

bool all_of(std::string_view s, bool (*ok)(char)) { return !s.empty() && std::all_of(s.begin(), s.end(), ok); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}
// Words of letters and a number at the end: "eu-west-1", "us-gov-east-1". Nothing else:
// "sns.s3-us-west-2.amazonaws.com" would be a bucket of whoever took the name "sns" first.
bool is_region(std::string_view s) {
  int words = 0;
  for (size_t dash = s.find('-'); dash != std::string_view::npos; dash = s.find('-')) {
    if (!all_of(s.substr(0, dash), is_lower)) return false;
    ++words;
    s.remove_prefix(dash + 1);
  }
  return words >= 2 && all_of(s, is_digit);
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
  if (parts[0] != "arn" || parts[2] != "sns" || !is_region(parts[3]) || parts[4].size() != 12 ||
      !all_of(parts[4], is_digit) || parts[5].size() > kNameOctets || !all_of(parts[5], is_name_char)) {
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
  for (const auto& signer : kSigners) {
    if (signer.region == topic.region && signer.name.ends_with(suffix)) return {std::string(signer.name)};
  }
  // A region younger than this table signs under one of these; both are Amazon's alone.
  return {fmt::format("sns.{}", suffix), fmt::format("sns-signing.{}.{}", topic.region, suffix)};
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
