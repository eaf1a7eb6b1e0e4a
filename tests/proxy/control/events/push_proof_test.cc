#include "proxy/control/events/push_proof.h"

#include <gtest/gtest.h>

namespace verge::control {
namespace {

bool may(const config::Push& options, const std::vector<std::pair<std::string, std::string>>& fields) {
  http::Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return may_push(options, headers);
}

config::Push with_user() {
  config::Push out;
  out.user = "sns";
  out.password = "open sesame"; // c25zOm9wZW4gc2VzYW1l
  return out;
}

TEST(PushProof, IsTheUserAndPassword) {
  EXPECT_TRUE(may(with_user(), {{"authorization", "Basic c25zOm9wZW4gc2VzYW1l"}}));
  EXPECT_TRUE(may(with_user(), {{"authorization", "basic c25zOm9wZW4gc2VzYW1l"}}));
  for (const char* wrong : {"", "Basic", "Basic ", "Basic c25zOm9wZW4gc2VzYW1", "Basic c25zOm9wZW4gc2VzYW1m",
                            "Bearer c25zOm9wZW4gc2VzYW1l", "c25zOm9wZW4gc2VzYW1l"}) {
    EXPECT_FALSE(may(with_user(), {{"authorization", wrong}})) << wrong;
  }
  EXPECT_FALSE(may(with_user(), {}));
  EXPECT_FALSE(may(with_user(),
                   {{"authorization", "Basic c25zOm9wZW4gc2VzYW1l"}, {"authorization", "Basic c25zOm9wZW4gc2VzYW1l"}}));
}

TEST(PushProof, IsTheKey) {
  config::Push options;
  options.key = "k1";
  EXPECT_TRUE(may(options, {{"x-api-key", "k1"}}));
  EXPECT_FALSE(may(options, {{"x-api-key", "k2"}}));
  EXPECT_FALSE(may(options, {{"x-api-key", ""}}));
  EXPECT_FALSE(may(options, {}));
  options.key_field = "X-Deploy-Key";
  EXPECT_TRUE(may(options, {{"x-deploy-key", "k1"}}));
  EXPECT_FALSE(may(options, {{"x-api-key", "k1"}}));
}

TEST(PushProof, IsEitherWhereBothAreConfigured) {
  auto options = with_user();
  options.key = "k1";
  EXPECT_TRUE(may(options, {{"x-api-key", "k1"}}));
  EXPECT_TRUE(may(options, {{"authorization", "Basic c25zOm9wZW4gc2VzYW1l"}, {"x-api-key", "no"}}));
  EXPECT_FALSE(may(options, {{"x-api-key", "no"}}));
}

TEST(PushProof, IsThePathWhereNothingElseIsConfigured) { EXPECT_TRUE(may({}, {})); }

} // namespace
} // namespace verge::control
