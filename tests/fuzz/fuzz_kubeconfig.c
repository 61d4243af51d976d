/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does kubeconfig_read() survive any file, or two (divided at a line "+")? And does what reads the
 * output of a credential program?
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/panic.h"
#include "kube/config.h"
#include "kube/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_files(struct str text)
{
    struct kube_config config = {.insecure = false};
    struct config_file files[2];
    struct err err = {""};
    size_t len = 1;
    const char *second = memmem(text.ptr, text.len, "\n+\n", 3);
    files[0] = (struct config_file){STR("/a/b"), STR("/a"), text};
    if (second != NULL) {
        size_t at = (size_t)(second - text.ptr);
        files[0].text = str_sub(text, 0, at + 1);
        files[1] = (struct config_file){STR("/c/d"), STR("/c"), str_sub(text, at + 3, text.len)};
        len = 2;
    }
    arena_init(&config.arena);
    if (kubeconfig_read(files, len, NULL, &config, &err)) {
        ASSERT(config.server.len != 0);
        ASSERT(config.exec == NULL || config.exec->command.len != 0);
    } else {
        ASSERT(err.text[0] != '\0');
    }
    kube_config_release(&config);
}

static void read_credential(struct str text)
{
    struct arena arena;
    struct plugin_result result;
    struct err err = {""};
    arena_init(&arena);
    if (plugin_read(text, &arena, &result, &err)) {
        ASSERT(result.token.len + result.cert.len != 0);
    } else {
        ASSERT(err.text[0] != '\0');
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_span((const char *)data, size);
    read_files(text);
    read_credential(text);
    return 0;
}
