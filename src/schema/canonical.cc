#include "schema/canonical.h"

#include <boost/json.hpp>

#include <algorithm>

#include "schema/type_script.h"

namespace atalaya::schema {
namespace {

using config::YamlValue;

/// What stands in a parameter's place is no value yet.
bool has_parameter(const YamlValue& value) {
  return value.scalar.find("${") != std::string::npos ||
         std::any_of(value.items.begin(), value.items.end(), has_parameter) ||
         std::any_of(value.entries.begin(), value.entries.end(),
                     [](const auto& entry) { return has_parameter(entry.second); });
}

/// Did the program itself say so, once and for all?
bool is_answer(const Error& error) {
  return error.code == ErrorCode::kInvalidArgument || error.code == ErrorCode::kUnprocessable ||
         error.code == ErrorCode::kResourceExhausted || error.code == ErrorCode::kNotFound;
}

/// What the type's own program makes of the value; nothing where it stays.
std::optional<YamlValue> ask(const YamlValue& value, const Type& type, const Rules& rules,
                             std::vector<Error>& unanswered) {
  const auto document = config::Document::parse(config::write_flow(value), "");
  if (!document || has_parameter(value)) return std::nullopt;
  std::vector<Reference> references;
  config::Errors told;  // when the file is checked
  const auto plain = check_value(document->root(), type, "", rules, references, told);
  if (!plain || plain->is_null()) return std::nullopt;
  const auto answer = ask_script(rules, type, "serialise", *plain);
  if (!answer) {
    if (!is_answer(answer.error())) unanswered.push_back(answer.error());
    return std::nullopt;
  }
  // A program that repeats its input has not said how milliseconds are written.
  if (*answer == *plain && !is_textual(type.kind)) return std::nullopt;
  auto written = to_yaml(*answer);
  if (written == value) return std::nullopt;
  return written;
}

}  // namespace

const Type* type_at(const Type& type, std::span<const std::string> field) {
  const auto* at = &type;
  for (std::size_t i = 0; i < field.size() && at != nullptr;) {
    const auto& part = field[i];
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    if (at->kind == Kind::kList) {
      if (!number && !at->one_or_many) return nullptr;
      i += number ? 1 : 0;  // a single one stands without brackets
      at = at->of.get();
    } else if (at->kind == Kind::kMap) {
      ++i;
      at = at->of.get();
    } else {
      const auto found =
          std::find_if(at->fields.begin(), at->fields.end(), [&](const auto& one) { return one.name == part; });
      if (found == at->fields.end()) return nullptr;
      ++i;
      at = found->type.get();
    }
  }
  return at;
}

YamlValue as_serialised(YamlValue value, const Type& type, const Rules& rules, std::vector<Error>& unanswered) {
  if (!rules.run) return value;
  if (!type.script.empty()) {
    if (auto written = ask(value, type, rules, unanswered)) return std::move(*written);
  }
  if (type.kind == Kind::kList && type.of) {
    if (value.kind != YamlValue::Kind::kList && type.one_or_many) {
      return as_serialised(std::move(value), *type.of, rules, unanswered);
    }
    for (auto& item : value.items) item = as_serialised(std::move(item), *type.of, rules, unanswered);
  }
  for (auto& [name, part] : value.entries) {
    const auto* of = type_at(type, {&name, 1});
    if (of != nullptr && type.kind != Kind::kList) part = as_serialised(std::move(part), *of, rules, unanswered);
  }
  return value;
}

}  // namespace atalaya::schema
