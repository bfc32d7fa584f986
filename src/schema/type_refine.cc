// What a field or type says beyond the type that it is built on: bounds, patterns, words, fields.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "schema/names.h"
#include "schema/type_reader.h"

namespace atalaya::schema {
namespace {

using config::Node;
using config::Reader;

constexpr std::int64_t kPatternMemory = 1 << 20;

/// Keys that say more about what a list or map holds, and those about the whole.
constexpr std::array kInner{"fields", "one_of", "some_of", "values", "pattern", "pattern_help", "unit", "variables"};
constexpr std::array kOuter{"min", "max", "or", "script"};

bool has_any(const Node& node, const auto& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return node.get(key) != nullptr; });
}

}  // namespace

void TypeReader::allow_refinements(Reader& read) {
  for (const auto* key : kInner) read.find(key);
  for (const auto* key : kOuter) read.find(key);
}

TypePtr TypeReader::refined(TypePtr base, Reader& read, const std::string& package, const std::string& name) {
  const bool inner = has_any(read.node(), kInner);
  const bool outer = has_any(read.node(), kOuter);
  const auto* innermost = base.get();
  while (innermost->of) innermost = innermost->of.get();
  const bool needs = (innermost->kind == Kind::kRecord && innermost == builtin(Kind::kRecord).get()) ||
                     innermost == builtin(Kind::kEnumeration).get();
  if (!inner && needs) {
    const bool record = innermost->kind == Kind::kRecord;
    complain(
        read.node().place(),
        fmt::format("{} needs the key \"{}\"", record ? "a record" : "an enumeration", record ? "fields" : "values"),
        record ? "fields: {name: {type: text}}" : "values: [one, other], or values: {one: what it means}");
    return nullptr;
  }
  for (const auto* declared : open_) {
    // A copy of a record whose fields are still being read would lack some.
    const bool copies = inner || ((outer || !name.empty()) && base.get() == innermost);
    if (!copies || declared->record.get() != innermost) continue;
    complain(read.node().place(), fmt::format("the type \"{}\" is built on itself", declared->record->name),
             "only the fields of a record may be of the record's own type, without more to it");
    return nullptr;
  }
  if (!inner && !outer) return base;
  const auto before = errors_.size();
  auto made = std::make_shared<Type>(*base);
  if (outer) refine_outer(*made, read);
  if (inner) {
    auto* target = made.get();
    while (target->of) {
      auto copy = std::make_shared<Type>(*target->of);
      target->of = copy;
      target = copy.get();
    }
    const auto declared = declared_.find(name);
    if (target == made.get() && !name.empty() && declared != declared_.end() && target->kind == Kind::kRecord) {
      // From here on its fields may name it.
      declared->second.record = made;
      kept_.push_back(made);
      made->name = name;
    }
    refine_inner(*target, read, package);
  }
  return errors_.size() == before ? made : nullptr;
}

bool TypeReader::refine_inner(Type& type, Reader& read, const std::string& package) {
  const auto& node = read.node();
  const auto before = errors_.size();
  if (type.kind == Kind::kRecord) {
    read_record(type, read, package);
  } else if (has_any(node, std::array{"fields", "one_of", "some_of"})) {
    complain(node.place(), fmt::format("a {} has no fields", name(type.kind)), "type: record");
  }
  if (const auto* values = node.get("values")) {
    if (type.kind == Kind::kEnumeration) {
      read_choices(type, *values);
    } else {
      complain(values->place(), fmt::format("a {} has no values", name(type.kind)), "type: enumeration");
    }
  }
  if (const auto* pattern = node.get("pattern")) read_pattern(type, *pattern);
  type.pattern_help = read.value_or<std::string>("pattern_help", type.pattern_help);
  type.unit = read.value_or<std::string>("unit", type.unit);
  type.variables = read.value_or<std::string>("variables", type.variables);
  if (const auto* variables = node.get("variables");
      variables != nullptr && !is_textual(type.kind) && type.kind != Kind::kReference) {
    complain(variables->place(), fmt::format("a {} holds no variables", name(type.kind)), "variables are for texts");
  }
  return errors_.size() == before;
}

bool TypeReader::refine_outer(Type& type, Reader& read) {
  const auto before = errors_.size();
  read_bounds(type, read);
  for (auto& word : read.one_or_many<std::string>("or")) type.or_words.push_back(std::move(word));
  if (const auto* script = read.node().get("script")) {
    const auto path = config::as_text(*script);
    if (!path || !is_path_within(*path)) {
      complain(script->place(), "script is a path within the package", "e.g. script: scripts/vlan.py");
    } else {
      type.script = *path;
      type.package = package_;
    }
  }
  return errors_.size() == before;
}

void TypeReader::read_bounds(Type& type, Reader& read) {
  for (const auto* key : {"min", "max"}) {
    const auto* node = read.node().get(key);
    if (node == nullptr) continue;
    double bound = 0;
    const auto before = errors_.size();
    if (type.kind == Kind::kDuration) {
      Duration duration{0};
      decode(*node, duration, errors_);
      bound = static_cast<double>(duration.count());
    } else if (type.kind == Kind::kBytes) {
      if (const auto bytes = config::as_bytes(*node)) {
        bound = static_cast<double>(*bytes);
      } else {
        errors_.push_back(bytes.error());
      }
    } else if (is_numeric(type.kind) || is_textual(type.kind) || type.kind == Kind::kList || type.kind == Kind::kMap) {
      decode(*node, bound, errors_);
    } else {
      complain(node->place(), fmt::format("a {} has no bounds", name(type.kind)), fmt::format("remove {}", key));
    }
    if (errors_.size() != before) continue;
    // What is built on a type is at most as wide as that.
    if (*key == 'm' && key[1] == 'i') {
      type.least = std::max(type.least, bound);
    } else {
      type.most = std::min(type.most, bound);
    }
    if (!(type.least <= type.most)) complain(node->place(), "nothing lies between min and max", "min is at most max");
  }
}

bool TypeReader::read_record(Type& type, Reader& read, const std::string& package) {
  const auto& node = read.node();
  if (const auto* fields = node.get("fields")) {
    for (auto& field : read_fields(*fields, package)) {
      const auto same = std::find_if(type.fields.begin(), type.fields.end(),
                                     [&](const Field& other) { return other.name == field.name; });
      if (same == type.fields.end()) {
        type.fields.push_back(std::move(field));
      } else {
        *same = std::move(field);
      }
    }
  }
  for (auto& set : read_sets(node.get("one_of"), type.fields, true)) type.one_of.push_back(std::move(set));
  for (auto& set : read_sets(node.get("some_of"), type.fields, false)) type.some_of.push_back(std::move(set));
  return true;
}

bool TypeReader::read_choices(Type& type, const Node& node) {
  const auto before = errors_.size();
  type.choices.clear();
  for (const auto* item : node.items()) {
    if (const auto word = config::as_text(*item)) {
      type.choices.push_back({*word, {}});
    } else {
      errors_.push_back(word.error());
    }
  }
  for (const auto& entry : node.entries()) {
    type.choices.push_back({entry.key->text(), entry.value->is_null() ? std::string() : entry.value->text()});
  }
  if (type.choices.empty() && errors_.size() == before) {
    complain(node.place(), "an enumeration has at least one value", "values: [one, other]");
  }
  return errors_.size() == before;
}

void TypeReader::read_pattern(Type& type, const Node& node) {
  const auto text = config::as_text(node);
  if (!text) return errors_.push_back(text.error());
  if (!is_textual(type.kind)) {
    return complain(node.place(), fmt::format("a {} has no pattern", name(type.kind)), "patterns are for texts");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kPatternMemory);
  auto matcher = std::make_shared<re2::RE2>(*text, options);
  if (!matcher->ok()) {
    return complain(node.place(), "bad regular expression: " + matcher->error(),
                    "the syntax is RE2's (https://github.com/google/re2/wiki/Syntax)");
  }
  type.pattern = *text;
  type.matcher = std::move(matcher);
}

}  // namespace atalaya::schema
