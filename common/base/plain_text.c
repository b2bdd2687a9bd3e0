#include "common/base/plain_text.h"

#include <string.h>

size_t plain_text_length(const unsigned char *bytes, size_t left)
{
    if (bytes[0] < 0x80)
        return 1;
    size_t length = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    if ((bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xED && bytes[1] > 0x9F) ||
        (bytes[0] == 0xF0 && bytes[1] < 0x90) || (bytes[0] == 0xF4 && bytes[1] > 0x8F))
        return 0;
    return length;
}

bool plain_text_control(const unsigned char *bytes, size_t length)
{
    if (length == 1)
        return (bytes[0] < 0x20 && bytes[0] != '\t' && bytes[0] != '\n' && bytes[0] != '\r') || bytes[0] == 0x7F;
    return length == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0;
}

/* What ends a line in some version of YAML; NEL, which does too, is a control character. */
static bool ends_line(const unsigned char *bytes, size_t length)
{
    return bytes[0] == '\n' || bytes[0] == '\r' ||
           (length == 3 && bytes[0] == 0xE2 && bytes[1] == 0x80 && (bytes[2] == 0xA8 || bytes[2] == 0xA9));
}

uint32_t plain_text_lines_ended(uint32_t before, const unsigned char *bytes, size_t length, bool after_return)
{
    if (ends_line(bytes, length))
        return before + (bytes[0] == '\n' && after_return ? 0 : 1);
    return bytes[0] == ' ' || bytes[0] == '\t' ? before : 0;
}

/* U+202A to U+202E and U+2066 to U+2069: what stands behind them is shown in another order than it has. */
static bool turns_order(const unsigned char *bytes, size_t length)
{
    if (length != 3 || bytes[0] != 0xE2)
        return false;
    return (bytes[1] == 0x80 && bytes[2] >= 0xAA && bytes[2] <= 0xAE) || (bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9);
}

bool plain_text_hidden(const unsigned char *bytes, size_t length)
{
    return bytes[0] < 0x20 || plain_text_control(bytes, length) || turns_order(bytes, length);
}

void plain_text_disarm(char *text)
{
    size_t left = strlen(text);
    char *out = text;
    while (left > 0) {
        const unsigned char *bytes = (const unsigned char *)text;
        size_t length = plain_text_length(bytes, left);
        bool hidden = length == 0 || plain_text_hidden(bytes, length);
        length = length == 0 ? 1 : length;
        if (hidden)
            *out++ = '?';
        else
            for (size_t i = 0; i < length; i++)
                *out++ = text[i];
        text += length;
        left -= length;
    }
    *out = '\0';
}
