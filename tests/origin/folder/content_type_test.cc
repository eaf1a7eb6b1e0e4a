#include "origin/folder/content_type.h"

#include <gtest/gtest.h>

namespace verge::origin {

TEST(ContentType, IsToldByTheExtension) {
  EXPECT_EQ(content_type("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type("a/b.css"), "text/css; charset=utf-8");
  EXPECT_EQ(content_type("app.min.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type("m.mjs"), "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type("x.json"), "application/json");
  EXPECT_EQ(content_type("x.woff2"), "font/woff2");
  EXPECT_EQ(content_type("x.wasm"), "application/wasm");
  EXPECT_EQ(content_type("x.svg"), "image/svg+xml; charset=utf-8");
  EXPECT_EQ(content_type("x.7z"), "application/x-7z-compressed"); // first of the table
  EXPECT_EQ(content_type("x.zst"), "application/zstd");           // last of it
}

TEST(ContentType, DoesNotLookAtCase) { EXPECT_EQ(content_type("PHOTO.JPG"), "image/jpeg"); }

TEST(ContentType, OfTheUnknownIsOctets) {
  EXPECT_EQ(content_type("LICENSE"), "application/octet-stream");
  EXPECT_EQ(content_type("x.unheardofextension-longer-than-any"), "application/octet-stream");
  EXPECT_EQ(content_type("x."), "application/octet-stream");
  EXPECT_EQ(content_type("a.html/raw"), "application/octet-stream"); // the folder's name tells nothing
}

TEST(ContentHash, IsSeenInWhatBundlersWrite) {
  for (const char* name :
       {"app.3f9a1c2b.js", "index-BfX3k9aQ.js", "assets/index-BfX3k9aQ.css", "main.8f2d1c0b.chunk.js",
        "runtime.0123456789abcdef0123.js", "vendor.3f9a1c2b.js.map", "logo.9c1fe0aa.png", "chunk-5QKXJQ2Z.js"}) {
    EXPECT_TRUE(has_content_hash(name)) << name;
  }
}

TEST(ContentHash, IsNotSeenInDatesVersionsAndWords) {
  for (const char* name : {"report-20240131.pdf", "app.js", "jquery-3.7.1.min.js", "facade12.js",
                           "Open-Sans-SemiBold.woff2", "photo-Version2.png", "icon-Version2.svg", "deadbeef1",
                           "a.decade99/b.js", "talk-H264Clip.mp4", "report-Q3Summary.js"}) {
    EXPECT_FALSE(has_content_hash(name)) << name;
  }
}

TEST(CacheControl, KeepsHashedNamesForAYear) {
  EXPECT_EQ(cache_control("assets/app.3f9a1c2b.js"), "public, max-age=31536000, immutable");
}

TEST(CacheControl, AsksForHtmlEachTimeEvenIfItsNameCarriesAHash) {
  EXPECT_EQ(cache_control("index.html"), "public, max-age=0, must-revalidate");
  EXPECT_EQ(cache_control("page.3f9a1c2b.html"), "public, max-age=0, must-revalidate");
}

TEST(CacheControl, KeepsAllElseForAMinute) { EXPECT_EQ(cache_control("logo.png"), "public, max-age=60"); }

} // namespace verge::origin
