// The canonical text of an expression, as Prometheus writes it: parses back to the same tree.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "promql/durations.h"
#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser.h"

namespace atalaya::promql {
namespace {

void print(const Expression& node, std::string& out);

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= '\a' && c <= '\r') {
      out += '\\';
      out += "abtnvfr"[c - '\a'];
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool is_plain(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
    if (!letter) return false;
  }
  return true;
}

std::string label_list(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const auto& label : labels) {
    if (out.size() > 1) out += ", ";
    out += is_plain(label) ? label : quote(label);
  }
  return out + ")";
}

std::string number(const Expression& node) {
  if (!node.is_duration) return format_fixed(node.number);
  const Duration size{static_cast<std::int64_t>(std::round(std::abs(node.number) * 1000))};
  return (std::signbit(node.number) ? "-" : "") + format_duration(size);
}

std::string at_modifier(const std::optional<AtModifier>& at) {
  if (!at) return "";
  switch (at->kind) {
    case AtModifier::Kind::kStart: return " @ start()";
    case AtModifier::Kind::kEnd: return " @ end()";
    case AtModifier::Kind::kTime: break;
  }
  const auto ms = to_ms(at->time);
  const auto size = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
  return fmt::format(" @ {}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

std::string offset(const Expression& node) { return node.offset.is_set() ? " offset " + to_string(node.offset) : ""; }

/// Matchers in order of their text; the name before the braces is none of them.
void print_selector(const Expression& node, std::string& out) {
  constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  std::vector<std::string> inner;
  bool bare = !node.metric.empty();
  for (const auto& matcher : node.matchers) {
    if (bare && matcher.name() == kMetricName) {
      bare = false;
      continue;
    }
    inner.push_back(is_plain(matcher.name()) ? matcher.name() : quote(matcher.name()));
    inner.back() += kOps[static_cast<int>(matcher.op())];
    inner.back() += quote(matcher.value());
  }
  std::ranges::sort(inner);
  out += node.metric;
  if (!inner.empty()) out += fmt::format("{{{}}}", fmt::join(inner, ","));
  const auto extension = node.extension.empty() ? "" : " " + node.extension;
  if (node.range) {
    out += "[" + to_string(*node.range) + "]" + extension + at_modifier(node.at);
  } else {
    out += at_modifier(node.at) + extension;
  }
  out += offset(node);
}

std::string fills(const Matching& matching) {
  const auto& left = matching.fill_left;
  const auto& right = matching.fill_right;
  const auto one = [](std::string_view word, double value) {
    return fmt::format("{} ({}) ", word, format_fixed(value));
  };
  if (left && right && std::bit_cast<std::uint64_t>(*left) == std::bit_cast<std::uint64_t>(*right)) {
    return one("fill", *left);
  }
  return (left ? one("fill_left", *left) : "") + (right ? one("fill_right", *right) : "");
}

void print_operator(const Expression& node, std::string& out) {
  out += fmt::format(" {} ", name(node.op));
  if (node.return_bool) out += "bool ";
  const auto& matching = node.matching;
  const bool left = matching.cardinality == Cardinality::kManyToOne;
  const bool right = matching.cardinality == Cardinality::kOneToMany;
  if (matching.on || !matching.labels.empty() || left || right) {
    out += matching.on ? "on " : "ignoring ";
    out += label_list(matching.labels) + " ";
  }
  if (left || right) out += (left ? "group_left " : "group_right ") + label_list(matching.include) + " ";
  out += fills(matching);
}

/// Chains may be long: without recursion along their left.
void print_binary(const Expression& node, std::string& out) {
  std::vector<const Expression*> chain{&node};
  while (chain.back()->args[0]->kind == Kind::kBinary) chain.push_back(chain.back()->args[0].get());
  // `+Inf ^ x` would read as `+(Inf ^ x)`: as the base of a power infinity is written without its sign.
  const auto& first = *chain.back()->args[0];
  if (chain.back()->op == Op::kPow && first.kind == Kind::kNumber && first.number > 0 && std::isinf(first.number)) {
    out += "Inf";
  } else {
    print(first, out);
  }
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    print_operator(**it, out);
    print(*(*it)->args[1], out);
  }
}

void print_aggregate(const Expression& node, std::string& out) {
  out += name(node.aggregation);
  if (node.grouping.without || !node.grouping.labels.empty()) {
    out += node.grouping.without ? " without " : " by ";
    out += label_list(node.grouping.labels) + " ";
  }
  out += "(";
  if (node.args.size() == 2) {
    print(*node.args[1], out);
    out += ", ";
  }
  print(*node.args[0], out);
  out += ")";
}

void print(const Expression& node, std::string& out) {
  switch (node.kind) {
    case Kind::kNumber: out += number(node); return;
    case Kind::kString: out += quote(node.text); return;
    case Kind::kSelector: print_selector(node, out); return;
    case Kind::kSubquery:
      print(*node.args[0], out);
      out += "[" + to_string(*node.range) + ":" + (node.step ? to_string(*node.step) : "") + "]";
      out += at_modifier(node.at) + offset(node);
      return;
    case Kind::kCall:
      out += node.function->name;
      out += "(";
      for (const auto& arg : node.args) {
        if (arg != node.args.front()) out += ", ";
        print(*arg, out);
      }
      out += ")";
      return;
    case Kind::kAggregate: print_aggregate(node, out); return;
    case Kind::kBinary: print_binary(node, out); return;
    case Kind::kUnary:
      out += name(node.op);
      print(*node.args[0], out);
      return;
    case Kind::kParen:
      out += "(";
      print(*node.args[0], out);
      out += ")";
      return;
  }
}

}  // namespace

std::string to_string(const Expression& expression) {
  std::string out;
  print(expression, out);
  return out;
}

}  // namespace atalaya::promql
