#include "schema/type_reader.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::Node;
using config::Reader;

/// How deep types may be built on one another: people need three.
constexpr std::size_t kMostDepth = 32;
/// Of a record, and of a package: what people write stays far below, what programs write is refused in time.
constexpr std::size_t kMostFields = 500;
constexpr std::size_t kMostTypes = 1000;

bool is_type_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_word);
}

}  // namespace

void TypeReader::complain(const Place& place, std::string message, std::string remedy) {
  errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
}

std::vector<TypePtr> TypeReader::read_types(const std::string& package, const Node& types) {
  std::vector<TypePtr> out;
  if (!config::expect_mapping(types, errors_)) return out;
  if (types.entries().size() > kMostTypes) {
    complain(types.place(), fmt::format("{} types in one package", types.entries().size()),
             fmt::format("at most {}", kMostTypes));
    return out;
  }
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
  open_.push_back(&declared);
  Reader read(node, fmt::format("the type \"{}\"", name), errors_);
  const auto help = read.value_or<std::string>("help", "");
  read.allow({"title"});
  auto type = read_type(read, package_, name);
  read.finish();
  open_.pop_back();
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
    if (declared.open || open_.size() >= kMostDepth) {
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
  for (const auto& [other, type] : declared_) {
    if (!named_.contains(other)) known.push_back(other);
  }
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
  allow_refinements(read);
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

std::vector<Field> TypeReader::read_fields(const Node& node, const std::string& package) {
  std::vector<Field> fields;
  if (node.is_null() || !config::expect_mapping(node, errors_)) return fields;
  if (node.entries().size() > kMostFields) {
    complain(node.place(), fmt::format("{} fields in one record", node.entries().size()),
             fmt::format("at most {}", kMostFields));
    return fields;
  }
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
