// PromQL step by step, as its documentation tells it: slow and simple, for tests to compare with.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "promql/ast.h"
#include "promql/functions.h"

namespace atalaya::promql::plain {

/// All there is: every sample of every series, ascending.
using Data = std::map<Labels, std::vector<Sample>>;

struct Element {
  Labels labels;
  double value = 0;
  bool drops_name = false;
};
using Elements = std::vector<Element>;

/// What the query as a whole is evaluated over.
struct Query {
  const Data& data;
  Time start;
  Time end;
  Duration lookback;
};

/// More than one element could be meant.
struct Ambiguous {};

class Evaluator {
 public:
  explicit Evaluator(const Query& query) : query_(query) {}

  double scalar(const Expression& node, Time at) const {
    switch (node.kind) {
      case Kind::kNumber: return node.number;
      case Kind::kParen: return scalar(*node.args[0], at);
      case Kind::kUnary: return node.op == Op::kSub ? -scalar(*node.args[0], at) : scalar(*node.args[0], at);
      case Kind::kBinary: return apply(node.op, scalar(*node.args[0], at), scalar(*node.args[1], at));
      default: break;
    }
    if (node.function->name == "time") return to_seconds(at);
    const auto elements = vector(*node.args[0], at);
    return elements.size() == 1 ? elements[0].value : std::nan("");
  }

  Elements vector(const Expression& node, Time at) const {
    switch (node.kind) {
      case Kind::kParen: return vector(*node.args[0], at);
      case Kind::kSelector: return instant(node, at);
      case Kind::kUnary: {
        auto out = vector(*node.args[0], at);
        if (node.op == Op::kAdd) return out;
        for (auto& element : out) element = {element.labels, -element.value, true};
        return out;
      }
      case Kind::kAggregate: return aggregate(node, at);
      case Kind::kBinary: return binary(node, at);
      default: return call(node, at);
    }
  }

  /// Names that must go are gone.
  static Elements finished(Elements elements) {
    std::map<Labels, int> seen;
    for (auto& element : elements) {
      if (element.drops_name) element.labels = element.labels.without(kMetricName);
      if (++seen[element.labels] > 1) throw Ambiguous{};
    }
    return elements;
  }

 private:
  using Samples = std::vector<Sample>;
  struct Range {
    Labels labels;
    Samples samples;
    Time start;
    Time end;
    bool drops_name = false;
  };

  Time effective(const Expression& node, Time at) const {
    if (node.at) {
      at = node.at->kind == AtModifier::Kind::kStart ? query_.start
           : node.at->kind == AtModifier::Kind::kEnd ? query_.end
                                                     : node.at->time;
    }
    return at - node.offset.constant;
  }

  Elements instant(const Expression& node, Time at, bool timestamps = false) const {
    const Time t = effective(node, at);
    Elements out;
    for (const auto& [labels, samples] : query_.data) {
      if (!matches(node.matchers, labels)) continue;
      const Sample* last = nullptr;
      for (const auto& sample : samples) {
        if (sample.time <= t && sample.time > t - query_.lookback) last = &sample;
      }
      if (last && !is_stale(last->value)) out.push_back({labels, timestamps ? to_seconds(last->time) : last->value});
    }
    return out;
  }

  std::vector<Range> ranges(const Expression& wrapped, Time at) const {
    const auto& node = without_parens(wrapped);
    const Time end = effective(node, at);
    const Time start = end - node.range->constant;
    std::vector<Range> out;
    if (node.kind == Kind::kSelector) {
      for (const auto& [labels, samples] : query_.data) {
        if (!matches(node.matchers, labels)) continue;
        Range range{labels, {}, start, end};
        for (const auto& sample : samples) {
          if (sample.time > start && sample.time <= end && !is_stale(sample.value)) range.samples.push_back(sample);
        }
        if (!range.samples.empty()) out.push_back(std::move(range));
      }
      return out;
    }
    const Duration step = node.step ? node.step->constant : Duration{60'000};
    std::map<Labels, Range> found;
    for (auto ms = to_ms(start) - 1 - step.count(); ms <= to_ms(end); ++ms) {
      if (ms % step.count() != 0 || from_ms(ms) <= start) continue;
      for (const auto& element : vector(*node.args[0], from_ms(ms))) {
        auto& range = found[element.labels];
        range.labels = element.labels;
        range.drops_name = element.drops_name;
        range.start = start;
        range.end = end;
        range.samples.push_back({from_ms(ms), element.value});
      }
    }
    for (auto& [labels, range] : found) out.push_back(std::move(range));
    return out;
  }

  static long double sum(const Samples& samples) {
    long double out = 0;
    for (const auto& sample : samples) out += static_cast<long double>(sample.value);
    return out;
  }
  static double mean(const Samples& samples) {
    return static_cast<double>(sum(samples) / static_cast<long double>(samples.size()));
  }

  /// NaN before all numbers.
  static bool is_below(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }
  /// The first extreme one; NaN only where there is nothing else.
  static double extreme(const std::vector<double>& values, bool most) {
    double best = values[0];
    for (const double value : values) {
      if (std::isnan(best) || (most ? value > best : value < best)) best = value;
    }
    return best;
  }

  static double quantile(double q, std::vector<double> values) {
    if (std::isnan(q)) return q;
    if (q < 0 || q > 1) return q < 0 ? -INFINITY : INFINITY;
    std::sort(values.begin(), values.end(), is_below);
    const double rank = q * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(rank);
    const auto high = std::min(low + 1, values.size() - 1);
    const double weight = rank - static_cast<double>(low);
    return values[low] * (1 - weight) + values[high] * weight;
  }

  /// rate, increase, delta: from first to last, as far as the edges are.
  static std::optional<double> growth(const Range& range, bool counter, bool per_second) {
    const auto& s = range.samples;
    if (s.size() < 2) return std::nullopt;
    double grown = s.back().value - s.front().value;
    for (std::size_t i = 1; counter && i < s.size(); ++i) {
      if (s[i].value < s[i - 1].value) grown += s[i - 1].value;
    }
    const double span = to_seconds(s.back().time - s.front().time);
    const double distance = span / static_cast<double>(s.size() - 1);
    double before = to_seconds(s.front().time - range.start);
    double after = to_seconds(range.end - s.back().time);
    if (before >= distance * 1.1) before = distance / 2;
    if (after >= distance * 1.1) after = distance / 2;
    if (counter && grown > 0 && s.front().value >= 0) before = std::min(before, span * (s.front().value / grown));
    const double factor = (span + before + after) / span;
    return grown * (per_second ? factor / to_seconds(range.end - range.start) : factor);
  }

  static std::optional<double> of_range(std::string_view name, const Range& range, double parameter) {
    const auto& s = range.samples;
    const auto count_pairs = [&](auto differ) {
      double count = 0;
      for (std::size_t i = 1; i < s.size(); ++i) count += differ(s[i - 1].value, s[i].value) ? 1 : 0;
      return count;
    };
    std::vector<double> values;
    for (const auto& sample : s) values.push_back(sample.value);
    if (name == "rate") return growth(range, true, true);
    if (name == "increase") return growth(range, true, false);
    if (name == "delta") return growth(range, false, false);
    if (name == "count_over_time") return static_cast<double>(s.size());
    if (name == "sum_over_time") return static_cast<double>(sum(s));
    if (name == "avg_over_time") return mean(s);
    if (name == "min_over_time") return extreme(values, false);
    if (name == "max_over_time") return extreme(values, true);
    if (name == "last_over_time") return s.back().value;
    if (name == "first_over_time") return s.front().value;
    if (name == "present_over_time") return 1;
    if (name == "ts_of_last_over_time") return to_seconds(s.back().time);
    if (name == "ts_of_first_over_time") return to_seconds(s.front().time);
    if (name == "changes")
      return count_pairs([](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); });
    if (name == "resets") return count_pairs([](double a, double b) { return b < a; });
    if (name == "quantile_over_time") return quantile(parameter, values);
    if (name == "ts_of_max_over_time" || name == "ts_of_min_over_time") {
      const bool most = name == "ts_of_max_over_time";
      auto best = s.front();
      for (const auto& sample : s) {
        if (std::isnan(best.value) || (most ? sample.value >= best.value : sample.value <= best.value)) best = sample;
      }
      return to_seconds(best.time);
    }
    if (name == "irate" || name == "idelta") {
      if (s.size() < 2) return std::nullopt;
      const auto& a = s[s.size() - 2];
      const auto& b = s.back();
      if (name == "idelta") return b.value - a.value;
      return (b.value < a.value ? b.value : b.value - a.value) / to_seconds(b.time - a.time);
    }
    const double middle = mean(s);  // stdvar_over_time
    long double squares = 0;
    for (const double value : values) squares += static_cast<long double>((value - middle) * (value - middle));
    return static_cast<double>(squares / static_cast<long double>(s.size()));
  }

  Elements call(const Expression& node, Time at) const {
    const auto name = node.function->name;
    Elements out;
    if (node.function->window) {
      const bool has_parameter = name == "quantile_over_time";
      const double parameter = has_parameter ? scalar(*node.args[0], at) : 0;
      for (const auto& range : ranges(*node.args.back(), at)) {
        const auto value = of_range(name, range, parameter);
        if (value) out.push_back({range.labels, *value, !node.function->keeps_name || range.drops_name});
      }
      return out;
    }
    if (name == "vector") return {{Labels{}, scalar(*node.args[0], at)}};
    if (name == "absent_over_time" || name == "absent") {
      const bool none = name == "absent" ? vector(*node.args[0], at).empty() : ranges(*node.args[0], at).empty();
      if (none) out.push_back({absent_labels(without_parens(*node.args[0])), 1});
      return out;
    }
    const auto& inner = without_parens(*node.args[0]);
    const bool direct = name == "timestamp" && inner.kind == Kind::kSelector;
    out = direct ? instant(inner, at, true) : vector(inner, at);
    for (auto& element : out) {
      element.drops_name = true;
      if (name == "timestamp" && !direct) element.value = to_seconds(at);
      if (name == "clamp_max") element.value = std::min(element.value, scalar(*node.args[1], at));
      if (node.function->element) element.value = node.function->element(element.value);
    }
    return out;
  }

  static Labels absent_labels(const Expression& selector) {
    LabelsBuilder out;
    if (selector.kind != Kind::kSelector) return {};
    for (const auto& matcher : selector.matchers) {
      if (matcher.name() != kMetricName && matcher.op() == Matcher::Op::kEqual)
        out.set(matcher.name(), matcher.value());
    }
    return out.build();
  }

  static Labels only(const Labels& labels, const std::vector<std::string>& names, bool keep) {
    LabelsBuilder out;
    for (const auto& [name, value] : labels) {
      const bool listed = std::find(names.begin(), names.end(), name) != names.end();
      if (keep ? listed : !listed && name != kMetricName) out.set(name, value);
    }
    return out.build();
  }

  Elements aggregate(const Expression& node, Time at) const {
    std::map<Labels, Elements> groups;
    for (auto& element : vector(*node.args[0], at)) {
      groups[only(element.labels, node.grouping.labels, !node.grouping.without)].push_back(element);
    }
    const double parameter = node.args.size() > 1 ? scalar(*node.args[1], at) : 0;
    Elements out;
    for (auto& [labels, members] : groups) {
      if (node.aggregation == Aggregation::kTopk || node.aggregation == Aggregation::kBottomk) {
        const bool most = node.aggregation == Aggregation::kTopk;
        std::stable_sort(members.begin(), members.end(), [&](const Element& a, const Element& b) {
          if (std::isnan(a.value) || std::isnan(b.value)) return !std::isnan(a.value) && std::isnan(b.value);
          return most ? a.value > b.value : a.value < b.value;
        });
        members.resize(std::min(members.size(), static_cast<std::size_t>(std::max(parameter, 0.0))));
        out.insert(out.end(), members.begin(), members.end());
        continue;
      }
      std::vector<double> values;
      bool drops = false;
      for (const auto& member : members) {
        values.push_back(member.value);
        drops = drops || member.drops_name;
      }
      out.push_back({labels, of_group(node.aggregation, values, parameter), drops});
    }
    return out;
  }

  static double of_group(Aggregation aggregation, const std::vector<double>& values, double parameter) {
    long double sum = 0;
    for (const double value : values) sum += static_cast<long double>(value);
    const auto count = static_cast<double>(values.size());
    const auto average = static_cast<double>(sum) / count;
    switch (aggregation) {
      case Aggregation::kSum: return static_cast<double>(sum);
      case Aggregation::kAvg: return average;
      case Aggregation::kMin: return extreme(values, false);
      case Aggregation::kMax: return extreme(values, true);
      case Aggregation::kCount: return count;
      case Aggregation::kGroup: return 1;
      case Aggregation::kQuantile: return quantile(parameter, values);
      default: break;
    }
    long double squares = 0;
    for (const double value : values) squares += static_cast<long double>((value - average) * (value - average));
    const auto variance = static_cast<double>(squares) / count;
    return aggregation == Aggregation::kStdvar ? variance : std::sqrt(variance);
  }

  Elements binary(const Expression& node, Time at) const {
    const auto& l = *node.args[0];
    const auto& r = *node.args[1];
    const bool filter = is_comparison(node.op) && !node.return_bool;
    if (l.type == ValueType::kScalar || r.type == ValueType::kScalar) {
      const bool left = l.type == ValueType::kScalar;
      const double number = scalar(left ? l : r, at);
      Elements out;
      for (auto element : vector(left ? r : l, at)) {
        const double value = left ? apply(node.op, number, element.value) : apply(node.op, element.value, number);
        if (filter && value == 0) continue;
        if (!filter) element = {element.labels, value, true};
        out.push_back(element);
      }
      return out;
    }
    const auto left = vector(l, at);
    const auto right = vector(r, at);
    const auto key = [&](const Element& element) {
      return only(element.labels, node.matching.labels, node.matching.on);
    };
    if (is_set(node.op)) return set_operation(node.op, left, right, key);
    const bool swapped = node.matching.cardinality == Cardinality::kOneToMany;
    return pairs(node, swapped ? right : left, swapped ? left : right, key, swapped, filter);
  }

  template <typename Key>
  static Elements set_operation(Op op, const Elements& left, const Elements& right, const Key& key) {
    const auto has = [&](const Elements& all, const Element& one) {
      return std::any_of(all.begin(), all.end(), [&](const Element& other) { return key(other) == key(one); });
    };
    Elements out;
    for (const auto& element : left) {
      if (op == Op::kOr || has(right, element) == (op == Op::kAnd)) out.push_back(element);
    }
    for (const auto& element : right) {
      if (op == Op::kOr && !has(left, element)) out.push_back(element);
    }
    return out;
  }

  template <typename Key>
  static Elements pairs(const Expression& node, const Elements& many, const Elements& one, const Key& key, bool swapped,
                        bool filter) {
    if (many.empty() || one.empty()) return {};
    std::map<Labels, const Element*> ones;
    for (const auto& element : one) {
      if (!ones.emplace(key(element), &element).second) throw Ambiguous{};
    }
    const bool single = node.matching.cardinality == Cardinality::kOneToOne;
    std::map<Labels, int> used;
    Elements out;
    for (const auto& element : many) {
      const auto it = ones.find(key(element));
      if (it == ones.end()) continue;
      LabelsBuilder labels(element.labels);
      if (is_arithmetic(node.op)) labels.erase(kMetricName);
      for (const auto& [name, value] : element.labels) {
        const auto& listed = node.matching.labels;
        const bool in = std::find(listed.begin(), listed.end(), name) != listed.end();
        if (single && in != node.matching.on) labels.erase(name);
      }
      for (const auto& name : node.matching.include) labels.set(name, it->second->labels.get(name));
      Element result{labels.build(), 0, node.return_bool || element.drops_name};
      if (++used[single ? key(element) : result.labels] > 1) throw Ambiguous{};
      const double left = swapped ? it->second->value : element.value;
      const double right = swapped ? element.value : it->second->value;
      result.value = apply(node.op, left, right);
      if (filter && result.value == 0) continue;
      if (filter) result.value = left;
      out.push_back(std::move(result));
    }
    return out;
  }

  const Query& query_;
};

}  // namespace atalaya::promql::plain
