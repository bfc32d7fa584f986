// What is in force, and why: values with their origins, and what packages lend to one another.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "packages/service.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TenantId kTenant = default_tenant();

class ServiceExplains : public testing::Test {
 protected:
  void start(const FolderTexts& texts) {
    static const auto kBase = base_sources();
    for (const auto& file : kBase) write("base/" + file.name, file.text);
    for (const auto& [file, text] : texts) write(file, text);
    service_ = std::make_unique<Service>(files_, items_, clock_,
                                         Service::Options{.root = "/data/packages", .last_good = "/data/good"});
    ASSERT_TRUE(service_->load_all());
    for (const auto& state : service_->list(kTenant)) {
      for (const auto& error : state.errors) ADD_FAILURE() << to_string(error);
    }
  }
  void write(const std::string& file, const std::string& text) {
    const auto path = "/data/packages/default/" + file;
    ASSERT_TRUE(files_.create_directories(io::parent_path(path)));
    ASSERT_TRUE(io::write_file_atomically(files_, path, text));
  }
  /// "value how package line" of a field; "" where it has none.
  std::string origin(const std::string& package, const std::string& section, const std::vector<std::string>& path,
                     const std::string& field) {
    const auto item = service_->item(kTenant, package, section, path);
    if (!item) return to_string(item.error());
    for (const auto& one : item->fields) {
      if (one.field == field) return fmt::format("{} {} {} {}", one.value, one.how, one.package, one.place.line);
    }
    return "";
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{from_ms(1'795'000'000'000)};
  registry::Items items_;
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceExplains, ADraftOfAnInstanceIsCheckedByItsSpecification) {
  start({{"p/package.yaml", head("p")},
         {"spec/package.yaml",
          head("spec") + "types: {level: {type: integer, min: 1, max: 5}}\n"
                         "parameters: {port: {type: port, required: true}, level: {type: level, default: 2}}\n"
                         "rules: {a: {b: {binary: {expr: 'up{port=\"${port}\"}'}}}}\n"}});
  const auto told = [&](const std::string& specification, const std::string& yaml) {
    std::vector<std::string> out;
    const auto draft = service_->draft(
        kTenant, {.package = "p", .section = "instances", .path = {specification, "one"}, .yaml = yaml});
    for (const auto& error : draft->errors) {
      out.push_back(fmt::format("{}:{} {} {}", error.place->line, error.place->column, error.field, error.message));
    }
    return out;
  };
  EXPECT_THAT(told("spec", "with: {port: 80, level: 3}\n"), testing::IsEmpty());
  EXPECT_THAT(told("spec", "with:\n  port: many\n  level: 9\n  prot: 1\n"),
              ElementsAre(HasSubstr("2:9 with.port "), HasSubstr("3:10 with.level "),
                          HasSubstr("with.prot spec has no parameter \"prot\"")));
  EXPECT_THAT(told("spec", "title: T\n"), ElementsAre(HasSubstr("the parameter \"port\" of spec is not given")));
  EXPECT_THAT(told("p", "title: T\n"), ElementsAre(HasSubstr("\"p\" is no specification")));
}

TEST_F(ServiceExplains, ADraftOfAnInstanceTellsWhatItsSaveWouldTell) {
  start({{"p/package.yaml", head("p")},
         {"spec/package.yaml", head("spec") + "parameters: {q: {type: text, default: up}}\n"
                                              "rules: {a: {b: {binary: {expr: '${q}'}}}}\n"}});
  const auto draft = service_->draft(
      kTenant, {.package = "p", .section = "instances", .path = {"spec", "one"}, .yaml = "with: {q: 'sum('}\n"});
  ASSERT_EQ(draft->errors.size(), 1u);
  EXPECT_EQ(draft->errors.front().place, (Place{"", 1, 11}));
  EXPECT_EQ(draft->errors.front().field, "with.q");
  EXPECT_THAT(draft->errors.front().message, testing::StartsWith("instance spec@one: binary.expr: "));
  EXPECT_TRUE(
      service_
          ->draft(kTenant, {.package = "p", .section = "instances", .path = {"spec", "one"}, .yaml = "with: {q: x}"})
          ->errors.empty());
}

TEST_F(ServiceExplains, EveryValueSaysWhereItCameFrom) {
  start({{"p/package.yaml", package_with_rule("p", "hot", 5) + "    warm: {link: q/a/cold, for: 2m}\n"},
         {"q/package.yaml", package_with_rule("q", "cold", 1)},
         {"r/package.yaml", head("r") + "override:\n  p:\n    rules: {a: {hot: {gauge: {above: {warning: 8}}}}}\n"}});
  EXPECT_EQ(origin("p", "rules", {"a", "hot"}, "gauge.above.warning"), "8 override r 5");
  EXPECT_EQ(origin("p", "rules", {"a", "hot"}, "gauge.expr"), "temp written p 5");
  EXPECT_EQ(origin("p", "rules", {"a", "hot"}, "no_data"), "5m default p 0");
  EXPECT_EQ(origin("p", "rules", {"a", "warm"}, "gauge.above.warning"), "1 link q 5");
  EXPECT_EQ(origin("p", "rules", {"a", "warm"}, "for"), "2m written p 6");
  const auto item = service_->item(kTenant, "p", "rules", {"a", "hot"});
  EXPECT_THAT(item->overridden_by, ElementsAre("r"));
  EXPECT_EQ(item->file, "p/package.yaml");
  const auto view = service_->view(kTenant, "r");
  ASSERT_TRUE(view);
  ASSERT_EQ(view->overrides.size(), 1u);
  EXPECT_EQ(view->overrides[0].package, "p");
  EXPECT_THAT(view->overrides[0].path, ElementsAre("a", "hot"));
  EXPECT_THAT(view->overrides[0].field, ElementsAre("gauge", "above", "warning"));
}

TEST_F(ServiceExplains, ItemsOfInstancesShowTheirValuesAndAreWrittenElsewhere) {
  start({{"db/package.yaml", head("db") +
                                 "parameters: {host: {type: host}, hot: {type: number, default: 5}}\nrules:\n  a:\n"
                                 "    ${host}-hot: {gauge: {expr: 'x{h=\"${host}\"}', above: {warning: '${hot}'}}}\n"},
         {"p/package.yaml", head("p") + "instances: {db: {one: {with: {host: h1}}}}\n"}});
  EXPECT_EQ(origin("db@one", "rules", {"a", "h1-hot"}, "gauge.above.warning"), "5 parameter db 6");
  const auto item = service_->item(kTenant, "db@one", "rules", {"a", "h1-hot"});
  ASSERT_TRUE(item) << to_string(item.error());
  EXPECT_FALSE(item->writable);
  EXPECT_EQ(item->id, "db@one/a/h1-hot");
  const auto absent = service_->item(kTenant, "db@one", "rules", {"a", "h1-hop"});
  ASSERT_FALSE(absent);
  EXPECT_EQ(to_string(absent.error()), "there is no rule db@one/a/h1-hop (did you mean \"db@one/a/h1-hot\"?)");
}

TEST_F(ServiceExplains, TheTreeOfAnInstanceHasItsValuesInItsTitles) {
  start({{"db/package.yaml", head("db") + "parameters: {host: {type: host}}\nrules:\n  a:\n"
                                          "    hot: {title: '${host} is hot', binary: {expr: x}}\n"},
         {"p/package.yaml", head("p") + "instances: {db: {one: {with: {host: h1}}}}\n"}});
  const auto title_in = [&](const std::string& package) {
    const auto tree = service_->tree(kTenant, package);
    if (!tree) return to_string(tree.error());
    for (const auto& section : *tree) {
      if (section.section == "rules") return section.nodes.at(0).children.at(0).title;
    }
    return std::string("no rules");
  };
  EXPECT_EQ(title_in("db@one"), "h1 is hot");
  EXPECT_EQ(title_in("db"), "${host} is hot");
}

TEST_F(ServiceExplains, SecretsAreShownToNobody) {
  start({{"p/package.yaml", head("p") +
                                "channels: {ops: {mail: {email: {smtp: 'smtp://m:25', from: a@b, to: c@d, password: "
                                "hidden-word}}}}\n"}});
  const auto item = service_->item(kTenant, "p", "channels", {"ops", "mail"});
  ASSERT_TRUE(item);
  EXPECT_THAT(boost::json::serialize(item->effective), testing::Not(HasSubstr("hidden-word")));
  for (const auto& field : item->fields) EXPECT_THAT(field.value, testing::Not(HasSubstr("hidden-word")));
}

TEST_F(ServiceExplains, PagesAndProceduresThatAreMissingAreLookedForInFallbacks) {
  const std::string page = "pages: {g: {status: {widgets: [{at: {x: 0, y: 0, w: 1, h: 1}, text: {markdown: x}}]}}}\n";
  start({{"a/package.yaml", head("a") + "fallbacks: [b, c]\n"},
         {"b/package.yaml", head("b") + "fallbacks: [d, a]\n"},
         {"c/package.yaml", head("c") + page},
         {"d/package.yaml", head("d") + "rpc: {g: {run: {script: \"#!/bin/sh\\n\"}}}\n"},
         {"e/package.yaml", head("e")}});
  EXPECT_EQ(service_->find_with_fallbacks(kTenant, "pages", "a", "g/status")->item->id, "c/g/status");
  EXPECT_EQ(service_->find_with_fallbacks(kTenant, "rpc", "a", "g/run")->item->id, "d/g/run");
  EXPECT_FALSE(service_->find_with_fallbacks(kTenant, "rpc", "a", "g/none"));
  EXPECT_FALSE(service_->find_with_fallbacks(kTenant, "pages", "e", "g/status"));
  write("b/package.yaml", head("b") + page);
  EXPECT_TRUE(service_->scan());
  EXPECT_EQ(service_->find_with_fallbacks(kTenant, "pages", "a", "g/status")->item->id, "b/g/status")
      << "the nearer one";
}

}  // namespace
}  // namespace atalaya::packages
