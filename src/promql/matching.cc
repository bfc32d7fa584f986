#include "promql/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "model/names.h"

namespace atalaya::promql {
namespace {

bool listed(const std::vector<std::string>& labels, std::string_view name) {
  return std::find(labels.begin(), labels.end(), name) != labels.end();
}

/// As Prometheus writes them in errors: the name within the braces.
std::string labels_text(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += (is_label_name(name) ? std::string(name) : quote_label_value(name)) + "=" + quote_label_value(value);
  }
  return out + "}";
}

/// One binary operation: rows of the "many" side (the left one, unless group_right) meet those of the
/// "one" side within their group, step by step.
class Match {
 public:
  Match(const Expression& node, const Table& left, const Table& right, Budget& budget)
      : node_(node),
        matching_(node.matching),
        swapped_(matching_.cardinality == Cardinality::kOneToMany),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right),
        budget_(budget),
        out_(left.steps()) {}

  Result<Table> run() {
    MatchGroups numbers(matching_);
    const auto many_groups = numbers.of(many_);
    const auto one_groups = numbers.of(one_);
    groups_.resize(numbers.count());
    for (std::size_t row = 0; row < many_.size(); ++row) groups_[many_groups[row]].many.push_back(row);
    for (std::size_t row = 0; row < one_.size(); ++row) groups_[one_groups[row]].one.push_back(row);
    find_steps_that_count();
    // Prometheus lets the left filling stand for the many side also where group_right makes that the right one.
    for (const auto& group : groups_) {
      if (group.many.empty() && !matching_.fill_left) {
        AT_TRY(check_unique(group));
        continue;
      }
      if (group.one.empty() && !matching_.fill_right) continue;
      for (std::size_t step = 0; step < out_.steps(); ++step) AT_TRY(at_step(group, step));
      AT_TRY(budget_.go_on());
    }
    out_.drop_empty();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  struct Group {
    std::vector<std::size_t> many;
    std::vector<std::size_t> one;
  };

  /// With one side empty as a whole nothing is matched, and nothing can be ambiguous.
  void find_steps_that_count() {
    const bool fills = matching_.fill_left || matching_.fill_right;
    counts_.assign(out_.steps(), fills);
    if (fills) return;
    std::vector<bool> many(out_.steps());
    std::vector<bool> one(out_.steps());
    for (auto* side : {&many, &one}) {
      const Table& table = side == &many ? many_ : one_;
      for (std::size_t row = 0; row < table.size(); ++row) {
        const auto cells = table.cells(row);
        for (std::size_t i = 0; i < cells.size(); ++i) {
          if (!is_stale(cells[i])) (*side)[i] = true;
        }
      }
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] = many[i] && one[i];
  }

  Status check_unique(const Group& group) {
    if (group.one.size() < 2) return {};
    for (std::size_t step = 0; step < out_.steps(); ++step) {
      if (counts_[step]) AT_TRY(the_one(group, step));
    }
    return {};
  }

  /// The row of the one side that has a value; kNone when there is none.
  Result<std::size_t> the_one(const Group& group, std::size_t step) const {
    std::size_t found = kNone;
    for (const auto row : group.one) {
      if (is_stale(one_.at(row, step))) continue;
      if (found != kNone) {
        const auto key = MatchGroups::signature(matching_, one_.labels(row));
        return fail(ErrorCode::kUnprocessable, node_.place,
                    fmt::format("found duplicate series for the match group {} on the {} hand-side of the operation: "
                                "[{}, {}];many-to-many matching not allowed: matching labels must be unique on one "
                                "side",
                                labels_text(key), swapped_ ? "left" : "right", labels_text(one_.labels(row)),
                                labels_text(one_.labels(found))));
      }
      found = row;
    }
    return found;
  }

  Status at_step(const Group& group, std::size_t step) {
    if (!counts_[step]) return {};
    AT_TRY(const auto one, the_one(group, step));
    if (one == kNone && !matching_.fill_right) return {};
    const double one_value = one == kNone ? *matching_.fill_right : one_.at(one, step);
    bool any = false;
    used_.clear();
    for (const auto many : group.many) {
      const double value = many_.at(many, step);
      if (is_stale(value)) continue;
      if (any && matching_.cardinality == Cardinality::kOneToOne) {
        return fail(ErrorCode::kUnprocessable, node_.place,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
      }
      any = true;
      AT_TRY(put(many, one, step, value, one_value));
    }
    if (!any && one != kNone && matching_.fill_left) return put(kNone, one, step, *matching_.fill_left, one_value);
    return {};
  }

  Status put(std::size_t many, std::size_t one, std::size_t step, double many_value, double one_value) {
    AT_TRY(const auto row, row_for(many, one));
    if (matching_.cardinality != Cardinality::kOneToOne) {
      if (std::find(used_.begin(), used_.end(), row) != used_.end()) {
        return fail(ErrorCode::kUnprocessable, node_.place,
                    "multiple matches for labels: grouping labels must ensure unique matches");
      }
      used_.push_back(row);
    }
    const double left = swapped_ ? one_value : many_value;
    const double right = swapped_ ? many_value : one_value;
    const double value = apply(node_.op, left, right);
    const bool filter = is_comparison(node_.op) && !node_.return_bool;
    if (filter && value == 0) return {};
    double& cell = out_.cells(row)[step];
    if (!is_stale(cell)) {
      return fail(ErrorCode::kUnprocessable, node_.place, "vector cannot contain metrics with the same labelset");
    }
    cell = filter ? left : value;
    return {};
  }

  /// The result's row for a pair, one of which may be a filling.
  Result<std::size_t> row_for(std::size_t many, std::size_t one) {
    const auto known = pairs_.find({many, one});
    if (known != pairs_.end()) return known->second;
    Labels made;
    if (many == kNone || one == kNone) {
      made = MatchGroups::signature(matching_, many == kNone ? one_.labels(one) : many_.labels(many));
    }
    const Labels& many_labels = many == kNone ? made : many_.labels(many);
    const Labels& one_labels = one == kNone ? made : one_.labels(one);
    auto labels = result_labels(many_labels, one_labels);
    const bool drops = node_.return_bool || (many != kNone && many_.head(many).drops_name);
    const auto [it, fresh] = rows_.emplace(labels, out_.size());
    if (fresh) AT_TRY(out_.add(budget_, std::make_shared<const Labels>(std::move(labels)), drops));
    pairs_.emplace(std::pair{many, one}, it->second);
    return it->second;
  }

  Labels result_labels(const Labels& many, const Labels& one) const {
    LabelsBuilder builder;
    for (const auto& [name, value] : many) {
      if (is_arithmetic(node_.op) && is_metadata_label(name)) continue;
      if (matching_.cardinality == Cardinality::kOneToOne && matching_.on != listed(matching_.labels, name)) continue;
      builder.set(name, value);
    }
    for (const auto& name : matching_.include) builder.set(name, one.get(name));
    return builder.build();
  }

  const Expression& node_;
  const Matching& matching_;
  const bool swapped_;
  const Table& many_;
  const Table& one_;
  Budget& budget_;
  Table out_;
  std::vector<Group> groups_;
  std::vector<bool> counts_;  ///< steps at which both sides have elements, or fillings stand for them
  std::vector<std::size_t> used_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> pairs_;
  std::unordered_map<Labels, std::size_t> rows_;
};

}  // namespace

Labels MatchGroups::signature(const Matching& matching, const Labels& labels) {
  LabelsPacker out;
  for (const auto& [name, value] : labels) {
    const bool in = listed(matching.labels, name);
    if (matching.on ? in : !in && name != kMetricName) out.add(name, value);
  }
  return out.take();
}

std::vector<std::size_t> MatchGroups::of(const Table& table) {
  std::vector<std::size_t> out;
  out.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    out.push_back(numbers_.emplace(signature(matching_, table.labels(row)), numbers_.size()).first->second);
  }
  return out;
}

Result<Table> match(const Expression& node, const Table& left, const Table& right, Budget& budget) {
  return Match(node, left, right, budget).run();
}

}  // namespace atalaya::promql
