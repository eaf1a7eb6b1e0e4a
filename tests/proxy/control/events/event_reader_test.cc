#include "proxy/control/events/event_reader.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "config/loader.h"
#include "proxy/control/events/s3_change.h"

namespace verge::control {
namespace {

using cache::Target;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

// "=" and a path for an exact target, "~" for a pattern, "#" for a tag, "*" for all.
std::vector<std::string> shown(const Result<Meant>& meant) {
  if (!meant) return {"error: " + meant.error().what};
  if (!meant->matched) return {"unmatched: " + meant->event};
  if (!meant->command) return {"nothing: " + meant->reason};
  std::vector<std::string> out;
  for (const auto& t : meant->command->targets) {
    constexpr std::string_view kMarks = "*=~#"; // in the order of Target::Kind
    out.push_back(std::string(1, kMarks[size_t(t.kind)]) + t.host + t.value);
  }
  return out;
}

EventReader reader(const config::Config& config = {}) { return EventReader::create(config).value(); }

std::vector<std::string> targets(std::string_view text, std::string_view prefix = "",
                                 const config::Config& config = {}) {
  return shown(reader(config).read(text, prefix, Sequencers()));
}

json record(const std::string& event, const std::string& key, const std::string& source = "aws:s3") {
  return {
      {"eventVersion", "2.1"},
      {"eventSource", source},
      {"eventName", event},
      {"s3", {{"s3SchemaVersion", "1.0"}, {"bucket", {{"name", "site"}}}, {"object", {{"key", key}, {"size", 1}}}}}};
}
std::string records(std::vector<json> list) { return json{{"Records", std::move(list)}}.dump(); }

TEST(S3Event, PurgesItsObjectWithAnyQuery) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "js/app.js")})),
              UnorderedElementsAre("=/js/app.js", "~/js/app.js?*"));
}

TEST(S3Event, OfEveryKindThatChangesAnObjectPurges) {
  for (const char* event :
       {"ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
        "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete",
        "LifecycleExpiration:DeleteMarkerCreated", "s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete"}) {
    EXPECT_THAT(targets(records({record(event, "a")})), UnorderedElementsAre("=/a", "~/a?*")) << event;
  }
}

TEST(S3Event, OfAKindThatChangesNoContentIsNothing) {
  for (const char* event : {"ObjectAcl:Put", "ObjectTagging:Put", "ObjectTagging:Delete", "ObjectRestore:Post",
                            "Replication:OperationFailedReplication", "", "ObjectCreatedX:Put"}) {
    EXPECT_THAT(targets(records({record(event, "a")})),
                UnorderedElementsAre("nothing: S3 events that change nothing served here"))
        << event;
  }
}

TEST(S3Event, TestEventIsNothing) {
  EXPECT_THAT(targets(R"({"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"site"})"),
              UnorderedElementsAre("nothing: S3 test event"));
}

TEST(S3Event, KeysOfAwsAreFormEncoded) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "a+b/c%C3%A9%2Fd%20e%25")})),
              UnorderedElementsAre("=/a%20b/c%C3%A9/d%20e%25", "~/a%20b/c%C3%A9/d%20e%25?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "dir%2Fx", "minio:s3")})),
              UnorderedElementsAre("=/dir/x", "~/dir/x?*"));
}

TEST(S3Event, KeysOfCephStandAsTheyAre) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "a%20b c", "ceph:s3")})),
              UnorderedElementsAre("=/a%2520b%20c", "~/a%2520b%20c?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "a+b", "ceph:s3")})), IsSupersetOf({"=/a+b", "=/a%2Bb"}));
}

TEST(S3Event, PurgesTheObjectHoweverItsUrlIsSpelled) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "%40x/a%2Bb%28c%29")})),
              UnorderedElementsAre("=/@x/a+b(c)", "~/@x/a+b(c)?*", "=/%40x/a%2Bb%28c%29", "~/%40x/a%2Bb%28c%29?*",
                                   "=/%40x/a%2Bb(c)", "~/%40x/a%2Bb(c)?*"));
}

TEST(S3Event, OfAnIndexDocumentPurgesItsFolderToo) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "index.html")})),
              UnorderedElementsAre("=/index.html", "~/index.html?*", "=/", "~/?*"));
  EXPECT_THAT(
      targets(records({record("ObjectRemoved:Delete", "docs/index.html")})),
      UnorderedElementsAre("=/docs/index.html", "~/docs/index.html?*", "=/docs/", "~/docs/?*", "=/docs", "~/docs?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "myindex.html")})),
              UnorderedElementsAre("=/myindex.html", "~/myindex.html?*"));
}

TEST(S3Event, KeysBelowThePrefixArePathsWithoutIt) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "site/a.js")}), "site/"),
              UnorderedElementsAre("=/a.js", "~/a.js?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "site/a.js")}), "site"),
              UnorderedElementsAre("=/a.js", "~/a.js?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "site/index.html")}), "site/"),
              UnorderedElementsAre("=/index.html", "~/index.html?*", "=/", "~/?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "other/a.js")}), "site/"),
              UnorderedElementsAre("nothing: S3 events that change nothing served here"));
}

TEST(S3Event, WithSeveralRecordsPurgesThemAll) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "a"), record("ObjectAcl:Put", "b"),
                               record("ObjectRemoved:Delete", "c"), record("X", "d", "aws:ses")})),
              UnorderedElementsAre("=/a", "~/a?*", "=/c", "~/c?*"));
}

TEST(S3Event, VersionsAndUnknownMembersDoNotMatter) {
  auto r = record("ObjectCreated:Put", "a");
  r["eventVersion"] = "2.3";
  r["s3"]["object"]["versionId"] = "v1";
  r["s3"]["object"]["sequencer"] = "0055AED6DCD90281E5";
  auto minio = json{{"EventName", "s3:ObjectCreated:Put"}, {"Key", "site/a"}, {"Records", {r}}};
  EXPECT_THAT(targets(minio.dump()), UnorderedElementsAre("=/a", "~/a?*"));
}

TEST(S3Event, MalformedIsAnError) {
  auto no_key = record("ObjectCreated:Put", "a");
  no_key["s3"]["object"].erase("key");
  auto number = record("ObjectCreated:Put", "a");
  number["s3"]["object"]["key"] = 1;
  auto no_s3 = record("ObjectCreated:Put", "a");
  no_s3["s3"] = "x";
  auto object_list = record("ObjectCreated:Put", "a");
  object_list["s3"]["object"] = json::array();
  for (const auto& r : {no_key, number, no_s3, object_list, record("ObjectCreated:Put", "")}) {
    EXPECT_THAT(targets(records({r})).front(), HasSubstr("error: S3 record without")) << r.dump();
  }
  EXPECT_THAT(targets(R"({"Records":{}})"), UnorderedElementsAre("error: Records is not a list"));
}

TEST(S3Event, RecordsOfOtherServicesAreNothing) {
  EXPECT_THAT(targets(records({record("Send", "a", "aws:ses")})),
              UnorderedElementsAre("unmatched: records of aws:ses"));
  EXPECT_THAT(targets(R"({"Records":["x", 1, null, []]})"), UnorderedElementsAre("unmatched: records of no source"));
  EXPECT_THAT(targets(R"({"Records":[]})"), UnorderedElementsAre("nothing: S3 events that change nothing served here"));
}

TEST(OurMessage, PurgesPathsPatternsAndTags) {
  EXPECT_THAT(targets(R"({"paths": ["/index.html", "/img/*", "https://WWW.example.com/a?b"], "tags": ["Home"]})"),
              UnorderedElementsAre("=/index.html", "~/img/*", "=www.example.com/a?b", "#home"));
  EXPECT_THAT(targets(R"({"all": true})"), UnorderedElementsAre("*"));
  EXPECT_TRUE(reader().read(R"({"paths": ["/a"], "soft": true})", "", Sequencers())->command->soft);
  EXPECT_FALSE(reader().read(R"({"paths": ["/a"]})", "", Sequencers())->command->soft);
}

TEST(OurMessage, MalformedIsAnError) {
  for (const char* text : {R"({"paths": "/a"})", R"({"paths": []})", R"({"paths": ["a b"]})", R"({"tags": [1]})",
                           R"({"all": 1})", R"({"paths": ["/a"], "sort": true})", R"({"all": false})"}) {
    EXPECT_THAT(targets(text).front(), HasSubstr("error: ")) << text;
  }
}

TEST(OurMessage, MayBeTheDetailOfAnEvent) {
  const std::string detail = R"("detail-type":"Verge Purge","detail":{"tags":["shop"],"soft":true}})";
  EXPECT_THAT(targets(R"({"source":"my.pipeline",)" + detail), UnorderedElementsAre("#shop"));
  EXPECT_THAT(targets(R"({"source":"aws.s3",)" + detail).front(), HasSubstr("nothing: ")) << "nobody's but one's own";
  EXPECT_THAT(targets(R"({"source":"x","detail-type":"Verge Purge","detail":{"path":["/a"]}})").front(),
              HasSubstr("error: unknown member"));
}

TEST(OtherMessage, IsUnmatched) {
  for (const char* text : {"", "hello", "[]", "{}", "1", R"({"source":"aws.ecs","detail":{}})", "StackName='x'\n"}) {
    EXPECT_THAT(targets(text).front(), HasSubstr("unmatched: ")) << text;
  }
  EXPECT_THAT(targets(std::string(1 << 20, '[')).front(), HasSubstr("unmatched: "));
  EXPECT_THAT(targets(R"({"source":"aws.ecs","detail-type":"ECS Task State Change","detail":{}})"),
              UnorderedElementsAre("unmatched: aws.ecs ECS Task State Change"));
}

// A configuration with these lines behind a site for www.example.com and *.example.org whose /docs/* and /img/* are in
// the bucket "site", and everything else elsewhere.
config::Config configured(const std::string& more = "", const std::string& origin = "") {
  auto loaded = config::load_text(
      "listen: [{address: \"127.0.0.1:0\"}]\n"
      "origins: {web: {type: folder, path: a}, s3: {type: s3, bucket: site, region: eu-west-1" +
          origin +
          "}}\n"
          "sites: [{hosts: [WWW.example.com, \"*.example.org\"], routes: [\n"
          "  {match: /docs/*, origin: s3}, {match: /img/*, origin: s3}, {match: /*, origin: web}]}]\n" +
          more,
      "edge.yaml", "/srv");
  EXPECT_TRUE(loaded.faults.empty()) << loaded.faults.front().text();
  return loaded.config;
}

TEST(S3Event, OfABucketOfAnOriginPurgesWhereTheOriginAnswers) {
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "docs/a")}), "", configured()),
              UnorderedElementsAre("=/docs/a", "~/docs/a?*", "=www.example.com/docs/a", "~www.example.com/docs/a?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "other/a")}), "", configured()),
              UnorderedElementsAre("nothing: S3 events that change nothing served here"));
  auto foreign = record("ObjectCreated:Put", "docs/a");
  foreign["s3"]["bucket"]["name"] = "another";
  EXPECT_THAT(targets(records({foreign}), "", configured()), UnorderedElementsAre("=/docs/a", "~/docs/a?*"))
      << "it may be behind an origin of another type";
}

TEST(S3Event, KeysBelowAnOriginsPrefixArePathsWithoutIt) {
  const auto with = configured("", ", prefix: v1/");
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "v1/docs/a")}), "", with), IsSupersetOf({"=/docs/a"}));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "docs/a")}), "", with).front(), HasSubstr("nothing: "));
  const auto bare = configured("", ", prefix: v1");
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "v1docs/a")}), "", bare), IsSupersetOf({"=/docs/a"}))
      << "the origin puts it before the key as it is";
}

TEST(S3Event, OfAnOriginsIndexDocumentPurgesItsDirectory) {
  const auto with = configured("", ", index: home.htm");
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "docs/x/home.htm")}), "", with),
              IsSupersetOf({"=/docs/x/home.htm", "=/docs/x/", "=/docs/x", "=www.example.com/docs/x"}));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "docs/index.html")}), "", with),
              UnorderedElementsAre("=/docs/index.html", "~/docs/index.html?*", "=www.example.com/docs/index.html",
                                   "~www.example.com/docs/index.html?*"));
  EXPECT_THAT(targets(records({record("ObjectCreated:Put", "docs/home.htm")}), "", configured("", ", index: \"\"")),
              UnorderedElementsAre("=/docs/home.htm", "~/docs/home.htm?*", "=www.example.com/docs/home.htm",
                                   "~www.example.com/docs/home.htm?*"));
}

// ---- EventBridge

json s3_event(const std::string& type, const std::string& key) {
  return {
      {"version", "0"},
      {"source", "aws.s3"},
      {"detail-type", type},
      {"detail", {{"bucket", {{"name", "site"}}}, {"object", {{"key", key}, {"sequencer", "0055AED6DCD90281E5"}}}}}};
}

TEST(EventBridge, S3CreatedAndDeletedPurgeTheObject) {
  for (const char* type : {"Object Created", "Object Deleted"}) {
    EXPECT_THAT(targets(s3_event(type, "docs/a").dump()), UnorderedElementsAre("=/docs/a", "~/docs/a?*"));
  }
  EXPECT_THAT(targets(s3_event("Object Tags Added", "docs/a").dump()),
              UnorderedElementsAre("nothing: S3 events that change nothing served here"));
}

TEST(EventBridge, S3KeysStandAsTheyAre) {
  EXPECT_THAT(targets(s3_event("Object Created", "a%20b+c d").dump()),
              IsSupersetOf({"=/a%2520b+c%20d", "=/a%2520b%2Bc%20d"}));
}

TEST(EventBridge, S3WithoutKeyOrBucketIsAnError) {
  auto no_key = s3_event("Object Created", "a");
  no_key["detail"]["object"].erase("key");
  auto no_bucket = s3_event("Object Created", "a");
  no_bucket["detail"].erase("bucket");
  for (const auto& event : {no_key, no_bucket}) EXPECT_THAT(targets(event.dump()).front(), HasSubstr("error: "));
}

constexpr const char* kRules = R"(
invalidation:
  rules:
    - when: {source: aws.codepipeline, detail: {state: [SUCCEEDED], pipeline: shop}}
      purge: {hosts: [www.example.com], paths: [/shop/*]}
    - when: {source: [aws.codedeploy, aws.amplify]}
      purge: {tags: [App], soft: true}
    - when: {detail: {jobStatus: [SUCCEED]}}
      purge: {all: true, hosts: [www.example.com], soft: true}
    - when: {StackName: [{prefix: shop-}], ResourceStatus: [CREATE_COMPLETE, UPDATE_COMPLETE]}
      purge: {all: true}
    - when: {source: aws.s3, detail: {object: {key: [{suffix: manifest.json}]}}}
      purge: {tags: [bundle], soft: true}
)";

TEST(Rules, MapWhatADeployEmitsToPurges) {
  const auto with = configured(kRules);
  EXPECT_THAT(targets(R"({"source":"aws.codepipeline","detail-type":"CodePipeline Pipeline Execution State Change",
                          "detail":{"pipeline":"shop","state":"SUCCEEDED","version":3}})",
                      "", with),
              UnorderedElementsAre("~www.example.com/shop/*"));
  EXPECT_THAT(
      targets(R"({"source":"aws.codepipeline","detail-type":"T","detail":{"pipeline":"shop","state":"FAILED"}})", "",
              with),
      UnorderedElementsAre("unmatched: aws.codepipeline T"));
}

TEST(Rules, ThatFitAllCountAndAreSoftTogetherOnly) {
  const auto with = reader(configured(kRules));
  const auto soft =
      with.read(R"({"source":"aws.amplify","detail":{"appId":"d1","jobStatus":"SUCCEED"}})", "", Sequencers());
  EXPECT_THAT(shown(soft), UnorderedElementsAre("#app", "*www.example.com"));
  EXPECT_TRUE(soft->command->soft);
  EXPECT_EQ(soft->event, "aws.amplify");
  const auto hard = with.read(s3_event("Object Created", "docs/manifest.json").dump(), "", Sequencers());
  EXPECT_THAT(shown(hard), IsSupersetOf({"#bundle", "=/docs/manifest.json", "=www.example.com/docs/manifest.json"}));
  EXPECT_FALSE(hard->command->soft);
  EXPECT_EQ(hard->event, "S3 site/docs/manifest.json");
}

TEST(Rules, ThatNameNoHostAreAConfigurationFault) {
  config::Config with;
  with.invalidation.rules.push_back({{}, {{"a b"}, {"/a"}, {}, false, false}});
  const auto made = EventReader::create(with);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::config);
  EXPECT_THAT(made.error().what, HasSubstr("invalidation.rules[0].purge: host"));
}

// ---- Order

json at(const std::string& sequencer, const std::string& key = "a") {
  auto r = record("ObjectCreated:Put", key);
  r["s3"]["object"]["sequencer"] = sequencer;
  return r;
}

TEST(Sequencer, ComparesWithTheShorterFilledUpWithZeros) {
  EXPECT_TRUE(is_earlier("0055aed6dcd90281e5", "0055aed6dcd90281e6"));
  EXPECT_FALSE(is_earlier("0055aed6dcd90281e6", "0055aed6dcd90281e5"));
  EXPECT_TRUE(is_earlier("0055", "005501"));
  EXPECT_FALSE(is_earlier("0055", "005500"));
  EXPECT_FALSE(is_earlier("005500", "0055"));
  EXPECT_TRUE(is_earlier("00ff", "01"));
}

TEST(Sequencer, AnOlderEventThatComesLaterIsPassedOver) {
  Sequencers known;
  const auto with = reader();
  const auto read = [&](const json& r) {
    auto meant = with.read(records({r}), "", known);
    for (const auto& change : meant->changes) known.dealt_with(change);
    return shown(meant).front();
  };
  EXPECT_EQ(read(at("0055AED6DCD90281E5")), "=/a");
  EXPECT_EQ(read(at("0055aed6dcd90281e5")), "nothing: S3 events that are older than what was dealt with") << "the same";
  EXPECT_EQ(read(at("0055AED6DCD90281E4")), "nothing: S3 events that are older than what was dealt with");
  EXPECT_EQ(read(at("0055AED6DCD90281E4", "b")), "=/b") << "another key's order is its own";
  EXPECT_EQ(read(at("0055AED6DCD90281E500")), "nothing: S3 events that are older than what was dealt with");
  EXPECT_EQ(read(at("0055AED6DCD90281E501")), "=/a");
  EXPECT_EQ(read(at("not hexadecimal")), "=/a") << "orders nothing";
  EXPECT_EQ(read(record("ObjectCreated:Put", "a")), "=/a") << "none given";
}

TEST(Sequencer, CountsOnlyOnceThePurgeIsDurable) {
  Sequencers known;
  const auto with = reader();
  EXPECT_THAT(shown(with.read(records({at("02")}), "", known)), UnorderedElementsAre("=/a", "~/a?*"));
  EXPECT_THAT(shown(with.read(records({at("01")}), "", known)), UnorderedElementsAre("=/a", "~/a?*"));
}

TEST(Sequencer, OfTheObjectThatRestedLongestIsForgottenFirst) {
  Sequencers known(2);
  known.dealt_with({"b", "1", "05"});
  known.dealt_with({"b", "2", "05"});
  known.dealt_with({"b", "1", "06"});
  known.dealt_with({"b", "3", "05"});
  EXPECT_EQ(known.size(), 2u);
  EXPECT_TRUE(known.knows({"b", "1", "06"}));
  EXPECT_FALSE(known.knows({"b", "2", "05"}));
  EXPECT_TRUE(known.knows({"b", "3", "05"}));
}

// ---- CloudFormation

constexpr const char* kStack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-prod/1";
std::string stack(const std::string& status, const std::string& physical = kStack,
                  const std::string& type = "AWS::CloudFormation::Stack") {
  return std::string("StackId='") + kStack +
         "'\nTimestamp='2026-11-21T04:00:00.123Z'\nEventId='e'\nLogicalResourceId='shop-prod'\n"
         "Namespace='123456789012'\nPhysicalResourceId='" +
         physical +
         "'\nPrincipalId='p'\nResourceProperties='{\n \"Name\": \"it's\",\n \"B\": ''\n}'\nResourceStatus='" + status +
         "'\nResourceStatusReason=''\nResourceType='" + type + "'\nStackName='shop-prod'\nClientRequestToken='null'\n";
}

TEST(StackEvent, OfAStackThatIsDoneFitsRulesByItsKeys) {
  EXPECT_THAT(targets(stack("UPDATE_COMPLETE"), "", configured(kRules)), UnorderedElementsAre("*"));
  EXPECT_THAT(targets(stack("UPDATE_ROLLBACK_COMPLETE"), "", configured(kRules)),
              UnorderedElementsAre("unmatched: CloudFormation UPDATE_ROLLBACK_COMPLETE of stack shop-prod"));
}

TEST(StackEvent, OfAResourceOrOnTheWayIsNothing) {
  for (const auto& text :
       {stack("UPDATE_IN_PROGRESS"), stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        stack("UPDATE_COMPLETE", "my-bucket", "AWS::S3::Bucket"), stack("UPDATE_COMPLETE", "arn:of:a:nested:stack")}) {
    EXPECT_THAT(targets(text, "", configured(kRules)),
                UnorderedElementsAre("nothing: CloudFormation is not done with the stack"));
  }
}

TEST(StackEvent, ThatIsMalformedIsAnError) {
  for (const std::string& text : {std::string("StackId='a'\nfree text\n"), std::string("StackId='a"),
                                  stack("X") + "ResourceStatus='UPDATE_COMPLETE'\n"}) {
    EXPECT_THAT(targets(text).front(), HasSubstr("error: a CloudFormation notification")) << text;
  }
}

} // namespace
} // namespace verge::control
