#include "packages/ondemand.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"

namespace atalaya::packages {
namespace {

/// A double-quoted scalar: JSON's strings are YAML's.
std::string quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

std::string target_field(const std::string& type) {
  if (type == "http") return "url";
  if (type == "tcp") return "address";
  return "name";
}

}  // namespace

std::string check_slug(const NewCheck& check) {
  std::string_view text = check.name.empty() ? check.target : check.name;
  if (check.name.empty()) {
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  }
  std::string slug;
  for (const char c : text) {
    if (slug.size() >= 48) break;
    if (c >= 'A' && c <= 'Z') {
      slug += static_cast<char>(c + 32);
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug.empty() ? "check" : slug;
}

Result<SourceFile> check_file(const NewCheck& check, const std::string& slug) {
  if (check.type != "http" && check.type != "tcp" && check.type != "process") {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no type of check", check.type),
                "http, tcp or process");
  }
  if (check.type != "http" && (check.expect_status || !check.expect_text.empty())) {
    return fail(ErrorCode::kInvalidArgument, "expect_status and expect_text belong to checks of type http");
  }
  if (!is_utf8(check.target) || !is_utf8(check.name) || !is_utf8(check.expect_text)) {
    return fail(ErrorCode::kInvalidArgument, "the check's texts are not UTF-8");
  }
  std::string text = "# Made through the API; edit or remove it there or here.\npackage: ondemand\nversion: 1.0.0\n";
  text += fmt::format("collectors:\n  checks:\n    {}:\n", quoted(slug));
  if (!check.name.empty()) text += fmt::format("      title: {}\n", quoted(check.name));
  text += fmt::format("      {}:\n        {}: {}\n", check.type, target_field(check.type), quoted(check.target));
  if (check.expect_status) text += fmt::format("        expect_status: {}\n", *check.expect_status);
  if (!check.expect_text.empty()) text += fmt::format("        expect_text: {}\n", quoted(check.expect_text));
  if (check.period) text += fmt::format("      period: {}\n", format_duration(*check.period));
  if (!check.on.empty()) {
    std::string list;
    for (const auto& host : check.on) list += fmt::format("{}{}", list.empty() ? "" : ", ", quoted(host));
    text += fmt::format("      on: [{}]\n", list);
  }
  SourceFile file;
  file.name = fmt::format("check-{}.yaml", slug);
  file.text = std::move(text);
  return file;
}

}  // namespace atalaya::packages
