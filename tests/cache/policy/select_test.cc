#include "cache/policy/select.h"

#include <gtest/gtest.h>

#include "cache/policy/vary.h"
#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

// A response that was fetched with `first`, before a request with `second`.
bool answers(const std::vector<std::string>& fields, const Lines& first, const Lines& response, const Lines& second) {
  return selects(fields, vary_key(fields, headers_of(first)), headers_of(response), headers_of(second));
}

bool language(std::string_view first, std::string_view content, std::string_view second) {
  return answers({"accept-language"}, {{"accept-language", first}}, {{"content-language", content}},
                 {{"accept-language", second}});
}

TEST(Selects, WithoutVaryEveryRequestIsAnswered) { EXPECT_TRUE(answers({}, {{"a", "1"}}, {}, {{"a", "2"}})); }

TEST(Selects, ARequestThatSaysTheSameIsAnswered) {
  EXPECT_TRUE(answers({"a", "b"}, {{"a", "1"}, {"b", "2"}}, {}, {{"b", "2"}, {"a", "1"}, {"c", "3"}}));
  EXPECT_FALSE(answers({"a", "b"}, {{"a", "1"}, {"b", "2"}}, {}, {{"a", "1"}, {"b", "3"}}));
  EXPECT_FALSE(answers({"a", "b"}, {{"a", "1"}, {"b", "2"}}, {}, {{"a", "1"}}));
}

TEST(Selects, TheLanguageThatTheClientLikesBestAnswersWhateverElseItNames) {
  EXPECT_TRUE(language("en, de", "de", "fr;q=0.5, de;q=1.0"));
  EXPECT_TRUE(language("en, de", "DE", "de"));
  EXPECT_TRUE(language("de-AT", "de-at", "de-AT, de;q=0.9, *;q=0.1"));
  EXPECT_TRUE(language("en, de", "de", "de;q=0.3, en;q=0.2"));
}

TEST(Selects, AnAmbiguousOrOtherWishForALanguageIsNotAnswered) {
  EXPECT_FALSE(language("en, de", "de", "de, fr"));
  EXPECT_FALSE(language("en, de", "de", "de, *"));
  EXPECT_FALSE(language("en, de", "de", "de;q=0.5, fr"));
  EXPECT_FALSE(language("en, de", "de", "*"));
  EXPECT_FALSE(language("en, de", "de", "de-AT"));
  EXPECT_FALSE(language("en, de", "de-AT", "de"));
  EXPECT_FALSE(language("en, de", "de", "de;q=0"));
  EXPECT_FALSE(language("en, de", "de", "de;q=2"));
  EXPECT_FALSE(language("en, de", "de", "de;x=y"));
  EXPECT_FALSE(answers({"accept-language"}, {{"accept-language", "de"}}, {{"content-language", "de"}}, {}));
}

TEST(Selects, AResponseForSeveralLanguagesOrNoneAnswersOnlyTheSameWords) {
  EXPECT_FALSE(language("en, de", "de, en", "de"));
  EXPECT_FALSE(language("en, de", "", "de"));
  EXPECT_TRUE(language("en, de", "de, en", "de,en"));
}

TEST(Selects, EveryFieldMustBeSettled) {
  const std::vector<std::string> fields = {"accept-language", "cookie"};
  const Lines first = {{"accept-language", "en, de"}, {"cookie", "a=1"}}, response = {{"content-language", "de"}};
  EXPECT_TRUE(answers(fields, first, response, {{"accept-language", "de"}, {"cookie", "a=1"}}));
  EXPECT_FALSE(answers(fields, first, response, {{"accept-language", "de"}, {"cookie", "a=2"}}));
  EXPECT_FALSE(answers(fields, first, response, {{"accept-language", "fr"}, {"cookie", "a=1"}}));
}

bool type(std::string_view first, std::string_view content, std::string_view second) {
  return answers({"accept"}, {{"accept", first}}, {{"content-type", content}}, {{"accept", second}});
}

TEST(Selects, TheTypeThatTheClientLikesBestAnswers) {
  EXPECT_TRUE(type("application/json, text/plain", "application/json; charset=utf-8", "Application/JSON, */*;q=0.1"));
  EXPECT_TRUE(type("*/*", "text/html", "text/html"));
  EXPECT_FALSE(type("*/*", "text/html", "text/html, application/xml"));
  EXPECT_FALSE(type("*/*", "text/html", "text/*"));
  EXPECT_FALSE(type("*/*", "text/html; profile=a", "text/html")) << "there may be other profiles";
  EXPECT_FALSE(type("*/*", "text/html", "text/html;level=1"));
  EXPECT_FALSE(type("*/*", "text/html", "text/html;q=0"));
}

TEST(Selects, AcceptIsComparedWithoutCaseSpacesAndOrder) {
  EXPECT_TRUE(type("text/html, image/webp;q=0.9", "", "IMAGE/webp ; q=0.900,text/HTML"));
  EXPECT_TRUE(type("text/html;Level=1;q=0.5", "", "text/html; level=1; Q=0.50"));
  EXPECT_FALSE(type("text/html;level=1", "", "text/html;level=2"));
  EXPECT_FALSE(type("text/html;profile=A", "", "text/html;profile=a"));
  EXPECT_FALSE(type("text/html, image/webp;q=0.9", "", "text/html, image/webp;q=0.8"));
  EXPECT_FALSE(type(R"(text/html;p="a;q=0.5")", "", "text/html;q=0.5"));
}

bool coding(std::string_view first, std::string_view content, std::string_view second) {
  http::Headers response;
  if (!content.empty()) response.add("content-encoding", content);
  const std::vector<std::string> fields = {"accept-encoding"};
  return selects(fields, vary_key(fields, headers_of({{"accept-encoding", first}})), response,
                 headers_of({{"accept-encoding", second}}));
}

TEST(Selects, ACodingAnswersWhoTakesItAndNothingThatTheFirstDidNot) {
  EXPECT_TRUE(coding("gzip, deflate, br, zstd", "gzip", "gzip, deflate"));
  EXPECT_TRUE(coding("gzip, deflate, br, zstd", "gzip", "gzip"));
  EXPECT_TRUE(coding("gzip, br", "x-gzip", "gzip"));
  EXPECT_FALSE(coding("gzip", "gzip", "gzip, br")) << "br might be sent";
  EXPECT_FALSE(coding("gzip, deflate, br", "br", "gzip, deflate"));
  EXPECT_FALSE(coding("gzip, br", "gzip", "br;q=0.5, identity"));
  EXPECT_TRUE(coding("gzip, br, dcb", "dcb", "gzip, dcb"));
  EXPECT_FALSE(coding("gzip, br", "gzip, br", "gzip")) << "two codings on top of one another";
}

TEST(Selects, TheCodingThatTheClientLikesBestAnswers) {
  EXPECT_TRUE(coding("gzip", "gzip", "gzip, br;q=0.5"));
  EXPECT_TRUE(coding("gzip", "gzip", "gzip;q=0.3, *;q=0"));
  EXPECT_FALSE(coding("gzip, br, zstd", "gzip", "gzip;q=0.5, br")) << "it likes br better";
}

TEST(Selects, WhatWasSentUncodedToOneWhoTakesCodingsAnswersThoseWhoTakeFewer) {
  EXPECT_TRUE(coding("gzip, deflate, br, zstd", "", "gzip"));
  EXPECT_TRUE(coding("gzip, deflate, br, zstd", "", ""));
  EXPECT_TRUE(coding("gzip, deflate, br, zstd", "", "identity"));
  EXPECT_TRUE(answers({"accept-encoding"}, {{"accept-encoding", "gzip"}}, {}, {}));
  EXPECT_FALSE(coding("gzip", "", "gzip, br"));
  EXPECT_FALSE(coding("", "", "gzip"));
  EXPECT_FALSE(answers({"accept-encoding"}, {}, {}, {{"accept-encoding", "gzip"}}));
  EXPECT_FALSE(answers({"accept-encoding"}, {}, {{"content-encoding", "gzip"}}, {{"accept-encoding", "gzip, br"}}));
}

TEST(Selects, NobodyIsGivenWhatHeRefuses) {
  EXPECT_FALSE(coding("gzip, br", "", "gzip, identity;q=0"));
  EXPECT_FALSE(coding("gzip, br", "", "gzip, *;q=0"));
  EXPECT_FALSE(coding("gzip, br", "gzip", "br, gzip;q=0"));
  EXPECT_FALSE(coding("gzip, identity;q=0", "gzip", "br"));
  EXPECT_FALSE(coding("gzip, identity;q=0", "gzip", "")) << "gzip was forced";
  EXPECT_FALSE(answers({"accept-encoding"}, {{"accept-encoding", "gzip"}}, {{"content-encoding", "gzip"}}, {}));
}

TEST(Selects, AStarIsOnlyTheSameAsAStar) {
  EXPECT_FALSE(coding("*", "gzip", "gzip, br"));
  EXPECT_FALSE(coding("gzip, br", "gzip", "*"));
  EXPECT_TRUE(coding("*", "gzip", "*"));
}

TEST(Offers, AreALineForEachFieldAndNothingWhereThereAreNone) {
  const auto response = headers_of({{"content-language", "De"}, {"content-encoding", "gzip"}});
  EXPECT_EQ(offers({"accept-encoding", "accept-language", "cookie"}, "+br,gzip\n+de,en\n-", response),
            "gzip br,gzip\nde\n");
  EXPECT_EQ(offers({"cookie", "x-a"}, "-\n-", response), "");
  EXPECT_EQ(offers({"accept-encoding"}, "-", response), "gzip");
  EXPECT_EQ(offers({"accept-language"}, "-", headers_of({{"content-language", std::string(200, 'a')}})), "");
}

TEST(Offers, AsTheyAreKeptTellTheSameAsTheHead) {
  const std::vector<std::string> fields = {"accept", "accept-encoding", "accept-language"};
  const auto response = headers_of({{"content-type", "text/html"}, {"content-language", "de"}});
  const auto request = headers_of({{"accept", "text/html"}, {"accept-encoding", "br"}, {"accept-language", "de"}});
  std::string_view lines = "";
  const std::string text = offers(fields, "+*/*\n+br,gzip\n+de,en", response);
  lines = text;
  Asker asker(request);
  for (const auto& field : fields) EXPECT_TRUE(asker.settles(field, take_line(lines))) << field;
  EXPECT_FALSE(asker.settles("cookie", "a"));
  EXPECT_FALSE(asker.settles("accept", ""));
}

TEST(Asker, KeepsListsOfFieldsApart) {
  const auto request = headers_of({{"a", "1"}, {"b", "2"}});
  Asker asker(request);
  EXPECT_TRUE(asker.selects({"a"}, "+1", {}));
  EXPECT_FALSE(asker.selects({"b"}, "+1", {}));
  EXPECT_TRUE(asker.selects({"a", "b"}, "+1\n+2", {}));
  EXPECT_TRUE(asker.selects({"a"}, "+1", {}));
}

} // namespace
} // namespace verge::policy
