/* Titles to slugs: capital ASCII letters, digits, '_' and '-'. */
#include "coordinator/show/show_parts.h"

#include <string.h>

/* Latin letters beyond ASCII and what remains without their accents (Unicode blocks Latin-1 and Latin Extended-A). */
static const struct {
    uint16_t first, last;
    const char *text;
} letters[] = {
    {0x00C0, 0x00C5, "A"},  {0x00C6, 0x00C6, "AE"}, {0x00C7, 0x00C7, "C"},  {0x00C8, 0x00CB, "E"},  {0x00CC, 0x00CF, "I"},
    {0x00D0, 0x00D0, "D"},  {0x00D1, 0x00D1, "N"},  {0x00D2, 0x00D6, "O"},  {0x00D8, 0x00D8, "O"},  {0x00D9, 0x00DC, "U"},
    {0x00DD, 0x00DD, "Y"},  {0x00DE, 0x00DE, "TH"}, {0x00DF, 0x00DF, "SS"}, {0x00E0, 0x00E5, "A"},  {0x00E6, 0x00E6, "AE"},
    {0x00E7, 0x00E7, "C"},  {0x00E8, 0x00EB, "E"},  {0x00EC, 0x00EF, "I"},  {0x00F0, 0x00F0, "D"},  {0x00F1, 0x00F1, "N"},
    {0x00F2, 0x00F6, "O"},  {0x00F8, 0x00F8, "O"},  {0x00F9, 0x00FC, "U"},  {0x00FD, 0x00FD, "Y"},  {0x00FE, 0x00FE, "TH"},
    {0x00FF, 0x00FF, "Y"},  {0x0100, 0x0105, "A"},  {0x0106, 0x010D, "C"},  {0x010E, 0x0111, "D"},  {0x0112, 0x011B, "E"},
    {0x011C, 0x0123, "G"},  {0x0124, 0x0127, "H"},  {0x0128, 0x0131, "I"},  {0x0132, 0x0133, "IJ"}, {0x0134, 0x0135, "J"},
    {0x0136, 0x0138, "K"},  {0x0139, 0x0142, "L"},  {0x0143, 0x014B, "N"},  {0x014C, 0x0151, "O"},  {0x0152, 0x0153, "OE"},
    {0x0154, 0x0159, "R"},  {0x015A, 0x0161, "S"},  {0x0162, 0x0167, "T"},  {0x0168, 0x0173, "U"},  {0x0174, 0x0175, "W"},
    {0x0176, 0x0178, "Y"},  {0x0179, 0x017E, "Z"},  {0x017F, 0x017F, "S"},
};

/* What one character becomes: "" goes away, NULL cannot be written. Text is checked UTF-8. */
static const char *letter_text(uint32_t code, char own[2])
{
    if (code < 0x80) {
        char c = (char)code;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        bool kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        own[0] = kept ? c : '_';
        own[1] = '\0';
        return c == '\'' || c == '"' || c == '.' || c == ',' || c == '!' || c == '?' ? "" : own;
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (code >= letters[i].first && code <= letters[i].last)
            return letters[i].text;
    if (code >= 0x2010 && code <= 0x2015) /* dashes */
        return "-";
    if ((code >= 0x2018 && code <= 0x201F) || code == 0x2026 || code == 0xBF || code == 0xA1)
        return ""; /* quotation marks, ellipsis, inverted marks */
    if ((code >= 0xA0 && code < 0xC0) || code == 0xD7 || code == 0xF7 || (code >= 0x2000 && code <= 0x206F))
        return "_";
    return NULL;
}

static uint32_t next_code(const unsigned char **at)
{
    const unsigned char *bytes = *at;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    uint32_t code = length == 1 ? bytes[0] : bytes[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (bytes[i] & 0x3FU);
    *at = bytes + length;
    return code;
}

const char *slug_from_title(const char *title, arena *memory)
{
    char slug[SLUG_MAX_BYTES];
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)title; *at != '\0';) {
        char own[2];
        const char *text = letter_text(next_code(&at), own);
        if (text == NULL)
            return NULL;
        for (; *text != '\0'; text++) {
            if (*text == '_' && (used == 0 || slug[used - 1] == '_'))
                continue;
            if (used + 1 == sizeof slug)
                return NULL;
            slug[used++] = *text;
        }
    }
    while (used > 0 && (slug[used - 1] == '_' || slug[used - 1] == '-'))
        used--;
    return used == 0 ? NULL : arena_copy_bytes(memory, slug, used);
}
