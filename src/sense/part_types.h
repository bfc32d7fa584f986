// The mixins that pipes know, read from `data/`, and attributes checked against them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sense/pipe.h"

namespace re2 {
class RE2;
}

namespace atalaya::sense {

enum class Family { kAggregator, kPublisher };

struct AttributeType {
  enum class Kind { kText, kInteger, kNumber, kBoolean };
  std::string name;  ///< the short one
  Kind kind = Kind::kText;
  bool required = false;
  bool secret = false;
  std::optional<Setting> fallback;
  std::optional<double> min, max;
  std::size_t most = 4096;  ///< bytes of a text
  std::string pattern;
  std::shared_ptr<const re2::RE2> regex;  ///< of the whole text; null: any
};

/// Immutable.
struct PartType {
  Family family = Family::kAggregator;
  std::string name;
  std::vector<AttributeType> attributes;

  const AttributeType* find(std::string_view name) const;
  /// The attribute that names the streams it reads: `instream`, `input`, `in_msg`.
  std::string_view input() const;
};

/// All of a family, in the order of the data.
const std::vector<PartType>& part_types(Family family);
/// By id or term; null: there is none.
const PartType* find_part_type(Family family, std::string_view mixin);

/// A part's attributes with what is left out filled in. Immutable.
class PartSettings {
 public:
  /// invalid_argument that begins with the mixin's name: it is unknown, or an attribute of it is unknown, missing, of
  /// another type or out of bounds.
  static Result<PartSettings> read(Family family, const Part& part);

  const PartType& type() const { return *type_; }
  const std::string& name() const { return type_->name; }
  bool has(std::string_view attribute) const { return values_.contains(attribute); }
  std::string text(std::string_view attribute) const;  ///< "" when it is not there
  std::optional<double> number(std::string_view attribute) const;
  std::int64_t integer(std::string_view attribute) const;  ///< 0 when it is not there
  bool flag(std::string_view attribute) const;
  std::optional<Duration> seconds(std::string_view attribute) const;
  /// Names between commas, without blanks and empty ones.
  std::vector<std::string> list(std::string_view attribute) const;
  std::vector<std::string> inputs() const { return list(type_->input()); }

  /// invalid_argument: `EWMA: gain: message`.
  std::unexpected<Error> wrong(std::string_view attribute, std::string message, std::string remedy = {}) const;

 private:
  const PartType* type_ = nullptr;
  Settings values_;  ///< by short name
};

}  // namespace atalaya::sense
