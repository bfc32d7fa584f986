// How bad a log line says that it is.
#pragma once

#include <string_view>

namespace atalaya::collect::log {

/// trace, debug, info, warning, error or critical; "" when the line does not say. Looks at the
/// beginning of the line only: `… ERROR nova.compute.manager …` (oslo and most others), `[error]`,
/// `level=warn`, `"level":"error"`, `error: …`. Views a constant.
std::string_view recognise_level(std::string_view line);

}  // namespace atalaya::collect::log
