// Hostile YAML: whatever the bytes, the tree is within its limits, every node lies within the text,
// its value survives being written again, and edits change what they say or nothing.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "config/yaml.h"
#include "config/yaml_edit.h"
#include "config/yaml_value.h"

namespace {

using namespace atalaya::config;

void walk(const Document& document, const Node& node) {
  AT_CHECK(node.full_begin() <= node.begin());
  AT_CHECK(node.begin() <= document.text().size());
  AT_CHECK(node.end() <= document.text().size());
  AT_CHECK(node.place().line >= 1 && node.place().column >= 1);
  (void)describe(node);
  (void)as_number(node);
  (void)as_duration(node);
  (void)as_bytes(node);
  for (const auto& entry : node.entries()) {
    AT_CHECK(entry.key->is_scalar());
    walk(document, *entry.key);
    walk(document, *entry.value);
  }
  for (const auto* item : node.items()) walk(document, *item);
}

YamlPath first_path(const Node& root) {
  YamlPath path;
  const auto* node = &root;
  while (!node->is_scalar()) {
    if (!node->entries().empty()) {
      path.push_back(node->entries().back().key->text());
      node = node->entries().back().value;
    } else if (!node->items().empty()) {
      path.push_back(std::to_string(node->items().size() - 1));
      node = node->items().back();
    } else {
      break;
    }
  }
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const YamlLimits limits{.bytes = 1 << 16, .depth = 16, .nodes = 2000};
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = Document::parse(text, "fuzz", limits);
  if (!document) {
    AT_CHECK(!document.error().message.empty());
    return 0;
  }
  walk(*document, document->root());

  const auto value = value_of(document->root());
  const YamlLimits roomy;
  for (const auto& written : {write_block(value), write_flow(value)}) {
    const auto again = Document::parse(written, "written", roomy);
    AT_CHECK(again.has_value());
    AT_CHECK(value_of(again->root()) == value);
  }

  auto editor = YamlEditor::open(text, "fuzz", roomy).value();
  const auto path = first_path(document->root());
  const auto before = editor.text();
  if (!editor.set(path, "a: #b")) AT_CHECK(editor.text() == before);
  (void)editor.insert({}, "added", YamlValue::list({1}));
  (void)editor.append(path, "x");
  (void)editor.rename(path, "renamed");
  (void)editor.remove(path);
  return 0;
}
