#include "coordinator/show/show_file.h"

#include "common/base/plain_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A wish of a deliverable is wrong for each of its files in the same words: once is enough. */
static bool problem_told(const problem_list *self, problem_severity severity, const char *file, uint32_t line,
                         uint32_t column, const char *text)
{
    for (size_t i = 0; i < self->count; i++) {
        const problem *told = &self->items[i];
        if (told->severity == severity && told->line == line && told->column == column &&
            strcmp(told->file, file) == 0 && strcmp(told->message, text) == 0)
            return true;
    }
    return false;
}

void problem_list_add(problem_list *self, arena *memory, problem_severity severity, const char *file, uint32_t line,
                      uint32_t column, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    plain_text_disarm(text);
    if (problem_told(self, severity, file == NULL ? "" : file, line, column, text))
        return;
    if (severity == PROBLEM_ERROR)
        self->error_count++;
    if (self->count == PROBLEMS_MAX) {
        self->dropped++;
        return;
    }
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        problem *items = arena_take_array(memory, capacity, sizeof *items);
        if (self->count > 0)
            memcpy(items, self->items, self->count * sizeof *items);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = (problem){.severity = severity,
                                           .file = file == NULL ? "" : arena_copy_text(memory, file),
                                           .line = line,
                                           .column = column,
                                           .message = arena_copy_text(memory, text)};
}

const char *problem_list_text(const problem_list *self, arena *memory)
{
    static const char *const words[] = {"note", "warning", "error"};
    size_t size = 64;
    for (size_t i = 0; i < self->count; i++)
        size += strlen(self->items[i].file) + strlen(self->items[i].message) + 64;
    char *text = arena_take(memory, size);
    size_t used = 0;
    for (size_t i = 0; i < self->count; i++) {
        const problem *item = &self->items[i];
        char place[32] = "";
        if (item->line > 0)
            snprintf(place, sizeof place, ":%u:%u", item->line, item->column);
        snprintf(text + used, size - used, "%s%s%s%s: %s", item->file, place, item->file[0] == '\0' ? "" : ": ",
                 words[item->severity], item->message);
        plain_text_disarm(text + used);
        used += strlen(text + used);
        text[used++] = '\n';
        text[used] = '\0';
    }
    if (self->dropped > 0)
        snprintf(text + used, size - used, "and %zu more\n", self->dropped);
    return text;
}

/* Edit distance with insertions, deletions, replacements and swaps of neighbours; words longer than the table are far. */
static size_t word_distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t rows = strlen(a);
    size_t columns = strlen(b);
    if (rows >= LONGEST || columns >= LONGEST)
        return LONGEST;
    size_t table[LONGEST][LONGEST];
    for (size_t i = 0; i <= rows; i++)
        table[i][0] = i;
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            size_t best = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            if (table[i - 1][j] + 1 < best)
                best = table[i - 1][j] + 1;
            if (table[i][j - 1] + 1 < best)
                best = table[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && table[i - 2][j - 2] + 1 < best)
                best = table[i - 2][j - 2] + 1;
            table[i][j] = best;
        }
    }
    return table[rows][columns];
}

const char *word_suggest(const char *found, const char *const *allowed, size_t allowed_count)
{
    const char *best = NULL;
    size_t best_distance = 3;
    size_t length = strlen(found);
    for (size_t i = 0; i < allowed_count; i++) {
        size_t distance = strcasecmp(found, allowed[i]) == 0 ? 0 : word_distance(found, allowed[i]);
        /* Two of three letters wrong is another word, not a slip. */
        if (distance < best_distance && (distance == 0 || distance * 2 < length + 1)) {
            best = allowed[i];
            best_distance = distance;
        }
    }
    for (size_t i = 0; best == NULL && length >= 3 && i < allowed_count; i++)
        if (strncasecmp(found, allowed[i], length) == 0)
            best = allowed[i];
    return best;
}
