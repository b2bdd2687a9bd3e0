#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* The one mutable value of this file: set once by *_main.c before any thread starts. */
static log_level log_threshold = LOG_INFO;

void log_set_level(log_level level)
{
    log_threshold = level;
}

void log_line(log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < log_threshold || level >= LOG_SILENT)
        return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(stderr, "time=%s.%03ldZ level=%s event=%s%s%s\n", stamp, now.tv_nsec / 1000000, names[level], event,
            text[0] == '\0' ? "" : " ", text);
}
