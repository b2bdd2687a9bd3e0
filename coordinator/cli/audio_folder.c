#define _GNU_SOURCE
#include "coordinator/cli/audio_folder.h"

#include "common/base/plain_text.h"
#include "coordinator/show/init_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8 };

typedef struct folder_walk {
    audio_folder *list;
    uint32_t count_max;
    uint64_t entries_left;
    arena *memory;
} folder_walk;

static void pass_over(audio_folder *list, audio_passed_over what, const char *path)
{
    if (list->passed_over[what].count++ == 0 || strcmp(path, list->passed_over[what].first) < 0)
        list->passed_over[what].first = path;
}

static bool is_film(const char *path)
{
    static const char *const extensions[] = {".mov", ".mp4", ".m4v", ".mxf", ".mkv", ".avi", ".mts", ".m2ts", ".mpg"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof extensions[0]; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* What an entry is; a link to a file counts as the file, one to a folder is not followed. 0: it is passed over. */
static mode_t look_at(folder_walk *self, DIR *directory, const char *entry, const char *path)
{
    init_name name;
    struct stat facts;
    if (fstatat(dirfd(directory), entry, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    bool link = S_ISLNK(facts.st_mode);
    if (link && fstatat(dirfd(directory), entry, &facts, 0) != 0) {
        if (is_film(path) || init_name_parse(&name, path, self->memory))
            pass_over(self->list, AUDIO_DEAD_LINK, path);
        return 0;
    }
    if (link && S_ISDIR(facts.st_mode))
        pass_over(self->list, AUDIO_FOLDER_LINK, path);
    else if (S_ISREG(facts.st_mode) && is_film(path))
        pass_over(self->list, AUDIO_FILM, path);
    else
        return facts.st_mode;
    return 0;
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
        init_name name;
        mode_t mode = look_at(self, directory, entry->d_name, path);
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

const char *audio_folder_left_out(const audio_folder *list, const char *folder, arena *memory)
{
    static const struct {
        const char *one, *more, *what_to_do;
    } words[AUDIO_PASSED_OVER] = {
        [AUDIO_FOLDER_LINK] = {"is a link to a folder and is", "are links to folders and are", "name that folder itself, or put it there"},
        [AUDIO_DEAD_LINK] = {"is a link that leads nowhere and is", "are links that lead nowhere and are",
                             "mount what it leads to, or put the file there"},
        [AUDIO_FILM] = {"is a film, in which no sound is looked for, and is", "are films, in which no sound is looked for, and are",
                        "take its sound out as WAV"}};
    const char *text = "";
    for (int i = 0; i < AUDIO_PASSED_OVER; i++) {
        if (list->passed_over[i].count == 0)
            continue;
        char *path = arena_format(memory, "%s/%s", folder, list->passed_over[i].first);
        plain_text_disarm(path);
        const char *others = words[i].one;
        if (list->passed_over[i].count > 1)
            others = arena_format(memory, "and %u more %s", list->passed_over[i].count - 1, words[i].more);
        text = arena_format(memory, "%sreelmill: '%s' %s left out; %s\n", text, path, others, words[i].what_to_do);
    }
    return text;
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
