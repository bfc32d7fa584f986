#include "model/label_number.h"

#include <charconv>
#include <cmath>

namespace atalaya {

std::string label_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const double size = std::fabs(value);
  // Go's %g, which decides so whatever the number of digits.
  const bool exponent = size != 0 && (size < 1e-4 || size >= 1e6);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace atalaya
