#include "proxy/base/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace verge::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// Sends the log to a file for the length of a test.
class Log : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open(path_, Level::info)); }
  void TearDown() override {
    ASSERT_TRUE(open("", Level::info));
    std::filesystem::remove(path_);
  }
  std::string written() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("verge-log-" + std::to_string(::getpid()))).string();
};

TEST_F(Log, ALineHasTimeLevelPartAndText) {
  info("tls", "certificate {} loaded", "a.pem");
  EXPECT_THAT(written(), MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[.][0-9]+Z info tls: "
                                      "certificate a.pem loaded\n"));
}

TEST_F(Log, ControlCharactersCanNotForgeALine) {
  warn("http", "host {}", "a\r\n2026-01-01T00:00:00.000Z info http: all is well\x1b[2K\x7f");
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("host a\\x0d\\x0a2026"));
  EXPECT_THAT(text, HasSubstr("well\\x1b[2K\\x7f\n"));
}

TEST_F(Log, TextBeyondAsciiStays) {
  info("sns", "Zürich");
  EXPECT_THAT(written(), HasSubstr("sns: Zürich\n"));
}

TEST_F(Log, LinesBelowTheLevelAreNotWritten) {
  debug("net", "quiet");
  EXPECT_EQ(written(), "");
  ASSERT_TRUE(open(path_, Level::error));
  warn("net", "quiet");
  error("net", "loud");
  EXPECT_THAT(written(), HasSubstr("error net: loud\n"));
  EXPECT_FALSE(enabled(Level::warn));
}

TEST_F(Log, LinesOfSeveralThreadsDoNotMix) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < 200; ++n) info("test", "{}", std::string(300, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  std::istringstream lines(written());
  size_t whole = 0;
  for (std::string line; std::getline(lines, line);) whole += line.ends_with(": " + std::string(300, 'x')) ? 1 : 0;
  EXPECT_EQ(whole, 800u);
}

TEST_F(Log, AFileThatCanNotBeOpenedIsAnError) {
  const auto opened = open("/nonexistent/error.log", Level::info);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::config);
  EXPECT_THAT(opened.error().what, HasSubstr("open /nonexistent/error.log: No such file or directory"));
}

} // namespace
} // namespace verge::log
