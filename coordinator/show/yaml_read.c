#include "coordinator/show/yaml_read.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GAIN_LIMIT_DB = 60 };

static void complain_at(const yaml_source *self, problem_severity severity, uint32_t line, uint32_t column,
                        const char *format, va_list arguments) PRINTF_LIKE(5, 0);
static void complain_at(const yaml_source *self, problem_severity severity, uint32_t line, uint32_t column,
                        const char *format, va_list arguments)
{
    char text[ERROR_MESSAGE_SIZE];
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    problem_list_add(self->problems, self->arena, severity, self->file, line, column, "%s", text);
}

void yaml_complain(const yaml_source *self, const yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_at(self, PROBLEM_ERROR, at->line, at->column, format, arguments);
    va_end(arguments);
}

void yaml_warn(const yaml_source *self, const yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_at(self, PROBLEM_WARNING, at->line, at->column, format, arguments);
    va_end(arguments);
}

void yaml_complain_key(const yaml_source *self, const yaml_node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool keyed = at->key != NULL;
    complain_at(self, PROBLEM_ERROR, keyed ? at->key_line : at->line, keyed ? at->key_column : at->column, format,
                arguments);
    va_end(arguments);
}

size_t words_count(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

const char *words_join(arena *memory, const char *const *words)
{
    size_t size = 1;
    for (size_t i = 0; words[i] != NULL; i++)
        size += strlen(words[i]) + 2;
    char *text = arena_take(memory, size);
    size_t used = 0;
    for (size_t i = 0; words[i] != NULL; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", words[i]);
    return text;
}

static const char *kind_name(const yaml_node *node)
{
    return yaml_is_null(node) ? "nothing" : node->kind == YAML_MAP ? "a map" : node->kind == YAML_LIST ? "a list" : "a text";
}

const yaml_node *yaml_get(const yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (const yaml_node *child = map->first; child != NULL; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

bool yaml_map_check(const yaml_source *self, const yaml_node *node, const char *what, const char *const *keys)
{
    if (node->kind != YAML_MAP) {
        yaml_complain(self, node, "%s must be a map with the keys %s; found %s", what, words_join(self->arena, keys),
                      kind_name(node));
        return false;
    }
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        bool known = false;
        for (size_t i = 0; keys[i] != NULL; i++)
            known = known || strcmp(keys[i], child->key) == 0;
        if (known)
            continue;
        const char *guess = word_suggest(child->key, keys, words_count(keys));
        yaml_complain_key(self, child, "unknown key \"%.60s\" in %s%s%s%s; the keys are %s", child->key, what,
                          guess == NULL ? "" : " (did you mean \"", guess == NULL ? "" : guess, guess == NULL ? "" : "\"?)",
                          words_join(self->arena, keys));
    }
    return true;
}

bool yaml_list_check(const yaml_source *self, const yaml_node *node, const char *what)
{
    if (node->kind == YAML_LIST)
        return true;
    yaml_complain(self, node, "%s must be a list ([a, b] or lines that begin with '-'); found %s", what, kind_name(node));
    return false;
}

const yaml_node *yaml_require(const yaml_source *self, const yaml_node *map, const char *key, const char *what,
                              const char *advice)
{
    const yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        yaml_complain(self, map, "%s has no \"%s\"; %s", what, key, advice);
    return node;
}

bool yaml_is_null(const yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0);
}

const char *yaml_text(const yaml_source *self, const yaml_node *node, const char *what, size_t size_max)
{
    if (node->kind != YAML_SCALAR) {
        yaml_complain(self, node, "%s must be a text; found %s", what, kind_name(node));
        return NULL;
    }
    if (yaml_is_null(node) || node->text[0] == '\0') {
        yaml_complain(self, node, "%s is empty; give it a value or remove the line", what);
        return NULL;
    }
    if (strlen(node->text) >= size_max) {
        yaml_complain(self, node, "%s is too long: %zu bytes, at most %zu are allowed; shorten it", what,
                      strlen(node->text), size_max - 1);
        return NULL;
    }
    return node->text;
}

bool yaml_bool(const yaml_source *self, const yaml_node *node, const char *what, bool fallback)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", NULL};
    int index = yaml_word(self, node, what, words);
    return index < 0 ? fallback : index % 2 == 0;
}

bool decimal_parse(const char *text, double *out_value)
{
    /* digits [. digits], at most 9 and 9, and a sign: enough for every number here, and exact in integers until the end. */
    const char *at = text;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    uint64_t value = 0;
    uint64_t scale = 1;
    int digits = 0;
    bool point = false;
    for (; *at != '\0'; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9' || ++digits > 15)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
        scale *= point ? 10 : 1;
    }
    if (digits == 0)
        return false;
    double number = (double)value / (double)scale; /* both exact below 2^53: the quotient is the nearest double */
    *out_value = negative ? -number : number;
    return true;
}

bool decibels_parse(const char *text, bool *out_unit, double *out_decibels)
{
    char copy[64];
    size_t length = strcspn(text, " dD");
    const char *unit = text + length + strspn(text + length, " ");
    if (length >= sizeof copy || (text[length] != '\0' && strcasecmp(unit, "dB") != 0))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out_unit = text[length] != '\0';
    return decimal_parse(copy, out_decibels);
}

bool yaml_number(const yaml_source *self, const yaml_node *node, const char *what, double minimum, double maximum,
                 double *out_value)
{
    const char *text = yaml_text(self, node, what, 64);
    if (text == NULL)
        return false;
    double value = 0.0;
    if (!decimal_parse(text, &value)) {
        yaml_complain(self, node, "%s must be a number; found \"%s\"", what, text);
        return false;
    }
    if (value < minimum || value > maximum) {
        yaml_complain(self, node, "%s is %s; allowed is %g to %g", what, text, minimum, maximum);
        return false;
    }
    *out_value = value;
    return true;
}

int yaml_word(const yaml_source *self, const yaml_node *node, const char *what, const char *const *words)
{
    const char *text = yaml_text(self, node, what, NAME_MAX_BYTES);
    if (text == NULL)
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcasecmp(words[i], text) == 0)
            return i;
    const char *guess = word_suggest(text, words, words_count(words));
    yaml_complain(self, node, "%s is \"%s\"%s%s%s; allowed is one of %s", what, text,
                  guess == NULL ? "" : " (did you mean \"", guess == NULL ? "" : guess, guess == NULL ? "" : "\"?)",
                  words_join(self->arena, words));
    return -1;
}

bool yaml_join(const yaml_source *self, const yaml_node *node, join_law *out_law)
{
    static const char *const words[] = {"butt", "equal-gain", "equal-power", NULL};
    int index = yaml_word(self, node, "join", words);
    if (index >= 0)
        *out_law = (join_law)index;
    return index >= 0;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *name_check(const yaml_source *self, const yaml_node *node, const char *what, bool dots)
{
    const char *text = yaml_text(self, node, what, NAME_MAX_BYTES);
    if (text == NULL)
        return NULL;
    bool good = is_letter_or_digit(text[0]) && text[strlen(text) - 1] != '.';
    for (const char *c = text; *c != '\0'; c++)
        good = good && (is_letter_or_digit(*c) || *c == '_' || *c == '-' || (dots && *c == '.' && c[1] != '.'));
    if (good)
        return text;
    yaml_complain(self, node,
                  "%s is \"%s\"; it becomes part of file names and may hold letters A-Z a-z, digits, '_' and '-'%s, beginning "
                  "with a letter or digit",
                  what, text, dots ? ", and single dots inside" : "");
    return NULL;
}

const char *yaml_name(const yaml_source *self, const yaml_node *node, const char *what)
{
    return name_check(self, node, what, false);
}

const char *yaml_folder_name(const yaml_source *self, const yaml_node *node, const char *what)
{
    const char *text = name_check(self, node, what, true);
    if (text == NULL)
        return NULL;
    static const char *const devices[] = {"con", "prn", "aux", "nul"};
    bool device = false;
    size_t length = strcspn(text, ".");
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        device = device || (length == 3 && strncasecmp(text, devices[i], 3) == 0);
    device = device || (length == 4 && (strncasecmp(text, "com", 3) == 0 || strncasecmp(text, "lpt", 3) == 0) &&
                        isdigit((unsigned char)text[3]));
    if (!device)
        return text;
    yaml_complain(self, node, "%s is \"%s\", a name that Windows shares cannot store; choose another", what, text);
    return NULL;
}

channel_layout_id yaml_layout(const yaml_source *self, const yaml_node *node, const char *what)
{
    const char *text = yaml_text(self, node, what, NAME_MAX_BYTES);
    if (text == NULL)
        return LAYOUT_NONE;
    channel_layout_id layout = channel_layout_from_name(text);
    if (layout != LAYOUT_NONE)
        return layout;
    const char *names[LAYOUT_COUNT] = {0};
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++)
        names[id - 1] = channel_layout_get((channel_layout_id)id)->name;
    const char *guess = word_suggest(text, names, LAYOUT_COUNT - 1);
    yaml_complain(self, node, "%s is \"%s\"%s%s%s; the layouts are %s", what, text, guess == NULL ? "" : " (did you mean \"",
                  guess == NULL ? "" : guess, guess == NULL ? "" : "\"?)", words_join(self->arena, names));
    return LAYOUT_NONE;
}

channel_label yaml_channel(const yaml_source *self, const yaml_node *node, const char *what)
{
    const char *text = yaml_text(self, node, what, NAME_MAX_BYTES);
    if (text == NULL)
        return CHANNEL_NONE;
    channel_label label = channel_label_from_name(text);
    if (label != CHANNEL_NONE)
        return label;
    const char *names[CHANNEL_LABEL_COUNT] = {0};
    for (int i = CHANNEL_M; i < CHANNEL_LABEL_COUNT; i++)
        names[i - 1] = channel_label_name((channel_label)i);
    yaml_complain(self, node, "%s is \"%s\", which is no channel; the channels are %s", what, text,
                  words_join(self->arena, names));
    return CHANNEL_NONE;
}

const char *yaml_language(const yaml_source *self, const yaml_node *node, const char *what)
{
    const char *text = yaml_text(self, node, what, 36); /* RFC 5646, 4.4.1: 35 characters hold every sensible tag */
    if (text == NULL)
        return NULL;
    size_t part = 0;
    size_t length = 0;
    bool good = true;
    for (const char *c = text;; c++) {
        if (*c != '-' && *c != '\0') {
            good = good && is_letter_or_digit(*c) && (part > 0 || isalpha((unsigned char)*c));
            length++;
            continue;
        }
        good = good && (part == 0 ? length == 2 || length == 3 : length >= 1 && length <= 8);
        part++;
        length = 0;
        if (*c == '\0')
            break;
    }
    if (good)
        return text;
    yaml_complain(self, node, "%s is \"%s\", which is no language tag; write a code like en, fr-FR or zh-Hant", what, text);
    return NULL;
}

void yaml_gain(const yaml_source *self, const yaml_node *node, const char *what, gain_wish *out_gain)
{
    static const char *const keys[] = {"match", "to", NULL};
    static const char *const targets[] = {"spec", NULL};
    if (node->kind == YAML_SCALAR) {
        bool unit = false;
        double decibels = 0.0;
        const char *text = yaml_text(self, node, what, 64);
        if (text != NULL && decibels_parse(text, &unit, &decibels) && fabs(decibels) <= GAIN_LIMIT_DB)
            *out_gain = (gain_wish){.mode = GAIN_DB, .db = decibels};
        else if (text != NULL)
            yaml_complain(self, node, "%s is \"%s\"; write decibels from -%d dB to %d dB, {match: NAME} or {to: spec}", what, text,
                          GAIN_LIMIT_DB, GAIN_LIMIT_DB);
        return;
    }
    if (!yaml_map_check(self, node, what, keys))
        return;
    const yaml_node *match = yaml_get(node, "match");
    const yaml_node *to = yaml_get(node, "to");
    if ((match == NULL) == (to == NULL)) {
        yaml_complain(self, node, "%s must be a number of dB, {match: NAME} or {to: spec}", what);
    } else if (match != NULL) {
        out_gain->match = yaml_name(self, match, what);
        out_gain->mode = out_gain->match == NULL ? GAIN_NONE : GAIN_MATCH;
    } else if (yaml_word(self, to, what, targets) == 0) {
        out_gain->mode = GAIN_TO_SPEC;
    }
}
