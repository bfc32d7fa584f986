#include "routing/silence.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::routing {

bool Silence::active_at(Time now) const {
  if (now < starts_at || now >= ends_at) return false;
  return windows.empty() || std::any_of(windows.begin(), windows.end(),
                                        [&](const calendar::TimeInterval& window) { return window.contains(now); });
}

bool Silence::hides(const Labels& seen) const {
  if (!matches(matchers, seen)) return false;
  if (exactly.empty() || exactly == seen) return true;
  return LabelsBuilder(exactly).erase("severity").build() == LabelsBuilder(seen).erase("severity").build();
}

Status check(const Silence& silence) {
  if (silence.ends_at < silence.starts_at) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the silence ends at {}, before it begins at {}", format_rfc3339(silence.ends_at),
                            format_rfc3339(silence.starts_at)));
  }
  if (silence.matchers.empty()) {
    return fail(ErrorCode::kInvalidArgument, "a silence needs at least one matcher", "say which alerts it hides");
  }
  if (std::all_of(silence.matchers.begin(), silence.matchers.end(), [](const Matcher& m) { return m.matches(""); })) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must not match the empty string",
                "as it is the silence could hide every alert");
  }
  return {};
}

}  // namespace atalaya::routing
