// The base package's files: sections and types that describe everything, themselves included.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base_for_tests.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const config::Errors& errors) {
  std::vector<std::string> out;
  for (const auto& error : errors) out.push_back(to_string(error));
  return out;
}

TEST(Base, HoldsWithoutAnError) {
  config::Errors errors;
  const auto set = SchemaSet::build({base_source()}, errors);
  EXPECT_THAT(texts(errors), IsEmpty());
  std::vector<std::string> names;
  for (const auto* section : set->sections()) names.push_back(section->name);
  EXPECT_THAT(names,
              ElementsAre("collectors", "sensors", "computes", "storages", "networks", "resources", "links", "mixins",
                          "rules", "groups", "alertmanager", "incidents", "silences", "dashboards", "pages", "rpc",
                          "channels", "scrape_configs", "parameters", "instances", "types", "schemas"));
}

TEST(Base, ValidatesAgainstItself) {
  config::Errors errors;
  const auto set = SchemaSet::build({base_source()}, errors);
  for (const auto* section : {"schemas", "types"}) {
    for (const auto& entry : base_document().root().get(section)->entries()) {
      check_item(*entry.value, *set->section(section), entry.key->text(), {*set}, errors);
    }
  }
  EXPECT_THAT(texts(errors), IsEmpty());
}

/// Every field below a type, each type once.
void visit(const Type& type, std::vector<const Type*>& seen, const auto& look) {
  if (std::find(seen.begin(), seen.end(), &type) != seen.end()) return;
  seen.push_back(&type);
  if (type.of) visit(*type.of, seen, look);
  for (const auto& field : type.fields) {
    look(type, field);
    visit(*field.type, seen, look);
  }
}

TEST(Base, EveryFieldSaysWhatItIsForInASentence) {
  config::Errors errors;
  const auto set = SchemaSet::build({base_source()}, errors);
  std::vector<const Type*> seen;
  for (const auto* section : set->sections()) {
    EXPECT_FALSE(section->help.empty()) << section->name;
    for (const auto& index : section->indexes) EXPECT_FALSE(index.help.empty()) << section->name << '.' << index.name;
    visit(*section->body, seen, [](const Type& type, const Field& field) {
      EXPECT_GE(field.help.size(), 4u) << type.name << '.' << field.name;
      EXPECT_TRUE(field.help.ends_with('.') || field.help.ends_with('?')) << type.name << '.' << field.name;
    });
  }
}

TEST(Base, FormsShowEveryField) {
  config::Errors errors;
  const auto set = SchemaSet::build({base_source()}, errors);
  for (const auto* section : set->sections()) {
    for (const auto& field : section->body->fields) {
      const bool shown = std::any_of(section->field_sets.begin(), section->field_sets.end(), [&](const auto& one) {
        return std::find(one.fields.begin(), one.fields.end(), field.name) != one.fields.end();
      });
      EXPECT_TRUE(shown) << section->name << '.' << field.name;
    }
  }
}

TEST(Base, RulesAreAWizardOfThreePages) {
  config::Errors errors;
  const auto set = SchemaSet::build({base_source()}, errors);
  std::vector<std::string> pages;
  for (const auto& one : set->section("rules")->field_sets) pages.push_back(one.page);
  EXPECT_THAT(pages, ElementsAre("What", "When", "When", "Telling"));
}

}  // namespace
}  // namespace atalaya::schema
