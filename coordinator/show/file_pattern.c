#include "coordinator/show/file_pattern.h"

#include "common/media/channel_layout.h"
#include "coordinator/show/show_file.h"
#include "proto/task_body.h"

#include <string.h>

typedef enum part_kind { PART_TEXT, PART_REEL, PART_CHANNEL, PART_BRACE, PART_ALIAS, PART_UNKNOWN } part_kind;

/* A stretch of a pattern; text and size are what stands between braces, or the literal text. */
typedef struct pattern_part {
    part_kind kind;
    const char *text;
    size_t size;
} pattern_part;

/* A name of at most 15 bytes before '=' that is a channel; the label, else CHANNEL_NONE. */
static channel_label alias_label(const pattern_part *part)
{
    char name[16];
    const char *equals = memchr(part->text, '=', part->size);
    size_t size = equals == NULL ? 0 : (size_t)(equals - part->text);
    if (size == 0 || size >= sizeof name)
        return CHANNEL_NONE;
    memcpy(name, part->text, size);
    name[size] = '\0';
    return channel_label_from_name(name);
}

static part_kind part_kind_of(const pattern_part *part)
{
    if (part->size == 4 && memcmp(part->text, "reel", 4) == 0)
        return PART_REEL;
    if (part->size == 2 && memcmp(part->text, "ch", 2) == 0)
        return PART_CHANNEL;
    if (part->size == 5 && memcmp(part->text, "brace", 5) == 0)
        return PART_BRACE;
    if (alias_label(part) != CHANNEL_NONE && part->text[part->size - 1] != '=' && memchr(part->text, '/', part->size) == NULL)
        return PART_ALIAS;
    return PART_UNKNOWN;
}

/* Reads the next part and moves on; false at the end. */
static bool pattern_next(const char **at, pattern_part *out_part)
{
    const char *text = *at;
    if (*text == '\0')
        return false;
    if (*text != '{') {
        size_t size = strcspn(text, "{");
        *out_part = (pattern_part){.kind = PART_TEXT, .text = text, .size = size};
        *at = text + size;
        return true;
    }
    size_t size = strcspn(text + 1, "}");
    *out_part = (pattern_part){.text = text + 1, .size = size};
    out_part->kind = text[1 + size] == '\0' ? PART_UNKNOWN : part_kind_of(out_part);
    *at = text + 1 + size + (text[1 + size] == '\0' ? 0 : 1);
    return true;
}

const char *file_pattern_fault(const char *pattern, file_pattern_facts *out_facts, arena *memory)
{
    static const char *const words[] = {"reel", "ch"};
    file_pattern_facts facts = {false, false};
    pattern_part part;
    for (const char *at = pattern; pattern_next(&at, &part);) {
        facts.per_reel = facts.per_reel || part.kind == PART_REEL;
        facts.multi_mono = facts.multi_mono || part.kind == PART_CHANNEL;
        if (part.kind != PART_UNKNOWN)
            continue;
        const char *found = arena_copy_bytes(memory, part.text, part.size < 40 ? part.size : 40);
        const char *guess = word_suggest(found, words, 2);
        return arena_format(memory, "has \"{%s%s\"%s%s%s; known are {reel} and {ch}, and {brace} for a '{' in a file name",
                            found, part.text[part.size] == '}' ? "}" : "", guess == NULL ? "" : " (did you mean {", guess == NULL ? "" : guess,
                            guess == NULL ? "" : "}?)");
    }
    if (strchr(pattern, '\\') != NULL)
        return "has a '\\'; write '/' between folders";
    if (pattern[0] == '/')
        return "begins with '/'; paths are relative to the media folder";
    /* The longest names that may be put in. */
    char longest[NAME_MAX_BYTES];
    memset(longest, 'R', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    if (show_expand_pattern(pattern, "R1", "L", memory) == NULL)
        return "is no path below the media folder; write it without empty parts, '.' and '..'";
    if (show_expand_pattern(pattern, longest, "LFE", memory) == NULL)
        return "is too long; at most 1023 bytes are allowed with the reel's name put in";
    *out_facts = facts;
    return NULL;
}

/* What a channel is called in this pattern. */
static void channel_text(const char *pattern, const char *channel, const char **out_text, size_t *out_size)
{
    pattern_part part;
    *out_text = channel;
    *out_size = strlen(channel);
    for (const char *at = pattern; pattern_next(&at, &part);) {
        if (part.kind != PART_ALIAS || strcmp(channel_label_name(alias_label(&part)), channel) != 0)
            continue;
        const char *equals = memchr(part.text, '=', part.size);
        *out_text = equals + 1;
        *out_size = part.size - (size_t)(equals + 1 - part.text);
    }
}

const char *show_expand_pattern(const char *pattern, const char *reel, const char *channel, arena *memory)
{
    char path[PATH_MAX_BYTES];
    size_t used = 0;
    pattern_part part;
    for (const char *at = pattern; pattern_next(&at, &part);) {
        const char *text = part.text;
        size_t size = part.size;
        switch (part.kind) {
        case PART_TEXT:
            break;
        case PART_REEL:
            text = reel == NULL ? "" : reel;
            size = strlen(text);
            break;
        case PART_CHANNEL:
            channel_text(pattern, channel == NULL ? "" : channel, &text, &size);
            break;
        case PART_BRACE:
            text = "{";
            size = 1;
            break;
        case PART_ALIAS:
            size = 0;
            break;
        case PART_UNKNOWN:
            return NULL;
        }
        if (size >= sizeof path - used)
            return NULL;
        memcpy(path + used, text, size);
        used += size;
    }
    path[used] = '\0';
    return task_path_valid(path) ? arena_copy_bytes(memory, path, used) : NULL;
}

const char *file_pattern_literal(const char *file_name, arena *memory)
{
    char *pattern = arena_take(memory, strlen(file_name) * strlen("{brace}") + 1);
    char *end = pattern;
    for (const char *c = file_name; *c != '\0'; c++) {
        if (*c == '{') {
            memcpy(end, "{brace}", strlen("{brace}"));
            end += strlen("{brace}");
        } else {
            *end++ = *c;
        }
    }
    *end = '\0';
    return pattern;
}
