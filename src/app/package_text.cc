#include "app/package_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

std::string text(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_double()) return fmt::format("{}", value->get_double());
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}
bool flag(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}
std::int64_t number(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
const json::object& object(const json::object& from, std::string_view key) {
  static const json::object kNone;
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

/// The objects of a list; what is none is left out.
std::vector<const json::object*> objects(const json::object& from, std::string_view key) {
  std::vector<const json::object*> out;
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const auto& one : value->get_array()) {
    if (one.is_object()) out.push_back(&one.get_object());
  }
  return out;
}
std::vector<std::string> texts(const json::object& from, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const auto& one : value->get_array()) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

/// One long expression does not push a whole column out of the window.
constexpr std::size_t kWidest = 48;

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Nothing that a server sends moves the cursor or colours the terminal.
std::string plain(std::string text, bool lines = false) {
  unsigned char before = 0;
  for (auto& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !(lines && (c == '\n' || c == '\t'))) || byte == 0x7f) c = ' ';
    if (before == 0xc2 && byte < 0xa0) c = '\xa0';  // U+0080 to U+009F steer as well: a space
    before = byte;
  }
  return text;
}

std::string error_line(const json::object& error) {
  auto out = text(error, "file");
  if (const auto line = number(error, "line"); line > 0) out += fmt::format(":{}", line);
  if (const auto column = number(error, "column"); column > 0) out += fmt::format(":{}", column);
  if (!out.empty()) out += ": ";
  out += text(error, "message");
  if (const auto remedy = text(error, "remedy"); !remedy.empty()) out += fmt::format(" ({})", remedy);
  return plain(out);
}

std::string state_of(const json::object& package) {
  const auto state = text(package, "state");
  if (state != "ok") return state;
  const auto sections = objects(package, "processed");
  const bool fails = std::any_of(sections.begin(), sections.end(),
                                 [](const auto* section) { return text(*section, "state") == "failed"; });
  return fails ? "failing" : flag(package, "specification") ? "specification" : state;
}

/// Sections whose program does not get on, each a line.
std::string failed_sections(const json::object& package) {
  std::string out;
  for (const auto* section : objects(package, "processed")) {
    if (text(*section, "state") != "failed") continue;
    auto line = plain(fmt::format("{}, section {}: its program failed: {}", text(package, "name"),
                                  text(*section, "section"), text(*section, "error")));
    line.erase(line.find_last_not_of(' ') + 1);  // what a program printed last is a line end
    out += line + '\n';
  }
  return out;
}

/// "/srv/data/packages/default/host/disks.yaml" → "host/disks.yaml".
std::string within_packages(const std::string& file, const std::string& package) {
  const auto folder = "/" + package.substr(0, package.find('@')) + "/";
  const auto at = package.empty() ? std::string::npos : file.rfind(folder);
  return at == std::string::npos ? file : file.substr(at + 1);
}

std::string origin(const json::object& from) {
  auto out = text(from, "how");
  if (!text(from, "file").empty()) {
    out += fmt::format("  {}:{}:{}", within_packages(text(from, "file"), text(from, "package")), number(from, "line"),
                       number(from, "column"));
  }
  return plain(out);
}

void put_nodes(const json::object& node, const std::string& prefix, std::vector<std::vector<std::string>>& rows) {
  const auto path = prefix.empty() ? text(node, "name") : prefix + "/" + text(node, "name");
  if (flag(node, "item"))
    rows.push_back({plain(path), plain(text(node, "title")), flag(node, "error") ? "broken" : ""});
  for (const auto* child : objects(node, "children")) put_nodes(*child, path, rows);
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string joined(const std::vector<std::string>& list) { return plain(fmt::format("{}", fmt::join(list, ", "))); }

}  // namespace

std::string table_text(std::vector<std::string> heading, const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> right;
  std::vector<std::size_t> widths;
  for (auto& one : heading) {
    right.push_back(one.ends_with('>'));
    if (right.back()) one.pop_back();
    widths.push_back(width(one));
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (const auto own = width(row[i]); own <= kWidest) widths[i] = std::max(widths[i], own);
    }
  }
  std::string out;
  const auto put = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - std::min(widths[i], width(row[i])), ' ');
      line += (i == 0 ? "" : "  ") + (right[i] ? fill + row[i] : row[i] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  put(heading);
  for (const auto& row : rows) put(row);
  return out;
}

std::string package_list_text(const json::object& answer) {
  std::vector<std::vector<std::string>> rows;
  std::string errors;
  for (const auto* package : objects(answer, "packages")) {
    const auto& instance = object(*package, "instance_of");
    auto title = text(*package, "title");
    if (!instance.empty()) title += fmt::format(" (declared in {})", text(instance, "declared_in"));
    rows.push_back({plain(text(*package, "name")), plain(text(*package, "version")), state_of(*package),
                    std::to_string(number(*package, "items")), plain(title)});
    for (const auto* error : objects(*package, "errors")) errors += error_line(*error) + '\n';
    errors += failed_sections(*package);
  }
  return table_text({"NAME", "VERSION", "STATE", "ITEMS>", "TITLE"}, rows) + (errors.empty() ? "" : "\n" + errors);
}

std::string package_text(const json::object& answer) {
  std::vector<std::vector<std::string>> rows;
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) rows.push_back({key, plain(value)});
  };
  put("state", state_of(answer) + (flag(answer, "shipped") ? ", ships with the program" : ""));
  if (const auto& instance = object(answer, "instance_of"); !instance.empty()) {
    put("instance of", fmt::format("{}, declared in {}", text(instance, "package"), text(instance, "declared_in")));
    for (const auto& [name, value] : object(instance, "values")) {
      put("value", fmt::format("{}: {}", std::string_view(name), text(object(instance, "values"), name)));
    }
  }
  std::vector<std::string> parts;
  for (const auto& [name, range] : object(answer, "requires")) {
    parts.push_back(fmt::format("{} {}", std::string_view(name), range.is_string() ? range.get_string().c_str() : ""));
  }
  put("requires", joined(parts));
  put("imports", joined(texts(answer, "imports")));
  put("falls back to", joined(texts(answer, "fallbacks")));
  parts.clear();
  for (const auto& [name, count] : object(answer, "sections")) {
    parts.push_back(fmt::format("{} {}", std::string_view(name), json::serialize(count)));
  }
  put("holds", joined(parts));
  for (const auto* one : objects(answer, "processed")) {
    if (text(*one, "state") == "failed") continue;
    put("processed",
        fmt::format("{}: {}", text(*one, "section"), counted(number(*one, "entities"), "entity", "entities")));
  }
  for (const auto* one : objects(answer, "overrides")) {
    put("overrides", fmt::format("{} {} {}: {}", text(*one, "package"), text(*one, "section"),
                                 fmt::join(texts(*one, "path"), "/"), fmt::join(texts(*one, "field"), ".")));
  }
  for (const auto* one : objects(answer, "parameters")) {
    const auto fallback = flag(*one, "required") ? "required" : fmt::format("default {}", text(*one, "default"));
    put("parameter",
        fmt::format("{} ({}, {}): {}", text(*one, "name"), text(*one, "type"), fallback, text(*one, "help")));
  }
  for (const auto* one : objects(answer, "files")) {
    put("file", fmt::format("{} ({} bytes)", text(*one, "file"), number(*one, "size")));
  }
  const auto title = text(answer, "title");
  auto out = table_text({fmt::format("{} {}", text(answer, "name"), text(answer, "version")), plain(title)}, rows);
  if (const auto help = text(answer, "help"); !help.empty()) out += '\n' + plain(help, true) + '\n';
  const auto errors = objects(answer, "errors");
  const auto failed = failed_sections(answer);
  if (!errors.empty() || !failed.empty()) out += '\n';
  for (const auto* error : errors) out += error_line(*error) + '\n';
  return out + failed;
}

Result<std::string> package_tree_text(const json::object& answer, const std::string& section) {
  std::string out;
  std::vector<std::string> filled;
  for (const auto* one : objects(answer, "sections")) {
    filled.push_back(text(*one, "name"));
    if (!section.empty() && filled.back() != section) continue;
    std::vector<std::vector<std::string>> rows;
    for (const auto* node : objects(*one, "nodes")) put_nodes(*node, "", rows);
    if (!out.empty()) out += '\n';
    out += table_text({filled.back(), "", ""}, rows);
  }
  if (!out.empty()) return out;
  if (section.empty()) return "No section holds anything.\n";
  const auto remedy = filled.empty() ? std::string("none of its sections does") : config::suggestion(section, filled);
  return fail(ErrorCode::kNotFound, fmt::format("the package holds nothing in a section \"{}\"", plain(section)),
              plain(remedy));
}

std::string item_text(const json::object& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const auto* field : objects(answer, "fields")) {
    rows.push_back({plain(text(*field, "field")), plain(text(*field, "value")), origin(object(*field, "from"))});
  }
  auto out = fmt::format("{}  {}\n{}:{}\n\n", plain(text(answer, "id")), plain(text(answer, "title")),
                         plain(text(answer, "file")), number(answer, "line")) +
             table_text({"FIELD", "VALUE", "FROM"}, rows);
  if (const auto by = joined(texts(answer, "overridden_by")); !by.empty()) out += "\noverridden by " + by + "\n";
  const auto errors = objects(answer, "errors");
  if (!errors.empty()) out += '\n';
  for (const auto* error : errors) out += error_line(*error) + '\n';
  return out;
}

std::string history_text(const json::object& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const auto* commit : objects(answer, "commits")) {
    rows.push_back({std::to_string(number(*commit, "id")), text(*commit, "at"), plain(text(*commit, "author")),
                    joined(texts(*commit, "files")), plain(text(*commit, "reason"))});
  }
  if (rows.empty()) return "Nothing has changed yet.\n";
  return table_text({"COMMIT>", "AT", "AUTHOR", "FILES", "REASON"}, rows);
}

std::string diffs_text(const json::object& answer) {
  std::string out;
  for (const auto* file : objects(answer, "files")) out += plain(text(*file, "diff"), true);
  return out;
}

std::string plan_text(const json::object& answer) {
  const auto files = objects(answer, "files");
  if (files.empty()) return "Nothing differs.\n";
  std::string out;
  for (const auto& effect : texts(answer, "effects")) out += plain(effect) + '\n';
  for (const auto* file : files) {
    const auto what = !file->contains("before") ? "new" : !file->contains("after") ? "removed" : "changed";
    out += fmt::format("{}: {}\n", plain(text(*file, "file")), what);
  }
  return out;
}

std::string change_text(const json::object& answer, bool preview) {
  const auto out = plan_text(answer);
  if (objects(answer, "files").empty()) return out;
  return out + (preview ? "A preview: nothing was changed.\n" : commit_text(answer));
}

std::string commit_text(const json::object& answer) {
  return fmt::format("Commit {}; `atalaya package revert {}` takes it back.\n", number(answer, "commit"),
                     number(answer, "commit"));
}

std::string refusal_text(const json::object& answer, int status) {
  std::string out;
  for (const auto* error : objects(answer, "errors")) out += error_line(*error) + '\n';
  if (!out.empty()) return out;
  auto error = object(answer, "place");
  error["message"] =
      text(answer, "error").empty() ? fmt::format("the server answered {}", status) : text(answer, "error");
  error["remedy"] = text(answer, "remedy");
  return "atalaya: " + error_line(error) + '\n';
}

std::string rule_tests_text(const std::string& folder, const packages::RuleTestReport& report, bool strict) {
  std::string out;
  for (const auto& fault : report.faults) {
    out += fmt::format("{}:{}: {}\n", fault.file, fault.line, plain(fault.message, true));
  }
  const std::string_view mood = strict ? "" : "note: ";
  for (const auto& rule : report.never_firing) out += fmt::format("{}{}: no test sees it fire\n", mood, rule);
  for (const auto& rule : report.never_quiet) out += fmt::format("{}{}: no test sees it quiet\n", mood, rule);
  const auto size = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  return out + fmt::format("{}: {}, {}, {}\n", folder,
                           counted(static_cast<std::int64_t>(report.scripts), "test file", "test files"),
                           counted(size(report.rules), "rule", "rules"),
                           counted(size(report.faults), "fault", "faults"));
}

json::object rule_tests_json(const std::string& folder, const packages::RuleTestReport& report) {
  json::array faults;
  for (const auto& fault : report.faults) {
    faults.push_back({{"file", fault.file}, {"line", fault.line}, {"message", fault.message}});
  }
  return {{"folder", folder},
          {"scripts", report.scripts},
          {"faults", std::move(faults)},
          {"rules", json::array(report.rules.begin(), report.rules.end())},
          {"never_firing", json::array(report.never_firing.begin(), report.never_firing.end())},
          {"never_quiet", json::array(report.never_quiet.begin(), report.never_quiet.end())}};
}

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

const boost::json::array& list_of(const boost::json::object& object, std::string_view key) {
  static const boost::json::array kNone;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

}  // namespace atalaya::app
