/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: asking a running heddle's admin endpoint, with libcurl. */
#include "cli/fetch.h"

#include <curl/curl.h>

#include "codec/percent.h"

static size_t take(char *data, size_t size, size_t count, void *user)
{
    struct buf *body = user;
    buf_add(body, data, size * count);
    return buf_ok(body) ? size * count : 0;
}

/* What is posted; type NULL: nothing, it is a GET. */
struct posting {
    const char *type;
    struct str body;
};

static void set_post(CURL *curl, const struct posting *posting, struct curl_slist *headers)
{
    if (posting->type != NULL) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, posting->body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)posting->body.len);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
}

static int perform(CURL *curl, const char *url, struct buf *body, struct err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, FETCH_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        err_set(err, "cannot ask '%s': %s; is heddle serve running there? (--admin)", url,
                why[0] != '\0' ? why : curl_easy_strerror(code));
        return EXIT_ENVIRONMENT;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        err_set(err, "%.*s", STR_FMT(str_trim(buf_str(body))));
        return status >= 400 && status < 500 ? EXIT_INPUT : EXIT_ENVIRONMENT;
    }
    return 0;
}

static int ask(const struct options *options, const char *path, const struct posting *posting,
               struct buf *ret_body, struct err *err)
{
    struct buf url;
    buf_init(ret_body, FETCH_MAX);
    buf_init(&url, 1u << 16);
    buf_printf(&url, "http://%s%s", options->text[O_admin], path);
    buf_add_byte(&url, '\0');
    CURL *curl = curl_easy_init();
    int code = EXIT_ENVIRONMENT;
    struct curl_slist *headers = NULL;
    if (posting->type != NULL) {
        headers = curl_slist_append(headers, posting->type);
        headers = curl_slist_append(headers, "Expect:"); /* no waiting for a 100 */
    }
    if (curl != NULL) {
        set_post(curl, posting, headers);
        code = perform(curl, (const char *)url.data, ret_body, err);
    } else {
        err_set(err, "libcurl does not start");
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    buf_release(&url);
    if (code != 0) {
        buf_release(ret_body);
    }
    return code;
}

int fetch(const struct options *options, const char *path, struct buf *ret_body, struct err *err)
{
    const struct posting nothing = {NULL, STR_NULL};
    return ask(options, path, &nothing, ret_body, err);
}

int fetch_post(const struct options *options, const char *path, const char *type, struct str body,
               struct buf *ret_body, struct err *err)
{
    const struct posting posting = {type, body};
    return ask(options, path, &posting, ret_body, err);
}

struct str fetch_escape(struct arena *arena, struct str text)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    percent_encode(text, &out);
    struct str escaped = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return escaped;
}
