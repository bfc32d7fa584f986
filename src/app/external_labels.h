// The labels by which this server's series are told from those of others.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace atalaya::app {

/// Of `name=value` texts. invalid_argument for what is no label, and for a name that comes twice.
Result<Labels> read_external_labels(const std::vector<std::string>& texts);

}  // namespace atalaya::app
