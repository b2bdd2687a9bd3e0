#include "coordinator/access/allow_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const role_names[ACCESS_ROLE_COUNT] = {"worker", "submitter", "operator", "viewer", "local"};
static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";

const char *access_role_name(access_role role)
{
    return role < ACCESS_ROLE_COUNT ? role_names[role] : "?";
}

bool access_role_parse(const char *text, access_role *out_role)
{
    for (access_role role = ACCESS_WORKER; role < ACCESS_LOCAL; role++)
        if (strcmp(text, role_names[role]) == 0) {
            *out_role = role;
            return true;
        }
    return false;
}

/* ---- one line ---- */

/* The next word of a line, ended in place; NULL when there is none. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " \t");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static bool word_is_name(const char *word, size_t size_max)
{
    size_t size = strlen(word);
    return size > 0 && size < size_max && strspn(word, name_letters) == size;
}

/* "shows" or "shows:ro", or * for all. */
static bool word_is_root(const char *word)
{
    char name[NAME_MAX_BYTES];
    size_t size = strcspn(word, ":");
    if (strcmp(word, "*") == 0 || strcmp(word, "*:ro") == 0)
        return true;
    if (size >= sizeof name || (word[size] == ':' && strcmp(word + size, ":ro") != 0))
        return false;
    memcpy(name, word, size);
    name[size] = '\0';
    return word_is_name(name, sizeof name);
}

/* NULL, or what is wrong with the line. */
static const char *parse_roots(char *rest, access_grant *grant, arena *memory)
{
    char joined[ALLOW_LIST_LINE_MAX] = "";
    size_t size = 0;
    uint32_t count = 0;
    for (char *word; (word = next_word(&rest)) != NULL; count++) {
        if (grant->role != ACCESS_SUBMITTER)
            return "only a submitter's line names media roots";
        if (!word_is_root(word))
            return "a media root is its name, like shows, or shows:ro to read only, or * for all";
        if (count == ROOTS_MAX)
            return "more media roots than a farm can have";
        size += (size_t)snprintf(joined + size, sizeof joined - size, "%s%s", size == 0 ? "" : " ", word);
    }
    if (grant->role == ACCESS_SUBMITTER && count == 0)
        return "a submitter's line ends in the media roots its jobs may use, like: shows library:ro (or * for all)";
    grant->roots = arena_copy_text(memory, joined);
    return NULL;
}

/* line is taken apart. NULL, or what is wrong with it. */
static const char *parse_line(char *line, access_grant *grant, arena *memory)
{
    char *rest = line;
    const char *role = next_word(&rest);
    const char *key = next_word(&rest);
    const char *name = next_word(&rest);
    if (role == NULL || key == NULL || name == NULL)
        return "a line is ROLE PUBLICKEY NAME, and for a submitter the media roots";
    if (!access_role_parse(role, &grant->role))
        return "the role is none of worker, submitter, operator, viewer";
    if (!key_parse(key, strlen(key), grant->key))
        return "a public key is 64 hexadecimal digits, as `reelmill keygen` prints them";
    if (!word_is_name(name, sizeof grant->name) || strcmp(name, role_names[ACCESS_LOCAL]) == 0)
        return "a name is 1 to 63 letters, digits, '.', '_', '-' or '@', and not \"local\"";
    snprintf(grant->name, sizeof grant->name, "%s", name);
    return parse_roots(rest, grant, memory);
}

/* ---- the text, line by line ---- */

typedef struct line_walk {
    const char *at, *end; /* what is left */
    const char *line;     /* the current one, without its end */
    size_t size;
    uint32_t number;
} line_walk;

static bool next_line(line_walk *self)
{
    if (self->at == self->end)
        return false;
    const char *stop = memchr(self->at, '\n', (size_t)(self->end - self->at));
    self->line = self->at;
    self->size = (size_t)((stop == NULL ? self->end : stop) - self->at);
    self->at = stop == NULL ? self->end : stop + 1;
    self->number++;
    if (self->size > 0 && self->line[self->size - 1] == '\r')
        self->size--;
    return true;
}

/* A copy of the current line that can be taken apart; NULL when it holds nothing. */
static char *copy_line(const line_walk *walk, char out_line[ALLOW_LIST_LINE_MAX])
{
    memcpy(out_line, walk->line, walk->size);
    out_line[walk->size] = '\0';
    const char *first = out_line + strspn(out_line, " \t");
    return *first == '\0' || *first == '#' ? NULL : out_line;
}

static bool line_is_text(const line_walk *walk)
{
    for (size_t i = 0; i < walk->size; i++) {
        unsigned char letter = (unsigned char)walk->line[i];
        if ((letter < ' ' && letter != '\t') || letter == 127)
            return false;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(((const access_grant *)a)->key, ((const access_grant *)b)->key, KEY_BYTES);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const access_grant *)a)->name, ((const access_grant *)b)->name);
}

/* Two lines for one key or one name would say two things about somebody. */
static status refuse_twins(allow_list *self, const char *path, error_detail *detail)
{
    if (self->count > 1)
        qsort(self->grants, self->count, sizeof *self->grants, compare_names);
    for (size_t i = 1; i < self->count; i++)
        if (compare_names(&self->grants[i - 1], &self->grants[i]) == 0)
            return error_detail_set(detail, STATUS_INPUT_CONFLICT,
                                    "%.300s: the name %s stands in two lines; names are for one key each", path,
                                    self->grants[i].name);
    if (self->count > 1)
        qsort(self->grants, self->count, sizeof *self->grants, compare_keys);
    for (size_t i = 1; i < self->count; i++)
        if (compare_keys(&self->grants[i - 1], &self->grants[i]) == 0)
            return error_detail_set(detail, STATUS_INPUT_CONFLICT,
                                    "%.300s: %s and %s have the same key; a key stands in one line", path,
                                    self->grants[i - 1].name, self->grants[i].name);
    return STATUS_OK;
}

static status read_lines(allow_list *self, const char *text, size_t size, const char *path, error_detail *detail)
{
    char copy[ALLOW_LIST_LINE_MAX];
    size_t capacity = 0;
    for (line_walk walk = {.at = text, .end = text + size}; next_line(&walk);) {
        const char *wrong = NULL;
        char *line = NULL;
        if (walk.size >= sizeof copy)
            wrong = "the line is longer than 1023 bytes";
        else if (!line_is_text(&walk))
            wrong = "the line holds control characters";
        else
            line = copy_line(&walk, copy);
        if (wrong == NULL && line == NULL)
            continue;
        if (wrong == NULL && self->count == ALLOW_LIST_GRANTS_MAX)
            return error_detail_set(detail, STATUS_LIMIT, "%.300s:%u: more than %d keys", path, walk.number,
                                    ALLOW_LIST_GRANTS_MAX);
        if (wrong == NULL && self->count == capacity) {
            size_t wider = capacity == 0 ? 16 : 2 * capacity;
            access_grant *grants = realloc(self->grants, wider * sizeof *grants);
            if (grants == NULL)
                return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
            self->grants = grants;
            capacity = wider;
        }
        if (wrong == NULL)
            wrong = parse_line(line, &self->grants[self->count], &self->memory);
        if (wrong != NULL)
            return error_detail_set(detail, STATUS_INPUT_SYNTAX, "%.300s:%u: %s", path, walk.number, wrong);
        self->count++;
    }
    return refuse_twins(self, path, detail);
}

status allow_list_parse(allow_list *out_list, const char *text, size_t size, const char *path, error_detail *detail)
{
    *out_list = (allow_list){0};
    if (size > ALLOW_LIST_TEXT_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%.300s has %zu bytes; an allow-list has at most %d", path, size,
                                ALLOW_LIST_TEXT_MAX);
    arena_init(&out_list->memory);
    status code = read_lines(out_list, text, size, path, detail);
    if (code != STATUS_OK)
        allow_list_deinit(out_list);
    return code;
}

void allow_list_deinit(allow_list *self)
{
    free(self->grants);
    arena_deinit(&self->memory);
    *self = (allow_list){0};
}

const access_grant *allow_list_by_key(const allow_list *self, const uint8_t key[KEY_BYTES])
{
    size_t low = 0;
    size_t high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(self->grants[middle].key, key, KEY_BYTES);
        if (order == 0)
            return &self->grants[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool access_grant_has_root(const access_grant *self, const char *root, bool to_write)
{
    size_t root_size = strlen(root);
    for (const char *word = self->roots; *word != '\0';) {
        size_t size = strcspn(word, " ");
        size_t name_size = strcspn(word, ": ");
        bool read_only = name_size < size;
        bool all = name_size == 1 && word[0] == '*';
        if ((all || (name_size == root_size && memcmp(word, root, root_size) == 0)) && !(read_only && to_write))
            return true;
        word += size + (word[size] == ' ' ? 1 : 0);
    }
    return false;
}

/* ---- edits ---- */

void access_grant_format(const access_grant *self, char out_line[ALLOW_LIST_LINE_MAX])
{
    char digits[KEY_TEXT_BYTES];
    key_format(self->key, digits);
    snprintf(out_line, ALLOW_LIST_LINE_MAX, "%s %s %s%s%s", access_role_name(self->role), digits, self->name,
             self->roots[0] == '\0' ? "" : " ", self->roots);
}

char *allow_list_without(const char *text, size_t size, const char *key_or_name, arena *memory, size_t *out_removed)
{
    uint8_t key[KEY_BYTES];
    bool by_key = key_parse(key_or_name, strlen(key_or_name), key);
    char copy[ALLOW_LIST_LINE_MAX];
    size_t left_size = 0;
    char *left = arena_take(memory, size + 1);
    *out_removed = 0;
    for (line_walk walk = {.at = text, .end = text + size}; next_line(&walk);) {
        access_grant grant;
        char *line = walk.size < sizeof copy ? copy_line(&walk, copy) : NULL;
        if (line != NULL && parse_line(line, &grant, memory) == NULL &&
            (by_key ? memcmp(grant.key, key, KEY_BYTES) == 0 : strcmp(grant.name, key_or_name) == 0)) {
            ++*out_removed;
            continue;
        }
        memcpy(left + left_size, walk.line, (size_t)(walk.at - walk.line));
        left_size += (size_t)(walk.at - walk.line);
    }
    left[left_size] = '\0';
    return left;
}
