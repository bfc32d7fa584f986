// Reading text/plain, text/occi and text/uri-list.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "occi/text.h"

namespace atalaya::occi {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
  });
}

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

/// The beginning of what somebody wrote, for messages.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 80));
  if (!is_clean(out)) return "(not printable)";
  return text.size() > out.size() ? out + "…" : out;
}

/// At `separator` outside of quotes.
Result<std::vector<std::string_view>> split(std::string_view value, char separator) {
  std::vector<std::string_view> out;
  bool in_quotes = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\') {
      if (!in_quotes) return wrong(fmt::format("a backslash outside of quotes: {}", shown(value)));
      ++i;
    } else if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == separator && !in_quotes) {
      out.push_back(trimmed(value.substr(begin, i - begin)));
      begin = i + 1;
      if (out.size() > kMostLines) return fail(ErrorCode::kTooLarge, fmt::format("more than {} values", kMostLines));
    }
  }
  if (in_quotes) return wrong(fmt::format("a closing quote is missing: {}", shown(value)));
  out.push_back(trimmed(value.substr(begin)));
  return out;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = trimmed(text)).empty()) {
    const auto end = text.find(' ');
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  return out;
}

struct Parameter {
  std::string name;
  std::string_view raw;
};

Result<Parameter> parameter(std::string_view part, const std::string& of) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) return wrong(fmt::format("{}: \"{}\" has no value", of, shown(part)));
  Parameter out{std::string(trimmed(part.substr(0, equals))), trimmed(part.substr(equals + 1))};
  if (!is_attribute_name(out.name)) return wrong(fmt::format("{}: \"{}\" is no name", of, shown(out.name)));
  return out;
}

/// `class=kind` without quotes is met in the wild.
Result<std::string> text_parameter(const Parameter& given, const std::string& of) {
  if (!given.raw.starts_with('"')) {
    if (!is_clean(given.raw) || given.raw.find('"') != std::string_view::npos)
      return wrong(fmt::format("{}: {} must stand in double quotes", of, given.name));
    return std::string(given.raw);
  }
  auto value = parse_value(given.name, given.raw);
  if (!value) return fail_within(of, std::move(value).error());
  return std::get<std::string>(*value);
}

Result<std::vector<AttributeMark>> attribute_marks(std::string_view text, const std::string& of) {
  std::vector<AttributeMark> out;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(" {"), text.size());
    AttributeMark mark;
    mark.name = std::string(text.substr(0, end));
    text.remove_prefix(end);
    if (!is_attribute_name(mark.name)) return wrong(fmt::format("{}: \"{}\" is no attribute", of, shown(mark.name)));
    if (text.starts_with('{')) {
      const auto close = text.find('}');
      if (close == std::string_view::npos) return wrong(fmt::format("{}: {} has no closing brace", of, mark.name));
      for (const auto& word : words(text.substr(1, close - 1))) {
        if (word != "immutable" && word != "required") {
          return wrong(fmt::format("{}: attribute {} is marked \"{}\"", of, mark.name, shown(word)),
                       "immutable, required or both");
        }
        (word == "required" ? mark.required : mark.immutable) = true;
      }
      text.remove_prefix(close + 1);
    }
    out.push_back(std::move(mark));
    if (out.size() > kMostAttributes) return fail(ErrorCode::kTooLarge, fmt::format("{}: too many attributes", of));
  }
  return out;
}

/// What stands bare: none of the characters that end or quote something.
bool is_address(std::string_view text) {
  return !text.empty() && text.size() <= 4 * kMostNameBytes && is_clean(text) &&
         text.find_first_of(" \"<>\\,;") == std::string_view::npos;
}

Status take(CategoryLine& out, const Parameter& given, const std::string& of) {
  if (given.name == "attributes" && given.raw.size() > kMostValueBytes)
    return fail(ErrorCode::kTooLarge, fmt::format("{}: attributes are longer than {} bytes", of, kMostValueBytes));
  AT_TRY(const auto text, text_parameter(given, of));
  const auto bounded = [&](std::string& field) -> Status {
    if (!field.empty()) return wrong(fmt::format("{}: {} stands twice", of, given.name));
    if (text.size() > kMostNameBytes)
      return fail(ErrorCode::kTooLarge, fmt::format("{}: {} is too long", of, given.name));
    field = text;
    return {};
  };
  if (given.name == "scheme") return bounded(out.scheme);
  if (given.name == "class") return bounded(out.cls);
  if (given.name == "title") return bounded(out.title);
  if (given.name == "location") return bounded(out.location);
  if (given.name == "rel") out.rel = words(text);
  if (given.name == "actions") out.actions = words(text);
  if (given.name == "attributes") {
    AT_TRY(out.attributes, attribute_marks(text, of));
  }
  return {};
}

Result<CategoryLine> parse_category(std::string_view value) {
  AT_TRY(const auto parts, split(value, ';'));
  CategoryLine out;
  out.term = std::string(parts.front());
  if (!is_attribute_name(out.term)) {
    return wrong(fmt::format("Category: \"{}\" is no term", shown(out.term)), "term; scheme=\"…\"; class=\"kind\"");
  }
  const auto of = "Category " + out.term;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty() && i + 1 == parts.size()) break;  // a semicolon at the end
    AT_TRY(const auto given, parameter(parts[i], of));
    AT_TRY(take(out, given, of));
  }
  if (out.scheme.empty()) return wrong(of + " has no scheme", "scheme=\"http://schemas.ogf.org/occi/infrastructure#\"");
  return out;
}

Result<LinkLine> parse_link(std::string_view value) {
  AT_TRY(const auto parts, split(value, ';'));
  const auto target = parts.front();
  if (target.size() < 3 || !target.starts_with('<') || !target.ends_with('>') ||
      !is_address(target.substr(1, target.size() - 2))) {
    return wrong(fmt::format("Link: \"{}\" is no target", shown(target)), "</network/1>; rel=\"…\"");
  }
  LinkLine out;
  out.target = std::string(target.substr(1, target.size() - 2));
  const auto of = fmt::format("Link <{}>", shown(out.target));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty() && i + 1 == parts.size()) break;
    AT_TRY(const auto given, parameter(parts[i], of));
    if (given.name == "rel" || given.name == "self" || given.name == "category") {
      AT_TRY(const auto text, text_parameter(given, of));
      if (given.name == "rel") out.rel = words(text);
      if (given.name == "category") out.categories = words(text);
      if (given.name == "self") out.self = text;
      continue;
    }
    auto read = parse_value(given.name, given.raw);
    if (!read) return fail_within(of, std::move(read).error());
    if (find(out.attributes, given.name) != nullptr) return wrong(fmt::format("{}: {} stands twice", of, given.name));
    out.attributes.emplace_back(given.name, std::move(*read));
    if (out.attributes.size() > kMostAttributes) return fail(ErrorCode::kTooLarge, of + " has too many attributes");
  }
  return out;
}

/// Fills a message from values, one after the other.
class Filler {
 public:
  Status category(std::string_view value) {
    AT_TRY(auto line, parse_category(value));
    if (!seen_.insert(line.id()).second) return wrong(fmt::format("Category {} stands twice", line.id()));
    message_.categories.push_back(std::move(line));
    return {};
  }
  Status link(std::string_view value) {
    AT_TRY(auto line, parse_link(value));
    message_.links.push_back(std::move(line));
    return {};
  }
  Status attribute(std::string_view value) {
    AT_TRY(auto given, parameter(value, "X-OCCI-Attribute"));
    if (!attributes_.insert(given.name).second) return wrong(fmt::format("attribute {} stands twice", given.name));
    if (attributes_.size() > kMostAttributes)
      return fail(ErrorCode::kTooLarge, fmt::format("more than {} attributes", kMostAttributes));
    AT_TRY(auto read, parse_value(given.name, given.raw));
    message_.attributes.emplace_back(std::move(given.name), std::move(read));
    return {};
  }
  Status location(std::string_view value) {
    const bool absolute =
        value.find("://") != std::string_view::npos || value.starts_with('/') || value.starts_with("urn:");
    if (!absolute || !is_address(value))
      return wrong(fmt::format("X-OCCI-Location: \"{}\" is no address", shown(value)));
    message_.locations.emplace_back(value);
    return {};
  }

  /// One value of a line or header; false where its name is none of OCCI's.
  Result<bool> take(std::string_view name, std::string_view value) {
    if (++taken_ > kMostLines) return fail(ErrorCode::kTooLarge, fmt::format("more than {} values", kMostLines));
    if (same_word(name, "Category")) {
      AT_TRY(category(value));
    } else if (same_word(name, "Link")) {
      AT_TRY(link(value));
    } else if (same_word(name, "X-OCCI-Attribute")) {
      AT_TRY(attribute(value));
    } else if (same_word(name, "X-OCCI-Location") || same_word(name, "Location")) {
      AT_TRY(location(value));
    } else {
      return false;
    }
    return true;
  }

  TextMessage done() { return std::move(message_); }

 private:
  TextMessage message_;
  std::set<std::string> seen_;
  std::set<std::string> attributes_;
  std::size_t taken_ = 0;
};

bool is_ours(std::string_view name) {
  for (const auto* one : {"Category", "Link", "X-OCCI-Attribute", "X-OCCI-Location", "Location"}) {
    if (same_word(name, one)) return true;
  }
  return false;
}

Result<bool> take_all(Filler& filler, std::string_view name, std::string_view value) {
  if (!is_ours(name)) return false;
  AT_TRY(const auto parts, split_header(value));
  for (const auto& part : parts) {
    AT_TRY(filler.take(name, part));
  }
  return true;
}

}  // namespace

Result<std::vector<std::string>> split_header(std::string_view value) {
  std::vector<std::string> out;
  if (trimmed(value).empty()) return out;
  AT_TRY(const auto parts, split(value, ','));
  for (const auto part : parts) out.emplace_back(part);
  return out;
}

namespace {

/// Within the bounds of a body: `take` gets the number and the text of each line that is not empty.
template <typename Take>
Status each_line(std::string_view body, const Take& take) {
  if (body.size() > kMostBytes) return fail(ErrorCode::kTooLarge, fmt::format("more than {} bytes", kMostBytes));
  std::size_t number = 0;
  while (!body.empty()) {
    const auto end = body.find('\n');
    const auto line = trimmed(body.substr(0, end));
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (++number > kMostLines) return fail(ErrorCode::kTooLarge, fmt::format("more than {} lines", kMostLines));
    if (!line.empty()) AT_TRY(take(number, line));
  }
  return {};
}

}  // namespace

Result<TextMessage> parse_plain(std::string_view body) {
  Filler filler;
  const auto take = [&](std::size_t number, std::string_view line) -> Status {
    const auto colon = line.find(':');
    const auto name = trimmed(line.substr(0, std::min(colon, line.size())));
    const bool known = colon != std::string_view::npos && is_ours(name);
    if (!known) {
      return wrong(fmt::format("line {}: \"{}\" is no line of OCCI's text rendering", number, shown(line)),
                   "Category:, X-OCCI-Attribute:, Link: or X-OCCI-Location:");
    }
    auto taken = take_all(filler, name, trimmed(line.substr(colon + 1)));
    if (!taken) return fail_within(fmt::format("line {}", number), std::move(taken).error());
    return {};
  };
  AT_TRY(each_line(body, take));
  return filler.done();
}

Result<TextMessage> parse_headers(const HeaderFields& fields) {
  Filler filler;
  for (const auto& [name, value] : fields) {
    AT_TRY(take_all(filler, name, value));
  }
  return filler.done();
}

Result<std::vector<std::string>> parse_uri_list(std::string_view body) {
  std::vector<std::string> out;
  const auto take = [&](std::size_t number, std::string_view line) -> Status {
    if (line.starts_with('#')) return {};
    const auto scheme = line.find(':');
    const bool absolute = scheme != std::string_view::npos && scheme > 0 && is_attribute_name(line.substr(0, scheme)) &&
                          scheme + 1 < line.size();
    if (!absolute || !is_address(line))
      return wrong(fmt::format("line {}: \"{}\" is no absolute URI", number, shown(line)));
    out.emplace_back(line);
    return {};
  };
  AT_TRY(each_line(body, take));
  return out;
}

Result<std::vector<CategoryLine>> categories_of(TextMessage message) {
  if (message.categories.empty()) return wrong("there is no Category");
  for (const auto& category : message.categories) {
    if (category.cls.empty()) return wrong(fmt::format("Category {} has no class", category.term));
  }
  return std::move(message.categories);
}

Result<std::vector<std::string>> locations_of(TextMessage message) {
  if (message.locations.empty()) return wrong("there is no X-OCCI-Location");
  if (!message.categories.empty() || !message.attributes.empty() || !message.links.empty())
    return wrong("beside locations there is something else");
  return std::move(message.locations);
}

}  // namespace atalaya::occi
