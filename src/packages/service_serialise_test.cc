// What the API writes is written as the programs of types say; texts stay as they are.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "packages/service.h"
#include "packages/type_scripts.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const TenantId kTenant = default_tenant();

constexpr auto kNet = R"(package: net
version: 1.0.0
types:
  mac: {type: text, script: scripts/mac.py, help: an address of a network card}
schemas:
  cards:
    item: card
    indexes: {name: {type: name}}
    fields: {mac: {type: mac, required: true}, note: {type: text}}
cards:
  first: {mac: Aa:01}  # as somebody typed it
)";
constexpr auto kSpecification = R"(package: spec
version: 1.0.0
imports: [net]
parameters:
  mac: {type: mac}
collectors:
  a:
    watch: {http: {url: 'http://localhost/${mac}'}}
)";

class ServiceSerialises : public testing::Test {
 protected:
  void SetUp() override {
    static const auto kBase = base_sources();
    for (const auto& file : kBase) write("base/" + file.name, file.text);
    write("net/package.yaml", kNet);
    write("net/scripts/mac.py", "#!/usr/bin/python3\n");
    write("spec/package.yaml", kSpecification);
    service_ = std::make_unique<Service>(files_, items_, clock_,
                                         Service::Options{.root = "/data/packages",
                                                          .last_good = "/data/good",
                                                          .history = "/data/history",
                                                          .type_scripts = &scripts_});
    ASSERT_TRUE(service_->load_all());
    while (service_->ask_programs()) continue;
    for (const auto& state : service_->list(kTenant)) ASSERT_FALSE(state.broken) << to_string(state.errors.front());
  }
  void write(const std::string& file, const std::string& text) {
    const auto path = "/data/packages/default/" + file;
    ASSERT_TRUE(files_.create_directories(io::parent_path(path)));
    ASSERT_TRUE(io::write_file_atomically(files_, path, text));
  }
  std::string text_of(const std::string& package) { return service_->file(kTenant, package, "package.yaml")->text; }
  ChangeResult change(Operation operation, bool preview = false) {
    const auto done = service_->change(kTenant, {.operations = {operation}, .author = "ana", .preview = preview});
    EXPECT_TRUE(done) << to_string(done.error());
    return done ? *done : ChangeResult{};
  }
  static Operation set(const std::string& mac) {
    return {.what = Operation::What::kSet, .at = {"net", "cards", {"first"}}, .field = {"mac"}, .value = mac};
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{from_ms(1'795'000'000'000)};
  registry::Items items_;
  /// "hang…" is written for ever; all else in capitals.
  TypeScripts scripts_{
      clock_, {}, [](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
        auto text = std::string(boost::json::parse(request.input).as_string());
        const bool writes = request.arguments.front() == "serialise";
        if (writes && text.starts_with("hang")) return io::SandboxResult{.timed_out = true};
        for (auto& c : text) c = static_cast<char>(writes ? std::toupper(c) : std::tolower(c));
        return io::SandboxResult{.output = boost::json::serialize(boost::json::object{{"value", text}})};
      }};
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceSerialises, AValueThatIsSetIsWrittenSoAndNothingElseChanges) {
  auto expected = std::string(kNet);
  expected.replace(expected.find("Aa:01"), 5, "BB-CC");
  const auto previewed = change(set("bb-Cc"), true);
  ASSERT_THAT(previewed.files, SizeIs(1));
  EXPECT_EQ(previewed.files.front().after, expected);
  EXPECT_EQ(text_of("net"), kNet);
  EXPECT_TRUE(change(set("bb-Cc")).commit);
  EXPECT_EQ(text_of("net"), expected);
  EXPECT_FALSE(change(set("bb-cC")).commit) << "it stands there already";
}

TEST_F(ServiceSerialises, AnItemOfValuesIsWrittenSoAndOneOfTextIsNot) {
  const auto value = config::YamlValue::map({{"mac", "dd"}, {"note", "small"}});
  EXPECT_TRUE(change({.what = Operation::What::kCreate, .at = {"net", "cards", {"second"}}, .value = value}).commit);
  EXPECT_THAT(text_of("net"), HasSubstr("  second:\n    mac: DD\n    note: small\n"));
  EXPECT_TRUE(
      change({.what = Operation::What::kCreate, .at = {"net", "cards", {"third"}}, .text = "mac: ee\n"}).commit);
  EXPECT_THAT(text_of("net"), HasSubstr("  third:\n    mac: ee\n"));
  EXPECT_TRUE(
      change({.what = Operation::What::kReplace, .at = {"net", "cards", {"third"}}, .text = "mac: ff\n"}).commit);
  EXPECT_THAT(text_of("net"), HasSubstr("  third:\n    mac: ff\n"));
  EXPECT_THAT(text_of("net"), HasSubstr("first: {mac: Aa:01}  # as somebody typed it\n"));
}

TEST_F(ServiceSerialises, AnInstancesValuesAreOfItsSpecificationsTypes) {
  const ItemAddress at{"net", "instances", {"spec", "one"}};
  const auto with = config::YamlValue::map({{"with", config::YamlValue::map({{"mac", "aa"}})}});
  ASSERT_TRUE(change({.what = Operation::What::kCreate, .at = at, .value = with}).commit);
  EXPECT_THAT(text_of("net"), HasSubstr("mac: AA\n"));
  ASSERT_TRUE(change({.what = Operation::What::kSet, .at = at, .field = {"with", "mac"}, .value = "bb"}).commit);
  EXPECT_THAT(text_of("net"), HasSubstr("mac: BB\n"));
  EXPECT_THAT(service_->collectors(kTenant), Not(IsEmpty()));
}

TEST_F(ServiceSerialises, AProgramThatSaysNothingInTimeRefusesTheValueAtItsField) {
  const auto refused = change(set("hang"));
  ASSERT_THAT(refused.errors, SizeIs(1));
  EXPECT_EQ(refused.errors.front().message, "mac: scripts/mac.py serialise: did not end within 2s");
  EXPECT_EQ(refused.errors.front().field, "mac");
  EXPECT_EQ(refused.errors.front().path, std::vector<std::string>{"first"});
  EXPECT_FALSE(refused.commit);
  EXPECT_EQ(text_of("net"), kNet);
}

}  // namespace
}  // namespace atalaya::packages
