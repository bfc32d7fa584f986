#include "packages/service.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "collect/spec.h"
#include "io/memory_file_system.h"
#include "packages/check.h"
#include "packages/testing.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TenantId kTenant = default_tenant();

std::string rule_file(const std::string& package, double warning, const std::string& version = "1.0.0") {
  return "package: " + package + "\nversion: " + version + "\nrules:\n  a:\n    hot_" + package +
         ": {gauge: {expr: temp, above: {warning: " + std::to_string(warning) + "}}}\n";
}

class ServiceTest : public testing::Test {
 protected:
  void start(std::vector<ShippedFile> shipped = {}) {
    told_.clear();
    static const auto kBase = base_sources();
    for (const auto& file : kBase) {
      if (!file.name.starts_with("channels/")) paths_.push_back("base/" + file.name);
    }
    std::size_t at = paths_.size();
    for (auto file = kBase.rbegin(); file != kBase.rend(); ++file) {
      if (!file->name.starts_with("channels/")) shipped.push_back({paths_[--at], file->text});
    }
    service_ = std::make_unique<Service>(files_, items_, clock_,
                                         Service::Options{.root = "/data/packages",
                                                          .last_good = "/data/good",
                                                          .history = "/data/history",
                                                          .shipped = std::move(shipped)});
    service_->subscribe(
        {.rules = [this](const auto& rules) { told_.push_back("rules " + std::to_string(rules.size())); },
         .package_rules = [this](const auto&, const auto&,
                                 const auto&) { told_.push_back("rules " + std::to_string(service_->rules().size())); },
         .collectors = [this](std::uint64_t n) { told_.push_back("collectors " + std::to_string(n)); },
         .channels =
             [this](const TenantId& tenant, const auto& channels, const auto& types) {
               told_.push_back("channels " + tenant.value() + " " + std::to_string(channels.size()) + " " +
                               std::to_string(types.size()));
             }});
    ASSERT_TRUE(service_->load_all());
  }
  void write(const std::string& path, const std::string& text, const std::string& tenant = "default") {
    const auto full = "/data/packages/" + tenant + "/" + path;
    ASSERT_TRUE(files_.create_directories(full.substr(0, full.rfind('/'))));
    ASSERT_TRUE(io::write_file_atomically(files_, full, text));
  }
  PackageState state(const std::string& name) {
    for (auto& one : service_->list(kTenant)) {
      if (one.name == name) return one;
    }
    return {};
  }
  std::vector<std::string> heard() { return std::exchange(told_, {}); }
  double warning(const std::string& rule) {
    for (const auto& one : service_->rules()) {
      if (one.name == rule) return *std::get<rules::GaugeSpec>(one.threshold).warning;
    }
    return -1;
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  registry::Items items_;
  std::unique_ptr<Service> service_;
  std::vector<std::string> told_;
  std::deque<std::string> paths_;  ///< of shipped files
};

TEST_F(ServiceTest, AnEmptyFolderLoadsAndGetsTheShippedPackages) {
  const auto text = rule_file("host", 5);
  start({{"host/package.yaml", text}, {"host/README.md", "words"}, {"base/channels/hook.yaml", "method: POST\n"}});
  EXPECT_THAT(heard(), ElementsAre("rules 1", "collectors 1", "channels default 0 1"));
  EXPECT_TRUE(files_.exists("/data/packages/default/host/README.md"));
  EXPECT_FALSE(state("host").broken);
  EXPECT_EQ(state("host").items, 1u);
  EXPECT_FALSE(state("base").broken);
  EXPECT_EQ(items_.list(kTenant, "rules").size(), 1u);
}

TEST_F(ServiceTest, AShippedPackageThatAPersonChangedStaysAsItIs) {
  write("host/package.yaml", rule_file("host", 7));
  const auto text = rule_file("host", 5);
  start({{"host/package.yaml", text}});
  EXPECT_EQ(warning("hot_host"), 7);
}

TEST_F(ServiceTest, AChangeByHandIsNoticedAndOnlyWhatChangedIsTold) {
  write("p/p.yaml", rule_file("p", 5));
  write("q/q.yaml", rule_file("q", 5));
  start();
  heard();
  EXPECT_FALSE(service_->scan());
  EXPECT_THAT(heard(), IsEmpty());
  write("p/p.yaml", rule_file("p", 6));  // of the same size
  EXPECT_TRUE(service_->scan());
  EXPECT_THAT(heard(), ElementsAre("rules 2"));
  EXPECT_EQ(warning("hot_p"), 6);
  EXPECT_FALSE(service_->scan());
}

TEST_F(ServiceTest, ABrokenPackageKeepsItsVersionAndStopsNobody) {
  write("p/p.yaml", rule_file("p", 5));
  write("q/q.yaml", rule_file("q", 5));
  start();
  write("p/p.yaml", "package: p\nversion: 2.0.0\nrules: {a: {b: {gauge: {expr: temp}}}}\n");
  write("q/q.yaml", rule_file("q", 8));
  const auto errors = service_->reload();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].place, (Place{"p/p.yaml", 3, 24}));
  EXPECT_TRUE(state("p").broken);
  EXPECT_EQ(state("p").version, "1.0.0");
  EXPECT_EQ(warning("hot_p"), 5);
  EXPECT_EQ(warning("hot_q"), 8);
  write("p/p.yaml", rule_file("p", 9, "2.0.0"));
  EXPECT_THAT(service_->reload(), IsEmpty());
  EXPECT_FALSE(state("p").broken);
  EXPECT_EQ(warning("hot_p"), 9);
}

TEST_F(ServiceTest, ABrokenPackageThatNeverRanSaysTheVersionOfItsFiles) {
  write("p/p.yaml", "package: p\nversion: 2.3.4\nruls: {}\n");
  start();
  EXPECT_TRUE(state("p").broken);
  EXPECT_EQ(state("p").version, "2.3.4");
}

TEST_F(ServiceTest, AMistakeIsRefusedAlsoWhenAnotherPackageHasItInTheSameWords) {
  const auto mistaken = [](const std::string& name) { return "package: " + name + "\nversion: 1.0.0\nruls: {}\n"; };
  write("m1/package.yaml", mistaken("m1"));
  write("m2/package.yaml", rule_file("m2", 5));
  start();
  Operation wrong;
  wrong.what = Operation::What::kWriteFile;
  wrong.at.package = "m2";
  wrong.file = "package.yaml";
  wrong.text = mistaken("m2");
  const auto refused = service_->change(kTenant, {.operations = {wrong}, .author = "ana"});
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->errors.empty());
  EXPECT_FALSE(state("m2").broken);
}

TEST_F(ServiceTest, ABrokenPackageKeepsItsVersionAlsoAcrossARestart) {
  write("p/p.yaml", rule_file("p", 5));
  start();
  write("p/p.yaml", "package: [\n");
  start();
  EXPECT_TRUE(state("p").broken);
  EXPECT_EQ(warning("hot_p"), 5);
  EXPECT_EQ(service_->rules().front().origin.file, "p/p.yaml");
}

TEST_F(ServiceTest, APackageThatWasNeverGoodRunsNothing) {
  write("p/p.yaml", "package: p\n");
  start();
  EXPECT_TRUE(state("p").broken);
  EXPECT_EQ(state("p").version, "");
  EXPECT_THAT(service_->rules(), IsEmpty());
}

TEST_F(ServiceTest, BaseBelongsToTheProgram) {
  start();
  Operation remove;
  remove.what = Operation::What::kRemovePackage;
  remove.at.package = "base";
  const auto removed = service_->change(kTenant, {.operations = {remove}, .author = "ana"});
  ASSERT_TRUE(removed);
  ASSERT_THAT(removed->errors, testing::SizeIs(1));
  EXPECT_EQ(removed->errors.front().message, "base belongs to the program and is not removed");
  EXPECT_TRUE(files_.exists("/data/packages/default/base/package.yaml"));
  Archive foreign{.package = "base", .version = "99.0.0", .files = {}};
  foreign.files["package.yaml"] = "package: base\nversion: 99.0.0\n";
  const auto upgraded = service_->install(kTenant, foreign, "ana", true, false);
  ASSERT_TRUE(upgraded);
  ASSERT_THAT(upgraded->errors, testing::SizeIs(1));
  EXPECT_THAT(upgraded->errors.front().message, HasSubstr("base lacks what the program needs: "));
  const auto text = io::read_file(files_, "/data/packages/default/base/package.yaml").value();
  Operation add;
  add.what = Operation::What::kWriteFile;
  add.at.package = "base";
  add.file = "package.yaml";
  add.text = text + "# one's own\n";
  EXPECT_TRUE(service_->change(kTenant, {.operations = {add}, .author = "ana"})->commit);
}

TEST_F(ServiceTest, ARemovedFolderEndsThePackage) {
  write("p/p.yaml", rule_file("p", 5));
  start();
  heard();
  ASSERT_TRUE(files_.remove_all("/data/packages/default/p"));
  EXPECT_TRUE(service_->scan());
  EXPECT_THAT(heard(), ElementsAre("rules 0"));
  EXPECT_THAT(items_.list(kTenant, "rules"), IsEmpty());
  start();
  EXPECT_THAT(service_->rules(), IsEmpty());
}

TEST_F(ServiceTest, WhatIsNotThereIsToldWithWhatWasMeant) {
  write("disks/p.yaml", rule_file("disks", 5));
  start();
  const auto told = [](const auto& result) { return result ? std::string() : to_string(result.error()); };
  const auto package = "there is no package diskss (did you mean \"disks\"?)";
  EXPECT_EQ(told(service_->view(kTenant, "diskss")), package);
  EXPECT_EQ(told(service_->tree(kTenant, "diskss")), package);
  EXPECT_EQ(told(service_->item(kTenant, "diskss", "rules", {"a", "b"})), package);
  EXPECT_EQ(told(service_->history(kTenant, "diskss", 0, 10)), package);
  EXPECT_EQ(told(service_->history(kTenant, "disks", 0, 10)), "");
  const auto set = [&](ItemAddress at) {
    ChangeRequest request;
    request.operations.push_back({.what = Operation::What::kRemove, .at = std::move(at)});
    request.author = "ana";
    return told(service_->change(kTenant, request));
  };
  EXPECT_EQ(set({"diskss", "rules", {"a", "b"}}), package);
  EXPECT_EQ(set({"disks", "rulez", {"a", "b"}}), "there is no section \"rulez\" (did you mean \"rules\"?)");
  EXPECT_THAT(set({"disks", "rules", {"a", "c"}}), testing::StartsWith("there is no rule disks/a/c ("));
}

TEST_F(ServiceTest, TenantsAreFoundAsFoldersAndKeptApart) {
  write("p/p.yaml", rule_file("p", 5));
  write("p/p.yaml", rule_file("p", 6), "acme");
  start();
  EXPECT_EQ(service_->rules().size(), 2u);
  EXPECT_EQ(service_->list(TenantId{"acme"}).size(), 2u);
  EXPECT_EQ(service_->rules().front().tenant, TenantId{"acme"});
}

TEST_F(ServiceTest, ATenantThatAppearsGetsTheShippedPackages) {
  start({{"p/p.yaml", "package: p\nversion: 1.0.0\n"}});
  const TenantId by_token{"by-token"};
  const TenantId by_folder{"by-folder"};
  ASSERT_EQ(service_->list(kTenant).size(), 2u);
  service_->welcome({kTenant, by_token, TenantId{"no/tenant"}});
  EXPECT_EQ(service_->list(by_token).size(), service_->list(kTenant).size());
  ASSERT_TRUE(files_.create_directories("/data/packages/by-folder"));
  EXPECT_TRUE(service_->scan());
  EXPECT_EQ(service_->list(by_folder).size(), service_->list(kTenant).size());
  EXPECT_THAT(service_->tenants(), ElementsAre(by_folder, by_token, kTenant));
}

TEST_F(ServiceTest, ATenantThatBeginsWithAChangeHasTheShippedPackagesToo) {
  start({{"p/p.yaml", "package: p\nversion: 1.0.0\n"}});
  const TenantId fresh{"fresh"};
  const auto none = service_->change(fresh, {.operations = {}, .author = "ana", .preview = true});
  EXPECT_EQ(service_->list(fresh).size(), service_->list(kTenant).size()) << (none ? "" : none.error().message);
}

TEST_F(ServiceTest, AnAgentGetsTheCollectorsOfItsHost) {
  write("p/p.yaml",
        "package: p\nversion: 1.0.0\ncollectors:\n  c:\n    web: {http: {url: 'http://x/'}, on: 'web*'}\n"
        "    db: {tcp: {address: 'x:1'}, on: db1}\n");
  start();
  EXPECT_EQ(
      service_->agent_configuration(kTenant, "web7"),
      R"({"revision":1,"collectors":[{"id":"host","type":"host","period":"1s"},)"
      R"({"id":"p/c/web","type":"http","period":"10s","url":"http://x/","method":"GET","insecure_skip_verify":false,"timeout":"5s"}]})");
  EXPECT_THAT(service_->agent_configuration(TenantId{"other"}, "web7"), HasSubstr(R"("period":"1s"}]})"));
}

TEST_F(ServiceTest, AHostCollectorOfAPackageReplacesTheBuiltInOne) {
  write("p/p.yaml", "package: p\nversion: 1.0.0\ncollectors: {h: {slow: {host: {}, period: 15s, on: old}}}\n");
  start();
  EXPECT_EQ(service_->agent_configuration(kTenant, "old"),
            R"({"revision":1,"collectors":[{"id":"p/h/slow","type":"host","period":"15s"}]})");
  EXPECT_THAT(service_->agent_configuration(kTenant, "new"), HasSubstr(R"("id":"host")"));
}

TEST_F(ServiceTest, RevisionsOfTheConfigurationAreNeverReused) {
  start();
  EXPECT_EQ(service_->configuration_revision(), 1u);
  start();
  EXPECT_EQ(service_->configuration_revision(), 1u);  // the same content
  write("p/p.yaml", "package: p\nversion: 1.0.0\ncollectors: {c: {w: {tcp: {address: 'x:1'}}}}\n");
  EXPECT_TRUE(service_->scan());
  EXPECT_EQ(service_->configuration_revision(), 2u);
  ASSERT_TRUE(files_.remove_all("/data/packages/default/p"));
  start();
  EXPECT_EQ(service_->configuration_revision(), 3u);
}

TEST_F(ServiceTest, ACheckMadeOnDemandIsAFileAndRuns) {
  start();
  heard();
  const auto made = service_->add_check(
      kTenant, {.type = "http", .target = "https://Example.org/a?b", .on = {"web1"}, .expect_status = 200}, "ana");
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->id, "ondemand/checks/example-org-a-b");
  EXPECT_EQ(made->target(), "https://Example.org/a?b");
  EXPECT_THAT(heard(), ElementsAre("collectors 2"));
  EXPECT_THAT(service_->agent_configuration(kTenant, "web1"), HasSubstr("Example.org"));
  const auto second = service_->add_check(kTenant, {.type = "http", .target = "https://example.org/a?b"}, "ana");
  EXPECT_EQ(second->id, "ondemand/checks/example-org-a-b-2");
  start();
  EXPECT_EQ(service_->collectors(kTenant).size(), 2u);
  ASSERT_TRUE(service_->remove_item(kTenant, made->id, "ana"));
  ASSERT_TRUE(service_->remove_item(kTenant, second->id, "ana"));
  EXPECT_THAT(service_->collectors(kTenant), IsEmpty());
  EXPECT_FALSE(service_->remove_item(kTenant, made->id, "ana"));
  EXPECT_TRUE(service_->add_check(kTenant, {.type = "tcp", .target = "x:1", .name = "Mail: \"in\""}, "ana"));
  EXPECT_EQ(service_->collectors(kTenant).front().title, "Mail: \"in\"");
}

TEST_F(ServiceTest, AWrongCheckIsRefusedAndChangesNothing) {
  start();
  heard();
  for (const auto& bad : std::vector<NewCheck>{{.type = "icmp", .target = "x"},
                                               {.type = "http", .target = "x"},
                                               {.type = "http", .target = "http://x/\n  evil: true"},
                                               {.type = "tcp", .target = "x:1", .period = Duration{1}},
                                               {.type = "tcp", .target = "x:1", .expect_text = "y"},
                                               {.type = "process", .target = "\xff"},
                                               {.type = "process", .target = ""}}) {
    const auto made = service_->add_check(kTenant, bad, "ana");
    ASSERT_FALSE(made) << bad.target;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(made.error().message.empty());
  }
  EXPECT_THAT(heard(), IsEmpty());
  EXPECT_FALSE(files_.exists("/data/packages/default/ondemand"));
  ASSERT_TRUE(service_->add_check(kTenant, {.type = "process", .target = "sshd", .name = "ssh"}, "ana"));
  EXPECT_EQ(service_->add_check(kTenant, {.type = "process", .target = "sshd", .name = "ssh"}, "ana").error().code,
            ErrorCode::kAlreadyExists);
}

TEST_F(ServiceTest, WhatAFileDeclaresIsRemovedFromTheFile) {
  write("p/p.yaml", "package: p\nversion: 1.0.0\ncollectors: {c: {w: {tcp: {address: 'x:1'}}}}\n");
  start();
  const auto removed = service_->remove_item(kTenant, "p/c/w", "ana");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(removed.error().message, HasSubstr("declared in p/p.yaml"));
  EXPECT_EQ(service_->collectors(kTenant).size(), 1u);
}

TEST_F(ServiceTest, ChannelsOfTypesThatAnotherPackageDefinesLoad) {
  write("base/channels/hook.yaml", "channel_types: {hook: {settings: {url: {title: where}}}}\n");
  write("a/a.yaml", "package: a\nversion: 1.0.0\nchannels: {ops: {h: {hook: {url: 'http://x/'}}}}\n");
  start();
  EXPECT_FALSE(state("a").broken);
  EXPECT_THAT(told_, testing::Contains("channels default 1 1"));
}

TEST_F(ServiceTest, TheAgentUnderstandsWhatItIsGiven) {
  write("p/p.yaml", R"(package: p
version: 1.0.0
collectors:
  c:
    app: {log: {path: [/var/log/a.log, '/var/log/b/*.log'], labels: {team: x}, from_start: true}}
    web:
      http: {url: 'http://x/', method: HEAD, headers: {A: b}, expect_status: 204, expect_text: ok, insecure_skip_verify: true}
      period: 1m
      timeout: 3s
    db: {tcp: {address: 'x:1'}}
    ssh: {process: {name: sshd, at_least: 2, at_most: 9}}
)");
  start();
  ASSERT_FALSE(state("p").broken) << to_string(state("p").errors.front());
  const auto parsed = collect::parse_configuration(service_->agent_configuration(kTenant, "h"));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->problems.empty()) << to_string(parsed->problems.front().error);
  ASSERT_EQ(parsed->collectors.size(), 5u);
  EXPECT_EQ(parsed->collectors[0].period, Duration{1000});
  const auto& log = std::get<collect::LogSpec>(parsed->collectors[1].what);
  EXPECT_THAT(log.paths, ElementsAre("/var/log/a.log", "/var/log/b/*.log"));
  EXPECT_TRUE(log.from_start);
  EXPECT_EQ(log.labels.at("team"), "x");
  const auto& web = parsed->collectors[2];
  EXPECT_EQ(web.id, "p/c/web");
  EXPECT_EQ(web.period, std::chrono::minutes{1});
  EXPECT_EQ(web.timeout, std::chrono::seconds{3});
  const auto& http = std::get<collect::HttpSpec>(web.what);
  EXPECT_EQ(http, (collect::HttpSpec{.url = "http://x/",
                                     .method = "HEAD",
                                     .headers = {{"A", "b"}},
                                     .body = "",
                                     .expect_status = 204,
                                     .expect_text = "ok",
                                     .ca_file = "",
                                     .insecure_skip_verify = true}));
  EXPECT_EQ(std::get<collect::TcpSpec>(parsed->collectors[3].what).address, "x:1");
  EXPECT_EQ(std::get<collect::ProcessSpec>(parsed->collectors[4].what).at_most, 9);
}

TEST(ShippedPackages, AreGood) {
  const std::string at = AT_SOURCE_DIR;
  const auto files = io::real_file_system();
  std::vector<ShippedFile> shipped;
  const auto base = base_sources();
  for (const auto& file : base) shipped.push_back({file.path, file.text});
  const auto names = list_folders(*files, at + "/packages");
  ASSERT_TRUE(names);
  std::size_t rules = 0;
  for (const auto& name : *names) {
    const auto world =
        world_with_folders(*files, {at + "/packages/" + name}, shipped,
                           {.tenant = kTenant, .base = {}, .run = {}, .check_channels = {}, .check_items = {}});
    const auto& slot = world.slots().at(name);
    for (const auto& error : slot.errors) ADD_FAILURE() << to_string(error);
    for (const auto& error : slot.world_errors) ADD_FAILURE() << to_string(error);
    if (!slot.running) continue;
    for (const auto& rule : slot.running->rules) {
      EXPECT_FALSE(rule.title.empty()) << rule.id;
      EXPECT_TRUE(rule.annotations.contains("summary")) << rule.id;
    }
    rules += slot.running->rules.size();
  }
  EXPECT_GE(rules, 40u);
}

}  // namespace
}  // namespace atalaya::packages
