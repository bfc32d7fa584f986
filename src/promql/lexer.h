// Words of a PromQL text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::promql {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kIdentifier,  ///< also keywords; what they mean follows from where they stand
    kNumber,      ///< `number` holds it; a duration such as 5m in seconds
    kString,      ///< `value` holds it unquoted
    kSymbol,      ///< punctuation or operator, in `text`
  };
  Kind kind = Kind::kEnd;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string_view text;  ///< as written; lives as long as the text
  std::string value;
  double number = 0;
  bool is_duration = false;
};

/// Line and column of a byte, both from 1.
Place place_at(std::string_view text, std::size_t offset);
/// `parse error: …` at that byte.
std::unexpected<Error> parse_error(std::string_view text, std::size_t offset, std::string message);

/// All tokens, a kEnd last. invalid_argument with its place for a malformed one.
Result<std::vector<Token>> tokenize(std::string_view text);

/// A number as Go reads it: decimal, hexadecimal, octal with 0, 1_000, Inf, NaN; no sign. Too
/// large a one is infinite.
bool parse_number(std::string_view text, double& out);

}  // namespace atalaya::promql
