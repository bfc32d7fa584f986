#include "packages/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "config/suggest.h"
#include "packages/fields.h"
#include "packages/items.h"

namespace atalaya::packages {
namespace {

using config::Errors;

class PackageLoader {
 public:
  PackageLoader(const TenantId& tenant, const std::string& folder, const std::set<std::string>& channel_types)
      : channel_types_(channel_types) {
    out_.package.tenant = tenant;
    out_.package.name = folder;
  }

  void add_channel_types(const std::vector<SourceFile>& files) {
    for (const auto& file : files) {
      if (!file.name.starts_with("channels/") || file.unreadable) continue;
      auto name = file.name.substr(9, file.name.size() - 9 - std::string_view(".yaml").size());
      channel_types_.insert(name);
      out_.package.channel_types.push_back({std::move(name), file.path, file.text});
    }
  }

  void read(const SourceFile& file) {
    if (file.unreadable) {
      auto error = *file.unreadable;
      error.place = Place{file.path, 0, 0};
      if (error.remedy.empty()) error.remedy = "make the file readable for the server's user, or remove it";
      return errors().push_back(std::move(error));
    }
    if (file.name.starts_with("channels/")) return;
    auto document = config::Document::parse(file.text, file.path);
    if (!document) return errors().push_back(std::move(document).error());
    read_document(*document);
  }

  Loaded finish() {
    check_links();
    auto& p = out_.package;
    if (out_.errors.empty() && version_.empty() && p.channel_types.empty()) {
      errors().push_back({ErrorCode::kInvalidArgument, fmt::format("package {} holds no YAML file", p.name),
                          Place{p.name, 0, 0}, "add one that begins with package: and version:, or remove the folder"});
    }
    p.version = version_.empty() ? "0" : version_;
    config::sort_by_place(out_.errors);
    return std::move(out_);
  }

 private:
  Errors& errors() { return out_.errors; }

  void complain(const config::Node& node, std::string message, std::string remedy) {
    errors().push_back({ErrorCode::kInvalidArgument, std::move(message), node.place(), std::move(remedy)});
  }

  void read_document(const config::Document& document) {
    config::Reader top(document.root(), "a package file", errors());
    const auto fields = read_fields(top, file_fields(), errors());
    check_head(document.root(), fields);
    for (const auto& one : sections()) {
      const auto* node = top.find(one.name);
      if (node == nullptr || node->is_null()) continue;
      if (!config::expect_mapping(*node, errors())) continue;
      for (const auto& group : node->entries()) read_group(document, one, group);
    }
    top.finish();
  }

  void check_head(const config::Node& root, const boost::json::object& fields) {
    auto& p = out_.package;
    if (const auto* name = fields.if_contains("package"); name != nullptr && name->get_string() != p.name.c_str()) {
      complain(*root.get("package"),
               fmt::format("package \"{}\" stands in the folder \"{}\"", std::string(name->get_string()), p.name),
               fmt::format("write package: {}, or rename the folder", p.name));
    }
    if (const auto* version = fields.if_contains("version")) {
      std::string text(version->get_string());
      if (version_.empty()) {
        version_ = std::move(text);
      } else if (version_ != text) {
        complain(*root.get("version"),
                 fmt::format("version {} here, {} in another file of the package", text, version_),
                 "all files of a package have one version");
      }
    }
    if (const auto* title = fields.if_contains("title")) p.title = std::string(title->get_string());
  }

  bool check_name(const config::Node& key) {
    if (is_item_name(key.text())) return true;
    complain(key, fmt::format("\"{}\" is no name", key.text()),
             "letters, digits, _, - and . ; a letter or digit first; at most 64");
    return false;
  }

  void read_group(const config::Document& document, const Section& one, const config::Node::Entry& group) {
    if (!check_name(*group.key)) return;
    if (!config::expect_mapping(*group.value, errors())) return;
    for (const auto& entry : group.value->entries()) {
      if (!check_name(*entry.key)) continue;
      const auto id = fmt::format("{}/{}/{}", out_.package.name, group.key->text(), entry.key->text());
      const auto key = fmt::format("{} {}", one.name, id);
      const auto [slot, is_new] = seen_.try_emplace(key, entry.key->place());
      if (!is_new) {
        complain(*entry.key,
                 fmt::format("{} \"{}\" is declared twice, first at {}", one.item, id, to_string(slot->second)),
                 "give one of them another name");
        continue;
      }
      read_item(document, one, id, entry);
    }
  }

  void read_item(const config::Document& document, const Section& one, const std::string& id,
                 const config::Node::Entry& entry) {
    auto& p = out_.package;
    const ItemContext item{document, p.tenant, id, entry.key->text(), *entry.value, errors()};
    const auto parts = read_parts(item, one, one.open_types ? channel_types_ : std::set<std::string>{});
    if (!parts) return;
    std::string title;
    if (one.name == "rules") {
      auto rule = make_rule(item, *parts);
      if (!rule || !check_alert_name(*entry.key, rule->name)) return;
      rule->origin = entry.key->place();
      title = rule->title;
      p.rules.push_back(std::move(*rule));
    } else if (one.name == "collectors") {
      auto collector = make_collector(item, *parts);
      if (!collector || (collector->is_check() && !check_check_name(*entry.key))) return;
      collector->origin = entry.key->place();
      title = collector->title;
      p.collectors.push_back(std::move(*collector));
    } else {
      auto channel = make_channel(item, *parts);
      if (!channel) return;
      channel->origin = entry.key->place();
      title = channel->title;
      p.channels.push_back(std::move(*channel));
    }
    note_item(one, id, title, *entry.key, *entry.value, parts->fields);
  }

  /// Alerts are told apart by name and labels, so two rules of a package may not share the name.
  bool check_alert_name(const config::Node& key, const std::string& name) {
    const auto [slot, is_new] = alert_names_.try_emplace(name, key.place());
    if (is_new) return true;
    complain(key,
             fmt::format("another rule of this package, at {}, is called \"{}\" too", to_string(slot->second), name),
             "rules' names are the names of their alerts: choose another one");
    return false;
  }

  /// Series of checks carry the name alone.
  bool check_check_name(const config::Node& key) {
    const auto [slot, is_new] = check_names_.try_emplace(key.text(), key.place());
    if (is_new) return true;
    complain(
        key,
        fmt::format("another check of this package, at {}, is called \"{}\" too", to_string(slot->second), key.text()),
        "choose another name");
    return false;
  }

  void note_item(const Section& one, const std::string& id, const std::string& title, const config::Node& key,
                 const config::Node& node, const boost::json::object& fields) {
    registry::Item item;
    item.id = id;
    item.tenant = out_.package.tenant;
    item.kind = one.name;
    item.package = out_.package.name;
    item.title = title;
    item.origin = key.place();
    if (const auto* links = fields.if_contains("depends_on")) {
      for (const auto& link : links->get_array()) {
        item.links.emplace_back(link.get_string());
        links_.push_back({item.links.back(), node.get("depends_on")->place()});
      }
    }
    out_.package.index.push_back(std::move(item));
  }

  void check_links() {
    std::vector<std::string> ids;
    for (const auto& item : out_.package.index) ids.push_back(item.id);
    for (const auto& [link, place] : links_) {
      if (std::find(ids.begin(), ids.end(), link) != ids.end()) continue;
      const bool outside = !link.starts_with(out_.package.name + "/");
      errors().push_back({ErrorCode::kInvalidArgument,
                          outside ? fmt::format("the link to \"{}\" leads out of the package", link)
                                  : fmt::format("there is no item \"{}\"", link),
                          place,
                          outside ? "an item depends on items of its own package, as package/group/name"
                                  : config::suggestion(link, ids)});
    }
  }

  struct Link {
    std::string to;
    Place place;
  };
  std::set<std::string> channel_types_;
  Loaded out_;
  std::string version_;
  std::map<std::string, Place> seen_;
  std::map<std::string, Place> alert_names_;
  std::map<std::string, Place> check_names_;
  std::vector<Link> links_;
};

}  // namespace

bool is_item_name(std::string_view name) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 64 && is_alnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

Loaded load_package(const TenantId& tenant, const std::string& folder, const std::vector<SourceFile>& files,
                    const std::set<std::string>& channel_types) {
  PackageLoader loader(tenant, folder, channel_types);
  loader.add_channel_types(files);
  for (const auto& file : files) loader.read(file);
  return loader.finish();
}

}  // namespace atalaya::packages
