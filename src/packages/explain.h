// Why each value of an item is what it is. Inside this library only.
#pragma once

#include <functional>
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
  std::string package;  ///< that holds the item's own text
  std::string root;     ///< folder of the tenant's packages: what paths of places begin with
  std::function<std::string_view(const std::string& path)> text_of;
};

/// Every value in force, in the order of the form.
std::vector<FieldView> explain(const ExplainRequest& request);

/// Secrets become "••••••": no answer shows them.
void hide_secrets(boost::json::object& values, const schema::Type* record);

}  // namespace atalaya::packages
