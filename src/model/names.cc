#include "model/names.h"

namespace atalaya {
namespace {

bool is_name(std::string_view name, bool colons) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool ok =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (colons && c == ':');
    if (!ok) return false;
  }
  return true;
}

}  // namespace

bool is_label_name(std::string_view name) { return is_name(name, false); }
bool is_metric_name(std::string_view name) { return is_name(name, true); }

std::string quote_label_value(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace atalaya
