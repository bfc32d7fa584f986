#include "packages/rules_of_folder.h"

#include "config/yaml.h"
#include "packages/disk.h"

namespace atalaya::packages {
namespace {

using Values = std::map<std::string, std::string>;

void add_defaults(const config::Node& root, Values& values) {
  const auto* parameters = root.get("parameters");
  if (parameters == nullptr) return;
  for (const auto& [name, field, merged] : parameters->entries())
    if (const auto* fallback = field->get("default")) values.try_emplace(name->text(), fallback->text());
}

void replace_all(std::string& text, const std::string& mark, const std::string& value) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

/// `${name}` → its value; a scalar that is nothing else loses its quotes, so that it may be a number.
std::string filled_in(std::string text, const Values& values) {
  for (const auto& [name, value] : values) {
    const auto mark = "${" + name + "}";
    replace_all(text, "'" + mark + "'", value);
    replace_all(text, mark, value);
  }
  return text;
}

/// The package's head and its rules; nothing else of it matters here.
std::string with_rules_only(const config::Document& document) {
  std::string out;
  const auto& entries = document.root().entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& name = entries[i].key->text();
    if (name != "package" && name != "version" && name != "rules") continue;
    const auto begin = entries[i].key->begin();
    const auto end = i + 1 < entries.size() ? entries[i + 1].key->begin() : document.text().size();
    out += document.text().substr(begin, end - begin);
  }
  return out;
}

}  // namespace

Result<std::vector<rules::RuleSpec>> rules_of_folder(io::FileSystem& files, const std::string& folder,
                                                     const std::map<std::string, std::string>& parameters) {
  const auto name = folder.substr(folder.rfind('/') + 1);
  auto sources = read_folder(files, folder, folder);
  std::vector<config::Document> documents;
  auto values = parameters;
  for (const auto& source : sources) {
    if (source.unreadable) return std::unexpected(*source.unreadable);
    if (source.name.find('/') != std::string::npos) continue;
    AT_TRY(auto document, config::Document::parse(source.text, source.path));
    if (document.root().get("package") == nullptr) continue;
    add_defaults(document.root(), values);
    documents.push_back(std::move(document));
  }
  sources.clear();
  for (const auto& document : documents)
    sources.push_back({document.file(), "package.yaml", filled_in(with_rules_only(document), values), std::nullopt});
  if (sources.empty()) return std::vector<rules::RuleSpec>{};
  auto loaded = load_package(default_tenant(), name, sources, {});
  if (!loaded.errors.empty()) return std::unexpected(loaded.errors.front());
  return std::move(loaded.package.rules);
}

}  // namespace atalaya::packages
