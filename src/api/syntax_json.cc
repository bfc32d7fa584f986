#include "api/syntax_json.h"

#include <cmath>

#include "promql/format.h"
#include "promql/functions.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;
using promql::Expression;
using promql::Kind;

json::array texts(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

std::string_view type_name(promql::ValueType type) {
  switch (type) {
    case promql::ValueType::kScalar: return "scalar";
    case promql::ValueType::kVector: return "vector";
    case promql::ValueType::kMatrix: return "matrix";
    case promql::ValueType::kString: break;
  }
  return "string";
}

std::string_view cardinality_name(promql::Cardinality cardinality) {
  switch (cardinality) {
    case promql::Cardinality::kOneToOne: return "one-to-one";
    case promql::Cardinality::kManyToOne: return "many-to-one";
    case promql::Cardinality::kOneToMany: return "one-to-many";
    case promql::Cardinality::kManyToMany: break;
  }
  return "many-to-many";
}

json::value number_or_null(const std::optional<double>& number) {
  if (!number || !std::isfinite(*number)) return nullptr;
  return *number;
}

json::value milliseconds(const std::optional<promql::WrittenDuration>& written) {
  return written ? written->constant.count() : 0;
}

/// The name that stands before the braces is the last of them.
json::array matchers(const Expression& node) {
  constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  json::array out;
  json::array name;
  for (const auto& one : node.matchers) {
    const bool is_name = !node.metric.empty() && name.empty() && one.name() == kMetricName;
    (is_name ? name : out)
        .push_back(
            json::object{{"name", one.name()}, {"value", one.value()}, {"type", kOps[static_cast<int>(one.op())]}});
  }
  out.insert(out.end(), name.begin(), name.end());
  return out;
}

/// What selectors and subqueries have after them.
void add_times(const Expression& node, json::object& out) {
  out["offset"] = node.offset.constant.count();
  out["timestamp"] = nullptr;
  out["startOrEnd"] = nullptr;
  if (!node.at) return;
  switch (node.at->kind) {
    case promql::AtModifier::Kind::kTime: out["timestamp"] = to_ms(node.at->time); break;
    case promql::AtModifier::Kind::kStart: out["startOrEnd"] = "start"; break;
    case promql::AtModifier::Kind::kEnd: out["startOrEnd"] = "end"; break;
  }
}

json::object selector(const Expression& node) {
  json::object out{{"type", node.range ? "matrixSelector" : "vectorSelector"},
                   {"name", node.metric},
                   {"matchers", matchers(node)},
                   {"anchored", node.extension == "anchored"},
                   {"smoothed", node.extension == "smoothed"}};
  if (node.range) out["range"] = milliseconds(node.range);
  add_times(node, out);
  return out;
}

json::object subquery(const Expression& node) {
  json::object out{{"type", "subquery"},
                   {"expr", syntax_json(*node.args[0])},
                   {"range", milliseconds(node.range)},
                   {"step", milliseconds(node.step)}};
  add_times(node, out);
  return out;
}

json::object call(const Expression& node) {
  json::array types;
  for (const auto type : node.function->args) types.push_back(json::string(type_name(type)));
  json::array args;
  for (const auto& arg : node.args) args.push_back(syntax_json(*arg));
  return {{"type", "call"},
          {"func", json::object{{"name", node.function->name},
                                {"argTypes", std::move(types)},
                                {"variadic", node.function->variadic},
                                {"returnType", type_name(node.function->result)}}},
          {"args", std::move(args)}};
}

json::object aggregation(const Expression& node) {
  json::value parameter = nullptr;
  if (node.args.size() == 2) parameter = syntax_json(*node.args[1]);
  return {
      {"type", "aggregation"},         {"op", promql::name(node.aggregation)},    {"expr", syntax_json(*node.args[0])},
      {"param", std::move(parameter)}, {"grouping", texts(node.grouping.labels)}, {"without", node.grouping.without}};
}

json::object binary(const Expression& node) {
  json::value matching = nullptr;
  const bool vectors =
      node.args[0]->type == promql::ValueType::kVector && node.args[1]->type == promql::ValueType::kVector;
  if (vectors) {
    const auto& m = node.matching;
    matching = json::object{
        {"card", cardinality_name(m.cardinality)},
        {"labels", texts(m.labels)},
        {"on", m.on},
        {"include", texts(m.include)},
        {"fillValues", json::object{{"lhs", number_or_null(m.fill_left)}, {"rhs", number_or_null(m.fill_right)}}}};
  }
  return {{"type", "binaryExpr"},
          {"op", promql::name(node.op)},
          {"lhs", syntax_json(*node.args[0])},
          {"rhs", syntax_json(*node.args[1])},
          {"matching", std::move(matching)},
          {"bool", node.return_bool}};
}

}  // namespace

json::object syntax_json(const Expression& node) {
  switch (node.kind) {
    case Kind::kNumber: return {{"type", "numberLiteral"}, {"val", promql::format_fixed(node.number)}};
    case Kind::kString: return {{"type", "stringLiteral"}, {"val", node.text}};
    case Kind::kSelector: return selector(node);
    case Kind::kSubquery: return subquery(node);
    case Kind::kCall: return call(node);
    case Kind::kAggregate: return aggregation(node);
    case Kind::kBinary: return binary(node);
    case Kind::kUnary:
      return {{"type", "unaryExpr"}, {"op", promql::name(node.op)}, {"expr", syntax_json(*node.args[0])}};
    case Kind::kParen: break;
  }
  return {{"type", "parenExpr"}, {"expr", syntax_json(*node.args[0])}};
}

}  // namespace atalaya::api
