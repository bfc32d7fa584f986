#include "schema/validate.h"

#include <boost/container/small_vector.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "config/suggest.h"
#include "schema/query_text.h"
#include "schema/scalars.h"
#include "schema/type_script.h"

namespace atalaya::schema {
namespace {

namespace json = boost::json;
using config::Errors;
using config::Node;

/// Where in the item the checker is; texts are made of it only when something must be said.
struct At {
  const At* up = nullptr;
  std::string_view name = {};
  std::size_t index = 0;  ///< of a list's item, whose name is ""

  std::string path() const {
    const auto own = name.empty() && up != nullptr ? std::to_string(index) : std::string(name);
    auto above = up == nullptr ? std::string() : up->path();
    return above.empty() ? own : above + "." + own;
  }
  /// The last name, for messages.
  std::string_view leaf() const { return name.empty() && up != nullptr ? up->leaf() : name; }
  /// The same with the number of a list's item: "macs.1".
  std::string leaf_with_index() const {
    if (!name.empty() || up == nullptr) return std::string(name);
    return fmt::format("{}.{}", up->leaf_with_index(), index);
  }
};

/// The thing that a message speaks of: the item, or a record within it.
struct Who {
  const At& at;
  const std::string& what;

  std::string text() const { return what.empty() ? fmt::format("\"{}\"", at.leaf()) : what; }
};

class Checker {
 public:
  /// `item` and `section` are null where the value stands in none.
  Checker(const Rules& rules, std::vector<Reference>& references, Errors& errors, const Node* item = nullptr,
          const Section* section = nullptr)
      : rules_(rules), references_(references), errors_(errors), item_(item), section_(section) {}

  /// `what` names an item; empty for a record within one.
  bool record(const Node& node, const Type& type, const At& at, const std::string& what, const Section* section,
              json::object& out);
  bool value(const Node& node, const Type& type, const At& at, json::value& out);

 private:
  using Slots = boost::container::small_vector<const Node::Entry*, 32>;

  void complain(const Place& place, std::string message, std::string remedy = {}) {
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
  }
  /// `"for" must be …`, `gauge.expr: parse error …`, `"x y" is no host`.
  void complain(const At& at, const Type& type, Error error);
  bool find_slots(const Node& node, const Type& type, const Who& who, const Section* section, Slots& slots);
  void tell_unknown(const std::vector<const Node::Entry*>& unknown, const Type& type, const Who& who,
                    const Section* section, const Slots& slots);
  bool check_sets(const Node& node, const Type& type, const Who& who, const Slots& slots, bool is_item, bool unknown);
  bool one_field(const Node& node, const Field& field, const Node::Entry* entry, bool chosen, const Who& who,
                 const At& at, json::object& out);
  bool list(const Node& node, const Type& type, const At& at, json::value& out);
  bool map(const Node& node, const Type& type, const At& at, json::value& out);
  bool limits(const Node& node, const Type& type, const At& at, json::value& out);
  bool filled(const Node& node, const Type& type, const At& at, json::value& out);
  const ItemVariables& variables_of(const Type& type);
  void refer(const Node& node, const Type& type, const At& at);

  const Rules& rules_;
  std::vector<Reference>& references_;
  Errors& errors_;
  const Node* item_;
  const Section* section_;
  std::map<std::string, ItemVariables> variables_;  ///< by the field that declares them
};

std::size_t index_of(const std::vector<Field>& fields, std::string_view name, std::size_t hint) {
  // People write fields mostly in the order of the form.
  const auto count = fields.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = hint + i < count ? hint + i : hint + i - count;
    if (fields[at].name == name) return at;
  }
  return count;
}

/// What may be written where keys are expected.
std::string keys_of(const Type& type) {
  std::vector<std::string> names;
  for (const auto& field : type.fields) names.push_back(field.name);
  return config::known_are(names);
}

bool is_member(const std::vector<std::vector<std::string>>& sets, const std::string& name) {
  return std::any_of(sets.begin(), sets.end(),
                     [&](const auto& set) { return std::find(set.begin(), set.end(), name) != set.end(); });
}

/// Does a message of this kind begin with the path of its field, because it speaks of something within?
bool has_syntax(const Type& type) {
  switch (type.kind) {
    case Kind::kPromql:
    case Kind::kSelector:
    case Kind::kRegex:
    case Kind::kCron: return true;
    default: return false;
  }
}

void Checker::complain(const At& at, const Type& type, Error error) {
  static constexpr std::array kPredicates{"must be ", "is ", "has ", "does "};
  const bool predicate = std::any_of(kPredicates.begin(), kPredicates.end(),
                                     [&](const char* word) { return error.message.starts_with(word); });
  if (predicate) {
    error.message = fmt::format("\"{}\" {}", at.leaf_with_index(), error.message);
  } else if (error.message.starts_with("this ")) {
    // What stands there is not to be repeated.
    error.message = fmt::format("\"{}\"{}", at.leaf_with_index(), error.message.substr(4));
  } else if (type.kind == Kind::kEnumeration && error.message.ends_with(" is no value")) {
    error.message += fmt::format(" of \"{}\"", at.leaf());
  } else if (has_syntax(type) || !type.script.empty()) {
    error.message = fmt::format("{}: {}", at.path(), error.message);
  }
  errors_.push_back(std::move(error));
}

bool Checker::find_slots(const Node& node, const Type& type, const Who& who, const Section* section, Slots& slots) {
  std::vector<const Node::Entry*> unknown;
  std::size_t hint = 0;
  for (const auto& entry : node.entries()) {
    const auto& key = entry.key->text();
    const auto index = index_of(type.fields, key, hint);
    if (index < type.fields.size()) {
      slots[index] = &entry;
      hint = index + 1;
      continue;
    }
    if (section != nullptr &&
        std::find(section->contains.begin(), section->contains.end(), key) != section->contains.end()) {
      continue;
    }
    unknown.push_back(&entry);
  }
  if (!unknown.empty()) tell_unknown(unknown, type, who, section, slots);
  return unknown.empty();
}

/// Of an override or a link, the key that was meant may stand in the item that it is laid on.
std::string written_elsewhere(const Node& unknown, const Type& type, std::span<const Node::Entry* const> slots) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] != nullptr && slots[i]->key->place().file != unknown.place().file)
      names.push_back(type.fields[i].name);
  }
  return config::closest(unknown.text(), names);
}

void Checker::tell_unknown(const std::vector<const Node::Entry*>& unknown, const Type& type, const Who& who,
                           const Section* section, const Slots& slots) {
  constexpr std::size_t kMost = 50;
  // A key that is there cannot be the one that was meant.
  std::vector<std::string> all;
  std::vector<std::string> free;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    all.push_back(type.fields[i].name);
    if (slots[i] == nullptr) free.push_back(type.fields[i].name);
  }
  if (section != nullptr) all.insert(all.end(), section->contains.begin(), section->contains.end());
  for (std::size_t i = 0; i < unknown.size() && i < kMost; ++i) {
    const auto& key = *unknown[i]->key;
    auto near = config::closest(key.text(), free);
    if (near.empty()) near = written_elsewhere(key, type, slots);
    complain(key.place(), fmt::format("{} has no key \"{}\"", who.text(), std::string_view(key.text()).substr(0, 64)),
             near.empty() ? config::known_are(all) : "did you mean \"" + near + "\"?");
  }
  if (unknown.size() > kMost) {
    complain(unknown[kMost]->key->place(),
             fmt::format("{} has {} more keys that it does not know", who.text(), unknown.size() - kMost));
  }
}

bool Checker::check_sets(const Node& node, const Type& type, const Who& who, const Slots& slots, bool is_item,
                         bool unknown) {
  bool good = true;
  for (const auto& set : type.one_of) {
    std::vector<const Node::Entry*> written;
    for (const auto& name : set) {
      const auto* entry = slots[index_of(type.fields, name, 0)];
      if (entry != nullptr) written.push_back(entry);
    }
    if (written.size() == 1) continue;
    good = false;
    if (written.empty()) {
      if (unknown) continue;  // most likely that one was meant
      auto sorted = set;
      std::sort(sorted.begin(), sorted.end());
      const bool kind = is_item && &set == &type.one_of.front();
      complain(node.place(),
               kind ? fmt::format("{} does not say what it is", who.text())
                    : fmt::format("{} has none of the keys {}", who.text(), fmt::join(sorted, ", ")),
               fmt::format("add one of the keys {}", fmt::join(sorted, ", ")));
      continue;
    }
    std::sort(written.begin(), written.end(),
              [](const auto* a, const auto* b) { return a->key->begin() < b->key->begin(); });
    for (std::size_t i = 1; i < written.size(); ++i) {
      complain(
          written[i]->key->place(),
          fmt::format("{} has both \"{}\" and \"{}\"", who.text(), written[0]->key->text(), written[i]->key->text()),
          "keep one of them");
    }
  }
  for (const auto& set : type.some_of) {
    const bool any = std::any_of(set.begin(), set.end(), [&](const auto& name) {
      const auto* entry = slots[index_of(type.fields, name, 0)];
      return entry != nullptr && !entry->value->is_null();
    });
    if (any || unknown) continue;
    good = false;
    complain(node.place(),
             set.size() == 2 ? fmt::format("{} sets neither {} nor {}", who.text(), set[0], set[1])
                             : fmt::format("{} sets none of {}", who.text(), fmt::join(set, ", ")),
             "set at least one of them");
  }
  return good;
}

bool Checker::one_field(const Node& node, const Field& field, const Node::Entry* entry, bool chosen, const Who& who,
                        const At& at, json::object& out) {
  if (entry == nullptr || (entry->value->is_null() && !field.required && !chosen)) {
    if (field.required) {
      complain(node.place(), fmt::format("{} needs the key \"{}\"", who.text(), field.name),
               field.help.empty() ? fmt::format("add {}: …", field.name) : field.help);
      return false;
    }
    if (!field.fallback.is_null()) out.emplace(field.name, field.plain);
    return true;
  }
  const At below{&at, field.name};
  json::value plain;
  if (field.type->kind == Kind::kRecord && entry->value->is_null() && chosen) {
    // `host:` alone says which it is.
    json::object empty;
    if (!record(*entry->value, *field.type, below, {}, nullptr, empty)) return false;
    plain = std::move(empty);
  } else if (!value(*entry->value, *field.type, below, plain)) {
    return false;
  }
  out.emplace(field.name, std::move(plain));
  return true;
}

bool Checker::record(const Node& node, const Type& type, const At& at, const std::string& what, const Section* section,
                     json::object& out) {
  const Who who{at, what};
  if (!node.is_mapping() && !node.is_null()) {
    complain(node.place(), fmt::format("expected the keys of {}, found {}", who.text(), shown(node, type)),
             keys_of(type));
    return false;
  }
  Slots slots(type.fields.size(), nullptr);
  const bool known = find_slots(node, type, who, section, slots);
  bool good = check_sets(node, type, who, slots, section != nullptr, !known) && known;
  out.reserve(type.fields.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto& field = type.fields[i];
    const bool chosen = slots[i] != nullptr && is_member(type.one_of, field.name);
    good = one_field(node, field, slots[i], chosen, who, at, out) && good;
  }
  return good;
}

bool Checker::list(const Node& node, const Type& type, const At& at, json::value& out) {
  json::array items;
  bool good = true;
  const auto add = [&](const Node& item, std::size_t index) {
    json::value plain;
    good = value(item, *type.of, type.one_or_many && !node.is_sequence() ? at : At{&at, {}, index}, plain) && good;
    items.push_back(std::move(plain));
  };
  if (node.is_sequence()) {
    items.reserve(node.items().size());
    for (std::size_t i = 0; i < node.items().size(); ++i) add(*node.items()[i], i);
  } else if (type.one_or_many && !node.is_null()) {
    add(node, 0);
  } else {
    complain(node.place(), fmt::format("\"{}\" must be a list, found {}", at.leaf(), shown(node, *type.of)),
             "e.g. [first, second]");
    return false;
  }
  out = std::move(items);
  return good;
}

bool Checker::map(const Node& node, const Type& type, const At& at, json::value& out) {
  if (!node.is_mapping()) {
    complain(node.place(), fmt::format("\"{}\" must be names with values, found {}", at.leaf(), shown(node, *type.of)),
             "e.g. {name: value}");
    return false;
  }
  json::object entries;
  entries.reserve(node.entries().size());
  bool good = true;
  for (const auto& entry : node.entries()) {
    json::value plain;
    good = value(*entry.value, *type.of, At{&at, entry.key->text()}, plain) && good;
    entries.emplace(entry.key->text(), std::move(plain));
  }
  out = std::move(entries);
  return good;
}

bool Checker::limits(const Node& node, const Type& type, const At& at, json::value& out) {
  if (auto held = check_limits(out, node, type); !held) {
    complain(at, type, std::move(held).error());
    return false;
  }
  if (type.script.empty() || !rules_.run) return true;
  auto checked = ask_script(rules_, type, "validate", out);
  if (!checked) {
    auto error = std::move(checked).error();
    error.place = node.place();
    complain(at, type, std::move(error));
    return false;
  }
  out = std::move(*checked);
  return true;
}

const ItemVariables& Checker::variables_of(const Type& type) {
  const auto [known, is_new] = variables_.try_emplace(type.variables);
  if (!is_new || section_ == nullptr || item_ == nullptr) return known->second;
  const auto& fields = section_->body->fields;
  // Pages get theirs from who shows them.
  if (index_of(fields, type.variables, 0) < fields.size()) known->second = read_variables(item_->get(type.variables));
  return known->second;
}

/// A text that may hold variables.
bool Checker::filled(const Node& node, const Type& type, const At& at, json::value& out) {
  const auto as = type.kind == Kind::kPromql     ? Filled::kPromql
                  : type.kind == Kind::kSelector ? Filled::kSelector
                                                 : Filled::kText;
  auto wrong = check_filled(node.text(), as, variables_of(type));
  for (auto& error : wrong) {
    error.place = place_within({}, node, error.place.value_or(Place{}));
    complain(at, type, std::move(error));
  }
  out = json::string(node.text());
  return wrong.empty();
}

void Checker::refer(const Node& node, const Type& type, const At& at) {
  if (!type.variables.empty() && !variable_uses(node.text()).empty()) return;
  // Hosts, routes and what programs of sections make come and go; items have a path alone.
  const auto& id = node.text();
  const bool goes = id.find('/') == std::string::npos || id.starts_with('/') || id.find(':') != std::string::npos;
  if (type.section == "entity" && goes) return;
  references_.push_back({type.section, id, at.path(), node.place()});
}

bool Checker::value(const Node& node, const Type& type, const At& at, json::value& out) {
  if (!type.or_words.empty() && node.is_scalar() &&
      std::find(type.or_words.begin(), type.or_words.end(), node.text()) != type.or_words.end()) {
    out = nullptr;
    return true;
  }
  switch (type.kind) {
    case Kind::kRecord: {
      if (node.is_null()) {
        complain(node.place(), fmt::format("expected the keys of \"{}\", found nothing", at.leaf()), keys_of(type));
        return false;
      }
      json::object fields;
      if (!record(node, type, at, {}, nullptr, fields)) return false;
      out = std::move(fields);
      return limits(node, type, at, out);
    }
    case Kind::kList: return list(node, type, at, out) && limits(node, type, at, out);
    case Kind::kMap: return map(node, type, at, out) && limits(node, type, at, out);
    case Kind::kAny: out = to_json(node); return limits(node, type, at, out);
    default: break;
  }
  if (!type.variables.empty() && node.is_scalar() && !node.is_null()) {
    if (!filled(node, type, at, out)) return false;
  } else {
    auto plain = read_scalar(node, type);
    if (!plain) {
      complain(at, type, std::move(plain).error());
      return false;
    }
    out = std::move(*plain);
  }
  if (type.kind == Kind::kReference) refer(node, type, at);
  return limits(node, type, at, out);
}

}  // namespace

Checked check_item(const Node& node, const Section& section, const std::string& what, const Rules& rules,
                   Errors& errors) {
  Checked checked;
  if (node.is_null() && section.shape != Shape::kDocument) {
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("expected the keys of {}, found nothing", what),
                      node.place(), keys_of(*section.body)});
    checked.ok = false;
    return checked;
  }
  Checker checker(rules, checked.references, errors, &node, &section);
  checked.ok = checker.record(node, *section.body, At{}, what, &section, checked.fields);
  return checked;
}

std::optional<json::value> check_value(const Node& node, const Type& type, const std::string& field, const Rules& rules,
                                       std::vector<Reference>& references, Errors& errors) {
  Checker checker(rules, references, errors);
  json::value out;
  if (!checker.value(node, type, At{nullptr, field}, out)) return std::nullopt;
  return out;
}

}  // namespace atalaya::schema
