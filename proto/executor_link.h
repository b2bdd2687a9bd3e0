/**
 * How an executor is started: the program reelmill-executor with an internal first argument, a SEQPACKET socket at a fixed
 * descriptor and the media roots at those after it. What is said on the socket: PROTOCOL.md, "Executors".
 */
#ifndef PROTO_EXECUTOR_LINK_H
#define PROTO_EXECUTOR_LINK_H

#include "common/base/limits.h"

#include <stddef.h>

enum {
    EXECUTOR_SOCKET = 3,                 /**< descriptor on which an executor finds its socket */
    EXECUTOR_ARGUMENTS_MAX = 4 + ROOTS_MAX,
    EXECUTOR_VERSION_MAX = 160,          /**< bytes, with the NUL */
    EXECUTOR_EXIT_OTHER_VERSION = 2      /**< as any program's that does not know its first argument */
};

/** Of this build, in one line: an executor and who starts it must say the same, for they exchange bytes of all these versions. */
const char *executor_link_version(char out[EXECUTOR_VERSION_MAX]);
/**
 * argv[1] of an executor: this and executor_link_version() of who starts it. Then: the parent's process id, the cap of the
 * instruction set or "-", and per root 'r' or 'w' with its name.
 */
#define EXECUTOR_ARGUMENT "--executor="

#endif
