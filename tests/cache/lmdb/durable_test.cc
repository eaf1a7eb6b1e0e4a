// What must outlive a restart, and what happens with files that can't be used.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cache/lmdb/env.h"
#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

class DurableTest : public DiskTest {
 protected:
  std::filesystem::path file() const { return std::filesystem::path(options.path) / "data.mdb"; }
  std::vector<std::string> set_aside() const {
    std::vector<std::string> out;
    for (const auto& item : std::filesystem::directory_iterator(options.path)) {
      const auto name = item.path().filename().string();
      if (name.starts_with("data.mdb.set-aside-")) out.push_back(name);
    }
    return out;
  }
  // Applies and persists; true when `done` said so.
  bool purge(Target target, bool soft = false) {
    std::vector<EpochRow> rows;
    const uint64_t seq = epochs->apply({{std::move(target)}, soft, "test", ""}, rows);
    return persist(std::move(rows), seq);
  }
  bool persist(std::vector<EpochRow> rows, uint64_t seq) {
    std::optional<Result<>> result;
    disk->persist_epochs(std::move(rows), seq, loop, [&](Result<> r) { result = std::move(r); });
    while (!result) loop.run();
    return result->has_value();
  }
  bool note(const std::string& k, const std::string& v) {
    std::optional<Result<>> result;
    disk->put_note(k, v, loop, [&](Result<> r) { result = std::move(r); });
    while (!result) loop.run();
    return result->has_value();
  }
  // Changes a stored file behind the closed Disk.
  void with_tables(const std::function<void(Env&, MDB_txn*)>& change) {
    disk.reset();
    auto env = Env::open(options.path, options.bytes, clock);
    ASSERT_TRUE(env.has_value());
    MDB_txn* txn = nullptr;
    ASSERT_EQ(mdb_txn_begin((*env)->handle(), nullptr, 0, &txn), 0);
    change(**env, txn);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }
  void expect_empty_but_working() {
    EXPECT_EQ(find(key(1)).entry, nullptr);
    EXPECT_EQ(disk->stats().entries, 0U);
    put(key(2), "two");
    EXPECT_EQ(get(key(2)), "two");
  }
};

TEST_F(DurableTest, EpochsAreThereAfterARestartAndTheNextSeqIsNewer) {
  open();
  put(key(1), "one", {.seq = epochs->current(), .tags = {"t"}});
  ASSERT_TRUE(purge({Target::Kind::tag, "", "t"}));
  ASSERT_TRUE(purge({Target::Kind::exact, "www.example.com", "/x?y"}, true));
  ASSERT_TRUE(purge({Target::Kind::pattern, "", "/p/*"}));
  const uint64_t current = epochs->current();
  open();
  EXPECT_EQ(epochs->current(), current);
  EXPECT_EQ(epochs->size(), 3U);
  const auto head = find(key(1)).entry->head();
  EXPECT_EQ(epochs->check(head->key, head->tags, head->seq), Verdict::dead);
  EXPECT_EQ(epochs->check("https://www.example.com/x?y", {}, 1), Verdict::stale);
  EXPECT_EQ(epochs->check("https://h.example/p/q", {}, 1), Verdict::dead);
}

// Two loops may invalidate the same URL at once, and the one whose seq is lower reach the disk last.
TEST_F(DurableTest, TheNewestCommandStaysWhicheverIsHandedInLast) {
  open();
  const Invalidation command{{{Target::Kind::exact, "", "/a"}}, false, "test", ""};
  std::vector<EpochRow> first, second;
  const uint64_t lower = epochs->apply(command, first);
  const uint64_t higher = epochs->apply(command, second);
  ASSERT_TRUE(persist(std::move(second), higher));
  ASSERT_TRUE(persist(std::move(first), lower));
  open();
  EXPECT_EQ(epochs->current(), higher);
  EXPECT_EQ(epochs->check("https://h.example/a", {}, lower), Verdict::dead);
}

TEST_F(DurableTest, ALaterCommandForAllKeepsThatWhatIsOlderThanTheForgottenIsDead) {
  open();
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/a"}));
  const uint64_t oldest = epochs->current();
  std::optional<Result<>> result;
  disk->forget_epochs(epochs->forget_below(oldest, 100), oldest, loop, [&](Result<> r) { result = std::move(r); });
  while (!result) loop.run();
  ASSERT_TRUE(purge({}, true));
  open();
  EXPECT_EQ(epochs->check("https://h.example/a", {}, oldest - 1), Verdict::dead);
  EXPECT_EQ(epochs->check("https://h.example/a", {}, oldest), Verdict::stale);
}

TEST_F(DurableTest, WhatWasForgottenStaysForgottenAndWhatIsNotThatOldStays) {
  open();
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/old"}));
  const uint64_t oldest = epochs->current();
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/new"}));
  const auto forget = [&] {
    std::optional<Result<>> result;
    disk->forget_epochs(epochs->forget_below(oldest, 100), oldest, loop, [&](Result<> r) { result = std::move(r); });
    while (!result) loop.run();
    ASSERT_TRUE(result->has_value());
  };
  forget();
  open();
  EXPECT_EQ(epochs->size(), 2U) << "/new, and that nothing is older than these";
  EXPECT_EQ(epochs->check("https://h.example/new", {}, oldest), Verdict::dead);
  EXPECT_EQ(epochs->check("https://h.example/old", {}, oldest), Verdict::live);
  EXPECT_EQ(epochs->check("https://h.example/old", {}, oldest - 1), Verdict::dead) << "should it turn up nevertheless";
}

TEST_F(DurableTest, ACommandThatComesWhileItsRowIsForgottenIsKept) {
  open();
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/a"}));
  const uint64_t oldest = epochs->current();
  auto gone = epochs->forget_below(oldest, 100);
  ASSERT_EQ(gone.size(), 1U);
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/a"})) << "on disk before the other is deleted";
  std::optional<Result<>> result;
  disk->forget_epochs(std::move(gone), oldest, loop, [&](Result<> r) { result = std::move(r); });
  while (!result) loop.run();
  open();
  EXPECT_EQ(epochs->check("https://h.example/a", {}, oldest), Verdict::dead);
}

TEST_F(DurableTest, ForgettingKeepsAnInvalidationOfEverything) {
  open();
  ASSERT_TRUE(purge({Target::Kind::exact, "", "/a"}));
  const uint64_t oldest = epochs->current();
  ASSERT_TRUE(purge({}, true));
  std::optional<Result<>> result;
  disk->forget_epochs(epochs->forget_below(oldest, 100), oldest, loop, [&](Result<> r) { result = std::move(r); });
  while (!result) loop.run();
  open();
  EXPECT_EQ(epochs->check("https://h.example/a", {}, oldest), Verdict::stale);
}

// A command may have been applied, and a response fetched after it, when the power goes before the command is written.
// The next command must still be newer than that response.
TEST_F(DurableTest, TheSeqAfterARestartIsNeverBelowThatOfAStoredResponse) {
  open();
  put(key(1), "one", {.seq = 40});
  open();
  EXPECT_EQ(epochs->current(), 40U);
  ASSERT_TRUE(purge({Target::Kind::all, "", ""}));
  const auto head = find(key(1)).entry->head();
  EXPECT_EQ(epochs->check(head->key, head->tags, head->seq), Verdict::dead);
}

TEST_F(DurableTest, AForgottenEpochRowIsDeleted) {
  open();
  ASSERT_TRUE(purge({Target::Kind::tag, "", "t"}));
  ASSERT_TRUE(purge({Target::Kind::tag, "", "u"}));
  ASSERT_TRUE(persist({{{Target::Kind::tag, "", "t"}, 0, 0}}, epochs->current()));
  open();
  EXPECT_EQ(epochs->size(), 1U);
}

TEST_F(DurableTest, NotesAreThereAfterARestart) {
  open();
  ASSERT_TRUE(note("sns/1", "a"));
  ASSERT_TRUE(note("sns/2", "b"));
  ASSERT_TRUE(note("other", "c"));
  ASSERT_TRUE(note("sns/2", "b again"));
  EXPECT_FALSE(note("", "x"));
  EXPECT_FALSE(note(std::string(600, 'k'), "x"));
  open();
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(disk->notes("sns/"), (Pairs{{"sns/1", "a"}, {"sns/2", "b again"}}));
  EXPECT_EQ(disk->notes("").size(), 3U);
  disk->erase_notes({"sns/1", "never there"});
  disk->flush();
  EXPECT_EQ(disk->notes("sns/"), (Pairs{{"sns/2", "b again"}}));
}

TEST_F(DurableTest, ANewHeadForAStoredBodyTakesThePlaceOfTheOld) {
  open();
  for (const size_t size : {size_t{10}, size_t{200'000}}) {
    auto fresh = head_for(key(1), {.received = Seconds(5'000)});
    fresh->headers.add("x-new", std::string(3'000, 'n')); // larger than before
    disk->update_head(put(key(1), make_body(size)), fresh);
    disk->flush();
    for (int round = 0; round < 2; ++round) {
      auto found = find(key(1)).entry;
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->head()->response_time, WallTime(Seconds(5'000)));
      EXPECT_TRUE(found->head()->headers.has("x-new"));
      EXPECT_TRUE(body_of(found) == make_body(size));
      found.reset(); // no Entry outlives the Disk it reads from
      open();
    }
  }
}

TEST_F(DurableTest, ANewHeadIsNotPutOnAResponseThatHasReplacedTheOne) {
  open();
  const auto first = put(key(1), "first", {.received = Seconds(1'000)});
  put(key(1), "other", {.received = Seconds(2'000)});
  disk->update_head(first, head_for(key(1), {.received = Seconds(3'000)}));
  disk->flush();
  EXPECT_EQ(find(key(1)).entry->head()->response_time, WallTime(Seconds(2'000)));
}

TEST_F(DurableTest, ANewHeadMayMoveAResponseToOtherVaryValues) {
  open();
  const auto entry = put(key(1), "one");
  disk->update_head(entry, head_for(key(1), {.vary_fields = {"x-a"}, .vary_values = "whatever"}));
  disk->flush();
  const auto found = find(key(1));
  EXPECT_EQ(found.entry, nullptr);
  EXPECT_TRUE(found.other_variants);
  EXPECT_EQ(disk->stats().entries, 1U);
}

TEST_F(DurableTest, ADamagedRecordIsAMissAndStoringMendsIt) {
  open();
  put(key(1), "one");
  with_tables([](Env& env, MDB_txn* txn) {
    MDB_val k = val("x"), v;
    MDB_cursor* cursor = nullptr;
    ASSERT_EQ(mdb_cursor_open(txn, env.tables().body, &cursor), 0);
    ASSERT_EQ(mdb_cursor_get(cursor, &k, &v, MDB_FIRST), 0);
    std::string value(view(v));
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
    const std::string at(view(k));
    mdb_cursor_close(cursor);
    MDB_val changed = val(value), same = val(at);
    ASSERT_EQ(mdb_put(txn, env.tables().body, &same, &changed, 0), 0);
  });
  open();
  EXPECT_EQ(find(key(1)).entry, nullptr);
  disk->flush();
  EXPECT_EQ(disk->stats().entries, 0U); // and its way is gone
  put(key(1), "new");
  EXPECT_EQ(get(key(1)), "new");
}

TEST_F(DurableTest, ADamagedChunkIsNeverServed) {
  open();
  put(key(1), make_body(3 * kBlockBytes));
  put(key(2), make_body(kBlockBytes));
  with_tables([](Env& env, MDB_txn* txn) {
    MDB_val k, v;
    MDB_cursor* cursor = nullptr;
    ASSERT_EQ(mdb_cursor_open(txn, env.tables().body, &cursor), 0);
    std::vector<std::pair<std::string, std::string>> damaged;
    for (int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
      if (v.mv_size != kBlockBytes) continue;
      std::string value(view(v));
      value[1'000] = static_cast<char>(value[1'000] ^ 0x40);
      damaged.emplace_back(view(k), value);
    }
    mdb_cursor_close(cursor);
    ASSERT_EQ(damaged.size(), 4U);
    for (auto& [at, value] : damaged) {
      MDB_val key = val(at), changed = val(value);
      ASSERT_EQ(mdb_put(txn, env.tables().body, &key, &changed, 0), 0);
    }
  });
  open();
  EXPECT_EQ(find(key(2)).entry, nullptr); // small: seen at once, a miss
  const auto read = body_of(find(key(1)).entry);
  EXPECT_TRUE(read.starts_with("(failed")) << read.size(); // large: cut, never ended well
}

TEST_F(DurableTest, ARowThatLeadsToNothingIsAMiss) {
  open();
  put(key(1), "one");
  with_tables([](Env& env, MDB_txn* txn) { ASSERT_EQ(mdb_drop(txn, env.tables().body, 0), 0); });
  open();
  EXPECT_EQ(find(key(1)).entry, nullptr);
  put(key(1), "new");
  EXPECT_EQ(get(key(1)), "new");
}

TEST_F(DurableTest, AFileThatIsNoDatabaseIsSetAside) {
  std::filesystem::create_directories(options.path);
  std::ofstream(file()) << std::string(100'000, 'x');
  open();
  EXPECT_EQ(set_aside().size(), 1U);
  expect_empty_but_working();
}

TEST_F(DurableTest, ADatabaseOfSomebodyElseIsSetAside) {
  std::filesystem::create_directories(options.path);
  MDB_env* raw = nullptr;
  ASSERT_EQ(mdb_env_create(&raw), 0);
  ASSERT_EQ(mdb_env_open(raw, options.path.c_str(), 0, 0600), 0);
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_txn_begin(raw, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &dbi), 0);
  MDB_val k = val("somebody"), v = val("else");
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(raw);
  open();
  EXPECT_EQ(set_aside().size(), 1U);
  expect_empty_but_working();
}

TEST_F(DurableTest, AFileOfAnotherFormatVersionOrMachineIsSetAside) {
  for (int kind = 0; kind < 4; ++kind) {
    open();
    put(key(1), "one");
    with_tables([&](Env& env, MDB_txn* txn) {
      MDB_val k = val(kFormatName), v;
      ASSERT_EQ(mdb_get(txn, env.tables().sys, &k, &v), 0);
      auto format = decode_format(view(v));
      ASSERT_TRUE(format.has_value());
      if (kind == 0) format->version = kFormatVersion + 1;
      if (kind == 1) format->order = 0x04030201;
      if (kind == 2) format->word = 4;
      if (kind == 3) format->chunk = 4'096;
      const std::string other = encode(*format);
      MDB_val changed = val(other);
      ASSERT_EQ(mdb_put(txn, env.tables().sys, &k, &changed, 0), 0);
    });
    clock.advance(Seconds(1));
    open();
    EXPECT_EQ(set_aside().size(), 1U) << kind; // only the newest is kept
    expect_empty_but_working();
  }
}

TEST_F(DurableTest, AFileThatWasCutIsSetAside) {
  for (const int percent : {99, 50, 3, 0}) {
    open();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(disk->store(entry_of(head_for(key(i)), make_body(100'000))));
    disk->flush();
    const uint64_t used = disk->stats().bytes_used;
    disk.reset();
    std::filesystem::resize_file(file(), used * static_cast<uint64_t>(percent) / 100);
    clock.advance(Seconds(1));
    open();
    expect_empty_but_working();
    EXPECT_EQ(set_aside().size(), 1U) << percent; // of an empty file there is none, so the last one's stays
    disk->erase(key(2), "");
  }
}

TEST_F(DurableTest, AFileThatIsCutUnderTheRunningProgramTurnsTheTierOffButNotTheProgram) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(disk->store(entry_of(head_for(key(i)), make_body(100'000))));
  disk->flush();
  auto held = find(key(49)).entry;
  std::filesystem::resize_file(file(), 100'000);
  EXPECT_EQ(find(key(49)).entry, nullptr);
  const auto chunk = disk->read_chunk(held->body_id(), 1, loop, [](auto) {});
  EXPECT_FALSE(chunk.has_value());
  EXPECT_FALSE(disk->stats().writable);
  EXPECT_FALSE(disk->store(entry_of(head_for(key(1)), "x")));
  EXPECT_FALSE(note("k", "v")); // told, not lost in silence
  disk->flush();
  held.reset();
  open();
  expect_empty_but_working();
}

TEST_F(DurableTest, WithoutAllItsEpochsNothingIsServed) {
  open();
  put(key(1), "one");
  ASSERT_TRUE(purge({Target::Kind::tag, "", "t"}));
  with_tables([](Env& env, MDB_txn* txn) {
    MDB_val k = val("0123456789abcdef"), v = val("garbage");
    ASSERT_EQ(mdb_put(txn, env.tables().epoch, &k, &v, 0), 0);
  });
  open();
  EXPECT_EQ(set_aside().size(), 1U);
  expect_empty_but_working();
}

TEST_F(DurableTest, ASecondProcessIsToldWhoHasTheDirectory) {
  open();
  Epochs other;
  const auto second = Disk::open(options, clock, other);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::storage);
  EXPECT_NE(second.error().what.find("another process"), std::string::npos) << second.error().what;
  EXPECT_NE(second.error().what.find(std::to_string(::getpid())), std::string::npos) << second.error().what;
}

TEST_F(DurableTest, ADirectoryThatCannotBeMadeIsAnErrorThatNamesIt) {
  std::ofstream(dir.path() + "/file") << "x";
  options.path = dir.path() + "/file/cache";
  Epochs fresh;
  const auto opened = Disk::open(options, clock, fresh);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::storage);
  EXPECT_NE(opened.error().what.find(options.path), std::string::npos) << opened.error().what;
}

TEST_F(DurableTest, TheFileDoesNotGrowByRestarts) {
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(disk->store(entry_of(head_for(key(i)), make_body(100'000))));
  disk->flush();
  open();
  const auto size = std::filesystem::file_size(file());
  for (int i = 0; i < 10; ++i) open();
  EXPECT_EQ(std::filesystem::file_size(file()), size);
  EXPECT_TRUE(get(key(0)) == make_body(100'000));
}

} // namespace
} // namespace verge::cache
