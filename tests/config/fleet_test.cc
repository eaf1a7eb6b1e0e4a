// The fleet: what is a fault, and where; what is filled in.
#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> fleet_faults(const std::string& fleet) {
  return faults_after_sound("admin: {address: \"127.0.0.1:0\"}\nfleet: {" + fleet + "}\n");
}

TEST(Fleet, NodesAreAddressesOrUrls) {
  EXPECT_THAT(fleet_faults("nodes: [\"127.0.0.1:9090\", \"http://[::1]:9090\", \"https://localhost\"]"), IsEmpty());
  EXPECT_THAT(fleet_faults("nodes: [edge-1], token: t"), ElementsAre(HasSubstr("5:17: \"edge-1\" has no port")));
  EXPECT_THAT(fleet_faults("nodes: [\"http://edge-1:90/purges\"], token: t"),
              ElementsAre(HasSubstr("must not have a path")));
  EXPECT_THAT(fleet_faults("nodes: [\"ftp://edge-1:90\"], token: t"), ElementsAre(HasSubstr("http:// or https://")));
  EXPECT_THAT(fleet_faults("nodes: [\"edge-1:0\"], token: t"), ElementsAre(HasSubstr("port")));
  EXPECT_THAT(fleet_faults("nodes: [\"a:1\", \"a:1\"], token: t"),
              ElementsAre(HasSubstr("node \"a:1\" is given twice")));
}

TEST(Fleet, OtherNodesNeedAnAddressToAskAt) {
  EXPECT_THAT(faults_after_sound("fleet: {nodes: [\"127.0.0.1:1\"]}\n"),
              ElementsAre(HasSubstr("set admin.address or invalidation.listen")));
  EXPECT_THAT(faults_after_sound("fleet: {nodes: [\"127.0.0.1:1\"]}\ninvalidation: {listen: \"127.0.0.1:0\"}\n"),
              IsEmpty());
  EXPECT_THAT(faults_after_sound("fleet: {name: edge-1}\n"), IsEmpty());
}

TEST(Fleet, NodesOnOtherMachinesNeedAToken) {
  EXPECT_THAT(fleet_faults("nodes: [\"10.0.1.7:9090\"]"), ElementsAre(HasSubstr("set fleet.token")));
  EXPECT_THAT(fleet_faults("dns: edge.internal:9090"), ElementsAre(HasSubstr("set fleet.token")));
  EXPECT_THAT(fleet_faults("dns: edge.internal:9090, token: t"), IsEmpty());
  EXPECT_THAT(fleet_faults("dns: edge.internal:9090, token_file: t"), IsEmpty());
  EXPECT_THAT(fleet_faults("token: t, token_file: t"), ElementsAre(HasSubstr("either \"token\" or \"token_file\"")));
  EXPECT_THAT(fleet_faults("dns: \"localhost:1\", nodes: [\"127.0.0.1:1\"]"),
              ElementsAre(HasSubstr("either \"nodes\"")));
}

TEST(Fleet, TheTopicIsAStandardOne) {
  EXPECT_THAT(fleet_faults("topic: \"arn:aws:sns:eu-west-1:123456789012:deploys\""), IsEmpty());
  EXPECT_THAT(fleet_faults("topic: \"arn:aws:sns:eu-west-1:123456789012:deploys.fifo\""),
              ElementsAre(HasSubstr("FIFO")));
  EXPECT_THAT(fleet_faults("credentials: {access_key_id: a}"), ElementsAre(HasSubstr("\"secret_access_key\"")));
  EXPECT_THAT(fleet_faults("down_after: 1ms"), ElementsAre(HasSubstr("out of range")));
}

TEST(Fleet, ANodeHasTheHostsNameUnlessItSaysItsOwn) {
  const auto of_host = load_text(kSound, "edge.yaml", "/srv").config.fleet.name;
  EXPECT_THAT(of_host, testing::MatchesRegex("[A-Za-z0-9._-]+"));
  EXPECT_EQ(load_text(kSound + "fleet: {name: edge-1}\n", "edge.yaml", "/srv").config.fleet.name, "edge-1");
  EXPECT_THAT(fleet_faults("name: \"a b\""), ElementsAre(HasSubstr("must be letters")));
}

} // namespace
} // namespace verge::config
