#include "api/occi_exchange.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/audit.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using occi::Category;
using occi::Engine;
using occi::Media;

constexpr std::size_t kMostOfAPage = 10'000;

bool is_plain_authority(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
             std::string_view::npos;
}

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

Result<std::optional<std::size_t>> count_parameter(const net::Request& request, const char* name) {
  const auto text = request.query.get(name);
  if (text.empty()) return std::nullopt;
  std::size_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || out == 0)
    return wrong(fmt::format("{} is a whole number from 1 on", name));
  return out;
}

/// `?category=` and `?occi.compute.cores=4`, beside what headers say.
Status take_query(occi::Filter& out, const net::Parameters& query) {
  for (const auto& [name, value] : query.fields()) {
    if (name == "category") {
      out.categories.push_back(value);
    } else if (name.find('.') != std::string::npos) {
      if (!occi::is_attribute_name(name)) return wrong("a parameter of the address is no attribute");
      auto read = occi::parse_value(name, value);
      out.attributes.emplace_back(name, read ? std::move(*read) : occi::Value(value));
    }
  }
  return {};
}

bool has_headers(const net::Request& request) {
  return !request.headers.get("Category").empty() || !request.headers.get("X-OCCI-Attribute").empty();
}

std::vector<std::string> ids_of(const std::vector<const occi::Entity*>& entities) {
  std::vector<std::string> out;
  for (const auto* one : entities) out.push_back(one->id);
  return out;
}

}  // namespace

OcciExchange::OcciExchange(Occi& occi, const auth::Principal& who, const net::Request& request)
    : occi_(occi), who_(who), request_(request), first_(occi.entities_.world(who.tenant)), world_(first_) {
  const auto host = request.headers.get("Host");
  addresses_ = {
      is_plain_authority(host) ? fmt::format("{}://{}", request.tls ? "https" : "http", host) : occi.with_.link_base,
      "/occi"};
  sight_ = occi.sight(who.tenant, world_);
}

net::Response OcciExchange::answer(const std::string& path) {
  if (!occi::speaks(request_.headers.get("User-Agent")))
    return finished(refusal({ErrorCode::kUnprocessable, "this server speaks OCCI/1.2", std::nullopt, ""}));
  auto answered = routed(path);
  return finished(answered ? std::move(*answered) : refusal(answered.error(), status_));
}

OcciExchange::Answer OcciExchange::routed(const std::string& path) {
  const bool is_query = path == "/-/" || path == "/-";
  const auto* of = world_->model().at(path);
  const bool is_list = !is_query && (of != nullptr || path == "/" || path.empty());
  wanted_ = occi::negotiate(request_.headers.get("Accept"), is_list);
  if (!wanted_) {
    return refusal({ErrorCode::kInvalidArgument, "none of the renderings in Accept can be given", std::nullopt,
                    std::string(occi::kMediaTypes)},
                   406);
  }
  if (is_query) return query();
  if (path == "/" || path.empty()) return collection(nullptr);
  if (of != nullptr) return collection(of);
  const auto slash = path.rfind('/');
  const auto* parent = slash == std::string::npos ? nullptr : world_->model().at(path.substr(0, slash));
  if (parent == nullptr || slash + 1 == path.size())
    return fail(ErrorCode::kNotFound, "there is no category at this address", "see /occi/-/ for locations");
  return entity(*parent, path.substr(slash + 1));
}

Result<occi::Content> OcciExchange::content() {
  const auto type = request_.headers.get("Content-Type");
  auto media = occi::media_of(type);
  // Headers alone need no Content-Type.
  if (type.empty() && request_.body.empty()) media = occi::MediaType{Media::kOcci, "text/occi"};
  if (!media) {
    status_ = 415;
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Content-Type \"{}\" is none of OCCI's", occi::is_clean(type) ? type.substr(0, 80) : ""),
                std::string(occi::kMediaTypes));
  }
  return occi::read_content(media->media, request_.headers.fields(), request_.body);
}

Result<occi::Filter> OcciExchange::filter(const occi::Content& said) {
  AT_TRY(auto out, occi::filter_of(said));
  AT_TRY(take_query(out, request_.query));
  return world_->known(std::move(out));
}

Result<occi::Filter> OcciExchange::filter() {
  occi::Content said;
  if (has_headers(request_)) {
    AT_TRY(said, occi::read_content(Media::kOcci, request_.headers.fields(), {}));
  }
  return filter(said);
}

Result<std::vector<const occi::Entity*>> OcciExchange::chosen(const Category* of, const Result<occi::Filter>& wanted) {
  if (!wanted) return std::unexpected(wanted.error());
  auto members = world_->members(of);
  if (wanted->empty()) return members;
  std::erase_if(members, [&](const auto* one) { return !world_->matches(*one, *wanted, sight_); });
  return members;
}

Result<std::vector<const occi::Entity*>> OcciExchange::page(std::vector<const occi::Entity*> all) {
  AT_TRY(const auto number, count_parameter(request_, "number"));
  AT_TRY(const auto page, count_parameter(request_, "page"));
  if (number && *number > kMostOfAPage)
    return fail(ErrorCode::kTooLarge, fmt::format("number={}: at most {} on a page", *number, kMostOfAPage));
  if (!number && !page) return all;
  const auto size = number.value_or(100);
  const auto first = std::min(
      all.size(), size > 0 && page.value_or(1) - 1 > all.size() / size ? all.size() : (page.value_or(1) - 1) * size);
  const auto last = std::min(all.size(), first + size);
  return std::vector(all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last));
}

Result<occi::Change> OcciExchange::change(const std::string& action, const std::string& reason,
                                          const std::function<Result<occi::Change>(const Engine&)>& decide) {
  AT_TRY(auth::require(who_, auth::Role::kOperator));
  const auto deciding = [&](const occi::World& now) {
    const auto rules = occi_.rules(who_.tenant, occi_.entities_.world(who_.tenant));
    return decide(Engine(now, rules));
  };
  AT_TRY(auto out, occi_.entities_.change(who_.tenant, {who_.name, who_.role >= auth::Role::kAdmin}, reason, deciding));
  world_ = occi_.entities_.world(who_.tenant);
  sight_ = occi_.sight(who_.tenant, world_);
  warnings_.insert(warnings_.end(), out.warnings.begin(), out.warnings.end());
  registry::AuditEntry entry;
  entry.at = occi_.with_.clock.now();
  entry.who = audited_name(who_);
  entry.action = action;
  for (const auto* list : {&out.shown, &out.removed, &out.forgotten}) {
    for (const auto& one : *list) entry.object += (entry.object.empty() ? "" : " ") + one;
  }
  for (const auto& mixin : out.defined) entry.object += (entry.object.empty() ? "" : " ") + mixin.id();
  entry.detail = reason;
  if (auto noted = occi_.with_.audit.add(who_.tenant, entry); !noted)
    telemetry::log_error("occi", "a change is not in the audit log", {{"reason", to_string(noted.error())}});
  return out;
}

OcciExchange::Answer OcciExchange::query() {
  if (request_.method == "POST") return define();
  if (request_.method == "DELETE") return forget();
  if (request_.method == "PUT") return not_allowed("GET, POST, DELETE");
  AT_TRY(const auto wanted, filter());
  std::vector<const Category*> out;
  for (const auto* one : world_->model().all()) {
    const bool in = wanted.categories.empty() ||
                    std::find(wanted.categories.begin(), wanted.categories.end(), one->id()) != wanted.categories.end();
    if (in) out.push_back(one);
  }
  return show_categories(out);
}

OcciExchange::Answer OcciExchange::collection(const Category* of) {
  const auto action = request_.query.get("action");
  const bool is_mixin = of != nullptr && of->cls == Category::Class::kMixin;
  if (request_.method == "POST") {
    if (!action.empty()) {
      // The headers name the action.
      AT_TRY(const auto members, chosen(of, filter({})));
      return act(ids_of(members), std::string(action), false);
    }
    return is_mixin ? associate(*of, false) : create(of, "");
  }
  if (request_.method == "PUT") return is_mixin ? associate(*of, true) : not_allowed("GET, POST, DELETE");
  if (request_.method != "DELETE") return list(of);
  if (of == nullptr) return not_allowed("GET, POST");
  AT_TRY(const auto given, content());
  AT_TRY(auto ids, occi::members_of(given));
  if (ids.empty()) {
    AT_TRY(const auto members, chosen(of, filter(given)));
    ids = ids_of(members);
  }
  return remove(of, ids);
}

OcciExchange::Answer OcciExchange::entity(const Category& of, const std::string& id) {
  const auto at = [&] { return Engine(*world_, {}).at(of, id); };
  if (request_.method == "PUT" && world_->find(id) == nullptr) {
    if (of.cls != Category::Class::kKind)
      return fail(ErrorCode::kNotFound, fmt::format("there is no {} {}", of.term, id));
    return create(&of, id);
  }
  AT_TRY(const auto* found, at());
  if (request_.method == "DELETE") return remove(&of, {id});
  if (request_.method == "POST" || request_.method == "PUT") {
    const auto action = request_.query.get("action");
    if (!action.empty()) return request_.method == "POST" ? act({id}, std::string(action), true) : not_allowed("POST");
    AT_TRY(const auto given, content());
    AT_TRY(const auto draft, occi::draft_of(given, world_->model()));
    const bool whole = request_.method == "PUT";
    AT_TRY(change("occi.update", fmt::format("{} {} by OCCI", of.term, whole ? "replaced" : "changed"),
                  [&](const Engine& engine) { return engine.update(id, draft, whole); }));
    AT_TRY(const auto* now, at());
    return show(*now);
  }
  return show(*found);
}

OcciExchange::Answer OcciExchange::list(const Category* of) {
  AT_TRY(auto members, chosen(of, filter()));
  AT_TRY(const auto part, page(std::move(members)));
  return show(part);
}

OcciExchange::Answer OcciExchange::create(const Category* of, const std::string& id) {
  AT_TRY(const auto given, content());
  AT_TRY(const auto drafts, occi::drafts_of(given, world_->model()));
  AT_TRY(const auto done,
         change("occi.create", "made by OCCI", [&](const Engine& engine) { return engine.create(drafts, of, id); }));
  return made(done);
}

OcciExchange::Answer OcciExchange::act(const std::vector<std::string>& ids, const std::string& term, bool one) {
  AT_TRY(const auto given, content());
  AT_TRY(const auto call, occi::action_of(given));
  AT_TRY(const auto done, change("occi.action", fmt::format("action {} by OCCI", term.substr(0, 64)),
                                 [&](const Engine& engine) { return engine.act(ids, term, call); }));
  std::vector<const occi::Entity*> shown;
  for (const auto& id : done.shown) {
    if (const auto* found = world_->find(id)) shown.push_back(found);
  }
  return one && shown.size() == 1 ? show(*shown.front()) : show(shown);
}

OcciExchange::Answer OcciExchange::associate(const Category& mixin, bool whole) {
  AT_TRY(const auto given, content());
  AT_TRY(const auto ids, occi::members_of(given));
  if (ids.empty() && !whole) return wrong("the request names no members", "X-OCCI-Location: /occi/compute/web-1");
  const auto location = mixin.location;
  AT_TRY(change("occi.mixin", fmt::format("members of {} set by OCCI", mixin.id()),
                [&, id = mixin.id()](const Engine& engine) -> Result<occi::Change> {
                  return engine.associate(*world_->model().mixin(id), ids, whole);
                }));
  return show(world_->members(world_->model().at(location)));
}

OcciExchange::Answer OcciExchange::remove(const Category* of, const std::vector<std::string>& ids) {
  if (of->cls == Category::Class::kMixin) {
    AT_TRY(change("occi.mixin", fmt::format("members of {} removed by OCCI", of->id()),
                  [&](const Engine& engine) { return engine.dissociate(*of, ids); }));
    return done();
  }
  for (const auto& id : ids) {
    AT_TRY(Engine(*world_, {}).at(*of, id));
  }
  AT_TRY(change("occi.delete", "removed by OCCI", [&](const Engine& engine) { return engine.remove(ids); }));
  return done();
}

OcciExchange::Answer OcciExchange::define() {
  AT_TRY(const auto given, content());
  AT_TRY(auto lines, occi::definitions_of(given));
  for (auto& line : lines) {
    // Locations are given as discovery shows them, or below OCCI's own root.
    if (const auto at = line.location.find("://"); at != std::string::npos) {
      const auto slash = line.location.find('/', at + 3);
      line.location = slash == std::string::npos ? "/" : line.location.substr(slash);
    }
    if (line.location.starts_with(addresses_.prefix + "/")) line.location.erase(0, addresses_.prefix.size());
  }
  AT_TRY(const auto defined,
         change("occi.mixin", "mixin defined by OCCI", [&](const Engine& engine) { return engine.define(lines); }));
  std::vector<const Category*> out;
  for (const auto& mixin : defined.defined) {
    if (const auto* one = world_->model().mixin(mixin.id())) out.push_back(one);
  }
  return show_categories(out);
}

OcciExchange::Answer OcciExchange::forget() {
  AT_TRY(const auto given, content());
  AT_TRY(const auto ids, occi::categories_of(given));
  if (ids.empty()) return wrong("the request names no Category");
  AT_TRY(change("occi.mixin", "mixin removed by OCCI", [&](const Engine& engine) { return engine.forget(ids); }));
  return done();
}

}  // namespace atalaya::api
