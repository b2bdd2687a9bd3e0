/* The endpoint by the part that brings libmicrohttpd: most farms of one CLI serve no pages. */
#include "coordinator/shell/http_endpoint.h"

#include "common/base/program_part.h"

static const char part[] = "reelmill-http";

status http_endpoint_check(const char *address, error_detail *detail)
{
    status (*check)(const char *, error_detail *) = NULL;
    status code = program_part_function(part, "http_endpoint_check", &check, detail);
    return code == STATUS_OK ? check(address, detail) : code;
}

status http_endpoint_create(http_endpoint **out_endpoint, uv_loop_t *loop, const http_endpoint_config *config, error_detail *detail)
{
    status (*create)(http_endpoint **, uv_loop_t *, const http_endpoint_config *, error_detail *) = NULL;
    status code = program_part_function(part, "http_endpoint_create", &create, detail);
    return code == STATUS_OK ? create(out_endpoint, loop, config, detail) : code;
}

void http_endpoint_close(http_endpoint **self)
{
    void (*close)(http_endpoint **) = NULL;
    if (*self != NULL && program_part_function(part, "http_endpoint_close", &close, NULL) == STATUS_OK)
        close(self);
}
