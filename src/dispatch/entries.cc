#include "dispatch/entries.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "model/json_text.h"

namespace atalaya::dispatch {
namespace {

namespace json = boost::json;
using routing::LogRow;

Labels to_labels(const json::value& value) {
  LabelsBuilder out;
  for (const auto& [name, text] : value.as_object()) out.set(name, text.as_string());
  return out.build();
}

/// Hashes fill 64 bits, which not every reader of JSON keeps: hexadecimal.
std::string write_hashes(const std::vector<std::uint64_t>& hashes) {
  std::string out;
  for (const auto hash : hashes) fmt::format_to(std::back_inserter(out), "{}{:x}", out.empty() ? "" : " ", hash);
  return out;
}

std::vector<std::uint64_t> read_hashes(const json::value& value) {
  std::vector<std::uint64_t> out;
  const auto& text = value.as_string();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t hash = 0;
    const auto [next, failed] = std::from_chars(at, end, hash, 16);
    if (failed != std::errc{} || next == at) throw std::invalid_argument("a hash");
    out.push_back(hash);
    at = next != end && *next == ' ' ? next + 1 : next;
  }
  return out;
}

json::object write_sets(const LogRow::Sets& sets) {
  return {{"firing", write_hashes(sets.firing)}, {"resolved", write_hashes(sets.resolved)}};
}

LogRow::Sets read_sets(const json::value& value) {
  return {read_hashes(value.at("firing")), read_hashes(value.at("resolved"))};
}

std::string text_at(const json::value& value, std::string_view key) { return std::string(value.at(key).as_string()); }
Time time_at(const json::value& value, std::string_view key) { return from_ms(value.at(key).as_int64()); }

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json(out, text);
}

void append_member(std::string& out, std::string_view name, Time time) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, to_ms(time));
}

std::string_view truth(bool value) { return value ? "true" : "false"; }

routing::AlertRow read_alert(const json::value& labels, const json::value& value) {
  routing::AlertRow row;
  row.alert.labels = to_labels(labels);
  row.alert.severity = text_at(value, "severity");
  row.alert.starts_at = time_at(value, "starts");
  row.alert.ends_at = time_at(value, "ends");
  row.alert.updated_at = time_at(value, "updated");
  row.alert.no_data = value.as_object().contains("no_data");
  row.alert.acknowledged = value.as_object().contains("acknowledged");
  for (const auto& one : value.at("groups").as_array()) {
    routing::Membership membership{text_at(one, "group"),
                                   std::nullopt,
                                   {text_at(one, "severity"), one.as_object().contains("no_data")},
                                   one.at("flushed_end").as_bool()};
    if (one.as_object().contains("left")) membership.left = time_at(one, "left");
    row.groups.push_back(std::move(membership));
  }
  return row;
}

routing::GroupRow read_group(const json::value& id, const json::value& value) {
  return {std::string(id.as_string()),  text_at(value, "route"),       to_labels(value.at("labels")),
          time_at(value, "next_flush"), value.at("flushed").as_bool(), value.at("dirty").as_bool()};
}

}  // namespace

void append(std::string& out, const routing::AlertRow& row, const AlertId& id) {
  const auto& alert = row.alert;
  out += "{\"labels\":";
  append_json(out, alert.labels);
  append_member(out, "id", id.value());
  out += ",\"alert\":{\"severity\":";
  append_json(out, alert.severity);
  append_member(out, "starts", alert.starts_at);
  append_member(out, "ends", alert.ends_at);
  append_member(out, "updated", alert.updated_at);
  out += ",\"groups\":[";
  bool first = true;
  for (const auto& one : row.groups) {
    out += first ? "{\"group\":" : ",{\"group\":";
    first = false;
    append_json(out, one.group);
    append_member(out, "severity", one.heard.severity);
    fmt::format_to(std::back_inserter(out), ",\"flushed_end\":{}", truth(one.flushed_end));
    if (one.heard.no_data) out += ",\"no_data\":true";
    if (one.left) append_member(out, "left", *one.left);
    out += '}';
  }
  out += ']';
  if (alert.no_data) out += ",\"no_data\":true";
  if (alert.acknowledged) out += ",\"acknowledged\":true";
  out += "}}\n";
}

void append(std::string& out, const routing::GroupRow& row) {
  out += "{\"id\":";
  append_json(out, row.id);
  out += ",\"group\":{\"route\":";
  append_json(out, row.route);
  out += ",\"labels\":";
  append_json(out, row.labels);
  append_member(out, "next_flush", row.next_flush);
  fmt::format_to(std::back_inserter(out), ",\"flushed\":{},\"dirty\":{}}}}}\n", truth(row.flushed), truth(row.dirty));
}

void append_gone(std::string& out, const Labels& labels) {
  out += "{\"gone_alert\":";
  append_json(out, labels);
  out += "}\n";
}

void append_gone(std::string& out, std::string_view group) {
  out += "{\"gone_group\":";
  append_json(out, group);
  out += "}\n";
}

Entry read_entry(std::string_view line) {
  const auto value = json::parse(line);
  const auto& object = value.as_object();
  if (const auto* alert = object.if_contains("alert")) {
    return AlertEntry{read_alert(object.at("labels"), *alert), AlertId{text_at(value, "id")}};
  }
  if (const auto* group = object.if_contains("group")) return read_group(object.at("id"), *group);
  if (const auto* labels = object.if_contains("gone_alert")) return GoneAlert{to_labels(*labels)};
  return GoneGroup{text_at(value, "gone_group")};
}

std::string write_log(const LogRow& row) {
  json::object out{
      {"told", row.told}, {"at", to_ms(row.at)}, {"sets", write_sets(row.sets)}, {"expires", to_ms(row.expires)}};
  if (row.pending) {
    out["pending"] = json::object{{"flush", fmt::format("{}", row.pending->flush)},
                                  {"at", to_ms(row.pending->at)},
                                  {"deadline", to_ms(row.pending->deadline)},
                                  {"sets", write_sets(row.pending->sets)},
                                  {"missed", row.pending->missed}};
  }
  return json::serialize(out);
}

void read_log(std::string_view body, LogRow& row) {
  const auto value = json::parse(body);
  row.told = value.at("told").as_bool();
  row.at = time_at(value, "at");
  row.sets = read_sets(value.at("sets"));
  row.expires = time_at(value, "expires");
  const auto* pending = value.as_object().if_contains("pending");
  if (pending == nullptr) return;
  row.pending.emplace();
  row.pending->flush = std::stoull(text_at(*pending, "flush"));
  row.pending->at = time_at(*pending, "at");
  row.pending->deadline = time_at(*pending, "deadline");
  row.pending->sets = read_sets(pending->at("sets"));
  row.pending->missed = pending->at("missed").as_bool();
}

}  // namespace atalaya::dispatch
