#include "base/letter_case.h"

#include <wctype.h>

#include <clocale>

#include "base/check.h"
#include "base/utf8.h"

namespace atalaya {
namespace {

/// The C library's tables of letters, whatever the process's own locale is. Every glibc of today has this one built in.
locale_t unicode() {
  static const locale_t locale = [] {
    const auto made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    AT_CHECK(made != nullptr);
    return made;
  }();
  return locale;
}

bool separates(char32_t code) {
  const bool word = (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
  if (code < 0x80) return !word && code != '_';
  return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
         code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

template <typename Map>
std::string each(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto one = first_rune(text);
    if (one.good)
      append_utf8(out, static_cast<std::uint32_t>(map(one.code)));
    else
      out += text.front();
    text.remove_prefix(one.size);
  }
  return out;
}

}  // namespace

std::string to_upper(std::string_view text) {
  return each(text, [](char32_t code) { return towupper_l(code, unicode()); });
}
std::string to_lower(std::string_view text) {
  return each(text, [](char32_t code) { return towlower_l(code, unicode()); });
}
std::string to_title(std::string_view text) {
  static const auto title = wctrans_l("totitle", unicode());
  return each(text, [begins = true](char32_t code) mutable {
    const auto out = begins ? towctrans_l(code, title, unicode()) : code;
    begins = separates(code);
    return out;
  });
}

}  // namespace atalaya
