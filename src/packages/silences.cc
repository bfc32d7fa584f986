#include "packages/silences.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "packages/project.h"
#include "routing/intervals.h"
#include "routing/matchers.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

/// Version 8 of RFC 9562: bits of our own choice.
std::string id_of(const TenantId& tenant, const std::string& item) {
  const auto high = Labels{{"tenant", tenant.value()}, {"item", item}}.hash();
  const auto low = Labels{{"tenant", tenant.value()}, {"silence", item}}.hash();
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                     0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffff);
}

std::vector<std::string> texts_of(const json::object& fields, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = fields.if_contains(key);
  if (value == nullptr) return out;
  if (value->is_string()) out.emplace_back(value->get_string());
  if (value->is_array()) {
    for (const auto& one : value->get_array()) {
      if (one.is_string()) out.emplace_back(one.get_string());
    }
  }
  return out;
}

std::string text_of(const json::object& fields, std::string_view key) {
  const auto texts = texts_of(fields, key);
  return texts.empty() ? std::string() : texts.front();
}

Time time_of(const json::object& fields, std::string_view key) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_int64() ? from_ms(value->get_int64()) : kMinTime;
}

/// The item's values; what they are made of is not judged here.
Result<alerts::Silence> silence_of(const json::object& fields) {
  alerts::Silence out;
  for (const auto& text : texts_of(fields, "matchers")) {
    AT_TRY(auto matchers, routing::parse_matchers(text));
    out.matchers.insert(out.matchers.end(), matchers.begin(), matchers.end());
  }
  out.starts = time_of(fields, "starts_at");
  out.ends = time_of(fields, "ends_at");
  out.created_by = text_of(fields, "created_by");
  out.comment = text_of(fields, "comment");
  if (const auto* windows = fields.if_contains("windows"); windows != nullptr && windows->is_array()) {
    out.windows = json::serialize(*windows);
    AT_TRY(out.intervals, alerts::parse_windows(out.windows));
    if (out.ends == kMinTime) out.ends = alerts::kNoEnd;
  }
  AT_TRY(alerts::check(out));
  return out;
}

}  // namespace

void check_silence(const ItemContext& item) {
  const auto complain = [&](const config::Node* node, const Error& error, std::string remedy) {
    item.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("silence {}: {}", item.name, error.message),
                           (node != nullptr ? *node : item.node).place(), std::move(remedy)});
  };
  const auto* matchers = item.node.get("matchers");
  for (const auto& text : texts_of(item.fields, "matchers")) {
    if (auto parsed = routing::parse_matchers(text); !parsed) {
      return complain(matchers, parsed.error(), "write matchers such as instance=\"db1\" or team=~\"a|b\"");
    }
  }
  if (!item.fields.contains("ends_at") && !item.fields.contains("windows")) {
    return complain(&item.node, {ErrorCode::kInvalidArgument, "it never ends", std::nullopt, {}},
                    "give it ends_at, or windows in which it recurs");
  }
  if (item.fields.contains("windows")) {
    config::Errors errors;
    if (const auto* windows = item.node.get("windows")) routing::read_intervals(*windows, errors);
    if (!errors.empty()) return item.errors.push_back(std::move(errors.front()));
  }
  const auto silence = silence_of(item.fields);
  if (silence) return;
  const bool of_time = time_of(item.fields, "ends_at") < time_of(item.fields, "starts_at");
  complain(of_time ? item.node.get("ends_at") : matchers, silence.error(),
           of_time ? "let it end after it begins" : "name a label that the alerts have");
}

std::vector<alerts::Silence> silences_of(const Service& service, const TenantId& tenant) {
  std::vector<alerts::Silence> out;
  for (const auto& found : service.items(tenant, "silences")) {
    if (found.package->specification) continue;
    auto silence = silence_of(found.item->fields);
    if (!silence) continue;  // check_silence refused the package
    silence->id = id_of(tenant, found.item->id);
    silence->origin = found.item->id;
    out.push_back(std::move(*silence));
  }
  return out;
}

}  // namespace atalaya::packages
