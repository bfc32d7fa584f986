// The machine of alerts in a loop of its own, on a time that stands still: for the library's tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerts/machine.h"
#include "alerts/queries.h"
#include "alerts/silence.h"
#include "control/loop.h"

namespace atalaya::alerts {

/// Remembers what people would be told.
class ToldLines final : public TransitionSink {
 public:
  Status on_transition(const TenantId&, const Transition& t, Time, db::Session&, control::Effects&) override {
    lines.push_back(std::string(name(t.alert.state)) + " " + t.alert.name + (t.first_told ? " first" : ""));
    return {};
  }
  std::vector<std::string> lines;
};

class MachineTest : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;
  static constexpr Duration kMinute{60'000};

  MachineTest() : database_(std::move(*db::open_sqlite(":memory:"))), machine_(&told_), loop_(*database_, {&machine_}) {
    auto migrations = control::Loop::migrations();
    for (auto& m : Machine::migrations()) migrations.push_back(m);
    EXPECT_TRUE(database_->migrate(migrations));
    EXPECT_TRUE(loop_.restore());
  }

  Time now() const { return clock_.now(); }
  void step() { ASSERT_TRUE(loop_.step(now())); }
  void pass(Duration by) {
    clock_.advance(by);
    step();
  }
  template <typename Body>
  Status post(Body body) {
    Status answer = fail(ErrorCode::kInternal, "no answer");
    EXPECT_TRUE(loop_.post({default_tenant(), std::move(body), [&](Status s) { answer = std::move(s); }, {}}));
    step();
    return answer;
  }
  /// Of an alert `name` that began now and lasts for a while unless it is posted again.
  PostedAlert posted(const std::string& name, Duration lasts = 5 * kMinute) const {
    PostedAlert out;
    out.labels = Labels{{"alertname", name}, {"instance", "web1"}};
    out.starts = out.received = now();
    out.ends = now() + lasts;
    return out;
  }
  Status send(PostedAlert alert) { return post(Posted{"alertmanager", {std::move(alert)}}); }

  AlertId id(const std::string& name) const { return identity(default_tenant(), "", posted(name).labels); }
  Alert alert(const std::string& name) const {
    const auto details = Queries(*database_, &clock_).get(default_tenant(), id(name));
    EXPECT_TRUE(details);
    return details ? details->alert : Alert{};
  }
  Lines history(const std::string& name) const {
    Lines lines;
    const auto details = Queries(*database_).get(default_tenant(), id(name));
    if (!details) return lines;
    for (const auto& line : details->history) {
      lines.push_back(line.from + ">" + line.to + (line.by.empty() ? "" : " by " + line.by));
    }
    return lines;
  }

  ManualClock clock_{from_ms(1'700'000'000'000)};
  ToldLines told_;
  std::unique_ptr<db::Database> database_;
  Machine machine_;
  control::Loop loop_;
};

}  // namespace atalaya::alerts
