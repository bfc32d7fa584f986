// Why each value of an item is what it is. Inside this library only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "packages/loader.h"
#include "packages/views.h"
#include "schema/describe.h"

namespace atalaya::packages {

struct ExplainRequest {
  const ComposedItem& item;
  const schema::Type& body;
  const boost::json::object& effective;
  const schema::Rules& rules;
  std::string package;                 ///< that holds the item's own text
  std::map<std::string, Place> given;  ///< of an instance: where its values stand, by parameter
  std::function<std::string_view(const std::string& path)> text_of;
};

/// Every value in force, in the order of the form.
std::vector<FieldView> explain(const ExplainRequest& request);

using schema::hide_all_secrets;
using schema::kHiddenSecret;
/// No answer shows secrets. Those within lists and maps stay, where a form needs them to write them back.
void hide_secrets(boost::json::object& values, const schema::Type* record);
bool holds_secrets(const schema::Type& type, int depth = 0);

}  // namespace atalaya::packages
