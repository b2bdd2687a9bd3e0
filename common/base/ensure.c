#include "common/base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void ensure_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "reelmill: defect: %s:%d: %s does not hold\n", file, line, condition);
    abort();
}
