#define _GNU_SOURCE
#include "coordinator/cli/audio_folder.h"

#include "common/base/plain_text.h"
#include "coordinator/show/init_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8 };

typedef struct folder_walk {
    audio_folder *list;
    uint32_t count_max;
    uint64_t entries_left;
    arena *memory;
} folder_walk;

/* What an entry is; a link to a file counts as the file, one to a folder is not followed. */
static bool look_at(audio_folder *list, DIR *directory, const char *name, const char *path, mode_t *out_mode)
{
    struct stat facts;
    if (fstatat(dirfd(directory), name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    bool link = S_ISLNK(facts.st_mode);
    if (link && fstatat(dirfd(directory), name, &facts, 0) != 0)
        return false;
    *out_mode = facts.st_mode;
    if (!link || !S_ISDIR(facts.st_mode))
        return true;
    if (list->link_count++ == 0 || strcmp(path, list->link) < 0)
        list->link = path;
    return false;
}

static void walk(folder_walk *self, const char *folder, const char *prefix, int depth)
{
    audio_folder *list = self->list;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (self->entries_left == 0) {
            list->too_large = true;
            break;
        }
        self->entries_left--;
        const char *path = arena_format(self->memory, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", entry->d_name);
        mode_t mode = 0;
        init_name name;
        if (!look_at(list, directory, entry->d_name, path, &mode))
            continue;
        if (S_ISDIR(mode) && depth < DEPTH_MAX)
            walk(self, arena_format(self->memory, "%s/%s", folder, entry->d_name), path, depth + 1);
        if (!S_ISREG(mode) || !init_name_parse(&name, path, self->memory))
            continue;
        if (list->count == self->count_max)
            list->too_many = true;
        else
            list->items[list->count++] = path;
    }
    closedir(directory);
}

const char *audio_folder_links(const audio_folder *list, const char *folder, arena *memory)
{
    if (list->link_count == 0)
        return "";
    char *path = arena_format(memory, "%s/%s", folder, list->link);
    plain_text_disarm(path);
    const char *others = "is a link to a folder and is";
    if (list->link_count > 1)
        others = arena_format(memory, "and %u more are links to folders and are", list->link_count - 1);
    return arena_format(memory, "reelmill: '%s' %s left out; name that folder itself, or put it there\n", path, others);
}

int audio_folder_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void audio_folder_list(audio_folder *out_list, const char *folder, uint32_t count_max, arena *memory)
{
    *out_list = (audio_folder){.items = arena_take_array(memory, count_max, sizeof *out_list->items)};
    folder_walk self = {.list = out_list, .count_max = count_max, .memory = memory,
                        .entries_left = (uint64_t)count_max * AUDIO_FOLDER_ENTRIES};
    walk(&self, folder, "", 0);
    if (out_list->count > 1)
        qsort(out_list->items, out_list->count, sizeof *out_list->items, audio_folder_order);
}
