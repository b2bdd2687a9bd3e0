/* Which storage the media roots are: learnt from the first worker that has them, forgotten when a person says that they moved. */
#include "coordinator/shell/farm_state.h"

#include <string.h>

/* Of this farm's configuration: others no job can name. */
static bool is_ours(const farm_state *self, const message_root *theirs)
{
    for (uint32_t i = 0; i < self->config.root_count; i++)
        if (strcmp(self->config.roots[i].name, theirs->name) == 0)
            return true;
    return false;
}

bool farm_roots_differ(const farm_state *self, const message_root *roots, uint32_t root_count, char *text, size_t text_size)
{
    for (uint32_t i = 0; i < root_count; i++)
        if (is_ours(self, &roots[i]) && known_roots_differ(&self->roots, &roots[i], text, text_size))
            return true;
    return false;
}

/* Of nodes that are here and have something else there; a node without, too: it looked before the storage was marked. */
static void send_away(farm_state *self, const worker_node *who)
{
    char text[REFUSED_TEXT_BYTES];
    for (size_t i = 0; i < self->workers.count; i++) {
        worker_node *node = self->workers.nodes[i];
        if (node == who || !node->connected || !farm_roots_differ(self, node->roots, node->root_count, text, sizeof text))
            continue;
        farm_send_away(self, node, STATUS_STORAGE_MISMATCH, text);
    }
}

/* Who makes names up fills nothing. The log has the key that it came with: a node may call itself anything. */
void farm_learn_roots(farm_state *self, const worker_node *node)
{
    bool news = false;
    for (uint32_t i = 0; i < node->root_count; i++) {
        const message_root *theirs = &node->roots[i];
        if (!is_ours(self, theirs) || content_hash_is_zero(&theirs->identity) ||
            known_roots_find(&self->roots, theirs->name) != NULL)
            continue;
        shell_record record = {.kind = RECORD_ROOT, .root = {.identity = theirs->identity}};
        memcpy(record.root.name, theirs->name, sizeof record.root.name);
        memcpy(record.root.node, node->name, sizeof record.root.node);
        known_roots_set(&self->roots, &record.root);
        farm_record(self, &record, -1);
        log_line(LOG_INFO, "root.known", "root=\"%s\" node=\"%s\" owner=%s", theirs->name, node->name, node->owner);
        news = true;
    }
    if (news)
        send_away(self, node);
}

/* The next worker that has it says what it is. Those that are here hold the old one open: they are started anew anyway. */
status farm_forget_root(farm_state *self, const message_command *command, error_detail *detail)
{
    if (known_roots_find(&self->roots, command->target) == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "no node has made the media root '%s' known", command->target);
    shell_record record = {.kind = RECORD_ROOT};
    memcpy(record.root.name, command->target, sizeof record.root.name);
    known_roots_set(&self->roots, &record.root);
    farm_record(self, &record, -1);
    log_line(LOG_INFO, "root.moved", "root=\"%s\" reason=\"%s\"", command->target, command->reason);
    return STATUS_OK;
}
