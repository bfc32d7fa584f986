// What the engine remembers: of a rule, and of each label set that it judges.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rules/compiled.h"

namespace atalaya::rules {

/// Before everything, and yet safe to subtract from any time.
constexpr Time kNever{Duration{-(std::int64_t{1} << 50)}};

/// A matching line: when it was written and when it came to us.
struct Hit {
  Time at;
  Time arrived;
};

/// One label set judged by one rule: the life of one alert.
struct Subject {
  Labels labels;              ///< of its verdicts
  Level level = Level::kOk;   ///< as last told
  Level breach = Level::kOk;  ///< by the last data: ok, warning or critical; what no_data interrupts
  bool sustained = false;
  bool judged = false;    ///< a sample of it was judged
  bool expected = false;  ///< it lived before the rule was loaded: its silence matters too
  bool ended = false;     ///< its last sample was a stale marker
  bool carried = false;   ///< came from an earlier version of the rule, not yet judged by this one
  std::uint32_t failures = 0;
  std::uint32_t failures_before = 0;  ///< the count before the newest judgement
  double value = 0;
  Time last_at = kNever;    ///< data time of the newest judged sample
  Time since = kNever;      ///< data time of the breach's beginning; for binary of the first failure
  Time last_seen = kNever;  ///< when something of it last arrived
  Time told = kNever;       ///< when its last verdict was given
  // Of tailable rules:
  std::vector<Hit> hits;  ///< the newest `count`, ascending in `at`
  Time last_hit = kNever;
  std::string line;
};

/// A label set for which a per-series expression is evaluated alone.
struct Target {
  Labels labels;               ///< without __name__
  Matchers restrict;           ///< equality on all of them
  Subject* subject = nullptr;  ///< null until the expression first has a value
  Time queued_at = kNever;
  std::uint64_t queued_batch = 0;
};

struct Rule {
  explicit Rule(Compiled c) : compiled(std::move(c)) {}

  Compiled compiled;
  std::unordered_map<Labels, std::unique_ptr<Subject>> subjects;  ///< by the labels of verdicts
  std::unordered_map<Labels, std::unique_ptr<Target>> targets;    ///< Mode::kPerSeries
  Time loaded = kNever;

  // Mode::kWhole:
  boost::unordered_flat_map<Labels, Subject*, std::hash<Labels>> by_result;
  Time last_input = kNever;  ///< data time of the newest sample that it reads
  Time evaluated_at = kNever;
  Time evaluated = kNever;  ///< when, by arrival
  Time pending_at = kNever;
  bool pending = false;
  bool pending_stale = false;  ///< a series that it reads has ended since the last evaluation

  std::string error;
  bool error_stays = false;  ///< not cleared by the next good evaluation (too many series)
  Time error_seen = kNever;
  Time error_told = kNever;

  mutable std::unordered_set<std::string> instances;  ///< label instance of its subjects, when it had `instances_of`
  mutable std::size_t instances_of = 0;

  const RuleSpec& spec() const { return compiled.spec; }
  /// Has it a subject with that label instance?
  bool judges(std::string_view instance) const;
};

/// What an arriving sample of one series sets off.
struct Watch {
  Rule* rule = nullptr;
  Subject* subject = nullptr;  ///< Mode::kSample
  Target* target = nullptr;    ///< Mode::kPerSeries
};

/// What a line of one stream sets off.
struct LineWatch {
  Rule* rule = nullptr;
  Labels labels;  ///< of the subject
};

struct Selector {
  Rule* rule = nullptr;
  const Matchers* matchers = nullptr;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Rules, index and caches of one tenant. Pointers into `rules` are made anew by every set_rules.
struct TenantRules {
  TenantId id;
  std::map<std::string, std::unique_ptr<Rule>> rules;
  boost::unordered_flat_map<std::string, std::vector<Selector>, TextHash, std::equal_to<>> by_metric;
  std::vector<Selector> any_metric;  ///< selectors without `__name__="…"`
  std::vector<Rule*> line_rules;
  boost::unordered_flat_map<std::uint64_t, std::vector<Watch>>
      watches;  ///< by SeriesId; of series that some rule reads
  /// By SeriesId: no rule reads it. Most series are so, and a bit is told sooner than an entry is found.
  std::vector<bool> unwatched;

  void forget_watches() {
    watches.clear();
    unwatched.clear();
  }
  std::unordered_map<Labels, std::vector<LineWatch>> streams;
  std::vector<Rule*> pending;  ///< whole evaluations that wait for on_tick
  /// Newest words of each check, by check and instance: the text of a binary verdict.
  std::unordered_map<std::string, std::string> check_texts;
};

}  // namespace atalaya::rules
