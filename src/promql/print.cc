// The canonical text of an expression: parses back to the same tree.
#include <fmt/format.h>

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
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool is_plain(std::string_view name, bool metric) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
    if (!letter && !(metric && c == ':')) return false;
  }
  return true;
}

/// A bare word that the parser reads back as this metric.
bool is_plain_metric(std::string_view name) {
  double number = 0;
  return is_plain(name, true) && !is_reserved(to_lower(name)) && !parse_number(name, number);
}

std::string label_list(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const auto& label : labels) {
    if (out.size() > 1) out += ", ";
    out += is_plain(label, false) ? label : quote(label);
  }
  return out + ")";
}

std::string number(const Expression& node) {
  if (!node.is_duration) return format_fixed(node.number);
  const Duration size{static_cast<std::int64_t>(std::round(std::abs(node.number) * 1000))};
  return (std::signbit(node.number) ? "-" : "") + format_duration(size);
}

void print_modifiers(const Expression& node, std::string& out) {
  if (node.at) {
    switch (node.at->kind) {
      case AtModifier::Kind::kStart: out += " @ start()"; break;
      case AtModifier::Kind::kEnd: out += " @ end()"; break;
      case AtModifier::Kind::kTime: {
        const auto ms = to_ms(node.at->time);
        const auto size = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
        out += fmt::format(" @ {}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
        break;
      }
    }
  }
  if (node.offset.is_set()) out += " offset " + to_string(node.offset);
}

void print_selector(const Expression& node, std::string& out) {
  constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  std::string inner;
  bool named = node.metric.empty();
  if (is_plain_metric(node.metric)) out += node.metric;
  for (const auto& matcher : node.matchers) {
    if (!named && matcher.name() == kMetricName && matcher.op() == Matcher::Op::kEqual &&
        matcher.value() == node.metric) {
      named = true;
      if (!is_plain_metric(node.metric)) inner += (inner.empty() ? "" : ",") + quote(node.metric);
      continue;
    }
    if (!inner.empty()) inner += ",";
    inner += is_plain(matcher.name(), false) ? matcher.name() : quote(matcher.name());
    inner += kOps[static_cast<int>(matcher.op())];
    inner += quote(matcher.value());
  }
  if (!inner.empty()) out += "{" + inner + "}";
  if (node.range) out += "[" + to_string(*node.range) + "]";
  if (!node.extension.empty()) out += " " + node.extension;
  print_modifiers(node, out);
}

std::string fills(const Matching& matching) {
  const auto& left = matching.fill_left;
  const auto& right = matching.fill_right;
  const auto one = [](std::string_view word, double value) {
    return fmt::format("{}({}) ", word, format_fixed(value));
  };
  if (left && right && std::bit_cast<std::uint64_t>(*left) == std::bit_cast<std::uint64_t>(*right)) {
    return one("fill", *left);
  }
  return (left ? one("fill_left", *left) : "") + (right ? one("fill_right", *right) : "");
}

void print_operator(const Expression& node, std::string& out) {
  out += fmt::format(" {} ", name(node.op));
  if (node.return_bool) out += "bool ";
  if (node.matching.written) {
    out += node.matching.on ? "on " : "ignoring ";
    out += label_list(node.matching.labels) + " ";
    if (node.matching.cardinality == Cardinality::kManyToOne) out += "group_left " + label_list(node.matching.include);
    if (node.matching.cardinality == Cardinality::kOneToMany) out += "group_right " + label_list(node.matching.include);
    if (out.back() == ')') out += ' ';
  }
  out += fills(node.matching);
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
  if (node.grouping.written) {
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
      print_modifiers(node, out);
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
