#include "collect/scrape/targets_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "collect/utf8.h"

namespace atalaya::collect::scrape {
namespace {

namespace json = boost::json;

std::unexpected<Error> wrong(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("targets of an agent: {}", what));
}

json::object to_json(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

const json::value* find(const json::object& object, std::string_view key) { return object.if_contains(key); }

Result<std::string> text_of(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  if (value == nullptr || !value->is_string()) return wrong(fmt::format("{} is no text", key));
  const std::string_view text = value->get_string();
  if (!is_utf8(text)) return wrong(fmt::format("{} is no UTF-8", key));
  return std::string(text);
}

Result<std::int64_t> number_of(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  if (value == nullptr || !value->is_int64()) return wrong(fmt::format("{} is no whole number", key));
  return value->get_int64();
}

Result<Labels> labels_of(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  if (value == nullptr || !value->is_object()) return wrong(fmt::format("{} are no labels", key));
  LabelsBuilder out;
  for (const auto& [name, text] : value->get_object()) {
    if (!text.is_string() || !is_utf8(name) || !is_utf8(std::string_view(text.get_string())))
      return wrong(fmt::format("{} are no labels", key));
    out.set(name, std::string_view(text.get_string()));
  }
  return out.build();
}

Result<TargetView> read_active(const json::object& object) {
  TargetView out;
  AT_TRY(out.pool, text_of(object, "pool"));
  AT_TRY(out.discovered, labels_of(object, "discovered"));
  AT_TRY(out.labels, labels_of(object, "labels"));
  AT_TRY(out.url, text_of(object, "url"));
  AT_TRY(out.global_url, text_of(object, "global_url"));
  AT_TRY(out.health, text_of(object, "health"));
  AT_TRY(out.last_error, text_of(object, "last_error"));
  AT_TRY(const auto interval, number_of(object, "interval"));
  AT_TRY(const auto timeout, number_of(object, "timeout"));
  AT_TRY(const auto last, number_of(object, "last_scrape"));
  AT_TRY(const auto took, number_of(object, "took"));
  out.interval = Duration{interval};
  out.timeout = Duration{timeout};
  out.last_scrape = from_ms(last);
  out.last_took = Duration{took};
  return out;
}

Result<DroppedTarget> read_dropped(const json::object& object) {
  DroppedTarget out;
  AT_TRY(out.pool, text_of(object, "pool"));
  AT_TRY(out.discovered, labels_of(object, "discovered"));
  return out;
}

template <typename T>
Status read_list(const json::object& object, std::string_view key, Result<T> (*read)(const json::object&),
                 std::vector<T>& out) {
  const auto* list = find(object, key);
  if (list == nullptr || !list->is_array()) return wrong(fmt::format("{} is no list", key));
  for (const auto& one : list->get_array()) {
    if (!one.is_object()) return wrong(fmt::format("{} is no list of objects", key));
    AT_TRY(auto target, read(one.get_object()));
    out.push_back(std::move(target));
  }
  return {};
}

Result<TargetMetadata> read_metadata(const json::object& object) {
  TargetMetadata out;
  AT_TRY(out.target, labels_of(object, "labels"));
  AT_TRY(out.metric, text_of(object, "metric"));
  AT_TRY(out.metadata.type, text_of(object, "type"));
  AT_TRY(out.metadata.help, text_of(object, "help"));
  AT_TRY(out.metadata.unit, text_of(object, "unit"));
  return out;
}

}  // namespace

std::string targets_text(const TargetsView& view) {
  json::array active;
  for (const auto& one : view.active) {
    active.push_back(json::object{{"pool", one.pool},
                                  {"discovered", to_json(one.discovered)},
                                  {"labels", to_json(one.labels)},
                                  {"url", one.url},
                                  {"global_url", one.global_url},
                                  {"interval", one.interval.count()},
                                  {"timeout", one.timeout.count()},
                                  {"health", one.health},
                                  {"last_error", to_utf8(one.last_error)},
                                  {"last_scrape", to_ms(one.last_scrape)},
                                  {"took", one.last_took.count()}});
  }
  json::array dropped;
  for (const auto& one : view.dropped)
    dropped.push_back(json::object{{"pool", one.pool}, {"discovered", to_json(one.discovered)}});
  json::object counts;
  for (const auto& [pool, count] : view.dropped_counts) counts[pool] = static_cast<std::int64_t>(count);
  return json::serialize(json::object{
      {"active", std::move(active)}, {"dropped", std::move(dropped)}, {"dropped_counts", std::move(counts)}});
}

Result<TargetsView> read_targets_text(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return wrong("no JSON object");
  const auto& object = value.get_object();
  TargetsView out;
  AT_TRY(read_list(object, "active", read_active, out.active));
  AT_TRY(read_list(object, "dropped", read_dropped, out.dropped));
  const auto* counts = find(object, "dropped_counts");
  if (counts == nullptr || !counts->is_object()) return wrong("dropped_counts is no object");
  for (const auto& [pool, count] : counts->get_object()) {
    if (!count.is_int64() || count.get_int64() < 0) return wrong("dropped_counts are no numbers");
    out.dropped_counts[pool] = static_cast<std::uint64_t>(count.get_int64());
  }
  return out;
}

std::string metadata_text(const std::vector<TargetMetadata>& all) {
  json::array list;
  for (const auto& one : all) {
    list.push_back(json::object{{"labels", to_json(one.target)},
                                {"metric", one.metric},
                                {"type", one.metadata.type},
                                {"help", one.metadata.help},
                                {"unit", one.metadata.unit}});
  }
  return json::serialize(json::object{{"metadata", std::move(list)}});
}

Result<std::vector<TargetMetadata>> read_metadata_text(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return wrong("no JSON object");
  std::vector<TargetMetadata> out;
  AT_TRY(read_list(value.get_object(), "metadata", read_metadata, out));
  return out;
}

}  // namespace atalaya::collect::scrape
