#include "base/ids.h"

#include <algorithm>

namespace atalaya {

bool is_valid(const TenantId& tenant) {
  const auto& text = tenant.value();
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace atalaya
