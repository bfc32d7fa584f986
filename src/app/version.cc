#include "app/version.h"

#include "revision.h"

namespace atalaya::app {

const char* const kRevision = ATALAYA_REVISION;

}  // namespace atalaya::app
