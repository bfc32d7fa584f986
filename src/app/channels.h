// From the channels that packages declare to those in force.
#pragma once

#include <memory>
#include <vector>

#include "notify/channel.h"
#include "notify/transport.h"
#include "packages/package.h"

namespace atalaya::app {

/// Owns the book of channels and the transport under it. Thread-safe.
class Channels {
 public:
  /// Every tenant has `email` and the HTTP types of the shipped package `base`, as far as its own
  /// files say nothing else.
  static Result<std::unique_ptr<Channels>> make(notify::PushToBrowsers push);

  /// What is wrong with these, by what their types know, and with the types themselves.
  std::vector<Error> check(const std::vector<packages::ChannelItem>& items,
                           const std::vector<packages::ChannelTypeFile>& types) const;
  /// All or none; what is wrong goes to the log and the channels in force stay. While none are, those
  /// that hold are taken.
  void set(const TenantId& tenant, const std::vector<packages::ChannelItem>& items,
           const std::vector<packages::ChannelTypeFile>& types);
  /// Those of routing's receivers; what is wrong with one leaves it out, and is answered.
  std::vector<Error> set_receivers(const TenantId& tenant, const std::vector<notify::ChannelConfig>& configs) {
    return book_->set_receivers(tenant, configs);
  }
  const notify::ChannelBook& book() const { return *book_; }

 private:
  Channels() = default;
  notify::ChannelBook::Types parse(const std::vector<packages::ChannelTypeFile>& files,
                                   std::vector<Error>& errors) const;

  std::unique_ptr<notify::Transport> transport_;
  std::unique_ptr<notify::ChannelBook> book_;
};

}  // namespace atalaya::app
