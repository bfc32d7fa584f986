// Why each value of an item is what it is. Inside this library only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "packages/loader.h"
#include "packages/views.h"

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

/// What answers show in place of a secret.
constexpr std::string_view kHiddenSecret = "\u2022\u2022\u2022\u2022\u2022\u2022";
/// No answer shows secrets.
void hide_secrets(boost::json::object& values, const schema::Type* record);
/// The same for who may not write them: also within lists and maps, where a form needs them to write them back.
void hide_all_secrets(boost::json::value& value, const schema::Type& type);
bool holds_secrets(const schema::Type& type, int depth = 0);

}  // namespace atalaya::packages
