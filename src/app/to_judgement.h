// Where verdicts of rules become what alerts are made from.
#pragma once

#include "alerts/judgement.h"
#include "rules/verdict.h"

namespace atalaya::app {

alerts::Judgement to_judgement(rules::Verdict verdict);

}  // namespace atalaya::app
