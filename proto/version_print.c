#include "proto/version_print.h"

#include "common/base/engine_version.h"
#include "common/media/render_program.h"
#include "proto/message_types.h"

void version_print(FILE *out)
{
#ifdef REELMILL_SANITIZED
    const char *kind = "sanitized";
#else
    const char *kind = "plain";
#endif
#ifdef __aarch64__
    const char *machine = "arm64";
#elif defined(__x86_64__)
    const char *machine = "x86-64";
#else
    const char *machine = "other";
#endif
    fprintf(out, "%s (render version %d, protocol %d)\n", ENGINE_VERSION, (int)RENDER_VERSION, PROTOCOL_VERSION);
    fprintf(out, "build: %s, %s, compiler %s\n", kind, machine, __VERSION__);
}
