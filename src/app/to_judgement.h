// Between rules and alerts, which do not know each other: verdicts become judgements, and open alerts what the rules
// start from.
#pragma once

#include "alerts/judgement.h"
#include "alerts/queries.h"
#include "rules/engine.h"
#include "rules/verdict.h"

namespace atalaya::app {

alerts::Judgement to_judgement(rules::Verdict verdict);
rules::OpenAlert to_open(const alerts::OpenAlert& alert);

}  // namespace atalaya::app
