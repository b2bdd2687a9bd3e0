/* reelmill-executor: what the worker starts for each slot, and nobody else. */
#include "worker/executor/executor.h"
#include "worker/media/media_codecs.h"

#include <stdio.h>
#include <string.h>

/* A line of `reelmill-worker --doctor`. */
static int tell_codecs(void)
{
    char missing[128];
    media_codecs_missing(missing, sizeof missing);
    if (missing[0] == '\0')
        printf("ok   codecs       %s: AIFF, CAF, FLAC, W64; WAV, RF64 and BW64 are our own\n", media_codecs_library());
    else
        printf("warn codecs       %s has no %s: stems in these cannot be read here; install Debian's libsndfile1\n",
               media_codecs_library(), missing);
    return 0;
}

int main(int argc, char **argv)
{
    executor_main_if_asked(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--codecs") == 0)
        return tell_codecs();
    fputs("reelmill-executor: error: reelmill-worker starts this program; see reelmill-worker --help\n", stderr);
    return EXECUTOR_EXIT_OTHER_VERSION;
}
