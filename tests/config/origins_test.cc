// Faults of origins, sites and routes.
#include <stdlib.h>

#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST(Origins, TheTypeIsNeededAndKnown) {
  EXPECT_THAT(origin_faults("{path: p}"), ElementsAre("2:16: \"type\" is missing: what kind of origin this is"));
  EXPECT_THAT(
      origin_faults("{type: lamda, function: f}"),
      ElementsAre("2:23: \"lamda\" is none of http, folder, s3, api-gateway, lambda; did you mean \"lambda\"?"));
}

TEST(Origins, EachTypeHasFieldsThatItNeeds) {
  EXPECT_THAT(origin_faults("{type: http}"), ElementsAre("2:16: \"url\" is missing; type http needs it"));
  EXPECT_THAT(origin_faults("{type: api-gateway}"), ElementsAre("2:16: \"url\" is missing; type api-gateway needs it"));
  EXPECT_THAT(origin_faults("{type: folder}"), ElementsAre("2:16: \"path\" is missing; type folder needs it"));
  EXPECT_THAT(origin_faults("{type: s3, region: eu-west-1}"),
              ElementsAre("2:16: \"bucket\" is missing; type s3 needs it"));
  EXPECT_THAT(origin_faults("{type: lambda, region: eu-west-1}"),
              ElementsAre("2:16: \"function\" is missing; type lambda needs it"));
}

TEST(Origins, AFieldOfAnotherTypeSaysWhichTypesHaveIt) {
  EXPECT_THAT(origin_faults("{type: folder, path: p, bucket: b}"),
              ElementsAre("2:40: \"bucket\" is not a field of type folder; it is one of type s3"));
  EXPECT_THAT(origin_faults("{type: lambda, function: f, region: eu-west-1, url: 7}"),
              ElementsAre("2:63: \"url\" is not a field of type lambda; it is one of type http, api-gateway"));
  EXPECT_THAT(origin_faults("{type: s3, bucket: site, region: eu-west-1, max_request_body: 1MiB}"), SizeIs(1));
}

TEST(Origins, TheOrderOfFieldsDoesNotMatter) {
  EXPECT_THAT(origin_faults("{path: p, type: folder}"), IsEmpty());
  EXPECT_THAT(origin_faults("{bucket: b, path: p, type: folder}"), SizeIs(1));
}

TEST(Origins, UrlsAreHttpWithAHost) {
  const auto told = [](const std::string& url) { return origin_faults("{type: http, url: \"" + url + "\"}"); };
  EXPECT_THAT(told("ftp://a"), ElementsAre("2:34: \"ftp://a\" must be a URL that begins with http:// or https://"));
  EXPECT_THAT(told("http://"), ElementsAre("2:34: \"http://\" has no host"));
  EXPECT_THAT(told("http:///path"), SizeIs(1));
  EXPECT_THAT(told("http://a:99999"), ElementsAre(HasSubstr("has a port that is not from 1 to 65535")));
  EXPECT_THAT(told("http://u:p@a"), ElementsAre(HasSubstr("must not carry a user")));
  EXPECT_THAT(told("http://a/?x"), ElementsAre(HasSubstr("must not have a query")));
  EXPECT_THAT(told("http://a b"), SizeIs(1));
  EXPECT_THAT(told("http://-a"), SizeIs(1));
  for (const auto* fine : {"http://a", "https://a.example.com:8443/stage", "http://127.0.0.1:1/", "http://[::1]:80"}) {
    EXPECT_THAT(told(fine), IsEmpty()) << fine;
  }
}

TEST(Origins, TheRegionMustLookLikeOneUnlessAnEndpointIsGiven) {
  EXPECT_THAT(origin_faults("{type: s3, bucket: site, region: europe}"),
              ElementsAre("2:49: \"europe\" does not look like an AWS region, as eu-west-1 does"));
  EXPECT_THAT(origin_faults("{type: s3, bucket: site, region: EU-WEST-1}"), SizeIs(1));
  EXPECT_THAT(origin_faults("{type: s3, bucket: site, region: default, endpoint: \"http://127.0.0.1:7480\"}"),
              IsEmpty());
  for (const auto* fine : {"us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-3"}) {
    EXPECT_THAT(origin_faults("{type: s3, bucket: site, region: " + std::string(fine) + "}"), IsEmpty()) << fine;
  }
}

TEST(Origins, ARegionIsNeededWhereRequestsAreSigned) {
  unsetenv("AWS_REGION");
  unsetenv("AWS_DEFAULT_REGION");
  EXPECT_THAT(origin_faults("{type: s3, bucket: site}"),
              ElementsAre(StartsWith("2:16: \"region\" is missing, and AWS_REGION")));
  EXPECT_THAT(origin_faults("{type: lambda, function: f}"), SizeIs(1));
  EXPECT_THAT(origin_faults("{type: api-gateway, url: \"http://a\", sign: true}"), SizeIs(1));
  EXPECT_THAT(origin_faults("{type: api-gateway, url: \"http://a\"}"), IsEmpty());
}

TEST(Origins, CredentialsComeInPairs) {
  const auto told = [](const std::string& credentials) {
    return origin_faults("{type: s3, bucket: site, region: eu-west-1,\n  credentials: " + credentials + "}");
  };
  EXPECT_THAT(told("{access_key_id: a, secret_access_key: b}"), IsEmpty());
  EXPECT_THAT(told("{access_key_id: a}"), ElementsAre("3:32: \"access_key_id\" needs \"secret_access_key\" beside it"));
  EXPECT_THAT(told("{session_token: a}"), ElementsAre("3:32: \"session_token\" needs \"access_key_id\" beside it"));
  EXPECT_THAT(told("{profile: p, access_key_id: a, secret_access_key: b}"),
              ElementsAre("3:26: give either a profile or the keys themselves"));
}

TEST(Origins, LambdaTakesSixMebibytesAtMost) {
  EXPECT_THAT(origin_faults("{type: lambda, function: f, region: eu-west-1, max_request_body: 7MiB}"),
              ElementsAre(HasSubstr("Lambda takes 6MiB at most")));
}

TEST(Origins, NamesArePlain) {
  EXPECT_THAT(faults("listen: [{address: \":0\"}]\norigins: {\"a b\": {type: folder, path: p}}\n"
                     "sites: [{hosts: [\"*\"], routes: [{match: /*, origin: a b}]}]\n"),
              ElementsAre(StartsWith("2:11: the name \"a b\" must be letters, digits")));
  EXPECT_THAT(
      faults("listen: [{address: \":0\"}]\norigins: {}\nsites: [{hosts: [\"*\"], routes: [{match: /*, origin: a}]}]\n"),
      testing::Contains("2:10: the mapping is empty; it needs at least one name"));
}

TEST(Sites, ARouteNamesAnOriginThatIsThere) {
  EXPECT_THAT(site_faults("sites:\n  - hosts: [\"*\"]\n    routes:\n      - {match: /*, origin: wbe}\n"),
              ElementsAre("6:29: there is no origin \"wbe\"; did you mean \"web\"?"));
  EXPECT_THAT(site_faults("sites:\n  - hosts: [\"*\"]\n    routes:\n      - {match: /*, origin: storage}\n"),
              ElementsAre("6:29: there is no origin \"storage\"; known are: app, web"));
}

TEST(Sites, AMatchBeginsWithASlashOrAStar) {
  EXPECT_THAT(site_faults("sites: [{hosts: [\"*\"], routes: [{match: api/*, origin: web}]}]\n"),
              ElementsAre("3:41: \"api/*\" must begin with / (or *)"));
  EXPECT_THAT(site_faults("sites: [{hosts: [\"*\"], routes: [{match: \"/a?b\", origin: web}]}]\n"), SizeIs(1));
  EXPECT_THAT(site_faults("sites: [{hosts: [\"*\"], routes: [{match: \"*.js\", origin: web}]}]\n"), IsEmpty());
}

TEST(Sites, AMatchGivenTwiceCanNeverBeReached) {
  EXPECT_THAT(site_faults("sites:\n  - hosts: [\"*\"]\n    routes:\n      - {match: /a, origin: web}\n      - {match: "
                          "/a, origin: app}\n"),
              ElementsAre("7:17: match \"/a\" is given twice; the first stands at line 6, column 17"));
}

TEST(Sites, AHostBelongsToOneSite) {
  EXPECT_THAT(site_faults("sites:\n  - {hosts: [a.b], routes: [{match: /*, origin: web}]}\n"
                          "  - {hosts: [c.d, A.B], routes: [{match: /*, origin: web}]}\n"),
              ElementsAre("5:19: host \"a.b\" is given twice; the first stands at line 4, column 14"));
}

TEST(Sites, AStarStandsInFrontOrAlone) {
  const auto told = [](const std::string& host) {
    return site_faults("sites: [{hosts: [\"" + host + "\"], routes: [{match: /*, origin: web}]}]\n");
  };
  EXPECT_THAT(told("www.*.org"),
              ElementsAre("3:18: \"www.*.org\" may have its * only in front, as in *.example.org, or alone"));
  EXPECT_THAT(told("*example.org"), SizeIs(1));
  EXPECT_THAT(told("*.*.org"), SizeIs(1));
  EXPECT_THAT(told("a.b:8080"), ElementsAre(HasSubstr("without a port")));
  EXPECT_THAT(told("https://a.b"), ElementsAre(HasSubstr("without a scheme")));
  EXPECT_THAT(told("a..b"), SizeIs(1));
  for (const auto* fine : {"*", "*.example.org", "localhost", "127.0.0.1", "[::1]"})
    EXPECT_THAT(told(fine), IsEmpty()) << fine;
}

TEST(Sites, NeedHostsAndRoutes) {
  EXPECT_THAT(site_faults("sites: []\n"), ElementsAre("3:8: the list is empty; it needs at least one value"));
  EXPECT_THAT(site_faults("sites: [{hosts: [], routes: []}]\n"), SizeIs(2));
}

TEST(Sites, LifetimesMustNotContradictEachOther) {
  const auto told = [](const std::string& ttl) {
    return site_faults(
        "sites:\n  - hosts: [\"*\"]\n    routes:\n      - match: /*\n        origin: web\n        cache:\n          "
        "ttl: " +
        ttl + "\n");
  };
  EXPECT_THAT(told("{min: 2m, max: 1m}"), ElementsAre("9:22: min 2m is more than max 1m"));
  EXPECT_THAT(told("{default: 1d, max: 1h}"), ElementsAre("9:26: default 1d is not between min 0s and max 1h"));
  EXPECT_THAT(told("{min: 1m, max: 1m}"), IsEmpty());
  EXPECT_THAT(told("{min: x, max: 1s}"), SizeIs(1));
}

TEST(Sites, TagsAreWords) {
  EXPECT_THAT(
      site_faults("sites: [{hosts: [\"*\"], routes: [{match: /*, origin: web, cache: {tags: [\"a b\", ok]}}]}]\n"),
      ElementsAre(HasSubstr("\"a b\" may not hold spaces or commas")));
}

TEST(AllFaults, AreFoundInOnePassInTheOrderOfTheFile) {
  EXPECT_THAT(faults("workers: 010\nlisten:\n  - address: nowhere\norigins:\n  web: {type: s3, url: x}\n"
                     "sites:\n  - hosts: [a.b, a.b]\n    routes:\n      - {match: x, origin: wbe}\n"),
              ElementsAre(StartsWith("1:10: "), StartsWith("3:14: "), StartsWith("5:8: \"bucket\""),
                          StartsWith("5:8: \"region\""), StartsWith("5:19: \"url\""), StartsWith("7:18: host"),
                          StartsWith("9:17: "), StartsWith("9:28: ")));
}

} // namespace
} // namespace verge::config
