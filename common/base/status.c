#include "common/base/status.h"

#include "common/base/plain_text.h"

#include <stdarg.h>
#include <stdio.h>

status_class status_class_of(status code)
{
    static const status_class classes[STATUS_COUNT] = {
#define STATUS_CLASS_ENTRY(name, class, text) [name] = class,
        STATUS_TABLE(STATUS_CLASS_ENTRY)
#undef STATUS_CLASS_ENTRY
    };
    return code < STATUS_COUNT ? classes[code] : STATUS_CLASS_DEFECT;
}

const char *status_text(status code)
{
    static const char *const texts[STATUS_COUNT] = {
#define STATUS_TEXT_ENTRY(name, class, text) [name] = text,
        STATUS_TABLE(STATUS_TEXT_ENTRY)
#undef STATUS_TEXT_ENTRY
    };
    return code < STATUS_COUNT ? texts[code] : "unknown status";
}

const char *status_class_name(status_class class)
{
    static const char *const names[] = {
        [STATUS_CLASS_OK] = "ok",           [STATUS_CLASS_WAIT] = "wait",
        [STATUS_CLASS_PEER] = "peer",       [STATUS_CLASS_INPUT] = "input",
        [STATUS_CLASS_LIMIT] = "limit",     [STATUS_CLASS_STORAGE] = "storage",
        [STATUS_CLASS_NODE] = "node",       [STATUS_CLASS_DEFECT] = "defect",
    };
    return class <= STATUS_CLASS_DEFECT ? names[class] : "defect";
}

status error_detail_set(error_detail *detail, status code, const char *format, ...)
{
    if (detail == NULL)
        return code;
    detail->code = code;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(detail->message, sizeof detail->message, format, arguments);
    va_end(arguments);
    if (written < 0)
        detail->message[0] = '\0';
    plain_text_disarm(detail->message);
    return code;
}
