// A program run beside the test and ended with it.
#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <stdexcept>
#include <string>
#include <vector>

namespace verge::origin {

class ChildProcess {
 public:
  // `environment` entries ("NAME=value") are added to ours. Standard output can be read line by line.
  explicit ChildProcess(std::vector<std::string> command, const std::vector<std::string>& environment = {}) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> args;
    for (std::string& arg : command) args.push_back(arg.data());
    args.push_back(nullptr);
    std::vector<char*> variables;
    for (char** v = environ; *v != nullptr; ++v) variables.push_back(*v);
    for (const std::string& v : environment) variables.push_back(const_cast<char*>(v.c_str()));
    variables.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execvpe(args[0], args.data(), variables.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
    if (pid_ < 0) throw std::runtime_error("no process");
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      wait();
    }
    ::close(out_);
  }
  // "" when there is no more.
  std::string read_line() {
    std::string line;
    char c = 0;
    while (::read(out_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

} // namespace verge::origin
