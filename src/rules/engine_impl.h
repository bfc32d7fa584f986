// The engine's inside, shared by the files that implement it (engine*.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "promql/engine.h"
#include "rules/engine.h"
#include "rules/state.h"

namespace atalaya::rules {

/// What was judged at a time further ahead than this came from a clock that has been put right.
constexpr Duration kAhead{std::chrono::minutes{1}};
constexpr std::string_view kRemovedText = "what it was about has been removed";

/// The time, or kNever when it lies in the future.
inline Time if_past(Time time, Time now) { return time > now + kAhead ? kNever : time; }

/// One evaluation that reads more is an error of its rule: the judge is shared by all.
constexpr std::size_t kMaxSamples = 5'000'000;

/// Strand-bound, like the engine.
struct Engine::Impl {
  Impl(const storage::SeriesQuerier& series_store, VerdictSink& verdict_sink, EngineOptions engine_options)
      : series(series_store),
        sink(verdict_sink),
        options(engine_options),
        evaluator(series_store, {.max_samples = kMaxSamples}) {}

  // engine.cc: rules come and go.
  Status set_rules(std::vector<RuleSpec> specs, Time now);
  Status set_package_rules(const TenantId& tenant, const std::set<std::string>& packages, std::vector<RuleSpec> specs,
                           Time now);
  void take_over(Rule& fresh, Rule& old, Time now);
  void close_all(Rule& rule, std::string_view why, Time now);
  void rebuild_index(TenantRules& tenant);
  void forget_matches(TenantRules& tenant);
  static void index(TenantRules& tenant, Rule& rule);
  static void unindex(TenantRules& tenant, Rule& rule);
  void restore(const OpenAlert& alert, Time now);
  void forget(TenantRules& tenant, const std::function<bool(const Labels&)>& gone, Time now);
  bool is_watched(const TenantId& tenant, const Labels& labels) const { return !watched || watched(tenant, labels); }

  // engine_prime.cc: what lived before the rules were loaded.
  void prime(TenantRules& tenant, const std::vector<Rule*>& fresh, Time now);
  void expect(TenantRules& tenant, Rule& rule, const Watch& watch, Time at, Time now);
  void expect_result(TenantRules& tenant, Rule& rule, const Matchers& restrict, Time at, Time now);

  // engine_prime_logs.cc: lines that were judged before the process started.
  void prime_logs(TenantRules& tenant, const storage::LogQuerier& logs, std::uint64_t before, Time now);
  void prime_absence(TenantRules& tenant, Rule& rule, const storage::LogQuerier& logs, std::uint64_t before, Time now);
  void prime_hits(TenantRules& tenant, Rule& rule, const storage::LogQuerier& logs, std::uint64_t before, Time now);

  // engine_samples.cc
  void on_samples(const storage::CommittedSamples& batch, Time now);
  std::span<Watch> watches_of(TenantRules& tenant, SeriesId id, Time now);
  std::vector<Watch> watches_by_labels(TenantRules& tenant, const Labels& labels, Time now);
  void watch(TenantRules& tenant, const Selector& selector, const Labels& labels, std::vector<Watch>& list, Time now);
  void arrive(TenantRules& tenant, Watch& watch, const storage::SeriesSample& sample, Time now);
  void judge_sample(TenantRules& tenant, Rule& rule, Subject& subject, Time at, double value, Time now);
  /// `value` nullopt: a comparison dropped it.
  void judge(TenantRules& tenant, Rule& rule, Subject& subject, Time at, std::optional<double> value, Time now);
  void judge_end(TenantRules& tenant, Rule& rule, Subject& subject, Time at, Time now);

  // engine_queries.cc
  struct Pending {
    Rule* rule;
    Target* target;
    Time at;
    bool ended;  ///< an input has ended at this time
  };
  void evaluate_target(TenantRules& tenant, const Pending& pending, Time now);
  void want_whole(TenantRules& tenant, Rule& rule, Time at, bool ended, Time now);
  void evaluate_whole(TenantRules& tenant, Rule& rule, Time now);
  Result<promql::Vector> evaluate(const TenantRules& tenant, const Rule& rule, Time at, const Matchers& restrict) const;

  // engine_logs.cc
  void on_logs(const storage::CommittedLogs& batch, Time now);
  std::vector<LineWatch>& stream_of(TenantRules& tenant, const Labels& labels);
  void arrive_line(TenantRules& tenant, LineWatch& watch, const LogRecord& record, Time now);
  void note_check_text(TenantRules& tenant, const LogRecord& record);
  void check_lines(TenantRules& tenant, Rule& rule, Time now);
  void check_absence(TenantRules& tenant, Rule& rule, const TailableSpec& tailable, Time now);

  // engine_timers.cc
  void on_tick(Time now);
  void sweep(TenantRules& tenant, Time now);
  void check_silence(TenantRules& tenant, Rule& rule, Time now);
  void purge(TenantRules& tenant);

  // engine_verdicts.cc
  /// Null when the rule has as many label sets as it may; says so as the rule's error.
  Subject* subject_of(TenantRules& tenant, Rule& rule, const Labels& verdict_labels, Time now);
  /// Takes `next` (ok, warning, critical) as what the data of `at` say, and tells what is news.
  void settle(TenantRules& tenant, Rule& rule, Subject& subject, Level next, Time at, Time since, Time now);
  void tell(const TenantRules& tenant, const Rule& rule, Subject& subject, Time at, Time now);
  static std::vector<std::string> judged_with(const TenantRules& tenant, const Rule& rule, const Subject& subject);
  void tell_closed(const TenantId& tenant, const Rule& rule, Subject& subject, std::string_view why, Time now);
  void set_error(const TenantRules& tenant, Rule& rule, const std::string& message, bool stays, Time now);
  void clear_error(const TenantRules& tenant, Rule& rule, Time now);
  void tell_error(const TenantId& tenant, const std::string& rule, const std::string& text, Level level, bool removed,
                  Time now);

  const storage::SeriesQuerier& series;
  VerdictSink& sink;
  const EngineOptions options;
  const promql::Engine evaluator;
  Watched watched;  ///< empty: all

  std::map<TenantId, TenantRules> tenants;
  std::uint64_t batch_number = 0;
  std::vector<Pending> queries;      ///< of the batch in hand
  std::vector<std::uint32_t> order;  ///< of the batch in hand, by time
  Time last_sweep = kNever;
  Time last_purge = kNever;
};

}  // namespace atalaya::rules
