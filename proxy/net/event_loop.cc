#include "proxy/net/event_loop.h"

#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "proxy/base/turn.h"
#include "proxy/net/timer_wheel.h"

namespace verge::net {

namespace {

// How often deferred tasks and hooks are looked at again at the end of one turn before sockets get their turn.
constexpr int kRounds = 4;

// After so many posted tasks what they left to send is sent: when a thousand clients are told at once that their answer
// has come, the first of them need not wait until the last has been given its own.
constexpr size_t kTasksAtOnce = 64;

} // namespace

struct EventLoop::Impl {
  explicit Impl(EventLoop& loop) : wheel(loop, loop.base()), thread(std::this_thread::get_id()) {}
  ~Impl() {
    event_del(&wake_event);
    if (wake_fd >= 0) ::close(wake_fd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int wake_fd = -1;
  event wake_event{};
  TimerWheel wheel;
  std::atomic<std::thread::id> thread;
  // Who turns the loop: nobody before the first turn. Until then the thread that made the loop is no more than a
  // stranger to post(): the loop's own thread may be about to sleep, and only the eventfd wakes it.
  std::atomic<std::thread::id> driver;
  std::atomic<bool> stop{false};

  void driven_from_here() noexcept {
    const auto self = std::this_thread::get_id();
    thread.store(self, std::memory_order_relaxed);
    driver.store(self, std::memory_order_relaxed);
  }

  std::mutex mutex; // guards mailbox and signalled
  std::vector<Task> mailbox;
  bool signalled = false; // the loop knows of the mailbox: by the eventfd, or by own_mail

  // Loop thread only.
  bool own_mail = false;     // posted from the loop's own thread: seen without an eventfd write
  std::vector<Task> mail;    // taken from the mailbox, being run
  std::vector<Task> running; // of the deferred
  std::vector<Task> deferred;
  ListLink hooks;
};

Result<std::unique_ptr<EventLoop>> EventLoop::create(const Clock& clock) {
  // OpenSSL and writev know no MSG_NOSIGNAL: a peer that went away must be an error code, not the end of the program.
  static std::once_flag once;
  std::call_once(once, [] { std::signal(SIGPIPE, SIG_IGN); });

  std::unique_ptr<EventLoop> loop(new EventLoop(clock));
  Handle<event_config, event_config_free> config(event_config_new());
  if (config) event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  loop->base_.reset(config ? event_base_new_with_config(config.get()) : nullptr);
  if (!loop->base_) return fail(Errc::internal, "event loop: libevent gave no base; are descriptors used up?");
  loop->impl_ = std::make_unique<Impl>(*loop);
  Impl& impl = *loop->impl_;
  impl.wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  event_assign(&impl.wake_event, loop->base(), impl.wake_fd, EV_READ | EV_PERSIST, on_wake, loop.get());
  if (impl.wake_fd < 0 || event_add(&impl.wake_event, nullptr) != 0) {
    return fail(Errc::internal, std::string("event loop: eventfd: ") + std::strerror(errno));
  }
  return loop;
}

EventLoop::EventLoop(const Clock& clock) : clock_(clock) {}

EventLoop::~EventLoop() {
  if (!impl_) return;
  impl_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  // Dropping a task may drop a Connection or post again, so all lists are emptied while the base still lives.
  for (bool more = true; more;) {
    std::vector<Task> dropped;
    {
      std::lock_guard lock(impl_->mutex);
      dropped.swap(impl_->mailbox);
    }
    for (Task& task : impl_->deferred) dropped.push_back(std::move(task));
    impl_->deferred.clear();
    more = !dropped.empty();
  }
}

void EventLoop::run() {
  impl_->driven_from_here();
  while (!impl_->stop.exchange(false, std::memory_order_acquire)) turn();
}

void EventLoop::run_once() {
  impl_->driven_from_here();
  turn();
}

void EventLoop::stop() noexcept {
  impl_->stop.store(true, std::memory_order_release);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(impl_->wake_fd, &one, sizeof one);
}

void EventLoop::post(Task task) {
  const bool own = impl_->driver.load(std::memory_order_relaxed) == std::this_thread::get_id();
  bool wake = false;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->mailbox.push_back(std::move(task));
    if (!impl_->signalled) {
      impl_->signalled = true;
      wake = !own;
    }
  }
  if (own) impl_->own_mail = true;
  if (wake) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(impl_->wake_fd, &one, sizeof one);
  }
}

void EventLoop::defer(Task task) {
  assert(on_this_thread());
  impl_->deferred.push_back(std::move(task));
}

void EventLoop::at_turn_end(TurnHook& hook) noexcept {
  assert(on_this_thread());
  if (!hook.linked()) hook.link_before(impl_->hooks);
}

bool EventLoop::on_this_thread() const noexcept {
  return impl_->thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void EventLoop::refresh() const noexcept {
  wall_ = clock_.wall();
  mono_ = clock_.mono();
  fresh_ = true;
}

bool EventLoop::work_waits() const noexcept {
  return impl_->own_mail || !impl_->deferred.empty() || impl_->hooks.linked();
}

void EventLoop::turn() {
  fresh_ = false;
  ++this_turn;
  event_base_loop(base_.get(), EVLOOP_ONCE | (work_waits() ? EVLOOP_NONBLOCK : 0));
  if (impl_->own_mail) run_mailbox();
  finish_turn();
}

void EventLoop::finish_turn() {
  // Each round takes what is there when it begins, and there are few rounds, so that work which begets work can't keep
  // the sockets waiting. What is left over is done in the next turn, which does not sleep.
  for (int round = 0; round < kRounds; ++round) {
    if (impl_->deferred.empty() && !impl_->hooks.linked()) return;
    impl_->running.swap(impl_->deferred);
    for (Task& task : impl_->running) {
      task();
      task = nullptr; // what it owns goes now, not when the last task is done
    }
    impl_->running.clear();

    ListLink hooks;
    hooks.take_all(impl_->hooks);
    while (hooks.linked()) {
      auto* hook = static_cast<TurnHook*>(hooks.next());
      hook->unlink();
      hook->end_of_turn();
    }
  }
}

void EventLoop::run_mailbox() {
  assert(impl_->mail.empty());
  impl_->own_mail = false;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->signalled = false;
    impl_->mail.swap(impl_->mailbox);
  }
  size_t done = 0;
  for (Task& task : impl_->mail) {
    task();
    task = nullptr;
    if (++done % kTasksAtOnce == 0) finish_turn();
  }
  impl_->mail.clear();
  fresh_ = false; // a test that moved its clock before posting sees its timers fire
  impl_->wheel.look(mono());
}

void EventLoop::on_wake(evutil_socket_t fd, short, void* self) noexcept {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd, &count, sizeof count);
  static_cast<EventLoop*>(self)->run_mailbox();
}

Timer::Timer(EventLoop& loop, Task fire) : loop_(loop), fire_(std::move(fire)) {}

Timer::~Timer() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void Timer::start(Millis after) noexcept { loop_.impl_->wheel.add(*this, after); }

void Timer::stop() noexcept { unlink(); }

void Timer::fire() {
  unlink();
  bool destroyed = false;
  destroyed_ = &destroyed;
  Task task = std::move(fire_); // on the stack: the call may destroy the timer
  task();
  if (destroyed) return;
  destroyed_ = nullptr;
  fire_ = std::move(task);
}

} // namespace verge::net
