#include "coordinator/show/init_name.h"

#include "coordinator/show/channel_suffix.h"
#include "coordinator/show/file_pattern.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 32 };

typedef struct name_word {
    const char *start;
    size_t length;
} name_word;

static const struct {
    const char *word;
    stem_role role;
    const char *stem;
} roles[] = {
    {"DX", ROLE_DIALOGUE, "DX"},  {"DIA", ROLE_DIALOGUE, "DX"},     {"DIAL", ROLE_DIALOGUE, "DX"},
    {"DLG", ROLE_DIALOGUE, "DX"}, {"DIALOG", ROLE_DIALOGUE, "DX"},  {"DIALOGUE", ROLE_DIALOGUE, "DX"},
    {"MX", ROLE_MUSIC, "MX"},     {"MUS", ROLE_MUSIC, "MX"},        {"MUSIC", ROLE_MUSIC, "MX"},
    {"FX", ROLE_EFFECTS, "FX"},   {"SFX", ROLE_EFFECTS, "FX"},      {"EFX", ROLE_EFFECTS, "FX"},
    {"EFF", ROLE_EFFECTS, "FX"},  {"EFFECTS", ROLE_EFFECTS, "FX"},  {"BG", ROLE_EFFECTS, "BG"},
    {"BGS", ROLE_EFFECTS, "BG"},  {"AMB", ROLE_EFFECTS, "BG"},      {"FOLEY", ROLE_EFFECTS, "FOLEY"},
    {"FOL", ROLE_EFFECTS, "FOLEY"}, {"PFX", ROLE_EFFECTS, "PFX"},   {"AD", ROLE_NARRATION, "AD"},
    {"NAR", ROLE_NARRATION, "AD"}, {"NARR", ROLE_NARRATION, "AD"},  {"NARRATION", ROLE_NARRATION, "AD"},
    {"VO", ROLE_NARRATION, "AD"}, {"D", ROLE_DIALOGUE, "DX"},       {"M", ROLE_MUSIC, "MX"},
    {"E", ROLE_EFFECTS, "FX"},
};
static const char *const languages[] = {"en", "fr", "de", "es", "it", "ja", "pt", "nl", "sv", "da", "fi", "no",
                                        "pl", "ru", "zh", "ko", "cs", "hu", "tr", "el", "he", "ar", "hi", "uk"};
static const char *const layouts[] = {"51", "71", "712", "20", "10", "50", "70", "ST", "STEREO", "MONO", "LTRT", "LORO",
                                      "5", "7", "1", "2", "0"};
static const char *const extensions[] = {".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".caf", ".flac"};

static bool word_is(const name_word *word, const char *text)
{
    return strlen(text) == word->length && strncasecmp(word->start, text, word->length) == 0;
}

static bool word_among(const name_word *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word_is(word, list[i]))
            return true;
    return false;
}

/* "DX_fr.wav" is French, "DX.fr.wav" a right front channel. */
static bool is_channel(const channel_suffix *suffix)
{
    name_word word = {.start = suffix->channel, .length = strlen(suffix->channel)};
    bool dotted = suffix->before[strlen(suffix->before) - 1] == '.';
    return suffix->label != CHANNEL_M && (dotted || !word_among(&word, languages, sizeof languages / sizeof languages[0]));
}

static bool has_audio_extension(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof extensions[0]; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* "R1", "r02", "Reel3", or a bare number after the word "reel". 0: no reel. */
static uint32_t reel_number(const name_word *word, const name_word *before)
{
    size_t prefix = 0;
    if (word->length > 4 && strncasecmp(word->start, "reel", 4) == 0)
        prefix = 4;
    else if (word->length > 1 && (word->start[0] == 'R' || word->start[0] == 'r'))
        prefix = 1;
    else if (before == NULL || !word_is(before, "reel"))
        return 0;
    uint32_t number = 0;
    for (size_t i = prefix; i < word->length; i++) {
        if (word->start[i] < '0' || word->start[i] > '9' || number > 99)
            return 0;
        number = number * 10 + (uint32_t)(word->start[i] - '0');
    }
    return number;
}

static uint32_t split_words(const char *text, name_word words[WORDS_MAX])
{
    uint32_t count = 0;
    for (const char *c = text; *c != '\0' && count < WORDS_MAX;) {
        size_t length = strcspn(c, "/_-. ");
        if (length > 0)
            words[count++] = (name_word){.start = c, .length = length};
        c += length;
        c += strspn(c, "/_-. ");
    }
    return count;
}

/* One-letter roles are believed only where no longer word names one. */
static void find_role(init_name *self, const name_word *words, uint32_t count, uint32_t *out_word)
{
    for (size_t longest = 2; longest-- > 0 && !self->has_role;)
        for (uint32_t w = 0; w < count && !self->has_role; w++)
            for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
                if ((words[w].length > 1) == (longest > 0) && word_is(&words[w], roles[i].word)) {
                    self->has_role = true;
                    self->role = roles[i].role;
                    self->stem = roles[i].stem;
                    *out_word = w;
                    break;
                }
}

static const char *title_of(const name_word *words, uint32_t count, arena *memory)
{
    const char *title = "";
    for (uint32_t w = 0; w < count; w++)
        title = arena_format(memory, "%s%s%.*s", title, w == 0 ? "" : " ", (int)words[w].length, words[w].start);
    return title;
}

bool init_name_parse(init_name *out_name, const char *path, arena *memory)
{
    if (!has_audio_extension(path))
        return false;
    init_name self = {.reel = "", .stem = "", .language = "", .title = ""};
    const char *dot = strrchr(path, '.');
    const char *body = arena_copy_bytes(memory, path, (size_t)(dot - path));
    const char *tail = file_pattern_literal(dot, memory);
    channel_suffix suffix;
    if (channel_suffix_split(path, &suffix, memory) && is_channel(&suffix)) {
        self.channel = suffix.label;
        body = suffix.before;
        const char *usual = channel_label_name(suffix.label);
        tail = arena_format(memory, "{ch}%s%s",
                            strcmp(usual, suffix.channel) == 0 ? "" : arena_format(memory, "{%s=%s}", usual, suffix.channel),
                            tail);
    }
    name_word words[WORDS_MAX];
    uint32_t count = split_words(body, words);
    uint32_t known = count;
    uint32_t role_word = count;
    const name_word *reel = NULL;
    find_role(&self, words, count, &role_word);
    for (uint32_t w = 0; w < count; w++) {
        uint32_t number = w == role_word ? 0 : reel_number(&words[w], w > 0 ? &words[w - 1] : NULL);
        bool layout = word_among(&words[w], layouts, sizeof layouts / sizeof layouts[0]);
        bool tongue = w > role_word && word_among(&words[w], languages, sizeof languages / sizeof languages[0]);
        if (number > 0 && reel == NULL) {
            reel = &words[w];
            self.reel_number = number;
        }
        if (tongue && self.language[0] == '\0' && (self.role == ROLE_DIALOGUE || self.role == ROLE_NARRATION)) {
            char code[3] = {(char)(words[w].start[0] | 0x20), (char)(words[w].start[1] | 0x20), '\0'};
            self.language = arena_copy_text(memory, code);
        }
        if (w < known && (number > 0 || layout || tongue || w == role_word || word_is(&words[w], "reel")))
            known = w;
    }
    self.title = title_of(words, known, memory);
    if (reel == NULL) {
        self.pattern = arena_format(memory, "%s%s", file_pattern_literal(body, memory), tail);
    } else {
        self.reel = arena_copy_bytes(memory, reel->start, reel->length);
        const char *before = arena_copy_bytes(memory, body, (size_t)(reel->start - body));
        self.pattern = arena_format(memory, "%s{reel}%s%s", file_pattern_literal(before, memory),
                                    file_pattern_literal(reel->start + reel->length, memory), tail);
    }
    *out_name = self;
    return true;
}
