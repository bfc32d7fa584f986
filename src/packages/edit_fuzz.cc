// Any operations on any YAML as a package's file: refused, or done so that nothing else has another meaning.
// Input: the text up to a zero byte; after it operations of six bytes each, ten at most.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "config/yaml_value.h"
#include "packages/edit.h"
#include "packages/edit_test_world.h"

namespace {

using namespace atalaya;
using namespace atalaya::packages;
using config::YamlValue;

const std::vector<std::string> kGroups{"disk", "g", "memory", "new one"};
const std::vector<std::string> kNames{"full", "a", "low", "one", "copy", "link"};
const std::vector<std::string> kFields{"for", "a", "text", "b", "0", "name", "labels"};
const std::vector<std::string> kTexts{"",           "for: 1m\n", "# c\na: 1\n", "{a: [b, c]}", "|\n  x\n",
                                      "- a\n- b\n", "a: [",      "&x y",        "x # y"};
const std::vector<std::string> kSections{"rules", "groups", "alertmanager", "scrape_configs"};

ItemAddress address(std::uint8_t a, std::uint8_t b) {
  ItemAddress at{a % 8 == 7 ? "q" : "p", kSections[a / 8 % 8 < 5 ? 0 : a / 8 % kSections.size()], {}};
  if (at.section == "rules") {
    if (b % 8 != 7) at.path.push_back(kGroups[b / 8 % kGroups.size()]);
    if (b % 8 < 6) at.path.push_back(kNames[b / 32 % kNames.size()]);
  } else if (at.section != "alertmanager") {
    at.path.push_back(kNames[b % kNames.size()]);
  }
  return at;
}

Operation operation_of(const std::uint8_t* bytes) {
  Operation operation;
  operation.what = static_cast<Operation::What>(bytes[0] % 8);
  operation.at = address(bytes[1], bytes[2]);
  operation.to = address(bytes[3], bytes[4]);
  operation.to.section = operation.at.section;
  operation.text =
      operation.what == Operation::What::kRename ? kNames[bytes[5] % kNames.size()] : kTexts[bytes[5] % kTexts.size()];
  operation.field.push_back(kFields[bytes[3] % kFields.size()]);
  if (bytes[3] >= 128) operation.field.push_back(kFields[bytes[3] / 8 % kFields.size()]);
  switch (bytes[4] % 4) {
    case 0: operation.value = kTexts[bytes[5] % kTexts.size()]; break;
    case 1: operation.value = 1; break;
    case 2: operation.value = YamlValue::map({{"a", "b"}, {"c", YamlValue::list({1})}}); break;
    default: break;
  }
  return operation;
}

/// What a file means; nothing for what is no YAML.
std::optional<YamlValue> meaning(const FileTexts& files, const std::string& file) {
  const auto found = files.find(file);
  if (found == files.end()) return std::nullopt;
  const auto document = config::Document::parse(found->second, file);
  if (!document) return std::nullopt;
  return config::value_of(document->root());
}

/// All sections but that of the operation mean what they did.
void check_others(const FileTexts& before, const FileTexts& after, const Operation& operation) {
  for (const auto& [file, text] : after) {
    const auto old = meaning(before, file);
    const auto now = meaning(after, file);
    AT_CHECK(old.has_value() == now.has_value());
    if (!old) continue;
    for (const auto& [key, value] : old->entries) {
      if (key == operation.at.section) continue;
      const auto* there = now->get(key);
      AT_CHECK(there != nullptr && *there == value);
    }
    // Within it, all groups (items) but those that the operation names.
    const auto* section = old->get(operation.at.section);
    const auto* section_now = now->get(operation.at.section);
    if (!section || operation.at.path.empty() || section->kind != YamlValue::Kind::kMap) continue;
    AT_CHECK(section_now != nullptr);
    for (const auto& [key, value] : section->entries) {
      if (key == operation.at.path[0] || (!operation.to.path.empty() && key == operation.to.path[0])) continue;
      const auto* there = section_now->get(key);
      AT_CHECK(there != nullptr && *there == value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kOne = 6;
  if (size > 16 << 10) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto text = input.substr(0, input.find('\0'));
  std::vector<Operation> operations;
  for (auto at = text.size() + 1; at + kOne <= size && operations.size() < 10; at += kOne) {
    operations.push_back(operation_of(data + at));
  }
  FileTexts files{{"p/package.yaml", text},
                  {"q/package.yaml", "package: q\nversion: 1.0.0\nrules:\n  disk:\n    full: {for: 1m}  # c\n"}};
  for (const auto& operation : operations) {
    (void)find_item(files, operation.at, find_test_section);
    const auto changes = apply(files, {operation}, find_test_section);
    if (!changes) {
      AT_CHECK(!changes.error().message.empty());
      continue;
    }
    auto after = files;
    for (const auto& change : *changes) {
      AT_CHECK(change.before == files.at(change.file));
      AT_CHECK(!unified_diff(change).empty());
      after[change.file] = *change.after;
    }
    check_others(files, after, operation);
    files = std::move(after);
  }
  return 0;
}
