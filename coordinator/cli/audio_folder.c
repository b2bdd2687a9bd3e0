#define _GNU_SOURCE
#include "coordinator/cli/audio_folder.h"

#include "coordinator/show/init_name.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8 };

typedef struct folder_walk {
    audio_folder *list;
    uint32_t count_max;
    arena *memory;
} folder_walk;

static void walk(folder_walk *self, const char *folder, const char *prefix, int depth)
{
    audio_folder *list = self->list;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        const char *path = arena_format(self->memory, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", entry->d_name);
        const char *full = arena_format(self->memory, "%s/%s", folder, entry->d_name);
        struct stat facts;
        init_name name;
        if (stat(full, &facts) != 0)
            continue;
        if (S_ISDIR(facts.st_mode) && depth < DEPTH_MAX)
            walk(self, full, path, depth + 1);
        if (!S_ISREG(facts.st_mode) || !init_name_parse(&name, path, self->memory))
            continue;
        if (list->count == self->count_max)
            list->too_many = true;
        else
            list->items[list->count++] = path;
    }
    closedir(directory);
}

int audio_folder_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void audio_folder_list(audio_folder *out_list, const char *folder, uint32_t count_max, arena *memory)
{
    *out_list = (audio_folder){.items = arena_take_array(memory, count_max, sizeof *out_list->items)};
    folder_walk self = {.list = out_list, .count_max = count_max, .memory = memory};
    walk(&self, folder, "", 0);
    if (out_list->count > 1)
        qsort(out_list->items, out_list->count, sizeof *out_list->items, audio_folder_order);
}
