/* libmicrohttpd without threads of its own: its epoll descriptor is one more handle of the loop. */
#define _GNU_SOURCE
#include "coordinator/shell/http_endpoint.h"

#include "coordinator/shell/dashboard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 256,
    CONNECTIONS_KEPT = 248, /* beyond these the longest idle make room */
    STREAMS_MAX = 128,
    REQUEST_BYTES_MAX = 16 << 10,
    DOCUMENTS_BYTES_MAX = 128 << 20, /* on their way at once: beyond it readers that are slow make room */
    FIRST_WORD_S = 10,
    SILENCE_S = 30,
    TELL_MS = 1000,
    EVENT_BYTES = 64
};

/* One reader of /events: suspended until there is something to tell. */
typedef struct http_stream {
    http_endpoint *endpoint;
    struct MHD_Connection *connection;
    uint64_t told;   /* version last told */
    bool suspended, due, over;
} http_stream;

/* One connection; kept in the order in which they last said something. */
typedef struct http_link {
    struct MHD_Connection *connection;
    uint8_t address[16]; /* of the peer; IPv4 in the first four */
    bool busy;           /* a request of it is being answered */
    bool told_off;       /* it was hung up on and is about to go */
    size_t bytes;        /* of the document that is on its way to it */
} http_link;

struct http_endpoint {
    http_endpoint_config config;
    struct MHD_Daemon *daemon;
    int listening;
    bool loopback; /* for browsers of this machine: see is_called_well() */
    uv_poll_t poll;
    uv_timer_t timer;
    uint32_t open_handles;
    uint32_t stream_count;
    http_stream *streams[CONNECTIONS_MAX];
    uint32_t link_count;
    http_link links[CONNECTIONS_MAX];
};

static const char csp_page[] = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
                               "img-src data:; frame-src 'self'; frame-ancestors 'none'";
static const char csp_report[] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/* ---- answers ---- */

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned code, const char *type, const char *csp,
                                     struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", type);
    (void)MHD_add_response_header(response, "Content-Security-Policy", csp);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_later(struct MHD_Connection *connection, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL)
        (void)MHD_add_response_header(response, "Retry-After", "1");
    return send_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", csp_report, response);
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned code, const char *text)
{
    return send_response(connection, code, "text/plain; charset=utf-8", csp_report,
                         MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY));
}

static void documents_make_room(http_endpoint *self, struct MHD_Connection *connection, size_t size);

static enum MHD_Result send_document(http_endpoint *self, struct MHD_Connection *connection, const char *what,
                                     uint32_t number, const page_query *page, const char *type)
{
    error_detail detail = {0};
    size_t size = 0;
    char *text = self->config.ask(self->config.context, what, number, page, &size, &detail);
    if (text == NULL && detail.code == STATUS_AGAIN)
        return send_later(connection, detail.message);
    if (text == NULL)
        return send_text(connection, detail.code == STATUS_INPUT_MISSING ? MHD_HTTP_NOT_FOUND : MHD_HTTP_INTERNAL_SERVER_ERROR,
                         detail.message);
    documents_make_room(self, connection, size);
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(text);
    return send_response(connection, MHD_HTTP_OK, type, csp_report, response);
}

/* ---- the stream of events ---- */

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t room)
{
    http_stream *self = context;
    (void)position;
    if (self->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!self->due || room < EVENT_BYTES) {
        self->suspended = true;
        MHD_suspend_connection(self->connection);
        return 0;
    }
    self->due = false;
    self->told = self->endpoint->config.version(self->endpoint->config.context);
    return snprintf(out, room, "event: change\ndata: %llu\n\n", (unsigned long long)self->told);
}

static void stream_free(void *context)
{
    http_stream *self = context;
    http_endpoint *endpoint = self->endpoint;
    for (uint32_t i = 0; i < endpoint->stream_count; i++)
        if (endpoint->streams[i] == self)
            memmove(&endpoint->streams[i], &endpoint->streams[i + 1],
                    (--endpoint->stream_count - i) * sizeof endpoint->streams[0]); /* oldest first */
    free(self);
}

/* ---- who has how many ---- */

static bool same_address(const http_link *a, const http_link *b)
{
    return memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* How many of those that count the address of one has. */
static uint32_t count_of(const http_endpoint *self, uint32_t index, bool busy)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->link_count; i++)
        count += same_address(&self->links[i], &self->links[index]) && self->links[i].busy == busy && !self->links[i].told_off;
    return count;
}

static uint32_t link_find(const http_endpoint *self, const struct MHD_Connection *connection)
{
    uint32_t at = 0;
    while (at < self->link_count && self->links[at].connection != connection)
        at++;
    return at;
}

/* It spoke last: to the end. */
static void link_touch(http_endpoint *self, const struct MHD_Connection *connection, bool busy)
{
    uint32_t at = link_find(self, connection);
    if (at == self->link_count)
        return;
    http_link link = self->links[at];
    memmove(&self->links[at], &self->links[at + 1], (self->link_count - at - 1) * sizeof link);
    link.busy = busy;
    link.bytes = 0;
    self->links[self->link_count - 1] = link;
}

static void hang_up(http_link *link)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(link->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    link->told_off = true;
    if (info != NULL)
        (void)shutdown(info->connect_fd, SHUT_RDWR); /* the daemon sees its end and closes it */
}

/* A reader that takes its time holds its document in memory: the oldest of the address that has the most of them go. */
static void documents_make_room(http_endpoint *self, struct MHD_Connection *connection, size_t size)
{
    uint64_t total = size;
    uint32_t own = link_find(self, connection);
    for (uint32_t i = 0; i < self->link_count; i++)
        total += self->links[i].told_off ? 0 : self->links[i].bytes;
    while (total > DOCUMENTS_BYTES_MAX) {
        uint64_t most = 0;
        uint32_t best = 0;
        for (uint32_t i = 0; i < self->link_count; i++) {
            uint64_t sum = 0;
            for (uint32_t k = 0; k < self->link_count && self->links[i].bytes > 0 && !self->links[i].told_off; k++)
                sum += same_address(&self->links[i], &self->links[k]) && !self->links[k].told_off ? self->links[k].bytes : 0;
            if (sum > most) {
                most = sum;
                best = i;
            }
        }
        if (most == 0)
            break; /* this one alone is so large */
        total -= self->links[best].bytes;
        hang_up(&self->links[best]);
    }
    if (own < self->link_count)
        self->links[own].bytes = size;
}

static void links_make_room(http_endpoint *self)
{
    uint32_t live = 0, best = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < self->link_count; i++)
        live += !self->links[i].told_off;
    if (live <= CONNECTIONS_KEPT)
        return;
    for (uint32_t i = 0; i < self->link_count; i++) {
        uint32_t count = self->links[i].busy || self->links[i].told_off ? 0 : count_of(self, i, false);
        if (count > most) {
            most = count;
            best = i; /* the first of its address: it has been idle for longest */
        }
    }
    if (best != UINT32_MAX)
        hang_up(&self->links[best]);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    http_endpoint *self = context;
    (void)socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        uint32_t at = link_find(self, connection);
        if (at < self->link_count) {
            self->link_count--;
            memmove(&self->links[at], &self->links[at + 1], (self->link_count - at) * sizeof self->links[0]);
        }
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (self->link_count == CONNECTIONS_MAX || info == NULL)
        return;
    http_link *link = &self->links[self->link_count++];
    *link = (http_link){.connection = connection};
    const void *peer = info->client_addr;
    if (info->client_addr->sa_family == AF_INET6)
        memcpy(link->address, &((const struct sockaddr_in6 *)peer)->sin6_addr, 16);
    else
        memcpy(link->address, &((const struct sockaddr_in *)peer)->sin_addr, 4);
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)FIRST_WORD_S);
    links_make_room(self);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode why)
{
    (void)request;
    (void)why;
    link_touch(context, connection, false);
}

/* The oldest stream of the address that has the most ends; a browser asks for another. */
static void streams_make_room(http_endpoint *self)
{
    uint32_t live = 0, best = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < self->stream_count; i++)
        live += !self->streams[i]->over;
    for (uint32_t i = 0; live >= STREAMS_MAX && i < self->stream_count; i++) {
        uint32_t at = link_find(self, self->streams[i]->connection);
        uint32_t count = at == self->link_count || self->streams[i]->over ? 0 : count_of(self, at, true);
        if (count > most) {
            most = count;
            best = i;
        }
    }
    if (best == UINT32_MAX)
        return;
    self->streams[best]->over = true;
    if (self->streams[best]->suspended) {
        self->streams[best]->suspended = false;
        MHD_resume_connection(self->streams[best]->connection);
    }
}

static enum MHD_Result send_stream(http_endpoint *self, struct MHD_Connection *connection)
{
    streams_make_room(self);
    http_stream *stream = self->stream_count < CONNECTIONS_MAX ? calloc(1, sizeof *stream) : NULL;
    if (stream == NULL)
        return send_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many readers; try again later\n");
    *stream = (http_stream){.endpoint = self, .connection = connection, .due = true};
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_BYTES * 4, stream_read, stream, stream_free);
    if (response == NULL) {
        free(stream);
        return MHD_NO;
    }
    self->streams[self->stream_count++] = stream;
    return send_response(connection, MHD_HTTP_OK, "text/event-stream", csp_report, response);
}

/* ---- requests ---- */

/* What follows "/jobs/12" or "/nodes/12"; NULL: no such path. */
static const char *rest_of(const char *path, const char *folder, uint32_t *out_number)
{
    size_t length = strlen(folder);
    unsigned number = 0;
    int used = 0;
    if (strncmp(path, folder, length) != 0 || path[length] < '0' || path[length] > '9' ||
        sscanf(path + length, "%9u%n", &number, &used) != 1)
        return NULL;
    *out_number = number;
    return path + length + used;
}

static uint32_t number_of(struct MHD_Connection *connection, const char *key, uint32_t most)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
    unsigned long value = text == NULL || text[0] < '0' || text[0] > '9' ? 0 : strtoul(text, NULL, 10);
    return value > most ? most : (uint32_t)value;
}

static void copy_text(struct MHD_Connection *connection, const char *key, char *out, size_t out_size)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
    snprintf(out, out_size, "%s", text == NULL ? "" : text);
}

/* Rows are asked for by ?rows=; without it the document is the whole one of the commands. */
static enum MHD_Result send_rows(http_endpoint *self, struct MHD_Connection *connection, const char *what)
{
    page_query page = {.from = number_of(connection, "from", UINT32_MAX), .rows = number_of(connection, "rows", PAGE_ROWS_MAX)};
    copy_text(connection, "state", page.state, sizeof page.state);
    copy_text(connection, "find", page.find, sizeof page.find);
    return send_document(self, connection, what, 0, page.rows == 0 ? NULL : &page, "application/json");
}

static enum MHD_Result answer_by_number(http_endpoint *self, struct MHD_Connection *connection, const char *path)
{
    static const struct {
        const char *folder, *rest, *what, *type;
        bool page;
    } documents[] = {{"/jobs/", ".json", "job", "application/json", false},
                     {"/jobs/", "/report.json", "report.json", "application/json", false},
                     {"/jobs/", "/report.html", "report.html", "text/html; charset=utf-8", false},
                     {"/jobs/", "/report.pdf", "report.pdf", "application/pdf", false},
                     {"/jobs/", "/grid.json", "grid", "application/json", true},
                     {"/nodes/", ".json", "node", "application/json", true}};
    static const page_query whole = {0};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        uint32_t number = 0;
        const char *rest = rest_of(path, documents[i].folder, &number);
        if (rest != NULL && strcmp(rest, documents[i].rest) == 0)
            return send_document(self, connection, documents[i].what, number, documents[i].page ? &whole : NULL,
                                 documents[i].type);
    }
    return send_text(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
}

/* A web site could give its name this machine's address (DNS rebinding), and its scripts would read the pages as their own
 * through a browser here. So what serves loopback alone answers to addresses and `localhost`, and to no other name. */
static bool is_called_well(const http_endpoint *self, struct MHD_Connection *connection)
{
    static const char local[] = "localhost";
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    if (!self->loopback || host == NULL || host[0] == '[' || host[strspn(host, "0123456789.:")] == '\0')
        return true;
    return strncasecmp(host, local, sizeof local - 1) == 0 && (host[sizeof local - 1] == '\0' || host[sizeof local - 1] == ':');
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    http_endpoint *self = context;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (*request == NULL) { /* its head has come */
        *request = self;
        link_touch(self, connection, true);
        (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)SILENCE_S);
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "this address only shows; use the reelmill command\n");
    if (!is_called_well(self, connection))
        return send_text(connection, MHD_HTTP_FORBIDDEN,
                         "call this address 127.0.0.1 or localhost; a web server in front of it passes that as Host\n");
    if (strcmp(path, "/") == 0)
        return send_response(connection, MHD_HTTP_OK, "text/html; charset=utf-8", csp_page,
                             MHD_create_response_from_buffer(dashboard_page_size, (void *)(uintptr_t)dashboard_page,
                                                             MHD_RESPMEM_PERSISTENT));
    if (strcmp(path, "/healthz") == 0)
        return send_text(connection, MHD_HTTP_OK, "ok\n");
    if (strcmp(path, "/events") == 0)
        return send_stream(self, connection);
    if (strcmp(path, "/metrics") == 0)
        return send_document(self, connection, "metrics", 0, NULL, "text/plain; version=0.0.4; charset=utf-8");
    if (strcmp(path, "/farm.json") == 0)
        return send_document(self, connection, "farm", 0, &(page_query){0}, "application/json");
    if (strcmp(path, "/jobs.json") == 0)
        return send_rows(self, connection, "jobs");
    if (strcmp(path, "/nodes.json") == 0)
        return send_rows(self, connection, "nodes");
    return answer_by_number(self, connection, path);
}

/* ---- the loop ---- */

static void on_readable(uv_poll_t *handle, int failed, int events)
{
    http_endpoint *self = handle->data;
    (void)failed;
    (void)events;
    (void)MHD_run(self->daemon);
}

/* Readers are told of changes, and every second of time, so that a page knows that it is not stale. */
static void on_timer(uv_timer_t *handle)
{
    http_endpoint *self = handle->data;
    for (uint32_t i = 0; i < self->stream_count; i++) {
        http_stream *stream = self->streams[i];
        stream->due = true;
        if (stream->suspended) {
            stream->suspended = false;
            MHD_resume_connection(stream->connection);
        }
    }
    (void)MHD_run(self->daemon); /* and its time-outs */
}

static status read_address(const char *address, struct sockaddr_storage *place, error_detail *detail)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)place;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)place;
    char host[64];
    unsigned port = 0;
    char end = 0;
    bool six = sscanf(address, "[%63[0-9a-fA-F:.]]:%5u%c", host, &port, &end) == 2;
    bool four = !six && sscanf(address, "%63[0-9.]:%5u%c", host, &port, &end) == 2;
    bool read = (six && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) || (four && inet_pton(AF_INET, host, &v4->sin_addr) == 1);
    if (!read || port > 65535)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "http: '%.80s' is no address to listen on; write it like 127.0.0.1:7071", address);
    if (six) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
    } else {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    }
    return STATUS_OK;
}

status http_endpoint_check(const char *address, error_detail *detail)
{
    struct sockaddr_storage place = {0};
    return read_address(address, &place, detail);
}

static status listen_on(http_endpoint *self, const char *address, error_detail *detail)
{
    struct sockaddr_storage place = {0};
    status read = read_address(address, &place, detail);
    if (read != STATUS_OK)
        return read;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&place;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&place;
    bool six = place.ss_family == AF_INET6;
    self->loopback = six ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) : ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    int on = 1;
    self->listening = socket(place.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->listening < 0 || setsockopt(self->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(self->listening, (struct sockaddr *)&place, six ? sizeof *v6 : sizeof *v4) != 0 || listen(self->listening, 64) != 0) {
        status code = error_detail_set(detail, STATUS_NODE_SYSTEM, "http: cannot listen on %.80s: %s", address, strerror(errno));
        if (self->listening >= 0)
            close(self->listening);
        return code;
    }
    return STATUS_OK;
}

status http_endpoint_create(http_endpoint **out_endpoint, uv_loop_t *loop, const http_endpoint_config *config,
                            error_detail *detail)
{
    http_endpoint *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->config = *config;
    status code = listen_on(self, config->address, detail);
    if (code != STATUS_OK) {
        free(self);
        return code;
    }
    self->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, self,
                                    MHD_OPTION_LISTEN_SOCKET, (MHD_socket)self->listening, MHD_OPTION_CONNECTION_LIMIT,
                                    (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
                                    MHD_OPTION_NOTIFY_CONNECTION, on_connection, self, MHD_OPTION_NOTIFY_COMPLETED,
                                    on_completed, self,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        self->daemon == NULL ? NULL : MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || uv_poll_init(loop, &self->poll, info->epoll_fd) != 0) {
        if (self->daemon != NULL)
            MHD_stop_daemon(self->daemon); /* closes the socket too */
        else
            close(self->listening);
        free(self);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "http: cannot serve %.80s", config->address);
    }
    uv_timer_init(loop, &self->timer);
    self->poll.data = self->timer.data = self;
    self->open_handles = 2;
    uv_poll_start(&self->poll, UV_READABLE, on_readable);
    uv_timer_start(&self->timer, on_timer, TELL_MS, TELL_MS);
    *out_endpoint = self;
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    http_endpoint *self = handle->data;
    if (--self->open_handles == 0)
        free(self);
}

void http_endpoint_close(http_endpoint **self)
{
    http_endpoint *gone = *self;
    if (gone == NULL)
        return;
    *self = NULL;
    /* A suspended connection would hold up the end. */
    for (uint32_t i = 0; i < gone->stream_count; i++)
        if (gone->streams[i]->suspended) {
            gone->streams[i]->suspended = false;
            MHD_resume_connection(gone->streams[i]->connection);
        }
    uv_poll_stop(&gone->poll);
    MHD_stop_daemon(gone->daemon);
    uv_close((uv_handle_t *)&gone->poll, on_closed);
    uv_close((uv_handle_t *)&gone->timer, on_closed);
}
