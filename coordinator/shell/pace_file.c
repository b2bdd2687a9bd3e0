#define _GNU_SOURCE
#include "coordinator/shell/pace_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char first_line[] = "reelmill paces 1: kind, planned ms, spent ms, samples, node";
enum { LINE_BYTES_MAX = NAME_MAX_BYTES + 128, LINES_MAX = PACE_NODES_MAX * PACE_KINDS_MAX };

static bool read_line(pace_table *table, const char *line)
{
    unsigned kind = 0;
    pace_sum sum = {0};
    int used = 0;
    if (sscanf(line, "%u %" SCNu64 " %" SCNu64 " %u %n", &kind, &sum.planned_ms, &sum.spent_ms, &sum.samples, &used) != 4 ||
        used == 0 || kind >= PACE_KINDS_MAX || strlen(line + used) >= NAME_MAX_BYTES)
        return false;
    const char *name = strcmp(line + used, "-") == 0 ? "" : line + used; /* "-": the coordinator */
    return pace_table_restore(table, name, (uint8_t)kind, &sum);
}

status pace_file_read(pace_table *out_table, const char *path, error_detail *detail)
{
    FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT)
        return STATUS_OK;
    if (file == NULL)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot read '%s': %s", path, strerror(errno));
    char line[LINE_BYTES_MAX];
    int number = 0;
    bool good = true;
    while (good && number <= LINES_MAX && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        good = number == 0 ? strcmp(line, first_line) == 0 : read_line(out_table, line);
        number++;
    }
    (void)fclose(file);
    return good ? STATUS_OK
                : error_detail_set(detail, STATUS_STORAGE_MISMATCH,
                                   "%s:%d is no pace of a node; remove the file, and forecasts learn anew", path, number);
}

/* A name that a line cannot hold is left out; its pace is learnt again after a restart. */
static bool name_fits(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return false;
    return name[0] != ' ';
}

status pace_file_write(const pace_table *table, const char *path, error_detail *detail)
{
    char fresh[PATH_MAX_BYTES];
    int size = snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = size < 0 || (size_t)size >= sizeof fresh ? NULL : fopen(fresh, "we");
    bool written = file != NULL && fprintf(file, "%s\n", first_line) > 0;
    for (size_t i = 0; written && i < table->count; i++)
        for (unsigned kind = 0; written && kind < PACE_KINDS_MAX; kind++) {
            const pace_sum *sum = &table->nodes[i].sums[kind];
            const char *name = table->nodes[i].name;
            if (sum->samples > 0 && sum->planned_ms > 0 && name_fits(name))
                written = fprintf(file, "%u %" PRIu64 " %" PRIu64 " %u %s\n", kind, sum->planned_ms, sum->spent_ms,
                                  sum->samples, name[0] == '\0' ? "-" : name) > 0;
        }
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (written && rename(fresh, path) == 0)
        return STATUS_OK;
    status code = error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot write '%s': %s", path, strerror(errno));
    if (file != NULL)
        (void)unlink(fresh);
    return code;
}
