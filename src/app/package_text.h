// The API's answers about packages as text for a terminal. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "packages/rule_tests.h"

namespace atalaya::app {

/// Rows under a heading, columns as wide as their widest cell (in characters) of 48 at most; longer cells push theirs.
/// The last column is not filled up. Columns whose heading ends with ">" stand right.
std::string table_text(std::vector<std::string> heading, const std::vector<std::vector<std::string>>& rows);

std::string package_list_text(const boost::json::object& answer);
std::string package_text(const boost::json::object& answer);
/// The items of one section of the tree; of all sections for "". not_found for a section without any.
Result<std::string> package_tree_text(const boost::json::object& answer, const std::string& section);
/// Each field of an item, its value, and where that comes from.
std::string item_text(const boost::json::object& answer);
std::string history_text(const boost::json::object& answer);
/// The differences alone.
std::string diffs_text(const boost::json::object& answer);
/// What a change means and which files it touches, without a word of whether it is done.
std::string plan_text(const boost::json::object& answer);
/// What a change did; of a preview what it would do.
std::string change_text(const boost::json::object& answer, bool preview);
/// Its number, and how it is taken back.
std::string commit_text(const boost::json::object& answer);
/// Why the server refused: every error with its place and remedy.
std::string refusal_text(const boost::json::object& answer, int status);

/// A member of an answer: a text as it is, another value as JSON, "" where there is none.
std::string text_of(const boost::json::object& object, std::string_view key);
/// Empty where there is none. Lives as long as the object.
const boost::json::array& list_of(const boost::json::object& object, std::string_view key);

/// What the rule tests of a package found; faults are a part of it.
std::string rule_tests_text(const std::string& folder, const packages::RuleTestReport& report, bool strict);
boost::json::object rule_tests_json(const std::string& folder, const packages::RuleTestReport& report);

}  // namespace atalaya::app
