#include "collect/scrape/relabel.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <re2/re2.h>

#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/letter_case.h"
#include "model/names.h"

namespace atalaya::collect::scrape {
namespace {

using LabelMap = std::map<std::string, std::string, std::less<>>;

constexpr std::array kActions{
    std::pair("replace", RelabelAction::kReplace),     std::pair("keep", RelabelAction::kKeep),
    std::pair("drop", RelabelAction::kDrop),           std::pair("keepequal", RelabelAction::kKeepEqual),
    std::pair("dropequal", RelabelAction::kDropEqual), std::pair("hashmod", RelabelAction::kHashMod),
    std::pair("labelmap", RelabelAction::kLabelMap),   std::pair("labeldrop", RelabelAction::kLabelDrop),
    std::pair("labelkeep", RelabelAction::kLabelKeep), std::pair("lowercase", RelabelAction::kLowercase),
    std::pair("uppercase", RelabelAction::kUppercase),
};

bool is_word(char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view value_of(const LabelMap& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

void put(LabelMap& labels, const std::string& name, std::string value) {
  if (value.empty())
    labels.erase(name);
  else
    labels[name] = std::move(value);
}

/// The last eight bytes of MD5, as Prometheus divides by them.
std::uint64_t hash_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::uint64_t out = 0;
  for (std::size_t i = 8; i < 16; ++i) out = out << 8 | digest[i];
  return out;
}

Status check(const RelabelSpec& spec) {
  using enum RelabelAction;
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("action {} {}", name_of(spec.action), what));
  };
  const RelabelSpec defaults;
  const auto action = spec.action;
  const bool writes = action == kReplace || action == kHashMod || action == kLowercase || action == kUppercase;
  const bool compares = action == kKeepEqual || action == kDropEqual;
  if (action == kHashMod && spec.modulus == 0) return wrong("needs a modulus of at least 1");
  if ((writes || compares) && spec.target_label.empty()) return wrong("needs a target_label");
  if (writes && !is_utf8(spec.target_label)) return wrong("has a target_label that is not UTF-8");
  if (compares && (spec.regex != defaults.regex || spec.modulus != 0 || spec.separator != defaults.separator ||
                   spec.replacement != defaults.replacement)) {
    return wrong("takes source_labels and target_label alone");
  }
  if ((action == kLabelDrop || action == kLabelKeep) &&
      (!spec.source_labels.empty() || !spec.target_label.empty() || spec.modulus != 0 ||
       spec.separator != defaults.separator || spec.replacement != defaults.replacement)) {
    return wrong("takes a regex alone");
  }
  return {};
}

/// A reference in a replacement, after its `$`; taken off `left`. Nothing where there is none: the `$` is text.
std::optional<std::string_view> take_reference(std::string_view& left) {
  auto rest = left;
  const bool braced = rest.starts_with('{');
  if (braced) rest.remove_prefix(1);
  std::size_t size = 0;
  while (size < rest.size() && is_word(rest[size])) ++size;
  if (size == 0) return std::nullopt;
  const auto name = rest.substr(0, size);
  rest.remove_prefix(size);
  if (braced) {
    if (!rest.starts_with('}')) return std::nullopt;
    rest.remove_prefix(1);
  }
  left = rest;
  return name;
}

std::string_view group_of(const re2::RE2& regex, std::span<const re2::StringPiece> groups, std::string_view name) {
  std::size_t number = groups.size();
  if (name.find_first_not_of("0123456789") == std::string_view::npos) {
    number = name.size() > 6 ? groups.size() : static_cast<std::size_t>(std::stoul(std::string(name)));
  } else {
    const auto& names = regex.NamedCapturingGroups();
    const auto found = names.find(std::string(name));
    if (found != names.end()) number = static_cast<std::size_t>(found->second);
  }
  if (number >= groups.size()) return {};
  return {groups[number].data(), groups[number].size()};
}

}  // namespace

std::string_view name_of(RelabelAction action) {
  for (const auto& [name, one] : kActions) {
    if (one == action) return name;
  }
  return "";
}

std::optional<RelabelAction> parse_relabel_action(std::string_view text) {
  for (const auto& [name, action] : kActions) {
    if (name == text) return action;
  }
  return std::nullopt;
}

std::optional<std::string> expand_match(const re2::RE2& regex, std::string_view text, std::string_view replacement) {
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  if (!regex.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                   static_cast<int>(groups.size()))) {
    return std::nullopt;
  }
  std::string out;
  while (!replacement.empty()) {
    const char c = replacement.front();
    replacement.remove_prefix(1);
    if (c != '$') {
      out += c;
    } else if (replacement.starts_with('$')) {
      out += '$';
      replacement.remove_prefix(1);
    } else if (const auto name = take_reference(replacement)) {
      out += group_of(regex, groups, *name);
    } else {
      out += '$';
    }
  }
  return out;
}

Result<Relabeling> Relabeling::make(RelabelSpec spec) {
  AT_TRY(check(spec));
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto regex = std::make_shared<const re2::RE2>(spec.regex, options);
  if (!regex->ok()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("bad regular expression: {}", regex->error()));
  }
  Relabeling out;
  out.spec_ = std::move(spec);
  out.regex_ = std::move(regex);
  return out;
}

bool Relabeling::apply(LabelMap& labels) const {
  std::string value;
  for (std::size_t i = 0; i < spec_.source_labels.size(); ++i) {
    if (i > 0) value += spec_.separator;
    value += value_of(labels, spec_.source_labels[i]);
  }
  switch (spec_.action) {
    case RelabelAction::kKeep: return re2::RE2::FullMatch(value, *regex_);
    case RelabelAction::kDrop: return !re2::RE2::FullMatch(value, *regex_);
    case RelabelAction::kKeepEqual: return value_of(labels, spec_.target_label) == value;
    case RelabelAction::kDropEqual: return value_of(labels, spec_.target_label) != value;
    case RelabelAction::kReplace: replace(labels, value); return true;
    case RelabelAction::kHashMod:
      put(labels, spec_.target_label, std::to_string(hash_of(value) % spec_.modulus));
      return true;
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
      put(labels, spec_.target_label, spec_.action == RelabelAction::kLowercase ? to_lower(value) : to_upper(value));
      return true;
    case RelabelAction::kLabelMap:
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep: change_names(labels); return true;
  }
  return true;
}

void Relabeling::replace(LabelMap& labels, const std::string& value) const {
  const auto target = expand_match(*regex_, value, spec_.target_label);
  if (!target || target->empty() || !is_utf8(*target)) return;
  put(labels, *target, *expand_match(*regex_, value, spec_.replacement));
}

void Relabeling::change_names(LabelMap& labels) const {
  if (spec_.action == RelabelAction::kLabelMap) {
    std::vector<std::pair<std::string, std::string>> copies;
    for (const auto& [name, value] : labels) {
      if (auto copy = expand_match(*regex_, name, spec_.replacement); copy && !copy->empty()) {
        copies.emplace_back(std::move(*copy), value);
      }
    }
    for (auto& [name, value] : copies) put(labels, name, std::move(value));
    return;
  }
  const bool drops = spec_.action == RelabelAction::kLabelDrop;
  std::erase_if(labels, [&](const auto& label) { return re2::RE2::FullMatch(label.first, *regex_) == drops; });
}

std::optional<Labels> relabel(const Labels& labels, std::span<const Relabeling> steps) {
  if (steps.empty()) return labels;
  LabelMap map;
  for (const auto& [name, value] : labels) map.emplace(name, value);
  for (const auto& step : steps) {
    if (!step.apply(map)) return std::nullopt;
  }
  LabelsBuilder out;
  for (const auto& [name, value] : map) out.set(name, value);
  return out.build();
}

}  // namespace atalaya::collect::scrape
