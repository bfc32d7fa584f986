// Functions that change labels, and what becomes of rows whose labels are then the same.
#include <fmt/format.h>
#include <re2/re2.h>

#include <unordered_map>

#include "base/bytes.h"
#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

bool is_name(std::string_view name) { return !name.empty() && is_utf8(name); }
bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Fills a template as Go's regexp.Expand does: `$1`, `${name}`, `$$`; what is unknown is empty.
class Expansion {
 public:
  Expansion(const re2::RE2& regex, std::string_view pattern) : regex_(regex), pattern_(pattern) {}

  std::string fill(const std::vector<re2::StringPiece>& groups) const {
    std::string out;
    auto rest = pattern_;
    for (auto dollar = rest.find('$'); dollar != rest.npos; dollar = rest.find('$')) {
      out += rest.substr(0, dollar);
      rest.remove_prefix(dollar + 1);
      if (rest.starts_with('$')) {
        out += '$';
        rest.remove_prefix(1);
        continue;
      }
      const auto name = take_name(rest);
      if (!name) {
        out += '$';
      } else if (const auto index = group(*name); index >= 0 && static_cast<std::size_t>(index) < groups.size()) {
        const auto& found = groups[static_cast<std::size_t>(index)];
        out.append(found.data(), found.size());
      }
    }
    return out.append(rest);
  }

 private:
  /// A name in braces, or as long as it goes; nothing for a dollar that stands alone.
  static std::optional<std::string_view> take_name(std::string_view& rest) {
    const bool braces = rest.starts_with('{');
    std::size_t end = braces ? 1 : 0;
    while (end < rest.size() && is_word(rest[end])) ++end;
    const auto name = rest.substr(braces ? 1 : 0, end - (braces ? 1 : 0));
    if (name.empty() || (braces && (end == rest.size() || rest[end] != '}'))) return std::nullopt;
    rest.remove_prefix(end + (braces ? 1 : 0));
    return name;
  }

  int group(std::string_view name) const {
    if (name.find_first_not_of("0123456789") == name.npos) {
      return name.size() > 4 ? -1 : std::stoi(std::string(name));
    }
    const auto& named = regex_.NamedCapturingGroups();
    const auto it = named.find(std::string(name));
    return it == named.end() ? -1 : it->second;
  }

  const re2::RE2& regex_;
  std::string_view pattern_;
};

std::string_view text_of(const Expression& node) { return without_parens(node).text; }

/// Hashes and compares labels where they are: a table may have a million of them.
struct OfPointed {
  std::size_t operator()(const Labels* labels) const { return labels->hash(); }
  bool operator()(const Labels* a, const Labels* b) const { return *a == *b; }
};

void replace_label(Table& table, std::size_t row, std::string_view name, std::string_view value) {
  table.set_labels(row, table.labels(row).with(name, value));
  if (name == kMetricName) table.head(row).drops_name = false;
}

}  // namespace

Result<Table> Evaluator::label_replace(const Expression& node) {
  const auto target = text_of(*node.args[1]);
  const auto source = text_of(*node.args[3]);
  const auto pattern = text_of(*node.args[4]);
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex(fmt::format("^(?s:{})$", pattern), options);
  if (!regex.ok()) {
    return fail(ErrorCode::kUnprocessable, node.place,
                fmt::format("invalid regular expression in label_replace(): {}", pattern));
  }
  if (!is_name(target)) {
    return fail(ErrorCode::kUnprocessable, node.place,
                fmt::format("invalid destination label name in label_replace(): {}", target));
  }
  AT_TRY(auto table, vector(*node.args[0]));
  const Expansion expansion(regex, text_of(*node.args[2]));
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto labels = table.head(row).labels;  // the groups point into it
    const auto value = labels->get(source);
    if (!regex.Match(re2::StringPiece(value.data(), value.size()), 0, value.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
      continue;
    }
    replace_label(table, row, target, expansion.fill(groups));
  }
  AT_TRY(join_same(table));
  return table;
}

Result<Table> Evaluator::label_join(const Expression& node) {
  const auto target = text_of(*node.args[1]);
  const auto separator = text_of(*node.args[2]);
  for (std::size_t i = 3; i < node.args.size(); ++i) {
    if (is_name(text_of(*node.args[i]))) continue;
    return fail(ErrorCode::kUnprocessable, node.place,
                fmt::format("invalid source label name in label_join(): {}", text_of(*node.args[i])));
  }
  if (!is_name(target)) {
    return fail(ErrorCode::kUnprocessable, node.place,
                fmt::format("invalid destination label name in label_join(): {}", target));
  }
  AT_TRY(auto table, vector(*node.args[0]));
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::string joined;
    for (std::size_t i = 3; i < node.args.size(); ++i) {
      if (i > 3) joined += separator;
      joined += table.labels(row).get(text_of(*node.args[i]));
    }
    replace_label(table, row, target, joined);
  }
  AT_TRY(join_same(table));
  return table;
}

/// The first step that has a value.
std::size_t begin_of(std::span<const double> cells) {
  return static_cast<std::size_t>(std::ranges::find_if_not(cells, is_stale) - cells.begin());
}

/// The same labels are one series as long as the steps do not meet. Whether it keeps its name follows from how it
/// begins.
Status Evaluator::join_same(Table& table) const {
  std::unordered_map<const Labels*, std::size_t, OfPointed, OfPointed> seen;
  seen.reserve(table.size());
  bool any = false;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto [it, fresh] = seen.emplace(&table.labels(row), row);
    if (fresh) continue;
    any = true;
    const auto into = table.cells(it->second);
    const auto from = table.cells(row);
    if (begin_of(from) < begin_of(into)) table.head(it->second).drops_name = table.head(row).drops_name;
    for (std::size_t i = 0; i < into.size(); ++i) {
      if (is_stale(from[i])) continue;
      if (!is_stale(into[i])) {
        return fail(ErrorCode::kUnprocessable, "vector cannot contain metrics with the same labelset",
                    "the labels that differ were taken away; keep one with label_replace, or aggregate: " +
                        to_string(table.labels(row)));
      }
      into[i] = std::exchange(from[i], stale_marker());
    }
  }
  if (any) table.drop_empty();
  return {};
}

Status Evaluator::finish(Table& table) const {
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (!table.head(row).drops_name) continue;
    table.set_labels(row, without_metadata(table.labels(row)));
    table.head(row).drops_name = false;
  }
  table.drop_empty();
  return join_same(table);
}

}  // namespace atalaya::promql
