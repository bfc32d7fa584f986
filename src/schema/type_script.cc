#include "schema/type_script.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace atalaya::schema {

namespace json = boost::json;

Result<json::value> ask_script(const Rules& rules, const Type& type, std::string_view verb, const json::value& value) {
  auto printed = rules.run(type.package, type.script, verb, json::serialize(value));
  if (!printed) return fail_within(fmt::format("{} {}", type.script, verb), std::move(printed).error());
  boost::system::error_code problem;
  auto answer = json::parse(*printed, problem);
  auto* object = answer.if_object();
  const auto text = [&](const char* key) {
    const auto* member = object->if_contains(key);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  if (!problem && object != nullptr) {
    if (object->contains("error")) return fail(ErrorCode::kInvalidArgument, text("error"), text("remedy"));
    const auto* key = verb == "format" ? "text" : "value";
    if (auto* found = object->if_contains(key)) return std::move(*found);
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} {} printed no answer", type.script, verb),
              R"(it prints {"value": …} or {"error": "…"}; format prints {"text": "…"})");
}

}  // namespace atalaya::schema
