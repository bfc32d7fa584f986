// Any YAML as schemas, types and items of them: refused with errors that have places, or consistent. What holds is
// written, read again and means the same.

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "schema/describe.h"
#include "schema/validate.h"

namespace {

using namespace atalaya;

void demand(bool holds) {
  if (!holds) std::abort();
}

void check_errors(const config::Errors& errors) {
  for (const auto& error : errors) demand(!error.message.empty() && error.place.has_value() && error.place->line > 0);
}

void check_section(const schema::SchemaSet& set, const schema::Section& section, const config::Node& node) {
  config::Errors errors;
  const auto checked = schema::check_item(node, section, "an item", {set}, errors);
  check_errors(errors);
  demand(checked.ok == errors.empty());
  for (const auto& error : errors) schema::field_at(node, *error.place);
  if (!checked.ok) return;
  schema::format(checked.fields, *section.body, {set});
  const auto written = config::write_block(schema::serialise(checked.fields, *section.body, {set}));
  const auto again = config::Document::parse(written, "again.yaml");
  demand(again.has_value());
  const auto twice = schema::check_item(again->root(), section, "an item", {set}, errors);
  demand(twice.ok && twice.fields == checked.fields);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 << 10) return 0;
  const auto document = config::Document::parse(std::string(reinterpret_cast<const char*>(data), size), "p.yaml",
                                                {.bytes = 64 << 10, .depth = 32, .nodes = 10'000});
  if (!document) return 0;
  const auto& root = document->root();
  config::Errors errors;
  const auto set = schema::SchemaSet::build({{"p", root.get("schemas"), root.get("types"), {}}}, errors);
  check_errors(errors);
  schema::to_json(*set);
  schema::to_markdown(*set);
  for (const auto* section : set->sections()) {
    if (const auto* items = root.get(section->name)) {
      for (const auto* item : items->items()) check_section(*set, *section, *item);
      for (const auto& entry : items->entries()) check_section(*set, *section, *entry.value);
    }
  }
  return 0;
}
