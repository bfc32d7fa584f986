// Debian ships fmt as a shared library only. Its non-template half is compiled here once, so that
// the agent carries it and needs nothing installed on a node.
#include <fmt/format-inl.h>

namespace fmt {
inline namespace v9 {
namespace detail {
// Declared `extern` or only in part by fmt's headers: what a caller's linker will look for.
template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<buffer_context<char>>, locale_ref);
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
}  // namespace detail
}  // namespace v9
}  // namespace fmt
