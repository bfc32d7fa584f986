#include "packages/edit.h"

#include <gtest/gtest.h>

#include "packages/edit_test_world.h"

namespace atalaya::packages {
namespace {

using What = Operation::What;
using config::YamlValue;

const std::string kHost = R"(package: host   # the machines
version: 1.0.0

# What is judged.
rules:
  # Disks of the storage team.
  disk:  # keep sorted
    # Ana asked for this one.
    filling:
      # From the incident of May.
      for:  30s     # was 1m
      gauge: {expr: "a / b", below: {warning: 0.15}}
      text: |  # shown on the pager
        First line.
      # gauge: see above

    # Nobody remembers why.
    full:
      for: 1m
  # end of disks
  memory: {low: {for: 5m}, high: {for: 6m}}  # short

# Prometheus.
groups:
  - name: cpu  # from the wiki
    rules: []
  # Old, but loved.
  - rules:
      - alert: A
    name: 'net'
alertmanager:
  route: {receiver: ops}
# the end
)";

FileTexts world() { return {{"host/package.yaml", kHost}, {"web/package.yaml", "package: web\nversion: 2.0.0\n"}}; }

ItemAddress rule(std::string group, std::string name) { return {"host", "rules", {std::move(group), std::move(name)}}; }

/// The text of host's package.yaml (or another file) after the operations, or the error's name.
std::string after(const std::vector<Operation>& operations, const std::string& file = "host/package.yaml",
                  const FileTexts& files = world()) {
  const auto changes = apply(files, operations, find_test_section);
  if (!changes) return std::string(name(changes.error().code));
  for (const auto& change : *changes) {
    if (change.file == file) return change.after.value_or("(removed)");
  }
  return files.contains(file) ? files.at(file) : "(absent)";
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Operation set(ItemAddress at, std::vector<std::string> field, YamlValue value) {
  return {.what = What::kSet, .at = std::move(at), .field = std::move(field), .value = std::move(value)};
}
Operation make(ItemAddress at, std::string text, std::string file = {}) {
  return {.what = What::kCreate, .at = std::move(at), .text = std::move(text), .file = std::move(file)};
}
Operation replace(ItemAddress at, std::string text) {
  return {.what = What::kReplace, .at = std::move(at), .text = std::move(text)};
}
Operation rename(ItemAddress at, std::string name) {
  return {.what = What::kRename, .at = std::move(at), .text = std::move(name)};
}
Operation remove(ItemAddress at) { return {.what = What::kRemove, .at = std::move(at)}; }
Operation copy(ItemAddress at, ItemAddress to) {
  return {.what = What::kCopy, .at = std::move(at), .to = std::move(to)};
}
Operation move(ItemAddress at, ItemAddress to) {
  return {.what = What::kMove, .at = std::move(at), .to = std::move(to)};
}

std::string text_of(const ItemAddress& at, const FileTexts& files = world()) {
  const auto found = find_item(files, at, find_test_section);
  return found ? found->yaml : std::string(name(found.error().code));
}

TEST(PackageEdit, AnItemIsShownAtIndentNoneWithTheCommentsAboveIt) {
  EXPECT_EQ(text_of(rule("disk", "filling")),
            "# Ana asked for this one.\n# From the incident of May.\nfor:  30s     # was 1m\n"
            "gauge: {expr: \"a / b\", below: {warning: 0.15}}\ntext: |  # shown on the pager\n  First line.\n"
            "# gauge: see above\n");
  EXPECT_EQ(text_of(rule("memory", "low")), "{for: 5m}\n");
  EXPECT_EQ(text_of({"host", "groups", {"net"}}), "# Old, but loved.\nrules:\n  - alert: A\nname: 'net'\n");
  EXPECT_EQ(text_of({"host", "alertmanager", {}}), "route: {receiver: ops}\n");
  EXPECT_EQ(text_of(rule("disk", "none")), "not_found");
  EXPECT_EQ(text_of({"none", "rules", {}}), "not_found");
  EXPECT_EQ(text_of({"host", "none", {}}), "not_found");
  const auto found = find_item(world(), rule("disk", "full"), find_test_section).value();
  EXPECT_EQ(found.file, "host/package.yaml");
  EXPECT_EQ(found.place, (Place{"host/package.yaml", 19, 7}));
}

TEST(PackageEdit, AnItemReplacedByItsOwnTextStaysByteForByte) {
  for (const auto& at : {rule("disk", "filling"), rule("disk", "full"), rule("memory", "low"),
                         ItemAddress{"host", "groups", {"net"}}, ItemAddress{"host", "groups", {"cpu"}},
                         ItemAddress{"host", "alertmanager", {}}, ItemAddress{"host", "rules", {"disk"}},
                         ItemAddress{"host", "rules", {"memory"}}, ItemAddress{"host", "rules", {}}}) {
    EXPECT_EQ(after({replace(at, text_of(at))}), kHost);
  }
}

TEST(PackageEdit, AFieldIsSetWhereItStands) {
  EXPECT_EQ(after({set(rule("disk", "filling"), {"for"}, "45s")}), with(kHost, "30s", "45s"));
  EXPECT_EQ(after({set(rule("disk", "filling"), {"gauge", "below", "warning"}, 0.2)}), with(kHost, "0.15", "0.2"));
  EXPECT_EQ(after({set(rule("memory", "low"), {"for"}, "1h")}), with(kHost, "5m", "1h"));
  EXPECT_EQ(after({set({"host", "groups", {"net"}}, {"rules", "0", "alert"}, "B")}),
            with(kHost, "alert: A", "alert: B"));
  EXPECT_EQ(after({set({"host", "alertmanager", {}}, {"route", "receiver"}, "me")}), with(kHost, "ops", "me"));
  EXPECT_EQ(after({set(rule("disk", "filling"), {"for"}, "30s")}), kHost);
}

TEST(PackageEdit, RecordsOnTheWayToAFieldAreMade) {
  EXPECT_EQ(after({set(rule("disk", "full"), {"gauge", "above", "critical"}, 3)}),
            with(kHost, "      for: 1m\n", "      for: 1m\n      gauge:\n        above:\n          critical: 3\n"));
  EXPECT_EQ(after({set(rule("disk", "filling"), {"gauge", "below", "critical"}, 0.1)}),
            with(kHost, "0.15}", "0.15, critical: 0.1}"));
  EXPECT_EQ(after({set(rule("disk", "full"), {"on", "0"}, "a"), set(rule("disk", "full"), {"on", "1"}, "b")}),
            with(kHost, "      for: 1m\n", "      for: 1m\n      on:\n        - a\n        - b\n").replace(0, 0, ""));
  EXPECT_EQ(after({set(rule("disk", "full"), {"for", "x"}, 1)}), "unprocessable");
  EXPECT_EQ(after({set(rule("disk", "none"), {"for"}, 1)}), "not_found");
  EXPECT_EQ(after({set({"host", "rules", {"disk"}}, {"for"}, 1)}), "invalid_argument");
}

TEST(PackageEdit, AValueOfPartsIsSetWithTheCommentsOfThePartsThatStay) {
  const FileTexts files{{"p/package.yaml",
                         "package: p\nrules:\n  g:\n    r:\n      gauge:\n        # the share\n        expr: a\n"
                         "        # people asked\n        above: {warning: 1}  # low\n      on: [a, b]\n"}};
  const auto gauge = YamlValue::map({{"expr", "a"}, {"above", YamlValue::map({{"warning", 2}, {"critical", 3}})}});
  EXPECT_EQ(after({set({"p", "rules", {"g", "r"}}, {"gauge"}, gauge)}, "p/package.yaml", files),
            with(files.at("p/package.yaml"), "{warning: 1}", "{warning: 2, critical: 3}"));
  EXPECT_EQ(after({set({"p", "rules", {"g", "r"}}, {"on"}, "a")}, "p/package.yaml", files),
            with(files.at("p/package.yaml"), "[a, b]", "a"));
  EXPECT_EQ(after({set({"p", "rules", {"g", "r"}}, {"gauge"}, "x")}, "p/package.yaml", files),
            "package: p\nrules:\n  g:\n    r:\n      gauge: x\n      on: [a, b]\n");
}

TEST(PackageEdit, AFieldIsTakenAway) {
  EXPECT_EQ(after({{.what = What::kUnset, .at = rule("disk", "filling"), .field = {"text"}}}),
            with(kHost, "      text: |  # shown on the pager\n        First line.\n", ""));
  EXPECT_EQ(after({{.what = What::kUnset, .at = rule("disk", "filling"), .field = {"gauge", "below"}}}),
            with(kHost, ", below: {warning: 0.15}", ""));
  EXPECT_EQ(after({{.what = What::kUnset, .at = rule("disk", "filling"), .field = {"nothing"}}}), "not_found");
  EXPECT_EQ(after({{.what = What::kUnset, .at = {"host", "groups", {"net"}}, .field = {"name"}}}), "invalid_argument");
}

TEST(PackageEdit, ANewItemStandsAtTheEndOfItsGroupAndItsCommentsAboveIt) {
  EXPECT_EQ(after({make(rule("disk", "slow"), "# New.\nfor: 5m\n# why: see wiki\n")}),
            with(kHost, "  # end of disks\n",
                 "\n    # New.\n    slow:\n      for: 5m\n      # why: see wiki\n  # end of disks\n"));
  EXPECT_EQ(after({{.what = What::kCreate, .at = rule("memory", "swap"), .value = YamlValue::map({{"for", "5m"}})}}),
            with(kHost, "6m}}", "6m}, swap: {for: 5m}}"));
  EXPECT_EQ(after({make(rule("disk", "full"), "for: 1m\n")}), "already_exists");
  EXPECT_EQ(after({make({"host", "rules", {"a", "b", "c"}}, "for: 1m\n")}), "invalid_argument");
  EXPECT_EQ(after({make(rule("disk", "bad"), "a: [\n")}), "invalid_argument");
}

TEST(PackageEdit, GroupsAndSectionsOnTheWayToANewItemAreMade) {
  EXPECT_EQ(after({make(rule("cpu", "hot"), "for: 5m")}),
            with(kHost, "  # short\n", "  # short\n  cpu:\n    hot:\n      for: 5m\n"));
  EXPECT_EQ(after({make({"web", "rules", {"cpu", "hot"}}, "{for: 5m}")}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\nrules:\n  cpu:\n    hot: {for: 5m}\n");
  EXPECT_EQ(after({make({"web", "rules", {"cpu"}}, ""), make({"web", "rules", {"cpu", "a"}}, "")}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\nrules:\n  cpu:\n    a: {}\n");
  EXPECT_EQ(after({make({"web", "groups", {"g"}}, "# G.\nrules: []\n")}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\ngroups:\n  # G.\n  - name: g\n    rules: []\n");
  EXPECT_EQ(after({make({"web", "alertmanager", {}}, "route: {}\n")}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\nalertmanager:\n  route: {}\n");
}

TEST(PackageEdit, ANewItemGoesToTheFileThatIsNamed) {
  EXPECT_EQ(after({make({"web", "rules", {"g", "r"}}, "for: 1m", "rules.yaml")}, "web/rules.yaml"),
            "package: web\nversion: 2.0.0\n\nrules:\n  g:\n    r:\n      for: 1m\n");
  EXPECT_EQ(after({make({"web", "rules", {"g", "r"}}, "for: 1m", "../rules.yaml")}), "invalid_argument");
}

TEST(PackageEdit, AnItemOfAListIsFoundByItsKeyField) {
  EXPECT_EQ(after({make({"host", "groups", {"disk"}}, "# D.\nrules: []  # none\n")}),
            with(kHost, "    name: 'net'\n", "    name: 'net'\n  # D.\n  - name: disk\n    rules: []  # none\n"));
  EXPECT_EQ(after({rename({"host", "groups", {"net"}}, "lan")}), with(kHost, "'net'", "'lan'"));
  EXPECT_EQ(after({remove({"host", "groups", {"net"}})}),
            with(kHost, "  # Old, but loved.\n  - rules:\n      - alert: A\n    name: 'net'\n", ""));
  EXPECT_EQ(after({replace({"host", "groups", {"cpu"}}, "name: gpu\n")}), "invalid_argument");
  EXPECT_EQ(after({replace({"host", "groups", {"cpu"}}, "# c\nrules: [1]\n")}),
            with(kHost, "  - name: cpu  # from the wiki\n    rules: []\n", "  # c\n  - name: cpu\n    rules: [1]\n"));
  EXPECT_EQ(after({set({"host", "groups", {"cpu"}}, {"name"}, "x")}), "invalid_argument");
}

TEST(PackageEdit, AReplacedItemHasTheCommentsThatWereGiven) {
  EXPECT_EQ(after({replace(rule("disk", "full"), "# One.\n# Two.\nfor: 2m  # more\nlabels:\n  a: b\n")}),
            with(kHost, "    # Nobody remembers why.\n    full:\n      for: 1m\n",
                 "    # One.\n    # Two.\n    full:\n      for: 2m  # more\n      labels:\n        a: b\n"));
  auto text = text_of(rule("disk", "filling"));
  text = with(text, "# Ana asked", "# Eva asked");
  EXPECT_EQ(after({replace(rule("disk", "filling"), text)}), with(kHost, "# Ana asked", "# Eva asked"));
  text = with(text_of(rule("disk", "filling")), "of May", "of June");
  EXPECT_EQ(after({replace(rule("disk", "filling"), text)}), with(kHost, "of May", "of June"));
  EXPECT_EQ(after({replace(rule("memory", "low"), "for: 1m\n")}), with(kHost, "5m", "1m"));
  EXPECT_EQ(after({replace(rule("disk", "full"), "{for: 2m}\n")}),
            with(kHost, "    # Nobody remembers why.\n    full:\n      for: 1m\n", "    full: {for: 2m}\n"));
  EXPECT_EQ(after({replace(rule("disk", "full"), "for: [\n")}), "invalid_argument");
}

TEST(PackageEdit, AMistakeInAGivenTextIsToldWithItsPlaceInThatText) {
  const auto changes = apply(world(), {replace(rule("disk", "full"), "for: 1m\na: b: c\n")}, find_test_section);
  ASSERT_FALSE(changes);
  ASSERT_TRUE(changes.error().place);
  EXPECT_EQ(*changes.error().place, (Place{"", 2, 5}));
}

TEST(PackageEdit, ItemsAndGroupsAreRenamedAndRemoved) {
  EXPECT_EQ(after({rename(rule("disk", "full"), "fuller")}), with(kHost, "    full:", "    fuller:"));
  EXPECT_EQ(after({rename({"host", "rules", {"disk"}}, "disks")}), with(kHost, "  disk:", "  disks:"));
  EXPECT_EQ(after({rename(rule("disk", "full"), "filling")}), "already_exists");
  EXPECT_EQ(after({rename({"host", "rules", {}}, "x")}), "invalid_argument");
  EXPECT_EQ(after({remove(rule("disk", "full"))}),
            with(kHost, "    # Nobody remembers why.\n    full:\n      for: 1m\n", ""));
  EXPECT_EQ(after({remove({"host", "rules", {"memory"}})}),
            with(kHost, "  # end of disks\n  memory: {low: {for: 5m}, high: {for: 6m}}  # short\n", ""));
  EXPECT_EQ(after({remove({"host", "alertmanager", {}})}),
            with(kHost, "alertmanager:\n  route: {receiver: ops}\n", ""));
}

TEST(PackageEdit, ACopyHasTheCommentsOfItsSource) {
  EXPECT_EQ(
      after({copy(rule("disk", "full"), {"web", "rules", {"disk", "fuller"}})}, "web/package.yaml"),
      "package: web\nversion: 2.0.0\n\nrules:\n  disk:\n    # Nobody remembers why.\n    fuller:\n      for: 1m\n");
  EXPECT_EQ(after({copy({"host", "rules", {"disk"}}, {"web", "rules", {"storage"}})}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\nrules:\n" +
                with(kHost.substr(kHost.find("  # Disks"), kHost.find("  # end of disks") - kHost.find("  # Disks")),
                     "  disk:", "  storage:"));
  EXPECT_EQ(after({copy(rule("memory", "low"), rule("disk", "low"))}),
            with(kHost, "      for: 1m\n", "      for: 1m\n\n    low: {for: 5m}\n"));
  EXPECT_EQ(after({copy(rule("disk", "full"), rule("memory", "full"))}), with(kHost, "6m}}", "6m}, full: {for: 1m}}"));
  EXPECT_EQ(after({copy({"host", "groups", {"net"}}, {"web", "groups", {"lan"}})}, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\ngroups:\n  # Old, but loved.\n  - rules:\n      - alert: A\n"
            "    name: 'lan'\n");
  EXPECT_EQ(after({copy(rule("disk", "full"), rule("disk", "filling"))}), "already_exists");
  EXPECT_EQ(after({copy(rule("disk", "full"), {"host", "rules", {"disk"}})}), "invalid_argument");
  EXPECT_EQ(after({copy(rule("disk", "full"), {"none", "rules", {"a", "b"}})}), "not_found");
}

TEST(PackageEdit, CollectorsThatAreCopiedGetNamesThatAreFreeInTheirPackage) {
  const FileTexts files{{"host/package.yaml",
                         "package: host\nversion: 1.0.0\ncollectors:\n  web:\n    ping: {http: {}}  # the front\n"
                         "    ping-2: {http: {}}\n"},
                        {"web/package.yaml", "package: web\nversion: 2.0.0\n"}};
  const ItemAddress group{"host", "collectors", {"web"}};
  const ItemAddress item{"host", "collectors", {"web", "ping"}};
  EXPECT_EQ(after({copy(group, {"host", "collectors", {"web-2"}})}, "host/package.yaml", files),
            files.at("host/package.yaml") + "  web-2:\n    ping-3: {http: {}}  # the front\n    ping-4: {http: {}}\n");
  EXPECT_EQ(after({copy(item, {"host", "collectors", {"net", "ping"}})}, "host/package.yaml", files),
            files.at("host/package.yaml") + "  net:\n    ping-3: {http: {}}  # the front\n");
  EXPECT_EQ(after({copy(group, {"web", "collectors", {"web"}})}, "web/package.yaml", files),
            "package: web\nversion: 2.0.0\n\ncollectors:\n  web:\n    ping: {http: {}}  # the front\n"
            "    ping-2: {http: {}}\n");
  EXPECT_EQ(after({move(item, {"host", "collectors", {"net", "ping"}})}, "host/package.yaml", files),
            "package: host\nversion: 1.0.0\ncollectors:\n  web:\n    ping-2: {http: {}}\n  net:\n"
            "    ping: {http: {}}  # the front\n");
}

TEST(PackageEdit, AMoveIsACopyThatIsTakenAway) {
  const auto moved = std::vector{move(rule("disk", "full"), {"web", "rules", {"disk", "full"}})};
  EXPECT_EQ(after(moved), with(kHost, "    # Nobody remembers why.\n    full:\n      for: 1m\n", ""));
  EXPECT_EQ(after(moved, "web/package.yaml"),
            "package: web\nversion: 2.0.0\n\nrules:\n  disk:\n    # Nobody remembers why.\n    full:\n      for: 1m\n");
  EXPECT_EQ(after({move(rule("disk", "full"), rule("disk", "fuller"))}), with(kHost, "    full:", "    fuller:"));
}

TEST(PackageEdit, LinkedFilesAreEditedWhereTheItemStands) {
  const FileTexts files{
      {"p/package.yaml",
       "package: p\nversion: 1.0.0\nrules:\n  link: [rules.yaml, more.yaml]\n  own:\n    link: own.yaml\n"},
      {"p/rules.yaml", "# All.\n\n# Disk.\ndisk:\n  full: {for: 1m}\n"},
      {"p/more.yaml", "cpu:\n  hot:\n    for: 2m  # long\n"},
      {"p/own.yaml", "a:\n  for: 3m\n"},
      {"q/package.yaml", "package: q\nversion: 1.0.0\n"}};
  EXPECT_EQ(after({set({"p", "rules", {"cpu", "hot"}}, {"for"}, "9m")}, "p/more.yaml", files),
            "cpu:\n  hot:\n    for: 9m  # long\n");
  EXPECT_EQ(after({make({"p", "rules", {"own", "b"}}, "for: 4m\n")}, "p/own.yaml", files),
            "a:\n  for: 3m\nb:\n  for: 4m\n");
  EXPECT_EQ(after({make({"p", "rules", {"disk", "b"}}, "for: 4m\n")}, "p/rules.yaml", files),
            "# All.\n\n# Disk.\ndisk:\n  full: {for: 1m}\n  b:\n    for: 4m\n");
  EXPECT_EQ(after({make({"p", "rules", {"new", "b"}}, "for: 4m\n", "more.yaml")}, "p/more.yaml", files),
            "cpu:\n  hot:\n    for: 2m  # long\nnew:\n  b:\n    for: 4m\n");
  EXPECT_EQ(after({remove({"p", "rules", {"disk", "full"}})}, "p/rules.yaml", files), "# All.\n\n# Disk.\ndisk: {}\n");
  EXPECT_EQ(after({copy({"p", "rules", {"own"}}, {"q", "rules", {"own"}})}, "q/package.yaml", files),
            "package: q\nversion: 1.0.0\n\nrules:\n  own:\n    a:\n      for: 3m\n");
  EXPECT_EQ(after({move({"p", "rules", {"own"}}, {"p", "rules", {"mine"}})}, "p/package.yaml", files),
            with(files.at("p/package.yaml"), "  own:", "  mine:"));
}

TEST(PackageEdit, PartsOfAPackageAreOne) {
  const FileTexts files{{"p/package.yaml", "package: p\nversion: 1.0.0\nrules:\n  a:\n    x: {for: 1m}\n"},
                        {"p/z.yaml", "package: p\nversion: 1.0.0\nrules:\n  a:\n    y: {for: 1m}\n  b: {}\n"},
                        {"p/other.yaml", "rules: {a: {q: {}}}\n"}};
  EXPECT_EQ(after({set({"p", "rules", {"a", "y"}}, {"for"}, "2m")}, "p/z.yaml", files),
            with(files.at("p/z.yaml"), "1m", "2m"));
  EXPECT_EQ(after({make({"p", "rules", {"b", "n"}}, "for: 2m\n")}, "p/z.yaml", files),
            with(files.at("p/z.yaml"), "  b: {}\n", "  b:\n    n:\n      for: 2m\n"));
  const auto gone = std::vector{remove({"p", "rules", {"a"}})};
  EXPECT_EQ(after(gone, "p/package.yaml", files), "package: p\nversion: 1.0.0\nrules: {}\n");
  EXPECT_EQ(after(gone, "p/z.yaml", files), "package: p\nversion: 1.0.0\nrules:\n  b: {}\n");
  EXPECT_EQ(text_of({"p", "rules", {"a", "q"}}, files), "not_found");
}

TEST(PackageEdit, AnItemWithinAnItemHasAnAddressThatGoesOn) {
  EXPECT_EQ(after({make({"host", "rules", {"disk", "full", "notes", "one"}}, "text: x\n")}),
            with(kHost, "      for: 1m\n", "      for: 1m\n      notes:\n        one:\n          text: x\n"));
  EXPECT_EQ(after({make({"host", "rules", {"disk", "full", "other", "one"}}, "text: x\n")}), "invalid_argument");
}

TEST(PackageEdit, AnAliasIsNeverChangedFromAnotherPlace) {
  const FileTexts files{{"p/package.yaml",
                         "package: p\nversion: 1.0.0\nrules:\n  a:\n    x: &base\n      for: 1m\n    y: *base\n    "
                         "z:\n      <<: *base\n"},
                        {"q/package.yaml", "package: q\nversion: 1.0.0\n"}};
  EXPECT_EQ(after({set({"p", "rules", {"a", "x"}}, {"for"}, "2m")}, "p/package.yaml", files), "unprocessable");
  EXPECT_EQ(after({set({"p", "rules", {"a", "y"}}, {"for"}, "2m")}, "p/package.yaml", files), "unprocessable");
  EXPECT_EQ(after({remove({"p", "rules", {"a", "x"}})}, "p/package.yaml", files), "unprocessable");
  EXPECT_EQ(after({copy({"p", "rules", {"a", "z"}}, {"q", "rules", {"a", "z"}})}, "q/package.yaml", files),
            "package: q\nversion: 1.0.0\n\nrules:\n  a:\n    z:\n      for: 1m\n");
}

TEST(PackageEdit, FilesAndPackagesComeAndGo) {
  EXPECT_EQ(after({{.what = What::kWriteFile, .at = {"web"}, .text = "x", .file = "pages/a.html"}}, "web/pages/a.html"),
            "x");
  EXPECT_EQ(after({{.what = What::kWriteFile, .at = {"web"}, .text = "x", .file = "../a"}}), "invalid_argument");
  EXPECT_EQ(after({{.what = What::kWriteFile, .at = {"none"}, .text = "x", .file = "a"}}), "not_found");
  EXPECT_EQ(after({{.what = What::kRemoveFile, .at = {"web"}, .file = "package.yaml"}}, "web/package.yaml"),
            "(removed)");
  EXPECT_EQ(after({{.what = What::kCreatePackage, .at = {"new"}, .value = "New one"}}, "new/package.yaml"),
            "package: new\nversion: 0.1.0\ntitle: New one\n");
  EXPECT_EQ(after({{.what = What::kCreatePackage, .at = {"web"}}}), "already_exists");
  EXPECT_EQ(after({{.what = What::kCreatePackage, .at = {"../x"}}}), "invalid_argument");
  EXPECT_EQ(after({{.what = What::kRemovePackage, .at = {"web"}}}, "web/package.yaml"), "(removed)");
}

TEST(PackageEdit, OperationsThatUndoOneAnotherChangeNothing) {
  const auto changes =
      apply(world(), {rename(rule("disk", "full"), "x"), rename(rule("disk", "x"), "full")}, find_test_section);
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->empty());
}

TEST(PackageEdit, PathsWithinAPackage) {
  for (const auto* good : {"a", "a/b.yaml", "scripts/x.py", "a b/ñ.html", "a..b"}) EXPECT_TRUE(is_package_path(good));
  for (const auto* bad : {"", "/a", "a/", "a//b", "..", "a/../b", ".git/config", "a/.b", "a\\b", "a\nb"}) {
    EXPECT_FALSE(is_package_path(bad)) << bad;
  }
  EXPECT_FALSE(is_package_path(std::string(256, 'a')));
}

TEST(PackageEdit, ADiffHasThreeLinesAround) {
  EXPECT_EQ(unified_diff({"p/a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"}),
            "--- a/p/a\n+++ b/p/a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(unified_diff({"p/a", std::nullopt, "x\n"}), "--- /dev/null\n+++ b/p/a\n@@ -0,0 +1 @@\n+x\n");
  EXPECT_EQ(unified_diff({"p/a", "x", "y\n"}),
            "--- a/p/a\n+++ b/p/a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n");
  EXPECT_EQ(unified_diff({"p/a", "x\n", std::nullopt}), "--- a/p/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
  EXPECT_EQ(unified_diff({"p/a", "x\n", "x\n"}), "");
}

}  // namespace
}  // namespace atalaya::packages
