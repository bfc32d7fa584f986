// The text of an option's value, judged by its row of the table. Inside config only.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/options.h"

namespace atalaya::config {

using OptionValue =
    std::variant<std::string, std::int64_t, double, bool, Duration, std::uint64_t, std::vector<std::string>>;

/// `texts` as given one after the other; a list takes all, everything else the last. Not empty.
Result<OptionValue> parse_option(const Option& option, const std::vector<std::string>& texts);
/// What an option has without anybody giving it.
OptionValue empty_value(OptionType type);
/// "a duration", for messages and options.md.
std::string_view type_name(OptionType type);

}  // namespace atalaya::config
