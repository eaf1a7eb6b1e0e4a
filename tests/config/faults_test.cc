// Every kind of fault, with the place and the words that it is told with.
#include <stdlib.h>

#include <fmt/core.h>

#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST(Yaml, ASyntaxErrorIsOneFaultAtItsPlace) {
  EXPECT_THAT(faults("listen: [{address: a\nworkers: 2\n"), ElementsAre(StartsWith("2:8: not valid YAML: ")));
  EXPECT_THAT(faults("listen:\n\t- a\n"), ElementsAre(StartsWith("2:2: not valid YAML: ")));
  EXPECT_THAT(faults("listen: *nowhere\n"), ElementsAre(StartsWith("1:9: not valid YAML: ")));
}

TEST(Yaml, AVariableInBracesWithoutQuotesGetsAHint) {
  EXPECT_THAT(faults("admin: {token: ${TOKEN}}\n"), ElementsAre(HasSubstr("write \"${NAME}\" in quotes")));
}

TEST(Yaml, AnEmptyFileIsOneFault) {
  EXPECT_THAT(faults(""), ElementsAre("0:0: the file is empty; it needs at least listen, origins and sites"));
  EXPECT_THAT(faults("# nothing yet\n"), ElementsAre(StartsWith("0:0: the file is empty")));
}

TEST(Yaml, AFileOfAnotherShapeIsOneFault) {
  EXPECT_THAT(faults("- a\n"), ElementsAre("1:1: a mapping is needed here, this is a list"));
  EXPECT_THAT(faults("hello\n"), ElementsAre("1:1: a mapping is needed here, this is text"));
}

TEST(Yaml, ASecondDocumentIsAFault) {
  EXPECT_THAT(faults_after_sound("---\nworkers: 2\n"), ElementsAre(HasSubstr("a second YAML document begins here")));
}

TEST(Yaml, AFieldGivenTwiceIsAFaultThatNamesTheFirst) {
  EXPECT_THAT(faults_after_sound("workers: 1\nworkers: 2\n"),
              ElementsAre("5:1: field \"workers\" is given twice; the first stands at line 4, column 1"));
  EXPECT_THAT(faults_after_sound("cache: {disk: 1GiB,\n  disk: 2GiB}\n"),
              ElementsAre("5:3: field \"disk\" is given twice; the first stands at line 4, column 9"));
}

TEST(Yaml, AFieldGivenTwiceKeepsTheFirstValue) {
  EXPECT_EQ(load_text(kSound + "workers: 1\nworkers: 2\n", "f", "").config.workers, 1u);
}

TEST(Yaml, ANameThatIsNotTextIsAFault) {
  EXPECT_THAT(faults_after_sound("? [a]\n: 1\n"), ElementsAre("4:3: a field's name must be text, this is a list"));
}

TEST(Yaml, AnAliasStandsForWhatItNames) {
  const Loaded loaded = load_text(
      "listen: [{address: \":0\"}]\norigins: {a: &o {type: folder, path: p}, b: *o}\n"
      "sites: [{hosts: [\"*\"], routes: [{match: /a, origin: a}, {match: /b, origin: b}]}]\n",
      "f", "");
  EXPECT_THAT(faults(loaded), IsEmpty());
  EXPECT_EQ(loaded.config.origins.at("b").path, "p");
  EXPECT_EQ(loaded.config.origins.at("b").name, "b");
}

TEST(Yaml, AnAliasInsideItsOwnValueIsAFault) {
  EXPECT_THAT(faults("listen: &l [*l]\n"), testing::Contains(HasSubstr("1:13: this alias stands inside the value")));
}

TEST(Yaml, AnAliasBombIsStoppedByTheBudget) {
  // 400 lists of 400 topics each would be 160,000 values out of a few kilobytes; the schema allows such a product only
  // over lists of mappings, so it is built of sites with aliased routes.
  std::string yaml = "listen: [{address: \":0\"}]\norigins: {o: {type: folder, path: p}}\nsites:\n  - hosts: [a.b]\n";
  yaml += "    routes: &r\n";
  for (int i = 0; i < 400; ++i) yaml += fmt::format("      - {{match: /{}, origin: o}}\n", i);
  for (int i = 0; i < 400; ++i) yaml += fmt::format("  - {{hosts: [h{}.b], routes: *r}}\n", i);
  EXPECT_THAT(faults(yaml), ElementsAre(HasSubstr("the file unfolds to more than 100000 values; use fewer aliases")));
}

TEST(Yaml, ABombOfNestedAliasesIsHarmless) {
  std::string yaml = kSound + "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 20; ++i) {
    yaml += fmt::format("x{0}: &x{0} [*x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}]\n", i, i - 1);
  }
  EXPECT_THAT(faults(yaml + "workers: *x19\n"), SizeIs(21));
}

TEST(Yaml, ManyFaultsAreCutOff) {
  std::string yaml = kSound;
  for (int i = 0; i < 500; ++i) yaml += fmt::format("unknown{}: 1\n", i);
  EXPECT_THAT(faults(yaml), SizeIs(101));
  EXPECT_EQ(faults(yaml).back(), "0:0: more than 100 faults; the rest is not shown");
}

TEST(Names, AnUnknownFieldNamesTheNearest) {
  EXPECT_THAT(faults_after_sound("worker: 2\n"),
              ElementsAre("4:1: unknown field \"worker\"; did you mean \"workers\"?"));
  EXPECT_THAT(faults_after_sound("limits:\n  request_haed: 8KiB\n"),
              ElementsAre("5:3: unknown field \"request_haed\"; did you mean \"request_head\"?"));
}

TEST(Names, AnUnknownFieldWithoutANearOneNamesAll) {
  EXPECT_THAT(
      faults_after_sound("cache: {wibblewobble: 2}\n"),
      ElementsAre("4:9: unknown field \"wibblewobble\"; known are: path, disk, memory, memory_object, variants"));
}

TEST(Names, AMisspeltFieldIsNotAlsoMissing) {
  EXPECT_THAT(site_faults("sites: [{hosts: [\"*\"], routes: [{match: /*, orgin: web}]}]\n"),
              ElementsAre("3:45: unknown field \"orgin\"; did you mean \"origin\"?"));
}

TEST(Names, MergeKeysAreNotRead) {
  EXPECT_THAT(faults_after_sound("limits:\n  <<: {h2_streams: 1}\n"),
              ElementsAre(StartsWith("5:3: unknown field \"<<\" (YAML's merge key is not read)")));
}

TEST(Names, AMissingFieldIsToldAtItsMapping) {
  EXPECT_THAT(faults("workers: 2\n"),
              ElementsAre(StartsWith("1:1: \"listen\" is missing: "), StartsWith("1:1: \"origins\" is missing: "),
                          StartsWith("1:1: \"sites\" is missing: ")));
  EXPECT_THAT(site_faults("sites:\n  - hosts: [\"*\"]\n    routes:\n      - match: /*\n"),
              ElementsAre("6:9: \"origin\" is missing: the name of one of the origins"));
}

TEST(Names, AFieldWithoutAValueIsAFaultAtItsName) {
  EXPECT_THAT(
      faults_after_sound("workers:\ncache:\n"),
      ElementsAre("4:1: no value is given where text is needed", "5:1: no value is given where a mapping is needed"));
}

TEST(Values, TheWrongShapeIsAFault) {
  EXPECT_THAT(faults_after_sound("workers: [2]\n"), ElementsAre("4:10: text is needed here, this is a list"));
  EXPECT_THAT(faults_after_sound("cache: big\n"), ElementsAre("4:8: a mapping is needed here, this is text"));
  EXPECT_THAT(site_faults("sites: [{hosts: a.b, routes: [{match: /*, origin: web}]}]\n"),
              ElementsAre("3:17: a list is needed here, this is text; put it in brackets: [a, b]"));
}

TEST(Values, NumbersHaveARangeAndNoLeadingZero) {
  EXPECT_THAT(faults_after_sound("workers: 1000\n"), ElementsAre("4:10: \"1000\" is out of range; from 0 to 256"));
  EXPECT_THAT(faults_after_sound("workers: 010\n"),
              ElementsAre("4:10: \"010\" begins with a zero, which some take for octal; write it without"));
  EXPECT_THAT(faults_after_sound("workers: -1\n"), ElementsAre("4:10: \"-1\" is not a whole number"));
}

TEST(Values, SizesAndDurationsTellWhatIsWrong) {
  EXPECT_THAT(faults_after_sound("cache: {disk: 10gib}\n"),
              ElementsAre(StartsWith("4:15: \"10gib\" has the unknown unit")));
  EXPECT_THAT(faults_after_sound("cache: {disk: 5}\n"), ElementsAre("4:15: \"5\" is out of range; from 1MiB to 64TiB"));
  EXPECT_THAT(faults_after_sound("limits: {idle_timeout: 30}\n"),
              ElementsAre("4:24: \"30\" has no unit; write 30s for seconds, or ms, m, h, d, w, y"));
  EXPECT_THAT(faults_after_sound("limits: {idle_timeout: 2d}\n"),
              ElementsAre("4:24: \"2d\" is out of range; from 1ms to 1d"));
  EXPECT_THAT(
      site_faults("sites: [{hosts: [\"*\"], routes: [{match: /*, origin: web, cache: {ttl: {default: 1500ms}}}]}]\n"),
      ElementsAre(HasSubstr("\"1500ms\" must be whole seconds")));
}

TEST(Values, AWordOutsideTheChoiceNamesTheNearest) {
  EXPECT_THAT(faults_after_sound("access_log: {path: /dev/stdout, format: jsn}\n"),
              ElementsAre("4:41: \"jsn\" is none of json, combined; did you mean \"json\"?"));
  EXPECT_THAT(faults_after_sound("error_log: {level: verbose}\n"),
              ElementsAre("4:20: \"verbose\" is none of debug, info, warn, error"));
}

TEST(Values, AMissingVariableIsNamed) {
  unsetenv("EDGE_NOT_SET");
  EXPECT_THAT(faults_after_sound("cache: {path: \"${EDGE_NOT_SET}/c\"}\n"),
              ElementsAre("4:15: environment variable EDGE_NOT_SET is not set"));
  EXPECT_THAT(faults_after_sound("cache: {path: \"${EDGE\"}\n"),
              ElementsAre(StartsWith("4:15: \"${\" must be followed")));
}

TEST(Values, AnEmptyVariableDoesNotSwitchTheTokenOff) {
  setenv("EDGE_EMPTY", "", 1);
  EXPECT_THAT(faults_after_sound("admin: {address: \"0.0.0.0:1\", token: \"${EDGE_EMPTY}\"}\n"),
              ElementsAre("4:38: the value is empty"));
}

TEST(Values, ASecretIsNeverRepeated) {
  setenv("EDGE_SECRET", "hunter2 with spaces", 1);
  const auto told =
      faults_after_sound("admin: {address: \":1\", token: \"${EDGE_SECRET}\"}\nworkers: ${EDGE_SECRET}\n");
  EXPECT_THAT(told, ElementsAre("4:31: the value may hold visible ASCII characters only",
                                "5:10: \"${EDGE_SECRET}\" is replaced by a value that is not a whole number"));
  EXPECT_THAT(told, Each(Not(HasSubstr("hunter2"))));
}

TEST(Values, ControlCharactersAreRefused) {
  EXPECT_THAT(origin_faults("{type: http, url: \"http://a\", host: \"a\\r\\nX: y\"}"),
              ElementsAre(HasSubstr("2:52: the text holds a control character or a line break")));
}

TEST(Listen, AddressesMustBeNumericWithAPort) {
  const auto told = [](const std::string& address) {
    return faults("listen:\n  - address: \"" + address + "\"\n" + kSound.substr(kSound.find('\n') + 1));
  };
  EXPECT_THAT(told("127.0.0.1"), ElementsAre(StartsWith("2:14: \"127.0.0.1\" has no port; write it like")));
  EXPECT_THAT(told("localhost:80"), ElementsAre("2:14: \"localhost:80\" must be a numeric address: 127.0.0.1:80"));
  EXPECT_THAT(told("0.0.0.0:99999"), ElementsAre(HasSubstr("needs a port from 0 to 65535")));
  EXPECT_THAT(told("::1:80"), ElementsAre(HasSubstr("needs brackets: [::1]:80")));
  EXPECT_THAT(told("edge.example.com:80"), ElementsAre(HasSubstr("must begin with a numeric address")));
  EXPECT_THAT(told("unix:run.sock"), ElementsAre(HasSubstr("must name an absolute path")));
  for (const auto* fine : {":80", "[::1]:80", "[::]:0", "0.0.0.0:443", "unix:/run/a.sock"})
    EXPECT_THAT(told(fine), IsEmpty());
}

TEST(Listen, AnAddressGivenTwiceIsAFault) {
  EXPECT_THAT(faults("listen:\n  - address: 127.0.0.1:81\n  - address: 127.0.0.1:81\n" +
                     kSound.substr(kSound.find('\n') + 1) + "admin: {address: \"127.0.0.1:81\"}\n"),
              ElementsAre("3:14: address \"127.0.0.1:81\" is given twice; the first stands at line 2, column 14",
                          "6:18: address \"127.0.0.1:81\" is given twice; the first stands at line 2, column 14"));
}

TEST(Listen, PortZeroMayBeGivenTwice) {
  EXPECT_THAT(faults("listen: [{address: \"127.0.0.1:0\"}, {address: \"127.0.0.1:0\"}]\n" +
                     kSound.substr(kSound.find('\n') + 1)),
              IsEmpty());
}

TEST(Listen, NeedsAtLeastOneAddress) {
  EXPECT_THAT(faults("listen: []\n" + kSound.substr(kSound.find('\n') + 1)),
              ElementsAre("1:9: the list is empty; it needs at least one value"));
}

TEST(Listen, TlsNeedsCertificatesWithChainAndKey) {
  const auto told = [](const std::string& tls) {
    return faults("listen:\n  - address: \":1\"\n    tls: " + tls + "\n" + kSound.substr(kSound.find('\n') + 1));
  };
  EXPECT_THAT(told("{min_version: 1.3}"), ElementsAre(StartsWith("3:10: \"certificates\" is missing: ")));
  EXPECT_THAT(told("{certificates: []}"), ElementsAre("3:25: the list is empty; it needs at least one value"));
  EXPECT_THAT(told("{certificates: [{chain: a}]}"), ElementsAre(StartsWith("3:26: \"key\" is missing: ")));
  EXPECT_THAT(told("{certificates: [{chain: a, key: b}], min_version: 1.1}"),
              ElementsAre("3:60: \"1.1\" is none of 1.2, 1.3; did you mean \"1.2\"?"));
}

TEST(Listen, ClientCertificatesNeedACa) {
  EXPECT_THAT(faults("listen:\n  - address: \":1\"\n    tls:\n      certificates: [{chain: a, key: b}]\n"
                     "      client_auth: {mode: optional}\n" +
                     kSound.substr(kSound.find('\n') + 1)),
              ElementsAre(StartsWith("5:27: client certificates can't be checked without \"ca\"")));
}

TEST(AdminAddress, MustBeLoopbackUnlessATokenIsSet) {
  EXPECT_THAT(faults_after_sound("admin: {address: \"0.0.0.0:9090\"}\n"),
              ElementsAre(StartsWith("4:18: \"0.0.0.0:9090\" can be reached from other machines")));
  EXPECT_THAT(faults_after_sound("admin: {address: \":9090\"}\n"), SizeIs(1));
  EXPECT_THAT(faults_after_sound("admin: {address: \"[::]:9090\"}\n"), SizeIs(1));
  for (const auto* fine : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1", "unix:/run/v.sock"}) {
    EXPECT_THAT(faults_after_sound(fmt::format("admin: {{address: \"{}\"}}\n", fine)), IsEmpty()) << fine;
  }
  EXPECT_THAT(faults_after_sound("admin: {address: \"0.0.0.0:9090\", token: abc}\n"), IsEmpty());
}

TEST(Sns, TopicsMustBeArnsOfStandardTopics) {
  const auto told = [](const std::string& topic) {
    return faults_after_sound("invalidation:\n  sns:\n    topics:\n      - \"" + topic + "\"\n");
  };
  EXPECT_THAT(told("arn:aws:sns:eu-west-1:123456789012:deploys"), IsEmpty());
  EXPECT_THAT(told("arn:aws-us-gov:sns:us-gov-west-1:123456789012:deploys"), IsEmpty());
  EXPECT_THAT(told("deploys"), ElementsAre(StartsWith("7:9: \"deploys\" is not a topic's ARN")));
  EXPECT_THAT(told("arn:aws:sqs:eu-west-1:123456789012:deploys"), SizeIs(1));
  EXPECT_THAT(told("arn:aws:sns:europe:123456789012:deploys"), SizeIs(1));
  EXPECT_THAT(told("arn:aws:sns:eu-west-1:1234:deploys"), SizeIs(1));
  EXPECT_THAT(told("arn:aws:sns:eu-west-1:123456789012:deploys.fifo"), ElementsAre(HasSubstr("is a FIFO topic")));
}

TEST(Sns, ThePathBeginsWithASlashAndTopicsAreNeeded) {
  EXPECT_THAT(faults_after_sound("invalidation: {sns: {path: hook}}\n"),
              ElementsAre(StartsWith("4:21: \"topics\" is missing"), "4:28: \"hook\" must begin with /"));
}

TEST(Sns, SigningCertificatesComeOverHttpsOnly) {
  EXPECT_THAT(faults_after_sound("invalidation: {sns: {topics: [\"arn:aws:sns:eu-west-1:123456789012:d\"],\n"
                                 "  certificate_origin: \"http://127.0.0.1:1\"}}\n"),
              ElementsAre("5:23: \"http://127.0.0.1:1\" must be a URL that begins with https://"));
}

TEST(PurgeApis, AnAddressForOthersNeedsAToken) {
  EXPECT_THAT(
      faults_after_sound("invalidation: {listen: \"0.0.0.0:9091\"}\n"),
      ElementsAre(HasSubstr("can be reached from other machines; use 127.0.0.1, [::1] or unix:/path, or say in")));
  EXPECT_THAT(faults_after_sound("invalidation: {listen: \"127.0.0.1:9091\"}\n"), IsEmpty());
  EXPECT_THAT(faults_after_sound("invalidation: {listen: \"0.0.0.0:9091\", tokens: [{name: a, token: b}]}\n"),
              IsEmpty());
  EXPECT_THAT(faults_after_sound("admin: {address: \"127.0.0.1:9091\"}\ninvalidation: {listen: \"127.0.0.1:9091\"}\n"),
              ElementsAre(HasSubstr("is given twice")));
}

TEST(PurgeApis, ASecretIsGivenOnce) {
  EXPECT_THAT(faults_after_sound("invalidation: {tokens: [{name: a}]}\n"),
              ElementsAre(HasSubstr("give \"token\" or \"token_file\"")));
  EXPECT_THAT(faults_after_sound("invalidation: {tokens: [{name: a, token: b, token_file: c}]}\n"),
              ElementsAre(HasSubstr("give either \"token\" or \"token_file\"")));
  EXPECT_THAT(faults_after_sound("invalidation: {tokens: [{name: a, token: b}, {name: a, token: c}]}\n"),
              ElementsAre(HasSubstr("name \"a\" is given twice")));
}

TEST(PurgeApis, CloudFrontsIsServedSomewhere) {
  const std::string keys = "cloudfront: {keys: [{id: A, secret: s}]}";
  EXPECT_THAT(faults_after_sound("invalidation: {" + keys + "}\n"), ElementsAre(HasSubstr("no address serves it")));
  EXPECT_THAT(faults_after_sound("invalidation: {listen: \"127.0.0.1:0\", " + keys + "}\n"), IsEmpty());
}

TEST(PurgeApis, LimitsAreHostsPathsAndTags) {
  EXPECT_THAT(faults_after_sound("invalidation: {tokens: [{name: a, token: b, allow: {paths: [blog]}}]}\n"),
              ElementsAre(HasSubstr("\"blog\" must begin with /")));
  EXPECT_THAT(faults_after_sound("invalidation: {fastly: {services: {S: {hosts: [\"*.a.example\"]}}}}\n"),
              ElementsAre(HasSubstr("must be one host's name")));
}

} // namespace
} // namespace verge::config
