#define _GNU_SOURCE
#include "proto/secure_socket.h"

#include "proto/key_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* ---- endpoints ---- */

static bool port_valid(const char *text, bool to_listen)
{
    size_t size = strlen(text);
    if (to_listen && strcmp(text, "*") == 0)
        return true;
    return size >= 1 && size <= 5 && strspn(text, "0123456789") == size && atoi(text) >= (to_listen ? 0 : 1) &&
           atoi(text) <= 65535;
}

/* The address itself is read: a name that only begins like one ("127.0.0.1.example") is none. */
static bool host_is_loopback(const char *host)
{
    struct in_addr address;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

endpoint_kind endpoint_kind_of(const char *endpoint, bool to_listen)
{
    char host[256];
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return endpoint[6] != '\0' ? ENDPOINT_IPC : ENDPOINT_INVALID;
    const char *colon = strrchr(endpoint, ':');
    size_t host_size = strncmp(endpoint, "tcp://", 6) == 0 && colon > endpoint + 6 ? (size_t)(colon - endpoint - 6) : 0;
    if (host_size == 0 || host_size >= sizeof host || !port_valid(colon + 1, to_listen))
        return ENDPOINT_INVALID;
    memcpy(host, endpoint + 6, host_size);
    host[host_size] = '\0';
    return host_is_loopback(host) ? ENDPOINT_LOOPBACK : ENDPOINT_NETWORK;
}

/* ---- the connecting end ---- */

void link_config_from_environment(link_config *self)
{
    const char *key = getenv("REELMILL_KEY");
    const char *coordinator_key = getenv("REELMILL_COORDINATOR_KEY");
    const char *plain = getenv("REELMILL_PLAIN");
    snprintf(self->key, sizeof self->key, "%s", key == NULL ? "" : key);
    snprintf(self->coordinator_key, sizeof self->coordinator_key, "%s", coordinator_key == NULL ? "" : coordinator_key);
    self->plain = plain != NULL && strcmp(plain, "1") == 0;
}

status link_check(const char *endpoint, const link_config *config, error_detail *detail)
{
    endpoint_kind kind = endpoint_kind_of(endpoint, false);
    if (kind == ENDPOINT_INVALID)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%.200s' is no coordinator's endpoint: expected ipc:///PATH or tcp://HOST:PORT",
                                endpoint);
    if (kind == ENDPOINT_IPC)
        return STATUS_OK;
    bool keys = config->key[0] != '\0' || config->coordinator_key[0] != '\0';
    if (keys && (config->key[0] == '\0' || config->coordinator_key[0] == '\0'))
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                config->key[0] == '\0'
                                    ? "the coordinator's key is given but none of our own: make one with `reelmill keygen "
                                      "DIR`, have it authorized, and give --key DIR/reelmill.secret or set REELMILL_KEY"
                                    : "a key is given but not the coordinator's public one: give --coordinator-key KEY or "
                                      "set REELMILL_COORDINATOR_KEY");
    if (keys && config->plain)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "both a key and plain are given; give one of them");
    if (keys || (config->plain && kind == ENDPOINT_LOOPBACK))
        return STATUS_OK;
    return error_detail_set(detail, STATUS_INPUT_MISSING,
                            "%.200s needs a key: make one with `reelmill keygen DIR`, have the coordinator's operator "
                            "authorize it, and give --key DIR/reelmill.secret and --coordinator-key KEY (or "
                            "REELMILL_KEY, REELMILL_COORDINATOR_KEY)%s",
                            endpoint,
                            kind == ENDPOINT_LOOPBACK
                                ? "; where the coordinator on this machine runs with plain: --plain"
                                : "; --plain is for addresses of this machine only");
}

status link_secure(void *socket, const char *endpoint, const link_config *config, error_detail *detail)
{
    key_pair own;
    uint8_t server[KEY_BYTES];
    status code = link_check(endpoint, config, detail);
    if (code != STATUS_OK || config->key[0] == '\0' || endpoint_kind_of(endpoint, false) == ENDPOINT_IPC)
        return code;
    code = key_pair_read(&own, config->key, detail);
    if (code != STATUS_OK)
        return code;
    code = key_public_read(server, config->coordinator_key, detail);
    if (code == STATUS_OK && (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, sizeof server) != 0 ||
                              zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own.public_key, KEY_BYTES) != 0 ||
                              zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own.secret_key, KEY_BYTES) != 0))
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "the link cannot be secured: %s", zmq_strerror(errno));
    key_pair_forget(&own);
    return code;
}

/* ---- what becomes of a connection ---- */

void *link_monitor_create(void *context, void *socket)
{
    char place[64];
    int linger = 0;
    snprintf(place, sizeof place, "inproc://monitor-%p", socket);
    if (zmq_socket_monitor(socket, place,
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
        return NULL;
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    if (monitor == NULL || zmq_setsockopt(monitor, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_connect(monitor, place) != 0) {
        if (monitor != NULL)
            zmq_close(monitor);
        return NULL;
    }
    return monitor;
}

link_event link_monitor_next(void *monitor)
{
    uint8_t event[6]; /* 16 bits of event, 32 of value, in the machine's order */
    uint16_t number = 0;
    char place[256];
    if (zmq_recv(monitor, event, sizeof event, ZMQ_DONTWAIT) < 0)
        return LINK_QUIET;
    (void)zmq_recv(monitor, place, sizeof place, ZMQ_DONTWAIT);
    memcpy(&number, event, sizeof number);
    if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        return LINK_UP;
    if (number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL || number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return LINK_REFUSED;
    return number == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ? LINK_BROKEN : LINK_OTHER;
}

void link_refused_text(const char *endpoint, const link_config *config, char *out_text, size_t out_size)
{
    key_pair own;
    char digits[KEY_TEXT_BYTES] = "?";
    if (config->key[0] == '\0') {
        snprintf(out_text, out_size, "the coordinator at %.200s lets nobody in without a key; give --key and "
                 "--coordinator-key", endpoint);
        return;
    }
    if (key_pair_read(&own, config->key, NULL) == STATUS_OK) {
        key_format(own.public_key, digits);
        key_pair_forget(&own);
    }
    snprintf(out_text, out_size, "the coordinator at %.200s hangs up on this key: is %s authorized there (`reelmill "
             "authorize`), and is the coordinator's key the right one?", endpoint, digits);
}
