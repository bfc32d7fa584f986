// The sections of packages as a page of the documentation.
#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>

#include "schema/describe.h"
#include "schema/scalars.h"

namespace atalaya::schema {
namespace {

/// Within a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
  return text;
}

std::string bounds_of(const Type& type) {
  const auto& own = *builtin(type.kind);
  const bool least = type.least > own.least;
  const bool most = type.most < own.most;
  const auto from = bound_text(type.least, type.kind);
  const auto to = bound_text(type.most, type.kind);
  if (least && most) return fmt::format("{} to {}", from, to);
  if (least) return "at least " + from;
  return most ? "at most " + to : std::string();
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + code(name);
  return out;
}

/// "duration, or `never`; 1s to 1d".
std::string type_text(const Type& type) {
  std::string text = type.name;
  if (type.kind == Kind::kEnumeration && type.package.empty()) {
    text.clear();
    for (const auto& choice : type.choices) text += (text.empty() ? "" : ", ") + code(choice.value);
  }
  for (const auto& word : type.or_words) text += ", or " + code(word);
  // A named type's bounds stand with the type.
  if (const auto bounds = type.package.empty() ? bounds_of(type) : std::string(); !bounds.empty()) {
    const bool length = !is_numeric(type.kind);
    const bool not_empty = length && type.least == 1 && std::isinf(type.most);
    text += not_empty ? "; not empty"
                      : "; " + bounds +
                            (!length                 ? ""
                             : is_textual(type.kind) ? " characters"
                                                     : " entries");
  }
  return text;
}

std::string default_text(const Field& field) {
  if (field.required) return "required";
  if (field.fallback.is_null()) return {};
  auto shown = field.fallback;
  hide_all_secrets(shown, *field.type);
  const auto* text = shown.if_string();
  return code(text != nullptr ? (text->empty() ? "''" : std::string_view(*text)) : boost::json::serialize(shown));
}

/// A record without a name of its own is told where it stands.
const Type* inner_record(const Type& type) {
  const auto* at = &type;
  while (at->of) at = at->of.get();
  return at->kind == Kind::kRecord && at->package.empty() ? at : nullptr;
}

void put_fields(const Type& record, const std::string& prefix, std::string& out) {
  for (const auto& field : record.fields) {
    out += fmt::format("| {} | {} | {} | {} |\n", code(prefix + field.name), cell(type_text(*field.type)),
                       cell(default_text(field)), cell(field.help));
    if (const auto* inner = inner_record(*field.type)) put_fields(*inner, prefix + field.name + ".", out);
  }
}

void put_record(const Type& record, std::string& out) {
  if (!record.fields.empty()) {
    out += "\n| field | type | default | meaning |\n|---|---|---|---|\n";
    put_fields(record, "", out);
  }
  for (const auto& set : record.one_of) out += fmt::format("\nExactly one of {}.\n", list_of(set));
  for (const auto& set : record.some_of) out += fmt::format("\nAt least one of {}.\n", list_of(set));
}

void put_section(const Section& section, std::string& out) {
  std::string shape;
  if (section.shape == Shape::kTree) {
    for (const auto& index : section.indexes) shape += fmt::format("{{<{}>: ", index.name);
    shape += section.item + std::string(section.indexes.size(), '}');
  } else if (section.shape == Shape::kList) {
    shape = fmt::format("[{{{}: …, …}}]", section.indexes.front().name);
  } else {
    shape = "{…}";
  }
  out += fmt::format("\n## {}\n\n{}\n\n`{}: {}`", section.name, sentence(section.help), section.name, shape);
  out += section.acts.empty() ? "; stored and checked only.\n" : fmt::format("; processed by {}.\n", section.acts);
  if (!section.open_kinds.empty()) {
    out += fmt::format("\nFiles in the folder `{}/` of packages add kinds of their own.\n", section.open_kinds);
  }
  if (!section.contains.empty()) out += fmt::format("\nAn item may hold {}.\n", list_of(section.contains));
  put_record(*section.body, out);
}

void put_type(const Type& type, std::string& out) {
  out += fmt::format("\n### {}\n\n", type.name);
  const auto kind = type.of ? std::string(name(type.kind)) + " of " + type.of->name : std::string(name(type.kind));
  const auto& own = *builtin(type.kind);
  out += fmt::format("{}{}", kind, type.help.empty() || type.help == own.help ? "" : ": " + type.help);
  if (const auto bounds = bounds_of(type); !bounds.empty()) out += "; " + bounds;
  if (!type.unit.empty()) out += " " + code(type.unit);
  if (!type.pattern_help.empty()) out += "; " + type.pattern_help;
  out += ".\n";
  if (!type.choices.empty()) {
    out += "\n| value | meaning |\n|---|---|\n";
    for (const auto& choice : type.choices) out += fmt::format("| {} | {} |\n", code(choice.value), cell(choice.help));
  }
  if (type.kind == Kind::kRecord) put_record(type, out);
}

}  // namespace

std::string to_markdown(const SchemaSet& schemas) {
  std::string out =
      "# Sections\n\nMade from the schemas of `packages/base`; `docs/formats/schema.md` says how a package declares "
      "its "
      "own.\n";
  for (const auto* section : schemas.sections()) put_section(*section, out);
  out += "\n## Types of fields\n\n| type | what to write |\n|---|---|\n";
  for (int i = 0; i <= static_cast<int>(Kind::kAny); ++i) {
    const auto& type = *builtin(static_cast<Kind>(i));
    out += fmt::format("| {} | {} |\n", code(type.name), cell(type.help));
  }
  for (const auto& type : schemas.types()) put_type(*type, out);
  return out;
}

}  // namespace atalaya::schema
