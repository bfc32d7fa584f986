// Values of OCCI's attributes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace atalaya::occi {

/// What one message may hold; what is beyond is refused with too_large or invalid_argument.
constexpr std::size_t kMostBytes = 512 << 10;  ///< of a body
constexpr std::size_t kMostLines = 10'000;     ///< of text, or header values
constexpr std::size_t kMostAttributes = 1000;  ///< of one entity
constexpr std::size_t kMostNameBytes = 255;    ///< of a term, scheme, location or attribute's name
constexpr std::size_t kMostValueBytes = 64 << 10;
constexpr std::size_t kMostEntities = 1000;  ///< of one request

using Value = std::variant<std::string, std::int64_t, double, bool>;
/// In the order of the message; no name twice.
using AttributeList = std::vector<std::pair<std::string, Value>>;
using Attributes = std::map<std::string, Value, std::less<>>;

/// `"a \"b\""`, `1`, `0.613`, `1.0`, `true`: control characters become spaces, so that no value leaves its line.
std::string render_value(const Value& value);
/// As `render_value` has it; anything else is an error that names the attribute.
Result<Value> parse_value(std::string_view name, std::string_view text);
/// A text in quotes with `"` and `\` escaped.
std::string quoted(std::string_view text);

/// Two values of which one may be a number as a whole and the other with decimals.
bool equal(const Value& a, const Value& b);
const Value* find(const AttributeList& list, std::string_view name);
/// The text of a value of type string; "" of others.
std::string text_of(const Value& value);

/// Letters, digits, `.`, `-` and `_`; a letter or digit first: attributes' names.
bool is_attribute_name(std::string_view name);
/// Free of control characters, valid UTF-8.
bool is_clean(std::string_view text);

}  // namespace atalaya::occi
