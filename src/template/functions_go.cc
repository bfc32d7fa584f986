// Functions of Go's text/template itself.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "template/functions.h"

namespace atalaya::templates {
namespace json = boost::json;
std::string query_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

namespace {

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kUnprocessable, std::move(message)); }

/// To Go a number with decimals and a whole one are of types that cannot be compared.
Status check_kinds(const CallContext& context, const json::value& a, const json::value& b) {
  const bool other_numbers = a.is_number() && b.is_number() && a.is_double() != b.is_double();
  return context.strict && other_numbers ? Status(refuse("incompatible types for comparison")) : Status();
}

Result<Value> eq(const CallContext& context, const Arguments& a) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    AT_TRY(check_kinds(context, *a[0], *a[i]));
    AT_TRY(const bool same, equals(*a[0], *a[i]));
    if (same) return Value(true);
  }
  return Value(false);
}

Result<Value> ne(const CallContext& context, const Arguments& a) {
  AT_TRY(check_kinds(context, *a[0], *a[1]));
  AT_TRY(const bool same, equals(*a[0], *a[1]));
  return Value(!same);
}

Result<Value> lt(const CallContext& context, const Arguments& a) {
  AT_TRY(check_kinds(context, *a[0], *a[1]));
  AT_TRY(const bool is_less, less(*a[0], *a[1]));
  return Value(is_less);
}

Result<Value> le(const CallContext& context, const Arguments& a) {
  AT_TRY(check_kinds(context, *a[0], *a[1]));
  AT_TRY(const bool is_less, less(*a[0], *a[1]));
  AT_TRY(const bool same, equals(*a[0], *a[1]));
  return Value(is_less || same);
}

Result<Value> gt(const CallContext& context, const Arguments& a) {
  AT_TRY(check_kinds(context, *a[0], *a[1]));
  AT_TRY(const bool is_less, less(*a[1], *a[0]));
  return Value(is_less);
}

Result<Value> ge(const CallContext& context, const Arguments& a) {
  AT_TRY(check_kinds(context, *a[0], *a[1]));
  AT_TRY(const bool is_less, less(*a[1], *a[0]));
  AT_TRY(const bool same, equals(*a[0], *a[1]));
  return Value(is_less || same);
}

Result<Value> negate(const CallContext&, const Arguments& a) { return Value(!is_true(*a[0])); }

Result<Value> len(const CallContext&, const Arguments& a) {
  const auto count = [](auto n) { return Value(static_cast<std::int64_t>(n)); };
  if (const auto* s = a[0]->if_string()) return count(s->size());
  if (const auto* array = a[0]->if_array()) return count(array->size());
  if (const auto* object = a[0]->if_object()) return count(object->size());
  if (a[0]->is_null()) return count(0);
  return refuse(fmt::format("len of type {}", type_name(*a[0])));
}

Result<std::size_t> position(const json::value& index, std::size_t size, bool inclusive) {
  const auto* i = index.if_int64();
  if (i == nullptr) return refuse(fmt::format("cannot index slice with type {}", type_name(index)));
  if (*i < 0 || static_cast<std::size_t>(*i) > size || (!inclusive && static_cast<std::size_t>(*i) == size)) {
    return refuse(fmt::format("index {} out of range, size is {}", *i, size));
  }
  return static_cast<std::size_t>(*i);
}

Result<Value> index(const CallContext&, const Arguments& a) {
  auto value = a[0];
  for (std::size_t n = 1; n < a.size(); ++n) {
    if (const auto* array = value->if_array()) {
      AT_TRY(const auto i, position(*a[n], array->size(), false));
      value = value.part((*array)[i]);
    } else if (const auto* object = value->if_object()) {
      const auto* key = a[n]->if_string();
      if (key == nullptr) return refuse(fmt::format("cannot index map with type {}", type_name(*a[n])));
      const auto* found = object->if_contains(*key);
      value = found == nullptr ? Value() : value.part(*found);
    } else if (const auto* text = value->if_string()) {
      AT_TRY(const auto i, position(*a[n], text->size(), false));
      value = Value(static_cast<std::int64_t>(static_cast<unsigned char>((*text)[i])));
    } else if (value->is_null()) {
      return Value();
    } else {
      return refuse(fmt::format("can't index item of type {}", type_name(*value)));
    }
  }
  return value;
}

Result<Value> slice(const CallContext&, const Arguments& a) {
  const auto* text = a[0]->if_string();
  const auto* array = a[0]->if_array();
  if (text == nullptr && array == nullptr) return refuse(fmt::format("can't slice item of type {}", type_name(*a[0])));
  const auto size = text != nullptr ? text->size() : array->size();
  std::size_t from = 0;
  std::size_t to = size;
  if (a.size() > 1) {
    AT_TRY(from, position(*a[1], size, true));
  }
  if (a.size() > 2) {
    AT_TRY(to, position(*a[2], size, true));
  }
  if (from > to) return refuse(fmt::format("invalid slice index: {} > {}", from, to));
  if (text != nullptr) return Value(json::string(std::string_view(*text).substr(from, to - from)));
  return Value(json::array(array->begin() + static_cast<std::ptrdiff_t>(from),
                           array->begin() + static_cast<std::ptrdiff_t>(to)));
}

/// Go's Print: spaces between operands when neither is a string.
Result<Value> print_all(const CallContext&, const Arguments& a) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i > 0 && !a[i]->is_string() && !a[i - 1]->is_string()) out += ' ';
    out += print(*a[i]);
  }
  return Value(json::string(out));
}

Result<Value> print_line(const CallContext&, const Arguments& a) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i > 0) out += ' ';
    out += print(*a[i]);
  }
  return Value(json::string(out + "\n"));
}

Result<Value> print_formatted(const CallContext& context, const Arguments& a) {
  auto given = a;
  for (auto& one : given) {
    // A missing label is "" to Prometheus, and null where types are not looked at.
    if (one->is_null() && !context.strict) one = Value(json::string());
  }
  AT_TRY(const auto text, go_printf(given));
  return Value(json::string(text));
}

Result<Value> html(const CallContext& context, const Arguments& a) {
  AT_TRY(const auto value, print_all(context, a));
  std::string out;
  for (const char c : std::string_view(value->get_string())) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return Value(json::string(out));
}

Result<Value> urlquery(const CallContext& context, const Arguments& a) {
  AT_TRY(const auto value, print_all(context, a));
  return Value(json::string(query_escape(value->get_string())));
}

Result<Value> js(const CallContext& context, const Arguments& a) {
  AT_TRY(const auto value, print_all(context, a));
  std::string out;
  for (const char c : std::string_view(value->get_string())) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\'': out += "\\'"; break;
      case '"': out += "\\\""; break;
      case '<': out += "\\u003C"; break;
      case '>': out += "\\u003E"; break;
      case '&': out += "\\u0026"; break;
      case '=': out += "\\u003D"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return Value(json::string(out));
}

/// There are no values that are functions.
Result<Value> call(const CallContext&, const Arguments& a) {
  return refuse(fmt::format("non-function of type {}", type_name(*a[0])));
}

constexpr std::array kTable = {
    Function{"call", 1, -1, call},
    Function{"and", 1, -1, nullptr},
    Function{"or", 1, -1, nullptr},
    Function{"not", 1, 1, negate},
    Function{"eq", 2, -1, eq},
    Function{"ne", 2, 2, ne},
    Function{"lt", 2, 2, lt},
    Function{"le", 2, 2, le},
    Function{"gt", 2, 2, gt},
    Function{"ge", 2, 2, ge},
    Function{"len", 1, 1, len},
    Function{"index", 1, -1, index},
    Function{"slice", 1, 3, slice},
    Function{"print", 0, -1, print_all},
    Function{"println", 0, -1, print_line},
    Function{"printf", 1, -1, print_formatted},
    Function{"html", 1, -1, html},
    Function{"js", 1, -1, js},
    Function{"urlquery", 1, -1, urlquery},
};

}  // namespace

const Function* find_go_function(std::string_view name) {
  const auto it = std::ranges::find(kTable, name, &Function::name);
  return it == kTable.end() ? nullptr : &*it;
}

const Function* find_function(std::string_view name) {
  if (const auto* f = find_go_function(name)) return f;
  if (const auto* f = find_text_function(name)) return f;
  if (const auto* f = find_series_function(name)) return f;
  return find_human_function(name);
}

}  // namespace atalaya::templates
