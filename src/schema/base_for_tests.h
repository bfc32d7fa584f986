// The base package's sections and types, for tests of what builds on them.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/check.h"
#include "config/yaml.h"
#include "schema/schema_set.h"

namespace atalaya::schema {

inline std::string read_base_file(const std::string& name) {
  std::ifstream in(std::filesystem::path(AT_SOURCE_DIR) / "packages/base" / name);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// `text` under the key `name`, nested by `indent`.
inline std::string nested(const std::string& name, const std::string& text, std::size_t indent) {
  std::string out = std::string(indent - 2, ' ') + name + ":\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += std::string(line.empty() ? 0 : indent, ' ') + line + '\n';
  return out;
}

/// package.yaml of base with its links followed, as one text.
inline std::string base_text() {
  const auto manifest = config::Document::parse(read_base_file("package.yaml"), "package.yaml");
  AT_CHECK(manifest.has_value());
  std::string out = nested("types", read_base_file(manifest->root().get({"types", "link"})->text()), 2) + "schemas:\n";
  for (const auto& entry : manifest->root().get("schemas")->entries()) {
    out += nested(entry.key->text(), read_base_file(entry.value->get("link")->text()), 4);
  }
  return out;
}

inline const config::Document& base_document() {
  static const auto document = config::Document::parse(base_text(), "base.yaml");
  AT_CHECK(document.has_value());
  return *document;
}

inline Source base_source() {
  const auto& root = base_document().root();
  return {"base", root.get("schemas"), root.get("types"), {}};
}

}  // namespace atalaya::schema
