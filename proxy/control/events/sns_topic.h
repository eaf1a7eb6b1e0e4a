// What a topic's ARN says about where its messages come from. Nothing in a message is fetched as given: hosts are built
// from the region of a topic that the operator listed. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace verge::control {

struct Topic {
  std::string partition; // "aws"
  std::string region;    // "eu-west-1"
  std::string account;
  std::string name;
};

// "arn:aws:sns:eu-west-1:123456789012:deploys" taken apart. Error bad_input: not the ARN of an SNS topic, or a
// partition that is not known.
Result<Topic> parse_topic_arn(std::string_view arn);

// "sns.eu-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn": the one host that speaks for the topic.
std::string sns_host(const Topic& topic);

// Names of which the signing certificate must carry one.
std::vector<std::string> signing_certificate_names(const Topic& topic);

// The path of a SigningCertURL that is to the letter what SNS of that region gives out: https, that host, no port,
// user, query or fragment, "/SimpleNotificationService-" and 32 hex digits and ".pem". `origin` not empty
// ("https://h:1234", for tests): must be the URL's beginning in place of scheme and host. Error refused says which rule
// it breaks.
Result<std::string> signing_certificate_path(std::string_view url, const Topic& topic, std::string_view origin);

} // namespace verge::control
