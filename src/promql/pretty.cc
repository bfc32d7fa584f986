#include "promql/pretty.h"

#include <cmath>
#include <string_view>

#include "promql/functions.h"

namespace atalaya::promql {
namespace {

constexpr std::size_t kLine = 100;

std::string indent(int level) { return std::string(static_cast<std::size_t>(level) * 2, ' '); }

std::string pretty(const Expression& node, int level);

/// `text` is a node on one line and `tail` its end: what stands before that.
std::string_view before(std::string_view text, std::size_t tail) { return text.substr(0, text.size() - tail); }

std::string pretty_binary(const Expression& node, std::string_view text, int level) {
  const auto left = to_string(*node.args[0]);
  const auto right = to_string(*node.args[1]);
  // The base of a power that is +Inf is written without its sign.
  const auto left_size = text.starts_with(left) ? left.size() : left.size() - 1;
  const auto between = before(text, right.size() + 1).substr(left_size + 1);  // `op bool on (…)`
  return pretty(*node.args[0], level + 1) + "\n" + indent(level) + std::string(between) + "\n" +
         pretty(*node.args[1], level + 1);
}

std::string pretty_aggregate(const Expression& node, std::string_view text, int level) {
  const bool has_parameter = node.args.size() == 2;
  std::size_t tail = to_string(*node.args[0]).size() + 2;
  if (has_parameter) tail += to_string(*node.args[1]).size() + 2;
  auto out = indent(level) + std::string(before(text, tail)) + "(\n";
  if (has_parameter) out += pretty(*node.args[1], level + 1) + ",\n";
  return out + pretty(*node.args[0], level + 1) + "\n" + indent(level) + ")";
}

std::string pretty_call(const Expression& node, int level) {
  auto out = indent(level) + std::string(node.function->name) + "(\n";
  for (const auto& arg : node.args) {
    if (arg != node.args.front()) out += ",\n";
    out += pretty(*arg, level + 1);
  }
  return out + "\n" + indent(level) + ")";
}

std::string pretty(const Expression& node, int level) {
  if (node.kind == Kind::kUnary) {
    const auto operand = pretty(*node.args[0], level);
    return indent(level) + std::string(name(node.op)) + operand.substr(operand.find_first_not_of(" \n"));
  }
  const auto text = to_string(node);
  if (text.size() <= kLine) return indent(level) + text;
  switch (node.kind) {
    case Kind::kBinary: return pretty_binary(node, text, level);
    case Kind::kAggregate: return pretty_aggregate(node, text, level);
    case Kind::kCall:
      if (node.args.empty()) break;
      return pretty_call(node, level);
    case Kind::kParen: return indent(level) + "(\n" + pretty(*node.args[0], level + 1) + "\n" + indent(level) + ")";
    case Kind::kSubquery: return pretty(*node.args[0], level) + text.substr(to_string(*node.args[0]).size());
    default: break;
  }
  return indent(level) + text;
}

}  // namespace

std::string prettify(const Expression& expression) { return pretty(expression, 0); }

}  // namespace atalaya::promql
