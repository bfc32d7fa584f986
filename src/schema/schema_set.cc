#include "schema/schema_set.h"

#include <boost/json.hpp>

#include "config/suggest.h"
#include "config/yaml_value.h"
#include "schema/describe.h"
#include "schema/schema_reader.h"
#include "schema/type_reader.h"

namespace atalaya::schema {
namespace {

/// FNV-1a.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0xff);  // stands in no UTF-8
  }
  std::uint64_t value() const { return value_; }

 private:
  void mix(unsigned byte) { value_ = (value_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

std::uint64_t fingerprint_of(const std::vector<Source>& sources) {
  Fingerprint sum;
  for (const auto& source : sources) {
    sum.add(source.package);
    for (const auto* node : {source.schemas, source.types}) {
      sum.add(node == nullptr ? std::string() : config::write_flow(config::value_of(*node)));
    }
    for (const auto& kind : source.kinds) {
      sum.add(kind.folder);
      sum.add(boost::json::serialize(to_json(kind.field)));
    }
  }
  return sum.value();
}

}  // namespace

std::shared_ptr<const SchemaSet> SchemaSet::build(const std::vector<Source>& sources, config::Errors& errors) {
  auto set = std::make_shared<SchemaSet>();
  SchemaReader(*set, errors).read(sources);
  set->fingerprint_ = fingerprint_of(sources);
  return set;
}

TypePtr SchemaSet::record(const config::Node& fields, config::Errors& errors) const {
  const auto before = errors.size();
  auto made = holding_record(fields, errors);
  return errors.size() == before ? made : nullptr;
}

TypePtr SchemaSet::holding_record(const config::Node& fields, config::Errors& errors) const {
  if (!config::expect_mapping(fields, errors)) return nullptr;
  auto named = types_;
  std::vector<TypePtr> kept;  // a record of named fields never points into itself
  auto made = std::make_shared<Type>();
  made->kind = Kind::kRecord;
  made->name = "record";
  made->help = "a mapping";
  TypeReader reader(*this, named, kept, errors);
  made->fields = reader.read_fields(fields, "");
  for (const auto& use : reader.uses()) {
    if (is_any(use.section) || by_name_.contains(use.section) || is_broken(use.section)) continue;
    std::vector<std::string> known{"any", "entity"};
    for (const auto& [name, section] : by_name_) known.push_back(name);
    errors.push_back({ErrorCode::kInvalidArgument, "there is no section \"" + use.section.substr(0, 64) + "\"",
                      use.place, config::suggestion(use.section, known)});
  }
  return made;
}

const Section* SchemaSet::section(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const TypePtr* SchemaSet::type(std::string_view name) const {
  if (const auto found = types_.find(name); found != types_.end()) return &found->second;
  const auto kind = parse_kind(name);
  return kind ? &builtin(*kind) : nullptr;
}

std::vector<const Section*> SchemaSet::sections() const {
  std::vector<const Section*> out;
  for (const auto& section : sections_) out.push_back(section.get());
  return out;
}

std::vector<TypePtr> SchemaSet::types() const { return declared_; }

}  // namespace atalaya::schema
