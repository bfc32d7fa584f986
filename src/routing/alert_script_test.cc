// Runs test/alerts/*.txt, without those of incidents: as they are, with a restart before every event, and with a clock
// that ticks.
#include "routing/alert_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "routing/alert_world.h"

namespace atalaya::routing {
namespace {

enum class Manner { kPlain, kRestarts, kTicks };

std::string words_of(const Notification& told, Time begin) {
  std::string out = fmt::format("{} notify {}/{}/{} [", format_duration(told.at - begin), told.key.target.receiver,
                                told.key.target.type, told.key.target.index);
  for (const auto& one : told.alerts) {
    out += fmt::format("{}{} {} since {}", out.ends_with('[') ? "" : ", ", one.firing ? "firing" : "resolved",
                       to_string(one.labels), to_ms(one.alert.starts_at) - to_ms(begin));
    if (!one.firing) out += fmt::format(" ended {}", to_ms(one.alert.ends_at) - to_ms(begin));
  }
  return fmt::format("{}] {}", out, name(told.reason));
}

class ScriptRun {
 public:
  ScriptRun(const Script& script, std::string file, Manner manner)
      : script_(script), file_(std::move(file)), begin_(*parse_time("2026-01-05T00:00:00Z")) {
    for (const auto& step : script.steps) {
      if (step.kind == ScriptStep::Kind::kBegin) begin_ = *parse_time(step.text);
    }
    world_ = std::make_unique<AlertWorld>(config(""), begin_);
    if (manner == Manner::kRestarts) world_->restart_always();
    if (manner == Manner::kTicks) world_->advance_every(std::chrono::milliseconds{700});
  }

  void run() {
    for (const auto& step : script_.steps) {
      const auto place = fmt::format("{}:{}", file_, step.line);
      SCOPED_TRACE(place);
      // What happens at the time of a flush is in it; expectations come after it.
      world_->advance_to(begin_ + step.at, is_expectation(step));
      if (is_expectation(step)) {
        expect(step);
      } else {
        act(step);
      }
      check_overdue(begin_ + step.at);
    }
    check_overdue(kMaxTime);
  }

 private:
  using Kind = ScriptStep::Kind;

  static bool is_expectation(const ScriptStep& step) { return step.kind >= Kind::kExpectNotify; }

  ConfigPtr config(const std::string& name) {
    const auto found = script_.configs.find(name);
    if (found == script_.configs.end()) throw std::runtime_error("there is no config " + name);
    config::Errors errors;
    config::Errors warnings;
    auto read = read_config_text(found->second, file_ + " config " + name, errors, warnings);
    if (!read) throw std::runtime_error(to_string(errors.front()));
    return read;
  }

  Alert alert_of(const ScriptAlert& given, Kind kind) {
    Alert out;
    out.labels = given.labels;
    out.severity = given.severity;
    out.annotations = given.annotations;
    out.starts_at = given.starts ? begin_ + *given.starts : kMinTime;
    if (kind == Kind::kAlert) out.ends_at = kMaxTime;
    if (kind == Kind::kPost) out.ends_at = kMinTime;
    if (kind == Kind::kResolve) {
      out.ends_at = world_->now();
      if (const auto* known = world_->machine().find(given.labels); known != nullptr) {
        if (!given.starts) out.starts_at = known->starts_at;
        if (given.severity.empty()) out.severity = known->severity;
      }
    }
    if (given.ends) out.ends_at = begin_ + *given.ends;
    out = received(out, world_->now(), world_->machine().config().resolve_timeout);
    EXPECT_TRUE(check(out)) << check(out).error().message;
    return out;
  }

  void act(const ScriptStep& step) {
    switch (step.kind) {
      case Kind::kAlert:
      case Kind::kPost:
      case Kind::kResolve: {
        std::vector<Alert> alerts;
        for (const auto& one : step.alerts) alerts.push_back(alert_of(one, step.kind));
        return world_->take(alerts);
      }
      case Kind::kSilence: {
        Silence silence{step.text,
                        step.matchers,
                        begin_ + step.from,
                        step.until == Duration::max() ? kMaxTime : begin_ + step.until,
                        {}};
        EXPECT_TRUE(check(silence)) << check(silence).error().message;
        return world_->silence(std::move(silence));
      }
      case Kind::kUnsilence: return world_->unsilence(step.text);
      case Kind::kReload: return world_->reload(config(step.text));
      case Kind::kRestart: return world_->restart();
      case Kind::kFail: return world_->conduct(step.text, Conduct::kFails);
      case Kind::kHang: return world_->conduct(step.text, Conduct::kHangs);
      case Kind::kWork: return world_->conduct(step.text, Conduct::kAnswers);
      default: return;
    }
  }

  bool fits(const ScriptItem& item, const NotifiedAlert& one) const {
    for (const auto& [name, value] : item.labels) {
      if (one.labels.get(name) != value) return false;
    }
    for (const auto& value : item.values) {
      bool any = false;
      for (const auto& [name, own] : one.labels) any = any || own == value;
      if (!any) return false;
    }
    for (const auto& [name, value] : item.annotations) {
      if (one.alert.annotations.get(name) != value) return false;
    }
    return item.firing == one.firing && (!item.since || one.alert.starts_at == begin_ + *item.since) &&
           (!item.ended || one.alert.ends_at == begin_ + *item.ended);
  }

  bool fits(const std::vector<ScriptItem>& items, std::vector<NotifiedAlert> alerts) const {
    for (const auto& item : items) {
      const auto found =
          std::find_if(alerts.begin(), alerts.end(), [&](const NotifiedAlert& one) { return fits(item, one); });
      if (found == alerts.end()) return false;
      alerts.erase(found);
    }
    return alerts.empty();
  }

  void expect(const ScriptStep& step) {
    const auto& told = world_->told();
    switch (step.kind) {
      case Kind::kExpectNotify: {
        for (std::size_t i = 0; i < told.size(); ++i) {
          const auto& target = told[i].key.target;
          const bool named = step.text == target.receiver ||
                             step.text == fmt::format("{}/{}/{}", target.receiver, target.type, target.index);
          if (seen_.contains(i) || told[i].at != begin_ + step.at || !named || !fits(step.items, told[i].alerts) ||
              (!step.reason.empty() && step.reason != name(told[i].reason))) {
            continue;
          }
          seen_.insert(i);
          return;
        }
        ADD_FAILURE() << "expected notification did not come; what came: " << all_told();
        return;
      }
      case Kind::kExpectNothing: return;  // whatever came would be overdue
      case Kind::kExpectHidden:
      case Kind::kExpectShown: return expect_muted(step);
      case Kind::kExpectAlerts: {
        std::vector<NotifiedAlert> all;
        for (const auto* alert : world_->machine().alerts()) {
          all.push_back({*alert, seen_labels(*alert), alert->firing_at(world_->now())});
        }
        EXPECT_TRUE(fits(step.items, all)) << "there are " << all.size() << " alerts";
        return;
      }
      default: return;
    }
  }

  void expect_muted(const ScriptStep& step) {
    const auto* alert = world_->machine().find(step.alerts.front().labels);
    ASSERT_NE(alert, nullptr) << "there is no such alert";
    const auto mutes = world_->machine().mutes(*alert, world_->now());
    EXPECT_EQ(mutes.muted(), step.kind == Kind::kExpectHidden);
    if (step.text.empty()) return;
    std::vector<std::string> by = mutes.silences;
    by.insert(by.end(), mutes.intervals.begin(), mutes.intervals.end());
    for (const auto& labels : mutes.inhibited_by) by.emplace_back(labels.get("alertname"));
    EXPECT_THAT(by, testing::Contains(step.text));
  }

  /// Whatever came before the time of the statement must have been expected when it came.
  void check_overdue(Time now) {
    const auto& told = world_->told();
    for (std::size_t i = 0; i < told.size(); ++i) {
      if (told[i].at >= now || !seen_.insert(i).second) continue;
      ADD_FAILURE() << "nobody expected: " << words_of(told[i], begin_);
    }
  }

  std::string all_told() const {
    std::string out;
    for (const auto& one : world_->told()) out += "\n  " + words_of(one, begin_);
    return out;
  }

  const Script& script_;
  std::string file_;
  Time begin_;
  std::unique_ptr<AlertWorld> world_;
  std::set<std::size_t> seen_;
};

std::vector<std::string> script_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(AT_SOURCE_DIR) + "/test/alerts")) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".txt") && !name.starts_with("incident_")) out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class AlertScript : public testing::TestWithParam<std::string> {
 protected:
  void run(Manner manner) {
    const auto file = "test/alerts/" + GetParam() + ".txt";
    std::ifstream in(std::string(AT_SOURCE_DIR) + "/" + file);
    std::stringstream text;
    text << in.rdbuf();
    const auto script = ScriptReader().read(text.str(), file);
    ASSERT_TRUE(script) << to_string(script.error());
    const auto expects = std::count_if(script->steps.begin(), script->steps.end(), [](const ScriptStep& step) {
      return step.kind >= ScriptStep::Kind::kExpectNotify;
    });
    ASSERT_GT(expects, 0) << file << " expects nothing";
    ScriptRun(*script, file, manner).run();
  }
};

TEST_P(AlertScript, Holds) { run(Manner::kPlain); }
TEST_P(AlertScript, HoldsWithARestartBeforeEveryEvent) { run(Manner::kRestarts); }
TEST_P(AlertScript, HoldsWithAClockThatTicks) { run(Manner::kTicks); }

INSTANTIATE_TEST_SUITE_P(All, AlertScript, testing::ValuesIn(script_files()),
                         [](const auto& one) { return one.param; });

TEST(AlertScripts, AreManyAndOtherwiseFail) {
  EXPECT_GE(script_files().size(), 40u);
  EXPECT_FALSE(ScriptReader().read("at 1m: alert", "x"));
  EXPECT_FALSE(ScriptReader().read("at 1m: expect notify ops firing a", "x"));
  EXPECT_EQ(ScriptReader().read("at 1m alert a", "x").error().message, "at TIME: needs its colon");
  EXPECT_EQ(ScriptReader().read("\nshout", "x").error().place->line, 2u);
  EXPECT_FALSE(ScriptReader().read("at 2m: expect nothing; at 1m: expect nothing", "x"));
}

}  // namespace
}  // namespace atalaya::routing
