// Alertmanager's acceptance tests, as data, on a simulated clock.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <regex>

#include "routing/alert_world.h"
#include "routing/reference_data.h"

namespace atalaya::routing {
namespace {

namespace json = boost::json;

const Time kBegin = *parse_time("2026-01-05T00:00:00Z");

double number(const json::value& value) { return value.to_number<double>(); }
Time at_seconds(const json::value& value) {
  return kBegin + Duration{static_cast<std::int64_t>(number(value) * 1000 + 0.5)};
}

Labels labels_of(const json::value& value) {
  LabelsBuilder out;
  for (const auto& [name, text] : value.as_object()) out.set(name, text.as_string());
  return out.build();
}

class Scenario {
 public:
  explicit Scenario(const json::object& given, double tolerance) : given_(given), tolerance_(tolerance) {
    const std::regex placeholder(R"(\{\{webhook(\d+)\}\})");
    const auto text = std::regex_replace(std::string(given.at("config").as_string()), placeholder, "webhook$1");
    config::Errors errors;
    config::Errors warnings;
    config_ = read_config_text(text, "config", errors, warnings);
    for (const auto& error : errors) ADD_FAILURE() << to_string(error);
  }

  void run() {
    ASSERT_NE(config_, nullptr);
    world_ = std::make_unique<AlertWorld>(config_, kBegin);
    for (const auto& action : given_.at("actions").as_array()) act(action.as_object());
    auto end = world_->now();
    for (const auto& want : given_.at("want").as_array()) {
      end = std::max(end, at_seconds(want.at("between").at(1)));
    }
    world_->advance_to(end);
    std::map<std::size_t, std::size_t> wanted;
    for (const auto& want : given_.at("want").as_array()) {
      expect(want.as_object());
      wanted[webhook_of(want.as_object())] += want.at("alerts").as_array().size();
    }
    for (const auto& [webhook, count] : wanted) {
      std::size_t came = 0;
      for (const auto& one : told_to(webhook)) came += one.alerts.size();
      EXPECT_EQ(came, count) << "alerts that came to webhook " << webhook;
    }
  }

 private:
  static std::size_t webhook_of(const json::object& want) { return want.at("webhook").to_number<std::size_t>(); }

  void act(const json::object& action) {
    world_->advance_to(at_seconds(action.at("at")), false);
    if (const auto* pushed = action.if_contains("push")) {
      std::vector<Alert> alerts;
      for (const auto& one : pushed->as_array()) alerts.push_back(alert_of(one.as_object()));
      world_->take(alerts);
    } else if (const auto* silence = action.if_contains("set_silence")) {
      set_silence(silence->as_object());
    } else if (action.contains("del_silence")) {
      world_->unsilence("silence");
    } else if (action.contains("reload")) {
      world_->reload(config_);
    } else {
      ADD_FAILURE() << "an action that is not understood: " << json::serialize(action);
    }
  }

  Alert alert_of(const json::object& given) {
    Alert out;
    out.labels = labels_of(given.at("labels"));
    if (const auto* annotations = given.if_contains("annotations")) out.annotations = labels_of(*annotations);
    const auto* starts = given.if_contains("startsAt");
    const auto* ends = given.if_contains("endsAt");
    out.starts_at = starts != nullptr ? at_seconds(*starts) : kMinTime;
    out.ends_at = ends != nullptr ? at_seconds(*ends) : kMinTime;
    return received(out, world_->now(), config_->resolve_timeout);
  }

  void set_silence(const json::object& given) {
    Silence silence{"silence", {}, at_seconds(given.at("startsAt")), at_seconds(given.at("endsAt")), {}};
    for (const auto& one : given.at("matchers").as_array()) {
      const auto* equal = one.as_object().if_contains("isEqual");
      const bool is_equal = equal == nullptr || equal->as_bool();
      const bool regex = one.at("isRegex").as_bool();
      const auto op = regex ? (is_equal ? Matcher::Op::kRegex : Matcher::Op::kNotRegex)
                            : (is_equal ? Matcher::Op::kEqual : Matcher::Op::kNotEqual);
      silence.matchers.push_back(
          *Matcher::make(std::string(one.at("name").as_string()), op, std::string(one.at("value").as_string())));
    }
    world_->silence(std::move(silence));
  }

  /// By the order of the integrations in the configuration: one webhook each.
  std::vector<Notification> told_to(std::size_t webhook) const {
    std::vector<Notification> out;
    for (const auto& one : world_->told()) {
      const auto& integrations = config_->receivers.at(one.key.target.receiver).integrations;
      for (const auto& integration : integrations) {
        if (integration.type != one.key.target.type || integration.index != one.key.target.index) continue;
        const auto url = integration.settings.get("url")->scalar;
        if (url.ends_with("webhook" + std::to_string(webhook))) out.push_back(one);
      }
    }
    return out;
  }

  void expect(const json::object& want) {
    const auto from = at_seconds(want.at("between").at(0));
    const auto until = at_seconds(want.at("between").at(1));
    const auto& alerts = want.at("alerts").as_array();
    const auto where = json::serialize(want.at("between"));
    std::vector<Notification> within;
    for (const auto& one : told_to(webhook_of(want))) {
      if (one.at >= from && one.at <= until) within.push_back(one);
    }
    if (alerts.empty()) {
      EXPECT_TRUE(within.empty()) << where;
      return;
    }
    ASSERT_EQ(within.size(), 1u) << "batches in " << where;
    EXPECT_EQ(within[0].alerts.size(), alerts.size()) << where;
    for (const auto& alert : alerts) {
      EXPECT_TRUE(std::any_of(within[0].alerts.begin(), within[0].alerts.end(),
                              [&](const NotifiedAlert& one) { return fits(alert.as_object(), one); }))
          << where << " lacks " << json::serialize(alert);
    }
  }

  bool fits(const json::object& want, const NotifiedAlert& one) const {
    const auto near = [&](Time a, Time b) { return std::abs(to_seconds(a - b)) <= tolerance_; };
    if (one.labels != labels_of(want.at("labels"))) return false;
    if (const auto* notes = want.if_contains("annotations")) {
      if (one.alert.annotations != labels_of(*notes)) return false;
    }
    if (const auto* starts = want.if_contains("startsAt");
        starts != nullptr && !near(one.alert.starts_at, at_seconds(*starts))) {
      return false;
    }
    const auto* ends = want.if_contains("endsAt");
    return ends == nullptr ? one.firing : !one.firing && near(one.alert.ends_at, at_seconds(*ends));
  }

  const json::object& given_;
  double tolerance_;
  ConfigPtr config_;
  std::unique_ptr<AlertWorld> world_;
};

TEST(TimedScenarios, OfAlertmanagersAcceptanceTestsComeTrue) {
  const auto data = reference_data("alerting/alertmanager_timed_scenarios.json");
  if (!data) GTEST_SKIP() << data.error().message;
  for (const auto& one : data->at("cases").as_array()) {
    SCOPED_TRACE(std::string(one.at("name").as_string()));
    Scenario(one.as_object(), number(data->at("tolerance_s"))).run();
  }
}

}  // namespace
}  // namespace atalaya::routing
