#include "proxy/pipeline/forward.h"

#include <array>
#include <string_view>

#include "cache/policy/validation.h"

namespace verge::pipeline {
namespace {

constexpr std::array<std::string_view, 14> kOverrides = {
    "x-forwarded-host",       "x-forwarded-proto",  "x-forwarded-scheme",
    "x-forwarded-port",       "x-forwarded-prefix", "x-forwarded-for",
    "x-forwarded-server",     "forwarded",          "x-host",
    "x-original-url",         "x-rewrite-url",      "x-original-host",
    "x-http-method-override", "x-method-override"};

} // namespace

http::Headers forwarded_headers(const http::RequestHead& request, bool storable) {
  http::Headers out = request.headers;
  for (const auto name : kOverrides) out.remove(name);
  out.remove("x-http-method");
  if (storable) policy::remove_conditions(out);
  return out;
}

} // namespace verge::pipeline
