#include "origin/folder/file_fetch.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace verge::origin {

namespace {

constexpr size_t kPiece = 65'536; // octets a turn

// Kept alive by the FileFetch and, weakly, by the task that goes on with it. `sink_` null: over.
class FileReading : public std::enable_shared_from_this<FileReading> {
 public:
  FileReading(net::EventLoop& loop, std::shared_ptr<Folder> folder, http::RequestHead request, FetchSink& sink)
      : loop_(loop), folder_(std::move(folder)), request_(std::move(request)), sink_(&sink) {}

  void cancel() noexcept { sink_ = nullptr; }
  void pause() noexcept { paused_ = true; }
  void resume() {
    if (std::exchange(paused_, false)) go_on_later();
  }
  void go_on_later() {
    if (std::exchange(posted_, true)) return;
    loop_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->posted_ = false;
        self->go_on();
      }
    });
  }

 private:
  void go_on() {
    if (sink_ == nullptr || (answer_ && paused_)) return;
    if (!answer_) {
      auto answer = find_answer(*folder_, request_);
      if (!answer) return fail(std::move(answer.error()));
      answer_ = std::move(*answer);
      if (request_.is("HEAD")) {
        answer_->body.reset();
        answer_->text.clear();
      }
      sink_->on_head(std::move(answer_->head));
      if (sink_ == nullptr) return;
      if (paused_) return;
    }
    if (answer_->body) return read_piece();
    if (!answer_->text.empty()) {
      sink_->on_data(std::exchange(answer_->text, {}));
      if (sink_ == nullptr || paused_) return;
    }
    end();
  }

  void read_piece() {
    const File& file = *answer_->body;
    const uint64_t left = file.size() - offset_;
    if (left == 0) return end();
    std::vector<char>& buffer = folder_->buffer;
    buffer.resize(kPiece);
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left, kPiece));
    const auto got = file.read(offset_, std::span(buffer.data(), wanted));
    if (!got) return fail(Error(got.error()));
    // Looked at before the last octets go out: with them the client would take the body for complete.
    if (*got < wanted || (wanted == left && !file.unchanged())) {
      return fail({Errc::storage, Side::origin, Retry::if_idempotent, "changed while it was read"});
    }
    offset_ += wanted;
    sink_->on_data({buffer.data(), wanted});
    if (sink_ == nullptr || paused_) return;
    if (offset_ == file.size()) return end();
    go_on_later();
  }

  void end() {
    answer_->body.reset();
    std::exchange(sink_, nullptr)->on_end();
  }

  void fail(Error error) {
    error.side = Side::origin;
    std::exchange(sink_, nullptr)
        ->on_error(std::move(error).in(fmt::format("origin {}: {}", folder_->name, request_.path)));
  }

  net::EventLoop& loop_;
  std::shared_ptr<Folder> folder_;
  http::RequestHead request_;
  FetchSink* sink_;
  std::optional<FileAnswer> answer_;
  uint64_t offset_ = 0;
  bool paused_ = false;
  bool posted_ = false;
};

class FileFetch final : public Fetch {
 public:
  explicit FileFetch(std::shared_ptr<FileReading> reading) : reading_(std::move(reading)) {}
  ~FileFetch() override { reading_->cancel(); }
  void pause() override { reading_->pause(); }
  void resume() override { reading_->resume(); }
  bool send_body(std::string_view) override { return true; } // content of a GET means nothing here
  void end_body() override {}

 private:
  std::shared_ptr<FileReading> reading_;
};

} // namespace

std::unique_ptr<Fetch> make_file_fetch(net::EventLoop& loop, std::shared_ptr<Folder> folder, http::RequestHead request,
                                       FetchSink& sink) {
  auto reading = std::make_shared<FileReading>(loop, std::move(folder), std::move(request), sink);
  reading->go_on_later();
  return std::make_unique<FileFetch>(std::move(reading));
}

} // namespace verge::origin
