#include "packages/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/yaml_compose.h"

namespace atalaya::packages {
namespace {

using config::Errors;
using config::Node;

constexpr std::array<std::string_view, 8> kKeys{"package",  "version", "title",    "help",
                                                "requires", "imports", "override", "fallbacks"};

void complain(Errors& errors, const Node& node, std::string message, std::string remedy = {}) {
  errors.push_back({ErrorCode::kInvalidArgument, std::move(message), node.place(), std::move(remedy)});
}

std::string text_of(const Node& root, std::string_view key, bool required, Errors& errors) {
  const auto* node = root.get(key);
  std::string text;
  if (node == nullptr || node->is_null()) {
    if (required) {
      complain(errors, root, fmt::format("a package file has no \"{}\"", key), fmt::format("add {}: …", key));
    }
    return text;
  }
  config::decode(*node, text, errors);
  return text;
}

void read_requirements(const Node& root, Manifest& manifest, Errors& errors) {
  const auto* node = root.get("requires");
  if (node == nullptr || node->is_null() || !config::expect_mapping(*node, errors)) return;
  for (const auto& entry : node->entries()) {
    const auto written = entry.value->is_null() ? std::string("*") : entry.value->text();
    auto range = VersionRange::parse(entry.value->is_scalar() ? written : "");
    if (!range) {
      complain(errors, *entry.value, range.error().message, range.error().remedy);
      range = VersionRange::parse("*");  // whether the package is there is told as well
    }
    manifest.requirements.push_back({entry.key->text(), written, std::move(*range), entry.key->place()});
  }
}

void read_mentions(const Node& root, std::string_view key, std::vector<Mention>& out, Errors& errors) {
  const auto* node = root.get(key);
  if (node == nullptr || node->is_null()) return;
  const auto add = [&](const Node& one) {
    if (config::is_text(one) && is_item_name(one.text())) {
      out.push_back({one.text(), one.place()});
    } else {
      complain(errors, one, fmt::format("{} is no name of a package", config::describe(one)),
               std::string(kItemNameRemedy));
    }
  };
  if (node->is_scalar()) return add(*node);
  if (!config::expect_sequence(*node, errors)) return;
  for (const auto* one : node->items()) add(*one);
}

void read_overrides(const config::Document& file, Manifest& manifest, Errors& errors) {
  const auto* node = file.root().get("override");
  if (node == nullptr || node->is_null() || !config::expect_mapping(*node, errors)) return;
  for (const auto& entry : node->entries()) {
    if (!config::expect_mapping(*entry.value, errors)) continue;
    manifest.overrides.push_back({entry.key->text(), config::part_of(file, *entry.value)});
  }
}

}  // namespace

bool is_manifest_key(std::string_view key) { return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end(); }

bool is_item_name(std::string_view name) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 64 && is_alnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

void read_manifest(const config::Document& file, const std::string& folder, Manifest& manifest, Errors& errors) {
  const auto& root = file.root();
  if (!config::expect_mapping(root, errors)) return;
  const auto name = text_of(root, "package", true, errors);
  if (!name.empty() && name != folder) {
    complain(errors, *root.get("package"), fmt::format("package \"{}\" stands in the folder \"{}\"", name, folder),
             fmt::format("write package: {}, or rename the folder", folder));
  }
  const auto version = text_of(root, "version", true, errors);
  if (!version.empty()) {
    const auto& node = *root.get("version");
    if (const auto parsed = Version::parse(version); !parsed) {
      complain(errors, node, parsed.error().message, parsed.error().remedy);
    } else if (manifest.version.empty()) {
      manifest.version = version;
    } else if (manifest.version != version) {
      complain(errors, node,
               fmt::format("version {} here, {} in another file of the package", version, manifest.version),
               "all files of a package have one version");
    }
  }
  if (auto title = text_of(root, "title", false, errors); !title.empty()) manifest.title = std::move(title);
  if (auto help = text_of(root, "help", false, errors); !help.empty()) manifest.help = std::move(help);
  read_requirements(root, manifest, errors);
  read_mentions(root, "imports", manifest.imports, errors);
  read_mentions(root, "fallbacks", manifest.fallbacks, errors);
  read_overrides(file, manifest, errors);
}

}  // namespace atalaya::packages
