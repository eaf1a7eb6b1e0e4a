#include "origin/aws/credentials.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "origin/aws/credentials_file.h"
#include "proxy/base/log.h"

namespace verge::origin::aws {
namespace {

constexpr size_t kMaxFile = 1 << 20;

class Fixed final : public CredentialsProvider {
 public:
  explicit Fixed(Credentials credentials) : held_(std::make_shared<const Credentials>(std::move(credentials))) {}
  Result<std::shared_ptr<const Credentials>> current(WallTime) override { return held_; }

 private:
  std::shared_ptr<const Credentials> held_;
};

// What tells that a file is another one than before.
struct Stamp {
  int64_t seconds = 0, nanos = 0, size = -1;
  uint64_t inode = 0;
  bool operator==(const Stamp&) const = default;
};

class SharedFile final : public CredentialsProvider {
 public:
  SharedFile(std::string path, std::string profile) : path_(std::move(path)), profile_(std::move(profile)) {}

  Result<std::shared_ptr<const Credentials>> current(WallTime now) override {
    if (held_ == nullptr || now - looked_ >= Seconds(1) || now < looked_) {
      looked_ = now;
      if (auto read = refresh(); !read) {
        if (held_ == nullptr) return std::unexpected(std::move(read.error()));
        if (read.error().what != told_) log::warn("aws", "{}; the keys read before stay in use", read.error().what);
        told_ = std::move(read.error().what);
      }
    }
    return held_;
  }

 private:
  // Error not_found: there is no file (to be told from a faulty one).
  Result<> refresh() {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      const int error = errno;
      stamp_ = {};
      const Errc code = error == ENOENT || error == ENOTDIR ? Errc::not_found : Errc::config;
      return fail(code, fmt::format("{}: {}", path_, std::strerror(error)));
    }
    auto result = read_file(fd);
    ::close(fd);
    return result;
  }

  Result<> read_file(int fd) {
    struct stat st{};
    if (::fstat(fd, &st) != 0) return fail(Errc::config, fmt::format("{}: {}", path_, std::strerror(errno)));
    if (!S_ISREG(st.st_mode)) return fail(Errc::config, fmt::format("{}: is not a file", path_));
    const Stamp stamp{st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_ino};
    if (stamp == stamp_) return {};
    stamp_ = stamp; // also of a faulty text: it is not parsed again until it changes
    std::string text;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(Errc::config, fmt::format("{}: {}", path_, std::strerror(errno)));
      if (n == 0) break;
      text.append(buffer, static_cast<size_t>(n));
      if (text.size() > kMaxFile) return fail(Errc::config, fmt::format("{}: is larger than 1 MiB", path_));
    }
    auto parsed = parse_credentials_file(text, profile_, path_);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    held_ = std::make_shared<const Credentials>(std::move(*parsed));
    told_.clear();
    return {};
  }

  std::string path_, profile_;
  std::shared_ptr<const Credentials> held_;
  Stamp stamp_;
  std::string told_; // the last fault, so that it is logged once and not every second
  WallTime looked_{};
};

std::string value_of(const Environment& environment, const char* name) {
  return environment(name).value_or(std::string());
}

} // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<std::unique_ptr<CredentialsProvider>> make_credentials_provider(const config::Credentials& configured,
                                                                       const Environment& environment, WallTime now) {
  if (!configured.access_key_id.empty() || !configured.secret_access_key.empty()) {
    if (configured.access_key_id.empty() || configured.secret_access_key.empty()) {
      return fail(Errc::config, fmt::format("credentials: {} is missing",
                                            configured.access_key_id.empty() ? "access_key_id" : "secret_access_key"));
    }
    return std::make_unique<Fixed>(
        Credentials{configured.access_key_id, configured.secret_access_key, configured.session_token, std::nullopt});
  }
  // A profile named in the config means the file, whatever the environment holds.
  if (configured.profile.empty()) {
    Credentials env{value_of(environment, "AWS_ACCESS_KEY_ID"), value_of(environment, "AWS_SECRET_ACCESS_KEY"),
                    value_of(environment, "AWS_SESSION_TOKEN"), std::nullopt};
    if (!env.access_key_id.empty() && !env.secret_access_key.empty()) return std::make_unique<Fixed>(std::move(env));
    if (env.access_key_id.empty() != env.secret_access_key.empty()) {
      return fail(Errc::config, fmt::format("the environment has {} but not {}; set both or neither",
                                            env.access_key_id.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                                            env.access_key_id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"));
    }
  }
  std::string path = value_of(environment, "AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) {
    const std::string home = value_of(environment, "HOME");
    if (!home.empty()) path = home + "/.aws/credentials";
  }
  std::string profile = configured.profile;
  if (profile.empty()) profile = value_of(environment, "AWS_PROFILE");
  if (profile.empty()) profile = "default";

  std::string file_answer = "neither AWS_SHARED_CREDENTIALS_FILE nor HOME is set, so there is no shared file";
  if (!path.empty()) {
    auto file = std::make_unique<SharedFile>(path, profile);
    auto first = file->current(now);
    if (first) return file;
    if (first.error().code != Errc::not_found) return std::unexpected(std::move(first.error()));
    file_answer = std::move(first.error().what);
  }
  return fail(
      Errc::config,
      fmt::format("no AWS credentials: the config has none (credentials: {{access_key_id, secret_access_key}}); "
                  "{}; {} (profile [{}])",
                  configured.profile.empty() ? "AWS_ACCESS_KEY_ID is not set"
                                             : "the environment is not asked because a profile is named",
                  file_answer, profile));
}

} // namespace verge::origin::aws
