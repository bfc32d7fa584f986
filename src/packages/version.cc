#include "packages/version.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace atalaya::packages {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view take(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto first = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return first;
}

std::strong_ordering compare_part(std::string_view a, std::string_view b) {
  const auto x = number(a);
  const auto y = number(b);
  if (x && y) return *x <=> *y;
  if (x || y) return x ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.compare(b) <=> 0;
}

std::strong_ordering compare_pre(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();  // a release comes after its pre-releases
  while (!a.empty() && !b.empty()) {
    if (const auto order = compare_part(take(a, '.'), take(b, '.')); order != 0) return order;
  }
  return a.size() <=> b.size();
}

Error no_version(std::string_view text) {
  return {ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no version", text), std::nullopt,
          "up to three numbers, e.g. 1.4.2 or 2.0.0-rc1"};
}

}  // namespace

Result<Version> Version::parse(std::string_view text) {
  auto rest = text.substr(0, text.find('+'));
  Version out;
  if (const auto dash = rest.find('-'); dash != std::string_view::npos) {
    out.pre = rest.substr(dash + 1);
    rest = rest.substr(0, dash);
    if (out.pre.empty()) return std::unexpected(no_version(text));
  }
  if (rest.empty() || rest.ends_with('.') || text.size() > 64) return std::unexpected(no_version(text));
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const auto part = number(take(rest, '.'));
    if (!part || i == out.numbers.size()) return std::unexpected(no_version(text));
    out.numbers[i] = *part;
  }
  return out;
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  if (const auto order = a.numbers <=> b.numbers; order != 0) return order;
  return compare_pre(a.pre, b.pre);
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
  VersionRange out;
  // ">= 9" is ">=9".
  std::string compact;
  for (const char c : text) {
    if (c != ' ' || compact.empty() || std::string_view("<>=^~").find(compact.back()) == std::string_view::npos) {
      compact += c;
    }
  }
  std::string_view rest = compact;
  bool any = false;
  while (!rest.empty()) {
    auto word = take(rest, ' ');
    if (word.ends_with(',')) word.remove_suffix(1);
    if (word.empty()) continue;
    any = true;
    if (word == "*") continue;
    const auto at = word.find_first_of("0123456789");
    const auto sign = word.substr(0, at);
    if (at == std::string_view::npos) return std::unexpected(no_version(word));
    AT_TRY(auto version, Version::parse(word.substr(at)));
    using enum Bound::Op;
    if (sign == "^" || sign == "~") {
      auto next = version.numbers;
      std::size_t fixed = sign == "~" ? 1 : 0;
      while (sign == "^" && fixed < 2 && next[fixed] == 0) ++fixed;
      ++next[fixed];
      for (auto i = fixed + 1; i < next.size(); ++i) next[i] = 0;
      out.bounds_.push_back({kGreaterEqual, version});
      out.bounds_.push_back({kLess, {next, "0"}});  // pre-releases of the next one do not belong
    } else if (sign == ">=" || sign == ">" || sign == "<" || sign == "<=" || sign == "=" || sign.empty()) {
      const auto op = sign == ">=" ? kGreaterEqual : sign == ">" ? kGreater : sign == "<" ? kLess : kEqual;
      out.bounds_.push_back({sign == "<=" ? kLessEqual : op, version});
    } else {
      return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no range of versions", text),
                  "e.g. >=1.0 <2, ^1.2, ~1.2.3 or *");
    }
  }
  if (!any) {
    return fail(ErrorCode::kInvalidArgument, "an empty range of versions", "e.g. >=1.0 <2, or * for any");
  }
  return out;
}

bool VersionRange::holds(const Version& version) const {
  for (const auto& bound : bounds_) {
    const auto order = version <=> bound.version;
    bool good = false;
    switch (bound.op) {
      case Bound::Op::kLess: good = order < 0; break;
      case Bound::Op::kLessEqual: good = order <= 0; break;
      case Bound::Op::kEqual: good = order == 0; break;
      case Bound::Op::kGreaterEqual: good = order >= 0; break;
      case Bound::Op::kGreater: good = order > 0; break;
    }
    if (!good) return false;
  }
  return true;
}

}  // namespace atalaya::packages
