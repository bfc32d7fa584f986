// What a notification says: Alertmanager's webhook data, version 4.
#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/machine.h"

namespace atalaya::notify {

/// The data object for one alert, as a group of its own: status `firing` (also for no_data, which is
/// open) or `resolved`; the label `severity` is added where the rule has none, and so are the
/// external labels. What Alertmanager has
/// no word for is the member `atalaya` of the alert.
boost::json::object make_payload(const alerts::Transition& transition, const std::string& channel,
                                 const std::string& external_url, const Labels& external_labels = {});
/// Alerts that a receiver hears of together.
struct GroupNews {
  struct One {
    alerts::Alert alert;  ///< as it stands; without an id where nobody knows it any more
    Labels labels;        ///< that messages see
    bool firing = true;   ///< for this group
    Time starts{};
    Time ends = kMaxTime;
  };
  std::string receiver;
  std::string key;  ///< Alertmanager's group key
  Labels labels;
  std::string_view reason;
  std::vector<One> alerts;
  std::size_t left_out = 0;  ///< alerts that there are beside these
};
/// The data object of a group. `fingerprint` and what is under `atalaya` are of our alert.
boost::json::object make_group_payload(const GroupNews& news, const std::string& external_url,
                                       const Labels& external_labels = {});
/// For POST /channels/{id}/test.
boost::json::object make_test_payload(const std::string& channel, const std::string& nonce, const std::string& user,
                                      Time now, const std::string& external_url, const Labels& external_labels = {});

}  // namespace atalaya::notify
