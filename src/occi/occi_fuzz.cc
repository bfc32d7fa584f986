// Any bytes as each of OCCI's renderings: refused with words, or read, written and read again the same. What an engine
// makes of them is shown, and what is shown changes nothing when it comes back.

#include <boost/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "occi/test_world.h"

namespace {

using namespace atalaya;
using namespace atalaya::occi;

void demand(bool holds) {
  if (!holds) std::abort();
}

template <typename T>
bool taken(const Result<T>& result) {
  if (!result) demand(!result.error().message.empty());
  return result.has_value();
}

void check_text(const std::string& text) {
  const auto message = parse_plain(text);
  if (!taken(message)) return;
  const auto again = parse_plain(render_plain(*message));
  demand(again.has_value() && *again == *message);
  const auto fields = render_headers(*message);
  for (const auto& [name, value] : fields) demand(value.find_first_of("\r\n") == std::string::npos);
  const auto headers = parse_headers(fields);
  demand(headers.has_value() && *headers == *message);
}

void check_uris(const std::string& text) {
  const auto uris = parse_uri_list(text);
  if (!taken(uris)) return;
  const auto again = parse_uri_list(render_uri_list(*uris));
  demand(again.has_value() && *again == *uris);
}

void check_world(TestWorld& t) {
  const Addresses addresses{"http://h:1", "/occi"};
  for (const auto* entity : t.world.members(nullptr)) {
    const auto text = render_plain(message_of(t.world, *entity, {}, addresses));
    const auto rendered = boost::json::serialize(to_json(t.world, *entity, {}, addresses));
    for (const auto& [media, body] : {std::pair{Media::kPlain, &text}, std::pair{Media::kJson, &rendered}}) {
      const auto content = read_content(media, {}, *body);
      demand(content.has_value());
      const auto draft = draft_of(*content, t.world.model());
      demand(draft.has_value());
      const auto change = Engine(t.world, t.rules).update(entity->id, *draft, true);
      demand(change.has_value() && change->put.empty());
    }
  }
}

void check_requests(Media media, const std::string& body) {
  const auto content = read_content(media, {{"X-OCCI-Attribute", body}}, body);
  if (!taken(content)) return;
  TestWorld t;
  Entity other;
  other.id = "n";
  other.kind = infrastructure("network");
  t.world.put(other);
  taken(action_of(*content));
  taken(members_of(*content));
  taken(categories_of(*content));
  taken(filter_of(*content));
  if (const auto lines = definitions_of(*content); taken(lines)) taken(t.take(Engine(t.world, t.rules).define(*lines)));
  const auto drafts = drafts_of(*content, t.world.model());
  if (!taken(drafts)) return;
  if (taken(t.take(Engine(t.world, t.rules).create(*drafts, nullptr, "")))) check_world(t);
  if (drafts->size() == 1) taken(t.take(Engine(t.world, t.rules).update("n", drafts->front(), false)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 << 10) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_text(text);
  check_uris(text);
  taken(split_header(text));
  check_requests(Media::kPlain, text);
  check_requests(Media::kJson, text);
  return 0;
}
