// A script while it runs; inside this library only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "rules/engine.h"
#include "rules/memory_store.h"
#include "rules/script.h"

namespace atalaya::rules {

/// What somebody who listens knows: the newest verdict on every alert that is open.
class ScriptListener final : public VerdictSink {
 public:
  void verdict(Verdict v) override {
    if (v.level == Level::kOk)
      open.erase(v.labels);
    else
      open.insert_or_assign(v.labels, v);
    news.push_back(std::move(v));
  }
  std::vector<OpenAlert> alerts() const {
    std::vector<OpenAlert> out;
    for (const auto& [labels, v] : open)
      out.push_back({v.tenant, v.rule, v.labels, v.level, v.at, v.since, v.sustained, v.value});
    return out;
  }

  std::deque<Verdict> news;
  std::map<Labels, Verdict> open;
};

/// Thread-compatible. Every function goes on harmlessly after a fault; `run` ends at the line.
class Script {
 public:
  using Words = std::vector<std::string>;

  explicit Script(const ScriptOptions& options) : options_(options) {}
  ScriptResult run(std::string_view text);

 private:
  // script.cc: lines
  void line(const std::string& text);
  void load_head(const Words& words);
  void load_series(const std::string& text);
  void loop(const std::string& text);
  void step(Duration at, const std::string& text);
  void pass_to(Time target);
  void end_line();
  // script_rules.cc: what is judged
  void declare(const Words& words);
  void read_option(RuleSpec& spec, const std::string& word);
  void read_gauge(RuleSpec& spec, GaugeSpec& gauge, const std::string& key, const std::string& value);
  void use_package(const Words& words);
  void choose_rules(const Words& words);
  void start();
  void set_rules();
  void watch();
  // script_statements.cc: what happens and what is expected
  void statement(const Words& words);
  bool change(const Words& words);
  void sample(const Words& words);
  void log(const Words& words);
  void send();
  void deliver();
  void expect(const Words& words);
  bool fits(const Verdict& v, const Words& words);
  void firing(const Words& words);
  void quiet(const Words& words);
  std::string not_as_said(const Verdict& v, const Words& words);

  void fault(std::string message) { result_.faults.push_back({line_, std::move(message)}); }
  bool failed() const { return !result_.faults.empty(); }
  Duration offset(const std::string& text);
  double real(const std::string& text);
  std::uint32_t count(const std::string& text);
  std::optional<Labels> series(const std::string& text);
  std::optional<Matchers> selector(const std::string& text);
  Time time_of(const Words& words, std::size_t index);

  const ScriptOptions& options_;
  ScriptResult result_;
  int line_ = 0;
  const Time base_ = from_ms(1'767'225'600'000);
  Time now_ = base_;
  MemorySeries store_;
  MemoryLogs logs_before_;
  Matchers ignored_;
  ScriptListener listener_;
  EngineOptions engine_options_;
  std::unique_ptr<Engine> engine_;
  bool away_ = false;
  bool of_package_ = false;  ///< states are expected, not every single verdict
  bool lines_came_ = false;
  std::map<std::string, RuleSpec> declared_;
  std::map<std::string, RuleSpec> active_;
  std::vector<storage::SeriesSample> samples_;
  std::vector<LogRecord> logs_;
  std::uint64_t position_ = 0;

  /// What `load` has in store, by time.
  std::vector<storage::SeriesSample> loaded_;
  std::size_t delivered_ = 0;
  bool loading_ = false;
  Duration load_from_{0};
  Duration load_every_{0};
};

std::string show(const Verdict& v);
/// Does somebody hear of it?
bool is_firing(const Verdict& v);

}  // namespace atalaya::rules
