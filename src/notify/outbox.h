// The outbox: writes what must be delivered in the transaction of the change it tells of, and what
// became of each attempt.
#pragma once

#include <string>
#include <vector>

#include "alerts/machine.h"
#include "control/machine.h"
#include "notify/channel.h"
#include "notify/delivery.h"
#include "telemetry/metrics.h"

namespace atalaya::notify {

/// Event body, posted by the dispatcher after each attempt. A repetition changes nothing.
struct AttemptFinished {
  std::string key;
  Attempt attempt;
  DeliveryState state = DeliveryState::kSent;  ///< after the attempt
  std::optional<Time> next_attempt;
};

/// Event body of `POST /channels/{id}/test`: not_found for an unknown channel. `nonce` makes the key.
struct TestChannel {
  std::string channel;
  std::string nonce;
  std::string user;
};

/// Event body: a mail that is no notification. not_found for a channel that is none of type email, or, without one,
/// where there is not exactly one; invalid_argument for a recipient that is no address. Sent like a delivery: once it
/// is stored it is repeated until it is sent or given up.
struct SendMail {
  std::string nonce;  ///< makes the key
  std::string channel;
  std::vector<std::string> to;  ///< none: the channel's own
  std::string subject;
  std::string text;
  std::string thread;  ///< equal for all that one conversation is about
};

/// Published after the commit: hand it to Dispatcher::submit.
struct DeliveryQueued {
  Delivery delivery;
};
/// Published after each stored change of a delivery, for live views.
struct DeliveryChanged {
  std::string key;
};

/// Who waits for what becomes of deliveries, inside the transaction that stores it. Strand-bound.
class DeliveryEnds {
 public:
  virtual ~DeliveryEnds() = default;
  /// It was sent, or given up.
  virtual Status on_end_of(const TenantId& tenant, const std::string& key, bool sent, Time now, db::Session& session,
                           control::Effects& effects) = 0;
};

struct OutboxOptions {
  std::string external_url;                    ///< address of the UI, for links
  Labels external_labels;                      ///< in every notification, where the alert has no such label
  Duration keep{std::chrono::hours{24 * 90}};  ///< finished deliveries are deleted after this
};

/// The built-in route: every channel of the tenant hears of every transition. Rows in
/// notify_deliveries and notify_attempts. Strand-bound.
class Outbox final : public alerts::TransitionSink, public control::Machine {
 public:
  /// `channels` outlives the outbox.
  explicit Outbox(const ChannelBook& channels, OutboxOptions options = {});

  /// Before the first event; outlives the outbox.
  void report_to(DeliveryEnds& ends) { ends_ = &ends; }

  static std::vector<db::Migration> migrations();

  Status on_transition(const TenantId& tenant, const alerts::Transition& transition, Time now, db::Session& session,
                       control::Effects& effects) override;
  /// One delivery, and the alerts that it tells of, for their lists; a known key changes nothing.
  Status queue(Delivery delivery, const std::vector<AlertId>& alerts, db::Session& session, control::Effects& effects);
  const OutboxOptions& options() const { return options_; }

  std::string_view name() const override { return "notify"; }
  std::vector<std::type_index> handles() const override;
  Status handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) override;
  Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                  control::Effects& effects) override;

 private:
  Status finish(const TenantId& tenant, const AttemptFinished& finished, Time now, db::Session& session,
                control::Effects& effects);
  Status test(const TenantId& tenant, const TestChannel& test, Time now, db::Session& session,
              control::Effects& effects);
  Status mail(const TenantId& tenant, const SendMail& mail, Time now, db::Session& session, control::Effects& effects);

  const ChannelBook& channels_;
  OutboxOptions options_;
  DeliveryEnds* ends_ = nullptr;
};

}  // namespace atalaya::notify
