#define _GNU_SOURCE
#include "coordinator/shell/connection_share.h"

#include "common/base/content_hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { CHECK_SILENT_MS = 1000 };

typedef struct connection {
    bool open;
    uint32_t party;
    uint64_t number;     /* they are counted */
    uint64_t heard_ms;   /* or opened */
    uint64_t hung_up_ms; /* 0: not */
} connection;

typedef struct party {
    content_hash who;
    uint32_t open;    /* connections */
    uint32_t counted; /* of them, not hung up on: while room is made */
} party;

struct connection_share {
    connection *all; /* by descriptor */
    size_t capacity;
    party *parties; /* 0: who has not spoken */
    uint32_t party_count;
    uint32_t open, hung_up, stuck;
    uint64_t opened; /* since the beginning */
    uint64_t silent_due_ms;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

connection_share *connection_share_create(void)
{
    connection_share *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->parties = calloc(1, sizeof *self->parties);
    self->party_count = 1;
    if (self->parties == NULL)
        connection_share_destroy(&self);
    return self;
}

void connection_share_destroy(connection_share **self)
{
    if (*self == NULL)
        return;
    free((*self)->all);
    free((*self)->parties);
    free(*self);
    *self = NULL;
}

static connection *find_open(const connection_share *self, int descriptor)
{
    return descriptor >= 0 && (size_t)descriptor < self->capacity && self->all[descriptor].open ? &self->all[descriptor] : NULL;
}

void connection_share_opened(connection_share *self, int descriptor)
{
    size_t place = (size_t)descriptor;
    if (descriptor < 0)
        return;
    if (place >= self->capacity) {
        size_t capacity = place * 2 + 64;
        connection *all = realloc(self->all, capacity * sizeof *all);
        if (all == NULL)
            return;
        memset(all + self->capacity, 0, (capacity - self->capacity) * sizeof *all);
        self->all = all;
        self->capacity = capacity;
    }
    connection_share_closed(self, descriptor);
    self->all[place] = (connection){.open = true, .number = ++self->opened, .heard_ms = now_ms()};
    self->open++;
    self->parties[0].open++;
}

void connection_share_closed(connection_share *self, int descriptor)
{
    connection *link = find_open(self, descriptor);
    if (link == NULL)
        return;
    self->open--;
    self->parties[link->party].open--;
    self->hung_up -= link->hung_up_ms != 0 ? 1 : 0;
    *link = (connection){0};
}

/* A place of a party without connections is given to the next; 0 when memory is out. */
static uint32_t party_of(connection_share *self, const content_hash *who)
{
    uint32_t place = 0;
    for (uint32_t i = 1; i < self->party_count; i++) {
        if (self->parties[i].open > 0 && content_hash_equal(&self->parties[i].who, who))
            return i;
        if (self->parties[i].open == 0)
            place = i;
    }
    if (place == 0) {
        party *parties = realloc(self->parties, (self->party_count + 1) * sizeof *parties);
        if (parties == NULL)
            return 0;
        self->parties = parties;
        place = self->party_count++;
    }
    self->parties[place] = (party){.who = *who};
    return place;
}

/* Users of this machine share a name; on ipc the kernel knows who they are. */
static content_hash identity_of(int descriptor, const char *user)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    content_hash_stream hash;
    content_hash_stream_init(&hash);
    content_hash_stream_add(&hash, user, strlen(user));
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        content_hash_stream_add(&hash, &peer.uid, sizeof peer.uid);
    return content_hash_stream_digest(&hash);
}

uint32_t connection_share_heard(connection_share *self, int descriptor, const char *user)
{
    connection *link = find_open(self, descriptor);
    if (link == NULL)
        return 0;
    link->heard_ms = now_ms();
    if (link->party == 0 && user != NULL) {
        content_hash who = identity_of(descriptor, user);
        self->parties[0].open--;
        link->party = party_of(self, &who);
        self->parties[link->party].open++;
    }
    return link->party;
}

void connection_share_hang_up(connection_share *self, int descriptor)
{
    connection *link = find_open(self, descriptor);
    (void)shutdown(descriptor, SHUT_RDWR);
    if (link == NULL || link->hung_up_ms != 0)
        return;
    link->hung_up_ms = now_ms();
    self->hung_up++;
}

static uint32_t hang_up_on_silent(connection_share *self, uint64_t at_ms)
{
    uint32_t count = 0;
    if (at_ms < self->silent_due_ms)
        return 0;
    self->silent_due_ms = at_ms + CHECK_SILENT_MS;
    for (size_t i = 0; i < self->capacity && self->parties[0].open > 0; i++) {
        const connection *link = &self->all[i];
        if (link->open && link->party == 0 && link->hung_up_ms == 0 && link->heard_ms + SHARE_SILENT_MS <= at_ms) {
            connection_share_hang_up(self, (int)i);
            count++;
        }
    }
    return count;
}

/* How many each party may keep so that all together have no more than this. */
static uint32_t level_of(const connection_share *self, uint64_t most)
{
    uint32_t low = 1, high = self->open;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        uint64_t kept = 0;
        for (uint32_t i = 0; i < self->party_count; i++)
            kept += self->parties[i].counted < middle ? self->parties[i].counted : middle;
        if (kept <= most)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

typedef struct candidate {
    uint64_t turn;
    int descriptor;
} candidate;

/* Who is silent goes first, the longest; of those who speak the last that came: a farm that is too large for its descriptors
   keeps the workers that are at work, instead of all of them coming and going. */
static uint64_t turn_of(const connection *link, uint64_t at_ms)
{
    return link->party == 0 || link->heard_ms + SHARE_SILENT_MS <= at_ms ? link->heard_ms : UINT64_MAX - link->number;
}

static int by_turn(const void *a, const void *b)
{
    const candidate *left = a, *right = b;
    return left->turn != right->turn ? (left->turn < right->turn ? -1 : 1) : left->descriptor - right->descriptor;
}

static uint32_t make_room(connection_share *self, uint64_t most, uint64_t at_ms)
{
    uint32_t count = 0;
    size_t candidates = 0;
    candidate *list = malloc(self->open * sizeof *list);
    if (list == NULL)
        return 0;
    for (uint32_t i = 0; i < self->party_count; i++)
        self->parties[i].counted = 0;
    for (size_t i = 0; i < self->capacity; i++)
        if (self->all[i].open && self->all[i].hung_up_ms == 0) {
            self->parties[self->all[i].party].counted++;
            list[candidates++] = (candidate){turn_of(&self->all[i], at_ms), (int)i};
        }
    uint32_t level = level_of(self, most);
    qsort(list, candidates, sizeof *list, by_turn);
    for (size_t i = 0; i < candidates; i++) {
        party *owner = &self->parties[self->all[list[i].descriptor].party];
        if (owner->counted <= level)
            continue;
        owner->counted--;
        connection_share_hang_up(self, list[i].descriptor);
        count++;
    }
    free(list);
    return count;
}

uint32_t connection_share_check(connection_share *self)
{
    struct rlimit limit;
    uint64_t at_ms = now_ms();
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    uint32_t count = hang_up_on_silent(self, at_ms);
    /* A quarter is for files, pages, and who comes before the next check. What is stuck is not there for anybody. */
    uint64_t most = limit.rlim_cur / 4 * 3;
    most -= most < self->stuck ? most : self->stuck;
    if (self->open - self->hung_up > most)
        count += make_room(self, most, at_ms);
    uint32_t stuck = 0;
    for (size_t i = 0; i < self->capacity && self->hung_up > limit.rlim_cur / 8; i++)
        stuck += self->all[i].hung_up_ms != 0 && self->all[i].hung_up_ms + SHARE_STUCK_MS <= at_ms ? 1 : 0;
    self->stuck = stuck;
    return count;
}

bool connection_share_is_stuck(const connection_share *self)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && self->stuck > limit.rlim_cur / 8;
}
