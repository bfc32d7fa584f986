// Writing text/plain, text/occi and text/uri-list. What is put between quotes or brackets holds none of their ends, nor
// line ends: so a value never becomes a line or a header of its own.

#include <fmt/format.h>

#include "occi/text.h"

namespace atalaya::occi {
namespace {

/// Of terms, locations and what else stands bare.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool ends = c == '"' || c == '<' || c == '>' || c == '\\' || c == ',' || c == ';';
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || ends)
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

std::string joined(const std::vector<std::string>& list) { return fmt::format("{}", fmt::join(list, " ")); }

std::string joined(const std::vector<AttributeMark>& marks) {
  std::string out;
  for (const auto& mark : marks) {
    if (!out.empty()) out += ' ';
    out += mark.name;
    if (!mark.immutable && !mark.required) continue;
    out += fmt::format("{{{}{}{}}}", mark.immutable ? "immutable" : "", mark.immutable && mark.required ? " " : "",
                       mark.required ? "required" : "");
  }
  return out;
}

template <typename Emit>
void each(const TextMessage& message, Emit emit) {
  for (const auto& category : message.categories) emit("Category", render(category));
  for (const auto& link : message.links) emit("Link", render(link));
  for (const auto& [name, value] : message.attributes)
    emit("X-OCCI-Attribute", fmt::format("{}={}", name, render_value(value)));
  for (const auto& location : message.locations) emit("X-OCCI-Location", bare(location));
}

}  // namespace

std::string render(const CategoryLine& category) {
  auto out = fmt::format("{};scheme={}", bare(category.term), quoted(category.scheme));
  const auto put = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format(";{}={}", name, quoted(text));
  };
  put("class", category.cls);
  put("title", category.title);
  put("rel", joined(category.rel));
  put("location", category.location);
  put("attributes", joined(category.attributes));
  put("actions", joined(category.actions));
  return out;
}

std::string render(const LinkLine& link) {
  auto out = fmt::format("<{}>", bare(link.target));
  const auto put = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format(";{}={}", name, quoted(text));
  };
  put("rel", joined(link.rel));
  put("self", link.self);
  put("category", joined(link.categories));
  for (const auto& [name, value] : link.attributes) out += fmt::format(";{}={}", name, render_value(value));
  return out;
}

std::string render_plain(const TextMessage& message) {
  std::string out;
  each(message, [&](std::string_view name, const std::string& value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  });
  return out;
}

HeaderFields render_headers(const TextMessage& message) {
  HeaderFields out;
  each(message, [&](std::string_view name, const std::string& value) {
    if (out.empty() || out.back().first != name)
      out.emplace_back(std::string(name), value);
    else
      out.back().second += "," + value;
  });
  return out;
}

std::string render_uri_list(const std::vector<std::string>& locations) {
  std::string out;
  for (const auto& location : locations) {
    out += bare(location);
    out += "\r\n";
  }
  return out;
}

}  // namespace atalaya::occi
