// All sections and types that the files of one package may use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "schema/section.h"

namespace atalaya::schema {

/// A field that a package's file adds to the first `one_of` set of the section whose `open_kinds` is this
/// folder: a channel type.
struct OpenKind {
  std::string folder;
  Field field;
};

/// The `schemas:` and `types:` of one package; null where it has none.
struct Source {
  std::string package;
  const config::Node* schemas = nullptr;
  const config::Node* types = nullptr;
  std::vector<OpenKind> kinds;
};

/// Immutable, thread-safe. Equal content has an equal fingerprint.
class SchemaSet {
 public:
  /// Reads the sources in their order; a name twice, a type that is built on itself, a field of an
  /// unknown type, a field set that names no field … become errors with their places, and what they
  /// are about is left out. Types of later sources may be built on those of earlier ones. The first
  /// source is `base`, which describes `schemas` and `types` themselves too.
  static std::shared_ptr<const SchemaSet> build(const std::vector<Source>& sources, config::Errors& errors);

  const Section* section(std::string_view name) const;  ///< null if unknown
  const TypePtr* type(std::string_view name) const;     ///< null if unknown; the program's own included
  std::vector<const Section*> sections() const;         ///< by the order of declaration
  std::vector<TypePtr> types() const;                   ///< those that packages define, in order
  /// A record of the fields that this mapping describes (as `fields:` of a schema does): parameters of a
  /// specification, arguments of a procedure. Null after errors.
  TypePtr record(const config::Node& fields, config::Errors& errors) const;
  /// The same of the fields that hold, whatever is wrong with the others; null where it is no mapping.
  TypePtr holding_record(const config::Node& fields, config::Errors& errors) const;
  /// A section that is declared and does not hold itself, which is told where it is declared.
  bool is_broken(std::string_view section) const { return broken_.contains(section); }
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  friend class SchemaReader;
  std::vector<std::unique_ptr<Section>> sections_;
  std::map<std::string, const Section*, std::less<>> by_name_;
  std::map<std::string, TypePtr, std::less<>> types_;
  std::vector<TypePtr> declared_;
  std::vector<TypePtr> kept_;                  ///< records that may be pointed to from within themselves
  std::set<std::string, std::less<>> broken_;  ///< sections
  std::uint64_t fingerprint_ = 0;
};

}  // namespace atalaya::schema
