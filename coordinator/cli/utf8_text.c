#include "coordinator/cli/utf8_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character that begins here, as the writer of JSON sees it; 0: none does. */
static size_t character_size(const char *at)
{
    if ((unsigned char)*at < 0x80)
        return 1;
    for (size_t size = 2; size <= 4 && at[size - 1] != '\0'; size++) {
        json_t *taken = json_stringn(at, size);
        json_decref(taken);
        if (taken != NULL)
            return size;
    }
    return 0;
}

bool utf8_is_valid(const char *text)
{
    for (size_t size; *text != '\0'; text += size) {
        size = character_size(text);
        if (size == 0)
            return false;
    }
    return true;
}

const char *utf8_escaped(const char *text, arena *memory)
{
    size_t room = 4 * strlen(text) + 1;
    char *made = arena_take(memory, room);
    size_t used = 0;
    while (*text != '\0') {
        size_t size = character_size(text);
        if (size == 0)
            used += (size_t)snprintf(made + used, room - used, "\\x%02X", (unsigned)(unsigned char)*text);
        else
            memcpy(made + used, text, size);
        used += size;
        text += size == 0 ? 1 : size;
    }
    made[used] = '\0';
    return made;
}
