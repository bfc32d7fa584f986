// Bodies of Alerta's API: for its own sources.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/alerta.h"
#include "api/json.h"

namespace atalaya::api::alerta {

constexpr std::string_view kPrefix = "/alerta";
constexpr std::size_t kMaxText = 64 << 10;  ///< bytes of text, rawData and the attributes
constexpr std::size_t kMaxName = 4096;      ///< bytes of every other text
constexpr std::size_t kMaxList = 256;       ///< texts in a list
constexpr std::size_t kHistoryLimit = 100;  ///< lines shown with an alert
constexpr std::int64_t kMaxTimeout = 10LL * 365 * 24 * 3600;

/// `{"status":"error","message":…,"code":…}`.
net::Response error_response(const Error& error);
/// `{"status":"ok",…}`.
net::Response answer(json::object more, int status = 200);

/// Reads a body's fields; each says where it is wrong. Unknown ones are ignored, as Alerta does.
class Body {
 public:
  static Result<Body> parse(std::string_view text);
  explicit Body(json::object object) : object_(std::move(object)) {}
  /// "" where it is absent or null; a number counts as its text.
  Result<std::string> text(std::string_view key, std::size_t most = kMaxName) const;
  /// A list of texts, or one text.
  Result<std::vector<std::string>> texts(std::string_view key) const;
  Result<std::optional<std::int64_t>> seconds(std::string_view key) const;
  Result<std::optional<Time>> time(std::string_view key) const;
  Result<json::object> object(std::string_view key) const;
  bool has(std::string_view key) const { return object_.contains(key); }

 private:
  json::object object_;
};

/// Attributes' names contain neither '.' nor '$'.
Status check_names(const json::object& attributes);

/// Of POST alert; `address` is the sender's.
Result<alerts::Reported> read_alert(const Body& body, const AlertaServices& services, std::string_view address);

/// Of PUT status and PUT action, alone or in bulk; without the alert and who asks.
Result<alerts::ReportAction> read_action(const Body& body, alerts::ReportAction::Kind kind);
/// Of PUT tag, untag and attributes, alone or in bulk; without the alert and who asks.
Result<alerts::EditReport> read_edit(const Body& body, std::string_view what);

std::string href(const AlertaServices& services, std::string_view kind, std::string_view id);
json::value or_null(const std::string& text);
json::array list(const std::vector<std::string>& texts);

struct Shown {
  bool raw_data = true;
  const std::vector<alerts::HistoryLine>* history = nullptr;  ///< newest first
};
json::object alert_json(const AlertaServices& services, const alerts::SeenReport& seen, const Shown& shown);
/// Nothing for a line that Alerta has no word for.
std::optional<json::object> history_json(const AlertaServices& services, const alerts::SeenReport& seen,
                                         const alerts::HistoryLine& line);
json::object note_json(const AlertaServices& services, const alerts::SeenReport& seen, const alerts::ReportNote& note);

/// Who acts: "" where nobody has a name.
std::string user_of(const AlertaServices& services, const auth::Principal& who);

void add_lists(Doors& doors, const AlertaServices& services);
void add_bulk(Doors& doors, const AlertaServices& services);
void add_blackouts(Doors& doors, const AlertaServices& services);
void add_heartbeats(Doors& doors, const AlertaServices& services);
void add_management(Doors& doors, const AlertaServices& services);
void add_accounts(Doors& doors, const AlertaServices& services);

}  // namespace atalaya::api::alerta
