#include "logdb/line_filter.h"

#include <re2/re2.h>

#include <algorithm>

namespace atalaya::logdb {

Result<LineFilter> LineFilter::make(const storage::LogQuery& query) {
  std::shared_ptr<const re2::RE2> text;
  std::shared_ptr<const re2::RE2> regex;
  if (!query.contains.empty()) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_literal(true);
    options.set_case_sensitive(false);
    text = std::make_shared<const re2::RE2>(query.contains, options);
    if (!text->ok()) return fail(ErrorCode::kInvalidArgument, "text to search for: " + text->error());
  }
  if (!query.regex.empty()) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(1 << 20);
    regex = std::make_shared<const re2::RE2>(query.regex, options);
    if (!regex->ok()) {
      return fail(ErrorCode::kInvalidArgument, "regular expression \"" + query.regex + "\": " + regex->error());
    }
  }
  return LineFilter(query, std::move(text), std::move(regex));
}

bool LineFilter::accepts(Time time, std::string_view line) const {
  if (time < query_->range.from || time > query_->range.to) return false;
  const re2::StringPiece piece(line.data(), line.size());
  if (text_ && !re2::RE2::PartialMatch(piece, *text_)) return false;
  return !regex_ || re2::RE2::PartialMatch(piece, *regex_);
}

bool BestLines::before(const storage::FoundLog& a, const storage::FoundLog& b) const {
  const auto& first = newest_first_ ? b : a;
  const auto& second = newest_first_ ? a : b;
  return first.record.time != second.record.time ? first.record.time < second.record.time : first.id < second.id;
}

bool BestLines::wants(Time time) const {
  if (heap_.size() < limit_) return true;
  if (limit_ == 0) return false;
  // Equal times may still win by id.
  return newest_first_ ? time >= heap_.front().record.time : time <= heap_.front().record.time;
}

void BestLines::add(storage::FoundLog line) {
  const auto order = [this](const auto& a, const auto& b) { return before(a, b); };
  if (heap_.size() >= limit_) {
    if (limit_ == 0 || !before(line, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), order);
    heap_.pop_back();
  }
  heap_.push_back(std::move(line));
  std::push_heap(heap_.begin(), heap_.end(), order);
}

std::vector<storage::FoundLog> BestLines::take() {
  std::sort_heap(heap_.begin(), heap_.end(), [this](const auto& a, const auto& b) { return before(a, b); });
  return std::move(heap_);
}

}  // namespace atalaya::logdb
