// Pipes as YAML or JSON: what a sensor of its own process is given.
#pragma once

#include <string>

#include "base/result.h"
#include "config/yaml.h"
#include "sense/pipe.h"

namespace atalaya::sense {

/// `{period: 60, sources: [{stream: a, from: CPUPercent}], aggregators: [{mixin: EWMA, attributes: {…}}], publishers:
/// […]}`. A source may be its stream's name alone. Without `sources` any stream may come. invalid_argument with the
/// place; the pipe is not checked by this.
Result<PipeSpec> read_pipe(const config::Node& node);
/// The same as JSON, which YAML reads too.
std::string to_json(const PipeSpec& spec);

}  // namespace atalaya::sense
