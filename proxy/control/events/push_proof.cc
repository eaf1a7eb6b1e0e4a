#include "proxy/control/events/push_proof.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <string>

#include "origin/aws/encoding.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_basic(std::string_view field, const config::Push& options) {
  constexpr std::string_view kScheme = "Basic ";
  if (!http::iequals(field.substr(0, kScheme.size()), kScheme)) return false;
  return same(field.substr(kScheme.size()), origin::aws::base64_encode(options.user + ":" + options.password));
}

// Fields are held by lower-case names; the operator may write it as people do.
std::string held_name(std::string name) {
  std::ranges::transform(name, name.begin(), http::lower);
  return name;
}

} // namespace

bool may_push(const config::Push& options, const http::Headers& fields) {
  const bool basic = !options.user.empty(), key = !options.key.empty();
  if (basic && is_basic(fields.joined("authorization"), options)) return true;
  if (key && same(fields.joined(held_name(options.key_field)), options.key)) return true;
  return !basic && !key;
}

} // namespace verge::control
