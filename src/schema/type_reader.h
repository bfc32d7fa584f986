// From the YAML of `types:` and fields to types. Inside schema only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "schema/schema_set.h"

namespace atalaya::schema {

/// A section that a type refers to; it may be declared later.
struct SectionUse {
  std::string section;
  Place place;
};

/// Resolves names of types, each when it is first needed. Thread-compatible; what it puts into `named` and `kept`
/// outlives it.
class TypeReader {
 public:
  using Named = std::map<std::string, TypePtr, std::less<>>;

  TypeReader(const SchemaSet& schemas, Named& named, std::vector<TypePtr>& kept, config::Errors& errors)
      : schemas_(schemas), named_(named), kept_(kept), errors_(errors) {}

  /// Reads one package's types; those that hold, in their order.
  std::vector<TypePtr> read_types(const std::string& package, const config::Node& types);
  /// Nothing after errors.
  std::optional<Field> read_field(const std::string& name, const config::Node& node, const std::string& package);
  /// The fields that hold; a wrong one is left out.
  std::vector<Field> read_fields(const config::Node& node, const std::string& package);
  /// `one_of:` or `some_of:`; each name must be of one of these fields.
  std::vector<std::vector<std::string>> read_sets(const config::Node* node, const std::vector<Field>& fields,
                                                  bool exactly_one);
  /// "list of host"; null after an error at `place`.
  TypePtr parse(std::string_view text, const Place& place);
  /// Makes a field's plain default; false after errors.
  bool fill_default(Field& field, const config::Node& node);

  const std::vector<SectionUse>& uses() const { return uses_; }

 private:
  struct Declared {
    const config::Node* key = nullptr;
    const config::Node* node = nullptr;
    bool open = false;             ///< being read
    std::shared_ptr<Type> record;  ///< from the moment that its fields are read
  };

  TypePtr named(std::string_view name, const Place& place);
  TypePtr read_declared(const std::string& name, Declared& declared);
  TypePtr read_type(config::Reader& read, const std::string& package, const std::string& name);
  static void allow_refinements(config::Reader& read);
  TypePtr refined(TypePtr base, config::Reader& read, const std::string& package, const std::string& name);
  bool refine_inner(Type& type, config::Reader& read, const std::string& package);
  bool refine_outer(Type& type, config::Reader& read);
  void read_bounds(Type& type, config::Reader& read);
  bool read_record(Type& type, config::Reader& read, const std::string& package);
  bool read_choices(Type& type, const config::Node& node);
  void read_pattern(Type& type, const config::Node& node);
  void complain(const Place& place, std::string message, std::string remedy = {});

  const SchemaSet& schemas_;
  Named& named_;
  std::vector<TypePtr>& kept_;
  config::Errors& errors_;
  std::string package_;
  std::map<std::string, Declared, std::less<>> declared_;
  std::map<std::string, TypePtr, std::less<>> expressions_;
  std::vector<SectionUse> uses_;
  std::vector<const Declared*> open_;  ///< being read, each needed by the one before
};

}  // namespace atalaya::schema
