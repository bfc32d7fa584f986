// What a store of series refuses, in the words of who sends to it: limits by the names of the server's options.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::ingest {

constexpr std::size_t kShownLabels = 200;

/// The message of an error of `resolve` or `append`, in which a limit has the name of its option, or is called fixed
/// when it has none.
std::string refusal_words(const Error& error);
/// The same error with these words.
Error in_refusal_words(Error error);

/// Of one line, at most `size` bytes and then "…": for text that came from outside and goes into an answer.
std::string shortened(std::string text, std::size_t size = kShownLabels);

}  // namespace atalaya::ingest
