#include "schema/query_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/suggest.h"
#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/function_names.h"
#include "schema/good_texts.h"

namespace atalaya::schema {
namespace {

std::string promql_remedy(std::string_view message) {
  constexpr std::string_view kUnknown = "unknown function with name \"";
  if (const auto at = message.find(kUnknown); at != std::string_view::npos) {
    const auto name =
        message.substr(at + kUnknown.size(), message.find('"', at + kUnknown.size()) - at - kUnknown.size());
    if (const auto near = config::closest(name, promql::function_names()); !near.empty()) {
      return fmt::format("did you mean \"{}\"?", near);
    }
  }
  return "the syntax is PromQL's (https://prometheus.io/docs/prometheus/latest/querying/basics/)";
}

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_of_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

/// The end of the string that begins at `at`; `at` itself where it has none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (auto i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote != '`')
      ++i;
    else if (text[i] == quote)
      return i + 1;
  }
  return at;
}

std::optional<VariableUse> use_at(std::string_view text, std::size_t at) {
  auto from = at + 1;
  const bool braced = from < text.size() && text[from] == '{';
  if (braced) ++from;
  if (from >= text.size() || !begins_name(text[from])) return std::nullopt;
  auto end = from;
  while (end < text.size() && is_of_name(text[end])) ++end;
  if (braced && (end == text.size() || text[end] != '}')) return std::nullopt;
  return VariableUse{std::string(text.substr(from, end - from)), at, end + (braced ? 1 : 0), false};
}

Place place_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  return {"", static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(offset - (before.rfind('\n') + 1)) + 1};
}

std::size_t offset_of(std::string_view text, const Place& place) {
  std::size_t at = 0;
  for (std::uint32_t line = 1; line < place.line; ++line) {
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return std::min(at + (place.column > 0 ? place.column - 1 : 0), text.size());
}

/// The text with values in the places of its variables, and the way back.
class FilledText {
 public:
  /// `values` by name; in a string any text holds.
  FilledText(std::string_view text, const std::vector<VariableUse>& uses,
             const std::map<std::string, std::string>& values)
      : uses_(uses) {
    std::size_t at = 0;
    for (const auto& use : uses) {
      filled_ += text.substr(at, use.begin - at);
      begins_.push_back(filled_.size());
      filled_ += use.quoted ? "x" : values.at(use.name);
      ends_.push_back(filled_.size());
      at = use.end;
    }
    filled_ += text.substr(at);
  }

  const std::string& text() const { return filled_; }
  /// Where that stands in what is written; of a value, its variable.
  std::size_t written(std::size_t offset) const {
    for (auto i = uses_.size(); i-- > 0;) {
      if (offset >= ends_[i]) return offset - ends_[i] + uses_[i].end;
      if (offset >= begins_[i]) return uses_[i].begin;
    }
    return offset;
  }

 private:
  const std::vector<VariableUse>& uses_;
  std::string filled_;
  std::vector<std::size_t> begins_;
  std::vector<std::size_t> ends_;
};

/// What a value of which nothing is known may be: a name, a number, a duration, an aggregation, an operator.
constexpr std::array kGuesses{"x", "5", "5m", "sum", ">"};

using Values = std::map<std::string, std::string>;

/// What is wrong with a text whose variables are filled in, and how far it got.
struct Fault {
  Error error;
  std::size_t at = 0;
};

std::optional<Fault> fault_with(std::string_view text, bool selector, const std::vector<VariableUse>& uses,
                                const Values& values) {
  const FilledText filled(text, uses, values);
  auto held = check_query(filled.text(), selector);
  if (held) return std::nullopt;
  Fault out{std::move(held).error()};
  if (!out.error.place) return out;
  out.at = filled.written(offset_of(filled.text(), *out.error.place));
  out.error.place = place_of(text, out.at);
  return out;
}

/// Nothing where some values make it hold; else what is wrong with those that got the farthest. Of a variable after the
/// other the guess that gets farther is taken: one stands in the way only of what comes behind it.
std::optional<Error> check_uses(std::string_view text, bool selector, const std::vector<VariableUse>& uses,
                                const ItemVariables& variables) {
  Values values;
  std::vector<std::string> open;
  for (const auto& use : uses) {
    if (use.quoted || values.contains(use.name)) continue;
    const auto sample = variables.samples.find(use.name);
    const bool known = sample != variables.samples.end() && !sample->second.empty();
    values[use.name] = known ? sample->second : kGuesses.front();
    if (!known) open.push_back(use.name);
  }
  auto best = fault_with(text, selector, uses, values);
  for (bool farther = true; best && farther;) {
    farther = false;
    for (const auto& name : open) {
      const auto usual = values[name];
      auto chosen = usual;
      for (const auto* guess : kGuesses) {
        values[name] = guess;
        auto fault = fault_with(text, selector, uses, values);
        if (!fault) return std::nullopt;
        if (fault->at <= best->at) continue;
        best = std::move(fault);
        chosen = guess;
        farther = true;
      }
      values[name] = chosen;
    }
  }
  if (!best) return std::nullopt;
  const auto at_it = std::ranges::find_if(uses, [&](const VariableUse& use) {
    return !use.quoted && use.begin == best->at && std::ranges::find(open, use.name) != open.end();
  });
  if (at_it != uses.end()) {
    if (!best->error.remedy.empty()) best->error.remedy += "; ";
    best->error.remedy += fmt::format("it is tried with {} as {}: a default of the variable would be tried instead",
                                      at_it->name, values[at_it->name]);
  }
  return std::move(best->error);
}

}  // namespace

Status check_query(std::string_view text, bool selector) {
  static GoodTexts good_expressions;
  static GoodTexts good_selectors;
  auto& good = selector ? good_selectors : good_expressions;
  if (good.contains(text)) return {};
  const auto parsed = promql::parse(text);
  if (!parsed) {
    auto error = parsed.error();
    if (error.remedy.empty()) error.remedy = promql_remedy(error.message);
    return std::unexpected(std::move(error));
  }
  const auto& top = **parsed;
  if (selector &&
      (top.kind != promql::Kind::kSelector || top.range || top.at || !top.extension.empty() || top.offset.is_set())) {
    return fail(ErrorCode::kInvalidArgument, "is an expression, not a selector",
                R"(write e.g. node_load1 or {job="node"})");
  }
  good.add(text);
  return {};
}

std::vector<VariableUse> variable_uses(std::string_view text, bool comments) {
  std::vector<VariableUse> out;
  std::size_t string_end = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (comments && i >= string_end && text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (i >= string_end && (text[i] == '"' || text[i] == '\'' || text[i] == '`')) string_end = end_of_string(text, i);
    auto use = text[i] == '$' ? use_at(text, i) : std::nullopt;
    if (!use) {
      ++i;
      continue;
    }
    use->quoted = i < string_end;
    i = use->end;
    out.push_back(std::move(*use));
  }
  return out;
}

ItemVariables read_variables(const config::Node* definitions) {
  ItemVariables out;
  out.declared = true;
  if (definitions == nullptr) return out;
  for (const auto& entry : definitions->entries()) {
    auto& sample = out.samples[entry.key->text()];
    const auto* given = entry.value->get("default");
    const auto* values = entry.value->get("values");
    for (const auto* node : {given, values}) {
      if (node != nullptr && node->is_sequence()) node = node->items().empty() ? nullptr : node->items().front();
      if (node == nullptr || !node->is_scalar() || node->is_null() || node->text() == "*" || !sample.empty()) continue;
      sample = node->text();
    }
  }
  return out;
}

std::vector<Error> check_filled(std::string_view text, Filled filled, const ItemVariables& variables) {
  std::vector<Error> out;
  if (filled == Filled::kSelector && text.empty()) return out;
  const auto uses = variable_uses(text, filled != Filled::kText);
  // `label_replace` knows the named groups of its expression by a dollar too.
  const auto is_group = [&](const std::string& name) { return text.find("<" + name + ">") != std::string_view::npos; };
  std::vector<std::string> names;
  for (const auto& [name, sample] : variables.samples) names.push_back(name);
  std::set<std::string> told;
  for (const auto& use : uses) {
    if (!variables.declared || variables.samples.contains(use.name) || is_group(use.name)) continue;
    if (!told.insert(use.name).second) continue;
    const auto remedy = config::suggestion(use.name, names);
    out.push_back({ErrorCode::kInvalidArgument, fmt::format("there is no variable \"{}\"", use.name),
                   place_of(text, use.begin),
                   remedy.empty() ? fmt::format("declare it: variables: {{{}: {{text: true}}}}", use.name) : remedy});
  }
  if (filled == Filled::kText) return out;
  if (auto wrong = check_uses(text, filled == Filled::kSelector, uses, variables)) out.push_back(std::move(*wrong));
  return out;
}

}  // namespace atalaya::schema
