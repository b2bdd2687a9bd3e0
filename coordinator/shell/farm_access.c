/* May this be said by whoever says it: the table of access_rule, the owners of jobs, and what is told of denials. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "common/base/engine_version.h"
#include "common/media/render_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Per tending (half a second): a hostile peer that has a key fills no disk; a command is a line in two files. */
enum { TOLD_MAX = 20, WORKER_LINES_MAX = 4000, WORKER_LINES_EACH = 20, COMMANDS_AT_ONCE_MAX = 100, REFUSED_FRESH_MS = 10000 };

static const char *what_is_said(const message *said)
{
    static const char *const verbs[] = {"cancel", "retry", "hold",    "release",
                                        "prio",   "drain", "undrain", "root-moved", "backup", "shutdown"};
    if (said->type == MESSAGE_COMMAND) {
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
            if (strcmp(said->command.verb, verbs[i]) == 0)
                return verbs[i];
        return "command";
    }
    switch ((int)said->type) {
    case MESSAGE_SUBMIT_BEGIN:
    case MESSAGE_SUBMIT_APPEND:
    case MESSAGE_SUBMIT_COMMIT:
        return "submit";
    case MESSAGE_QUERY:
        return "query";
    default:
        return "work";
    }
}

/* The request that an ANSWER goes to; NULL: the sender understands a REFUSE. */
static const uint8_t *request_of(const message *said)
{
    switch ((int)said->type) {
    case MESSAGE_SUBMIT_BEGIN:
        return said->submit_begin.request;
    case MESSAGE_SUBMIT_APPEND:
        return said->submit_append.request;
    case MESSAGE_SUBMIT_COMMIT:
        return said->submit_commit.request;
    case MESSAGE_QUERY:
        return said->query.request;
    case MESSAGE_COMMAND:
        return said->command.request;
    default:
        return NULL;
    }
}

void farm_send_refuse(farm_state *self, const routing_id *to, status code, const char *text)
{
    message *told = calloc(1, sizeof *told);
    if (told == NULL)
        return;
    told->type = MESSAGE_REFUSE;
    told->refuse.code = (uint32_t)code;
    snprintf(told->refuse.detail, sizeof told->refuse.detail, "%s", text);
    (void)farm_send(self, to, told);
    free(told);
}

static void refuse(farm_state *self, const routing_id *from, const uint8_t *request, const char *text)
{
    message *told = request == NULL ? NULL : calloc(1, sizeof *told);
    if (request == NULL)
        farm_send_refuse(self, from, STATUS_INPUT_DENIED, text);
    if (told == NULL)
        return;
    told->type = MESSAGE_ANSWER;
    told->answer.code = STATUS_INPUT_DENIED;
    memcpy(told->answer.request, request, REQUEST_BYTES);
    snprintf(told->answer.detail, sizeof told->answer.detail, "%s", text);
    (void)farm_send(self, from, told);
    free(told);
}

void farm_deny(farm_state *self, const access_grant *who, const char *what, uint32_t job, const char *target, const char *why)
{
    self->denied_count++;
    if (self->denied_lately++ >= TOLD_MAX)
        return;
    audit_entry entry = {
        .who = who, .what = what, .job = job, .target = target, .outcome = STATUS_INPUT_DENIED, .detail = why};
    audit_log_add(self->audit, &entry);
    log_line(LOG_WARN, "access.denied", "who=%s what=%s job=%u reason=\"%s\"", who == NULL ? "-" : who->name, what, job,
             why);
}

bool farm_knows_sender(farm_state *self, const routing_id *from, const char *user, const access_grant *who)
{
    static const char sentence[] = "this key is not authorized (any more): ask the farm's operator";
    char told[384];
    if (who != NULL)
        return true;
    /* Whom a revoked key was: the worker that spoke on this route, while it is remembered. */
    const worker_node *node = worker_registry_behind(&self->workers, from);
    snprintf(told, sizeof told, "%s; key %.64s%s%.63s%s%.63s", sentence, user == NULL ? "none" : user,
             node == NULL ? "" : ", was ", node == NULL ? "" : node->owner, node == NULL ? "" : ", node ",
             node == NULL ? "" : node->name);
    farm_deny(self, NULL, "message", 0, NULL, told);
    refuse(self, from, NULL, sentence);
    return false;
}

bool farm_may_say(farm_state *self, const routing_id *from, const access_grant *who, const message *said)
{
    char text[256];
    access_right right = access_rule_right(who->role, said);
    uint32_t number = said->type == MESSAGE_COMMAND ? said->command.job : 0;
    const farm_job *job = right == RIGHT_OWN ? job_list_find(&self->jobs, number) : NULL;
    /* A job that there is not is denied to nobody: the answer says that there is none. */
    if (right == RIGHT_ALL || (right == RIGHT_OWN && (job == NULL || strcmp(job->owner, who->name) == 0)))
        return true;
    if (right == RIGHT_OWN)
        snprintf(text, sizeof text, "job %u is not %s's: a submitter may %s what it has submitted itself", number,
                 who->name, what_is_said(said));
    else
        snprintf(text, sizeof text, "%s is a %s of this farm, and the role may not %s; its operator can change that",
                 who->name, access_role_name(who->role), what_is_said(said));
    farm_deny(self, who, what_is_said(said), number, said->type == MESSAGE_COMMAND ? said->command.target : NULL, text);
    refuse(self, from, request_of(said), text);
    return false;
}

/* Another version waits to be upgraded: a service that had left would stay down after it. */
status farm_refuses_hello(const farm_state *self, const access_grant *who, const message_hello *hello, char *text,
                          size_t text_size)
{
    uint64_t heard_ms = self->config.private_farm ? 0 : worker_registry_double_ms(&self->workers, who->name, hello);
    status code = STATUS_AGAIN;
    if (hello->protocol_version != PROTOCOL_VERSION)
        snprintf(text, text_size, "this farm speaks protocol %d, the worker %u; install the same reelmill on both",
                 PROTOCOL_VERSION, hello->protocol_version);
    else if (hello->render_version != RENDER_VERSION)
        snprintf(text, text_size,
                 "this farm renders by version %d, the worker by %u: the same show would get other bytes; install the same "
                 "reelmill on both", RENDER_VERSION, hello->render_version);
    else if (strcmp(hello->engine, ENGINE_VERSION) != 0) /* what tasks say to each other changes between releases */
        snprintf(text, text_size, "this farm is " ENGINE_VERSION ", the worker %s; install the same reelmill on both", hello->engine);
    else if (hello->slots == 0 || hello->slots > WORKER_SLOTS_MAX) {
        code = STATUS_PEER_VERSION; /* waiting does not change it */
        snprintf(text, text_size, "a worker has 1 to %d slots, not %u", WORKER_SLOTS_MAX, hello->slots);
    } else if (farm_roots_differ(self, hello->roots, hello->root_count, text, text_size)) {
        code = STATUS_STORAGE_MISMATCH; /* it looks anew when it starts anew */
    } else if (heard_ms == 0 || farm_now_ms(self) - heard_ms >= 3 * (uint64_t)self->config.heartbeat_ms)
        code = STATUS_OK; /* one that was killed is silent: its successor comes in soon */
    else
        snprintf(text, text_size, "a worker of this name and key is here; give each its own name");
    return code;
}

void farm_tell_malformed(farm_state *self, const access_grant *who, size_t byte_size, const char *why)
{
    if (self->malformed_lately++ < TOLD_MAX)
        log_line(LOG_WARN, "message.malformed", "who=%s bytes=%zu reason=\"%s\"", who->name, byte_size, why);
}

void farm_tell_refused(farm_state *self, const char *owner, const char *name, const char *why)
{
    if (self->refused_lately++ < TOLD_MAX)
        log_line(LOG_ERROR, "worker.refused", "name=\"%s\" owner=%s reason=\"%s\"", name, owner, why);
    snprintf(self->refused_text, sizeof self->refused_text, "%s is refused: %s", name, why);
    self->refused_ms = farm_now_ms(self);
}

const char *farm_refused_now(const farm_state *self)
{
    return farm_now_ms(self) - self->refused_ms < REFUSED_FRESH_MS ? self->refused_text : "";
}

bool farm_may_log_worker(farm_state *self)
{
    bool may = self->worker_lines < WORKER_LINES_MAX;
    if (may)
        self->worker_lines++;
    else
        self->worker_lines_dropped++;
    return may;
}

/* Who comes late finds a share all the same: one more divides by one more. The last place is shared by all who find none. */
bool farm_may_command(farm_state *self, const access_grant *who)
{
    if (who->role != ACCESS_SUBMITTER)
        return true;
    uint32_t place = 0;
    while (place < self->command_share_count && strcmp(self->commands[place].name, who->name) != 0)
        place++;
    if (place == COMMAND_SHARES_MAX) {
        place--;
    } else if (place == self->command_share_count) {
        self->commands[place] = (command_share){0};
        snprintf(self->commands[place].name, sizeof self->commands[place].name, "%s", who->name);
        self->command_share_count++;
    }
    return self->commands[place].count++ < COMMANDS_AT_ONCE_MAX / self->command_share_count;
}

/* Who said something lately keeps a place; it is a small table. */
static void tend_shares(farm_state *self)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->command_share_count; i++) {
        if (self->commands[i].count == 0)
            continue;
        self->commands[kept] = self->commands[i];
        self->commands[kept++].count = 0;
    }
    self->command_share_count = kept;
}

/* What was not told of one by one, as numbers; then each has room again. */
static void tell_more(farm_state *self)
{
    if (self->denied_lately > TOLD_MAX || self->malformed_lately > TOLD_MAX || self->refused_lately > TOLD_MAX ||
        self->worker_lines_dropped > 0 || self->put_off_lately > 0)
        log_line(LOG_WARN, "access.more", "denied=%u malformed=%u refused=%u workers=%u put_off=%u", self->denied_lately,
                 self->malformed_lately, self->refused_lately, self->worker_lines_dropped, self->put_off_lately);
    if (self->dropped_lately > 0)
        log_line(LOG_WARN, "access.dropped", "connections=%u reason=\"they send what is no message, or read or say nothing, or "
                 "their key has too many\"", self->dropped_lately);
    if (self->lost_lately > 0)
        log_line(LOG_WARN, "access.flooded", "messages=%u reason=\"their senders have more waiting than is kept of one\"",
                 self->lost_lately);
    self->dropped_lately = self->lost_lately = 0;
    self->denied_lately = self->malformed_lately = self->refused_lately = 0;
    self->worker_lines_dropped = self->put_off_lately = 0;
    self->worker_lines -= self->worker_lines < WORKER_LINES_EACH ? self->worker_lines : WORKER_LINES_EACH;
}

void farm_access_tend(farm_state *self)
{
    tell_more(self);
    tend_shares(self);
    key_guard_refusals refused = key_guard_take_refusals(self->guard);
    if (refused.count > 0)
        log_line(LOG_WARN, "access.refused", "connections=%llu last=%s key=%s", (unsigned long long)refused.count,
                 refused.address, refused.key[0] == '\0' ? "none" : refused.key);
    if (key_guard_reload(self->guard))
        farm_workers_revoked(self);
}
