#include "origin/aws/encoding.h"

#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

TEST(PercentEncode, LeavesOnlyUnreservedOctetsAsTheyAre) {
  EXPECT_EQ(percent_encode("aZ09-._~", false), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b+*'()!\xc3\xbc/%", true), "a%20b%2B%2A%27%28%29%21%C3%BC/%25");
  EXPECT_EQ(percent_encode("a/b", false), "a%2Fb");
}

TEST(PercentDecode, ResolvesWhatIsWellFormedAndKeepsTheRest) {
  EXPECT_EQ(percent_decode("a%20b%2fc%C3%BC"), "a b/c\xc3\xbc");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%2"), "%2");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(Base64, GivesTheVectorsOfRfc4648BothWays) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xff\xfe\xfb", "//77"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
}

TEST(Base64, TakesMissingPaddingButNothingElse) {
  EXPECT_EQ(base64_decode("Zg"), "f");
  EXPECT_EQ(base64_decode("Zm8"), "fo");
  for (const std::string_view bad : {"Z", "Zg=", "Z===", "Zm9v\n", "Zm-v", "Zg==Zg==", "hello, world"}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
}

TEST(Utf8, IsCheckedToTheLetter) {
  for (const std::string_view good :
       {"", "abc", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good));
  }
  for (const std::string_view bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "a\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

} // namespace
} // namespace verge::origin::aws
