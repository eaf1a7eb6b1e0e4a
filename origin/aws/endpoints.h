// Where AWS services answer: host names by service, region and partition. Pure.
#pragma once

#include <string>
#include <string_view>

namespace verge::origin::aws {

// "amazonaws.com" for most regions, "amazonaws.com.cn" in China, "amazonaws.eu" in the European sovereign cloud, and
// the isolated partitions' own.
std::string_view dns_suffix(std::string_view region) noexcept;
// "lambda.eu-west-1.amazonaws.com"
std::string service_host(std::string_view service, std::string_view region);

} // namespace verge::origin::aws
