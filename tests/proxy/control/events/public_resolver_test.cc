#include "proxy/control/events/public_resolver.h"

#include <gmock/gmock.h>

#include "tests/proxy/net/wire.h"

namespace verge::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PublicAddress, IsOneThatTheInternetReaches) {
  for (const char* text :
       {"1.1.1.1", "54.239.28.85", "172.15.255.255", "172.32.0.0", "11.0.0.0", "100.128.0.0", "169.253.0.1",
        "192.167.0.1", "2600:1f18::1", "2a05:d018::1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"}) {
    EXPECT_TRUE(is_public_address(text)) << text;
  }
}

TEST(PublicAddress, IsNoPrivateLocalSharedOrReservedOneInAnyForm) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.1.1.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "fe80::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "ff02::1",
                           "fec0::1",
                           "2001:db8::1",
                           "2001::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::a9fe:a9fe",
                           "2002:7f00:1::1",
                           "",
                           "localhost",
                           "0x7f000001",
                           "2130706433",
                           "127.1"}) {
    EXPECT_FALSE(is_public_address(text)) << text;
  }
}

struct PublicResolverTest : testing::Test {
  Result<std::vector<std::string>> ask(Result<std::vector<std::string>> answer) {
    const auto all = net::Resolver::create(clock, Seconds(30), 1, [answer](const std::string&) { return answer; });
    PublicResolver resolver(*all);
    std::optional<Result<std::vector<std::string>>> got;
    resolver.resolve("sns.eu-west-1.amazonaws.com", *loop, [&](auto found) { got = std::move(found); });
    EXPECT_FALSE(got) << "answered inside the call";
    EXPECT_TRUE(net::run_until(*loop, [&] { return got.has_value(); }));
    return *got;
  }
  SystemClock clock;
  std::unique_ptr<net::EventLoop> loop = net::make_loop(clock);
};

TEST_F(PublicResolverTest, LeavesOutWhatIsNotPublic) {
  EXPECT_THAT(ask(std::vector<std::string>{"10.0.0.1", "1.1.1.1", "::1", "2600::1"}).value(),
              ElementsAre("1.1.1.1", "2600::1"));
}

TEST_F(PublicResolverTest, RefusesANameWithoutAPublicAddressAndSaysHowToAllowIt) {
  const auto got = ask(std::vector<std::string>{"169.254.169.254", "127.0.0.1"});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::refused);
  EXPECT_EQ(got.error().side, Side::origin);
  EXPECT_THAT(got.error().what, HasSubstr("sns.eu-west-1.amazonaws.com resolves to 169.254.169.254"));
  EXPECT_THAT(got.error().what, HasSubstr("set invalidation.sns.certificate_origin"));
}

TEST_F(PublicResolverTest, PassesFailuresOn) {
  const auto got = ask(fail(Errc::not_found, "no such name", Side::origin, Retry::safe));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::not_found);
}

} // namespace
} // namespace verge::control
