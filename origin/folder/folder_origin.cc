#include "origin/folder/folder_origin.h"

#include <fmt/core.h>

#include "origin/folder/file.h"
#include "origin/folder/file_fetch.h"

namespace verge::origin {

namespace {

class FolderOrigin final : public Origin {
 public:
  FolderOrigin(net::EventLoop& loop, std::shared_ptr<Folder> folder) : loop_(loop), folder_(std::move(folder)) {}

  std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) override {
    return make_file_fetch(loop_, folder_, std::move(request.head), sink);
  }
  bool allows(std::string_view method) const noexcept override { return method == "GET" || method == "HEAD"; }

 private:
  net::EventLoop& loop_;
  std::shared_ptr<Folder> folder_;
};

} // namespace

Result<std::unique_ptr<Origin>> make_folder_origin(const config::Origin& options, const OriginContext& context) {
  auto folder = std::make_shared<Folder>(options.name, options.path, std::vector<char>());
  // Opening the root as a file below itself tries the folder and the system call in one; "is a folder" is what we want.
  const auto root = File::open(folder->root, ".");
  if (!root && root.error().code != Errc::bad_input) {
    return fail(Errc::config, fmt::format("origins.{}.path: {}", options.name, root.error().what));
  }
  return std::make_unique<FolderOrigin>(context.loop, std::move(folder));
}

} // namespace verge::origin
