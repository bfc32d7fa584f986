#include "tsdb/block/index_match.h"

#include <algorithm>

namespace atalaya::tsdb::index {
namespace {

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
/// What begins something new. Anything else may, by some detour, make what stands before it optional.
constexpr std::string_view kBegins = ".[^$";

bool is_special(char c) { return kSpecial.find(c) != std::string_view::npos; }

/// Appends the leading literals and takes them off: plain bytes and escaped punctuation.
void take_literals(std::string_view& regex, std::string& out) {
  while (!regex.empty()) {
    if (regex.size() > 1 && regex[0] == '\\' && is_special(regex[1])) {
      out += regex[1];
      regex.remove_prefix(2);
    } else if (!is_special(regex[0])) {
      out += regex[0];
      regex.remove_prefix(1);
    } else {
      return;
    }
  }
}

std::optional<std::vector<std::string>> literals_of(std::string_view regex) {
  if (regex.size() > 1 && regex.front() == '(' && regex.back() == ')') {
    regex.remove_prefix(regex.starts_with("(?:") ? 3 : 1);
    // One that was escaped, or closes another, leaves a special byte behind, at which we give up.
    regex.remove_suffix(regex.empty() ? 0 : 1);
  }
  std::vector<std::string> out;
  while (true) {
    std::string literal;
    take_literals(regex, literal);
    out.push_back(std::move(literal));
    if (regex.empty()) break;
    if (regex[0] != '|') return std::nullopt;
    regex.remove_prefix(1);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string prefix_of(std::string_view regex) {
  // An alternative may begin otherwise, wherever its bar is.
  if (regex.find('|') != std::string_view::npos) return {};
  std::string out;
  take_literals(regex, out);
  if (!regex.empty() && kBegins.find(regex[0]) == std::string_view::npos) {
    // What may be optional is one character of one or more bytes.
    while (!out.empty() && (static_cast<std::uint8_t>(out.back()) & 0xc0) == 0x80) out.pop_back();
    if (!out.empty()) out.pop_back();
  }
  return out;
}

void take(PairSet& set, const ListRef& list) {
  set.lists.push_back(list);
  set.series += list.count;
}

Status add_pair(const Pages& pages, const Name& name, std::string_view value, PairSet& out) {
  if (value.empty()) return {};
  return each_pair_from(pages, name, value, [&](std::uint32_t, std::string_view found, const ListRef& list) {
    if (found == value) take(out, list);
    return false;
  });
}

Status add_all(const Pages& pages, const Name& name, PairSet& out) {
  out.all = true;
  return each_pair_from(pages, name, {}, [&](std::uint32_t, std::string_view, const ListRef& list) {
    take(out, list);
    return true;
  });
}

/// Pairs that the expression of the matcher matches, or does not.
Status add_regex(const Pages& pages, const Name& name, const Matcher& matcher, bool matching, PairSet& out) {
  const auto shape = shape_of(matcher.value());
  if (shape.anything || shape.any_nonempty) return matching ? add_all(pages, name, out) : Status();
  if (matching && shape.literals) {
    for (const auto& literal : *shape.literals) AT_TRY(add_pair(pages, name, literal, out));
    return {};
  }
  const bool wanted = matching == (matcher.op() == Matcher::Op::kRegex);
  return each_pair_from(pages, name, matching ? shape.prefix : std::string_view(),
                        [&](std::uint32_t, std::string_view value, const ListRef& list) {
                          if (matching && !value.starts_with(shape.prefix)) return false;
                          if (matcher.matches(value) == wanted) take(out, list);
                          return true;
                        });
}

}  // namespace

RegexShape shape_of(std::string_view regex) {
  RegexShape out;
  out.anything = regex == ".*";
  out.any_nonempty = regex == ".+";
  out.literals = literals_of(regex);
  if (!out.literals) out.prefix = prefix_of(regex);
  return out;
}

std::uint32_t page_of_value(const Directory& directory, const Name& name, std::string_view value) {
  const auto& heads = directory.pair_heads;
  const auto first = directory.page_of(PageKind::kPairs, name.first_pair);
  const auto last = directory.page_of(PageKind::kPairs, name.first_pair + name.pairs - 1);
  // The first page may begin with another name: its separator says nothing here.
  const auto it = std::upper_bound(heads.begin() + first + 1, heads.begin() + last + 1, value,
                                   [](std::string_view v, const PairPageHead& head) { return v < head.separator; });
  return static_cast<std::uint32_t>(it - heads.begin()) - 1;
}

std::uint32_t lower_bound(const PairPage& page, std::uint32_t begin, std::uint32_t end, std::string_view value) {
  while (begin < end) {
    const auto middle = begin + (end - begin) / 2;
    if (page.value(middle) < value) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

Result<std::optional<std::uint32_t>> find_pair(const Pages& pages, const Name& name, std::string_view value) {
  std::optional<std::uint32_t> out;
  AT_TRY(each_pair_from(pages, name, value, [&](std::uint32_t pair, std::string_view found, const ListRef&) {
    if (found == value) out = pair;
    return false;
  }));
  return out;
}

Result<PairSet> pairs_of(const Pages& pages, const Matcher& matcher) {
  PairSet out;
  out.drops = matcher.matches("");
  const auto* name = pages.directory().find_name(matcher.name());
  if (name == nullptr) return out;
  switch (matcher.op()) {
    case Matcher::Op::kEqual:
      AT_TRY(out.drops ? add_all(pages, *name, out) : add_pair(pages, *name, matcher.value(), out));
      break;
    case Matcher::Op::kNotEqual:
      AT_TRY(out.drops ? add_pair(pages, *name, matcher.value(), out) : add_all(pages, *name, out));
      break;
    case Matcher::Op::kRegex: AT_TRY(add_regex(pages, *name, matcher, !out.drops, out)); break;
    case Matcher::Op::kNotRegex: AT_TRY(add_regex(pages, *name, matcher, out.drops, out)); break;
  }
  return out;
}

}  // namespace atalaya::tsdb::index
