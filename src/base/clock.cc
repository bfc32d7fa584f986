#include "base/time.h"

namespace atalaya {

Time SystemClock::now() const { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
Steady SystemClock::steady() const { return std::chrono::steady_clock::now(); }

}  // namespace atalaya
