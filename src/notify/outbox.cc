#include "notify/outbox.h"

#include <fmt/format.h>

#include "net/curl/mail_message.h"
#include "notify/payload.h"
#include "notify/rows.h"

namespace atalaya::notify {
namespace {

constexpr Duration kDay{std::chrono::hours{24}};
constexpr std::string_view kPurge = "purge";
constexpr std::string_view kEmail = "email";

/// The one that is named, or the only one of type email.
Result<ChannelPtr> mail_channel(const ChannelBook& channels, const TenantId& tenant, const std::string& id) {
  if (!id.empty()) {
    auto found = channels.find(tenant, id);
    if (found && found->info().type == kEmail) return found;
    return fail(ErrorCode::kNotFound,
                fmt::format("{} '{}'", found ? "no mail is sent by the channel" : "there is no channel", id),
                "name one of type email");
  }
  ChannelPtr only;
  std::size_t count = 0;
  for (const auto& one : channels.channels(tenant)) {
    if (one->info().type != kEmail) continue;
    only = one;
    ++count;
  }
  if (count == 1) return only;
  return fail(ErrorCode::kNotFound, fmt::format("there are {} channels of type email", count),
              count == 0 ? "write one into a package, under channels:" : "name the one that is meant");
}

}  // namespace

Outbox::Outbox(const ChannelBook& channels, OutboxOptions options)
    : channels_(channels), options_(std::move(options)) {}

std::vector<db::Migration> Outbox::migrations() {
  return {{"notify", 1,
           "CREATE TABLE notify_deliveries("
           " tenant_id TEXT NOT NULL, delivery_key TEXT NOT NULL, alert_id TEXT NOT NULL, alert_name TEXT NOT NULL,"
           " transition BIGINT NOT NULL, change TEXT NOT NULL, channel TEXT NOT NULL, type TEXT NOT NULL,"
           " state BIGINT NOT NULL, created_ms BIGINT NOT NULL, next_ms BIGINT, attempts BIGINT NOT NULL,"
           " first_of_thread BIGINT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY(tenant_id, delivery_key));"
           "CREATE INDEX notify_deliveries_created ON notify_deliveries(tenant_id, created_ms, delivery_key);"
           "CREATE INDEX notify_deliveries_alert ON notify_deliveries(tenant_id, alert_id);"
           "CREATE INDEX notify_deliveries_state ON notify_deliveries(state);"
           "CREATE TABLE notify_attempts("
           " tenant_id TEXT NOT NULL, delivery_key TEXT NOT NULL, number BIGINT NOT NULL, at_ms BIGINT NOT NULL,"
           " ok BIGINT NOT NULL, status BIGINT NOT NULL, answer TEXT NOT NULL, took_ms BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, delivery_key, number))"},
          {"notify", 2,
           "ALTER TABLE notify_deliveries ADD COLUMN deadline_ms BIGINT;"
           "ALTER TABLE notify_deliveries ADD COLUMN thread TEXT NOT NULL DEFAULT '';"
           "CREATE TABLE notify_delivery_alerts("
           " tenant_id TEXT NOT NULL, delivery_key TEXT NOT NULL, alert_id TEXT NOT NULL,"
           " PRIMARY KEY(tenant_id, delivery_key, alert_id));"
           "CREATE INDEX notify_delivery_alerts_alert ON notify_delivery_alerts(tenant_id, alert_id)"}};
}

std::vector<std::type_index> Outbox::handles() const {
  return {typeid(AttemptFinished), typeid(TestChannel), typeid(SendMail)};
}

Status Outbox::handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  if (const auto* finished = std::any_cast<AttemptFinished>(&event.body)) {
    return finish(event.tenant, *finished, now, session, effects);
  }
  if (const auto* asked = std::any_cast<TestChannel>(&event.body)) {
    return test(event.tenant, *asked, now, session, effects);
  }
  if (const auto* asked = std::any_cast<SendMail>(&event.body)) {
    return mail(event.tenant, *asked, now, session, effects);
  }
  return fail(ErrorCode::kInternal, "notify: an event of another machine");
}

Status Outbox::on_transition(const TenantId& tenant, const alerts::Transition& transition, Time now,
                             db::Session& session, control::Effects& effects) {
  const auto& alert = transition.alert;
  for (const auto& channel : channels_.channels(tenant)) {
    const auto& info = channel->info();
    Delivery delivery;
    delivery.tenant = tenant;
    delivery.key = fmt::format("{}:{}:{}", alert.id.value(), alert.transitions, info.id);
    delivery.alert = alert.id;
    delivery.alert_name = alert.name;
    delivery.transition = alert.transitions;
    delivery.change = std::string(alerts::name(alert.state));
    delivery.channel = info.id;
    delivery.type = info.type;
    delivery.created = now;
    delivery.next_attempt = now;
    delivery.first_of_thread = transition.first_told;
    delivery.payload =
        boost::json::serialize(make_payload(transition, info.id, options_.external_url, options_.external_labels));
    AT_TRY(queue(std::move(delivery), {}, session, effects));
  }
  return {};
}

Status Outbox::queue(Delivery delivery, const std::vector<AlertId>& alerts, db::Session& session,
                     control::Effects& effects) {
  AT_TRY(const bool inserted, insert_delivery(session, delivery));
  if (!inserted) return {};
  for (const auto& alert : alerts) {
    AT_TRY(
        session.execute("INSERT INTO notify_delivery_alerts(tenant_id, delivery_key, alert_id) VALUES(?,?,?) "
                        "ON CONFLICT(tenant_id, delivery_key, alert_id) DO NOTHING",
                        {delivery.tenant.value(), delivery.key, alert.value()}));
  }
  // The same due time all day, so that the timer comes although each delivery sets it.
  const auto day = std::chrono::floor<std::chrono::days>(delivery.created);
  AT_TRY(effects.of(name()).set_timer(kPurge, day + kDay + std::chrono::hours{3}));
  effects.publish(DeliveryChanged{delivery.key});
  effects.publish(DeliveryQueued{std::move(delivery)});
  return {};
}

Status Outbox::finish(const TenantId& tenant, const AttemptFinished& finished, Time now, db::Session& session,
                      control::Effects& effects) {
  AT_TRY(const auto stored, load_delivery(session, tenant, finished.key));
  // Purged, or of a database that was restored from before: nobody asks any more.
  if (!stored) return {};
  const auto& attempt = finished.attempt;
  AT_TRY(const auto inserted,
         session.execute(
             "INSERT INTO notify_attempts(tenant_id, delivery_key, number, at_ms, ok, status, answer,"
             " took_ms) VALUES(?,?,?,?,?,?,?,?) ON CONFLICT(tenant_id, delivery_key, number) DO NOTHING",
             {tenant.value(), finished.key, std::int64_t{attempt.number}, to_ms(attempt.at), std::int64_t{attempt.ok},
              std::int64_t{attempt.status}, attempt.answer, std::int64_t{attempt.took.count()}}));
  if (inserted == 0 || attempt.number <= stored->attempts) return {};
  AT_TRY(
      session.execute("UPDATE notify_deliveries SET state=?, next_ms=?, attempts=? "
                      "WHERE tenant_id=? AND delivery_key=?",
                      {static_cast<std::int64_t>(finished.state),
                       finished.next_attempt ? db::Value{std::int64_t{to_ms(*finished.next_attempt)}} : db::Value{},
                       std::int64_t{attempt.number}, tenant.value(), finished.key}));
  effects.publish(DeliveryChanged{finished.key});
  const bool sent = finished.state == DeliveryState::kSent;
  if (ends_ == nullptr || (!sent && finished.state != DeliveryState::kFailed)) return {};
  return ends_->on_end_of(tenant, finished.key, sent, now, session, effects);
}

Status Outbox::test(const TenantId& tenant, const TestChannel& asked, Time now, db::Session& session,
                    control::Effects& effects) {
  const auto channel = channels_.find(tenant, asked.channel);
  if (!channel) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no channel '{}'", asked.channel),
                "GET /api/atalaya/v1/channels lists them");
  }
  const auto nonce = asked.nonce.empty() ? fmt::to_string(to_ms(now)) : asked.nonce;
  Delivery delivery;
  delivery.tenant = tenant;
  delivery.key = fmt::format("test-{}:1:{}", nonce, asked.channel);
  delivery.alert_name = "Test notification";
  delivery.transition = 1;
  delivery.change = "test";
  delivery.channel = asked.channel;
  delivery.type = channel->info().type;
  delivery.created = now;
  delivery.next_attempt = now;
  delivery.payload = boost::json::serialize(
      make_test_payload(asked.channel, nonce, asked.user, now, options_.external_url, options_.external_labels));
  return queue(std::move(delivery), {}, session, effects);
}

Status Outbox::mail(const TenantId& tenant, const SendMail& asked, Time now, db::Session& session,
                    control::Effects& effects) {
  AT_TRY(const auto channel, mail_channel(channels_, tenant, asked.channel));
  for (const auto& address : asked.to) {
    if (!net::curl::mail_address(address))
      return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is no mail address", address));
  }
  const auto& info = channel->info();
  Delivery delivery;
  delivery.tenant = tenant;
  delivery.key = fmt::format("mail-{}:1:{}", asked.nonce, info.id);
  delivery.alert_name = asked.subject;
  delivery.transition = 1;
  delivery.change = "mail";
  delivery.channel = info.id;
  delivery.type = info.type;
  delivery.created = now;
  delivery.next_attempt = now;
  delivery.thread = asked.thread;
  delivery.payload =
      boost::json::serialize(boost::json::object{{kMailMember,
                                                  {{"to", boost::json::array(asked.to.begin(), asked.to.end())},
                                                   {"subject", asked.subject},
                                                   {"text", asked.text}}}});
  return queue(std::move(delivery), {}, session, effects);
}

Status Outbox::on_timer(const TenantId& tenant, std::string_view, Time, Time now, db::Session& session,
                        control::Effects&) {
  const std::vector<db::Value> old{tenant.value(), to_ms(now - options_.keep),
                                   static_cast<std::int64_t>(DeliveryState::kSent),
                                   static_cast<std::int64_t>(DeliveryState::kFailed)};
  auto attempts = old;
  attempts.insert(attempts.begin(), tenant.value());
  AT_TRY(
      session.execute("DELETE FROM notify_attempts WHERE tenant_id=? AND delivery_key IN (SELECT delivery_key FROM "
                      "notify_deliveries WHERE tenant_id=? AND created_ms<? AND state IN (?, ?))",
                      attempts));
  AT_TRY(
      session.execute("DELETE FROM notify_delivery_alerts WHERE tenant_id=? AND delivery_key IN (SELECT delivery_key "
                      "FROM notify_deliveries WHERE tenant_id=? AND created_ms<? AND state IN (?, ?))",
                      attempts));
  AT_TRY(session.execute("DELETE FROM notify_deliveries WHERE tenant_id=? AND created_ms<? AND state IN (?, ?)", old));
  return {};
}

}  // namespace atalaya::notify
