#include "schema/scalars.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "calendar/cron.h"
#include "calendar/zone.h"
#include "config/sizes.h"
#include "config/suggest.h"
#include "net/url.h"
#include "schema/good_texts.h"
#include "schema/names.h"
#include "schema/query_text.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::Node;

/// What one compiled expression may take.
constexpr std::int64_t kRegexMemory = 1 << 20;

std::unexpected<Error> wrong(const Node& node, std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, node.place(), std::move(message), std::move(remedy));
}

/// A value that would hold by its kind; "" where none says more than the message.
std::string_view example_of(Kind kind) {
  switch (kind) {
    case Kind::kInteger: return "5";
    case Kind::kPort: return "8080";
    case Kind::kNumber: return "0.5";
    case Kind::kRatio: return "0.15 or 15%";
    case Kind::kBoolean: return "true";
    case Kind::kDuration: return "30s";
    case Kind::kBytes: return "8MiB";
    case Kind::kTime: return "2026-01-31T12:00:00Z";
    default: return {};
  }
}

std::string remedy_for(const Node& node, const Type& type) {
  const auto example = example_of(type.kind);
  const auto such = example.empty() ? std::string() : fmt::format(", e.g. {}", example);
  if (node.is_null()) return fmt::format("write a value{}, or remove the key", such);
  if (!node.is_scalar() && type.kind != Kind::kScript) return fmt::format("write one value here{}", such);
  return example.empty() ? std::string() : fmt::format("e.g. {}", example);
}

std::unexpected<Error> expected(const Node& node, const Type& type, std::string remedy = {}) {
  if (remedy.empty()) remedy = remedy_for(node, type);
  return wrong(node, fmt::format("must be {}, found {}", wanted(type), shown(node, type)), std::move(remedy));
}

/// The text for a message; an address with an @ may hold a password and is not repeated.
std::string quoted(const Node& node) {
  if (node.text().find('@') != std::string::npos) return "this";
  return fmt::format("\"{}\"", std::string_view(node.text()).substr(0, 64));
}

/// An error about the text within the scalar.
std::unexpected<Error> within(const Node& node, Error error) {
  error.place = place_within({}, node, error.place.value_or(Place{}));
  return std::unexpected(std::move(error));
}

Status check_promql(const Node& node, bool selector) {
  auto held = check_query(node.text(), selector);
  if (!held) return within(node, std::move(held).error());
  return {};
}

Status check_regex(const Node& node) {
  static GoodTexts good;
  if (good.contains(node.text())) return {};
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kRegexMemory);
  const re2::RE2 pattern(node.text(), options);
  if (pattern.ok()) {
    good.add(node.text());
    return {};
  }
  return wrong(node, "bad regular expression: " + pattern.error(),
               pattern.error_code() == re2::RE2::ErrorPatternTooLarge
                   ? "make it smaller: repetition counts multiply its cost"
                   : "the syntax is RE2's (https://github.com/google/re2/wiki/Syntax)");
}

Status check_url(const Node& node) {
  const auto url = net::parse_url(node.text());
  if (url && (url->scheme == "http" || url->scheme == "https")) return {};
  return wrong(node, quoted(node) + " is no HTTP address", "e.g. http://127.0.0.1:8080/health");
}

Status check_form(bool good, const Node& node, std::string_view what, std::string remedy) {
  if (good) return {};
  return wrong(node, fmt::format("{} is no {}", quoted(node), what), std::move(remedy));
}

/// Text of any form: what is written must hold by its kind.
Status check_text(const Node& node, const Type& type) {
  const auto& text = node.text();
  switch (type.kind) {
    case Kind::kPromql: return check_promql(node, false);
    case Kind::kSelector: return check_promql(node, true);
    case Kind::kRegex: return check_regex(node);
    case Kind::kUrl: return check_url(node);
    case Kind::kHost: return check_form(is_host(text), node, "host", "a DNS name or an IP address, without port");
    case Kind::kPath: return check_form(text.starts_with('/'), node, "absolute path", "begin it with /");
    case Kind::kEmail: return check_form(is_email(text), node, "e-mail address", "e.g. ana@example.org");
    case Kind::kColour: return check_form(is_colour(text), node, "colour", "#rrggbb, or one of " + colour_names());
    case Kind::kCron: {
      auto cron = calendar::Cron::parse(text);
      if (!cron) return within(node, cron.error());
      return {};
    }
    case Kind::kZone: {
      auto zone = calendar::Zone::find(text);
      if (!zone) return within(node, zone.error());
      return {};
    }
    default: return {};
  }
}

Result<json::value> read_ratio(const Node& node, const Type& type) {
  std::string_view text = node.text();
  if (node.is_scalar() && text.ends_with('%')) {
    text.remove_suffix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    double percent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (error == std::errc{} && end == text.data() + text.size() && std::isfinite(percent)) return percent / 100;
    return expected(node, type);
  }
  const auto number = config::as_number(node);
  if (!number || !std::isfinite(*number)) return expected(node, type);
  return *number;
}

Result<json::value> read_number(const Node& node, const Type& type) {
  switch (type.kind) {
    case Kind::kInteger:
    case Kind::kPort: {
      const auto value = config::as_integer(node);
      if (!value) return expected(node, type, value.error().remedy);
      return *value;
    }
    case Kind::kNumber: {
      const auto value = config::as_number(node);
      if (!value) return expected(node, type, value.error().remedy);
      if (!std::isfinite(*value)) return wrong(node, "must be a finite number", "write it in digits, e.g. 1e18");
      return *value;
    }
    case Kind::kRatio: return read_ratio(node, type);
    case Kind::kDuration: {
      const auto value = config::as_duration(node);
      if (!value) return expected(node, type, value.error().remedy);
      return static_cast<std::int64_t>(value->count());
    }
    default: {
      const auto value = config::as_bytes(node);
      if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return expected(node, type);
      }
      return static_cast<std::int64_t>(*value);
    }
  }
}

Result<json::value> read_time(const Node& node, const Type& type) {
  // Unix seconds would be read too; in a file they would be a riddle.
  const auto& text = node.text();
  if (!node.is_scalar() || text.size() < 20 || text[4] != '-') return expected(node, type);
  const auto time = parse_time(text);
  if (!time) return expected(node, type);
  return to_ms(*time);
}

Result<json::value> read_enumeration(const Node& node, const Type& type) {
  if (node.is_scalar()) {
    for (const auto& choice : type.choices) {
      if (choice.value == node.text()) return json::value(json::string(choice.value));
    }
  }
  if (!node.is_scalar() || node.is_null()) return expected(node, type);
  std::vector<std::string> words;
  for (const auto& choice : type.choices) words.push_back(choice.value);
  for (const auto& word : type.or_words) words.push_back(word);
  return wrong(node, quoted(node) + " is no value", config::suggestion(node.text(), words));
}

Result<json::value> read_script(const Node& node, const Type& type) {
  if (node.is_mapping()) {
    const auto* file = node.get("file");
    if (file == nullptr || node.entries().size() != 1 || !file->is_scalar()) return expected(node, type);
    if (!is_path_within(file->text())) {
      return wrong(*file, quoted(*file) + " is no path within the package", "e.g. scripts/check.py");
    }
    return json::object{{"file", file->text()}};
  }
  if (!node.is_scalar() || node.is_null()) return expected(node, type);
  // As in schemas and types: a path in a folder is no program.
  const auto& text = node.text();
  const bool is_path = text.find('/') != std::string::npos && text.find_first_of(" \t#") == std::string::npos;
  if (is_path && is_path_within(text)) return json::object{{"file", text}};
  if (!text.starts_with("#!/")) {
    return wrong(node, "a program begins with #! and its interpreter",
                 "begin it with #!/bin/sh, or write {file: scripts/check.py}");
  }
  return json::value(json::string(text));
}

}  // namespace

std::string wanted(const Type& type) {
  std::string text(builtin(type.kind)->help);
  if (type.kind == Kind::kEnumeration) {
    text = "one of ";
    for (const auto& choice : type.choices) text += (&choice == &type.choices.front() ? "" : ", ") + choice.value;
  }
  for (const auto& word : type.or_words) text += ", or " + word;
  return text;
}

std::string shown(const Node& node, const Type& type) {
  if (node.is_scalar() && !node.is_null() &&
      (type.kind == Kind::kSecret || node.text().find('@') != std::string::npos)) {
    return "a text";
  }
  return config::describe(node);
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string bound_text(double bound, Kind kind) {
  if (kind == Kind::kDuration) return format_duration(Duration{static_cast<std::int64_t>(bound)});
  if (kind == Kind::kBytes && bound >= 0) return config::format_bytes(static_cast<std::uint64_t>(bound));
  return fmt::format("{}", bound);
}

Result<json::value> read_scalar(const Node& node, const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean: {
      const auto value = config::as_boolean(node);
      if (!value) return expected(node, type, value.error().remedy);
      return *value;
    }
    case Kind::kTime: return read_time(node, type);
    case Kind::kEnumeration: return read_enumeration(node, type);
    case Kind::kScript: return read_script(node, type);
    default: break;
  }
  if (is_numeric(type.kind)) return read_number(node, type);
  if (!node.is_scalar() || node.is_null()) return expected(node, type);
  AT_TRY(check_text(node, type));
  return json::value(json::string(node.text()));
}

Status check_limits(const json::value& plain, const Node& node, const Type& type) {
  const bool numeric = is_numeric(type.kind);
  double measure = 0;
  if (const auto* number = plain.if_double()) {
    measure = *number;
  } else if (const auto* integer = plain.if_int64()) {
    measure = static_cast<double>(*integer);
  } else if (const auto* text = plain.if_string()) {
    measure = static_cast<double>(length_of(*text));
  } else if (const auto* list = plain.if_array()) {
    measure = static_cast<double>(list->size());
  } else if (const auto* map = plain.if_object()) {
    measure = static_cast<double>(map->size());
  }
  if (!(measure >= type.least && measure <= type.most)) {
    const auto least = bound_text(type.least, type.kind);
    const auto most = bound_text(type.most, type.kind);
    const auto bounds = std::isinf(type.most)    ? fmt::format("at least {}", least)
                        : std::isinf(type.least) ? fmt::format("at most {}", most)
                                                 : fmt::format("{} to {}", least, most);
    if (numeric) {
      const auto value = type.kind == Kind::kDuration || type.kind == Kind::kBytes ? bound_text(measure, type.kind)
                                                                                   : fmt::format("{:g}", measure);
      return wrong(node, fmt::format("is {}; it must be {}", value, bounds),
                   fmt::format("the nearest is {}", measure < type.least ? least : most));
    }
    const auto* unit = plain.is_string() ? "characters" : "entries";
    const bool short_of = measure < type.least;
    return wrong(node, fmt::format("has {:g} {}; it must have {}", measure, unit, bounds),
                 fmt::format("{} at least {:g}", short_of ? "add" : "take away",
                             short_of ? type.least - measure : measure - type.most));
  }
  if (type.pattern.empty() || !plain.is_string()) return {};
  const auto& text = plain.get_string();
  const re2::StringPiece piece(text.data(), text.size());
  const bool good =
      type.matcher ? re2::RE2::FullMatch(piece, *type.matcher) : re2::RE2::FullMatch(piece, re2::RE2(type.pattern));
  if (good) return {};
  const bool named = !type.package.empty();
  const auto what = type.kind == Kind::kSecret ? std::string("this") : quoted(node);
  return wrong(node, named ? fmt::format("{} is no {}", what, type.name) : fmt::format("{} does not fit", what),
               type.pattern_help.empty() ? "it must match " + type.pattern : type.pattern_help);
}

}  // namespace atalaya::schema
