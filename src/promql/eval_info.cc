// info(): labels of series such as target_info, laid on those of the same instance and job.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

constexpr std::string_view kTargetInfo = "target_info";
constexpr std::string_view kAnyInfo = ".+_info";
constexpr std::array<std::string_view, 2> kIdentifying{"instance", "job"};

/// The first instant selector of the expression, whose @ and offset say of what time the labels are.
const Expression* first_selector(const Expression& node) {
  if (node.kind == Kind::kSelector) return &node;
  for (const auto& arg : node.args) {
    if (const auto* found = first_selector(*arg)) return found;
  }
  return nullptr;
}

/// A regular expression for one of these.
std::string any_of(const std::set<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : "|") + re2::RE2::QuoteMeta(value);
  return out;
}

Labels identity(std::string_view name, const Labels& labels) {
  LabelsBuilder out;
  out.set(kMetricName, name);
  for (const auto label : kIdentifying) out.set(label, labels.get(label));
  return out.build();
}

}  // namespace

/// What the second argument asks for.
struct Evaluator::InfoLabels {
  Matchers names;  ///< of the info metric
  std::map<std::string, Matchers> data;

  static Result<InfoLabels> of(const Expression& node) {
    InfoLabels out;
    if (node.args.size() > 1) {
      for (const auto& matcher : node.args[1]->matchers) {
        (matcher.name() == kMetricName ? out.names : out.data[matcher.name()]).push_back(matcher);
      }
    }
    if (out.names.empty()) {
      out.names.push_back(Matcher::equal(std::string(kMetricName), std::string(kTargetInfo)));
    } else if (std::ranges::none_of(out.names, is_positive)) {
      // What is only told not to be something would be any series, those to be laid on as well.
      AT_TRY(auto any, Matcher::make(std::string(kMetricName), Matcher::Op::kRegex, std::string(kAnyInfo)));
      out.names.insert(out.names.begin(), std::move(any));
    }
    return out;
  }
  static bool is_positive(const Matcher& matcher) {
    return matcher.op() == Matcher::Op::kEqual || matcher.op() == Matcher::Op::kRegex;
  }
  bool is_info(const Labels& labels) const {
    return std::all_of(names.begin(), names.end(),
                       [&](const Matcher& matcher) { return matcher.matches(labels.get(kMetricName)); });
  }
  bool wants(std::string_view label) const { return data.empty() || data.contains(std::string(label)); }
  /// A series without any info does for them all.
  bool may_lack() const {
    for (const auto& [name, matchers] : data) {
      for (const auto& matcher : matchers) {
        if (!matcher.matches("")) return false;
      }
    }
    return true;
  }
};

Result<Evaluator::Sources> Evaluator::info_series(const Expression& node, const Table& base,
                                                  const InfoLabels& wanted) const {
  // Which of the identifying labels a series has, and their values: a label that it lacks the info series lacks, too.
  using Has = std::array<bool, kIdentifying.size()>;
  std::map<Has, std::array<std::set<std::string>, kIdentifying.size()>> targets;
  for (std::size_t row = 0; row < base.size(); ++row) {
    const auto& labels = base.labels(row);
    if (wanted.is_info(labels)) continue;
    Has has{};
    for (std::size_t i = 0; i < has.size(); ++i) has[i] = !labels.get(kIdentifying[i]).empty();
    if (has == Has{}) continue;
    auto& values = targets[has];
    for (std::size_t i = 0; i < has.size(); ++i) {
      if (has[i]) values[i].emplace(labels.get(kIdentifying[i]));
    }
  }
  Time from = steps_.at(0);
  Time to = steps_.at(steps_.count - 1);
  if (const auto* first = first_selector(*node.args[0])) {
    AT_TRY(const auto times, times_of(*first));
    from = times.at(0);
    to = times.at(steps_.count - 1);
  }
  from = shifted(from, -query_.limits.lookback + Duration{1});
  Sources out;
  for (const auto& [has, values] : targets) {
    Expression selector;
    for (std::size_t i = 0; i < has.size(); ++i) {
      const std::string label(kIdentifying[i]);
      if (has[i]) {
        AT_TRY(auto matcher, Matcher::make(label, Matcher::Op::kRegex, any_of(values[i])));
        selector.matchers.push_back(std::move(matcher));
      } else {
        selector.matchers.push_back(Matcher::equal(label, ""));
      }
    }
    for (const auto& [name, matchers] : wanted.data) {
      selector.matchers.insert(selector.matchers.end(), matchers.begin(), matchers.end());
    }
    selector.matchers.insert(selector.matchers.end(), wanted.names.begin(), wanted.names.end());
    AT_TRY(auto found, open(selector, from, to));
    std::ranges::move(found, std::back_inserter(out));
  }
  return out;
}

namespace {

/// Info series by the metric's name and what identifies a target, and what they add to others.
class Infos {
 public:
  Infos(const Expression& node, const Table& table) : node_(node), table_(table) {
    for (std::size_t row = 0; row < table.size(); ++row) {
      const std::string name(table.labels(row).get(kMetricName));
      by_identity_[identity(name, table.labels(row))].push_back(row);
      names_.insert(name);
    }
  }

  /// The rows that are about the target of these labels, one list for each info metric.
  std::vector<const std::vector<std::size_t>*> about(const Labels& labels) const {
    std::vector<const std::vector<std::size_t>*> out;
    for (const auto& name : names_) {
      const auto it = by_identity_.find(identity(name, labels));
      if (it != by_identity_.end()) out.push_back(&it->second);
    }
    return out;
  }

  /// The row with the newest sample at a step, if any.
  Result<std::optional<std::size_t>> newest(const std::vector<std::size_t>& rows, std::size_t step) const {
    std::optional<std::size_t> best;
    for (const auto row : rows) {
      const double at = table_.at(row, step);
      if (is_stale(at)) continue;
      if (best && table_.at(*best, step) == at) {
        return fail(ErrorCode::kUnprocessable, node_.place,
                    fmt::format("found duplicate series for info metric: existing {} @ {:.0f}, new {} @ {:.0f}",
                                to_string(table_.labels(*best)), at * 1000, to_string(table_.labels(row)), at * 1000));
      }
      if (!best || table_.at(*best, step) < at) best = row;
    }
    return best;
  }

  /// Lays the labels of a row on others; those that `base` has itself stay.
  template <typename Wants>
  Status lay(std::size_t row, const Labels& base, const Wants& wants, std::map<std::string, std::string>& added) const {
    for (const auto& [name, text] : table_.labels(row)) {
      if (name == kMetricName || !wants(name)) continue;
      const auto before = added.find(std::string(name));
      if (before != added.end() && before->second != text) {
        return fail(ErrorCode::kUnprocessable, node_.place, fmt::format("conflicting label: {}", name));
      }
      if (!base.has(name)) added.emplace(name, text);
    }
    return {};
  }

 private:
  const Expression& node_;
  const Table& table_;
  std::set<std::string> names_;
  std::unordered_map<Labels, std::vector<std::size_t>> by_identity_;
};

}  // namespace

Result<Table> Evaluator::info(const Expression& node) {
  AT_TRY(auto base, vector(*node.args[0]));
  AT_TRY(const auto wanted, InfoLabels::of(node));
  AT_TRY(auto sources, info_series(node, base, wanted));
  EffectiveTimes times;
  times.steps = steps_;
  if (const auto* first = first_selector(*node.args[0])) {
    AT_TRY(const auto of_base, times_of(*first));
    times.fixed = of_base.fixed;
  }
  // The sample's own time decides between two series of one target.
  AT_TRY(const auto table, look_back(std::move(sources), times, Show::kTimestamp, false));
  const Infos infos(node, table);
  const auto wants = [&](std::string_view label) { return wanted.wants(label); };
  Table out = empty();
  std::unordered_map<Labels, std::size_t> made;
  for (std::size_t row = 0; row < base.size(); ++row) {
    const auto& labels = base.labels(row);
    const bool plain = wanted.is_info(labels);
    const auto about = plain ? std::vector<const std::vector<std::size_t>*>{} : infos.about(labels);
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const double value = base.at(row, step);
      if (is_stale(value)) continue;
      std::map<std::string, std::string> added;
      bool any = false;
      for (const auto* rows : about) {
        AT_TRY(const auto found, infos.newest(*rows, step));
        if (!found) continue;
        any = true;
        AT_TRY(infos.lay(*found, labels, wants, added));
      }
      if (!any && !plain && !wanted.may_lack()) continue;
      LabelsBuilder both(labels);
      for (const auto& [name, text] : added) both.set(name, text);
      auto key = both.build();
      const auto [it, fresh] = made.emplace(key, out.size());
      if (fresh) {
        AT_TRY(out.add(query_.budget, std::make_shared<const Labels>(std::move(key)), base.head(row).drops_name));
      }
      double& cell = out.cells(it->second)[step];
      if (!is_stale(cell)) {
        return fail(ErrorCode::kUnprocessable, node.place, "vector cannot contain metrics with the same labelset");
      }
      cell = value;
    }
  }
  return out;
}

}  // namespace atalaya::promql
