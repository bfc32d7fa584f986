// Prometheus' relabelling: steps that rewrite a label set, or drop what it stands for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace re2 {
class RE2;
}

namespace atalaya::collect::scrape {

enum class RelabelAction : std::uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};
std::optional<RelabelAction> parse_relabel_action(std::string_view text);
std::string_view name_of(RelabelAction action);

/// A step as it is written, with Prometheus' defaults.
struct RelabelSpec {
  RelabelAction action = RelabelAction::kReplace;
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  std::uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
};

/// A step that can run. Immutable, cheap to copy; thread-safe.
class Relabeling {
 public:
  /// invalid_argument as Prometheus judges: what an action needs and does not take, expressions of RE2.
  static Result<Relabeling> make(RelabelSpec spec);

  /// False: what carries the labels is dropped.
  bool apply(std::map<std::string, std::string, std::less<>>& labels) const;
  const RelabelSpec& spec() const { return spec_; }

 private:
  Relabeling() = default;
  void replace(std::map<std::string, std::string, std::less<>>& labels, const std::string& value) const;
  void change_names(std::map<std::string, std::string, std::less<>>& labels) const;

  RelabelSpec spec_;
  std::shared_ptr<const re2::RE2> regex_;
};

/// All steps in turn; nothing where one drops. Labels with an empty value are absent.
std::optional<Labels> relabel(const Labels& labels, std::span<const Relabeling> steps);

/// Go's `Regexp.Expand`: `$1`, `${1}`, `$name`, `${name}` and `$$`, of what `regex` found in `text` as a whole;
/// nothing where it does not match.
std::optional<std::string> expand_match(const re2::RE2& regex, std::string_view text, std::string_view replacement);

}  // namespace atalaya::collect::scrape
