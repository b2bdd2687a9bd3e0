#define _GNU_SOURCE
#include "worker/shell/root_watch.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A folder that is not there now is no other file system: there is nothing yet to start anew for. */
static bool is_another(const char *folder, int directory)
{
    struct statx there;
    struct statx held;
    if (statx(AT_FDCWD, folder, AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &there) != 0)
        return false;
    if (statx(directory, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &held) != 0)
        return true;
    return there.stx_mnt_id != held.stx_mnt_id || there.stx_ino != held.stx_ino ||
           there.stx_dev_major != held.stx_dev_major || there.stx_dev_minor != held.stx_dev_minor;
}

static void run_look(uv_work_t *work)
{
    root_watch *self = work->data;
    for (uint32_t i = 0; i < self->config->root_count && self->found == UINT32_MAX; i++)
        if (is_another(self->config->roots[i].folder, self->roots->items[i].directory))
            self->found = i;
}

static void after_look(uv_work_t *work, int result)
{
    root_watch *self = work->data;
    self->looking = false;
    if (result == 0 && self->found != UINT32_MAX)
        self->remounted(self->context, self->config->roots[self->found].name);
}

void root_watch_init(root_watch *self, const worker_config *config, const storage_roots *roots,
                     void (*remounted)(void *context, const char *root), void *context)
{
    *self = (root_watch){.config = config, .roots = roots, .remounted = remounted, .context = context};
    self->work.data = self;
}

void root_watch_look(root_watch *self, uv_loop_t *loop)
{
    if (self->looking)
        return;
    self->found = UINT32_MAX;
    self->looking = uv_queue_work(loop, &self->work, run_look, after_look) == 0;
}
