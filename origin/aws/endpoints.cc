#include "origin/aws/endpoints.h"

#include <fmt/core.h>

namespace verge::origin::aws {

std::string_view dns_suffix(std::string_view region) noexcept {
  if (region.starts_with("cn-")) return "amazonaws.com.cn";
  if (region.starts_with("eusc-")) return "amazonaws.eu";
  if (region.starts_with("us-isob-")) return "sc2s.sgov.gov";
  if (region.starts_with("us-isof-")) return "csp.hci.ic.gov";
  if (region.starts_with("us-iso-")) return "c2s.ic.gov";
  if (region.starts_with("eu-isoe-")) return "cloud.adc-e.uk";
  return "amazonaws.com";
}

std::string service_host(std::string_view service, std::string_view region) {
  return fmt::format("{}.{}.{}", service, region, dns_suffix(region));
}

} // namespace verge::origin::aws
