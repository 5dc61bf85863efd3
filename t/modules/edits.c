/*
 * A module of nginx that edits headers of a request where they are, as others
 * do that mask or normalise them: "edits_headers X;" overwrites each byte of
 * certain values, by their pointers and in the list, with the argument "to" of
 * the request, or with X, takes one byte off, and turns a name to lower case.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

static ngx_int_t init(ngx_conf_t *cf);
static void *create(ngx_conf_t *cf);
static char *merge(ngx_conf_t *cf, void *parent, void *child);

typedef struct { ngx_str_t with; } conf_t;

static ngx_command_t commands[] = {
    { ngx_string("edits_headers"), NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot, NGX_HTTP_LOC_CONF_OFFSET, offsetof(conf_t, with), NULL },
    ngx_null_command
};

static ngx_http_module_t context = { NULL, init, NULL, NULL, NULL, NULL, create, merge };

ngx_module_t edits_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING
};

ngx_module_t *ngx_modules[] = { &edits_module, NULL };
char *ngx_module_names[] = { "edits_module", NULL };
char *ngx_module_order[] = { NULL };

static void
edit(ngx_table_elt_t *h, u_char with)
{
    if (h == NULL || h->value.len == 0) {
        return;
    }
    ngx_memset(h->value.data, with, h->value.len);
    h->value.len--;
    ngx_strlow(h->key.data, h->key.data, h->key.len);
}

static ngx_int_t
handler(ngx_http_request_t *r)
{
    conf_t           *conf = ngx_http_get_module_loc_conf(r, edits_module);
    ngx_str_t         to;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (conf->with.len == 0) {
        return NGX_DECLINED;
    }
    if (ngx_http_arg(r, (u_char *) "to", 2, &to) != NGX_OK || to.len == 0) {
        to = conf->with;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        for (h = part->elts, i = 0; i < part->nelts; i++) {
            if (h[i].key.len == 5 && ngx_strncasecmp(h[i].key.data, (u_char *) "X-Foo", 5) == 0) {
                edit(&h[i], to.data[0]);
            }
        }
    }
    edit(r->headers_in.user_agent, to.data[0]);
    edit(r->headers_in.cookie, to.data[0]);
    edit(r->headers_in.authorization, to.data[0]);
    edit(r->headers_in.referer, to.data[0]);
    edit(r->headers_in.host, to.data[0]);
    return NGX_DECLINED;
}

static ngx_int_t
init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_handler_pt        *h;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    *h = handler;
    return NGX_OK;
}

static void *
create(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(conf_t));
}

static char *
merge(ngx_conf_t *cf, void *parent, void *child)
{
    conf_t  *prev = parent, *conf = child;

    ngx_conf_merge_str_value(conf->with, prev->with, "");
    return NGX_CONF_OK;
}
