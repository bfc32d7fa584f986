// Runs test/scripts/rules/*.test: rules in a short notation, samples and lines at times, and the
// verdicts that they must give, no more and no fewer. The notation is in test/scripts/rules/README.md.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "promql/engine.h"
#include "rules/engine.h"
#include "rules/test_store.h"

namespace atalaya::rules {
namespace {

namespace fs = std::filesystem;

fs::path scripts() { return fs::path(AT_SOURCE_DIR) / "test/scripts/rules"; }

/// Words of a statement: split at spaces outside of quotes, backquotes and braces.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out(1);
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') out.back() += text[i++];
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '`') {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}') {
      --depth;
    } else if (c == separator && depth == 0) {
      out.emplace_back();
      continue;
    }
    out.back() += text[i];
  }
  if (separator == ' ') std::erase(out, "");
  return out;
}

std::string unquote(const std::string& text) {
  if (text.size() < 2 || (text[0] != '"' && text[0] != '`')) return text;
  return text.substr(1, text.size() - 2);
}

Labels labels_of(const std::string& selector) {
  LabelsBuilder out;
  auto parsed = promql::parse(selector);
  EXPECT_TRUE(parsed) << selector << ": " << (parsed ? "" : to_string(parsed.error()));
  if (!parsed) return {};
  const auto selectors = promql::selectors(**parsed);
  for (const auto& matcher : selectors.front()) out.set(matcher.name(), matcher.value());
  return out.build();
}

/// What somebody who listens knows: the newest level of every alert.
class Listener final : public VerdictSink {
 public:
  void verdict(Verdict v) override {
    if (v.level == Level::kOk) {
      open_.erase(v.labels);
    } else {
      open_[v.labels] = {v.tenant, v.rule, v.labels, v.level, v.at, v.since, v.sustained, v.value};
    }
    news.push_back(std::move(v));
  }
  std::vector<OpenAlert> open() const {
    std::vector<OpenAlert> out;
    for (const auto& [labels, alert] : open_) out.push_back(alert);
    return out;
  }
  std::deque<Verdict> news;

 private:
  std::map<Labels, OpenAlert> open_;
};

std::string show(const Verdict& v) {
  const std::string alert{v.labels.get("alertname")};
  return fmt::format("{} {}{}{}{}{} value={:g} text=\"{}\"", name(v.level), alert,
                     to_string(v.labels.without("alertname")), v.sustained ? " sustained" : "", v.late ? " late" : "",
                     v.removed ? " removed" : "", v.value, v.text);
}

class Script {
 public:
  explicit Script(std::string file) : file_(std::move(file)) {}

  void run(std::istream& in) {
    std::string text;
    for (line_ = 1; std::getline(in, text); ++line_) {
      if (const auto comment = text.find_first_not_of(' '); comment == std::string::npos || text[comment] == '#') {
        continue;
      }
      if (text.starts_with("rule ")) {
        declare(text.substr(5));
      } else if (text.starts_with("at ")) {
        const auto colon = text.find(':');
        step(offset(text.substr(3, colon - 3)), text.substr(colon + 1));
      } else if (text.starts_with("from ")) {
        loop(text);
      } else {
        ADD_FAILURE() << where() << "neither rule, at nor from: " << text;
      }
      if (testing::Test::HasFailure()) return;
    }
  }

 private:
  std::string where() const { return fmt::format("{}:{}: ", file_, line_); }
  Duration offset(const std::string& text) const {
    const auto parsed = parse_duration(text);
    EXPECT_TRUE(parsed) << where() << "not a time: " << text;
    return parsed.value_or(Duration{0});
  }

  void declare(const std::string& text) {
    const auto words = split(text, ' ');
    RuleSpec spec;
    spec.tenant = default_tenant();
    spec.name = words[0];
    std::size_t i = 1;
    bool active = true;
    for (; words[i] != "="; ++i) {
      if (words[i].starts_with("instead-of=")) {
        spec.name = words[i].substr(11);
        active = false;
      }
    }
    spec.id = "test/rules/" + spec.name;
    read_threshold(spec, words[i + 1], unquote(words[i + 2]));
    for (i += 3; i < words.size(); ++i) read_option(spec, words[i]);
    const auto problems = check(spec);
    EXPECT_TRUE(problems.empty()) << where() << problems.front().field << ": " << problems.front().error.message;
    declared_[words[0]] = spec;
    if (active) active_[spec.id] = spec;
  }

  static void read_threshold(RuleSpec& spec, const std::string& kind, const std::string& expr) {
    if (kind == "gauge") spec.threshold = GaugeSpec{.expr = expr};
    if (kind == "binary") spec.threshold = BinarySpec{.expr = expr};
    if (kind == "tailable") spec.threshold = TailableSpec{.match = expr};
  }

  void read_option(RuleSpec& spec, const std::string& word) {
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    const auto value = equals == std::string::npos ? "" : unquote(word.substr(equals + 1));
    auto* gauge = std::get_if<GaugeSpec>(&spec.threshold);
    auto* binary = std::get_if<BinarySpec>(&spec.threshold);
    auto* tailable = std::get_if<TailableSpec>(&spec.threshold);
    if (key == "above")
      gauge->above = true;
    else if (key == "below")
      gauge->above = false;
    else if (key == "warning")
      gauge->warning = std::stod(value);
    else if (key == "critical")
      gauge->critical = std::stod(value);
    else if (key == "hysteresis")
      gauge->hysteresis = std::stod(value);
    else if (key == "failures")
      binary->failures = static_cast<std::uint32_t>(std::stoul(value));
    else if (key == "pattern")
      tailable->pattern = value;
    else if (key == "count")
      tailable->count = static_cast<std::uint32_t>(std::stoul(value));
    else if (key == "within")
      tailable->within = offset(value);
    else if (key == "absent")
      tailable->absent = true;
    else if (key == "for")
      spec.for_duration = offset(value);
    else if (key == "no_data") {
      spec.no_data_stated = true;
      spec.no_data = value == "never" ? std::nullopt : std::optional(offset(value));
    } else if (key.starts_with("label."))
      spec.labels[key.substr(6)] = value;
    else
      ADD_FAILURE() << where() << "unknown option " << word;
  }

  void start() {
    engine_ = std::make_unique<Engine>(store_, listener_, options_);
    set_rules();
    if (!ignored_.empty()) watch();
    engine_->restore(listener_.open(), now_);
    engine_->prime_logs(logs_before_, ~std::uint64_t{0}, now_);
  }
  void set_rules() {
    std::vector<RuleSpec> rules;
    for (const auto& [id, spec] : active_) rules.push_back(spec);
    const auto done = engine_->set_rules(std::move(rules), now_);
    EXPECT_TRUE(done) << where() << (done ? "" : to_string(done.error()));
  }

  void watch() {
    engine_->set_watched([this](const TenantId&, const Labels& labels) { return !matches(ignored_, labels); }, now_);
  }

  void loop(const std::string& text) {
    const auto colon = text.find(':');
    const auto words = split(text.substr(0, colon), ' ');  // from A to B every C
    ASSERT_EQ(words.size(), 6u) << where();
    const auto to = offset(words[3]);
    for (auto t = offset(words[1]); t <= to; t += offset(words[5])) {
      step(t, text.substr(colon + 1));
      if (testing::Test::HasFailure()) return;
    }
  }

  void step(Duration at, const std::string& text) {
    if (!engine_) start();
    const auto target = base_ + at;
    EXPECT_GE(target, now_) << where() << "time goes back";
    if (away_) {
      now_ = target;
    } else {
      while (now_ < target) {
        now_ = std::min(target, now_ + Duration{1000});
        engine_->on_tick(now_);
      }
    }
    for (const auto& part : split(text, ';')) statement(split(part, ' '));
    send();
    if (!listener_.news.empty()) ADD_FAILURE() << where() << "unexpected: " << show(listener_.news.front());
  }

  void statement(const std::vector<std::string>& words) {
    if (words.empty()) return;
    const auto& verb = words[0];
    if (verb == "sample") return sample(words);
    if (verb == "log") return log(words);
    send();
    if (verb == "expect") return expect(words);
    if (verb == "restart") {
      away_ = false;
      return start();
    }
    if (verb == "kill") {
      away_ = true;
    } else if (verb == "fail") {
      store_.fail_with(unquote(words[1]));
    } else if (verb == "remove") {
      active_.erase("test/rules/" + words[1]);
      set_rules();
    } else if (verb == "change") {
      const auto& spec = declared_.at(words[1]);
      active_[spec.id] = spec;
      set_rules();
    } else if (verb == "reload") {
      set_rules();
    } else if (verb == "limit") {
      options_.max_series_per_rule = std::stoul(words[1]);
      start();
    } else if (verb == "ignore") {
      ignored_ = promql::selectors(**promql::parse(words[1])).front();
      if (!away_) watch();
    } else if (verb == "forget") {
      engine_->forget(default_tenant(), promql::selectors(**promql::parse(words[1])).front(), now_);
    } else {
      ADD_FAILURE() << where() << "unknown statement " << verb;
    }
  }

  Time time_of(const std::vector<std::string>& words, std::size_t index) const {
    return words.size() > index && words[index][0] == '@' ? base_ + offset(words[index].substr(1)) : now_;
  }

  void sample(const std::vector<std::string>& words) {
    const auto id = store_.resolve(labels_of(words[1]));
    const auto value = words[2] == "stale" ? stale_marker() : words[2] == "nan" ? NAN : std::stod(words[2]);
    const auto at = time_of(words, 3);
    store_.add(id, at, value);
    samples_.push_back({id, at, value});
  }
  void log(const std::vector<std::string>& words) {
    logs_.push_back({time_of(words, 3), labels_of(words[1]), unquote(words[2])});
    logs_before_.add(logs_.back());
  }
  /// Neighbouring samples are one batch; while killed they only reach the store.
  void send() {
    static const TenantId tenant = default_tenant();
    if (!away_ && !samples_.empty()) engine_->on_samples({tenant, {++position_}, samples_}, now_);
    if (!away_ && !logs_.empty()) engine_->on_logs({tenant, {++position_}, logs_}, now_);
    samples_.clear();
    logs_.clear();
  }

  void expect(const std::vector<std::string>& words) {
    if (words[1] == "nothing") {
      EXPECT_TRUE(listener_.news.empty()) << where() << "unexpected: " << show(listener_.news.front());
      return;
    }
    if (words[1] == "any") {
      EXPECT_FALSE(listener_.news.empty()) << where() << "nothing at all";
      listener_.news.clear();
      return;
    }
    // In any order: of one instant, label sets come as the engine finds them.
    for (auto it = listener_.news.begin(); it != listener_.news.end(); ++it) {
      if (!fits(*it, words)) continue;
      listener_.news.erase(it);
      return;
    }
    std::string seen;
    for (const auto& v : listener_.news) seen += "\n  " + show(v);
    ADD_FAILURE() << where() << "expected " << fmt::format("{}", fmt::join(words, " ")) << "; said was"
                  << (seen.empty() ? " nothing" : seen);
  }

  bool fits(const Verdict& v, const std::vector<std::string>& words) const {
    if (name(v.level) != words[1]) return false;
    const auto wanted = labels_of(words[2]);
    LabelsBuilder labels(wanted);
    labels.erase(kMetricName).set("alertname", wanted.get(kMetricName));
    if (v.labels != labels.build()) return false;
    std::set<std::string> flags;
    for (std::size_t i = 3; i < words.size(); ++i) {
      if (words[i].starts_with("value=")) {
        if (v.value != std::stod(words[i].substr(6))) return false;
      } else if (words[i].starts_with("text=")) {
        if (v.text.find(unquote(words[i].substr(5))) == std::string::npos) return false;
      } else if (words[i].starts_with("at=")) {
        if (v.at != base_ + offset(words[i].substr(3))) return false;
      } else if (words[i].starts_with("since=")) {
        if (v.since != base_ + offset(words[i].substr(6))) return false;
      } else {
        flags.insert(words[i]);
      }
    }
    std::set<std::string> has;
    if (v.sustained) has.insert("sustained");
    if (v.late) has.insert("late");
    if (v.removed) has.insert("removed");
    return flags == has;
  }

  const std::string file_;
  int line_ = 0;
  const Time base_ = from_ms(1'767'225'600'000);
  Time now_ = base_;
  TestStore store_;
  TestLogs logs_before_;
  Matchers ignored_;
  Listener listener_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  bool away_ = false;
  std::map<std::string, RuleSpec> declared_;
  std::map<std::string, RuleSpec> active_;
  std::vector<storage::SeriesSample> samples_;
  std::vector<LogRecord> logs_;
  std::uint64_t position_ = 0;
};

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  const auto folder = scripts();
  if (folder.empty()) return names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class RuleScript : public testing::TestWithParam<std::string> {};

TEST_P(RuleScript, GivesExactlyTheExpectedVerdicts) {
  std::ifstream in(scripts() / (GetParam() + ".test"));
  ASSERT_TRUE(in);
  Script(GetParam() + ".test").run(in);
}

INSTANTIATE_TEST_SUITE_P(Scripts, RuleScript, testing::ValuesIn(script_names()),
                         [](const auto& script) { return script.param; });

TEST(RuleScripts, AreFound) { EXPECT_GE(script_names().size(), 25u); }

}  // namespace
}  // namespace atalaya::rules
