/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of YAML: what heddle inject writes can be read again, and injected again changes nothing.
 */
#include "base/panic.h"
#include "inject/manifest.h"

static const struct inject_settings settings = {
    .image = STR("heddle"),
    .proxy_image = STR("proxy"),
    .ns = STR("heddle-system"),
    .cluster_domain = STR("cluster.local"),
};

struct tally {
    size_t done, unreadable;
};

static struct str ns_label(void *user, struct str ns)
{
    (void)user;
    (void)ns;
    return STR("sidecar");
}

static void told(void *user, uint32_t line, struct str kind, struct str ns, struct str name,
                 const struct inject_answer *answer)
{
    struct tally *tally = user;
    (void)line;
    (void)ns;
    (void)name;
    tally->done += answer->outcome == INJECT_DONE;
    tally->unreadable += kind.len == 0;
}

static void found(void *user, struct str ns, struct str label)
{
    (void)user;
    (void)ns;
    (void)label;
}

static struct tally inject(struct str text, struct buf *out)
{
    struct tally tally = {.done = 0};
    const struct manifest manifest = {&settings, ns_label, told, found, &tally};
    manifest_namespaces(&manifest, text);
    manifest_inject(&manifest, text, out);
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_span((const char *)data, size);
    struct buf once, twice;
    buf_init(&once, BUF_UNLIMITED);
    buf_init(&twice, BUF_UNLIMITED);
    struct tally first = inject(text, &once);
    if (first.done == 0) {
        ASSERT(str_eq(buf_str(&once), text));
    }
    struct tally second = inject(buf_str(&once), &twice);
    ASSERT(second.done == 0 && second.unreadable == first.unreadable);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
