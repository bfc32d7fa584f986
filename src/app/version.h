// Which build this is.
#pragma once

#include <string_view>

namespace atalaya::app {

constexpr std::string_view kVersion = ATALAYA_VERSION;
/// Commit that it was built from, or "unknown" outside a checkout.
extern const char* const kRevision;

}  // namespace atalaya::app
