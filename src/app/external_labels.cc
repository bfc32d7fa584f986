#include "app/external_labels.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "model/names.h"

namespace atalaya::app {

Result<Labels> read_external_labels(const std::vector<std::string>& texts) {
  LabelsBuilder out;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    const auto wrong = [&](std::string_view why) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("--external-label {}: {}", text, why),
                  "write it as name=value, e.g. region=eu");
    };
    if (equals == std::string::npos) return wrong("there is no =");
    if (!is_label_name(name) || name.starts_with("__")) return wrong("this is no name of a label");
    const auto value = text.substr(equals + 1);
    if (value.empty() || !is_utf8(value)) return wrong("this is no value of a label");
    if (out.build().has(name)) return wrong("the label comes twice");
    out.set(name, value);
  }
  return out.build();
}

}  // namespace atalaya::app
