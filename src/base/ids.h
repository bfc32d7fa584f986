// Strong ids: a TenantId cannot be passed where an AlertId is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace atalaya {

template <typename Tag, typename Rep>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(Rep value) : value_(std::move(value)) {}
  const Rep& value() const { return value_; }
  auto operator<=>(const StrongId&) const = default;
  bool operator==(const StrongId&) const = default;

 private:
  Rep value_{};
};

/// Who owns the data: an argument of every storage contract, never a label; it comes from the
/// credential only. 1 to 64 characters of [a-z0-9-].
using TenantId = StrongId<struct TenantTag, std::string>;
/// A node's agent, given by the server at enrolment (UUID).
using AgentId = StrongId<struct AgentTag, std::string>;
using UserId = StrongId<struct UserTag, std::string>;
/// Position of a series within one tenant of one store; never reused while the process runs.
using SeriesId = StrongId<struct SeriesTag, std::uint64_t>;
/// An alert: the hash of tenant and identity, as 16 hexadecimal digits.
using AlertId = StrongId<struct AlertTag, std::string>;

inline TenantId default_tenant() { return TenantId{"default"}; }
bool is_valid(const TenantId& tenant);

}  // namespace atalaya

template <typename Tag, typename Rep>
struct std::hash<atalaya::StrongId<Tag, Rep>> {
  std::size_t operator()(const atalaya::StrongId<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value()); }
};
