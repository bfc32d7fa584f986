// `atalaya tsdb import` and `export`.
#pragma once

#include "base/result.h"
#include "config/options.h"

namespace atalaya::app {

/// Both go through the API page by page, so that no file is too large; the exit code, 1 when not every sample of the
/// file was written.
Result<int> import_series(const config::Options& options);
Result<int> export_series(const config::Options& options);

}  // namespace atalaya::app
