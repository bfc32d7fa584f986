// `Join`: PromQL over the newest values of several streams.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/ids.h"
#include "model/sample.h"
#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/memory_series.h"
#include "sense/aggregator.h"

namespace atalaya::sense {
namespace {

class Join final : public Aggregator {
 public:
  Join(const AggregatorContext& context, promql::ExpressionPtr expression, Duration every, Duration lookback)
      : inputs_(context.inputs),
        limits_(context.limits),
        counters_(*context.counters),
        expression_(std::move(expression)),
        every_(every),
        lookback_(lookback) {}

  void push(std::size_t input, const Record& record, Time now, std::vector<Record>&) override {
    if (record.is_line() || (std::isnan(record.value) && !is_stale(record.value))) {
      ++counters_.not_numbers;
      return;
    }
    // What is a metric's name elsewhere is the stream's here.
    const auto labels = record.labels.with(kMetricName, inputs_[input]);
    const auto at = newest_.find(labels);
    if (is_stale(record.value)) {
      if (at != newest_.end()) newest_.erase(at);
      return;
    }
    if (at != newest_.end()) {
      if (record.time <= at->second.time) {
        ++counters_.late;
      } else {
        at->second = {record.time, record.value};
      }
      return;
    }
    if (newest_.size() >= limits_.max_series) {
      ++counters_.over_limit;
      return;
    }
    if (newest_.empty()) next_ = begin_of(now) + every_;
    newest_.emplace(labels, Sample{record.time, record.value});
  }

  void tick(Time now, std::vector<Record>& out) override {
    if (newest_.empty() || now < next_) return;
    const auto at = begin_of(now);
    next_ = at + every_;
    std::erase_if(newest_, [&](const auto& one) { return one.second.time <= at - lookback_; });
    promql::MemorySeries series;
    for (const auto& [labels, sample] : newest_) series.add(labels, at, sample.value);
    evaluate(series, at, out);
  }
  Time due() const override { return newest_.empty() ? kMaxTime : next_; }
  std::size_t remembered() const override { return newest_.size(); }

 private:
  void evaluate(const promql::MemorySeries& series, Time at, std::vector<Record>& out) {
    promql::Limits limits;
    limits.max_samples = 8 * limits_.max_series;
    limits.max_bytes = std::size_t{64} << 20;
    limits.threads = 1;
    const auto value = promql::Engine(series, limits).instant(default_tenant(), *expression_, at);
    if (!value) {
      ++counters_.failed;
      return;
    }
    if (const auto* scalar = std::get_if<promql::Scalar>(&*value)) out.push_back({at, scalar->value, {}, std::nullopt});
    if (const auto* vector = std::get_if<promql::Vector>(&*value))
      for (const auto& one : *vector) out.push_back({at, one.value, one.labels.without(kMetricName), std::nullopt});
  }
  Time begin_of(Time time) const { return from_ms(to_ms(time) - to_ms(time) % every_.count()); }

  const std::vector<std::string> inputs_;
  const PipeLimits limits_;
  PipeCounters& counters_;
  const promql::ExpressionPtr expression_;
  const Duration every_;
  const Duration lookback_;
  std::map<Labels, Sample> newest_;  ///< with the stream as name
  Time next_ = kMinTime;
};

/// What newest values alone cannot answer, or names another stream; "" when there is nothing.
std::string problem_of(const promql::Expression& node, const std::vector<std::string>& streams) {
  using promql::Kind;
  if (node.kind == Kind::kSubquery || node.range || node.offset.is_set() || node.at)
    return "it asks for values of the past, and there are the newest alone";
  if (node.kind == Kind::kSelector) {
    const auto name = std::find_if(node.matchers.begin(), node.matchers.end(),
                                   [](const Matcher& one) { return one.name() == kMetricName; });
    if (name == node.matchers.end() || name->op() != Matcher::Op::kEqual) return "a selector does not name its stream";
    if (std::find(streams.begin(), streams.end(), name->value()) == streams.end())
      return fmt::format("it names {}, which is none of instream", name->value());
  }
  for (const auto& arg : node.args) {
    auto problem = problem_of(*arg, streams);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

MadeAggregator make_join(const PartSettings& settings, const AggregatorContext& context) {
  if (settings.name() != "Join") return nullptr;
  auto expression = promql::parse(settings.text("expression"));
  if (!expression) return settings.wrong("expression", to_string(expression.error()));
  if ((*expression)->type != promql::ValueType::kScalar && (*expression)->type != promql::ValueType::kVector)
    return settings.wrong("expression", fmt::format("it yields a {}", promql::name((*expression)->type)));
  const auto problem = problem_of(**expression, context.inputs);
  if (!problem.empty())
    return settings.wrong("expression", problem, "streams by their names, such as used / size * 100");
  const auto every = settings.seconds("every").value_or(context.period);
  const auto lookback = settings.seconds("lookback").value_or(3 * every);
  return std::make_unique<Join>(context, std::move(*expression), every, lookback);
}

}  // namespace atalaya::sense
