#include "coordinator/shell/peer_inbox.h"

#include <stdlib.h>
#include <string.h>

typedef struct held_message {
    struct held_message *next;
    zmq_msg_t from, payload;
} held_message;

typedef struct lane {
    held_message *first, *last;
    uint64_t bytes;
    uint32_t messages;
    size_t next; /* in the ring of those with messages */
} lane;

struct peer_inbox {
    lane *lanes; /* by descriptor + 1 */
    size_t capacity;
    size_t last; /* the lane that was served last; its next is served next. Of no meaning while busy is 0 */
    size_t busy; /* lanes in the ring */
    uint64_t bytes;
};

peer_inbox *peer_inbox_create(void)
{
    return calloc(1, sizeof(peer_inbox));
}

static uint64_t cost_of(zmq_msg_t *payload)
{
    return zmq_msg_size(payload) + INBOX_MESSAGE_BYTES;
}

static void held_free(held_message *held)
{
    zmq_msg_close(&held->from);
    zmq_msg_close(&held->payload);
    free(held);
}

/* A lane's first message leaves it. */
static held_message *lane_pop(peer_inbox *self, lane *from)
{
    held_message *held = from->first;
    uint64_t cost = cost_of(&held->payload);
    from->first = held->next;
    from->messages--;
    from->bytes -= cost;
    self->bytes -= cost;
    return held;
}

static void lane_empty(peer_inbox *self, lane *from)
{
    while (from->first != NULL)
        held_free(lane_pop(self, from));
}

void peer_inbox_destroy(peer_inbox **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->capacity; i++)
        lane_empty(*self, &(*self)->lanes[i]);
    free((*self)->lanes);
    free(*self);
    *self = NULL;
}

static bool lanes_reach(peer_inbox *self, size_t place)
{
    if (place < self->capacity)
        return true;
    size_t capacity = place * 2 + 64;
    lane *lanes = realloc(self->lanes, capacity * sizeof *lanes);
    if (lanes == NULL)
        return false;
    memset(lanes + self->capacity, 0, (capacity - self->capacity) * sizeof *lanes);
    self->lanes = lanes;
    self->capacity = capacity;
    return true;
}

static size_t place_of(int link)
{
    return link < 0 ? 0 : (size_t)link + 1;
}

bool peer_inbox_put(peer_inbox *self, int link, zmq_msg_t *from, zmq_msg_t *payload)
{
    size_t place = place_of(link);
    if (!lanes_reach(self, place))
        return false;
    lane *into = &self->lanes[place];
    uint64_t cost = cost_of(payload);
    uint64_t most = self->bytes + cost > INBOX_TOTAL_BYTES ? INBOX_SHARE_BYTES : INBOX_EACH_BYTES;
    held_message *held = into->messages < INBOX_EACH_MESSAGES && into->bytes + cost <= most ? malloc(sizeof *held) : NULL;
    if (held == NULL)
        return false;
    held->next = NULL;
    zmq_msg_init(&held->from);
    zmq_msg_init(&held->payload);
    zmq_msg_move(&held->from, from);
    zmq_msg_move(&held->payload, payload);
    if (into->first != NULL) {
        into->last->next = held;
    } else { /* it enters the ring behind all others: it is served last of them */
        into->first = held;
        into->next = self->busy == 0 ? place : self->lanes[self->last].next;
        if (self->busy > 0)
            self->lanes[self->last].next = place;
        self->last = place;
        self->busy++;
    }
    into->last = held;
    into->messages++;
    into->bytes += cost;
    self->bytes += cost;
    return true;
}

bool peer_inbox_take(peer_inbox *self, zmq_msg_t *from, zmq_msg_t *payload)
{
    if (self->busy == 0)
        return false;
    size_t place = self->lanes[self->last].next;
    lane *turn = &self->lanes[place];
    held_message *held = lane_pop(self, turn);
    if (turn->first == NULL) {
        self->lanes[self->last].next = turn->next;
        self->busy--;
    } else {
        self->last = place;
    }
    zmq_msg_move(from, &held->from);
    zmq_msg_move(payload, &held->payload);
    held_free(held);
    return true;
}

bool peer_inbox_may_be_new(const peer_inbox *self, int link, zmq_msg_t *from)
{
    size_t place = place_of(link);
    if (place >= self->capacity || self->lanes[place].first == NULL)
        return true;
    zmq_msg_t *last = &self->lanes[place].last->from;
    size_t size = zmq_msg_size(from);
    return zmq_msg_size(last) != size || memcmp(zmq_msg_data(last), zmq_msg_data(from), size) != 0;
}

void peer_inbox_renew(peer_inbox *self, int link)
{
    size_t place = place_of(link);
    if (place >= self->capacity || self->lanes[place].messages <= INBOX_LEFT_MESSAGES)
        return;
    size_t before = self->last;
    while (self->lanes[before].next != place)
        before = self->lanes[before].next;
    lane_empty(self, &self->lanes[place]);
    self->lanes[before].next = self->lanes[place].next;
    if (self->last == place)
        self->last = before;
    self->busy--;
}

bool peer_inbox_is_empty(const peer_inbox *self)
{
    return self->busy == 0;
}
