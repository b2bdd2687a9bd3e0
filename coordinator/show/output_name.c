#include "coordinator/show/output_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

const char *const output_name_words[OUTPUT_NAME_WORDS + 1] = {"slug", "version", "deliverable", "language", "reel", "channel", NULL};

static bool is_sign(char sign)
{
    return sign == '_' || sign == '-' || sign == '.';
}

/* The word at "{...}", its sign in *out_sign (0: none); -1 for none that is known. *out_size: braces included. */
static int word_at(const char *text, char *out_sign, size_t *out_size)
{
    size_t length = strcspn(text + 1, "}");
    if (text[1 + length] != '}')
        return -1;
    *out_sign = is_sign(text[1]) ? text[1] : '\0';
    *out_size = length + 2;
    const char *word = text + 1 + (*out_sign != '\0');
    size_t word_length = length - (*out_sign != '\0');
    for (int i = 0; i < OUTPUT_NAME_WORDS; i++)
        if (strlen(output_name_words[i]) == word_length && memcmp(output_name_words[i], word, word_length) == 0)
            return i;
    return -1;
}

status output_name_check(const char *template, error_detail *detail)
{
    bool begins_well = template[0] == '{' ? !is_sign(template[1]) : isalnum((unsigned char)template[0]) != 0;
    if (strlen(template) >= OUTPUT_NAME_MAX || !begins_well)
        return error_detail_set(detail, STATUS_INPUT_SYNTAX, "it begins with a letter, a digit or a word in braces, and has at most "
                                                             "%d characters",
                                OUTPUT_NAME_MAX - 1);
    for (const char *at = template; *at != '\0';) {
        char sign = '\0';
        size_t size = 1;
        if (*at == '{' && word_at(at, &sign, &size) < 0)
            return error_detail_set(detail, STATUS_INPUT_SYNTAX,
                                    "in braces stand slug, version, deliverable, language, reel and channel, with '_', '-' or '.' in "
                                    "front where they may be missing");
        if (*at != '{' && !isalnum((unsigned char)*at) && !is_sign(*at))
            return error_detail_set(detail, STATUS_INPUT_SYNTAX, "outside braces stand letters, digits, '_', '-' and '.' only");
        at += size;
    }
    return STATUS_OK;
}

const char *output_name_make(const char *template, const char *const values[OUTPUT_NAME_WORDS], arena *memory)
{
    const char *name = "";
    for (const char *at = template; *at != '\0';) {
        char sign = '\0';
        size_t size = 1;
        int word = *at == '{' ? word_at(at, &sign, &size) : -1;
        if (word < 0)
            name = arena_format(memory, "%s%c", name, *at);
        else if (sign == '\0' || values[word][0] == '\0')
            name = arena_format(memory, "%s%s", name, values[word]);
        else
            name = arena_format(memory, "%s%c%s", name, sign, values[word]);
        at += size;
    }
    return arena_format(memory, "%s.wav", name);
}
