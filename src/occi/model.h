// OCCI's core model (GFD.221): kinds, mixins, actions and their attributes, as data.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.h"
#include "occi/value.h"

namespace re2 {
class RE2;
}

namespace atalaya::occi {

enum class AttributeType { kString, kInteger, kNumber, kBoolean, kUri };
/// As discovery tells it: an integer is a number, a URI a string.
std::string_view name(AttributeType type);

/// One attribute of a category. Immutable, cheap to copy.
struct Attribute {
  std::string name;
  AttributeType type = AttributeType::kString;
  /// Who gives the value: clients at any time, at creation only, or the server alone.
  enum class SetBy { kClient, kCreation, kServer } set_by = SetBy::kClient;
  bool required = false;
  bool secret = false;  ///< taken and never shown
  std::optional<Value> fallback;
  std::string pattern;  ///< RE2, of the whole text; "" : any
  std::shared_ptr<const re2::RE2> regex;
  std::optional<double> min, max;  ///< of numbers
  std::size_t most = 4096;         ///< bytes of a text
  std::string help;
  std::string field;     ///< where the item of a package holds it; "" : among its `attributes`
  std::string sets;      ///< of an action: the entity's attribute that takes the value
  bool seconds = false;  ///< the item's field is a duration, the attribute its whole seconds

  bool mutable_by_client() const { return set_by == SetBy::kClient; }
};

/// How an agent gets what a metric mixin stands for. Attributes are named by the last part of their names.
struct Measure {
  std::string type;                           ///< of the agent's collectors; "host" : a value of the machine
  std::string take;                           ///< the value or sample; `{name}` stands for that attribute
  std::map<std::string, std::string> fields;  ///< of that collector, to attributes
  std::map<std::string, std::string> with;    ///< fields that are always so
  std::map<std::string, std::string> select;  ///< labels of the wanted series, to attributes
  std::string pattern;                        ///< the attribute that says which lines count
  /// Of scripts: the attribute that names the program as `<package>/<file>`, or the program of a user's mixin itself.
  std::string program_of;
  std::string program;
};

struct Category {
  enum class Class { kKind, kMixin, kAction } cls = Class::kKind;
  std::string term;
  std::string scheme;
  std::string title;
  std::string location;               ///< "/compute/"; "" of actions, and of kinds of which nothing can be made
  std::vector<Attribute> attributes;  ///< its own, without those of parents
  std::vector<std::string> actions;   ///< ids

  std::string parent;                ///< of a kind; "" of the first one
  std::vector<std::string> depends;  ///< of a mixin: mixins whose attributes it has too
  std::vector<std::string> applies;  ///< of a mixin: kinds; none: all

  // Of kinds.
  std::string section;                      ///< of packages, that holds its entities
  bool keeps_unknown_mixins = false;        ///< else an unknown mixin is an error
  std::vector<std::string> source, target;  ///< of links: kinds that may stand there; none: all resources
  std::string state_attribute;              ///< "" : it has no states
  std::string initial_state;

  std::shared_ptr<const Measure> measure;  ///< of a metric; null of others

  // Of actions: from which state to which. Empty: it is never carried out.
  std::map<std::string, std::string> moves;

  /// Of a mixin that somebody defined: the item that holds it; "" of those that the program brings.
  std::string item;

  std::string id() const { return scheme + term; }
};
std::string_view name(Category::Class cls);

constexpr std::string_view kCoreScheme = "http://schemas.ogf.org/occi/core#";
constexpr std::string_view kId = "occi.core.id";
constexpr std::string_view kTitle = "occi.core.title";
constexpr std::string_view kSummary = "occi.core.summary";
constexpr std::string_view kSource = "occi.core.source";
constexpr std::string_view kTarget = "occi.core.target";

/// All categories that are known. Ids and locations are unique; parents, dependencies and actions exist.
/// Thread-compatible; pointers into it hold as long as it is not changed.
class Model {
 public:
  /// What the program brings: Core, Infrastructure, its own mixins.
  static Model shipped();

  /// Adds what one file of `data/` declares. Errors have their places.
  Status read(const config::Node& file);
  /// already_exists for an id or location that is taken, invalid_argument for what is wrong with it otherwise.
  Status add(Category category);
  /// not_found; others must not depend on it.
  Status remove(std::string_view id);

  const Category* find(std::string_view id) const;
  const Category* kind(std::string_view id) const;   ///< null of what is none
  const Category* mixin(std::string_view id) const;  ///< null of what is none
  /// A kind or mixin by its location, with or without the slash at its end.
  const Category* at(std::string_view location) const;
  std::vector<const Category*> all() const;  ///< kinds, mixins, actions; each in the order they were added

  /// Is the kind `id` the kind `ancestor`, or below it?
  bool is_a(std::string_view id, std::string_view ancestor) const;
  bool is_link(std::string_view kind) const { return is_a(kind, std::string(kCoreScheme) + "link"); }
  bool is_resource(std::string_view kind) const { return is_a(kind, std::string(kCoreScheme) + "resource"); }
  /// Those of its parents first; of a mixin those of what it depends on first. No name twice: the nearer counts.
  std::vector<const Attribute*> attributes_of(const Category& category) const;
  const Attribute* attribute_of(const Category& category, std::string_view name) const;
  /// A kind's and its parents' actions.
  std::vector<const Category*> actions_of(const Category& category) const;
  /// Is the mixin `id` the mixin `base`, or does it build on it?
  bool builds_on(std::string_view id, std::string_view base) const;
  /// May an entity of this kind have this mixin?
  bool applies(const Category& mixin, std::string_view kind) const;
  /// The nearest in the kind's chain that says it; null: none has states.
  const Category* with_states(const Category& kind) const;
  /// The section that holds entities of this kind.
  std::string section_of(const Category& kind) const;

 private:
  Status read_category(Category::Class cls, const std::string& scheme, const std::string& term,
                       const config::Node& node);
  Status check(const Category& category) const;
  void parents_first(const Category& category, std::vector<const Category*>& out) const;

  std::map<std::string, std::shared_ptr<const Category>, std::less<>> categories_;
  std::map<std::string, std::string, std::less<>> locations_;  ///< to ids
  std::vector<std::string> order_;
};

/// Reads one attribute's definition of `data/`, or of a mixin in a package.
Result<Attribute> read_attribute(const std::string& name, const config::Node& node);
/// invalid_argument that names the attribute. Whole numbers become numbers where those are wanted.
Result<Value> check_value(const Attribute& attribute, const Value& value);

}  // namespace atalaya::occi
