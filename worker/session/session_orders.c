#include "worker/session/session_parts.h"

#include "common/base/ensure.h"
#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void session_orders_clear(session_orders *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].bytes);
    self->count = 0;
}

void session_orders_deinit(session_orders *self)
{
    session_orders_clear(self);
    free(self->items);
    *self = (session_orders){0};
}

session_order *session_orders_add(session_orders *self, session_order_type type, const void *bytes, size_t byte_size)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        session_order *items = realloc(self->items, capacity * sizeof *items);
        ENSURE(items != NULL);
        self->items = items;
        self->capacity = capacity;
    }
    session_order *order = &self->items[self->count++];
    *order = (session_order){.type = type, .byte_size = byte_size};
    order->bytes = malloc(byte_size + 1); /* a NUL behind texts; never NULL */
    ENSURE(order->bytes != NULL);
    if (byte_size > 0)
        memcpy(order->bytes, bytes, byte_size);
    order->bytes[byte_size] = '\0';
    return order;
}

void session_orders_log(session_orders *self, const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    log_values(text, sizeof text, format, values);
    va_end(values);
    session_orders_add(self, ORDER_LOG, text, strlen(text));
}
