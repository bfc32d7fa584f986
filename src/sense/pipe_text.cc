#include "sense/pipe_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atalaya::sense {
namespace {

namespace json = boost::json;
using config::Node;

std::unexpected<Error> wrong(const Node& node, std::string message) {
  return fail(ErrorCode::kInvalidArgument, node.place(), std::move(message));
}

Status only(const Node& node, std::initializer_list<std::string_view> known, std::string_view what) {
  if (!node.is_mapping()) return wrong(node, fmt::format("{} is {}, no mapping", what, config::describe(node)));
  for (const auto& entry : node.entries()) {
    if (std::find(known.begin(), known.end(), entry.key->text()) == known.end())
      return wrong(*entry.key, fmt::format("{} has no key \"{}\"", what, entry.key->text()));
  }
  return {};
}

Result<Setting> read_setting(const Node& node) {
  if (!node.is_scalar() || node.is_null())
    return wrong(node, "the value of an attribute is a text, a number or true or false");
  if (node.style() != Node::Style::kPlain || config::is_text(node)) return Setting(node.text());
  if (const auto flag = config::as_boolean(node)) return Setting(*flag);
  if (const auto whole = config::as_integer(node)) return Setting(*whole);
  AT_TRY(const auto number, config::as_number(node));
  return Setting(number);
}

Result<std::vector<Part>> read_parts(const Node& list, std::string_view what) {
  if (!list.is_sequence()) return wrong(list, fmt::format("{} is {}, no list", what, config::describe(list)));
  std::vector<Part> out;
  for (const auto* item : list.items()) {
    AT_TRY(only(*item, {"mixin", "attributes"}, "a mixin"));
    const auto* mixin = item->get("mixin");
    if (mixin == nullptr) return wrong(*item, "it names no mixin");
    Part part{mixin->text(), {}};
    if (const auto* attributes = item->get("attributes")) {
      if (!attributes->is_mapping()) return wrong(*attributes, "attributes are no mapping");
      for (const auto& entry : attributes->entries()) {
        AT_TRY(auto value, read_setting(*entry.value));
        part.attributes.emplace(entry.key->text(), std::move(value));
      }
    }
    out.push_back(std::move(part));
  }
  return out;
}

Result<std::vector<Source>> read_sources(const Node& list) {
  if (!list.is_sequence()) return wrong(list, "sources are no list");
  std::vector<Source> out;
  for (const auto* item : list.items()) {
    if (item->is_scalar()) {
      out.push_back({item->text(), "a source"});
      continue;
    }
    AT_TRY(only(*item, {"stream", "from"}, "a source"));
    const auto* stream = item->get("stream");
    const auto* from = item->get("from");
    if (stream == nullptr) return wrong(*item, "it names no stream");
    out.push_back({stream->text(), from == nullptr ? "a source" : from->text()});
  }
  return out;
}

json::array parts_json(const std::vector<Part>& parts) {
  json::array out;
  for (const auto& part : parts) {
    json::object attributes;
    for (const auto& [name, value] : part.attributes)
      std::visit([&, &key = name](const auto& v) { attributes[key] = v; }, value);
    out.push_back(json::object{{"mixin", part.mixin}, {"attributes", std::move(attributes)}});
  }
  return out;
}

}  // namespace

Result<PipeSpec> read_pipe(const Node& node) {
  AT_TRY(only(node, {"period", "sources", "more_sources", "aggregators", "publishers"}, "a pipe"));
  PipeSpec out;
  if (const auto* period = node.get("period")) {
    AT_TRY(const auto seconds, config::as_number(*period));
    if (!(seconds > 0) || seconds > 86400 * 366.0) return wrong(*period, "the period is seconds above zero");
    out.period = Duration{std::llround(seconds * 1000)};
  }
  if (const auto* sources = node.get("sources")) {
    AT_TRY(out.sources, read_sources(*sources));
  } else {
    out.more_sources = true;
  }
  if (const auto* more = node.get("more_sources")) {
    AT_TRY(out.more_sources, config::as_boolean(*more));
  }
  if (const auto* aggregators = node.get("aggregators")) {
    AT_TRY(out.aggregators, read_parts(*aggregators, "aggregators"));
  }
  if (const auto* publishers = node.get("publishers")) {
    AT_TRY(out.publishers, read_parts(*publishers, "publishers"));
  }
  return out;
}

std::string to_json(const PipeSpec& spec) {
  json::array sources;
  for (const auto& source : spec.sources)
    sources.push_back(json::object{{"stream", source.stream}, {"from", source.from}});
  return json::serialize(json::object{{"period", to_seconds(spec.period)},
                                      {"sources", std::move(sources)},
                                      {"more_sources", spec.more_sources},
                                      {"aggregators", parts_json(spec.aggregators)},
                                      {"publishers", parts_json(spec.publishers)}});
}

}  // namespace atalaya::sense
