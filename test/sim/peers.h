// The far ends of notification channels: up, down or refusing.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "notify/channel.h"

namespace atalaya::sim {

enum class Peer { kUp, kDown, kRefuses };

struct Page {
  std::string channel;
  std::string key;
  std::string alert;  ///< id
  std::string change;
  std::string severity;
};

/// Outlives every server. Thread-compatible.
class Peers {
 public:
  std::map<std::string, Peer> states;
  std::vector<Page> pages;            ///< first arrivals, in order
  std::vector<std::string> repeated;  ///< keys that came again, though their first answer was kept
  /// The server died before it could keep the answer: it may ask again, under the same key.
  void in_doubt(const std::string& key) { doubtful_.insert(key); }

  notify::AttemptResult receive(const std::string& channel, const notify::Message& message) {
    if (states[channel] == Peer::kDown) return {.answer = "connection refused"};
    if (states[channel] == Peer::kRefuses) return {.permanent = true, .status = 404, .answer = "not found"};
    if (!keys_.insert(message.key).second) {
      if (doubtful_.erase(message.key) == 0) repeated.push_back(message.key);
      return {.ok = true, .status = 200};
    }
    const auto& own = message.data.at("alerts").at(0).at("atalaya");
    const auto text = [&](std::string_view key) { return std::string(own.at(key).get_string()); };
    pages.push_back(
        {channel, message.key, message.key.substr(0, message.key.find(':')), text("state"), text("severity")});
    return {.ok = true, .status = 200, .answer = "ok"};
  }

  /// Channels of type `fake` that end here.
  std::unique_ptr<notify::ChannelBook> book(const std::vector<std::string>& channels);

 private:
  class Fake final : public notify::Channel {
   public:
    Fake(Peers& peers, std::string id) : peers_(peers), info_{std::move(id), "fake", ""} {}
    const notify::ChannelInfo& info() const override { return info_; }
    notify::AttemptResult send(const notify::Message& message, Time) const override {
      return peers_.receive(info_.id, message);
    }

   private:
    Peers& peers_;
    notify::ChannelInfo info_;
  };
  class Type final : public notify::ChannelType {
   public:
    explicit Type(Peers& peers) : peers_(peers) {}
    const std::string& name() const override { return name_; }
    Result<notify::ChannelPtr> make(const notify::ChannelConfig& config) const override {
      return notify::ChannelPtr(std::make_shared<Fake>(peers_, config.id));
    }

   private:
    Peers& peers_;
    std::string name_ = "fake";
  };

  std::set<std::string> keys_;
  std::set<std::string> doubtful_;
};

inline std::unique_ptr<notify::ChannelBook> Peers::book(const std::vector<std::string>& channels) {
  std::vector<std::unique_ptr<notify::ChannelType>> types;
  types.push_back(std::make_unique<Type>(*this));
  auto out = std::make_unique<notify::ChannelBook>(std::move(types), std::vector<notify::ChannelPtr>{});
  std::vector<notify::ChannelConfig> configs;
  for (const auto& id : channels) configs.push_back({id, "fake", {}, {}});
  static_cast<void>(out->set_channels(default_tenant(), configs));
  return out;
}

}  // namespace atalaya::sim
