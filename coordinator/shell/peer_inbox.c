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
    uint32_t party;
    size_t next; /* in the ring of its party's lanes with messages */
} lane;

typedef struct party_ring {
    size_t last; /* the lane that was served last; its next is served next. Of no meaning while busy is 0 */
    size_t busy; /* lanes in the ring */
    size_t next; /* in the ring of parties with messages */
    uint64_t bytes;
} party_ring;

struct peer_inbox {
    lane *lanes; /* by descriptor + 1 */
    size_t capacity;
    party_ring *parties;
    size_t party_capacity;
    size_t last, busy; /* of the ring of parties, as a party has them of its lanes */
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
    self->parties[from->party].bytes -= cost;
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
    free((*self)->parties);
    free(*self);
    *self = NULL;
}

/* Zeroed room for one more than place of them; NULL: memory is out. */
static void *reach(void *array, size_t *capacity, size_t place, size_t item_size)
{
    if (place < *capacity)
        return array;
    size_t more = place * 2 + 64;
    uint8_t *grown = realloc(array, more * item_size);
    if (grown == NULL)
        return NULL;
    memset(grown + *capacity * item_size, 0, (more - *capacity) * item_size);
    *capacity = more;
    return grown;
}

static bool rings_reach(peer_inbox *self, size_t place, size_t party)
{
    lane *lanes = reach(self->lanes, &self->capacity, place, sizeof *lanes);
    if (lanes == NULL)
        return false;
    self->lanes = lanes;
    party_ring *parties = reach(self->parties, &self->party_capacity, party, sizeof *parties);
    if (parties == NULL)
        return false;
    self->parties = parties;
    return true;
}

/* A lane's first message makes it the last of its party, and a party's first lane makes that the last of all. */
static void enter(peer_inbox *self, size_t place, uint32_t number)
{
    party_ring *party = &self->parties[number];
    lane *into = &self->lanes[place];
    into->party = number;
    into->next = party->busy == 0 ? place : self->lanes[party->last].next;
    if (party->busy > 0)
        self->lanes[party->last].next = place;
    party->last = place;
    if (party->busy++ > 0)
        return;
    party->next = self->busy == 0 ? number : self->parties[self->last].next;
    if (self->busy > 0)
        self->parties[self->last].next = number;
    self->last = number;
    self->busy++;
}

/* Takes the lane behind this one out of its party's ring, and the party, when it was its only one, out of theirs. */
static void leave(peer_inbox *self, size_t before, size_t party_before)
{
    size_t number = self->parties[party_before].next;
    party_ring *party = &self->parties[number];
    size_t place = self->lanes[before].next;
    self->lanes[before].next = self->lanes[place].next;
    if (party->last == place)
        party->last = before;
    if (--party->busy > 0)
        return;
    self->parties[party_before].next = party->next;
    if (self->last == number)
        self->last = party_before;
    self->busy--;
}

static size_t place_of(int link)
{
    return link < 0 ? 0 : (size_t)link + 1;
}

bool peer_inbox_put(peer_inbox *self, int link, uint32_t party, zmq_msg_t *from, zmq_msg_t *payload)
{
    size_t place = place_of(link);
    if (!rings_reach(self, place, party))
        return false;
    lane *into = &self->lanes[place];
    uint64_t cost = cost_of(payload);
    party_ring *whose = &self->parties[into->first != NULL ? into->party : party]; /* what it follows may be of one who is gone */
    bool crowded = self->bytes + cost > INBOX_TOTAL_BYTES;
    bool fits = into->messages < INBOX_EACH_MESSAGES && into->bytes + cost <= (crowded ? INBOX_SHARE_BYTES : INBOX_EACH_BYTES) &&
                (!crowded || whose->bytes + cost <= INBOX_PARTY_BYTES);
    held_message *held = fits ? malloc(sizeof *held) : NULL;
    if (held == NULL)
        return false;
    held->next = NULL;
    zmq_msg_init(&held->from);
    zmq_msg_init(&held->payload);
    zmq_msg_move(&held->from, from);
    zmq_msg_move(&held->payload, payload);
    if (into->first != NULL) {
        into->last->next = held;
    } else {
        into->first = held;
        enter(self, place, party);
    }
    into->last = held;
    into->messages++;
    into->bytes += cost;
    whose->bytes += cost;
    self->bytes += cost;
    return true;
}

bool peer_inbox_take(peer_inbox *self, zmq_msg_t *from, zmq_msg_t *payload)
{
    if (self->busy == 0)
        return false;
    size_t number = self->parties[self->last].next;
    party_ring *party = &self->parties[number];
    size_t place = self->lanes[party->last].next;
    held_message *held = lane_pop(self, &self->lanes[place]);
    if (self->lanes[place].first != NULL)
        party->last = place;
    bool more = self->lanes[place].first != NULL || party->busy > 1;
    if (self->lanes[place].first == NULL)
        leave(self, party->last, self->last);
    if (more)
        self->last = number;
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
    size_t number = self->lanes[place].party;
    size_t before = self->parties[number].last, party_before = self->last;
    while (self->lanes[before].next != place)
        before = self->lanes[before].next;
    while (self->parties[party_before].next != number)
        party_before = self->parties[party_before].next;
    lane_empty(self, &self->lanes[place]);
    leave(self, before, party_before);
}

bool peer_inbox_is_empty(const peer_inbox *self)
{
    return self->busy == 0;
}
