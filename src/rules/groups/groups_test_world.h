// A group on a clock of its own, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/yaml.h"
#include "promql/memory_series.h"
#include "promql/script_series.h"
#include "rules/groups/group_run.h"
#include "rules/groups/read_group.h"

namespace atalaya::rules {

inline GroupSpecPtr group_of(const std::string& yaml) {
  config::Errors errors;
  const auto document = config::Document::parse(yaml, "t.yml");
  EXPECT_TRUE(document) << to_string(document.error());
  auto group = read_group(document->root(), {TenantId{}, "t.yml", "t", false, {}}, errors);
  for (const auto& error : errors) ADD_FAILURE() << to_string(error);
  return std::make_shared<const GroupSpec>(std::move(*group));
}

inline Labels labels_of(const std::string& text) { return promql::parse_script_series(text)->labels; }

/// What rules yield is stored, as in life.
class World {
 public:
  explicit World(const std::string& yaml, GroupOptions options = {}) : run(group_of(yaml), with_one_thread(options)) {}

  static GroupOptions with_one_thread(GroupOptions options) {
    options.limits.threads = 1;
    return options;
  }
  /// Samples at the times given, in seconds.
  void put(const std::string& series, double second, double value) {
    store.add(labels_of(series), from_ms(static_cast<std::int64_t>(second * 1000)), value);
  }
  Evaluated evaluate(int second) {
    clock.jump_to(from_ms(second * 1000));
    return evaluate_late(second);
  }
  /// The clock stays where it is.
  Evaluated evaluate_late(int second) {
    auto out = run.evaluate(store, from_ms(second * 1000), clock);
    for (const auto& sample : out.samples) store.add(sample.labels, sample.time, sample.value);
    return out;
  }
  void become(const std::string& yaml) {
    GroupRun next(group_of(yaml), with_one_thread({}));
    verdicts = next.take_over(run, clock.now());
    run = std::move(next);
  }

  ManualClock clock{Time{}};
  promql::MemorySeries store;
  GroupRun run;
  std::vector<Verdict> verdicts;
};

/// `name{…} value`, a stale marker as `stale`.
inline std::vector<std::string> texts(const Evaluated& evaluated) {
  std::vector<std::string> out;
  for (const auto& sample : evaluated.samples) {
    out.push_back(to_string(sample.labels) + " " +
                  (is_stale(sample.value) ? "stale" : std::to_string(static_cast<long>(sample.value))));
  }
  return out;
}

/// `level` or `level sustained`, and `late`, for each verdict.
inline std::vector<std::string> levels(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> out;
  for (const auto& verdict : verdicts) {
    out.push_back(std::string(name(verdict.level)) + (verdict.sustained ? " sustained" : "") +
                  (verdict.late ? " late" : ""));
  }
  return out;
}

}  // namespace atalaya::rules
