#include "collect/script/script_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "model/sample.h"
#include "net/test_loop.h"

namespace atalaya::collect::script {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

io::SandboxResult printed(std::string output) { return {.output = std::move(output)}; }

/// A collector on a loop; what its program does is decided here.
class ScriptTest : public testing::Test {
 protected:
  struct Seen {
    std::vector<std::string> samples;  ///< `name{labels} value`, script_duration_seconds left out
    std::vector<std::string> lines;    ///< `level: text`
  };

  ScriptTest() {
    spec_.id = "shop/queues/orders";
    spec_.period = Duration{10'000};
    spec_.what = ScriptSpec{.program = "#!/bin/sh\n"};
  }
  ~ScriptTest() override {
    loop_.run([this] { collector_.reset(); });
    workers_.stop();
    loop_.stop();
  }

  void make(bool real = false) {
    loop_.run([&] {
      ScriptContext context{
          .instance = "web1", .labels = labels_, .loop = *loop_, .clock = clock_, .workers = workers_, .wake = [this] {
            woken_.set_value();
          }};
      if (!real)
        context.run = [this](const io::SandboxRequest& request) {
          asked_ = request;
          return result_;
        };
      collector_ = std::make_unique<ScriptCollector>(spec_, std::move(context));
    });
  }

  /// One period: the run begins, ends, and is written.
  Seen look() {
    clock_.advance(spec_.period);
    woken_ = {};
    auto ended = woken_.get_future();
    Batch batch;
    loop_.run([&] { EXPECT_TRUE(collector_->collect(clock_.now(), batch)); });
    EXPECT_TRUE(batch.empty());
    ended.get();
    loop_.run([&] { EXPECT_TRUE(collector_->collect(clock_.now(), batch)); });
    return seen(batch);
  }
  Seen look(Result<io::SandboxResult> result) {
    result_ = std::move(result);
    return look();
  }
  Seen seen(const Batch& batch) {
    Seen out;
    for (const auto& sample : batch.samples()) {
      const auto& labels = labels_.at(sample.series);
      if (labels.get(kMetricName) == "script_duration_seconds") continue;
      out.samples.push_back(to_string(labels) + (is_stale(sample.value) ? " ends" : fmt_value(sample.value)));
    }
    for (const auto& log : batch.logs())
      out.lines.push_back(std::string{labels_.at(log.stream).get("level")} + ": " + std::string{batch.line(log)});
    return out;
  }
  static std::string fmt_value(double value) { return " " + std::to_string(static_cast<int>(value)); }

  net::testing::TestLoop loop_;
  net::WorkerPool workers_{1, 4};
  LabelsTable labels_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  CollectorSpec spec_;
  Result<io::SandboxResult> result_;
  io::SandboxRequest asked_;
  std::promise<void> woken_;
  std::unique_ptr<ScriptCollector> collector_;
};

const std::string kUp = R"(script_up{instance="web1", job="orders", script="orders"})";

TEST_F(ScriptTest, WhatIsPrintedBecomesSeriesOfThisHostAndItem) {
  make();
  const auto seen = look(printed("waiting{queue=\"a\"} 3\ntotal 4\n"));
  EXPECT_THAT(seen.samples, UnorderedElementsAre(kUp + " 1", R"(waiting{instance="web1", job="orders", queue="a"} 3)",
                                                 R"(total{instance="web1", job="orders"} 4)"));
  EXPECT_THAT(seen.lines, ElementsAre("info: runs"));
  EXPECT_THAT(look(printed("total 5\n")).lines, IsEmpty()) << "nothing changed";
}

TEST_F(ScriptTest, TheProgramRunsWithItsArgumentsItsTimeAndNetwork) {
  spec_.timeout = Duration{1500};
  spec_.what = ScriptSpec{"#!/bin/sh\nexit", {"a", "b"}, {{"K", "v"}}, 64 << 20};
  make();
  look(printed(""));
  EXPECT_EQ(asked_.program, "#!/bin/sh\nexit");
  EXPECT_THAT(asked_.arguments, ElementsAre("a", "b"));
  EXPECT_EQ(asked_.environment.at("K"), "v");
  EXPECT_EQ(asked_.time, Duration{1500});
  EXPECT_EQ(asked_.memory_bytes, 64u << 20);
  EXPECT_TRUE(asked_.network);
}

TEST_F(ScriptTest, ASeriesThatIsNotPrintedAnyMoreEndsOnce) {
  make();
  look(printed("a 1\nb 2\n"));
  EXPECT_THAT(look(printed("b 2\n")).samples,
              UnorderedElementsAre(kUp + " 1", R"(a{instance="web1", job="orders"} ends)",
                                   R"(b{instance="web1", job="orders"} 2)"));
  EXPECT_THAT(look(printed("b 2\n")).samples,
              UnorderedElementsAre(kUp + " 1", R"(b{instance="web1", job="orders"} 2)"));
  EXPECT_THAT(look(printed("a 1\n")).samples, UnorderedElementsAre(kUp + " 1", R"(a{instance="web1", job="orders"} 1)",
                                                                   R"(b{instance="web1", job="orders"} ends)"));
}

TEST_F(ScriptTest, EveryFailureIsDownWithItsReasonAndEndsTheSeries) {
  make();
  look(printed("a 1\n"));
  auto seen = look(io::SandboxResult{.status = 1, .output = "a 1\n", .errors = "Traceback\n  File …\nKeyError: 'x'\n"});
  EXPECT_THAT(seen.samples, UnorderedElementsAre(kUp + " 0", R"(a{instance="web1", job="orders"} ends)"));
  EXPECT_THAT(seen.lines, ElementsAre("error: exit code 1: KeyError: 'x'"));
  seen = look(io::SandboxResult{.status = 137, .timed_out = true});
  EXPECT_THAT(seen.lines, ElementsAre("error: did not end within 5s"));
  seen = look(printed("a one\n"));
  EXPECT_THAT(seen.samples, ElementsAre(kUp + " 0"));
  EXPECT_THAT(seen.lines, ElementsAre("error: output: line 1: a has \"one\", which is no number"));
  EXPECT_THAT(look(printed("a one\n")).lines, IsEmpty()) << "the same reason again";
  seen = look(fail(ErrorCode::kUnavailable, "cannot be started"));
  EXPECT_THAT(seen.lines, ElementsAre("error: cannot be started"));
  EXPECT_THAT(look(printed("script_up 1\n")).lines, ElementsAre("error: output: script_up is the agent's own"));
  seen = look(printed("a 1\n"));
  EXPECT_THAT(seen.samples, UnorderedElementsAre(kUp + " 1", R"(a{instance="web1", job="orders"} 1)"));
  EXPECT_THAT(seen.lines, ElementsAre("info: runs"));
}

TEST_F(ScriptTest, LabelsThatTheAgentGivesAreKeptUnderAnotherName) {
  make();
  EXPECT_THAT(look(printed("a{instance=\"db9\",job=\"j\"} 1\n")).samples,
              UnorderedElementsAre(kUp + " 1",
                                   R"(a{exported_instance="db9", exported_job="j", instance="web1", job="orders"} 1)"));
}

TEST_F(ScriptTest, ItEndsWithStaleMarkersAndReleasesItsLabels) {
  make();
  look(printed("a 1\n"));
  Batch batch;
  loop_.run([&] { collector_->finish(clock_.now(), batch); });
  EXPECT_THAT(seen(batch).samples, UnorderedElementsAre(kUp + " ends", R"(a{instance="web1", job="orders"} ends)"));
  loop_.run([&] { collector_.reset(); });
  labels_.sweep();
  EXPECT_EQ(labels_.size(), 0u);
}

TEST_F(ScriptTest, ARealProgramMeasures) {
  spec_.timeout = std::chrono::seconds{60};
  spec_.what = ScriptSpec{.program = "#!/bin/sh\necho \"argument{value=\\\"$1\\\",set=\\\"$SET\\\"} $(id -u)\"\n",
                          .arguments = {"x y"},
                          .environment = {{"SET", "here"}}};
  make(true);
  const auto seen = look();
  EXPECT_THAT(seen.lines, ElementsAre("info: runs"));
  EXPECT_THAT(seen.samples,
              testing::Contains(HasSubstr(R"(argument{instance="web1", job="orders", set="here", value="x y"})")));
}

TEST_F(ScriptTest, AScriptThatIsStillRunningEndsWithItsCollector) {
  spec_.timeout = std::chrono::seconds{100'000};
  spec_.what = ScriptSpec{.program = "#!/bin/sh\nsleep 100000\n"};
  make(true);
  Batch batch;
  loop_.run([&] { EXPECT_TRUE(collector_->collect(clock_.now(), batch)); });
  loop_.run([&] { collector_.reset(); });
  workers_.stop();  // returns: nothing runs any more
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace atalaya::collect::script
