#include "origin/folder/folder_origin.h"

#include <sys/stat.h>

#include "tests/origin/support/loop_harness.h"
#include "tests/origin/support/temp_folder.h"

namespace verge::origin {

namespace {

class FolderOriginTest : public LoopHarness {
 protected:
  FolderOriginTest() {
    config::Origin options;
    options.name = "dir";
    options.type = config::OriginType::folder;
    options.path = folder_.path();
    origin_ = std::move(*make_origin(options, context()));
  }
  RecordingSink ask(FetchRequest request) {
    RecordingSink sink;
    const auto fetch = origin_->fetch(std::move(request), sink);
    EXPECT_FALSE(sink.head) << "told inside fetch()";
    EXPECT_TRUE(run_until_over(sink));
    return sink;
  }
  RecordingSink ask(const std::string& path) { return ask(get(path)); }
  int status(const std::string& path) {
    const auto sink = ask(path);
    return sink.head ? sink.head->status : 0;
  }

  TempFolder folder_;
  std::unique_ptr<Origin> origin_;
};

std::string octets(size_t n) {
  std::string out(n, '\0');
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<char>('a' + i * 31 % 26 + (i >> 16));
  return out;
}

} // namespace

TEST_F(FolderOriginTest, AnswersAFileWithItsTypeLengthAndValidators) {
  folder_.write("a/app.css", "body{}");
  const auto sink = ask("/a/app.css");
  ASSERT_TRUE(sink.head);
  EXPECT_EQ(sink.head->status, 200);
  EXPECT_EQ(sink.head->content_length, 6U);
  EXPECT_EQ(sink.body, "body{}");
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.field("content-type"), "text/css; charset=utf-8");
  EXPECT_EQ(sink.field("cache-control"), "public, max-age=60");
  EXPECT_TRUE(sink.field("etag").starts_with('"'));
  EXPECT_TRUE(sink.field("last-modified").ends_with(" GMT"));
}

TEST_F(FolderOriginTest, GivesALargeFileWholeInPieces) {
  const std::string all = octets(300'001);
  folder_.write("big.bin", all);
  const auto sink = ask("/big.bin");
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.body, all);
  EXPECT_EQ(sink.data_calls, 5);
}

TEST_F(FolderOriginTest, GivesAnEmptyFile) {
  folder_.write("empty.txt", "");
  const auto sink = ask("/empty.txt");
  EXPECT_EQ(sink.head->status, 200);
  EXPECT_EQ(sink.head->content_length, 0U);
  EXPECT_TRUE(sink.ended);
}

TEST_F(FolderOriginTest, AnswersHeadWithTheSameHeadAndNoOctets) {
  folder_.write("a.txt", "hello");
  auto request = get("/a.txt");
  request.head.method = "HEAD";
  const auto sink = ask(std::move(request));
  EXPECT_EQ(sink.head->status, 200);
  EXPECT_EQ(sink.head->content_length, 5U);
  EXPECT_EQ(sink.body, "");
  EXPECT_TRUE(sink.ended);
}

TEST_F(FolderOriginTest, TakesNothingButGetAndHead) {
  EXPECT_TRUE(origin_->allows("GET"));
  EXPECT_TRUE(origin_->allows("HEAD"));
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) EXPECT_FALSE(origin_->allows(method));
}

TEST_F(FolderOriginTest, AnswersAFolderWithItsIndex) {
  folder_.write("docs/index.html", "<p>docs");
  const auto sink = ask("/docs/");
  EXPECT_EQ(sink.body, "<p>docs");
  EXPECT_EQ(sink.field("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(sink.field("cache-control"), "public, max-age=0, must-revalidate");
}

TEST_F(FolderOriginTest, SendsAFolderWithoutSlashToTheFormWithIt) {
  folder_.write("a b/index.html", "x");
  auto request = get("/a%20b");
  request.head.query = "q=1";
  request.head.has_query = true;
  const auto sink = ask(std::move(request));
  EXPECT_EQ(sink.head->status, 301);
  EXPECT_EQ(sink.field("location"), "/a%20b/?q=1");
}

TEST_F(FolderOriginTest, NeverSendsToAnotherHost) {
  folder_.write("evil.example/index.html", "x");
  EXPECT_EQ(status("//evil.example"), 404);
}

TEST_F(FolderOriginTest, AnswersWhatIsMissingWithAShortPage) {
  const auto sink = ask("/nothing");
  EXPECT_EQ(sink.head->status, 404);
  EXPECT_EQ(sink.body, "404 Not Found\n");
  EXPECT_EQ(sink.head->content_length, sink.body.size());
}

TEST_F(FolderOriginTest, AnswersWhatIsMissingWithTheFoldersOwnPage) {
  folder_.write("404.html", "<h1>lost");
  const auto sink = ask("/a/nothing");
  EXPECT_EQ(sink.head->status, 404);
  EXPECT_EQ(sink.body, "<h1>lost");
  EXPECT_EQ(sink.field("content-type"), "text/html; charset=utf-8");
  EXPECT_FALSE(sink.head->headers.has("etag")); // it is not a version of what was asked for
}

TEST_F(FolderOriginTest, DoesNotTakeAFileForAFolder) {
  folder_.write("a.html", "x");
  EXPECT_EQ(status("/a.html/"), 404);
  EXPECT_EQ(status("/a.html/b"), 404);
}

TEST_F(FolderOriginTest, FollowsALinkInsideAndNoneThatLeadsOut) {
  TempFolder other;
  other.write("secret.txt", "secret");
  folder_.write("v2/app.js", "2");
  std::filesystem::create_symlink("v2", folder_.path("current"));
  std::filesystem::create_symlink(other.path("secret.txt"), folder_.path("absolute.txt"));
  std::filesystem::create_symlink("../" + std::filesystem::path(other.path()).filename().string() + "/secret.txt",
                                  folder_.path("relative.txt"));
  std::filesystem::create_symlink(other.path(), folder_.path("folder"));
  std::filesystem::create_symlink("loop", folder_.path("loop"));
  EXPECT_EQ(ask("/current/app.js").body, "2");
  for (const char* path : {"/absolute.txt", "/relative.txt", "/folder/secret.txt", "/folder", "/loop"}) {
    EXPECT_EQ(status(path), 404) << path;
  }
}

TEST_F(FolderOriginTest, DoesNotHangOnAFifo) {
  ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(status("/pipe"), 404);
}

TEST_F(FolderOriginTest, SeesTheNextReleaseWhenTheRootIsALinkThatIsTurned) {
  folder_.write("r1/index.html", "one");
  folder_.write("r2/index.html", "two");
  std::filesystem::create_symlink("r1", folder_.path("live"));
  config::Origin options;
  options.type = config::OriginType::folder;
  options.path = folder_.path("live");
  origin_ = std::move(*make_origin(options, context()));
  EXPECT_EQ(ask("/").body, "one");
  std::filesystem::create_symlink("r2", folder_.path("next"));
  std::filesystem::rename(folder_.path("next"), folder_.path("live"));
  EXPECT_EQ(ask("/").body, "two");
}

TEST_F(FolderOriginTest, Answers304ToItsOwnValidators) {
  folder_.write("a.txt", "hello");
  const auto first = ask("/a.txt");
  auto request = get("/a.txt");
  request.head.headers.add("if-none-match", first.field("etag"));
  const auto by_tag = ask(std::move(request));
  EXPECT_EQ(by_tag.head->status, 304);
  EXPECT_EQ(by_tag.body, "");
  EXPECT_EQ(by_tag.field("etag"), first.field("etag"));
  EXPECT_EQ(by_tag.field("cache-control"), "public, max-age=60");
  EXPECT_TRUE(by_tag.ended);
  request = get("/a.txt");
  request.head.headers.add("if-modified-since", first.field("last-modified"));
  EXPECT_EQ(ask(std::move(request)).head->status, 304);
}

TEST_F(FolderOriginTest, GivesAnotherTagToAFileRenamedOverTheOld) {
  folder_.write("a.txt", "hello");
  const auto before = ask("/a.txt").field("etag");
  const auto time = std::filesystem::last_write_time(folder_.path("a.txt"));
  folder_.write("new.txt", "world");
  std::filesystem::last_write_time(folder_.path("new.txt"), time);
  std::filesystem::rename(folder_.path("new.txt"), folder_.path("a.txt"));
  EXPECT_NE(ask("/a.txt").field("etag"), before);
}

TEST_F(FolderOriginTest, IgnoresRangeBecauseTheWholeIsARightAnswer) {
  folder_.write("a.txt", "hello");
  auto request = get("/a.txt");
  request.head.headers.add("range", "bytes=1-2");
  const auto sink = ask(std::move(request));
  EXPECT_EQ(sink.head->status, 200);
  EXPECT_EQ(sink.body, "hello");
}

TEST_F(FolderOriginTest, StopsWhilePausedAndGoesOnAfterwards) {
  const std::string all = octets(200'000);
  folder_.write("big.bin", all);
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/big.bin"), sink);
  sink.at_data = [&] { fetch->pause(); };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  settle();
  EXPECT_EQ(sink.data_calls, 1);
  for (int piece = 2; piece <= 4; ++piece) {
    fetch->resume();
    settle();
    EXPECT_EQ(sink.data_calls, piece);
  }
  EXPECT_FALSE(sink.ended);
  fetch->resume();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, all);
}

TEST_F(FolderOriginTest, LetsOtherWorkRunBetweenThePieces) {
  folder_.write("big.bin", octets(1'000'000));
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/big.bin"), sink);
  int others = 0;
  sink.at_data = [&] { loop_->post([&] { ++others; }); };
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_GE(others, sink.data_calls - 1);
}

TEST_F(FolderOriginTest, SaysNothingMoreOnceTheFetchIsGone) {
  folder_.write("big.bin", octets(200'000));
  RecordingSink sink;
  auto fetch = origin_->fetch(get("/big.bin"), sink);
  sink.at_data = [&] { fetch.reset(); };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  settle();
  EXPECT_EQ(sink.data_calls, 1);
  EXPECT_FALSE(sink.over());
}

TEST_F(FolderOriginTest, DoesNotCompleteAFileThatWasCutWhileRead) {
  const std::string all = octets(200'000);
  folder_.write("big.bin", all);
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/big.bin"), sink);
  sink.at_data = [&] {
    if (sink.data_calls == 1) std::filesystem::resize_file(folder_.path("big.bin"), 100'000);
  };
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_FALSE(sink.ended);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_EQ(sink.error_text(), "origin dir: /big.bin: changed while it was read");
}

TEST_F(FolderOriginTest, DoesNotGiveTheLastOctetsOfAFileThatWasWrittenOverWhileRead) {
  const std::string all = octets(200'000);
  folder_.write("big.bin", all);
  std::filesystem::last_write_time(folder_.path("big.bin"), std::filesystem::file_time_type::clock::now() - Seconds(9));
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/big.bin"), sink);
  sink.at_data = [&] {
    if (sink.data_calls == 1) folder_.write("big.bin", std::string(200'000, 'x'));
  };
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_FALSE(sink.ended);
  EXPECT_LT(sink.body.size(), all.size());
}

TEST_F(FolderOriginTest, CompletesAFileThatWasReplacedByRenameWhileRead) {
  const std::string all = octets(200'000);
  folder_.write("big.bin", all);
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/big.bin"), sink);
  sink.at_data = [&] {
    if (sink.data_calls != 1) return;
    folder_.write("new.bin", "new");
    std::filesystem::rename(folder_.path("new.bin"), folder_.path("big.bin"));
  };
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.body, all);
}

TEST_F(FolderOriginTest, IsNotMadeOfAFolderThatIsMissingOrNone) {
  folder_.write("file", "x");
  for (const char* name : {"missing", "file"}) {
    config::Origin options;
    options.name = "dir";
    options.type = config::OriginType::folder;
    options.path = folder_.path(name);
    const auto made = make_origin(options, context());
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, Errc::config);
    EXPECT_TRUE(made.error().what.starts_with("origins.dir.path: ")) << made.error().what;
  }
}

} // namespace verge::origin
