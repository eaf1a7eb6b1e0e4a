// Doors: the node's own paths on the public listener, each with who answers there.
#pragma once

#include <algorithm>
#include <vector>

#include "proxy/http/intercept.h"

namespace verge::control {

class Doors final : public http::Intercept {
 public:
  // All outlive the Doors. Before any thread may call the rest.
  void add(http::Intercept& door) { doors_.push_back(&door); }
  bool empty() const noexcept { return doors_.empty(); }

  bool wants(std::string_view path) const override { return at(path) != nullptr; }
  size_t body_limit() const override {
    size_t most = 0;
    for (const auto* door : doors_) most = std::max(most, door->body_limit());
    return most;
  }
  void too_large(const http::RequestHead& head, std::string_view remote) override {
    if (auto* door = at(head.path)) door->too_large(head, remote);
  }
  void handle(http::RequestHead head, std::string body, std::string remote, Executor& on,
              std::move_only_function<void(http::Reply)> done) override {
    auto* door = at(head.path);
    door->handle(std::move(head), std::move(body), std::move(remote), on, std::move(done));
  }

 private:
  http::Intercept* at(std::string_view path) const {
    const auto it = std::ranges::find_if(doors_, [&](const auto* door) { return door->wants(path); });
    return it == doors_.end() ? nullptr : *it;
  }
  std::vector<http::Intercept*> doors_;
};

} // namespace verge::control
