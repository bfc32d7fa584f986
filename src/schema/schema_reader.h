// From the YAML of `schemas:` to sections. Inside schema only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/reader.h"
#include "schema/schema_set.h"
#include "schema/type_reader.h"

namespace atalaya::schema {

/// Fills one set from its sources. Thread-compatible; used once.
class SchemaReader {
 public:
  SchemaReader(SchemaSet& set, config::Errors& errors)
      : set_(set), errors_(errors), types_(set, set.types_, set.kept_, errors) {}

  void read(const std::vector<Source>& sources);

 private:
  void read_sections(const Source& source);
  std::unique_ptr<Section> read_section(const std::string& package, const config::Node& key, const config::Node& node);
  void read_shape(Section& section, config::Reader& read);
  void read_indexes(Section& section, const config::Node* node, const Place& place);
  void read_body(Section& section, const config::Node& node, config::Reader& read);
  void read_field_sets(Section& section, const config::Node& node);
  void read_field_set(Section& section, const config::Node& key, const config::Node& node);
  void open_kinds(const std::vector<Source>& sources);
  void check_uses();
  void complain(const Place& place, std::string message, std::string remedy = {});

  SchemaSet& set_;
  config::Errors& errors_;
  TypeReader types_;
  std::vector<SectionUse> contained_;
};

}  // namespace atalaya::schema
