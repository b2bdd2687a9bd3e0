#include "worker/shell/dealer_socket.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool port_valid(const char *text)
{
    size_t size = strlen(text);
    return size >= 1 && size <= 5 && strspn(text, "0123456789") == size && atoi(text) >= 1 && atoi(text) <= 65535;
}

/* The address itself is read: a name that only begins like one ("127.0.0.1.example") is none. */
static bool host_is_loopback(const char *host)
{
    struct in_addr address;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

status dealer_endpoint_check(const char *endpoint, error_detail *detail)
{
    char host[256];
    if (strncmp(endpoint, "ipc://", 6) == 0 && endpoint[6] != '\0')
        return STATUS_OK;
    const char *colon = strrchr(endpoint, ':');
    size_t host_size = strncmp(endpoint, "tcp://", 6) == 0 && colon > endpoint + 6 ? (size_t)(colon - endpoint - 6) : 0;
    if (host_size == 0 || host_size >= sizeof host || !port_valid(colon + 1))
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "\"%.200s\" is no coordinator's endpoint: expected ipc:///path or tcp://127.0.0.1:PORT",
                                endpoint);
    memcpy(host, endpoint + 6, host_size);
    host[host_size] = '\0';
    if (!host_is_loopback(host))
        return error_detail_set(detail, STATUS_INPUT_UNSUPPORTED,
                                "the coordinator at %.200s is on another machine, and links between machines are not "
                                "encrypted yet: run the worker on the coordinator's machine, or reach it through a "
                                "tunnel that ends at 127.0.0.1",
                                endpoint);
    return STATUS_OK;
}
