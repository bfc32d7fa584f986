// What other programs wrote, with the verdict on each.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "occi/reference_data.h"
#include "occi/render.h"
#include "occi/request.h"

namespace atalaya::occi {
namespace {

namespace json = boost::json;

/// The fields of a recorded message: lines up to the blank one.
HeaderFields fields_of(const std::string& text) {
  HeaderFields out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) break;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) out.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return out;
}

std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

Result<TextMessage> message_of(const std::string& text, std::string_view rendering) {
  return rendering == "text/occi" ? parse_headers(fields_of(text)) : parse_plain(text);
}

/// Accepted as what the case says it is?
Result<std::size_t> accepted(const std::string& text, std::string_view rendering, std::string_view as) {
  if (rendering == "text/uri-list") {
    AT_TRY(const auto uris, parse_uri_list(text));
    return uris.size();
  }
  AT_TRY(auto message, message_of(text, rendering));
  if (as == "categories") {
    AT_TRY(const auto list, categories_of(std::move(message)));
    return list.size();
  }
  if (as == "locations") {
    AT_TRY(const auto list, locations_of(std::move(message)));
    return list.size();
  }
  if (message.empty()) return fail(ErrorCode::kInvalidArgument, "nothing in it");
  return message.attributes.size();
}

TEST(Messages, HaveTheirVerdicts) {
  const auto data = reference_data("messages/expectations.json");
  if (!data) GTEST_SKIP() << data.error().message;
  const auto cases = json::parse(*data).as_object().at("messages").as_array();
  ASSERT_GE(cases.size(), 20u);
  for (const auto& value : cases) {
    const auto& one = value.as_object();
    const std::string file(one.at("file").as_string());
    const auto text = reference_data("messages/" + file);
    ASSERT_TRUE(text) << file;
    const auto verdict = accepted(*text, one.at("rendering").as_string(), one.at("parse_as").as_string());
    EXPECT_EQ(verdict.has_value(), one.at("accept").as_bool())
        << file << ": " << (verdict ? std::string("accepted") : verdict.error().message);
    if (!verdict) {
      EXPECT_EQ(verdict.error().code, ErrorCode::kInvalidArgument) << file;
      EXPECT_FALSE(verdict.error().message.empty()) << file;
    }
  }
}

TEST(Messages, HeaderValuesAreSplitAtCommasOutsideOfQuotes) {
  const auto data = reference_data("messages/expectations.json");
  if (!data) GTEST_SKIP() << data.error().message;
  const auto all = json::parse(*data).as_object();
  for (const auto& [value, parts] : all.at("header_value_split_ok").as_object()) {
    const auto split = split_header(value);
    ASSERT_TRUE(split) << value << ": " << split.error().message;
    std::vector<std::string> wanted;
    for (const auto& part : parts.as_array()) wanted.emplace_back(part.as_string());
    EXPECT_EQ(*split, wanted) << value;
  }
  for (const auto& value : all.at("header_value_split_error").as_array()) {
    EXPECT_FALSE(split_header(value.as_string())) << value;
  }
}

TEST(Messages, CategoriesInTextAreWrittenAsTheyWereRead) {
  const auto text = reference_data("messages/category-collection/text-ok-ec2.txt");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto message = parse_plain(*text);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(render_plain(*message), with_crlf(*text));
}

TEST(Messages, HeadersAreWrittenAsTheyWereRead) {
  for (const auto* file : {"category-collection/http-ok-dummy.txt", "category-collection/http-ok-ec2.txt",
                           "category-collection/http-ok-opennebula.txt", "resource/http-ok-opennebula-compute.txt",
                           "resource/http-ok-ec2-compute.txt", "basic/http-resource2.txt"}) {
    const auto text = reference_data(std::string("messages/") + file);
    if (!text) GTEST_SKIP() << text.error().message;
    HeaderFields ours;
    for (auto& field : fields_of(*text)) {
      if (field.first == "Category" || field.first == "Link" || field.first == "X-OCCI-Attribute")
        ours.push_back(std::move(field));
    }
    const auto message = parse_headers(ours);
    ASSERT_TRUE(message) << file << ": " << message.error().message;
    EXPECT_EQ(render_headers(*message), ours) << file;
  }
}

TEST(Messages, AResourceIsUnderstood) {
  const auto text = reference_data("messages/resource/http-ok-ec2-compute.txt");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto message = parse_headers(fields_of(*text));
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(text_of(*find(message->attributes, "occi.core.id")), "i-375ab99b");
  EXPECT_EQ(text_of(*find(message->attributes, "occi.compute.architecture")), "x64");
  EXPECT_EQ(*find(message->attributes, "occi.compute.memory"), Value(0.613));
  EXPECT_EQ(message->links.front().target, "/storage/vol-2cc1133a");
}

TEST(Messages, WhatIsWrongIsNamed) {
  const auto text = reference_data("messages/resource/http-bad-attr.txt");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto message = parse_headers(fields_of(*text));
  ASSERT_FALSE(message);
  EXPECT_NE(message.error().message.find("occi.core.title"), std::string::npos) << message.error().message;
}

TEST(Messages, FiveEntitiesAreLocated) {
  for (const auto* file : {"http-ok-entities2.txt", "http-test-capitalization1.txt", "http-test-capitalization2.txt"}) {
    const auto text = reference_data(std::string("messages/entity-collection/") + file);
    if (!text) GTEST_SKIP() << text.error().message;
    const auto count = accepted(*text, "text/occi", "locations");
    ASSERT_TRUE(count) << count.error().message;
    EXPECT_EQ(*count, 5u) << file;
  }
}

TEST(Messages, AnActionIsTheSameInTextAndJson) {
  const auto text = reference_data("rocci-core-5-rendering/action_instance.txt");
  const auto other = reference_data("rocci-core-5-rendering/action_instance.json");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto a = action_of(*read_content(Media::kPlain, {}, *text));
  const auto b = action_of(*read_content(Media::kJson, {}, *other));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->action, "http://schemas.ogf.org/occi/infrastructure/compute/action#suspend");
  EXPECT_EQ(a->action, b->action);
  EXPECT_EQ(a->attributes, b->attributes);
}

TEST(Messages, AnEntityIsTheSameInTextAndJson) {
  const auto text = reference_data("rocci-core-5-rendering/instance.txt");
  const auto other = reference_data("rocci-core-5-rendering/instance.json");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto model = Model::shipped();
  const auto content = read_content(Media::kPlain, {}, *text);
  ASSERT_TRUE(content) << content.error().message;
  const auto a = draft_of(*content, model);
  ASSERT_TRUE(a) << a.error().message;
  const auto b = draft_of(*read_content(Media::kJson, {}, *other), model);
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(a->kind, b->kind);
  ASSERT_EQ(a->links.size(), 2u);
  ASSERT_EQ(b->links.size(), 2u);
  EXPECT_EQ(a->links[1].kind, "http://schemas.ogf.org/occi/infrastructure#networkinterface");
  EXPECT_EQ(a->links[1].mixins, b->links[1].mixins);
  for (const auto* name : {"occi.core.id", "occi.core.title", "occi.compute.cores", "occi.compute.memory"})
    EXPECT_TRUE(equal(*find(a->attributes, name), *find(b->attributes, name))) << name;
}

TEST(Messages, TheModelOfInfrastructureHasWhatOthersKnowOfIt) {
  const auto data = reference_data("rocci-core-5-rendering/model.json");
  if (!data) GTEST_SKIP() << data.error().message;
  const auto theirs = json::parse(*data).as_object();
  const auto model = Model::shipped();
  for (const auto& value : theirs.at("kinds").as_array()) {
    const auto& one = value.as_object();
    const auto id = std::string(one.at("scheme").as_string()) + std::string(one.at("term").as_string());
    if (!id.starts_with("http://schemas.ogf.org/occi/infrastructure#") && !id.starts_with(kCoreScheme)) continue;
    if (id.find("securitygroup") != std::string::npos || id.find("ipreservation") != std::string::npos) continue;
    const auto* ours = model.kind(id);
    ASSERT_NE(ours, nullptr) << id;
    if (const auto* parent = one.if_contains("parent")) {
      EXPECT_EQ(ours->parent, parent->as_string()) << id;
    }
    for (const auto& [name, definition] : one.at("attributes").as_object()) {
      const auto* attribute = model.attribute_of(*ours, name);
      ASSERT_NE(attribute, nullptr) << id << " " << name;
      EXPECT_EQ(atalaya::occi::name(attribute->type), definition.as_object().at("type").as_string())
          << id << " " << name;
    }
    if (const auto* actions = one.if_contains("actions")) {
      for (const auto& action : actions->as_array())
        EXPECT_NE(model.find(action.as_string()), nullptr) << id << " " << action;
    }
  }
}

}  // namespace
}  // namespace atalaya::occi
