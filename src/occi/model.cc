#include "occi/model.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/embedded.h"
#include "sense/pipe.h"

namespace atalaya {
EmbeddedFiles occi_data();
}

namespace atalaya::occi {
namespace {

std::string_view without_slash(std::string_view location) {
  return location.size() > 1 && location.ends_with('/') ? location.substr(0, location.size() - 1) : location;
}

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

bool is_location(std::string_view text) {
  if (text.size() < 3 || text.size() > kMostNameBytes || !text.starts_with('/') || !text.ends_with('/')) return false;
  if (text.find("//") != std::string_view::npos || text.find("/./") != std::string_view::npos ||
      text.find("/../") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

std::string_view name(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
    case AttributeType::kUri: return "string";
    case AttributeType::kInteger:
    case AttributeType::kNumber: return "number";
    case AttributeType::kBoolean: return "boolean";
  }
  AT_CHECK(false);
}

std::string_view name(Category::Class cls) {
  switch (cls) {
    case Category::Class::kKind: return "kind";
    case Category::Class::kMixin: return "mixin";
    case Category::Class::kAction: return "action";
  }
  AT_CHECK(false);
}

Model Model::shipped() {
  Model model;
  const auto read = [&](const EmbeddedFiles& files, const char* file) {
    const auto at = std::find_if(files.begin(), files.end(), [&](const auto& one) { return one.path == file; });
    AT_CHECK(at != files.end());
    const auto document = config::Document::parse(std::string(at->bytes), file);
    AT_CHECK(document.has_value());
    const auto done = model.read(document->root());
    AT_CHECK(done.has_value());
  };
  for (const auto* file : {"core.yaml", "infrastructure.yaml", "agent.yaml", "monitoring.yaml", "metrics.yaml"})
    read(occi_data(), file);
  for (const auto* file : {"aggregators.yaml", "publishers.yaml"}) read(sense::mixin_files(), file);
  return model;
}

Status Model::check(const Category& category) const {
  const auto id = category.id();
  if (!is_attribute_name(category.term)) return wrong(fmt::format("Category \"{}\" is no term", category.term));
  const auto mark = category.scheme.find('#');
  if (category.scheme.size() > kMostNameBytes || !is_clean(category.scheme) ||
      category.scheme.find_first_of(" \"<>\\,;") != std::string::npos || mark == std::string::npos ||
      mark + 1 != category.scheme.size() || category.scheme.find(':') == std::string::npos) {
    return wrong(fmt::format("Category {}: the scheme \"{}\" is none", category.term, category.scheme),
                 "a URI that ends with #, such as http://example.com/occi/tags#");
  }
  if (categories_.contains(id))
    return fail(ErrorCode::kAlreadyExists, fmt::format("there is a category {} already", id));
  if (!category.location.empty() && !is_location(category.location)) {
    return wrong(fmt::format("Category {}: the location \"{}\" is none", id, category.location),
                 "a path such as /mixin/my_tag/");
  }
  if (const auto* other = at(category.location); !category.location.empty() && other != nullptr)
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("Category {}: the location {} belongs to {}", id, category.location, other->id()));
  if (!category.parent.empty() && kind(category.parent) == nullptr)
    return wrong(fmt::format("Category {}: there is no kind {}", id, category.parent));
  for (const auto& other : category.depends)
    if (mixin(other) == nullptr) return wrong(fmt::format("Category {}: there is no mixin {}", id, other));
  for (const auto& other : category.applies)
    if (kind(other) == nullptr) return wrong(fmt::format("Category {}: there is no kind {}", id, other));
  for (const auto& attribute : category.attributes)
    if (!is_attribute_name(attribute.name))
      return wrong(fmt::format("Category {}: \"{}\" is no attribute", id, attribute.name));
  return {};
}

Status Model::add(Category category) {
  AT_TRY(check(category));
  const auto id = category.id();
  if (!category.location.empty()) locations_.emplace(without_slash(category.location), id);
  order_.push_back(id);
  categories_.emplace(id, std::make_shared<const Category>(std::move(category)));
  return {};
}

Status Model::remove(std::string_view id) {
  const auto at = categories_.find(id);
  if (at == categories_.end()) return fail(ErrorCode::kNotFound, fmt::format("there is no category {}", id));
  for (const auto& [other, category] : categories_) {
    if (std::find(category->depends.begin(), category->depends.end(), id) != category->depends.end() ||
        category->parent == id)
      return fail(ErrorCode::kConflict, fmt::format("{} depends on {}", other, id), "remove that one first");
  }
  locations_.erase(std::string(without_slash(at->second->location)));
  std::erase(order_, at->first);
  categories_.erase(at);
  return {};
}

const Category* Model::find(std::string_view id) const {
  const auto at = categories_.find(id);
  return at == categories_.end() ? nullptr : at->second.get();
}
const Category* Model::kind(std::string_view id) const {
  const auto* found = find(id);
  return found != nullptr && found->cls == Category::Class::kKind ? found : nullptr;
}
const Category* Model::mixin(std::string_view id) const {
  const auto* found = find(id);
  return found != nullptr && found->cls == Category::Class::kMixin ? found : nullptr;
}
const Category* Model::at(std::string_view location) const {
  const auto found = locations_.find(without_slash(location));
  return found == locations_.end() ? nullptr : find(found->second);
}

std::vector<const Category*> Model::all() const {
  std::vector<const Category*> out;
  using enum Category::Class;
  for (const auto cls : {kKind, kMixin, kAction}) {
    for (const auto& id : order_) {
      const auto* one = find(id);
      if (one->cls == cls) out.push_back(one);
    }
  }
  return out;
}

bool Model::is_a(std::string_view id, std::string_view ancestor) const {
  for (const auto* one = kind(id); one != nullptr; one = kind(one->parent)) {
    // Asked for every entity of a world: without a text made for it.
    if (ancestor.size() == one->scheme.size() + one->term.size() && ancestor.starts_with(one->scheme) &&
        ancestor.ends_with(one->term))
      return true;
  }
  return false;
}

void Model::parents_first(const Category& category, std::vector<const Category*>& out) const {
  if (std::find(out.begin(), out.end(), &category) != out.end()) return;
  if (const auto* parent = kind(category.parent)) parents_first(*parent, out);
  for (const auto& other : category.depends) {
    if (const auto* one = mixin(other)) parents_first(*one, out);
  }
  out.push_back(&category);
}

std::vector<const Attribute*> Model::attributes_of(const Category& category) const {
  std::vector<const Category*> chain;
  parents_first(category, chain);
  std::vector<const Attribute*> out;
  for (const auto* one : chain) {
    for (const auto& attribute : one->attributes) {
      const auto same =
          std::find_if(out.begin(), out.end(), [&](const auto* other) { return other->name == attribute.name; });
      if (same != out.end())
        *same = &attribute;
      else
        out.push_back(&attribute);
    }
  }
  return out;
}

const Attribute* Model::attribute_of(const Category& category, std::string_view name) const {
  for (const auto* one : attributes_of(category)) {
    if (one->name == name) return one;
  }
  return nullptr;
}

std::vector<const Category*> Model::actions_of(const Category& category) const {
  std::vector<const Category*> chain;
  parents_first(category, chain);
  std::vector<const Category*> out;
  for (const auto* one : chain) {
    for (const auto& id : one->actions) {
      if (const auto* action = find(id)) out.push_back(action);
    }
  }
  return out;
}

bool Model::builds_on(std::string_view id, std::string_view base) const {
  if (id == base) return true;
  const auto* found = mixin(id);
  // No circle: what a mixin builds on was there before it.
  return found != nullptr && std::any_of(found->depends.begin(), found->depends.end(),
                                         [&](const auto& one) { return builds_on(one, base); });
}

bool Model::applies(const Category& mixin, std::string_view kind) const {
  return mixin.applies.empty() ||
         std::any_of(mixin.applies.begin(), mixin.applies.end(), [&](const auto& one) { return is_a(kind, one); });
}

const Category* Model::with_states(const Category& category) const {
  for (const auto* one = &category; one != nullptr; one = kind(one->parent)) {
    if (!one->state_attribute.empty()) return one;
  }
  return nullptr;
}

std::string Model::section_of(const Category& category) const {
  for (const auto* one = &category; one != nullptr; one = kind(one->parent)) {
    if (!one->section.empty()) return one->section;
  }
  return {};
}

Result<Value> check_value(const Attribute& attribute, const Value& value) {
  const auto refuse = [&](std::string why) { return wrong(fmt::format("attribute {}: {}", attribute.name, why)); };
  const auto* text = std::get_if<std::string>(&value);
  const auto* whole = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  Value out = value;
  switch (attribute.type) {
    case AttributeType::kString:
    case AttributeType::kUri:
      if (text == nullptr) return refuse(fmt::format("{} is no text", render_value(value)));
      if (!is_clean(*text)) return refuse("it holds control characters or is not UTF-8");
      if (text->size() > attribute.most)
        return refuse(fmt::format("{} bytes, more than {}", text->size(), attribute.most));
      if (attribute.regex && !re2::RE2::FullMatch(*text, *attribute.regex))
        return refuse(fmt::format("{} does not match {}", quoted(text->substr(0, 64)), attribute.pattern));
      return out;
    case AttributeType::kBoolean:
      if (!std::holds_alternative<bool>(value))
        return refuse(fmt::format("{} is not true or false", render_value(value)));
      return out;
    case AttributeType::kInteger:
      if (number != nullptr && std::nearbyint(*number) == *number && std::fabs(*number) < 9e15)
        out = static_cast<std::int64_t>(*number);
      else if (whole == nullptr)
        return refuse(fmt::format("{} is no whole number", render_value(value)));
      break;
    case AttributeType::kNumber:
      if (whole != nullptr)
        out = static_cast<double>(*whole);
      else if (number == nullptr)
        return refuse(fmt::format("{} is no number", render_value(value)));
      break;
  }
  const double amount =
      std::holds_alternative<double>(out) ? std::get<double>(out) : static_cast<double>(std::get<std::int64_t>(out));
  if (attribute.min && amount < *attribute.min) return refuse(fmt::format("less than {}", *attribute.min));
  if (attribute.max && amount > *attribute.max) return refuse(fmt::format("more than {}", *attribute.max));
  return out;
}

}  // namespace atalaya::occi
