/**
 * How an executor is started: the program reelmill-executor with an internal first argument, a SEQPACKET socket at a fixed
 * descriptor and the media roots at those after it. What is said on the socket: PROTOCOL.md, "Executors".
 */
#ifndef PROTO_EXECUTOR_LINK_H
#define PROTO_EXECUTOR_LINK_H

#include "common/base/limits.h"

/** Descriptor on which an executor finds its socket. */
enum { EXECUTOR_SOCKET = 3 };

/** argv[1] of an executor. Then: the parent's process id, the cap of the instruction set or "-", and per root 'r' or 'w'
 * with its name. */
#define EXECUTOR_ARGUMENT "--executor"

/** Longest argument list of an executor. */
enum { EXECUTOR_ARGUMENTS_MAX = 4 + ROOTS_MAX };

#endif
