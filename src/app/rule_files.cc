#include "app/rule_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/groups/first_document.h"
#include "rules/groups/glob.h"
#include "schema/validate.h"

namespace atalaya::app {
namespace {

constexpr std::size_t kMaxBytes = 32 << 20;

/// The first part of the ids of a file's groups: no slash in it.
std::string id_prefix(std::string path) {
  std::ranges::replace(path, '/', ':');
  return path;
}

}  // namespace

RuleFile read_rule_text(std::string text, const std::string& path, const TenantId& tenant, bool ignore_unknown) {
  RuleFile out{path, {}, {}};
  text.resize(rules::first_document_size(text));
  const auto document = config::Document::parse(std::move(text), path, out.errors);
  if (!document) {
    out.errors.push_back(document.error());
    return out;
  }
  const rules::ReadGroups options{tenant, path, id_prefix(path), ignore_unknown,
                                  [&](const config::Node& scalar, const Place& in_text) {
                                    return schema::place_within(document->text(), scalar, in_text);
                                  }};
  out.groups = rules::read_rule_file(document->root(), options, out.errors);
  config::sort_by_place(out.errors);
  return out;
}

RuleFile read_rule_file(io::FileSystem& files, const std::string& path, const TenantId& tenant, bool ignore_unknown) {
  auto text = io::read_file(files, path, kMaxBytes);
  if (!text) return {path, {}, {text.error()}};
  return read_rule_text(std::move(*text), path, tenant, ignore_unknown);
}

RuleFiles read_rule_files(io::FileSystem& files, const std::vector<std::string>& patterns, const TenantId& tenant) {
  RuleFiles out;
  std::set<std::string> seen;
  for (const auto& pattern : patterns) {
    if (!rules::is_glob(pattern)) {
      out.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("{}: syntax error in pattern", pattern), {}, {}});
      continue;
    }
    for (const auto& path : rules::expand_glob(files, pattern)) {
      if (!seen.insert(path).second) continue;
      auto file = read_rule_file(files, path, tenant);
      std::ranges::move(file.groups, std::back_inserter(out.groups));
      std::ranges::move(file.errors, std::back_inserter(out.errors));
    }
  }
  return out;
}

}  // namespace atalaya::app
