#include "schema/schema_set.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base_for_tests.h"
#include "schema/describe.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(const config::Errors& errors) {
  std::vector<std::string> out;
  for (const auto& error : errors) out.push_back(to_string(error));
  return out;
}

config::Document yaml(const std::string& text) { return config::Document::parse(text, "p.yaml").value(); }

/// On top of base.
struct Built {
  explicit Built(const std::string& text) : document(yaml(text)) {
    config::Errors found;
    const auto& root = document.root();
    set = SchemaSet::build({base_source(), {"p", root.get("schemas"), root.get("types"), {}}}, found);
    config::sort_by_place(found);
    errors = texts(found);
  }
  config::Document document;
  std::shared_ptr<const SchemaSet> set;
  std::vector<std::string> errors;
};

constexpr const char* kSites = R"(schemas:
  sites:
    item: site
    title: Sites
    help: Where machines stand.
    indexes:
      country: {type: name, help: The country.}
      name: {type: name, help: The town.}
    fields:
      address: {type: text, required: true, help: Street and number.}
      racks: {type: integer, min: 1, default: 4, help: How many racks.}
    field_sets:
      where: {title: Where it is, page: Place, fields: [address]}
      what: {page: Inside, fields: [racks]}
)";

TEST(SchemaSet, ASectionWithItsFormNeedsYamlAlone) {
  const Built built(kSites);
  ASSERT_THAT(built.errors, IsEmpty());
  const auto& sites = *built.set->section("sites");
  config::Errors errors;
  const auto item = yaml("{address: 'Gran Vía 1'}");
  EXPECT_EQ(boost::json::serialize(check_item(item.root(), sites, "a site", {*built.set}, errors).fields),
            R"({"address":"Gran Vía 1","racks":4})");
  EXPECT_EQ(boost::json::serialize(to_json(sites).at("field_sets")),
            R"([{"name":"where","title":"Where it is","page":"Place","fields":["address"]},)"
            R"({"name":"what","title":"What","page":"Inside","fields":["racks"]}])");
}

TEST(SchemaSet, TheExampleOfItsDocumentationHolds) {
  std::ifstream in(std::filesystem::path(AT_SOURCE_DIR) / "docs/formats/schema.md");
  std::ostringstream page;
  page << in.rdbuf();
  const auto text = page.str();
  const auto begin = text.find("```yaml\n") + 8;
  const Built built(text.substr(begin, text.find("```", begin) - begin));
  ASSERT_THAT(built.errors, IsEmpty());
  config::Errors errors;
  const auto* madrid = built.document.root().get({"sites", "es", "madrid"});
  check_item(*madrid, *built.set->section("sites"), "a site", {*built.set}, errors);
  EXPECT_THAT(texts(errors), IsEmpty());
}

TEST(SchemaSet, AddingAFieldIsOneLine) {
  std::string text = kSites;
  const std::string before = "      racks:";
  text.insert(text.find(before), "      opened: {type: time, help: Since when.}\n");
  const Built built(text);
  ASSERT_THAT(built.errors, IsEmpty());
  config::Errors errors;
  const auto item = yaml("{address: x, opened: '2020-01-01T00:00:00Z'}");
  EXPECT_TRUE(check_item(item.root(), *built.set->section("sites"), "a site", {*built.set}, errors).ok);
}

TEST(SchemaSet, TypesAreBuiltOnTypesInAnyOrder) {
  const Built built("types: {small: {type: even, max: 10}, even: {type: percent, min: 2}}");
  ASSERT_THAT(built.errors, IsEmpty());
  const auto& small = **built.set->type("small");
  EXPECT_EQ(small.kind, Kind::kNumber);
  EXPECT_EQ(small.least, 2);
  EXPECT_EQ(small.most, 10);
  EXPECT_EQ(small.unit, "%");
  EXPECT_EQ(small.package, "p");
}

TEST(SchemaSet, ATypeThatIsBuiltOnItselfIsRefused) {
  EXPECT_THAT(Built("types: {a: {type: b}, b: {type: list of a}}").errors,
              ElementsAre(HasSubstr("the type \"a\" is built on itself")));
  EXPECT_THAT(Built("types: {a: {type: record, fields: {x: {type: b}}}, b: {type: a, some_of: [[x]]}}").errors,
              testing::Contains(HasSubstr("is built on itself")));
}

TEST(SchemaSet, ARecordMayHoldItself) {
  const Built built(
      "types: {node: {type: record, fields: {of: {type: list of leaf}}}, "
      "leaf: {type: record, fields: {up: {type: node}, name: {type: text}}}}");
  ASSERT_THAT(built.errors, IsEmpty());
  const auto item = yaml("{of: [{up: {of: [{name: 1, up: {of: [{nam: x}]}}]}}]}");
  config::Errors errors;
  std::vector<Reference> references;
  EXPECT_FALSE(check_value(item.root(), **built.set->type("node"), "node", {*built.set}, references, errors));
  EXPECT_THAT(texts(errors), ElementsAre(HasSubstr("has no key \"nam\" (did you mean \"name\"?)")));
}

TEST(SchemaSet, ARecordThatHoldsItselfAndDoesNotHoldLeavesNothingDangling) {
  const Built built(
      "types: {a: {type: record, fields: {b: {type: b}, c: {type: nothing}}}, "
      "b: {type: record, fields: {a: {type: list of a}}}}");
  EXPECT_THAT(built.errors, ElementsAre(HasSubstr("there is no type \"nothing\"")));
  EXPECT_EQ(built.set->type("a"), nullptr);
  const auto item = yaml("{a: [{b: {a: []}}]}");
  config::Errors errors;
  std::vector<Reference> references;
  ASSERT_NE(built.set->type("b"), nullptr);
  EXPECT_TRUE(check_value(item.root(), **built.set->type("b"), "b", {*built.set}, references, errors));
}

TEST(SchemaSet, LongChainsOfTypesAreRefusedNotFollowed) {
  std::string text = "types:\n";
  for (int i = 0; i < 900; ++i) text += "  t" + std::to_string(i) + ": {type: t" + std::to_string(i + 1) + "}\n";
  text += "  t900: {type: text}\n";
  const Built built(text);
  EXPECT_THAT(built.errors, testing::Contains(HasSubstr("built on too many others")));
}

TEST(SchemaSet, TypesThatMultiplyStaySmallAsJson) {
  std::string text = "types:\n";
  for (int i = 0; i < 30; ++i) {
    const auto below = i == 29 ? "text" : "t" + std::to_string(i + 1);
    text +=
        "  t" + std::to_string(i) + ": {type: record, fields: {a: {type: " + below + "}, b: {type: " + below + "}}}\n";
  }
  const Built built(text);
  ASSERT_THAT(built.errors, IsEmpty());
  EXPECT_LT(boost::json::serialize(to_json(*built.set)).size(), 64u << 20);
}

TEST(SchemaSet, TooManyFieldsAreRefused) {
  std::string text = "types: {a: {type: record, fields: {";
  for (int i = 0; i <= 500; ++i) text += "f" + std::to_string(i) + ": {type: text}, ";
  EXPECT_THAT(Built(text + "}}}").errors, ElementsAre(HasSubstr("501 fields in one record")));
}

TEST(SchemaSet, MistakesInSchemasAreToldAtTheirPlaces) {
  EXPECT_THAT(Built("types: {a: {type: txt}}").errors,
              ElementsAre(R"(p.yaml:1:19: there is no type "txt" (did you mean "text"?))"));
  EXPECT_THAT(Built("types: {a: {type: record}}").errors, ElementsAre(HasSubstr("a record needs the key \"fields\"")));
  EXPECT_THAT(Built("types: {a: {type: enumeration}}").errors, ElementsAre(HasSubstr("needs the key \"values\"")));
  EXPECT_THAT(Built("types: {a: {type: list}}").errors, ElementsAre(HasSubstr("does not say of what")));
  EXPECT_THAT(Built("types: {a: {type: text, patern: x}}").errors, ElementsAre(HasSubstr("did you mean \"pattern\"?")));
  EXPECT_THAT(Built("types: {a: {type: text, pattern: 'a('}}").errors, ElementsAre(HasSubstr("missing )")));
  EXPECT_THAT(Built("types: {a: {type: integer, pattern: 'a'}}").errors, ElementsAre(HasSubstr("has no pattern")));
  EXPECT_THAT(Built("types: {a: {type: integer, min: 3, max: 2}}").errors,
              ElementsAre(HasSubstr("nothing lies between")));
  EXPECT_THAT(Built("types: {text: {type: text}}").errors, ElementsAre(HasSubstr("is the program's own")));
  EXPECT_THAT(Built("types: {percent: {type: number}}").errors,
              ElementsAre(HasSubstr("is declared in the package base too")));
  EXPECT_THAT(Built("types: {a: {type: reference to rulez}}").errors,
              ElementsAre(HasSubstr("there is no section \"rulez\" (did you mean \"rules\"?)")));
  EXPECT_THAT(Built("types: {a: {type: text, script: ../x}}").errors,
              ElementsAre(HasSubstr("path within the package")));
}

TEST(SchemaSet, MistakesInSectionsAreToldAtTheirPlaces) {
  const auto section = [](const std::string& body) { return Built("schemas: {s: {" + body + "}}").errors; };
  EXPECT_THAT(section("fields: {a: {type: text}}"), ElementsAre(HasSubstr("a tree has 1 to 8 indexes")));
  const std::string tree = "indexes: {name: {type: name}}, ";
  EXPECT_THAT(section(tree + "fields: {a: {type: integer, default: x}}"),
              ElementsAre(HasSubstr("p.yaml:1:83: \"a\" must be a whole number")));
  EXPECT_THAT(section(tree + "fields: {a: {type: text}}, one_of: [[b]]"),
              ElementsAre(HasSubstr("there is no field \"b\" here")));
  EXPECT_THAT(section(tree + "fields: {a: {type: text, default: x}}, one_of: [[a]]"),
              ElementsAre(HasSubstr("cannot be one of several")));
  EXPECT_THAT(section(tree + "fields: {a: {type: text}}, field_sets: {f: {fields: [b]}}"),
              ElementsAre(HasSubstr("there is no field \"b\" here")));
  EXPECT_THAT(section(tree + "fields: {a: {type: text}}, field_sets: {f: {fields: [a, a]}}"),
              ElementsAre(HasSubstr("stands in the form twice")));
  EXPECT_THAT(section(tree + "fields: {name: {type: text}}"), ElementsAre(HasSubstr("is an index and a field")));
  EXPECT_THAT(section(tree + "contains: nothing"), ElementsAre(HasSubstr("there is no section \"nothing\"")));
  EXPECT_THAT(section(tree + "shape: bush"), ElementsAre(HasSubstr("no value of \"shape\"")));
  EXPECT_THAT(section(tree + "type: percent"), ElementsAre(HasSubstr("is no record")));
  EXPECT_THAT(Built("schemas: {rules: {" + tree + "}}").errors,
              ElementsAre(HasSubstr("the section \"rules\" is declared in the package base too")));
  EXPECT_THAT(Built("schemas: {version: {" + tree + "}}").errors, ElementsAre(HasSubstr("means something else")));
}

TEST(SchemaSet, KindsOfOtherFilesJoinTheirSection) {
  config::Errors errors;
  OpenKind kind{"channels", {}};
  kind.field.name = "webhook";
  kind.field.type = builtin(Kind::kAny);
  auto source = base_source();
  source.kinds.push_back(kind);
  const auto set = SchemaSet::build({source}, errors);
  const auto item = yaml("{webhook: {url: 'http://x/', deep: {on: true}}}");
  const auto checked = check_item(item.root(), *set->section("channels"), "a channel", {*set}, errors);
  EXPECT_THAT(texts(errors), IsEmpty());
  EXPECT_EQ(boost::json::serialize(checked.fields), R"({"webhook":{"url":"http://x/","deep":{"on":true}}})");
  EXPECT_THAT(set->section("channels")->field_sets.front().fields, ElementsAre("title", "email", "webhook"));
  const auto slip = yaml("{webhok: {}}");
  check_item(slip.root(), *set->section("channels"), "a channel", {*set}, errors);
  EXPECT_THAT(texts(errors), ElementsAre(HasSubstr("did you mean \"webhook\"?")));
}

TEST(SchemaSet, EqualContentHasAnEqualFingerprint) {
  EXPECT_EQ(Built(kSites).set->fingerprint(), Built("# a comment\n" + std::string(kSites)).set->fingerprint());
  EXPECT_NE(Built(kSites).set->fingerprint(), Built("{}").set->fingerprint());
}

TEST(SchemaSet, AProgramThatIsInheritedIsOfThePackageItCameFrom) {
  const auto first = yaml("types: {vlan: {type: text, script: scripts/vlan.py}}");
  const auto second = yaml("types: {lab: {type: vlan, max: 4}, own: {type: vlan, script: scripts/own.py}}");
  config::Errors errors;
  const auto set = SchemaSet::build(
      {{"p", nullptr, first.root().get("types"), {}}, {"q", nullptr, second.root().get("types"), {}}}, errors);
  EXPECT_THAT(texts(errors), IsEmpty());
  EXPECT_EQ((*set->type("lab"))->package, "p");
  EXPECT_EQ((*set->type("own"))->package, "q");
}

TEST(SchemaSet, ParametersAreARecordOfTheirOwn) {
  const Built built("{}");
  const auto fields = yaml("{host: {type: host, required: true}, port: {type: port, default: 80}}");
  config::Errors errors;
  const auto record = built.set->record(fields.root(), errors);
  ASSERT_NE(record, nullptr);
  std::vector<Reference> references;
  const auto item = yaml("{host: db1}");
  const auto values = check_value(item.root(), *record, "with", {*built.set}, references, errors);
  EXPECT_EQ(boost::json::serialize(values.value()), R"({"host":"db1","port":80})");
  EXPECT_EQ(built.set->record(yaml("{rule: {type: reference to rulez}}").root(), errors), nullptr);
  EXPECT_THAT(texts(errors), ElementsAre(HasSubstr("did you mean \"rules\"?")));
}

TEST(Section, NounsHaveArticles) {
  EXPECT_EQ(with_article("rule"), "a rule");
  EXPECT_EQ(with_article("instance"), "an instance");
}

}  // namespace
}  // namespace atalaya::schema
