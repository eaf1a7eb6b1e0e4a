#include "proxy/control/sns_events.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace verge::control {
namespace {

using cache::Target;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

// "=" and a path for an exact target, "~" for a pattern, "#" for a tag, "*" for all.
std::vector<std::string> targets(std::string_view text, std::string_view prefix = "") {
  const auto meant = interpret_notification(text, prefix);
  if (!meant) return {"error: " + meant.error().what};
  if (!meant->command) return {"nothing: " + meant->reason};
  std::vector<std::string> out;
  for (const auto& t : meant->command->targets) {
    constexpr std::string_view kMarks = "*=~#"; // in the order of Target::Kind
    out.push_back(std::string(1, kMarks[size_t(t.kind)]) + t.host + t.value);
  }
  return out;
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
  EXPECT_THAT(targets(records({record("ObjectRemoved:Delete", "docs/index.html")})),
              UnorderedElementsAre("=/docs/index.html", "~/docs/index.html?*", "=/docs/", "~/docs/?*"));
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
  EXPECT_THAT(targets(records({record("Send", "a", "aws:ses")})), UnorderedElementsAre("nothing: records of aws:ses"));
  EXPECT_THAT(targets(R"({"Records":["x", 1, null, []]})"), UnorderedElementsAre("nothing: records of no source"));
  EXPECT_THAT(targets(R"({"Records":[]})"), UnorderedElementsAre("nothing: S3 events that change nothing served here"));
}

TEST(OurMessage, PurgesPathsPatternsAndTags) {
  EXPECT_THAT(targets(R"({"paths": ["/index.html", "/img/*", "https://WWW.example.com/a?b"], "tags": ["Home"]})"),
              UnorderedElementsAre("=/index.html", "~/img/*", "=www.example.com/a?b", "#home"));
  EXPECT_THAT(targets(R"({"all": true})"), UnorderedElementsAre("*"));
  EXPECT_TRUE(interpret_notification(R"({"paths": ["/a"], "soft": true})", "")->command->soft);
  EXPECT_FALSE(interpret_notification(R"({"paths": ["/a"]})", "")->command->soft);
}

TEST(OurMessage, MalformedIsAnError) {
  for (const char* text : {R"({"paths": "/a"})", R"({"paths": []})", R"({"paths": ["a b"]})", R"({"tags": [1]})",
                           R"({"all": 1})", R"({"paths": ["/a"], "sort": true})", R"({"all": false})"}) {
    EXPECT_THAT(targets(text).front(), HasSubstr("error: ")) << text;
  }
}

TEST(OtherMessage, IsNothing) {
  for (const char* text : {"", "hello", "[]", "{}", "1", R"({"source":"aws.s3","detail":{}})", "StackId='x'\n"}) {
    EXPECT_THAT(targets(text).front(), HasSubstr("nothing: ")) << text;
  }
  EXPECT_THAT(targets(std::string(1 << 20, '[')).front(), HasSubstr("nothing: "));
}

} // namespace
} // namespace verge::control
