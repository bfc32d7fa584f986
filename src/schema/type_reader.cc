#include "schema/type_reader.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "config/suggest.h"
#include "schema/names.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::Node;
using config::Reader;

/// How deep types may be built on one another: people need three.
constexpr int kMostDepth = 32;
constexpr std::int64_t kPatternMemory = 1 << 20;

/// Keys that say more about what a list or map holds, and those about the whole.
constexpr std::array kInner{"fields", "one_of", "some_of", "values", "pattern", "pattern_help", "unit"};
constexpr std::array kOuter{"min", "max", "or", "script"};

bool is_type_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_word);
}

bool has_any(const Node& node, const auto& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return node.get(key) != nullptr; });
}

}  // namespace

void TypeReader::complain(const Place& place, std::string message, std::string remedy) {
  errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
}

std::vector<TypePtr> TypeReader::read_types(const std::string& package, const Node& types) {
  std::vector<TypePtr> out;
  if (!config::expect_mapping(types, errors_)) return out;
  package_ = package;
  declared_.clear();
  for (const auto& entry : types.entries()) {
    const auto& name = entry.key->text();
    if (!is_type_name(name)) {
      complain(entry.key->place(), fmt::format("\"{}\" is no name of a type", name.substr(0, 64)),
               "letters, digits, _, - and . ; at most 64");
    } else if (parse_kind(name)) {
      complain(entry.key->place(), fmt::format("the type \"{}\" is the program's own", name), "choose another name");
    } else if (const auto known = named_.find(name); known != named_.end()) {
      complain(entry.key->place(),
               fmt::format("the type \"{}\" is declared in the package {} too", name, known->second->package),
               "choose another name");
    } else {
      declared_[name] = {entry.key, entry.value, false, nullptr};
    }
  }
  for (const auto& entry : types.entries()) {
    const auto found = declared_.find(entry.key->text());
    if (found == declared_.end() || found->second.key != entry.key) continue;
    const auto known = named_.find(entry.key->text());
    // One that was needed earlier has been read then.
    auto type = known != named_.end() ? known->second : read_declared(found->first, found->second);
    if (type) out.push_back(std::move(type));
  }
  return out;
}

TypePtr TypeReader::read_declared(const std::string& name, Declared& declared) {
  if (declared.node == nullptr) return nullptr;  // read before, with errors
  const auto& node = *declared.node;
  declared.open = true;
  ++depth_;
  Reader read(node, fmt::format("the type \"{}\"", name), errors_);
  const auto help = read.value_or<std::string>("help", "");
  read.allow({"title"});
  auto type = read_type(read, package_, name);
  read.finish();
  --depth_;
  declared.open = false;
  declared.node = nullptr;
  if (!type || !read.ok()) return nullptr;
  auto own = declared.record ? declared.record : std::make_shared<Type>(*type);
  own->name = name;
  // A program that is inherited is one of the package that it came from.
  if (own->script.empty() || node.get("script") != nullptr) own->package = package_;
  if (!help.empty()) own->help = help;
  named_[name] = own;
  return own;
}

TypePtr TypeReader::named(std::string_view name, const Place& place) {
  if (const auto kind = parse_kind(name)) {
    if (*kind != Kind::kList && *kind != Kind::kMap && *kind != Kind::kReference) return builtin(*kind);
    complain(place, fmt::format("\"{}\" alone does not say of what", name),
             *kind == Kind::kReference ? "write reference to rules, or reference to any"
                                       : fmt::format("write {} of text", name));
    return nullptr;
  }
  if (const auto known = named_.find(name); known != named_.end()) return known->second;
  if (const auto found = declared_.find(name); found != declared_.end()) {
    auto& declared = found->second;
    // A record may stand within itself: the inner pointer does not own it.
    if (declared.open && declared.record) return {TypePtr{}, declared.record.get()};
    if (declared.open || depth_ >= kMostDepth) {
      complain(place,
               declared.open ? fmt::format("the type \"{}\" is built on itself", name)
                             : fmt::format("the type \"{}\" is built on too many others", name),
               "only the fields of a record may be of the record's own type");
      return nullptr;
    }
    const bool failed = declared.node == nullptr;
    auto type = read_declared(found->first, declared);
    if (!type && failed) complain(place, fmt::format("the type \"{}\" does not hold itself", name), "correct it first");
    return type;
  }
  std::vector<std::string> known;
  for (int kind = 0; kind <= static_cast<int>(Kind::kAny); ++kind)
    known.emplace_back(schema::name(static_cast<Kind>(kind)));
  for (const auto& [other, type] : named_) known.push_back(other);
  for (const auto& [other, type] : declared_) known.push_back(other);
  complain(place, fmt::format("there is no type \"{}\"", name.substr(0, 64)), config::suggestion(name, known));
  return nullptr;
}

TypePtr TypeReader::parse(std::string_view text, const Place& place) {
  if (const auto known = expressions_.find(text); known != expressions_.end()) return known->second;
  constexpr std::string_view kMany = "one or many ";
  constexpr std::string_view kList = "list of ";
  constexpr std::string_view kMap = "map of ";
  constexpr std::string_view kReference = "reference to ";
  if (text.size() > 200) {
    complain(place, "the type is too long", "declare a type of its own in types:");
    return nullptr;
  }
  auto made = std::make_shared<Type>();
  if (text.starts_with(kReference)) {
    *made = *builtin(Kind::kReference);
    made->section = text.substr(kReference.size());
    uses_.push_back({made->section, place});
  } else if (text.starts_with(kMany) || text.starts_with(kList) || text.starts_with(kMap)) {
    const bool many = text.starts_with(kMany);
    *made = *builtin(text.starts_with(kMap) ? Kind::kMap : Kind::kList);
    made->one_or_many = many;
    made->of = parse(text.substr(many ? kMany.size() : text.starts_with(kList) ? kList.size() : kMap.size()), place);
    if (!made->of) return nullptr;
    if (many && made->of->kind == Kind::kList) {
      complain(place, "one or many lists cannot be told apart from a list", "write list of list of …");
      return nullptr;
    }
  } else {
    return named(text, place);
  }
  made->name = text;
  expressions_[std::string(text)] = made;
  return made;
}

TypePtr TypeReader::read_type(Reader& read, const std::string& package, const std::string& name) {
  const auto* node = read.require("type");
  for (const auto* key : kInner) read.find(key);
  for (const auto* key : kOuter) read.find(key);
  if (node == nullptr) return nullptr;
  auto text = config::as_text(*node);
  if (!text) {
    errors_.push_back(std::move(text).error());
    return nullptr;
  }
  auto base = parse(*text, node->place());
  if (!base) return nullptr;
  return refined(std::move(base), read, package, name);
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
  for (const auto& [other, declared] : declared_) {
    // A copy of a record whose fields are still being read would lack some.
    const bool copies = inner || ((outer || !name.empty()) && base.get() == innermost);
    if (!declared.open || !copies || declared.record.get() != innermost) continue;
    complain(read.node().place(), fmt::format("the type \"{}\" is built on itself", other),
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

std::vector<Field> TypeReader::read_fields(const Node& node, const std::string& package) {
  std::vector<Field> fields;
  if (node.is_null() || !config::expect_mapping(node, errors_)) return fields;
  for (const auto& entry : node.entries()) {
    if (!is_type_name(entry.key->text())) {
      complain(entry.key->place(), fmt::format("\"{}\" is no name of a field", entry.key->text().substr(0, 64)),
               "letters, digits, _, - and . ; at most 64");
      continue;
    }
    if (auto field = read_field(entry.key->text(), *entry.value, package)) fields.push_back(std::move(*field));
  }
  return fields;
}

std::vector<std::vector<std::string>> TypeReader::read_sets(const Node* node, const std::vector<Field>& fields,
                                                            bool exactly_one) {
  std::vector<std::vector<std::string>> sets;
  if (node == nullptr || node->is_null() || !config::expect_sequence(*node, errors_)) return sets;
  for (const auto* one : node->items()) {
    if (!config::expect_sequence(*one, errors_)) continue;
    std::vector<std::string> set;
    for (const auto* item : one->items()) {
      const auto field =
          std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == item->text(); });
      if (!item->is_scalar() || field == fields.end()) {
        std::vector<std::string> names;
        for (const auto& known : fields) names.push_back(known.name);
        complain(item->place(), fmt::format("there is no field \"{}\" here", item->text().substr(0, 64)),
                 config::suggestion(item->text(), names));
      } else if (exactly_one && (field->required || !field->fallback.is_null())) {
        complain(item->place(), fmt::format("\"{}\" cannot be one of several: it is always there", item->text()),
                 "remove its required or default");
      } else {
        set.push_back(item->text());
      }
    }
    if (!set.empty()) sets.push_back(std::move(set));
  }
  return sets;
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

bool TypeReader::fill_default(Field& field, const Node& node) {
  field.fallback = to_json(node);
  if (node.is_null()) return true;
  const auto* innermost = field.type.get();
  while (innermost->of) innermost = innermost->of.get();
  if (innermost->kind == Kind::kRecord) {
    complain(node.place(), fmt::format("\"{}\" is a record, which has no default of its own", field.name),
             "give its fields defaults");
    return false;
  }
  std::vector<Reference> references;
  auto plain = check_value(node, *field.type, field.name, {schemas_}, references, errors_);
  if (!plain) return false;
  field.plain = std::move(*plain);
  return true;
}

std::optional<Field> TypeReader::read_field(const std::string& name, const Node& node, const std::string& package) {
  const auto before = errors_.size();
  Reader read(node, fmt::format("the field \"{}\"", name), errors_);
  if (errors_.size() != before) return std::nullopt;
  Field field;
  field.name = name;
  field.title = read.value_or<std::string>("title", "");
  field.help = read.value_or<std::string>("help", "");
  field.required = read.value_or<bool>("required", false);
  field.example = read.value_or<std::string>("example", "");
  const auto* fallback = read.find("default");
  field.type = read_type(read, package, {});
  read.finish();
  if (!field.type || errors_.size() != before) return std::nullopt;
  if (fallback != nullptr) {
    if (field.required && !fallback->is_null()) {
      complain(fallback->place(), fmt::format("\"{}\" is required, so its default is never used", name),
               "remove one of the two");
      return std::nullopt;
    }
    if (!fill_default(field, *fallback)) return std::nullopt;
  }
  return field;
}

}  // namespace atalaya::schema
