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
  /// The HTTP types come from the shipped package `base`.
  static Result<std::unique_ptr<Channels>> make(notify::PushToBrowsers push);

  /// What is wrong with these, by what their types know.
  std::vector<Error> check(const std::vector<packages::ChannelItem>& items) const;
  /// All or none; what is wrong goes to the log and the channels in force stay.
  void set(const TenantId& tenant, const std::vector<packages::ChannelItem>& items);
  const notify::ChannelBook& book() const { return *book_; }

 private:
  Channels() = default;
  std::unique_ptr<notify::Transport> transport_;
  std::unique_ptr<notify::ChannelBook> book_;
};

}  // namespace atalaya::app
