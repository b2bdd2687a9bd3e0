/**
 * Links between machines: which endpoints need keys, and the connecting end of a secured one. tcp is encrypted and
 * authenticated by CURVE, both ways; ipc relies on file permissions; tcp without keys is for this machine's own
 * addresses, and only where somebody asked for it by name (plain).
 */
#ifndef PROTO_SECURE_SOCKET_H
#define PROTO_SECURE_SOCKET_H

#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum endpoint_kind {
    ENDPOINT_INVALID,
    ENDPOINT_IPC,
    ENDPOINT_LOOPBACK, /**< tcp on an address of this machine that no other reaches */
    ENDPOINT_NETWORK
} endpoint_kind;

/** to_listen: the port may be 0 or * (a free one), the host an interface or *. */
endpoint_kind endpoint_kind_of(const char *endpoint, bool to_listen);

/** What the connecting end of a link was told. "" = not given. */
typedef struct link_config {
    char key[PATH_MAX_BYTES];             /**< file of our secret key */
    char coordinator_key[PATH_MAX_BYTES]; /**< the coordinator's public key, or the file of it */
    bool plain;
} link_config;

/** $REELMILL_KEY, $REELMILL_COORDINATOR_KEY, $REELMILL_PLAIN (1 or not). */
void link_config_from_environment(link_config *self);
/** STATUS_INPUT_* with one sentence when this endpoint may not be connected to with what was given. */
MUST_USE status link_check(const char *endpoint, const link_config *config, error_detail *detail);
/** link_check, then reads the keys and arms the socket for its next connect. */
MUST_USE status link_secure(void *socket, const char *endpoint, const link_config *config, error_detail *detail);

/* ---- what becomes of a connection ---- */
typedef enum link_event {
    LINK_QUIET,  /**< nothing more happened */
    LINK_OTHER,
    LINK_UP,     /**< the other end took our key, and we its */
    LINK_BROKEN, /**< the handshake failed; ZeroMQ tries again by itself */
    LINK_REFUSED /**< it does not know our key, or does not speak as we do; ZeroMQ has given up */
} link_event;
/** A socket that tells what happens to another of the same context; NULL when it cannot be had. The caller closes it. */
void *link_monitor_create(void *context, void *socket);
/** Never blocks. */
link_event link_monitor_next(void *monitor);
/** The sentence for a person whose link is refused. */
void link_refused_text(const char *endpoint, const link_config *config, char *out_text, size_t out_size);

#endif
