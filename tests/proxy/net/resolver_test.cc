#include "proxy/net/resolver.h"

#include <latch>
#include <map>

#include "tests/proxy/net/wire.h"

namespace verge::net {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using Answer = Result<std::vector<std::string>>;

struct ResolverTest : testing::Test {
  ManualClock clock{WallTime(Millis(1'000))};
  std::unique_ptr<EventLoop> loop = make_loop(clock);
  std::mutex mutex; // guards table and asked
  std::map<std::string, Answer> table;
  int asked = 0;
  std::unique_ptr<Resolver> resolver = Resolver::create(clock, 30s, 2, [this](const std::string& host) -> Answer {
    const std::lock_guard lock(mutex);
    ++asked;
    const auto it = table.find(host);
    return it == table.end() ? Answer(fail(Errc::not_found, "resolve " + host + ": unknown")) : it->second;
  });

  void set(const std::string& host, Answer with) {
    const std::lock_guard lock(mutex);
    table.insert_or_assign(host, std::move(with));
  }
  int times_asked() {
    const std::lock_guard lock(mutex);
    return asked;
  }
  Answer ask(const std::string& host) {
    std::optional<Answer> got;
    resolver->resolve(host, *loop, [&](Answer with) { got = std::move(with); });
    EXPECT_FALSE(got) << "never inside the call";
    EXPECT_TRUE(run_until(*loop, [&] { return got.has_value(); }));
    return got ? *got : Answer(fail(Errc::internal, "no answer"));
  }
};

TEST_F(ResolverTest, AnswersANumericHostWithoutAsking) {
  EXPECT_THAT(*ask("10.0.3.7"), ElementsAre("10.0.3.7"));
  EXPECT_THAT(*ask("::1"), ElementsAre("::1"));
  EXPECT_THAT(*ask("[::1]"), ElementsAre("::1"));
  EXPECT_EQ(times_asked(), 0);
}

TEST_F(ResolverTest, KeepsAnAnswerForItsTime) {
  set("shop.test", std::vector<std::string>{"10.0.0.1"});
  EXPECT_THAT(*ask("shop.test"), ElementsAre("10.0.0.1"));
  set("shop.test", std::vector<std::string>{"10.0.0.2"});
  clock.advance(29s);
  EXPECT_THAT(*ask("shop.test"), ElementsAre("10.0.0.1"));
  clock.advance(1s);
  EXPECT_THAT(*ask("shop.test"), ElementsAre("10.0.0.2"));
  EXPECT_EQ(times_asked(), 2);
}

TEST_F(ResolverTest, KeepsAFailureForASecondOnly) {
  EXPECT_EQ(ask("new.test").error().code, Errc::not_found);
  set("new.test", std::vector<std::string>{"10.0.0.1"});
  clock.advance(999ms);
  EXPECT_FALSE(ask("new.test").has_value());
  clock.advance(1ms);
  EXPECT_TRUE(ask("new.test").has_value());
}

TEST_F(ResolverTest, UsesAnExpiredAnswerWhileANewOneCannotBeHad) {
  set("shop.test", std::vector<std::string>{"10.0.0.1"});
  ask("shop.test");
  set("shop.test", fail(Errc::timeout, "name servers are silent"));
  clock.advance(31s);
  EXPECT_THAT(*ask("shop.test"), ElementsAre("10.0.0.1"));
  EXPECT_EQ(times_asked(), 2);
  set("shop.test", std::vector<std::string>{"10.0.0.2"});
  clock.advance(1s);
  EXPECT_THAT(*ask("shop.test"), ElementsAre("10.0.0.2"));
}

TEST_F(ResolverTest, ConcurrentQuestionsForOneNameAskOnce) {
  std::latch gate(1);
  std::atomic<int> lookups = 0;
  const auto slow = Resolver::create(clock, 30s, 2, [&](const std::string&) -> Answer {
    ++lookups;
    gate.wait();
    return std::vector<std::string>{"10.0.0.1"};
  });
  int answers = 0;
  for (int i = 0; i < 20; ++i) {
    slow->resolve("herd.test", *loop, [&](const Answer& with) { answers += with.has_value() ? 1 : 0; });
  }
  gate.count_down();
  EXPECT_TRUE(run_until(*loop, [&] { return answers == 20; }));
  EXPECT_EQ(lookups, 1);
}

TEST_F(ResolverTest, DropsOpenQuestionsWhenItEnds) {
  std::latch gate(1);
  std::latch begun(1);
  auto slow = Resolver::create(clock, 30s, 1, [&](const std::string&) -> Answer {
    begun.count_down();
    gate.wait();
    return std::vector<std::string>{"10.0.0.1"};
  });
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  for (const char* host : {"one.test", "two.test", "three.test"}) {
    slow->resolve(host, *loop, [owned](const Answer&) {});
  }
  owned.reset();
  begun.wait();
  std::jthread opening([&] { gate.count_down(); });
  slow.reset(); // waits for the lookup under way only
  loop->post([] {});
  loop->run_once(); // what was answered before the end
  EXPECT_TRUE(watch.expired());
}

TEST_F(ResolverTest, AsksTheSystem) {
  const auto system = Resolver::create(clock);
  std::optional<Answer> got;
  system->resolve("localhost", *loop, [&](Answer with) { got = std::move(with); });
  EXPECT_TRUE(run_until(*loop, [&] { return got.has_value(); }));
  ASSERT_TRUE(got->has_value()) << got->error().what;
  EXPECT_THAT(**got, testing::AnyOf(Contains("127.0.0.1"), Contains("::1")));
  got.reset();
  system->resolve("no such name", *loop, [&](Answer with) { got = std::move(with); });
  EXPECT_TRUE(run_until(*loop, [&] { return got.has_value(); }));
  EXPECT_FALSE(got->has_value());
  EXPECT_THAT(got->error().what, testing::StartsWith("resolve no such name: "));
}

} // namespace
} // namespace verge::net
