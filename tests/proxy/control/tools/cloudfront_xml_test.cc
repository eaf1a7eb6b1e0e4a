#include "proxy/control/tools/cloudfront_xml.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string batch(const std::string& paths, const std::string& quantity = "1", const std::string& reference = "r-1") {
  return "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>" + reference +
         "</CallerReference><Paths><Quantity>" + quantity + "</Quantity><Items>" + paths +
         "</Items></Paths></InvalidationBatch>";
}
std::string code(const std::string& body) {
  const auto parsed = parse_batch(body);
  if (!parsed) return std::string(parsed.error().code);
  const auto targets = batch_targets(*parsed);
  return targets ? "" : std::string(targets.error().code);
}
std::vector<std::string> targets(const std::string& body) {
  std::vector<std::string> out;
  const auto targets = batch_targets(parse_batch(body).value()).value();
  for (const auto& target : targets) out.push_back(cache::to_text(target));
  return out;
}

TEST(CloudFrontXml, ReadsWhatTheCliSends) {
  const auto body = batch("<Path>/*</Path><Path>/a b/\xC3\xBC&amp;&lt;x&gt;.html</Path><Path>#product:TV</Path>", "3");
  const auto parsed = parse_batch(body);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->caller_reference, "r-1");
  EXPECT_THAT(parsed->items, ElementsAre("/*", "/a b/\xC3\xBC&<x>.html", "#product:TV"));
  EXPECT_THAT(targets(body), ElementsAre("/*", "/a%20b/%C3%BC&%3Cx%3E.html", "#product:tv"));
}

TEST(CloudFrontXml, ReadsWhatTheJavaScriptSdkSends) {
  EXPECT_THAT(targets("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + batch("<Path>/i.jpg*</Path>")),
              ElementsAre("/i.jpg*"));
  EXPECT_THAT(targets("<InvalidationBatch><Paths><Items><Path>/a</Path></Items><Quantity>1</Quantity></Paths>"
                      "<CallerReference>r</CallerReference></InvalidationBatch>"),
              ElementsAre("/a"))
      << "elements in another order, no namespace";
}

TEST(CloudFrontXml, BothSpellingsOfAPathAreOne) {
  EXPECT_EQ(targets(batch("<Path>/a b/\xC3\xBC</Path>")), targets(batch("<Path>/a%20b/%c3%bc</Path>")));
}

TEST(CloudFrontXml, SaysWhatIsWrongWithABatch) {
  EXPECT_EQ(code(""), "MissingBody");
  EXPECT_EQ(code("<InvalidationBatch>"), "MalformedXML");
  EXPECT_EQ(code("{}"), "MalformedXML");
  EXPECT_EQ(code("<Other/>"), "MalformedXML");
  EXPECT_EQ(code(batch("<Path>/a</Path>", "2")), "InconsistentQuantities");
  EXPECT_EQ(code(batch("", "0")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/a</Path>", "one")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/a</Path>", "1", "")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>a</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path></Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/a*b</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/a**</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/%zz</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>#</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>#a,b</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>#a*</Path>")), "InvalidArgument") << "tags match exactly";
  EXPECT_EQ(code(batch("<Path>#" + std::string(257, 'x') + "</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/" + std::string(4'000, 'x') + "</Path>")), "InvalidArgument");
  EXPECT_EQ(code(batch("<Path>/" + std::string(3'999, 'x') + "</Path>")), "");
  std::string many;
  for (int i = 0; i < 3'001; ++i) many += "<Path>/a</Path>";
  EXPECT_EQ(code(batch(many, "3001")), "TooManyInvalidationsInProgress");
}

TEST(CloudFrontXml, ExpandsNoEntities) {
  EXPECT_EQ(code("<!DOCTYPE b [<!ENTITY a \"aaaa\">]>" + batch("<Path>/&a;</Path>")), "MalformedXML");
  EXPECT_EQ(code("<!DOCTYPE b SYSTEM \"file:///etc/passwd\">" + batch("<Path>/a</Path>")), "MalformedXML");
  EXPECT_THAT(parse_batch(batch("<Path>/&a;</Path>"))->items, ElementsAre("/&a;"));
}

TEST(CloudFrontXml, AnInvalidationIsWrittenSoThatItReadsBack) {
  const InvalidationBatch given{"r<&>", {"/a&b", "/\xC3\xBC", "#t"}};
  const auto text = invalidation_xml({"I1", "E1", given, WallTime(Millis(1'795'233'600'123)), 7, true});
  EXPECT_THAT(text, HasSubstr("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Invalidation xmlns=\"http://cloudfront."));
  EXPECT_THAT(text,
              HasSubstr("<Id>I1</Id><Status>Completed</Status><CreateTime>2026-11-21T04:00:00.123Z</CreateTime>"));
  const auto at = text.find("<InvalidationBatch>");
  const auto end = text.find("</Invalidation>");
  EXPECT_EQ(parse_batch(text.substr(at, end - at)), given);
}

TEST(CloudFrontXml, AListTellsWhereItGoesOn) {
  const CloudFrontRow row{"I1", "E1", {"r", {"/a"}}, {}, 1, false};
  const auto last = list_xml({&row}, "", "", 100);
  EXPECT_THAT(last,
              HasSubstr("<Marker/><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>1</Quantity>"));
  EXPECT_THAT(last, HasSubstr("<Items><InvalidationSummary><Id>I1</Id>"));
  EXPECT_THAT(last, HasSubstr("<Status>InProgress</Status>")) << "not all nodes have applied it";
  EXPECT_THAT(list_xml({&row}, "I0", "I1", 1),
              HasSubstr("<Marker>I0</Marker><NextMarker>I1</NextMarker><MaxItems>1</MaxItems><IsTruncated>true<"));
}

TEST(CloudFrontXml, AnErrorIsInTheFormThatClientsRead) {
  EXPECT_THAT(error_xml("AccessDenied", "no <way>", "rid"),
              HasSubstr("<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no &lt;way&gt;</Message></Error>"
                        "<RequestId>rid</RequestId></ErrorResponse>"));
}

} // namespace
} // namespace verge::control
