// Runs test/alerts/incident_*.txt through alerts, incidents, routing and deliveries: as they are, and with a restart
// before every statement.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "alerts/queries.h"
#include "dispatch/scenario_world.h"
#include "incidents/queries.h"
#include "routing/alert_script.h"

namespace atalaya::dispatch {
namespace {

namespace json = boost::json;
using routing::Script;
using routing::ScriptItem;
using routing::ScriptStep;

std::vector<std::string> receivers_of(const Script& script) {
  std::vector<std::string> out;
  for (const auto& [name, text] : script.configs) {
    config::Errors errors, warnings;
    const auto config = routing::read_config_text(text, "config " + name, errors, warnings);
    if (!config) throw std::runtime_error(to_string(errors.front()));
    for (const auto& [receiver, unused] : config->receivers) out.push_back(receiver);
  }
  return out;
}

class IncidentRun {
 public:
  IncidentRun(const Script& script, std::string file, bool restarts)
      : script_(script),
        file_(std::move(file)),
        begin_(*parse_time("2026-01-05T00:00:00Z")),
        world_(begin_, receivers_of(script)),
        restarts_(restarts) {
    settings_.settle = Duration{0};
    const auto config = script.configs.find("");
    if (config != script.configs.end()) {
      EXPECT_TRUE(world_.configure(config->second));
    }
  }

  void run() {
    for (const auto& step : script_.steps) {
      const auto place = fmt::format("{}:{}", file_, step.line);
      SCOPED_TRACE(place);
      world_.pass(begin_ + step.at - world_.now());
      if (restarts_) world_.restart();
      check_overdue(begin_ + step.at);
      if (step.kind >= Kind::kExpectNotify) {
        expect(step);
      } else {
        act(step);
      }
    }
    check_overdue(kMaxTime);
    EXPECT_THAT(world_.repeated, testing::IsEmpty());
  }

 private:
  using Kind = ScriptStep::Kind;

  static std::string rule_of(std::string_view alertname) { return "p/g/" + std::string(alertname); }
  AlertId id_of(const Labels& labels) const {
    return alerts::identity(default_tenant(), rule_of(labels.get("alertname")), labels);
  }
  alerts::Level level_of(const ScriptStep& step, const routing::ScriptAlert& alert) const {
    if (step.kind == Kind::kResolve) return alerts::Level::kOk;
    if (step.kind == Kind::kLose) return alerts::Level::kNoData;
    return alert.severity == "warning" ? alerts::Level::kWarning : alerts::Level::kCritical;
  }

  void judge(const ScriptStep& step) {
    std::vector<alerts::Judgement> batch;
    for (const auto& one : step.alerts) {
      alerts::Judgement j;
      j.rule = rule_of(one.labels.get("alertname"));
      j.labels = one.labels;
      j.level = level_of(step, one);
      j.at = world_.now();
      batch.push_back(std::move(j));
    }
    world_.judge(std::move(batch));
  }

  void read_rule(const ScriptStep& step) {
    const auto rule = rule_of(step.text);
    for (const auto& name : step.names) {
      if (step.state == "depends") {
        settings_.depends[rule].push_back(rule_of(name));
      } else if (step.by == "with") {
        settings_.rules[rule].alerts.insert(name);
      } else {
        settings_.rules[rule].labels.push_back(name);
      }
    }
    EXPECT_TRUE(world_.command(incidents::ConfigureIncidents{incidents::write_settings(settings_)}));
  }

  void act(const ScriptStep& step) {
    const incidents::IncidentId id{step.number};
    const auto command = [&](const std::any& body) {
      const auto done = world_.command(body);
      EXPECT_TRUE(done) << to_string(done.error());
    };
    if (step.kind == Kind::kAcknowledge && !step.alerts.empty()) {
      alerts::Acknowledge out{id_of(step.alerts.front().labels), step.by, step.text, {}};
      if (step.until != Duration::max()) out.until = begin_ + step.until;
      return command(out);
    }
    if (step.kind == Kind::kUnacknowledge && !step.alerts.empty()) {
      return command(alerts::Unacknowledge{id_of(step.alerts.front().labels), step.by});
    }
    switch (step.kind) {
      case Kind::kAlert:
      case Kind::kResolve:
      case Kind::kLose: return judge(step);
      case Kind::kRule: return read_rule(step);
      case Kind::kSilence:
        return world_.silence(step.text, std::string(step.matchers.front().value()), step.until - step.at);
      case Kind::kAcknowledge: {
        incidents::AcknowledgeIncident out{id, step.by, step.text, {}, step.by};
        if (step.until != Duration::max()) out.until = begin_ + step.until;
        return command(out);
      }
      case Kind::kUnacknowledge: return command(incidents::UnacknowledgeIncident{id, step.by});
      case Kind::kAssign: return command(incidents::AssignIncident{id, step.by, step.owner, step.text});
      case Kind::kClose: return command(incidents::CloseIncident{id, step.by, step.text});
      case Kind::kMerge:
        return command(incidents::MergeIncident{id, incidents::IncidentId{step.into}, step.by, step.text});
      case Kind::kNote: return command(incidents::NoteIncident{id, step.by, step.text});
      default: FAIL() << "not a statement about incidents";
    }
  }

  static std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? std::string() : std::string(value->as_string());
  }
  static bool fits(const ScriptItem& item, const std::map<std::string, std::string>& labels) {
    const auto value_of = [&](std::string_view name) {
      const auto found = labels.find(std::string(name));
      return found == labels.end() ? std::string() : found->second;
    };
    for (const auto& [name, value] : item.labels) {
      if (value_of(name) != value) return false;
    }
    return std::ranges::all_of(item.values, [&](const auto& value) {
      return std::ranges::any_of(labels, [&](const auto& pair) { return pair.second == value; });
    });
  }
  using Seen = std::pair<bool, std::map<std::string, std::string>>;  ///< fires, labels
  static bool fits(const std::vector<ScriptItem>& items, std::vector<Seen> alerts) {
    for (const auto& item : items) {
      const auto found = std::ranges::find_if(
          alerts, [&](const Seen& one) { return one.first == item.firing && fits(item, one.second); });
      if (found == alerts.end()) return false;
      alerts.erase(found);
    }
    return alerts.empty();
  }
  static std::vector<Seen> alerts_of(const json::object& data) {
    std::vector<Seen> out;
    for (const auto& one : data.at("alerts").as_array()) {
      auto& seen = out.emplace_back(one.at("status").as_string() == "firing", std::map<std::string, std::string>{});
      for (const auto& [name, value] : one.at("labels").as_object()) {
        seen.second[std::string(name)] = std::string(value.as_string());
      }
    }
    return out;
  }

  void expect(const ScriptStep& step) {
    switch (step.kind) {
      case Kind::kExpectNothing: return;
      case Kind::kExpectNotify: return expect_notify(step);
      case Kind::kExpectIncident: return expect_incident(step);
      case Kind::kExpectIncidents: {
        const auto page = incidents::Queries(world_.database())
                              .list(default_tenant(), {.state = incidents::StateFilter::kAll, .limit = 1000});
        ASSERT_TRUE(page);
        EXPECT_EQ(page->incidents.size(), step.number);
        return;
      }
      case Kind::kExpectUnknown:
      case Kind::kExpectKnown: {
        const auto details =
            alerts::Queries(world_.database()).get(default_tenant(), id_of(step.alerts.front().labels));
        ASSERT_TRUE(details) << "there is no such alert";
        const auto& because = details->alert.because;
        EXPECT_EQ(because.has_value(), step.kind == Kind::kExpectUnknown);
        if (because && !step.text.empty()) {
          EXPECT_EQ(because->name, step.text);
        }
        return;
      }
      default: FAIL() << "not an expectation about incidents";
    }
  }

  static bool because(std::string_view reason, const json::object& data) {
    const auto words = text_of(data, "notification_reason");
    if (reason == "first") return words == "first notification";
    if (reason == "changed") return words == "new alerts added";
    if (reason == "resolved") return words.ends_with("alerts resolved");
    if (reason == "repeated") return words == "repeat interval elapsed";
    return reason.empty();
  }

  void expect_notify(const ScriptStep& step) {
    for (std::size_t i = 0; i < world_.messages.size(); ++i) {
      const auto& told = world_.messages[i];
      if (seen_.contains(i) || told.at != begin_ + step.at || text_of(told.data, "receiver") != step.text ||
          !fits(step.items, alerts_of(told.data)) || !because(step.reason, told.data)) {
        continue;
      }
      seen_.insert(i);
      return;
    }
    ADD_FAILURE() << "expected notification did not come; what came: " << all_told();
  }

  void expect_incident(const ScriptStep& step) {
    const auto details =
        incidents::Queries(world_.database()).get(default_tenant(), incidents::IncidentId{step.number});
    ASSERT_TRUE(details) << to_string(details.error());
    const auto& incident = details->incident;
    EXPECT_EQ(incidents::name(incident.state()), step.state);
    if (!step.severity.empty()) {
      EXPECT_EQ(alerts::name(incident.severity), step.severity);
    }
    if (!step.owner.empty()) {
      EXPECT_EQ(incident.owner, step.owner);
    }
    if (!step.by.empty()) {
      EXPECT_EQ(incident.cause.name, step.by);
    }
    if (!step.text.empty()) {
      EXPECT_EQ(incident.merged_into ? to_string(*incident.merged_into) : "", step.text);
    }
    std::uint32_t open = 0;
    std::vector<Seen> inside;
    for (const auto& [alert, member] : details->alerts) {
      if (member.left) continue;
      ++open;
      auto& seen = inside.emplace_back(true, std::map<std::string, std::string>{});
      for (const auto& [name, value] : alert.labels) seen.second[std::string(name)] = std::string(value);
    }
    EXPECT_EQ(incident.counts.open(), open);
    if (!step.reason.empty()) {
      EXPECT_TRUE(fits(step.items, inside)) << open << " alerts are in it";
    }
  }

  void check_overdue(Time now) {
    for (std::size_t i = 0; i < world_.messages.size(); ++i) {
      if (world_.messages[i].at >= now || !seen_.insert(i).second) continue;
      ADD_FAILURE() << "nobody expected: " << words_of(world_.messages[i]);
    }
  }
  std::string words_of(const World::Told& told) const {
    std::string out = fmt::format("{} notify {} [", format_duration(told.at - begin_), text_of(told.data, "receiver"));
    for (const auto& [fires, labels] : alerts_of(told.data)) {
      out += fmt::format("{}{}", out.ends_with('[') ? "" : ", ", fires ? "firing" : "resolved");
      for (const auto& [name, value] : labels) out += " " + value;
    }
    return out + "]";
  }
  std::string all_told() const {
    std::string out;
    for (const auto& one : world_.messages) out += "\n  " + words_of(one);
    return out;
  }

  const Script& script_;
  std::string file_;
  Time begin_;
  World world_;
  incidents::Settings settings_;
  bool restarts_;
  std::set<std::size_t> seen_;
};

std::vector<std::string> script_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(AT_SOURCE_DIR) + "/test/alerts")) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".txt") && name.starts_with("incident_")) out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class IncidentScript : public testing::TestWithParam<std::string> {
 protected:
  void run(bool restarts) {
    const auto file = "test/alerts/" + GetParam() + ".txt";
    std::ifstream in(std::string(AT_SOURCE_DIR) + "/" + file);
    std::stringstream text;
    text << in.rdbuf();
    const auto script = routing::ScriptReader().read(text.str(), file);
    ASSERT_TRUE(script) << to_string(script.error());
    IncidentRun(*script, file, restarts).run();
  }
};

TEST_P(IncidentScript, Holds) { run(false); }
TEST_P(IncidentScript, HoldsWithARestartBeforeEveryStatement) { run(true); }

INSTANTIATE_TEST_SUITE_P(All, IncidentScript, testing::ValuesIn(script_files()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace atalaya::dispatch
