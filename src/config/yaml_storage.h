// What a Document keeps alive; inside this library only.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/yaml.h"

namespace atalaya::config {

struct Document::Storage {
  std::string text;
  std::string file;
  std::deque<Node> nodes;
  std::unordered_map<const Node*, std::vector<Node::Entry>>
      left_out;                                         ///< by mapping: keys twice, keys that are no text
  std::vector<std::shared_ptr<const Storage>> sources;  ///< of a composed tree: where its nodes came from
};

}  // namespace atalaya::config
