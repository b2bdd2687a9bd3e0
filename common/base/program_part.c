#include "common/base/program_part.h"

#include "common/base/engine_version.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

status program_part_function(const char *name, const char *symbol, void *out_function, error_detail *detail)
{
    char file[64];
    snprintf(file, sizeof file, "%s-" ENGINE_NUMBER ".so", name);
    void *part = dlopen(file, RTLD_NOW | RTLD_LOCAL); /* searched for where the program's run path says */
    void *function = part == NULL ? NULL : dlsym(part, symbol);
    if (function == NULL)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "a part of reelmill cannot be loaded: %s; install reelmill anew",
                                dlerror());
    memcpy(out_function, &function, sizeof function);
    return STATUS_OK;
}
