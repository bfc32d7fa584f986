// The syntax tree of a template; inside this library only.
#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace atalaya::templates {

struct Pipeline;
struct Function;

/// One operand, with fields taken from it: `.a.b`, `$x.a`, `(…).a`, a constant, a function's name.
struct Operand {
  enum class Kind { kDot, kVariable, kConstant, kFunction, kPipeline };
  Kind kind = Kind::kDot;
  std::string name;  ///< of the variable or function
  boost::json::value constant;
  const Function* function = nullptr;
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::string> fields;
  std::size_t offset = 0;
};

/// A function with its arguments, a field with arguments (`.Remove x`), or one operand.
struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<std::string> variables;  ///< declared or assigned; two only in range
  bool assigns = false;                ///< `=` instead of `:=`
  std::vector<Command> commands;
  std::size_t offset = 0;
};

/// What is done to the value of an action before it is printed; `html_context.h` decides.
enum class Escape : std::uint8_t {
  kNone,          ///< a text template
  kText,          ///< between tags: escaped, unless it is markup of ours
  kAttribute,     ///< within quotes
  kUrl,           ///< a whole address, or its beginning: also its scheme is looked at
  kUrlPath,       ///< behind the beginning of an address
  kUrlComponent,  ///< one segment, or a value in the query
};

struct Node;
using Nodes = std::vector<Node>;

struct Node {
  enum class Kind { kText, kAction, kIf, kWith, kRange, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  std::string text;                    ///< of kText; name for kTemplate
  std::unique_ptr<Pipeline> pipeline;  ///< null for kTemplate without data
  Nodes body;
  Nodes otherwise;
  std::size_t offset = 0;  ///< in the source
  Escape escape = Escape::kNone;
};

struct Tree {
  std::string source;
  std::string file;
  std::vector<std::string> outside;                       ///< variables
  std::vector<std::shared_ptr<const Function>> given;     ///< with the rendering
  std::vector<std::unique_ptr<std::string>> given_names;  ///< what `given` points into
  Nodes main;
  std::map<std::string, Nodes> defined;

  Place place(std::size_t offset) const;
};

}  // namespace atalaya::templates
