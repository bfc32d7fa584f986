#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "control/loop.h"
#include "control/runner.h"

namespace atalaya::control {
namespace {

struct Note {
  std::string text;
};
struct Noted {
  std::string text;
};
struct Remind {
  std::string key;
  Time due;
};

/// Writes every note and every timer into one table, in order.
class Diary final : public Machine {
 public:
  static std::vector<db::Migration> migrations() {
    return {{"diary", 1,
             "CREATE TABLE diary(number INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, text TEXT NOT NULL UNIQUE)"}};
  }
  std::string_view name() const override { return "diary"; }
  std::vector<std::type_index> handles() const override { return {typeid(Note), typeid(Remind)}; }
  Status handle(const Event& event, Time, db::Session& session, Effects& effects) override {
    if (const auto* remind = std::any_cast<Remind>(&event.body)) return effects.set_timer(remind->key, remind->due);
    const auto& note = std::any_cast<const Note&>(event.body);
    effects.publish(Noted{note.text});
    AT_TRY(write(event.tenant, note.text, session));
    if (note.text.starts_with("bad")) return fail(ErrorCode::kInvalidArgument, "a bad note");
    if (note.text == "away" && failures-- > 0) return fail(ErrorCode::kUnavailable, "the database is away");
    return {};
  }
  Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time, db::Session& session,
                  Effects& effects) override {
    AT_TRY(write(tenant, "timer " + std::string(key) + " " + std::to_string(to_ms(due)), session));
    if (key == "again") return effects.set_timer("again", due + Duration{10});
    if (key == "cancels") return effects.cancel_timer("cancelled");
    return {};
  }

  int failures = 1;

 private:
  static Status write(const TenantId& tenant, const std::string& text, db::Session& session) {
    AT_TRY(session.execute("INSERT INTO diary(tenant_id, text) VALUES(?, ?)", {tenant.value(), text}));
    return {};
  }
};

class LoopTest : public testing::Test {
 protected:
  LoopTest() : database_(std::move(*db::open_sqlite(":memory:"))) {
    auto migrations = Loop::migrations();
    for (auto& m : Diary::migrations()) migrations.push_back(m);
    EXPECT_TRUE(database_->migrate(migrations));
    make();
  }

  /// A new process on the same database.
  void make(CrashPoint crash = {}) {
    loop_ = std::make_unique<Loop>(*database_, std::vector<Machine*>{&diary_}, options_, std::move(crash));
    loop_->listen<Noted>([this](const TenantId&, const Noted& n) { heard_.push_back(n.text); });
    EXPECT_TRUE(loop_->restore());
  }
  Status note(std::string text, std::string tenant = "default", std::optional<Cursor> cursor = {}, Done done = {}) {
    return loop_->post({TenantId{std::move(tenant)}, Note{std::move(text)}, std::move(done), std::move(cursor)});
  }
  Stepped step(std::int64_t ms = 0) {
    const auto stepped = loop_->step(from_ms(ms));
    EXPECT_TRUE(stepped);
    return stepped.value_or(Stepped{});
  }
  std::vector<std::string> diary() {
    std::vector<std::string> texts;
    EXPECT_TRUE(database_->read([&](db::Session& session) -> Status {
      AT_TRY(const auto rows, session.query("SELECT text FROM diary ORDER BY number"));
      for (const auto& row : rows) texts.push_back(row.text(0));
      return {};
    }));
    return texts;
  }
  using Texts = std::vector<std::string>;

  std::unique_ptr<db::Database> database_;
  Diary diary_;
  LoopOptions options_;
  std::unique_ptr<Loop> loop_;
  Texts heard_;
};

TEST_F(LoopTest, HandlesEventsInOrderAndPublishesAfterTheCommit) {
  ASSERT_TRUE(note("a"));
  ASSERT_TRUE(note("b"));
  EXPECT_EQ(step().events, 2u);
  EXPECT_EQ(diary(), (Texts{"a", "b"}));
  EXPECT_EQ(heard_, (Texts{"a", "b"}));
}

TEST_F(LoopTest, RefusesAnEventThatNoMachineTakes) {
  EXPECT_EQ(loop_->post({default_tenant(), std::string("?"), {}, {}}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LoopTest, ARefusedEventLeavesNothingAndItsNeighboursStay) {
  Status answer;
  ASSERT_TRUE(note("a"));
  ASSERT_TRUE(note("bad", "default", {}, [&](Status s) { answer = std::move(s); }));
  ASSERT_TRUE(note("b"));
  EXPECT_EQ(step().refused, 1u);
  EXPECT_EQ(diary(), (Texts{"a", "b"}));
  EXPECT_EQ(heard_, (Texts{"a", "b"}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "a bad note");
}

TEST_F(LoopTest, ADatabaseErrorUndoesTheStepAndEventsWaitInTheirPlace) {
  Status answer;
  ASSERT_TRUE(note("a"));
  ASSERT_TRUE(note("c", "default", {}, [&](Status s) { answer = std::move(s); }));
  ASSERT_TRUE(note("away"));
  EXPECT_FALSE(loop_->step(from_ms(0)));
  EXPECT_EQ(diary(), Texts{});
  EXPECT_EQ(heard_, Texts{});
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(note("b"));
  step();
  EXPECT_EQ(diary(), (Texts{"a", "away", "b"}));
}

TEST_F(LoopTest, TakesTenantsInTurn) {
  options_.batch = 4;
  options_.tenant_batch = 1;
  make();
  for (const auto* text : {"n1", "n2", "n3", "n4", "n5"}) ASSERT_TRUE(note(text, "noisy"));
  ASSERT_TRUE(note("q1", "quiet"));
  EXPECT_TRUE(step().more);
  EXPECT_EQ(diary(), (Texts{"n1", "q1", "n2", "n3"}));
  EXPECT_FALSE(step().more);
}

TEST_F(LoopTest, UrgentEventsComeFirstAndLeaveEverySecondTurnToTheOthers) {
  options_.batch = 1;
  make();
  const auto post = [&](const char* text, bool urgent) {
    ASSERT_TRUE(loop_->post({.tenant = default_tenant(), .body = Note{text}, .urgent = urgent}));
  };
  for (const auto* text : {"a", "b", "c"}) post(text, false);
  for (const auto* text : {"urgent 1", "urgent 2"}) post(text, true);
  EXPECT_EQ(loop_->passed(), 0u);
  step();
  EXPECT_EQ(loop_->passed(), 0u) << "the first ones wait still";
  for (int i = 0; i < 4; ++i) step();
  EXPECT_EQ(diary(), (Texts{"urgent 1", "a", "urgent 2", "b", "c"}));
  EXPECT_EQ(loop_->passed(), 5u);
}

TEST_F(LoopTest, AStepTakesNoMoreThanItsWeightButAlwaysSomething) {
  options_.weight = 10;
  make();
  for (const std::size_t weight : {30, 4, 6, 1}) {
    ASSERT_TRUE(loop_->post({.tenant = default_tenant(), .body = Note{std::to_string(weight)}, .weight = weight}));
  }
  EXPECT_EQ(step().events, 1u);
  EXPECT_EQ(step().events, 2u);
  EXPECT_EQ(step().events, 1u);
}

TEST_F(LoopTest, UrgentEventsThatCouldNotBeStoredWaitInTheirPlace) {
  ASSERT_TRUE(note("a"));
  ASSERT_TRUE(loop_->post({.tenant = default_tenant(), .body = Note{"away"}, .urgent = true}));
  EXPECT_FALSE(loop_->step(from_ms(0)));
  step();
  step();
  EXPECT_EQ(diary(), (Texts{"a", "away"}));
}

TEST_F(LoopTest, OneTenantCannotFillTheQueue) {
  options_.queue = {.per_tenant = 2, .total = 3};
  make();
  ASSERT_TRUE(note("n1", "noisy"));
  ASSERT_TRUE(note("n2", "noisy"));
  EXPECT_EQ(note("n3", "noisy").error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(note("q1", "quiet"));
  EXPECT_EQ(note("q2", "quiet").error().code, ErrorCode::kResourceExhausted);
}

TEST_F(LoopTest, RunsTimersByDueTimeAndForgetsCancelledOnes) {
  for (const auto& [key, due] : {std::pair{"late", 30}, {"cancels", 10}, {"cancelled", 20}, {"far", 99}}) {
    ASSERT_TRUE(loop_->post({default_tenant(), Remind{key, from_ms(due)}, {}, {}}));
  }
  step(1);
  EXPECT_EQ(loop_->next_due(), from_ms(10));
  EXPECT_EQ(step(50).timers, 2u);
  EXPECT_EQ(diary(), (Texts{"timer cancels 10", "timer late 30"}));
  EXPECT_EQ(loop_->next_due(), from_ms(99));
}

TEST_F(LoopTest, TimersSurviveARestartAndMaySetThemselvesAgain) {
  ASSERT_TRUE(loop_->post({default_tenant(), Remind{"again", from_ms(10)}, {}, {}}));
  step();
  make();
  EXPECT_EQ(loop_->next_due(), from_ms(10));
  EXPECT_TRUE(step(25).more);
  step(25);
  EXPECT_EQ(diary(), (Texts{"timer again 10", "timer again 20"}));
  EXPECT_EQ(loop_->next_due(), from_ms(30));
}

TEST_F(LoopTest, StoresTheCursorWithItsEvent) {
  ASSERT_TRUE(note("a", "default", Cursor{"tsdb", 7}));
  step();
  make();
  EXPECT_EQ(loop_->cursor("tsdb"), 7u);
}

TEST_F(LoopTest, MovesOfACursorAloneWaitForCompanyOrTheDelay) {
  ASSERT_TRUE(loop_->post({default_tenant(), {}, {}, Cursor{"tsdb", 3}}));
  step(0);
  EXPECT_EQ(loop_->cursor("tsdb"), 0u);
  EXPECT_EQ(loop_->next_due(), from_ms(1000));
  ASSERT_TRUE(loop_->post({default_tenant(), {}, {}, Cursor{"tsdb", 4}}));
  step(999);
  EXPECT_EQ(loop_->cursor("tsdb"), 0u);
  step(1000);
  EXPECT_EQ(loop_->cursor("tsdb"), 4u);
  EXPECT_EQ(loop_->next_due(), std::nullopt);
}

TEST_F(LoopTest, ACursorNeverPassesAnEventThatIsStillQueued) {
  options_.batch = 2;
  options_.tenant_batch = 1;
  make();
  ASSERT_TRUE(note("n1", "noisy", Cursor{"tsdb", 1}));
  ASSERT_TRUE(note("n2", "noisy", Cursor{"tsdb", 2}));
  ASSERT_TRUE(note("q1", "quiet", Cursor{"tsdb", 3}));
  step();
  EXPECT_EQ(diary(), (Texts{"n1", "q1"}));
  EXPECT_EQ(loop_->cursor("tsdb"), 1u);
  step();
  EXPECT_EQ(loop_->cursor("tsdb"), 3u);
}

/// The process dies at every point of every step; what was posted and not stored is posted again, as
/// a judge does from its cursor. In the end each note is there once.
TEST_F(LoopTest, ACrashAtAnyPointLosesNothingAndRepeatsNothing) {
  struct Dies {};
  int crashes = 0;
  for (int point = 0;; ++point) {
    ASSERT_TRUE(database_->write([](db::Session& s) -> Status {
      AT_TRY(s.execute("DELETE FROM diary"));
      AT_TRY(s.execute("DELETE FROM control_timers"));
      AT_TRY(s.execute("DELETE FROM control_cursors"));
      return {};
    }));
    int left = point;
    bool died = false;
    make([&](std::string_view) {
      if (left-- == 0) throw Dies{};
    });
    const auto feed = [&](std::uint64_t after) {
      for (std::uint64_t i = after + 1; i <= 3; ++i) {
        ASSERT_TRUE(note("n" + std::to_string(i), "default", Cursor{"feed", i}));
      }
    };
    ASSERT_TRUE(loop_->post({default_tenant(), Remind{"t", from_ms(5)}, {}, Cursor{"feed", 0}}));
    feed(0);
    try {
      step(10);
      step(10);
    } catch (const Dies&) {
      died = true;
      ++crashes;
      make();
      if (loop_->cursor("feed") == 0) {
        ASSERT_TRUE(loop_->post({default_tenant(), Remind{"t", from_ms(5)}, {}, Cursor{"feed", 0}}));
      }
      feed(loop_->cursor("feed"));
      step(10);
      step(10);
    }
    EXPECT_EQ(diary(), (Texts{"n1", "n2", "n3", "timer t 5"})) << "crash at point " << point;
    if (!died) break;
  }
  EXPECT_GE(crashes, 9);
}

class RunnerTest : public LoopTest {
 protected:
  RunnerTest() : clock_(from_ms(1000)), runner_(*loop_, clock_, metrics_) {}
  ManualClock clock_;
  telemetry::Registry metrics_;
  Runner runner_;
};

constexpr Duration kLong{30'000};

TEST_F(RunnerTest, HandlesWhatIsPosted) {
  runner_.start();
  ASSERT_TRUE(runner_.post({default_tenant(), Note{"a"}, {}, {}}));
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  EXPECT_EQ(diary(), Texts{"a"});
  runner_.stop();
}

TEST_F(RunnerTest, AnswersCommandsWithTheirResult) {
  runner_.start();
  EXPECT_TRUE(runner_.run(default_tenant(), Note{"a"}));
  EXPECT_EQ(runner_.run(default_tenant(), Note{"bad"}).error().code, ErrorCode::kInvalidArgument);
  runner_.stop();
}

TEST_F(RunnerTest, WaitsForACycleAlsoWhenThereIsNothingToDo) {
  runner_.start();
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  const auto before = runner_.cycles();
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  EXPECT_GT(runner_.cycles(), before);
}

TEST_F(RunnerTest, RunsATimerOnceItsTimeHasCome) {
  runner_.start();
  ASSERT_TRUE(runner_.run(default_tenant(), Remind{"t", from_ms(5000)}));
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  EXPECT_EQ(diary(), Texts{});
  clock_.advance(Duration{4000});
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  EXPECT_EQ(diary(), Texts{"timer t 5000"});
}

TEST_F(RunnerTest, TriesAgainAfterADatabaseError) {
  runner_.start();
  ASSERT_TRUE(runner_.post({default_tenant(), Note{"away"}, {}, {}}));
  ASSERT_TRUE(runner_.wait_cycle(kLong));
  EXPECT_EQ(diary(), Texts{"away"});
}

TEST_F(RunnerTest, StoppingEndsWaitingCommands) {
  std::promise<Status> answer;
  ASSERT_TRUE(runner_.post({default_tenant(), Note{"a"}, [&](Status s) { answer.set_value(std::move(s)); }, {}}));
  runner_.stop();
  EXPECT_EQ(answer.get_future().get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(runner_.post({default_tenant(), Note{"b"}, {}, {}}).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(diary(), Texts{});
}

TEST_F(RunnerTest, PostWaitGetsThroughAFullQueue) {
  options_.queue = {.per_tenant = 2, .total = 2};
  make();
  Runner narrow(*loop_, clock_, metrics_);
  narrow.start();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(narrow.post_wait({default_tenant(), Note{"n" + std::to_string(i)}, {}, {}}));
  }
  ASSERT_TRUE(narrow.wait_cycle(kLong));
  EXPECT_EQ(diary().size(), 50u);
  narrow.stop();
}

}  // namespace
}  // namespace atalaya::control
