#include "origin/folder/file_path.h"

#include <gtest/gtest.h>

namespace verge::origin {

TEST(FilePath, IsTheUrlPathWithoutItsSlash) {
  EXPECT_EQ(file_path("/a.css"), "a.css");
  EXPECT_EQ(file_path("/a/b/c.js"), "a/b/c.js");
}

TEST(FilePath, OfAFolderIsItsIndex) {
  EXPECT_EQ(file_path("/"), "index.html");
  EXPECT_EQ(file_path("/docs/"), "docs/index.html");
}

TEST(FilePath, HasItsEscapesUndoneOnce) {
  EXPECT_EQ(file_path("/a%20b/%C3%A9.txt"), "a b/\xC3\xA9.txt");
  EXPECT_EQ(file_path("/%2541"), "%41");
  EXPECT_EQ(file_path("/%41%62"), "Ab");
}

TEST(FilePath, IsNoneForABrokenEscape) {
  for (const char* path : {"/%", "/%4", "/a%zz", "/%4/x", "/%g1"}) EXPECT_EQ(file_path(path), std::nullopt) << path;
}

TEST(FilePath, IsNoneForEveryWayUp) {
  for (const char* path :
       {"/..", "/../etc/passwd", "/a/../../b", "/%2e%2e/b", "/.%2E/b", "/a/..", "/a/../", "/.", "/a/./b", "/%2e/b"}) {
    EXPECT_EQ(file_path(path), std::nullopt) << path;
  }
}

TEST(FilePath, IsNoneForASlashOrNulInDisguise) {
  for (const char* path : {"/a%2Fb", "/..%2f..%2fetc", "/a%00.html", "/%00"}) {
    EXPECT_EQ(file_path(path), std::nullopt) << path;
  }
}

TEST(FilePath, IsNoneForAnEmptySegmentSoThatOneFileHasOneAddress) {
  for (const char* path : {"//", "//evil.example/", "/a//b", "/a//"}) EXPECT_EQ(file_path(path), std::nullopt) << path;
}

TEST(FilePath, IsNoneForHiddenNames) {
  for (const char* path : {"/.env", "/.git/config", "/a/.htpasswd", "/%2eenv", "/a/.well-known/x"}) {
    EXPECT_EQ(file_path(path), std::nullopt) << path;
  }
}

TEST(FilePath, ShowsWellKnownAtTheRoot) {
  EXPECT_EQ(file_path("/.well-known/security.txt"), ".well-known/security.txt");
}

TEST(FilePath, IsNoneForWhatIsNoPath) {
  EXPECT_EQ(file_path("*"), std::nullopt);
  EXPECT_EQ(file_path(""), std::nullopt);
  EXPECT_EQ(file_path("a"), std::nullopt);
}

} // namespace verge::origin
