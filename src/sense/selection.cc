// Aggregators that drop records or rewrite their labels: `Filter` and `Relabel`.
#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>
#include <memory>

#include "collect/scrape/relabel.h"
#include "model/matcher.h"
#include "model/sample.h"
#include "promql/ast.h"
#include "sense/aggregator.h"

namespace atalaya::sense {
namespace {

class Filter final : public Aggregator {
 public:
  struct Conditions {
    Matchers match;
    std::optional<double> least, most;
    std::shared_ptr<const re2::RE2> line;
  };
  Filter(const AggregatorContext& context, Conditions conditions)
      : counters_(*context.counters), conditions_(std::move(conditions)) {}

  void push(std::size_t, const Record& record, Time, std::vector<Record>& out) override {
    if (passes(record)) {
      out.push_back(record);
    } else {
      ++counters_.refused;
    }
  }

 private:
  bool passes(const Record& record) const {
    if (!matches(conditions_.match, record.labels)) return false;
    // The end of a series is told where the series is, whatever its last value was.
    if (is_stale(record.value) && !record.is_line()) return !conditions_.line;
    if (conditions_.line && (!record.is_line() || !re2::RE2::PartialMatch(*record.text, *conditions_.line)))
      return false;
    // Written so that NaN does not pass.
    if (conditions_.least && !(record.value >= *conditions_.least)) return false;
    return !conditions_.most || record.value <= *conditions_.most;
  }

  PipeCounters& counters_;
  const Conditions conditions_;
};

class Relabel final : public Aggregator {
 public:
  Relabel(const AggregatorContext& context, collect::scrape::Relabeling step)
      : counters_(*context.counters), step_(std::move(step)) {}

  void push(std::size_t, const Record& record, Time, std::vector<Record>& out) override {
    auto labels = collect::scrape::relabel(record.labels, {&step_, 1});
    if (!labels) {
      ++counters_.refused;
      return;
    }
    out.push_back(record);
    out.back().labels = std::move(*labels);
  }

 private:
  PipeCounters& counters_;
  const collect::scrape::Relabeling step_;
};

Result<Matchers> read_match(const PartSettings& settings) {
  const auto text = settings.text("match");
  if (text.empty()) return Matchers{};
  if (!text.starts_with('{')) return settings.wrong("match", "it does not begin with {", "such as {device=~\"sd.*\"}");
  // With a name before them braces may hold any matchers; alone, PromQL wants one that refuses the empty value.
  const auto parsed = promql::parse("x" + text);
  if (!parsed) return settings.wrong("match", parsed.error().message);
  const auto& selector = **parsed;
  if (selector.kind != promql::Kind::kSelector || selector.range || selector.offset.is_set() || selector.at)
    return settings.wrong("match", "it is not one pair of braces alone");
  auto matchers = selector.matchers;
  std::erase_if(matchers, [](const Matcher& one) { return one.name() == kMetricName; });
  return matchers;
}

MadeAggregator make_filter(const PartSettings& settings, const AggregatorContext& context) {
  Filter::Conditions conditions;
  AT_TRY(conditions.match, read_match(settings));
  conditions.least = settings.number("least");
  conditions.most = settings.number("most");
  if (settings.has("line")) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto line = std::make_shared<const re2::RE2>(settings.text("line"), options);
    if (!line->ok()) return settings.wrong("line", line->error());
    conditions.line = std::move(line);
  }
  if (conditions.line && (conditions.least || conditions.most))
    return settings.wrong("line", "lines have no values", "leave out least and most");
  if (conditions.match.empty() && !conditions.least && !conditions.most && !conditions.line)
    return settings.wrong("match", "it filters by nothing", "give one of match, least, most and line");
  return std::make_unique<Filter>(context, std::move(conditions));
}

MadeAggregator make_relabel(const PartSettings& settings, const AggregatorContext& context) {
  const auto action = collect::scrape::parse_relabel_action(settings.text("action"));
  if (!action) return settings.wrong("action", fmt::format("\"{}\" is none", settings.text("action")));
  collect::scrape::RelabelSpec spec;
  spec.action = *action;
  spec.source_labels = settings.list("sourcelabels");
  spec.separator = settings.text("separator");
  spec.regex = settings.text("regex");
  spec.target_label = settings.text("targetlabel");
  spec.replacement = settings.text("replacement");
  spec.modulus = static_cast<std::uint64_t>(settings.integer("modulus"));
  auto step = collect::scrape::Relabeling::make(std::move(spec));
  if (!step) return fail_within("Relabel", std::move(step).error());
  return std::make_unique<Relabel>(context, std::move(*step));
}

}  // namespace

MadeAggregator make_selection(const PartSettings& settings, const AggregatorContext& context) {
  if (settings.name() == "Filter") return make_filter(settings, context);
  if (settings.name() == "Relabel") return make_relabel(settings, context);
  return nullptr;
}

}  // namespace atalaya::sense
