/**
 * Who may connect to the coordinator, and who somebody is: its key pair, the allow-list file, and the ZAP handler that
 * libzmq asks about every connection before anything else of it is read.
 *
 * Every endpoint is guarded. On tcp a peer must prove by CURVE that it has a key of the list; its public key becomes
 * the User-Id of each of its messages. On ipc, and on loopback tcp where the operator asked for plain, everybody who
 * reaches the endpoint is "local". Nothing can forge that: the id is the handler's, and a message without one has no
 * sender. Without a handler nobody is let in at all (ZMQ_ZAP_ENFORCE_DOMAIN).
 *
 * The list is read again when its file changes. What is wrong then is logged, and the list of before stays.
 *
 * Threads: the loop's; the handler has its own, and shares only the list with it, under a mutex.
 */
#ifndef COORDINATOR_SHELL_KEY_GUARD_H
#define COORDINATOR_SHELL_KEY_GUARD_H

#include "coordinator/access/allow_list.h"

typedef struct key_guard key_guard;

typedef struct key_guard_config {
    const char *key;        /**< file of the coordinator's secret key; "" = no keys, no tcp but plain */
    const char *authorized; /**< file of the allow-list; goes with the key */
    bool plain;             /**< loopback tcp without keys */
} key_guard_config;

/** Reads the files. STATUS_INPUT_* with one sentence. */
MUST_USE status key_guard_create(key_guard **out_guard, const key_guard_config *config, error_detail *detail);
/** After the context of key_guard_serve was shut down: waits for the handler's end. */
void key_guard_destroy(key_guard **self);

bool key_guard_has_keys(const key_guard *self);
/** STATUS_INPUT_* with one sentence when this endpoint may not be listened on. */
MUST_USE status key_guard_check(const key_guard *self, const char *endpoint, error_detail *detail);
/** Starts the handler in a ZeroMQ context; it answers when this returns. Once, before any socket is bound. */
MUST_USE status key_guard_serve(key_guard *self, void *context, error_detail *detail);
/** key_guard_check, then arms the socket for its next bind. */
MUST_USE status key_guard_arm(key_guard *self, void *socket, const char *endpoint, error_detail *detail);
/** Proves on an endpoint that was bound after key_guard_arm that a key made just now is refused. Takes milliseconds. */
MUST_USE status key_guard_self_test(key_guard *self, const char *endpoint, error_detail *detail);

/** Whose message this is, by its User-Id; NULL: nobody's (any more). Valid until key_guard_reload. */
const access_grant *key_guard_whose(const key_guard *self, const char *user_id);

/** Is somebody of this name let in (still) with this key? A name may have got another one. */
bool key_guard_lists(const key_guard *self, const char *name, const uint8_t key[KEY_BYTES]);

/**
 * Reads the list again if its file changed; true when there is a new one. What is written over in place, not renamed
 * over, counts when two calls have seen it alike.
 */
bool key_guard_reload(key_guard *self);
/** Connections refused since the last call, and who the last one was. */
typedef struct key_guard_refusals {
    uint64_t count;
    char address[64];
    char key[KEY_TEXT_BYTES]; /**< "" = came without one */
} key_guard_refusals;
key_guard_refusals key_guard_take_refusals(key_guard *self);

#endif
