// Categories from YAML: what the program brings, and attributes of mixins that packages define.

#include <fmt/format.h>
#include <re2/re2.h>

#include <set>

#include "occi/model.h"

namespace atalaya::occi {
namespace {

std::unexpected<Error> wrong(const config::Node& node, std::string message) {
  return fail(ErrorCode::kInvalidArgument, node.place(), std::move(message));
}

Status only(const config::Node& node, const std::set<std::string_view>& known, const std::string& of) {
  if (!node.is_mapping()) return wrong(node, fmt::format("{} is {}, no mapping", of, config::describe(node)));
  for (const auto& entry : node.entries()) {
    if (!known.contains(entry.key->text()))
      return wrong(*entry.key, fmt::format("{}: unknown key {}", of, entry.key->text()));
  }
  return {};
}

Status take(std::string& out, const config::Node& node, std::string_view key) {
  if (const auto* value = node.get(key)) {
    AT_TRY(out, config::as_text(*value));
  }
  return {};
}
Status take(bool& out, const config::Node& node, std::string_view key) {
  if (const auto* value = node.get(key)) {
    AT_TRY(out, config::as_boolean(*value));
  }
  return {};
}
Status take(std::optional<double>& out, const config::Node& node, std::string_view key) {
  if (const auto* value = node.get(key)) {
    AT_TRY(out, config::as_number(*value));
  }
  return {};
}
Status take(std::vector<std::string>& out, const config::Node& node, std::string_view key) {
  const auto* list = node.get(key);
  if (list == nullptr) return {};
  for (const auto* one : list->items()) {
    AT_TRY(auto text, config::as_text(*one));
    out.push_back(std::move(text));
  }
  return {};
}

Result<AttributeType> type_of(const config::Node& node) {
  const auto* given = node.get("type");
  const auto text = given == nullptr ? "string" : given->text();
  if (text == "string" || text == "text") return AttributeType::kString;
  if (text == "integer") return AttributeType::kInteger;
  if (text == "number") return AttributeType::kNumber;
  if (text == "boolean") return AttributeType::kBoolean;
  if (text == "uri") return AttributeType::kUri;
  return wrong(*given, fmt::format("\"{}\" is no type of attribute", text));
}

Result<Value> value_of(const config::Node& node) {
  if (config::is_text(node) || node.style() != config::Node::Style::kPlain) return Value(node.text());
  return parse_value("default", node.text());
}

Status read_set_by(Attribute& out, const config::Node& node) {
  std::string word;
  AT_TRY(take(word, node, "set_by"));
  if (word.empty() || word == "client") return {};
  if (word != "creation" && word != "server") return wrong(node, fmt::format("set_by: \"{}\" sets nothing", word));
  out.set_by = word == "server" ? Attribute::SetBy::kServer : Attribute::SetBy::kCreation;
  return {};
}

Result<std::shared_ptr<const Measure>> read_measure(const config::Node& node, const std::string& of) {
  AT_TRY(only(node, {"type", "take", "fields", "with", "select", "pattern", "program_of"}, of + ": measure"));
  Measure out;
  AT_TRY(take(out.type, node, "type"));
  AT_TRY(take(out.take, node, "take"));
  AT_TRY(take(out.pattern, node, "pattern"));
  AT_TRY(take(out.program_of, node, "program_of"));
  for (const auto& [key, map] :
       {std::pair{"fields", &out.fields}, std::pair{"with", &out.with}, std::pair{"select", &out.select}}) {
    const auto* given = node.get(key);
    if (given == nullptr) continue;
    for (const auto& entry : given->entries()) map->emplace(entry.key->text(), entry.value->text());
  }
  return std::make_shared<const Measure>(std::move(out));
}

}  // namespace

Result<Attribute> read_attribute(const std::string& name, const config::Node& node) {
  AT_TRY(only(node,
              {"type", "set_by", "required", "secret", "default", "pattern", "min", "max", "most", "help", "field",
               "sets", "seconds"},
              "attribute " + name));
  Attribute out;
  out.name = name;
  if (!is_attribute_name(name)) return wrong(node, fmt::format("\"{}\" is no name of an attribute", name));
  AT_TRY(out.type, type_of(node));
  AT_TRY(read_set_by(out, node));
  AT_TRY(take(out.required, node, "required"));
  AT_TRY(take(out.secret, node, "secret"));
  AT_TRY(take(out.pattern, node, "pattern"));
  AT_TRY(take(out.min, node, "min"));
  AT_TRY(take(out.max, node, "max"));
  AT_TRY(take(out.help, node, "help"));
  AT_TRY(take(out.field, node, "field"));
  AT_TRY(take(out.sets, node, "sets"));
  AT_TRY(take(out.seconds, node, "seconds"));
  if (const auto* most = node.get("most")) {
    AT_TRY(const auto bytes, config::as_integer(*most));
    out.most = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  }
  if (!out.pattern.empty()) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto regex = std::make_shared<const re2::RE2>(out.pattern, options);
    if (!regex->ok()) return wrong(node, fmt::format("attribute {}: {}", name, regex->error()));
    out.regex = std::move(regex);
  }
  if (const auto* fallback = node.get("default")) {
    AT_TRY(const auto value, value_of(*fallback));
    AT_TRY(out.fallback, check_value(out, value));
  }
  return out;
}

Status Model::read_category(Category::Class cls, const std::string& scheme, const std::string& term,
                            const config::Node& node) {
  AT_TRY(only(node,
              {"scheme", "title", "parent", "location", "section", "attributes", "actions", "states", "applies",
               "depends", "source", "target", "keeps_unknown_mixins", "moves", "measure"},
              term));
  Category out;
  out.cls = cls;
  out.term = term;
  out.scheme = scheme;
  AT_TRY(take(out.scheme, node, "scheme"));
  AT_TRY(take(out.title, node, "title"));
  AT_TRY(take(out.parent, node, "parent"));
  AT_TRY(take(out.location, node, "location"));
  AT_TRY(take(out.section, node, "section"));
  AT_TRY(take(out.applies, node, "applies"));
  AT_TRY(take(out.depends, node, "depends"));
  AT_TRY(take(out.source, node, "source"));
  AT_TRY(take(out.target, node, "target"));
  AT_TRY(take(out.keeps_unknown_mixins, node, "keeps_unknown_mixins"));
  if (const auto* attributes = node.get("attributes")) {
    for (const auto& entry : attributes->entries()) {
      AT_TRY(auto attribute, read_attribute(entry.key->text(), *entry.value));
      out.attributes.push_back(std::move(attribute));
    }
  }
  if (const auto* measure = node.get("measure")) {
    AT_TRY(out.measure, read_measure(*measure, term));
  }
  if (const auto* states = node.get("states")) {
    AT_TRY(only(*states, {"attribute", "initial"}, term + ": states"));
    AT_TRY(take(out.state_attribute, *states, "attribute"));
    AT_TRY(take(out.initial_state, *states, "initial"));
  }
  if (const auto* moves = node.get("moves")) {
    for (const auto& entry : moves->entries()) out.moves.emplace(entry.key->text(), entry.value->text());
  }
  if (const auto* actions = node.get("actions")) {
    // compute's actions have the scheme …/compute/action#.
    const auto of = scheme.substr(0, scheme.size() - 1) + "/" + term + "/action#";
    for (const auto& entry : actions->entries()) {
      AT_TRY(read_category(Category::Class::kAction, of, entry.key->text(), *entry.value));
      out.actions.push_back(of + entry.key->text());
    }
  }
  return add(std::move(out));
}

Status Model::read(const config::Node& file) {
  AT_TRY(only(file, {"scheme", "kinds", "mixins"}, "a file of categories"));
  std::string scheme;
  AT_TRY(take(scheme, file, "scheme"));
  using enum Category::Class;
  for (const auto& [key, cls] : {std::pair{"kinds", kKind}, std::pair{"mixins", kMixin}}) {
    const auto* list = file.get(key);
    if (list == nullptr) continue;
    for (const auto& entry : list->entries()) {
      AT_TRY(read_category(cls, scheme, entry.key->text(), *entry.value));
    }
  }
  return {};
}

}  // namespace atalaya::occi
