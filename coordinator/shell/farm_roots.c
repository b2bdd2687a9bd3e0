/* Which storage the media roots are: learnt from the first worker that has them, forgotten when a person says that they moved. */
#include "coordinator/shell/farm_state.h"

#include <string.h>

/* Of nodes that are here and have something else there; a node without, too: it looked before the storage was marked. */
static void send_away(farm_state *self, const worker_node *who)
{
    char text[REFUSED_TEXT_BYTES];
    for (size_t i = 0; i < self->workers.count; i++) {
        worker_node *node = self->workers.nodes[i];
        if (node == who || !node->connected || !known_roots_differ(&self->roots, node->roots, node->root_count, text, sizeof text))
            continue;
        if (farm_may_log_worker(self))
            log_line(LOG_WARN, "worker.refused", "name=\"%s\" owner=%s reason=\"%s\"", node->name, node->owner, text);
        farm_send_refuse(self, &node->route, STATUS_STORAGE_MISMATCH, text);
    }
}

/* Of the roots of this farm's configuration: others no job can name, and who makes names up fills nothing. */
void farm_learn_roots(farm_state *self, const worker_node *node)
{
    bool news = false;
    for (uint32_t i = 0; i < node->root_count; i++) {
        const message_root *theirs = &node->roots[i];
        bool ours = false;
        for (uint32_t j = 0; j < self->config.root_count && !ours; j++)
            ours = strcmp(self->config.roots[j].name, theirs->name) == 0;
        if (!ours || content_hash_is_zero(&theirs->identity) || known_roots_find(&self->roots, theirs->name) != NULL)
            continue;
        shell_record record = {.kind = RECORD_ROOT, .root = {.identity = theirs->identity}};
        memcpy(record.root.name, theirs->name, sizeof record.root.name);
        memcpy(record.root.node, node->name, sizeof record.root.node);
        known_roots_set(&self->roots, &record.root);
        farm_record(self, &record, -1);
        log_line(LOG_INFO, "root.known", "root=\"%s\" node=\"%s\"", theirs->name, node->name);
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
