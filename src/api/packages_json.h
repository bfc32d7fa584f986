// Packages as JSON, for the routes that show and change them.
#pragma once

#include <boost/json.hpp>

#include "api/json.h"
#include "packages/service.h"
#include "registry/items.h"

namespace atalaya::api {

/// {message, remedy, file?, line?, column?, field?}, and of what lies in an item {package, section, path}.
json::object to_json(const packages::PackageError& error);
json::array to_json(const std::vector<packages::PackageError>& errors);
json::object to_json(const packages::PackageState& state);
json::object to_json(const registry::Item& item);
json::object to_json(const registry::ItemChange& change);
json::object to_json(const packages::PackageView& view);
json::array to_json(const packages::TreeView& tree);
json::object to_json(const packages::ItemView& view);
json::object to_json(const packages::ChangeResult& result);
json::object to_json(const packages::FileChange& change);
/// `with_files`: texts and differences too.
json::object to_json(const packages::Commit& commit, bool with_files);
/// 200, 409 with the conflicts, or 422 with every error.
net::Response answer(const packages::ChangeResult& result);

/// The operations of a body; invalid_argument with the number of the one that is wrong.
Result<std::vector<packages::Operation>> operations_of(const json::value& list);
std::vector<std::string> texts_of(const json::value* list);

}  // namespace atalaya::api
