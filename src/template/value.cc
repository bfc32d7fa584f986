#include "template/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "template/times.h"

namespace atalaya::templates {
namespace json = boost::json;

Value Value::of_moment(std::string text, const Moment& moment) {
  Value made{json::value(json::string(text))};
  made.moment_ = std::make_shared<const Moment>(moment);
  return made;
}

bool is_true(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return false;
    case json::kind::bool_: return value.get_bool();
    case json::kind::int64: return value.get_int64() != 0;
    case json::kind::uint64: return value.get_uint64() != 0;
    case json::kind::double_: return value.get_double() != 0;
    case json::kind::string: return !value.get_string().empty();
    case json::kind::array: return !value.get_array().empty();
    case json::kind::object: return !value.get_object().empty();
  }
  return false;
}

namespace {

std::string special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

}  // namespace

std::string print_number(double value) {
  if (!std::isfinite(value)) return special(value);
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  // The shortest digits; large means 1e+06, where C's %g would look at the precision.
  constexpr int kLargeExponent = 6;
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string text(buffer.data(), end);
  const auto e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent < -4 || exponent >= kLargeExponent) return text;
  const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  return {buffer.data(), fixed};
}

std::string print_significant(double value, int digits) {
  if (!std::isfinite(value)) return special(value);
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, value);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

namespace {

constexpr int kMaxPrintDepth = 32;

std::string print_at(const json::value& value, int depth) {
  if (depth > kMaxPrintDepth) return "...";
  switch (value.kind()) {
    case json::kind::null: return depth == 0 ? "" : "<nil>";
    case json::kind::bool_: return value.get_bool() ? "true" : "false";
    case json::kind::int64: return fmt::to_string(value.get_int64());
    case json::kind::uint64: return fmt::to_string(value.get_uint64());
    case json::kind::double_: return print_number(value.get_double());
    case json::kind::string: return std::string(value.get_string());
    case json::kind::array: {
      std::string out = "[";
      for (const auto& item : value.get_array()) {
        if (out.size() > 1) out += ' ';
        out += print_at(item, depth + 1);
      }
      return out + "]";
    }
    case json::kind::object: {
      std::vector<std::string> parts;
      for (const auto& [key, item] : value.get_object()) {
        parts.push_back(std::string(key) + ":" + print_at(item, depth + 1));
      }
      std::ranges::sort(parts);
      return fmt::format("map[{}]", fmt::join(parts, " "));
    }
  }
  return {};
}

}  // namespace

std::string print(const json::value& value) { return print_at(value, 0); }

std::optional<double> to_number(const json::value& value) {
  if (const auto* i = value.if_int64()) return static_cast<double>(*i);
  if (const auto* u = value.if_uint64()) return static_cast<double>(*u);
  if (const auto* d = value.if_double()) return *d;
  return std::nullopt;
}

Result<double> convert_to_number(const json::value& value) {
  if (const auto number = to_number(value)) return *number;
  if (const auto* text = value.if_string()) {
    std::string_view view(text->data(), text->size());
    if (view == "NaN") return std::nan("");
    if (view == "+Inf" || view == "Inf") return HUGE_VAL;
    if (view == "-Inf") return -HUGE_VAL;
    if (view.starts_with('+')) view.remove_prefix(1);
    double number = 0;
    const auto [end, failed] = std::from_chars(view.data(), view.data() + view.size(), number);
    if (failed == std::errc{} && end == view.data() + view.size() && !view.empty()) return number;
    return fail(ErrorCode::kUnprocessable, fmt::format("'{}' is not a number", view));
  }
  return fail(ErrorCode::kUnprocessable, fmt::format("can't convert {} to float", type_name(value)));
}

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "nil";
    case json::kind::bool_: return "bool";
    case json::kind::int64:
    case json::kind::uint64: return "int";
    case json::kind::double_: return "float64";
    case json::kind::string: return "string";
    case json::kind::array: return "slice";
    case json::kind::object: return "map";
  }
  return "nil";
}

Result<bool> equals(const json::value& a, const json::value& b) {
  const auto x = to_number(a);
  const auto y = to_number(b);
  if (x && y) return *x == *y;
  if (a.is_null() || b.is_null()) {
    // A missing label is "" to Prometheus, and null here.
    const auto& other = a.is_null() ? b : a;
    return other.is_null() || (other.is_string() && other.get_string().empty());
  }
  if (a.kind() != b.kind() || a.is_array() || a.is_object()) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("incompatible types for comparison: {} and {}", type_name(a), type_name(b)));
  }
  return a == b;
}

Result<bool> less(const json::value& a, const json::value& b) {
  const auto x = to_number(a);
  const auto y = to_number(b);
  if (x && y) return *x < *y;
  if (a.is_string() && b.is_string()) return a.get_string() < b.get_string();
  return fail(ErrorCode::kUnprocessable,
              fmt::format("incompatible types for comparison: {} and {}", type_name(a), type_name(b)));
}

namespace {

json::array sorted_pairs(const json::object& object) {
  std::vector<std::pair<std::string, json::value>> pairs;
  for (const auto& [key, value] : object) pairs.emplace_back(key, value);
  std::ranges::sort(pairs, [](const auto& a, const auto& b) {
    // Alertmanager puts alertname first.
    return std::pair(a.first != "alertname", a.first) < std::pair(b.first != "alertname", b.first);
  });
  json::array out;
  for (auto& [key, value] : pairs) out.push_back(json::object{{"Name", key}, {"Value", std::move(value)}});
  return out;
}

json::array column(const json::array& pairs, std::string_view name) {
  json::array out;
  for (const auto& pair : pairs) {
    const auto* object = pair.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains(name);
    out.push_back(found == nullptr ? json::value(nullptr) : *found);
  }
  return out;
}

json::array with_status(const json::array& alerts, std::string_view status) {
  json::array out;
  for (const auto& alert : alerts) {
    const auto* object = alert.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains("status");
    if (found != nullptr && found->is_string() && found->get_string() == status) out.push_back(alert);
  }
  return out;
}

Result<Value> object_method(const json::object& object, const std::string& name, const Arguments& arguments) {
  if (name == "SortedPairs") return Value(sorted_pairs(object));
  if (name == "Names") return Value(column(sorted_pairs(object), "Name"));
  if (name == "Values") return Value(column(sorted_pairs(object), "Value"));
  if (name == "Remove") {
    if (arguments.size() != 1 || !arguments[0]->is_array()) {
      return fail(ErrorCode::kUnprocessable, "Remove takes one list of names");
    }
    auto left = object;
    for (const auto& item : arguments[0]->get_array()) {
      if (item.is_string()) left.erase(item.get_string());
    }
    return Value(std::move(left));
  }
  return Value();
}

}  // namespace

Result<Value> field(const Value& value, const std::string& name, const Arguments& arguments) {
  if (const auto* moment = value.moment()) return method_of(*moment, name, arguments);
  if (value->is_null()) return Value();
  if (const auto* object = value->if_object()) {
    if (const auto* found = object->if_contains(name)) return value.part(*found);
    auto small = name;
    if (small[0] >= 'A' && small[0] <= 'Z') small[0] = static_cast<char>(small[0] - 'A' + 'a');
    if (const auto* found = object->if_contains(small)) return value.part(*found);
    return object_method(*object, name, arguments);
  }
  if (const auto* array = value->if_array()) {
    if (name == "Firing") return Value(with_status(*array, "firing"));
    if (name == "Resolved") return Value(with_status(*array, "resolved"));
    if (name == "Names") return Value(column(*array, "Name"));
    if (name == "Values") return Value(column(*array, "Value"));
  }
  return fail(ErrorCode::kUnprocessable, fmt::format("can't evaluate field {} in type {}", name, type_name(*value)));
}

}  // namespace atalaya::templates
