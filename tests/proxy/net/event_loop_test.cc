#include "proxy/net/event_loop.h"

#include "tests/proxy/net/wire.h"

namespace verge::net {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

struct EventLoopTest : testing::Test {
  ManualClock clock{WallTime(Millis(1'000))};
  std::unique_ptr<EventLoop> loop = make_loop(clock);
  std::vector<int> order;

  auto note(int n) {
    return [this, n] { order.push_back(n); };
  }
  // A posted task makes the loop look at the clock.
  void move_clock(Millis by) {
    clock.advance(by);
    loop->post([] {});
    loop->run_once();
  }
};

TEST_F(EventLoopTest, RunsPostedTasksInTheOrderOfPosting) {
  for (int i = 1; i <= 3; ++i) loop->post(note(i));
  loop->run_once();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(EventLoopTest, KeepsTheOrderOfTasksThatAPostingThreadAndTheLoopItselfPost) {
  loop->post([this] {
    loop->post(note(3));
    order.push_back(1);
  });
  loop->post(note(2));
  while (order.size() < 3) loop->run_once();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(EventLoopTest, WakesFromSleepWhenAnotherThreadPosts) {
  std::jthread runner([this] { loop->run(); });
  std::atomic<int> ran = 0;
  std::vector<std::jthread> posters;
  for (int t = 0; t < 4; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) loop->post([&] { ++ran; });
    });
  }
  posters.clear();
  loop->post([this] { loop->stop(); });
  runner.join();
  EXPECT_EQ(ran, 4'000);
}

// The thread that makes a loop often posts to it at once, while the thread that will run it is about to sleep.
TEST_F(EventLoopTest, WakesForWhatWasPostedBeforeAnybodyRanIt) {
  loop->post(note(1));
  event_base_loop(loop->base(), EVLOOP_NONBLOCK); // a loop that was asleep: only its descriptor tells it
  EXPECT_THAT(order, ElementsAre(1));
}

TEST_F(EventLoopTest, AStopBeforeRunIsNotLost) {
  loop->stop();
  loop->run();
  SUCCEED();
}

TEST_F(EventLoopTest, RunsDeferredTasksAfterTheCallbacksOfTheTurn) {
  loop->post([this] { loop->defer(note(3)); });
  loop->post(note(1));
  loop->post(note(2));
  loop->run_once();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(EventLoopTest, DestroysWhatADeferredTaskOwnsBeforeTheNextDeferredTaskRuns) {
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> watch = owned;
  bool alive = true;
  loop->defer([owned = std::move(owned)] {});
  loop->defer([&] { alive = !watch.expired(); });
  loop->run_once();
  EXPECT_FALSE(alive);
}

TEST_F(EventLoopTest, DestroysTasksUnrunThatStillWaitWhenItEnds) {
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> watch = owned;
  bool ran = false;
  loop->post([&ran, owned = std::move(owned)] { ran = true; });
  loop.reset();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, TheTimeStandsStillWithinATurnAndMovesWithTheNext) {
  MonoTime before;
  MonoTime after;
  loop->post([&] {
    before = loop->mono();
    clock.advance(5s);
    after = loop->mono();
  });
  loop->run_once();
  EXPECT_EQ(before, after);
  move_clock(0s);
  EXPECT_EQ(loop->mono(), before + 5s);
}

struct Hook : TurnHook {
  EventLoop& loop;
  int calls = 0;
  bool again = false;
  explicit Hook(EventLoop& l) : loop(l) {}
  void end_of_turn() override {
    ++calls;
    if (again) loop.at_turn_end(*this);
  }
};

TEST_F(EventLoopTest, CallsAHookOnceATurnHoweverOftenAsked) {
  Hook hook(*loop);
  loop->at_turn_end(hook);
  loop->at_turn_end(hook);
  loop->run_once();
  EXPECT_EQ(hook.calls, 1);
}

// A thousand followers of one flight are told by as many tasks: the first answer leaves before the last is made.
TEST_F(EventLoopTest, CallsTheHooksAgainAndAgainBetweenManyTasks) {
  std::vector<std::unique_ptr<Hook>> hooks;
  int asked = 0, most_waiting = 0;
  for (int i = 0; i < 1'000; ++i) {
    hooks.push_back(std::make_unique<Hook>(*loop));
    loop->post([&, hook = hooks.back().get()] {
      loop->at_turn_end(*hook);
      ++asked;
      int called = 0;
      for (const auto& h : hooks) called += h->calls;
      most_waiting = std::max(most_waiting, asked - called);
    });
  }
  loop->run_once();
  EXPECT_TRUE(std::ranges::all_of(hooks, [](const auto& h) { return h->calls == 1; }));
  EXPECT_LE(most_waiting, 64);
}

// As one turn for a client: so many answers on one connection leave together.
TEST_F(EventLoopTest, CallsAHookOnceForAFewDozenTasks) {
  Hook hook(*loop);
  for (int i = 0; i < 64; ++i) loop->post([&] { loop->at_turn_end(hook); });
  loop->run_once();
  EXPECT_EQ(hook.calls, 1);
}

TEST_F(EventLoopTest, AHookThatIsDestroyedIsNotCalled) {
  auto hook = std::make_unique<Hook>(*loop);
  loop->at_turn_end(*hook);
  loop->defer([&] { hook.reset(); }); // deferred tasks come first
  loop->run_once();
  SUCCEED();
}

TEST_F(EventLoopTest, AHookThatAlwaysAsksAgainDoesNotKeepTheLoopFromItsOtherWork) {
  Hook hook(*loop);
  hook.again = true;
  loop->at_turn_end(hook);
  loop->post(note(1));
  loop->run_once();
  loop->run_once();
  EXPECT_THAT(order, ElementsAre(1));
  EXPECT_GT(hook.calls, 1);
}

TEST_F(EventLoopTest, ATimerFiresOnceAndNeverEarly) {
  Timer timer(*loop, note(1));
  timer.start(250ms);
  move_clock(249ms);
  EXPECT_THAT(order, ElementsAre());
  EXPECT_TRUE(timer.running());
  move_clock(100ms);
  EXPECT_THAT(order, ElementsAre(1));
  EXPECT_FALSE(timer.running());
  move_clock(10s);
  EXPECT_THAT(order, ElementsAre(1));
}

TEST_F(EventLoopTest, TimersFireInTheOrderOfTheirTimeEvenWhenTheClockLeaps) {
  Timer late(*loop, note(4)), soon(*loop, note(1)), middle(*loop, note(3)), second(*loop, note(2));
  late.start(3'600s); // many rounds of the wheel
  soon.start(1s);
  middle.start(60s);
  second.start(20s);
  move_clock(7'200s);
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
}

TEST_F(EventLoopTest, ATimerLongerThanARoundOfTheWheelWaitsItsFullTime) {
  Timer timer(*loop, note(1));
  timer.start(120s);
  for (int i = 0; i < 119; ++i) move_clock(1s);
  EXPECT_THAT(order, ElementsAre());
  move_clock(1'100ms);
  EXPECT_THAT(order, ElementsAre(1));
}

TEST_F(EventLoopTest, AStoppedTimerDoesNotFireAndARestartedOneCountsAnew) {
  Timer stopped(*loop, note(1));
  Timer restarted(*loop, note(2));
  stopped.start(1s);
  restarted.start(1s);
  move_clock(900ms);
  stopped.stop();
  restarted.start(1s);
  move_clock(500ms);
  EXPECT_THAT(order, ElementsAre());
  move_clock(600ms);
  EXPECT_THAT(order, ElementsAre(2));
}

TEST_F(EventLoopTest, ATimerMayDestroyOrRestartItselfWhenItFires) {
  std::unique_ptr<Timer> dying;
  dying = std::make_unique<Timer>(*loop, [&] { dying.reset(); });
  std::unique_ptr<Timer> repeating;
  repeating = std::make_unique<Timer>(*loop, [&] {
    order.push_back(1);
    repeating->start(1s);
  });
  dying->start(1s);
  repeating->start(1s);
  for (int i = 0; i < 3; ++i) move_clock(1'100ms);
  EXPECT_EQ(dying, nullptr);
  EXPECT_THAT(order, ElementsAre(1, 1, 1));
}

TEST_F(EventLoopTest, ATimerMayStopAnotherThatIsDueInTheSameStep) {
  Timer second(*loop, note(2));
  Timer first(*loop, [&] { second.stop(); });
  first.start(1s);
  second.start(1s);
  move_clock(2s);
  EXPECT_THAT(order, ElementsAre());
}

TEST_F(EventLoopTest, ATimerWithoutDelayThatRestartsItselfLetsTheLoopGoOn) {
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(*loop, [&] {
    order.push_back(1);
    timer->start(0ms);
  });
  timer->start(0ms);
  move_clock(0s);
  EXPECT_LE(order.size(), 1U);
}

TEST(EventLoopWithTheSystemClock, FiresTimersByItself) {
  SystemClock clock;
  auto loop = make_loop(clock);
  bool fired = false;
  Timer timer(*loop, [&] { fired = true; });
  timer.start(10ms);
  EXPECT_TRUE(run_until(*loop, [&] { return fired; }));
}

} // namespace
} // namespace verge::net
