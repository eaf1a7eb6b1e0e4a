// Other programs for the tests: run to their end, or kept running and ended by their pid.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace verge::net {

struct TempDir {
  std::string path;
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "verge-net-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
};

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A running program. Its input is a pipe, both its outputs come by `out()`, a pipe too.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words) {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    EXPECT_EQ(::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0) << words[0];
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    close_input();
    ::close(out_);
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void say(std::string_view text) const { EXPECT_EQ(::write(in_, text.data(), text.size()), ssize_t(text.size())); }
  void close_input() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
  }
  // Reads on until `wanted` was said or the program ended; all that was said so far.
  const std::string& read_until(std::string_view wanted) {
    char part[4'096];
    while (said_.find(wanted) == std::string::npos) {
      const ssize_t n = ::read(out_, part, sizeof part);
      if (n <= 0) break;
      said_.append(part, static_cast<size_t>(n));
    }
    return said_;
  }
  // Reads to the end of its output and takes the exit status.
  const std::string& finish() {
    read_until("\x01 never said");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    pid_ = -1;
    return said_;
  }
  int exit_status = -1;

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string said_;
};

// Runs a program to its end with `input`.
inline std::string run_program(const std::vector<std::string>& words, std::string_view input = "") {
  Child child(words);
  child.say(input);
  child.close_input();
  return child.finish();
}

} // namespace verge::net
