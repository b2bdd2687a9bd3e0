#include "common/base/program_part.h"

#include "common/base/engine_version.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

status program_part_path(const char *name, char out_path[PATH_MAX_BYTES], error_detail *detail)
{
    char own[PATH_MAX_BYTES];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    int folder = (int)size;
    while (folder > 0 && own[folder - 1] != '/')
        folder--;
    errno = size < 0 ? errno : ENAMETOOLONG;
    if (folder <= 0 || size == (ssize_t)sizeof own - 1 ||
        snprintf(out_path, PATH_MAX_BYTES, "%.*s../lib/reelmill/%s-" ENGINE_NUMBER, folder, own, name) >= PATH_MAX_BYTES)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot find out where reelmill is installed: %s", strerror(errno));
    return STATUS_OK;
}
