// nginx as an origin that we did not write. It inherits a socket that listens already, so that the port is the kernel's
// choice and nobody waits for it to start. (With a master process: alone it does not look at an inherited socket.)
#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>

#include "tests/origin/support/child_process.h"
#include "tests/origin/support/scripted_origin.h"
#include "tests/origin/support/temp_folder.h"

namespace verge::origin {

class Nginx {
 public:
  // `server`: directives of the server block, after "listen"; `listen_options` after the address ("ssl").
  explicit Nginx(const std::string& server, const std::string& listen_options = "") {
    folder_.write("nginx.conf", fmt::format(R"(
      daemon off; {4} pid {0}/pid; error_log {0}/error.log;
      events {{ worker_connections 256; }}
      http {{
        access_log off;
        client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;
        scgi_temp_path {0}/s;
        server {{ listen 127.0.0.1:{1} {2}; {3} }}
      }})",
                                            folder_.path(), socket_.port(), listen_options, server,
                                            ::geteuid() == 0 ? "user root;" : ""));
    process_ = std::make_unique<ChildProcess>(std::vector<std::string>{"nginx", "-c", folder_.path("nginx.conf"), "-p",
                                                                       folder_.path(), "-e", folder_.path("error.log")},
                                              std::vector<std::string>{fmt::format("NGINX={};", socket_.fd())});
  }
  uint16_t port() const noexcept { return socket_.port(); }

 private:
  TempFolder folder_;
  ListenSocket socket_{511};
  std::unique_ptr<ChildProcess> process_; // ends first
};

} // namespace verge::origin
