#include "origin/aws/replay.h"

#include <algorithm>
#include <optional>

#include "proxy/base/block.h"

namespace verge::origin::aws {

struct Replay::State {
  FetchSink* sink; // null: the Replay is gone
  std::optional<Error> error;
  http::ResponseHead head;
  std::string body;
  size_t sent = 0;
  bool ready = false, head_sent = false, paused = false, ended = false;
};

Replay::Replay(net::EventLoop& loop, FetchSink& sink) : loop_(loop), state_(std::make_shared<State>()) {
  state_->sink = &sink;
}

Replay::~Replay() { state_->sink = nullptr; }

void Replay::answer(http::ResponseHead head, std::string body) {
  state_->head = std::move(head);
  state_->body = std::move(body);
  state_->ready = true;
  post(loop_, state_);
}

void Replay::fail(Error error) {
  state_->error = std::move(error);
  state_->ready = true;
  post(loop_, state_);
}

void Replay::pause() noexcept { state_->paused = true; }

void Replay::resume() {
  if (!state_->paused) return;
  state_->paused = false;
  if (state_->ready) post(loop_, state_);
}

void Replay::post(net::EventLoop& loop, const std::shared_ptr<State>& state) {
  loop.post([state] { run(*state); });
}

// `state` outlives this call by the task's share in it; the sink may go at any step.
void Replay::run(State& state) {
  if (state.sink == nullptr || state.ended) return;
  if (state.error) {
    state.ended = true;
    state.sink->on_error(std::move(*state.error));
    return;
  }
  if (!state.head_sent) {
    state.head_sent = true;
    state.sink->on_head(std::move(state.head));
  }
  while (state.sink != nullptr && !state.paused && state.sent < state.body.size()) {
    const size_t n = std::min(kBlockBytes, state.body.size() - state.sent);
    const std::string_view piece(state.body.data() + state.sent, n);
    state.sent += n;
    state.sink->on_data(piece);
  }
  if (state.sink == nullptr || state.ended || state.sent < state.body.size()) return;
  state.ended = true;
  state.sink->on_end();
}

} // namespace verge::origin::aws
