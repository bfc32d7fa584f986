// The options that say how series are kept, from their texts.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/options.h"
#include "tsdb/store.h"

namespace atalaya::app {

/// `SELECTOR raw:DURATION [5m:DURATION] [1h:DURATION]`, such as `{job="billing"} raw:30d 1h:5y`. What is
/// not named is not kept. invalid_argument names the option, the text and what is wrong.
Result<tsdb::RetentionClass> parse_retention_class(std::string_view text);

/// Reads `series-*`. invalid_argument, with the option's name, for amounts with which nothing would be kept, that
/// contradict each other, or with which the store cannot work.
Result<tsdb::Options> series_options(const config::Options& options);

}  // namespace atalaya::app
