#include "proxy/control/purge_request.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using cache::Target;
using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto made = parse_purge(text);
  if (!made) {
    EXPECT_EQ(made.error().code, Errc::bad_input);
  }
  return made ? "(none)" : made.error().what;
}

TEST(PurgeRequest, HostsScopePathsThatNameNone) {
  const auto made = parse_purge(R"({"paths": ["/a", "https://c.test/b"], "hosts": ["A.test", "b.test:8443"]})");
  ASSERT_TRUE(made.has_value()) << made.error().what;
  ASSERT_EQ(made->targets.size(), 3U);
  EXPECT_EQ(made->targets[0].host, "a.test");
  EXPECT_EQ(made->targets[1].host, "b.test");
  EXPECT_EQ(made->targets[1].value, "/a");
  EXPECT_EQ(made->targets[2].host, "c.test");
  EXPECT_EQ(made->targets[2].value, "/b");
}

TEST(PurgeRequest, HostsScopeAll) {
  const auto made = parse_purge(R"({"all": true, "hosts": ["a.test"]})");
  ASSERT_TRUE(made.has_value());
  ASSERT_EQ(made->targets.size(), 1U);
  EXPECT_EQ(made->targets[0].kind, Target::Kind::all);
  EXPECT_EQ(made->targets[0].host, "a.test");
}

TEST(PurgeRequest, AHostThatCanNeverMatchIsAnErrorAndNotAPurgeOfNothingOrOfEverything) {
  for (const char* host : {"", "*", "a/b", "a b", "https://a.test", "*.a.test", "a?b", "u@a.test"}) {
    EXPECT_THAT(error_of(std::string(R"({"all": true, "hosts": [")") + host + "\"]}"), HasSubstr("is not a host name"))
        << host;
  }
}

TEST(PurgeRequest, SaysWhatIsWrong) {
  EXPECT_THAT(error_of(R"({"path": ["/a"]})"), HasSubstr("unknown member \"path\"; known are paths"));
  EXPECT_THAT(error_of(R"({"paths": ["/a"], "paths": ["/b"]})"), HasSubstr("stands twice"));
  EXPECT_THAT(error_of("{}"), HasSubstr("nothing to purge"));
  EXPECT_THAT(error_of(""), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(R"({"paths": {}})"), HasSubstr("\"paths\" must be a list"));
  EXPECT_THAT(error_of(R"({"paths": [1]})"), HasSubstr("must hold strings only"));
  EXPECT_THAT(error_of(R"({"all": "yes"})"), HasSubstr("\"all\" must be true or false"));
  EXPECT_THAT(error_of(R"({"tags": [""]})"), HasSubstr("an empty tag"));
  EXPECT_THAT(error_of(R"({"tags": ["https://h group"]})"), HasSubstr("no response has it"));
  EXPECT_THAT(error_of(R"({"paths": ["img/a.png"]})"), HasSubstr("path \"img/a.png\""));
}

TEST(PurgeRequest, IsCountedBeforeItIsMultipliedOut) {
  std::string many = "[";
  for (int i = 0; i < 3'001; ++i) many += (i > 0 ? ",\"/a" : "\"/a") + std::to_string(i) + "\"";
  EXPECT_THAT(error_of("{\"paths\":" + many + "]}"), HasSubstr("more than the 3000 targets"));
  std::string hosts = "[";
  for (int i = 0; i < 3'000; ++i) hosts += (i > 0 ? ",\"h" : "\"h") + std::to_string(i) + ".test\"";
  EXPECT_EQ(error_of("{\"paths\":[\"/a\"],\"hosts\":" + hosts + "]}"), "(none)");
  EXPECT_THAT(error_of("{\"paths\":[\"/a\",\"/b\"],\"hosts\":" + hosts + "]}"),
              HasSubstr("more than the 3000 targets"));
}

const std::vector<std::vector<std::string>> kSites{{"www.example.com", "*.example.org"}, {"*"}};

TEST(AdminPurgeRequest, ASiteIsAllOfEachOfItsHosts) {
  const auto made = parse_admin_purge(R"({"sites": ["WWW.example.com"], "dry_run": true})", kSites);
  ASSERT_TRUE(made) << made.error().what;
  ASSERT_EQ(made->what.targets.size(), 2U);
  EXPECT_EQ(made->what.targets[0].host, "www.example.com");
  EXPECT_EQ(made->what.targets[1].host, "*.example.org");
  EXPECT_EQ(made->what.targets[1].kind, Target::Kind::all);
  EXPECT_TRUE(made->dry_run);
  EXPECT_EQ(parse_admin_purge(R"({"sites": ["*"]})", kSites)->what.targets[0].host, "") << "every host";
  const auto none = parse_admin_purge(R"({"sites": ["other.example"]})", kSites);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, HasSubstr("there is no site \"other.example\"; there are www.example.com, *"));
}

TEST(AdminPurgeRequest, AMessageHasNoneOfTheAdminsOwnMembers) {
  for (const char* member : {"sites", "dry_run"}) {
    EXPECT_THAT(error_of(R"({"all": true, ")" + std::string(member) + "\": true}"), HasSubstr("unknown member"));
  }
}

TEST(PurgeRequest, SaysWhetherWhatWasHotIsFetchedAgainOrNothingOfIt) {
  EXPECT_EQ(parse_purge(R"({"all": true, "refetch": true})")->refetch, true);
  EXPECT_EQ(parse_purge(R"({"all": true, "refetch": false})")->refetch, false);
  EXPECT_EQ(parse_purge(R"({"all": true})")->refetch, std::nullopt);
  EXPECT_THAT(error_of(R"({"all": true, "refetch": 1})"), HasSubstr("\"refetch\" must be true or false"));
}

} // namespace
} // namespace verge::control
