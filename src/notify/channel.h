// Channels: where notifications go, as configured, and the set that is in force.
#pragma once

#include <boost/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/result.h"
#include "notify/transport.h"

namespace atalaya::notify {

/// As written in a package: `channels: {<group>: {<name>: {<type>: {settings}}}}`.
struct ChannelConfig {
  std::string id;    ///< unique within the tenant, e.g. `ops/mail`
  std::string type;  ///< `email`, or a type of packages/base/channels
  boost::json::object settings;
  Place place;  ///< for errors
  /// `{{ define }}`s that templates among the settings may use; their faults are the settings'.
  std::string definitions = {};
};

/// What a list shows: no secrets.
struct ChannelInfo {
  std::string id;
  std::string type;
  std::string target;  ///< redacted address: host of the URL, recipients of the mail
};

/// What became of one attempt.
struct AttemptResult {
  bool ok = false;
  bool permanent = false;               ///< failed in a way that repeating will not change
  int status = 0;                       ///< HTTP status, or 0
  std::string answer;                   ///< the peer's words, or ours about the failure; ≤ 1 KB, no secrets
  std::optional<Duration> retry_after;  ///< what the peer asked for
};

/// One notification on its way to one channel.
struct Message {
  TenantId tenant;
  std::string key;     ///< idempotency key: Delivery::key
  std::string thread;  ///< equal for all notifications of one alert: what a mail client groups by
  bool first_of_thread = true;
  Time created;
  /// Alertmanager's webhook data, version 4; of a mail that is no notification {kMailMember: {to, subject, text}}
  boost::json::object data;
};
constexpr std::string_view kMailMember = "mail";

/// Delivers to one place. Immutable, thread-safe; `send` blocks until there is an answer or a time-out.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual const ChannelInfo& info() const = 0;
  virtual AttemptResult send(const Message& message, Time now) const = 0;
};
using ChannelPtr = std::shared_ptr<const Channel>;

/// Makes the channels of one type.
class ChannelType {
 public:
  virtual ~ChannelType() = default;
  virtual const std::string& name() const = 0;
  /// invalid_argument with the config's place when a setting is unknown, missing or malformed.
  virtual Result<ChannelPtr> make(const ChannelConfig& config) const = 0;
};

/// A channel type that speaks HTTP, declared in YAML (packages/base/channels/<type>.yaml;
/// docs/formats/channel-type.md). `transport` outlives the type and its channels.
Result<std::unique_ptr<ChannelType>> parse_http_channel_type(std::string_view yaml, std::string file,
                                                             Transport& transport);
/// `email`: {smtp, from, to, user, password, password_file, starttls, ca_file, subject, text}.
std::unique_ptr<ChannelType> email_channel_type(Transport& transport);

/// Called with a notification for every open browser of the tenant: {id, title, text, severity,
/// state, alert_id, at}. Returns how many there were. Thread-safe, does not block.
using PushToBrowsers = std::function<std::size_t(const TenantId& tenant, const boost::json::object& notification)>;
/// The channel `browser` that every tenant has.
ChannelPtr browser_channel(PushToBrowsers push);

/// The channels in force, per tenant. Thread-safe.
class ChannelBook {
 public:
  using Types = std::vector<std::shared_ptr<const ChannelType>>;

  /// `types` are every tenant's; `everywhere` (the browser channel) is part of every tenant's set.
  ChannelBook(std::vector<std::unique_ptr<ChannelType>> types, std::vector<ChannelPtr> everywhere);

  /// Types of one tenant, from now on; one with the name of everybody's takes its place.
  void set_types(const TenantId& tenant, const Types& types);

  /// Checks every config, then replaces the tenant's channels: all, or none and every error.
  std::vector<Error> set_channels(const TenantId& tenant, const std::vector<ChannelConfig>& configs);
  /// Channels of routing's receivers beside the tenant's own: found by id, told by no built-in route. What is wrong
  /// with one leaves it out, and is answered.
  std::vector<Error> set_receivers(const TenantId& tenant, const std::vector<ChannelConfig>& configs);
  /// The same check without the replacement, for a tenant with these types of its own.
  std::vector<Error> check(const std::vector<ChannelConfig>& configs, const Types& own = {}) const;

  /// Have any been set for the tenant?
  bool has_channels(const TenantId& tenant) const;
  std::vector<ChannelPtr> channels(const TenantId& tenant) const;        ///< sorted by id; without receivers'
  ChannelPtr find(const TenantId& tenant, const std::string& id) const;  ///< null if there is none
  /// For GET /channels, in order of id; receivers' channels after them.
  std::vector<ChannelInfo> list(const TenantId& tenant) const;

 private:
  using Set = std::map<std::string, ChannelPtr>;
  using TypesByName = std::map<std::string, std::shared_ptr<const ChannelType>>;
  TypesByName with(const Types& own) const;
  std::vector<Error> build(const TypesByName& types, const std::vector<ChannelConfig>& configs, Set& out) const;

  TypesByName types_;
  Set everywhere_;
  mutable std::mutex mutex_;
  std::map<TenantId, TypesByName> own_types_;  ///< with everybody's
  std::map<TenantId, Set> sets_;
  std::map<TenantId, Set> receivers_;
};

}  // namespace atalaya::notify
