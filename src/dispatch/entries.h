// What routing knows as lines of text: docs/formats/control-database.md.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "routing/rows.h"

namespace atalaya::dispatch {

struct AlertEntry {
  routing::AlertRow row;
  AlertId id;
};
struct GoneAlert {
  Labels labels;
};
struct GoneGroup {
  std::string id;
};
using Entry = std::variant<AlertEntry, routing::GroupRow, GoneAlert, GoneGroup>;

/// Appends the entry and a line break.
void append(std::string& out, const routing::AlertRow& row, const AlertId& id);
void append(std::string& out, const routing::GroupRow& row);
void append_gone(std::string& out, const Labels& labels);
void append_gone(std::string& out, std::string_view group);

/// A line. Throws what a reader of JSON throws, for what is no entry.
Entry read_entry(std::string_view line);

std::string write_log(const routing::LogRow& row);
/// `row` has what the key says already; throws as `read_entry`.
void read_log(std::string_view body, routing::LogRow& row);

}  // namespace atalaya::dispatch
