// links: coordinator_shell
/*
 * What comes over the pages' address: any bytes on a connection, in one piece or two. Whatever is asked of the farm for
 * them is one of its documents and within bounds, and afterwards an honest request is answered.
 */
#define _GNU_SOURCE
#include "coordinator/shell/http_endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { HONEST_EVERY = 64, TURNS_MAX = 2000 };

typedef struct http_fuzz {
    uv_loop_t loop;
    http_endpoint *endpoint;
    struct sockaddr_in place;
    uint64_t count;
} http_fuzz;

static char *ask(void *context, const char *what, uint32_t number, const page_query *page, size_t *out_size, error_detail *detail)
{
    static const char *const documents[] = {"metrics", "farm", "jobs", "nodes", "job", "node", "grid", "report.json", "report.html",
                                            "report.pdf"};
    bool known = false;
    (void)context;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        known = known || strcmp(what, documents[i]) == 0;
    if (!known || number > 999999999 ||
        (page != NULL && (page->rows > PAGE_ROWS_MAX || strnlen(page->find, sizeof page->find) == sizeof page->find ||
                          strnlen(page->state, sizeof page->state) == sizeof page->state)))
        abort();
    if (number % 2 == 1) {
        error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", number);
        return NULL;
    }
    char *text = strdup("{}");
    *out_size = text == NULL ? 0 : 2;
    return text;
}

static uint64_t version(void *context)
{
    (void)context;
    return 1;
}

static http_fuzz *begin(void)
{
    static http_fuzz self;
    char address[32];
    error_detail detail;
    if (self.endpoint != NULL)
        return &self;
    uv_loop_init(&self.loop);
    for (unsigned port = 20000 + (unsigned)getpid() % 20000; self.endpoint == NULL; port++) {
        snprintf(address, sizeof address, "127.0.0.1:%u", port);
        self.place = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        self.place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const http_endpoint_config config = {.address = address, .ask = ask, .version = version};
        if (http_endpoint_create(&self.endpoint, &self.loop, &config, &detail) != STATUS_OK && port > 60000)
            abort();
    }
    return &self;
}

/* Sends, turns the loop until the other side has closed or nothing comes any more, and gives the answer's beginning. */
static void talk(http_fuzz *self, const void *bytes, size_t size, size_t cut, char answer[16])
{
    struct linger hard = {.l_onoff = 1}; /* leaves nothing in TIME_WAIT */
    int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char heap[4096];
    /* From another address each time: ports of one run out at this speed. */
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl((127u << 24) | (1u << 16) | (uint32_t)(self->count % 65521u));
    memset(answer, 0, 16);
    if (one < 0 || bind(one, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(one, (struct sockaddr *)&self->place, sizeof self->place) != 0)
        abort();
    (void)setsockopt(one, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)!send(one, bytes, cut, MSG_NOSIGNAL | MSG_DONTWAIT);
    uv_run(&self->loop, UV_RUN_NOWAIT);
    (void)!send(one, (const char *)bytes + cut, size - cut, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(one, SHUT_WR);
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        uv_run(&self->loop, UV_RUN_NOWAIT);
        ssize_t got = recv(one, heap, sizeof heap, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        if (got > 0 && answer[0] == '\0')
            memcpy(answer, heap, (size_t)got < 15 ? (size_t)got : 15);
        if (got > 0 && memmem(heap, (size_t)got, "event: change", 13) != NULL)
            break; /* a stream has no end */
    }
    close(one);
    uv_run(&self->loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char honest[] = "GET /healthz HTTP/1.0\r\n\r\n";
    http_fuzz *self = begin();
    char answer[16];
    talk(self, bytes, size, size == 0 ? 0 : bytes[0] % 4 == 0 ? size / 2 : size, answer);
    if (self->count++ % HONEST_EVERY == 0) {
        talk(self, honest, sizeof honest - 1, sizeof honest - 1, answer);
        if (strncmp(answer, "HTTP/1.", 7) != 0 || strncmp(answer + 8, " 200", 4) != 0)
            abort();
    }
    return 0;
}
