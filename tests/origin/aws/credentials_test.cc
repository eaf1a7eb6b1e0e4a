#include "origin/aws/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "origin/aws/credentials_file.h"
#include "tests/origin/support/temp_folder.h"

namespace verge::origin::aws {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr WallTime kNow{Millis(1'700'000'000'000)};

Environment of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

std::string id_of(const Result<std::unique_ptr<CredentialsProvider>>& provider, WallTime now = kNow) {
  if (!provider) return provider.error().what;
  const auto held = (*provider)->current(now);
  return held ? (*held)->access_key_id : held.error().what;
}

TEST(Credentials, OfTheConfigComeBeforeTheEnvironment) {
  const config::Credentials configured{
      .access_key_id = "C", .secret_access_key = "s", .session_token = "t", .profile = ""};
  const auto provider =
      make_credentials_provider(configured, of({{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "x"}}), kNow);
  EXPECT_EQ(id_of(provider), "C");
  EXPECT_EQ((*(*provider)->current(kNow))->session_token, "t");
}

TEST(Credentials, OfTheEnvironmentComeBeforeTheSharedFile) {
  const TempFolder folder;
  folder.write(".aws/credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=s\n");
  EXPECT_EQ(id_of(make_credentials_provider({}, of({{"HOME", folder.path()}}), kNow)), "F");
  EXPECT_EQ(id_of(make_credentials_provider(
                {}, of({{"HOME", folder.path()}, {"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}}), kNow)),
            "E");
}

TEST(Credentials, OfAProfileInTheConfigComeFromTheFileWhateverTheEnvironmentHolds) {
  const TempFolder folder;
  folder.write(
      "keys",
      "[default]\naws_access_key_id=F\naws_secret_access_key=s\n[p]\naws_access_key_id=P\naws_secret_access_key=s\n");
  config::Credentials configured;
  configured.profile = "p";
  EXPECT_EQ(id_of(make_credentials_provider(configured,
                                            of({{"AWS_SHARED_CREDENTIALS_FILE", folder.path("keys")},
                                                {"AWS_ACCESS_KEY_ID", "E"},
                                                {"AWS_SECRET_ACCESS_KEY", "s"}}),
                                            kNow)),
            "P");
}

TEST(Credentials, OfTheFileFollowAwsProfile) {
  const TempFolder folder;
  folder.write(
      "keys",
      "[default]\naws_access_key_id=F\naws_secret_access_key=s\n[p]\naws_access_key_id=P\naws_secret_access_key=s\n");
  const Environment environment = of({{"AWS_SHARED_CREDENTIALS_FILE", folder.path("keys")}, {"AWS_PROFILE", "p"}});
  EXPECT_EQ(id_of(make_credentials_provider({}, environment, kNow)), "P");
}

TEST(Credentials, HalfAPairIsAnErrorThatNamesTheOtherHalf) {
  const auto provider = make_credentials_provider({}, of({{"AWS_ACCESS_KEY_ID", "E"}}), kNow);
  ASSERT_FALSE(provider);
  EXPECT_THAT(provider.error().what, HasSubstr("not AWS_SECRET_ACCESS_KEY"));
  const config::Credentials configured{
      .access_key_id = "", .secret_access_key = "s", .session_token = "", .profile = ""};
  EXPECT_THAT(id_of(make_credentials_provider(configured, of({}), kNow)), HasSubstr("access_key_id is missing"));
}

TEST(Credentials, MissingEverywhereIsAnErrorThatNamesWhatWasLookedAt) {
  const TempFolder folder;
  const auto provider = make_credentials_provider({}, of({{"HOME", folder.path()}}), kNow);
  ASSERT_FALSE(provider);
  EXPECT_EQ(provider.error().code, Errc::config);
  EXPECT_THAT(provider.error().what, HasSubstr("the config has none"));
  EXPECT_THAT(provider.error().what, HasSubstr("AWS_ACCESS_KEY_ID is not set"));
  EXPECT_THAT(provider.error().what, HasSubstr(folder.path(".aws/credentials")));
}

TEST(Credentials, OfAFileThatChangedAreReadAgain) {
  const TempFolder folder;
  folder.write("keys", "[default]\naws_access_key_id=OLD\naws_secret_access_key=s\n");
  const auto provider = make_credentials_provider({}, of({{"AWS_SHARED_CREDENTIALS_FILE", folder.path("keys")}}), kNow);
  EXPECT_EQ(id_of(provider), "OLD");
  folder.write("keys", "[default]\naws_access_key_id=NEWER\naws_secret_access_key=s\n");
  EXPECT_EQ(id_of(provider, kNow + 1s), "NEWER");
}

TEST(Credentials, ReadBeforeStayInUseWhileTheFileIsFaultyOrGone) {
  const TempFolder folder;
  folder.write("keys", "[default]\naws_access_key_id=OLD\naws_secret_access_key=s\n");
  const auto provider = make_credentials_provider({}, of({{"AWS_SHARED_CREDENTIALS_FILE", folder.path("keys")}}), kNow);
  folder.write("keys", "[default]\nhalf written");
  EXPECT_EQ(id_of(provider, kNow + 1s), "OLD");
  std::filesystem::remove(folder.path("keys"));
  EXPECT_EQ(id_of(provider, kNow + 2s), "OLD");
  folder.write("keys", "[default]\naws_access_key_id=NEW\naws_secret_access_key=s\n");
  EXPECT_EQ(id_of(provider, kNow + 3s), "NEW");
}

TEST(CredentialsFile, TakesCommentsBlanksNestedSettingsAndWhatOtherToolsKeepThere) {
  const auto out = parse_credentials_file(
      "# a comment\r\n[other]\naws_access_key_id = X\n\n; another\n"
      "[ default ]\nregion = eu-west-1\ns3 =\n  max_queue_size = 9\n"
      "AWS_ACCESS_KEY_ID = AK\naws_secret_access_key=a=b/c+d\naws_session_token = T\n",
      "default", "f");
  ASSERT_TRUE(out) << out.error().what;
  EXPECT_EQ(out->access_key_id, "AK");
  EXPECT_EQ(out->secret_access_key, "a=b/c+d");
  EXPECT_EQ(out->session_token, "T");
}

TEST(CredentialsFile, FaultsAreNamedWithTheirLineAndNeverQuoteAValue) {
  const std::pair<std::string_view, std::string_view> faults[] = {
      {"aws_access_key_id = x\n", "f:1: a setting before the first [section]"},
      {"[default\n", "f:1: a section must end"},
      {"[]\n", "f:1: a section needs a name"},
      {"[default]\n[default]\n", "f:2: profile [default] is given twice"},
      {"[default]\nSECRET\n", "f:2: expected `name = value`"},
      {"[default]\naws_access_key_id = x\naws_access_key_id = y\n", "f:3: aws_access_key_id is given twice"},
      {"[default]\naws_access_key_id = x\n y\n", "f:3: an indented line"},
      {"[default]\naws_access_key_id = SECRET y\n", "f:2: aws_access_key_id holds blanks"},
      {"[default]\naws_access_key_id = x\n", "profile [default] lacks aws_secret_access_key"},
      {"[default]\nregion = x\n", "profile [default] lacks aws_access_key_id"},
      {"", "f: has no profile [default]"},
  };
  for (const auto& [text, message] : faults) {
    const auto out = parse_credentials_file(text, "default", "f");
    ASSERT_FALSE(out) << text;
    EXPECT_THAT(out.error().what, HasSubstr(std::string(message)));
    EXPECT_THAT(out.error().what, testing::Not(HasSubstr("SECRET")));
  }
}

} // namespace
} // namespace verge::origin::aws
