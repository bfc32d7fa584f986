#include "schema/type.h"

#include <algorithm>
#include <array>

namespace atalaya::schema {
namespace {

struct Row {
  std::string_view name;
  std::string_view help;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

/// In the order of Kind.
constexpr std::array kRows{
    Row{"text", "a text"},
    Row{"markdown", "a text with Markdown"},
    Row{"integer", "a whole number"},
    Row{"number", "a number"},
    Row{"ratio", "a number from 0 to 1, or such as 15%", 0, 1},
    Row{"boolean", "true or false"},
    Row{"duration", "a duration such as 30s"},
    Row{"bytes", "a number of bytes such as 512, 64KiB, 8MB"},
    Row{"time", "a time such as 2026-01-31T12:00:00Z"},
    Row{"cron", "a schedule such as */5 * * * *, or @daily"},
    Row{"zone", "a time zone such as Europe/Madrid"},
    Row{"regex", "a regular expression (RE2)"},
    Row{"promql", "a PromQL expression"},
    Row{"selector", "a selector such as {job=\"node\"}"},
    Row{"url", "an HTTP address such as https://example.org/path"},
    Row{"host", "a DNS name or an IP address"},
    Row{"port", "a port number", 1, 65535},
    Row{"path", "an absolute path"},
    Row{"email", "an e-mail address such as ana@example.org"},
    Row{"colour", "a colour such as #2f6fab, or a name such as accent"},
    Row{"secret", "a text that is dots wherever values are shown; only who edits the YAML reads it there"},
    Row{"enumeration", "one of a few words"},
    Row{"reference", "the id of an item"},
    Row{"list", "a list"},
    Row{"map", "names with values"},
    Row{"record", "named fields"},
    Row{"script", "a program, or {file: scripts/x.py}"},
    Row{"any", "anything"},
};

}  // namespace

std::string_view name(Kind kind) { return kRows[static_cast<std::size_t>(kind)].name; }

std::optional<Kind> parse_kind(std::string_view text) {
  const auto found = std::find_if(kRows.begin(), kRows.end(), [&](const Row& row) { return row.name == text; });
  if (found == kRows.end()) return std::nullopt;
  return static_cast<Kind>(found - kRows.begin());
}

const TypePtr& builtin(Kind kind) {
  static const auto all = [] {
    std::array<TypePtr, kRows.size()> types;
    for (std::size_t i = 0; i < types.size(); ++i) {
      auto type = std::make_shared<Type>();
      type->kind = static_cast<Kind>(i);
      type->name = kRows[i].name;
      type->help = kRows[i].help;
      type->least = kRows[i].least;
      type->most = kRows[i].most;
      types[i] = std::move(type);
    }
    return types;
  }();
  static_assert(kRows.size() == static_cast<std::size_t>(Kind::kAny) + 1);
  return all[static_cast<std::size_t>(kind)];
}

bool is_textual(Kind kind) {
  switch (kind) {
    case Kind::kText:
    case Kind::kMarkdown:
    case Kind::kCron:
    case Kind::kZone:
    case Kind::kRegex:
    case Kind::kPromql:
    case Kind::kSelector:
    case Kind::kUrl:
    case Kind::kHost:
    case Kind::kPath:
    case Kind::kEmail:
    case Kind::kColour:
    case Kind::kSecret: return true;
    default: return false;
  }
}

bool is_numeric(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
    case Kind::kNumber:
    case Kind::kRatio:
    case Kind::kPort:
    case Kind::kDuration:
    case Kind::kBytes: return true;
    default: return false;
  }
}

bool is_any(std::string_view section) { return section == "any" || section == "entity"; }

std::string title_from(std::string_view name) {
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

std::string title_of(const Field& field) { return field.title.empty() ? title_from(field.name) : field.title; }

}  // namespace atalaya::schema
