// Programs of types hold up nobody but who waits for their package.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "io/memory_file_system.h"
#include "packages/service.h"
#include "packages/type_scripts.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const TenantId kTenant = default_tenant();

/// A section whose items have a value that a program judges: `n` items with values from `first`.
std::string lamps(int n, int first = 0, int warning = 5) {
  auto text = package_with_rule("ty", "own", warning) +
              "types:\n  watt: {type: integer, script: scripts/watt.py, help: a number of watts}\n"
              "schemas:\n  lamps:\n    item: lamp\n    indexes: {name: {type: name}}\n"
              "    fields: {watt: {type: watt, required: true}}\n";
  if (n > 0) text += "lamps:\n";
  for (int i = 0; i < n; ++i) text += fmt::format("  lamp{}: {{watt: {}}}\n", i, first + i);
  return text;
}

class ServiceAsks : public testing::Test {
 protected:
  void SetUp() override {
    static const auto kBase = base_sources();
    for (const auto& file : kBase) write("base/" + file.name, file.text);
    write("good/package.yaml", package_with_rule("good", "warm", 5));
    write("ty/scripts/watt.py", "#!/usr/bin/python3\n");
  }
  void start(TypeScripts* scripts = nullptr) {
    service_ = std::make_unique<Service>(files_, items_, clock_,
                                         Service::Options{.root = "/data/packages",
                                                          .last_good = "/data/good",
                                                          .history = "/data/history",
                                                          .type_scripts = scripts == nullptr ? &scripts_ : scripts});
    service_->subscribe({.rules = [this](const auto& rules) { first_rules_ = rules.size(); }});
    ASSERT_TRUE(service_->load_all());
  }
  void write(const std::string& file, const std::string& text) {
    const auto path = "/data/packages/default/" + file;
    ASSERT_TRUE(files_.create_directories(io::parent_path(path)));
    ASSERT_TRUE(io::write_file_atomically(files_, path, text));
  }
  std::vector<std::string> errors(const std::string& package) {
    std::vector<std::string> out;
    for (const auto& state : service_->list(kTenant)) {
      if (state.name != package) continue;
      for (const auto& error : state.errors) out.push_back(to_string(error));
    }
    return out;
  }
  std::string state(const std::string& package) {
    for (const auto& state : service_->list(kTenant)) {
      if (state.name == package) return state.checking ? "checking" : state.broken ? "broken" : "ok";
    }
    return "absent";
  }
  Result<ChangeResult> write_by_api(const std::string& file, const std::string& text, bool preview = false) {
    Operation operation;
    operation.what = Operation::What::kWriteFile;
    operation.at.package = file.substr(0, file.find('/'));
    operation.file = file.substr(file.find('/') + 1);
    operation.text = text;
    return service_->change(kTenant, {.operations = {operation}, .author = "ana", .preview = preview});
  }
  double warning(const std::string& id) {
    for (const auto& rule : service_->rules()) {
      if (rule.id == id) return std::get<rules::GaugeSpec>(rule.threshold).warning.value_or(-1);
    }
    return -1;
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{from_ms(1'795'000'000'000)};
  registry::Items items_;
  std::atomic<int> runs_{0};
  static std::function<Result<io::SandboxResult>(const io::SandboxRequest&)> answers() {
    return [](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
      return io::SandboxResult{.output = "{\"value\": " + request.input + "}"};
    };
  }
  std::function<Result<io::SandboxResult>(const io::SandboxRequest&)> program_ = answers();
  TypeScripts scripts_{clock_, {}, [this](const io::SandboxRequest& request) {
                         ++runs_;
                         return program_(request);
                       }};
  std::unique_ptr<Service> service_;
  std::size_t first_rules_ = 0;
};

io::SandboxResult hung() { return {.status = 137, .timed_out = true}; }

TEST_F(ServiceAsks, AStartWaitsForNoProgramAndTakesThePackageWithTheAnswers) {
  write("ty/package.yaml", lamps(30));
  start();
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(first_rules_, 1u) << "the good package runs";
  EXPECT_EQ(state("ty"), "checking");
  EXPECT_THAT(errors("ty"), IsEmpty());
  EXPECT_TRUE(service_->ask_programs());
  EXPECT_EQ(runs_, 30);
  EXPECT_EQ(state("ty"), "ok");
  EXPECT_THAT(service_->items(kTenant, "lamps"), SizeIs(30));
  EXPECT_FALSE(service_->ask_programs());
  EXPECT_FALSE(service_->scan());
}

TEST_F(ServiceAsks, WhatHeldBeforeAStartRunsWhileItsProgramsAreAsked) {
  write("ty/package.yaml", lamps(3));
  start();
  service_->ask_programs();
  TypeScripts forgetful(clock_, {}, [this](const io::SandboxRequest& request) {
    ++runs_;
    return program_(request);
  });
  service_.reset();
  start(&forgetful);
  EXPECT_EQ(runs_, 3);
  EXPECT_EQ(first_rules_, 2u) << "a restart takes nobody's rules away";
  EXPECT_THAT(service_->items(kTenant, "lamps"), SizeIs(3));
  EXPECT_EQ(state("ty"), "checking");
  service_->ask_programs();
  EXPECT_EQ(runs_, 6);
  EXPECT_EQ(state("ty"), "ok");
  EXPECT_THAT(service_->history(kTenant, "ty", 0, 10).value(), IsEmpty());
}

TEST_F(ServiceAsks, WhoNeedsAPackageThatIsCheckedIsCheckedToo) {
  write("ty/package.yaml", lamps(1));
  write("sub/package.yaml", "package: sub\nversion: 1.0.0\nrequires: {ty: '*'}\n");
  start();
  EXPECT_EQ(state("sub"), "checking");
  service_->ask_programs();
  EXPECT_EQ(state("sub"), "ok");
}

TEST_F(ServiceAsks, AProgramThatHangsCostsAFewTimeOutsHoweverManyValuesThereAre) {
  program_ = [](const auto&) { return hung(); };
  write("ty/package.yaml", lamps(1000));
  start();
  service_->ask_programs();
  EXPECT_EQ(runs_, 3);
  EXPECT_EQ(state("ty"), "broken");
  EXPECT_THAT(errors("ty"), SizeIs(1000));
  EXPECT_EQ(errors("ty").back(),
            "ty/package.yaml:1013:19: watt: scripts/watt.py validate: did not end within 2s (mend the program; as it "
            "is, it is asked again in 1m)");
  EXPECT_FALSE(service_->ask_programs());
  EXPECT_EQ(runs_, 3);
}

TEST_F(ServiceAsks, AProgramThatWasMendedIsAskedAtOnce) {
  program_ = [](const auto&) { return hung(); };
  write("ty/package.yaml", lamps(2));
  start();
  service_->ask_programs();
  EXPECT_EQ(state("ty"), "broken");
  program_ = answers();
  write("ty/scripts/watt.py", "#!/usr/bin/python3\n# mended\n");
  EXPECT_TRUE(service_->scan());
  EXPECT_EQ(state("ty"), "checking");
  EXPECT_TRUE(service_->ask_programs());
  EXPECT_EQ(state("ty"), "ok");
}

TEST_F(ServiceAsks, AProgramThatSaidNothingIsAskedAgainAfterAMinute) {
  program_ = [](const auto&) { return hung(); };
  write("ty/package.yaml", lamps(1));
  start();
  service_->ask_programs();
  program_ = answers();
  EXPECT_FALSE(service_->ask_programs());
  clock_.advance(std::chrono::minutes{1});
  EXPECT_TRUE(service_->ask_programs());
  EXPECT_EQ(state("ty"), "ok");
}

TEST_F(ServiceAsks, AfterATimeOutAnotherValueIsAskedAndMendsTheItem) {
  write("ty/package.yaml", lamps(0));
  start();
  program_ = [](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    if (request.input == "7") return hung();
    return io::SandboxResult{.output = "{\"value\": " + request.input + "}"};
  };
  const auto refused = write_by_api("ty/package.yaml", lamps(1, 7));
  ASSERT_TRUE(refused);
  ASSERT_THAT(refused->errors, SizeIs(1));
  EXPECT_EQ(refused->errors.front().remedy,
            "give another value, or mend the program; as it is, this is asked again in 1m");
  const auto taken = write_by_api("ty/package.yaml", lamps(1, 8));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->commit);
}

TEST_F(ServiceAsks, NeitherAStartNorALookIsHeldUpByASlowProgram) {
  program_ = [this](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    clock_.advance(std::chrono::seconds{1});
    return io::SandboxResult{.output = "{\"value\": " + request.input + "}"};
  };
  write("ty/package.yaml", lamps(13));
  start();
  EXPECT_EQ(runs_, 0);
  service_->ask_programs();
  EXPECT_EQ(state("ty"), "checking");
  EXPECT_EQ(runs_, 4) << "no longer than a look may take";
  write("good/package.yaml", package_with_rule("good", "warm", 7));
  EXPECT_TRUE(service_->scan());
  EXPECT_EQ(warning("good/a/warm"), 7);
  EXPECT_EQ(runs_, 4);
  for (int i = 0; i < 3; ++i) service_->ask_programs();
  EXPECT_EQ(state("ty"), "ok");
  EXPECT_EQ(runs_, 13);
}

TEST_F(ServiceAsks, AChangeAndAPreviewHoldUpNobodyWhileAProgramRuns) {
  write("ty/package.yaml", lamps(0));
  start();
  std::promise<void> runs;
  std::promise<void> may_end;
  program_ = [&, first = true](const auto&) mutable {
    if (std::exchange(first, false)) {
      runs.set_value();
      may_end.get_future().wait();
    }
    return hung();
  };
  for (const bool preview : {true, false}) {
    auto slow = std::async(std::launch::async, [&] { return write_by_api("ty/package.yaml", lamps(10), preview); });
    runs.get_future().wait();
    const auto other = write_by_api("good/package.yaml", package_with_rule("good", "warm", preview ? 8 : 9));
    ASSERT_TRUE(other) << to_string(other.error());
    EXPECT_EQ(warning("good/a/warm"), preview ? 8 : 9);
    may_end.set_value();
    const auto refused = slow.get();
    ASSERT_TRUE(refused);
    EXPECT_THAT(refused->errors, SizeIs(10));
    EXPECT_FALSE(refused->commit);
    clock_.advance(std::chrono::minutes{2});
    runs = {};
    may_end = {};
    program_ = [&, first = true](const auto&) mutable {
      if (std::exchange(first, false)) {
        runs.set_value();
        may_end.get_future().wait();
      }
      return hung();
    };
  }
}

TEST_F(ServiceAsks, AChangeThatUsesUpItsTimeIsRefusedAndGoesFurtherTheNextTime) {
  write("ty/package.yaml", lamps(0));
  start();
  program_ = [this](const io::SandboxRequest& request) -> Result<io::SandboxResult> {
    clock_.advance(std::chrono::seconds{1});
    return io::SandboxResult{.output = "{\"value\": " + request.input + "}"};
  };
  const auto late = write_by_api("ty/package.yaml", lamps(15));
  ASSERT_TRUE(late);
  EXPECT_THAT(late->errors, SizeIs(5));
  EXPECT_EQ(
      to_string(late->errors.front()),
      "ty/package.yaml:24:18: watt: scripts/watt.py validate: not asked: all programs of types together have used "
      "up 10s (what they answered is remembered: try again, or make them faster)");
  const auto done = write_by_api("ty/package.yaml", lamps(15));
  ASSERT_TRUE(done);
  EXPECT_THAT(done->errors, IsEmpty());
  EXPECT_TRUE(done->commit);
  EXPECT_EQ(runs_, 15);
}

TEST_F(ServiceAsks, AFileByHandThatWaitsKeepsWhatRanAndDoesNotHoldUpChanges) {
  write("ty/package.yaml", lamps(1, 100));
  start();
  service_->ask_programs();
  EXPECT_EQ(runs_, 1);
  write("ty/package.yaml", lamps(2, 200, 6));
  const auto other = write_by_api("good/package.yaml", package_with_rule("good", "warm", 8));
  ASSERT_TRUE(other && other->commit);
  EXPECT_EQ(runs_, 1) << "another package's change asks nothing";
  EXPECT_EQ(warning("ty/a/own"), 5);
  EXPECT_EQ(state("ty"), "checking");
  EXPECT_TRUE(service_->ask_programs());
  EXPECT_EQ(warning("ty/a/own"), 6);
  EXPECT_THAT(errors("ty"), IsEmpty());
  EXPECT_THAT(service_->history(kTenant, "ty", 0, 10).value(), SizeIs(1)) << "and it is noted";
}

}  // namespace
}  // namespace atalaya::packages
