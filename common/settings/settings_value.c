#include "common/settings/settings_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

status settings_text(char *out, size_t out_size, const char *where, const char *text, error_detail *detail)
{
    size_t size = strlen(text);
    if (size == 0 || size >= out_size)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.80s' has %zu bytes; 1 to %zu are allowed", where,
                                text, size, out_size - 1);
    memcpy(out, text, size + 1);
    return STATUS_OK;
}

status settings_number(uint32_t *out, const char *where, const char *text, uint32_t low, uint32_t high, error_detail *detail)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.40s' is no whole number from %u to %u", where,
                                text, low, high);
    *out = (uint32_t)value;
    return STATUS_OK;
}

status settings_bool(bool *out, const char *where, const char *text, error_detail *detail)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.40s' is neither true nor false", where, text);
    *out = text[0] == 't';
    return STATUS_OK;
}

status settings_log_level(log_level *out, const char *where, const char *text, error_detail *detail)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "silent"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (log_level)i;
            return STATUS_OK;
        }
    return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.40s' is none of debug, info, warn, error, silent",
                            where, text);
}

status settings_secret_file(char *out, size_t out_size, const char *where, const char *text, error_detail *detail)
{
    if (strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "%s: a key's digits stand here; give the name of the file that holds them (mode 0600), and "
                                "make a new key if these were the secret ones", where);
    return settings_text(out, out_size, where, text, detail);
}
