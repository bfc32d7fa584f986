// Agent and server sessions in one process, with every cut and kill a seed can think of.
#include "agent/stream.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <random>

#include "agent/recorder.h"
#include "ingest/agent_session.h"
#include "ingest/stores_for_tests.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace atalaya::agent {
namespace {

using ingest::AgentSession;
using ingest::StoresForTests;

constexpr std::string_view kMark = "log/lines";

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), files_(disk_) { start_agent(); }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  // The agent.

  void start_agent() {
    SpoolOptions options;
    options.directory = "/spool";
    options.segment_bytes = 1500;  // so that scopes end often
    options.boot = 1;
    auto spool = Spool::open(files_, options);
    ASSERT_TRUE(spool) << to_string(spool.error());
    spool_ = std::move(*spool);
    labels_ = std::make_unique<collect::LabelsTable>();
    for (int i = 0; i < 4; ++i)
      series_[i] = labels_->add(Labels{{"__name__", "m"}, {"instance", "web1"}, {"n", std::to_string(i)}});
    stream_labels_ = labels_->add(Labels{{"file", "/f"}, {"instance", "web1"}});
    recorder_ = std::make_unique<Recorder>(*spool_, *labels_);
    Stream::Callbacks callbacks;
    callbacks.send = [this](std::string frame) {
      // The queue of a socket is full at times.
      if (!link_up_ || (busy_link && below(20) == 0)) return false;
      to_server_.push_back(std::move(frame));
      return true;
    };
    stream_ = std::make_unique<Stream>(*spool_, ingest::HelloFrame{1, "1.0", "web1", spool_->id(), {}}, clock_,
                                       std::move(callbacks));
    const auto mark = spool_->marks().find(kMark);
    next_line_ = mark == spool_->marks().end() ? 0 : std::stoull(mark->second);
  }
  void kill_agent() {
    cut();
    stream_.reset();
    recorder_.reset();
    spool_.reset();
    start_agent();
  }
  void collect() {
    clock_.advance(Duration{static_cast<std::int64_t>(1 + below(1000))});
    collect::Batch batch;
    if (below(2) == 0) {
      std::vector<double> values;
      for (std::uint64_t i = 0, count = 1 + below(4); i < count; ++i) {
        batch.sample(series_[i], clock_.now(), static_cast<double>(next_value_));
        values.push_back(static_cast<double>(next_value_++));
      }
      if (const auto sequence = recorder_->record(clock_.now(), batch)) {
        last_recorded_ = *sequence;
        expected_.insert(expected_.end(), values.begin(), values.end());
      }
    } else {
      const auto count = 1 + below(3);
      for (std::uint64_t i = 0; i < count; ++i)
        batch.log(stream_labels_, clock_.now(), "line " + std::to_string(next_line_ + i));
      batch.mark(std::string{kMark}, std::to_string(next_line_ + count));
      if (const auto sequence = recorder_->record(clock_.now(), batch)) {
        last_recorded_ = *sequence;
        next_line_ += count;
      }
    }
    stream_->pump();
  }

  // The network.

  void connect() {
    if (link_up_) return;
    link_up_ = true;
    AgentSession::Callbacks callbacks;
    callbacks.send = [this, mine = ++connection_](std::string frame) {
      if (mine == connection_ && link_up_) to_agent_.push_back(std::move(frame));
    };
    callbacks.close = [this, mine = connection_](std::uint16_t code, const std::string& reason) {
      EXPECT_EQ(code, ingest::kCloseTryLater) << reason;
      if (mine == connection_) close_wanted_ = true;
    };
    ingest::AgentSessionLimits limits;
    limits.window_batches = 1 + below(6);
    limits.window_bytes = 300 + below(2000);
    session_ =
        std::make_shared<AgentSession>(ingest::AgentPeer{default_tenant(), AgentId{"a"}, "web1"}, stores.series(),
                                       stores.logs(), metrics_, clock_, std::move(callbacks), limits);
    stream_->opened();
    if (to_server_.empty()) cut();  // the hello did not fit: the uplink would come again
  }
  void cut() {
    if (session_) session_->stop();
    session_.reset();
    if (link_up_ && stream_) stream_->closed();
    link_up_ = close_wanted_ = false;
    to_server_.clear();
    to_agent_.clear();
  }
  void deliver_to_server() {
    if (to_server_.empty()) return;
    const auto frame = std::move(to_server_.front());
    to_server_.pop_front();
    session_->on_frame(frame);
    if (close_wanted_) cut();
  }
  void deliver_to_agent() {
    if (to_agent_.empty()) return;
    const auto frame = std::move(to_agent_.front());
    to_agent_.pop_front();
    EXPECT_TRUE(stream_->on_frame(frame));
  }

  // The server.

  void kill_server() {
    cut();
    stores.crash();
  }
  void commit() {
    const bool refuse = below(30) == 0;
    if (below(2) == 0) {
      stores.commit_series(refuse);
    } else {
      stores.commit_logs(refuse);
    }
    if (close_wanted_) cut();
  }

  void step(bool kills) {
    switch (below(24)) {
      case 0: return cut();
      case 1: return kills ? kill_agent() : cut();
      case 2: return kill_server();
      case 3:
      case 4: return connect();
      case 5:
      case 6:
      case 7:
      case 8: return collect();
      case 9:
      case 10:
      case 11:
      case 12: return commit();
      case 13: return stream_->pump();
      default: return below(2) == 0 ? deliver_to_server() : deliver_to_agent();
    }
  }

  /// Everything goes well for long enough.
  void drain() {
    files_.disarm();
    for (int i = 0; i < 20'000; ++i) {
      connect();
      deliver_to_server();
      deliver_to_agent();
      stores.commit_series();
      stores.commit_logs();
      if (close_wanted_) cut();
      if (link_up_) stream_->pump();
    }
  }

  void expect_exactly_once() {
    std::vector<double> stored;
    for (const auto& sample : stores.samples) stored.push_back(sample.value);
    EXPECT_EQ(stored, expected_);
    ASSERT_EQ(stores.lines.size(), next_line_);
    for (std::size_t i = 0; i < stores.lines.size(); ++i) ASSERT_EQ(stores.lines[i].line, "line " + std::to_string(i));
    EXPECT_EQ(spool_->acknowledged(), last_recorded_);
    EXPECT_EQ(stream_->in_flight(), 0u);
  }

  io::FaultyFileSystem& files() { return files_; }
  StoresForTests stores;
  bool busy_link = true;

 private:
  std::mt19937_64 random_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem disk_;
  io::FaultyFileSystem files_;
  telemetry::Registry registry_;
  ingest::AgentSessionMetrics metrics_{registry_};

  std::unique_ptr<Spool> spool_;
  std::unique_ptr<collect::LabelsTable> labels_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Stream> stream_;
  collect::LabelsId series_[4] = {};
  collect::LabelsId stream_labels_ = 0;
  std::uint64_t next_value_ = 1;
  std::uint64_t next_line_ = 0;
  std::uint64_t last_recorded_ = 0;
  std::vector<double> expected_;

  bool link_up_ = false;
  bool close_wanted_ = false;
  int connection_ = 0;
  std::deque<std::string> to_server_;
  std::deque<std::string> to_agent_;
  std::shared_ptr<AgentSession> session_;
};

/// One seed when the environment names it, else many.
std::vector<std::uint64_t> seeds() {
  if (const char* wanted = std::getenv("ATALAYA_TEST_SEED")) return {std::strtoull(wanted, nullptr, 10)};
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) out.push_back(seed);
  return out;
}

TEST(Stream, WhateverIsCutOrKilledEverythingIsStoredOnceAndInOrder) {
  for (const auto seed : seeds()) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 2000; ++i) world.step(true);
    world.drain();
    world.expect_exactly_once();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Stream, WhileTheDiskFailsSamplesTakeTheirWayThroughMemoryAndLinesWait) {
  for (const auto seed : seeds()) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 2000; ++i) {
      if (world.below(100) == 0) world.files().arm(io::Fault::kNoSpace, 1 + world.below(3), world.below(2) == 0);
      if (world.below(40) == 0) world.files().disarm();
      world.step(false);
    }
    world.drain();
    world.expect_exactly_once();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Stream, ADiskThatCannotBeReadForATimeLosesNothing) {
  for (const auto seed : seeds()) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 2000; ++i) {
      if (world.below(60) == 0) world.files().arm(io::Fault::kIoError, 1 + world.below(4), world.below(2) == 0);
      if (world.below(20) == 0) world.files().disarm();
      world.step(false);
    }
    world.drain();
    world.expect_exactly_once();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Stream, ASamplesWayNeedsNoReadOfTheDisk) {
  World world(1);
  world.files().disarm();
  world.busy_link = false;
  world.connect();
  for (int i = 0; i < 3; ++i) world.deliver_to_server(), world.deliver_to_agent();
  for (int i = 0; i < 5; ++i) {
    const auto before = world.files().calls();
    world.collect();
    // One append; a new segment is one open more.
    EXPECT_LE(world.files().calls() - before, 2u);
    world.deliver_to_server();
    world.stores.commit_all();
    world.deliver_to_agent();
  }
}

}  // namespace
}  // namespace atalaya::agent
