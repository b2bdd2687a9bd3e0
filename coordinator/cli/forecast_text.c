#define _GNU_SOURCE
#include "coordinator/cli/forecast_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* "3 h 05 min", "12 min 30 s", "4.2 s" */
static const char *span_text(double seconds, char *out, size_t out_size)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(out, out_size, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(out, out_size, "%lu min %02lu s", whole / 60, whole % 60);
    else
        snprintf(out, out_size, "%.1f s", seconds);
    return out;
}

status forecast_text_until(const char *by, time_t now, double *out_seconds, error_detail *detail)
{
    unsigned hour = 0, minute = 0;
    int used = 0;
    if (sscanf(by, "%2u:%2u%n", &hour, &minute, &used) != 2 || by[used] != '\0' || hour > 23 || minute > 59 || used != 5)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--by: '%.20s' is no time of day; write it like 06:00", by);
    struct tm local;
    localtime_r(&now, &local);
    local.tm_hour = (int)hour;
    local.tm_min = (int)minute;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    time_t then = mktime(&local);
    if (then <= now) {
        local.tm_mday++;
        local.tm_hour = (int)hour;
        local.tm_isdst = -1;
        then = mktime(&local);
    }
    *out_seconds = difftime(then, now);
    return STATUS_OK;
}

uint32_t forecast_text_slots(const json_t *forecast, double within_s)
{
    const json_t *points = json_object_get(forecast, "by_slots");
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        double ready = number_of(point, "ready_s");
        double slots = number_of(point, "slots");
        if (ready > within_s)
            continue;
        if (i == 0)
            return (uint32_t)slots;
        /* Time falls ever more slowly with slots, so a straight line rather names too many than too few. */
        const json_t *before = json_array_get(points, i - 1);
        double span = number_of(before, "ready_s") - ready;
        double few = number_of(before, "slots");
        double share = span > 0.0 ? (number_of(before, "ready_s") - within_s) / span : 0.0;
        return (uint32_t)ceil(few + (slots - few) * share);
    }
    return 0;
}

const char *forecast_text_miss(double predicted_s, double actual_s, char *out, size_t out_size)
{
    double percent = predicted_s > 0.0 ? round(100.0 * (actual_s / predicted_s - 1.0)) : 0.0;
    out[0] = '\0';
    if (percent < 0.0 || percent > 0.0)
        snprintf(out, out_size, ", %.0f %% %s", fabs(percent), percent < 0.0 ? "less" : "longer");
    return out;
}

static void print_deadline(const json_t *forecast, const char *by)
{
    double within = 0.0;
    error_detail detail;
    if (forecast_text_until(by, time(NULL), &within, &detail) != STATUS_OK)
        return;
    double have = number_of(forecast, "slots");
    double nodes = number_of(forecast, "nodes");
    const json_t *ready = json_object_get(forecast, "ready_in_s");
    if (json_is_number(ready) && json_number_value(ready) <= within) {
        printf("by %s: yes, with the %.0f slots that are here\n", by, have);
        return;
    }
    uint32_t need = forecast_text_slots(forecast, within);
    if (need == 0)
        printf("by %s: no, whatever the number of nodes: one task waits for another\n", by);
    else if (nodes > 0)
        printf("by %s: needs about %u slots, %.0f nodes like these; %.0f slots on %.0f nodes are here\n", by, need,
               ceil(need * nodes / have), have, nodes);
    else
        printf("by %s: needs about %u slots; none are here\n", by, need);
}

void forecast_text_print(const json_t *forecast, const char *by)
{
    char span[32], work[32], clock[32], miss[48];
    const json_t *ready = json_object_get(forecast, "ready_in_s");
    const char *after = json_string_value(json_object_get(forecast, "after"));
    if (json_is_number(ready) && after != NULL) {
        printf("ready about %s after %s; %s of work on %.0f slots\n", span_text(json_number_value(ready), span, sizeof span),
               strcmp(after, "storage") == 0 ? "its storage is back" : "it is released",
               span_text(number_of(forecast, "work_s"), work, sizeof work), number_of(forecast, "slots"));
    } else if (json_is_number(ready)) {
        time_t then = time(NULL) + (time_t)json_number_value(ready);
        struct tm local;
        localtime_r(&then, &local);
        strftime(clock, sizeof clock, "%a %H:%M", &local);
        printf("ready in about %s, %s; %s of work on %.0f slots%s\n", span_text(json_number_value(ready), span, sizeof span),
               clock, span_text(number_of(forecast, "work_s"), work, sizeof work), number_of(forecast, "slots"),
               json_is_true(json_object_get(forecast, "learnt")) ? "" : " (the planner's guess: this farm has not worked yet)");
    } else if (json_is_null(ready)) {
        printf("no node takes work; %s of work\n", span_text(number_of(forecast, "work_s"), work, sizeof work));
    }
    if (by != NULL && ready != NULL)
        print_deadline(forecast, by);
    const json_t *predicted = json_object_get(forecast, "predicted_s");
    const json_t *actual = json_object_get(forecast, "actual_s");
    if (json_is_number(predicted) && json_is_number(actual) && json_number_value(actual) > 0.0)
        printf("forecast when it was planned: %s; it took %s%s\n",
               span_text(json_number_value(predicted), span, sizeof span),
               span_text(json_number_value(actual), work, sizeof work),
               forecast_text_miss(json_number_value(predicted), json_number_value(actual), miss, sizeof miss));
}
