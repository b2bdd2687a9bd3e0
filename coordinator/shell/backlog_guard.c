#define _GNU_SOURCE
#include "coordinator/shell/backlog_guard.h"

#include "coordinator/shell/connection_share.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <zmq.h>

enum {
    FRAME_OVERHEAD = 64,   /* of ZMTP and CURVE around a frame, rounded up */
    PING_BYTES = 64,       /* what may come between two checks and be no message */
    CHECKED_AT_ONCE = 1024 /* connections per check: a large farm is looked at in turns */
};

typedef struct watched_link {
    bool used;          /* a connection of tcp */
    uint64_t received;  /* by ZeroMQ, at the last check */
    uint64_t delivered; /* as messages, since then */
    uint64_t backlog;   /* received and not delivered */
    uint64_t withheld;  /* the part of it that the last check knew of already */
    bool flooding;      /* since the last check more came than is kept */
    bool local;         /* ipc: nothing else is known of it */
    uint64_t acknowledged; /* by the peer's kernel, at the last check */
    uint64_t unread;       /* sent and not acknowledged */
    bool stuck;            /* nothing was acknowledged between the last two checks */
} watched_link;

struct backlog_guard {
    void *monitored, *monitor;
    peer_inbox *inbox;
    connection_share *share;
    watched_link *links; /* by descriptor */
    size_t capacity;
    size_t next; /* to be checked */
    uint64_t total, total_unread;
    uint64_t accepted;
};

backlog_guard *backlog_guard_create(void *context, void *socket, peer_inbox *inbox)
{
    static const char place[] = "inproc://backlog-guard";
    int linger = 0;
    backlog_guard *self = calloc(1, sizeof *self);
    connection_share *share = connection_share_create();
    void *monitor = self == NULL || share == NULL ? NULL : zmq_socket(context, ZMQ_PAIR);
    if (monitor == NULL || zmq_setsockopt(monitor, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_setsockopt(monitor, ZMQ_RCVHWM, &linger, sizeof linger) != 0 || /* none is lost */
        zmq_socket_monitor(socket, place, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED) != 0 ||
        zmq_connect(monitor, place) != 0) {
        if (monitor != NULL)
            zmq_close(monitor);
        connection_share_destroy(&share);
        free(self);
        return NULL;
    }
    self->share = share;
    self->monitored = socket;
    self->monitor = monitor;
    self->inbox = inbox;
    return self;
}

void backlog_guard_destroy(backlog_guard **self)
{
    if (*self == NULL)
        return;
    (void)zmq_socket_monitor((*self)->monitored, NULL, 0);
    zmq_close((*self)->monitor);
    connection_share_destroy(&(*self)->share);
    free((*self)->links);
    free(*self);
    *self = NULL;
}

static watched_link *link_of(backlog_guard *self, int descriptor, bool make)
{
    size_t place = (size_t)descriptor;
    if (descriptor < 0)
        return NULL;
    if (place >= self->capacity) {
        size_t capacity = place * 2 + 64;
        watched_link *links = make ? realloc(self->links, capacity * sizeof *links) : NULL;
        if (links == NULL)
            return NULL;
        memset(links + self->capacity, 0, (capacity - self->capacity) * sizeof *links);
        self->links = links;
        self->capacity = capacity;
    }
    return &self->links[place];
}

void backlog_guard_delivered(backlog_guard *self, int descriptor, size_t byte_size)
{
    watched_link *link = link_of(self, descriptor, false);
    if (link != NULL)
        link->delivered += byte_size + FRAME_OVERHEAD;
}

/* A descriptor that is used anew begins anew. */
void backlog_guard_look(backlog_guard *self)
{
    uint8_t event[6]; /* 16 bits of event, 32 of value, in the machine's order */
    char place[256];
    while (zmq_recv(self->monitor, event, sizeof event, ZMQ_DONTWAIT) == (int)sizeof event) {
        uint16_t number = 0;
        int32_t descriptor = -1;
        memcpy(&number, event, sizeof number);
        memcpy(&descriptor, event + 2, sizeof descriptor);
        (void)zmq_recv(self->monitor, place, sizeof place, ZMQ_DONTWAIT);
        connection_share_closed(self->share, descriptor);
        if (number == ZMQ_EVENT_ACCEPTED) {
            peer_inbox_renew(self->inbox, descriptor);
            connection_share_opened(self->share, descriptor);
            self->accepted++;
        }
        watched_link *link = link_of(self, descriptor, number == ZMQ_EVENT_ACCEPTED);
        if (link == NULL)
            continue;
        self->total -= link->backlog;
        self->total_unread -= link->unread;
        *link = (watched_link){.used = number == ZMQ_EVENT_ACCEPTED};
    }
}

uint32_t backlog_guard_heard(backlog_guard *self, int descriptor, const char *user)
{
    return connection_share_heard(self->share, descriptor, user);
}

void backlog_guard_hang_up(backlog_guard *self, int descriptor)
{
    connection_share_hang_up(self->share, descriptor);
}

uint64_t backlog_guard_accepted(const backlog_guard *self)
{
    return self->accepted;
}

bool backlog_guard_may_send(backlog_guard *self, int descriptor, size_t byte_size)
{
    backlog_guard_look(self); /* a connection that is new on its descriptor has nothing unread yet */
    const watched_link *link = link_of(self, descriptor, false);
    return link == NULL || !link->used || link->unread <= UNREAD_EACH_BYTES ||
           self->total_unread + byte_size <= UNREAD_TOTAL_MAX;
}

void backlog_guard_sent(backlog_guard *self, int descriptor, size_t byte_size)
{
    watched_link *link = link_of(self, descriptor, false);
    if (link == NULL || !link->used)
        return;
    link->unread += byte_size; /* without what ZeroMQ adds: in the end all of it counts as acknowledged */
    self->total_unread += byte_size;
}

void backlog_guard_flooded(backlog_guard *self, int descriptor)
{
    watched_link *link = link_of(self, descriptor, false);
    if (link != NULL)
        link->flooding = link->used || link->local;
}

static void link_update(watched_link *link, int descriptor)
{
    struct tcp_info facts;
    socklen_t size = sizeof facts;
    int waiting = 0; /* in the kernel's buffer */
    memset(&facts, 0, sizeof facts);
    if (ioctl(descriptor, FIONREAD, &waiting) != 0 || getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof facts.tcpi_bytes_received) {
        *link = (watched_link){.local = errno == EOPNOTSUPP, .flooding = link->flooding}; /* or it is gone */
        return;
    }
    uint64_t taken = facts.tcpi_bytes_acked - link->acknowledged;
    link->acknowledged = facts.tcpi_bytes_acked;
    link->unread = link->unread > taken ? link->unread - taken : 0;
    link->stuck = taken == 0;
    uint64_t received = facts.tcpi_bytes_received;
    received -= (uint32_t)waiting; /* asked for before, so it is no more than came */
    uint64_t came = received > link->received ? received - link->received : 0;
    uint64_t went = link->delivered + PING_BYTES;
    link->received += came;
    link->delivered = 0;
    link->withheld = link->backlog > went ? link->backlog - went : 0;
    link->backlog += came;
    link->backlog = link->backlog > went ? link->backlog - went : 0; /* nobody saves up what he did not send */
}

uint32_t backlog_guard_check(backlog_guard *self, bool emptied)
{
    backlog_guard_look(self);
    uint64_t most = self->total > BACKLOG_TOTAL_MAX ? BACKLOG_EACH_BYTES : BACKLOG_BYTES_MAX;
    uint32_t dropped = 0;
    uint32_t checked = 0;
    for (size_t i = 0; i < self->capacity && checked < CHECKED_AT_ONCE; i++) {
        self->next = self->next + 1 < self->capacity ? self->next + 1 : 0;
        watched_link *link = &self->links[self->next];
        if (!link->used && !link->flooding)
            continue;
        checked++;
        self->total -= link->backlog;
        self->total_unread -= link->unread;
        if (link->used)
            link_update(link, (int)self->next);
        self->total += link->backlog;
        self->total_unread += link->unread;
        bool reads = !link->stuck || link->unread <= UNREAD_EACH_BYTES || self->total_unread <= UNREAD_TOTAL_MAX / 2;
        bool sends = link->backlog <= most && (emptied ? link->withheld <= WITHHELD_BYTES_MAX : !link->flooding);
        link->flooding = false;
        if ((!link->used && !link->local) || (sends && reads))
            continue;
        connection_share_hang_up(self->share, (int)self->next);
        dropped++;
    }
    return dropped + connection_share_check(self->share);
}

bool backlog_guard_is_stuck(const backlog_guard *self)
{
    return connection_share_is_stuck(self->share);
}

void backlog_guard_renew(backlog_guard *self)
{
    backlog_guard_look(self);
    for (size_t i = 0; i < self->capacity; i++) {
        if (!self->links[i].used)
            continue;
        self->links[i] = (watched_link){0};
        connection_share_closed(self->share, (int)i);
    }
    self->total = self->total_unread = 0;
}
