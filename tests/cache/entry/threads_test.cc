// The same with real threads: one producer, a writer that takes Blocks to disk behind it, readers on loops of their
// own. Worth most under the thread sanitizer.
#include <gtest/gtest.h>
#include <xxhash.h>

#include <future>

#include "cache/entry/entry.h"
#include "tests/cache/support.h"

namespace verge::cache {
namespace {

using testing::FakeBodyStore;
using testing::make_body;
using testing::make_head;
using testing::ThreadExecutor;
using Keep = Entry::Keep;
using Next = Reader::Next;

constexpr uint64_t kBody = 7;

// Reads to the end on its loop, in pieces of `max`, and promises the hash of what it got (0: failed).
class HashingClient {
 public:
  HashingClient(EntryRef entry, ThreadExecutor& loop, size_t max) : loop_(loop), max_(max) {
    loop_.post([this, entry] {
      reader_ = std::make_unique<Reader>(entry, loop_, [this] { step(); }, 0, UINT64_MAX);
      step();
    });
  }
  uint64_t hash() { return hash_.get_future().get(); }

 private:
  void step() {
    Slice slice;
    for (;;) {
      switch (reader_->next(slice, max_)) {
        case Next::slice: body_ += slice.view(); continue;
        case Next::wait: return;
        case Next::end: return finish(XXH3_64bits(body_.data(), body_.size()));
        case Next::failed: return finish(0);
      }
    }
  }
  void finish(uint64_t value) {
    reader_.reset();
    hash_.set_value(value);
  }
  ThreadExecutor& loop_;
  size_t max_;
  std::unique_ptr<Reader> reader_;
  std::string body_;
  std::promise<uint64_t> hash_;
};

class EntryThreads : public ::testing::TestWithParam<Keep> {};

TEST_P(EntryThreads, EveryReaderGetsTheBodyOctetByOctet) {
  const Keep keep = GetParam();
  const std::string body = make_body(20 * kBlockBytes + 4321);
  const uint64_t expected = XXH3_64bits(body.data(), body.size());
  FakeBodyStore store;
  const uint32_t chunks = store.put_body(kBody, body);
  std::vector<std::unique_ptr<HashingClient>> clients;
  {
    ThreadExecutor loop_a, loop_b, writer;
    auto entry = std::make_shared<Entry>(1, &store);
    std::promise<void> opened;
    entry->when_opened(loop_a, [&] { opened.set_value(); });
    // Before the first octet, so that until_read keeps the beginning for all of them.
    const size_t paces[] = {SIZE_MAX, 1000, 4096, 70'000, 7777, 333};
    for (size_t i = 0; i < 6; ++i) {
      clients.push_back(std::make_unique<HashingClient>(entry, i % 2 == 0 ? loop_a : loop_b, paces[i]));
    }
    std::promise<void> a, b;
    loop_a.post([&] { a.set_value(); });
    loop_b.post([&] { b.set_value(); });
    a.get_future().wait();
    b.get_future().wait();

    entry->open(make_head("k", body.size()), keep);
    opened.get_future().wait();
    size_t piece = 1;
    for (size_t at = 0; at < body.size(); at += piece, piece = piece * 7 % 50'021 + 1) {
      entry->append(std::string_view(body).substr(at, piece));
      if (keep == Keep::until_on_disk) {
        writer.post([entry] { entry->on_disk(kBody, static_cast<uint32_t>(entry->length() / kBlockBytes)); });
      }
    }
    entry->complete();
    if (keep == Keep::until_on_disk) writer.post([entry, chunks] { entry->on_disk(kBody, chunks); });
    for (auto& client : clients) EXPECT_EQ(client->hash(), expected);
    std::promise<void> written;
    writer.post([&] { written.set_value(); });
    written.get_future().wait();
  }
  EXPECT_EQ(store.pins(kBody), 0);
}

INSTANTIATE_TEST_SUITE_P(Keeps, EntryThreads, ::testing::Values(Keep::all, Keep::until_on_disk, Keep::until_read));

TEST(EntryThreadsTest, ReadersComeAndGoWhileItGrows) {
  const std::string body = make_body(4 * kBlockBytes);
  ThreadExecutor loop;
  auto entry = std::make_shared<Entry>(1, nullptr);
  entry->open(make_head(), Keep::all);
  std::promise<void> done;
  auto churn = std::make_shared<std::function<void(int)>>();
  *churn = [&, weak = std::weak_ptr(churn)](int left) {
    Slice slice;
    auto reader = std::make_unique<Reader>(entry, loop, [] { ADD_FAILURE() << "woken after its end"; }, 0, UINT64_MAX);
    while (reader->next(slice, 5000) == Next::slice) {
    }
    reader.reset();
    if (left == 0) return done.set_value();
    loop.post([self = weak.lock(), left] { (*self)(left - 1); });
  };
  loop.post([churn] { (*churn)(300); });
  for (size_t at = 0; at < body.size(); at += 700) entry->append(std::string_view(body).substr(at, 700));
  entry->complete();
  done.get_future().wait();
}

} // namespace
} // namespace verge::cache
